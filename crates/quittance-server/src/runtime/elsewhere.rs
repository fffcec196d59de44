//! Answers that other processes gave: where several share the books, a command that was accepted here may come to its end
//! anywhere.
//!
//! One look serves everybody who waits. Does not own who waits, nor what an answer says.

use super::handle::Handle;
use super::readers::ReadError;
use quittance_core::id::CommandId;
use quittance_core::idempotency::{Command, Progress};
use quittance_store::records::Entity;
use quittance_store::store::Reader;
use quittance_store::tables::COMMANDS;
use std::time::Duration;

/// How often it is looked while somebody waits.
const LOOK: Duration = Duration::from_millis(50);

/// Commands that are read at once.
const PAGE: usize = 1_000;

/// Looks for ever.
pub(super) async fn run(handle: Handle) {
    loop {
        tokio::time::sleep(LOOK).await;
        for page in handle.shared.waiters.watched().chunks(PAGE) {
            if let Err(error) = look(&handle, page.to_vec()).await {
                tracing::debug!(%error, "answers of other processes could not be read; it is tried again");
            }
        }
    }
}

async fn look(handle: &Handle, commands: Vec<CommandId>) -> Result<(), ReadError> {
    let rows = handle.read(move |reader: &mut dyn Reader| {
        let keys: Vec<_> = commands.iter().map(|command| vec![command.bytes().into()]).collect();
        reader.get_many(&COMMANDS, &keys)
    });
    for row in rows.await?.into_iter().flatten() {
        // One that cannot be read is told to whoever asks for it.
        if let Ok(Command { id, progress: Progress::Completed { status, body, .. }, .. }) = Command::from_row(&row) {
            handle.shared.waiters.answer(id, status, &body);
        }
    }
    Ok(())
}
