//! Reader threads: queries beside the one writer.

use quittance_store::store::{Reader, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::sync::oneshot;

/// Reads that may wait for a thread.
const WAITING_MAX: usize = 1_024;

type Task = Box<dyn FnOnce(&mut dyn Reader) + Send>;

/// A small pool of reader threads. Clones share it; the threads end with the last of them.
#[derive(Clone)]
pub(crate) struct Readers {
    tasks: SyncSender<Task>,
}

/// Why a read has no result.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Too many reads wait already.
    #[error("too many reads are waiting")]
    Overloaded,
    /// The read did not come to an end: it panicked, or the threads are gone.
    #[error("the read was given up")]
    GivenUp,
    /// The store failed.
    #[error("cannot read the store")]
    Store(#[from] StoreError),
}

impl Readers {
    /// Starts a thread for each reader.
    pub(crate) fn start(readers: Vec<Box<dyn Reader>>) -> std::io::Result<Self> {
        assert!(!readers.is_empty(), "a pool needs a reader");
        let (tasks, waiting) = sync_channel(WAITING_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        for (number, reader) in readers.into_iter().enumerate() {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new().name(format!("reader-{number}")).spawn(move || run(reader, &waiting))?;
        }
        Ok(Self { tasks })
    }

    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    {
        let (sender, result) = oneshot::channel();
        let task: Task = Box::new(move |reader| {
            // Whoever went away meanwhile needs no result, so it is not even computed.
            if !sender.is_closed() {
                let _ = sender.send(read(reader));
            }
        });
        self.tasks.try_send(task).map_err(|error| match error {
            TrySendError::Full(_) => ReadError::Overloaded,
            TrySendError::Disconnected(_) => ReadError::GivenUp,
        })?;
        result.await.map_err(|_| ReadError::GivenUp)?.map_err(ReadError::Store)
    }
}

fn run(mut reader: Box<dyn Reader>, waiting: &Mutex<Receiver<Task>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = next else { return };
        // A panic costs the one request that caused it: reads leave nothing behind.
        if catch_unwind(AssertUnwindSafe(|| task(reader.as_mut()))).is_err() {
            tracing::error!("a read panicked and was given up");
        }
    }
}
