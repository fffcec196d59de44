//! The store in which runs are kept, opened for a moment where only one process may have it open, and kept open where many may.

use super::halt::{Halt, Why};
use crate::clock::Stopwatch;
use crate::data::Data;
use crate::diff::History;
use quittance_store::store::{Owners, Store, StoreError};
use std::time::Duration;

/// How long it is tried to keep what was done, where somebody else has the store open.
pub(crate) const PATIENCE: Duration = Duration::from_mins(10);

/// Opens the runs' store when something is to be done in it.
pub(crate) struct Keeper {
    data: Data,
    open: Option<History>,
}

impl Keeper {
    pub(crate) fn new(data: &Data) -> Self {
        Self { data: data.clone(), open: None }
    }

    /// Does something in the store. One that failed is opened anew the next time.
    pub(crate) fn with<T>(
        &mut self,
        act: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut history = match self.open.take() {
            Some(history) => history,
            None => History::open(&self.data)?,
        };
        let done = act(history.store())?;
        if history.store().owners() == Owners::Shared {
            self.open = Some(history);
        }
        Ok(done)
    }

    /// The same, and tries for so long where somebody else has the store open; only once more where this process ends.
    pub(crate) fn with_patience<T>(
        &mut self,
        patience: Duration,
        halt: Option<&Halt>,
        mut act: impl FnMut(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let since = Stopwatch::start();
        patiently(|| self.with(&mut act), || since.elapsed() < patience && !is_ending(halt))
    }
}

fn is_ending(halt: Option<&Halt>) -> bool {
    halt.is_some_and(|halt| halt.why() == Some(Why::Ending))
}

/// Tries until somebody else has let go of the store. Each try waits for that by itself.
fn patiently<T>(
    mut attempt: impl FnMut() -> Result<T, StoreError>,
    mut is_patient: impl FnMut() -> bool,
) -> Result<T, StoreError> {
    loop {
        match attempt() {
            Err(StoreError::Locked { .. }) if is_patient() => {}
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(locked: u32, patience: u32, outcome: Option<StoreError>) -> (u32, bool) {
        let (mut tries, mut patience) = (0, patience);
        let kept = patiently(
            || {
                tries += 1;
                if tries <= locked {
                    return Err(StoreError::Locked { path: "drift".into() });
                }
                outcome.as_ref().map_or(Ok(()), |_| Err(StoreError::Missing { path: "drift".into() }))
            },
            || {
                patience = patience.saturating_sub(1);
                patience > 0
            },
        );
        (tries, kept.is_ok())
    }

    #[test]
    fn what_is_not_to_be_lost_is_tried_as_long_as_somebody_else_has_the_store_and_no_longer_than_said() {
        assert_eq!(tried(0, 9, None), (1, true));
        assert_eq!(tried(3, 9, None), (4, true));
        assert_eq!(tried(5, 3, None), (3, false));
        // What else is wrong does not get better.
        assert_eq!(tried(1, 9, Some(StoreError::Missing { path: "drift".into() })), (2, false));
    }

    #[test]
    fn nobody_waits_for_the_store_while_this_process_ends() {
        let halt = Halt::default();
        assert!(!is_ending(None) && !is_ending(Some(&halt)));
        halt.stop(Why::Ending);
        assert!(is_ending(Some(&halt)));
        let paused = Halt::default();
        paused.stop(Why::Paused("what was begun is kept".into()));
        assert!(!is_ending(Some(&paused)));
    }
}
