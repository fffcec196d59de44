//! What operators have done over again: an object looked at, a stored event applied.
//!
//! Finds what is meant and prepares the engine's part; the engine keeps who asked, and why.

use crate::api::rows;
use crate::runtime::{Handle, ReadError};
use quittance_core::effect::PersonsWord;
use quittance_engine::submission::{Replay, Submission};
use quittance_store::records::{EventSource, InboxEntry};

/// Longest id of an object or an event, in bytes.
pub(crate) const ID_BYTES_MAX: usize = 255;

/// What a person says who asks for it.
pub(crate) fn word(by: String, reason: String) -> PersonsWord {
    PersonsWord { by, evidence: String::new(), reason }
}

/// Why a stored event is not applied again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// No gateway that is configured has it.
    #[error("no stored event of a configured gateway has this id")]
    Unknown,
    /// Its bytes are not kept any more.
    #[error("its bytes are not kept any more: they were pruned")]
    Pruned,
    /// Its bytes cannot be read by this version.
    #[error("its stored bytes are no event: {0}")]
    Unreadable(String),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Finds a stored event, and reads its bytes as when it came; its signature was checked then.
pub(crate) async fn replay(
    handle: &Handle,
    gateway: Option<&str>,
    event: &str,
    word: PersonsWord,
) -> Result<Submission, ReplayError> {
    for (name, config) in &handle.config().gateways {
        if gateway.is_some_and(|gateway| gateway != name) {
            continue;
        }
        let key = vec![name.as_str().into(), event.into()];
        let stored = handle.read(move |reader| rows::get::<InboxEntry>(reader, key)).await?;
        let Some(stored) = stored.filter(|stored| stored.source != EventSource::Operator) else { continue };
        if stored.is_pruned() {
            return Err(ReplayError::Pruned);
        }
        let decoded = config.dialect.connector().decode_event(&stored.body);
        let event = decoded.map_err(|error| ReplayError::Unreadable(error.to_string()))?;
        return Ok(Submission::Replay(Box::new(Replay { gateway: name.clone(), event, word })));
    }
    Err(ReplayError::Unknown)
}
