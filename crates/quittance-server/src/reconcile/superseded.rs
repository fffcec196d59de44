//! What waits for a person, and is overtaken by what is planned anew: about one record one thing is asked, the newest.

use super::journal::{Kept, Repairs, run};
use quittance_core::time::Timestamp;
use quittance_store::records::RepairState;
use quittance_store::store::StoreError;

impl Repairs<'_> {
    /// Settles what waited of the records that are planned anew: nobody is asked twice about one record, and what is decided
    /// now is the newer of both. What another pair asks stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when earlier repairs cannot be read, or that cannot be kept.
    pub(super) fn supersede(&mut self, begun: &[Kept], by: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut waiting = Vec::new();
        for one in begun {
            let is_older = |earlier: &Kept| {
                let is_waiting = earlier.state == RepairState::AwaitingApproval;
                is_waiting && earlier.run != one.run && earlier.plan.side == one.plan.side
            };
            for earlier in self.of_record(&one.plan)?.into_iter().filter(is_older) {
                let of = self.with(|store| run(store, earlier.run))?;
                if of.is_some_and(|of| of.pair == self.pair) {
                    waiting.push(earlier);
                }
            }
        }
        let Some(first) = begun.first().filter(|_| !waiting.is_empty()) else { return Ok(()) };
        let detail = format!("superseded by run {}", first.run);
        self.decide(&mut waiting, (RepairState::Moved, Some(&detail)), by, now)
    }
}
