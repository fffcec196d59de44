//! Answering a dispute: evidence is handed in once, and the dispute itself says whether it was.

use super::Advance;
use super::ends::refused;
use super::machine::Machine;
use crate::dispute::{DisputeSighting, DisputeStatus};
use crate::effect::State;
use crate::effect::judge::Verdict;
use crate::fact::{Fact, Loss};

impl Machine<'_> {
    pub(super) fn submit_decided(&mut self, verdict: Verdict) -> Advance {
        match verdict {
            Verdict::ExecutedDispute(dispute) if self.is_submitted(&dispute) => self.succeed(0),
            // Carried out, it says, and the dispute does not show it.
            Verdict::ExecutedDispute(_) => self.puzzled(),
            Verdict::Refused { code, .. } if !self.effect.is_unresolved && self.effect.generation == 0 => {
                self.fail(refused(code))
            }
            Verdict::Refused { code, .. } => self.submission_refused(code),
            Verdict::Declined { decline, .. } => self.submission_refused(decline.code),
            _ => self.lost(Loss::Unreadable),
        }
    }

    /// Refused because it was handed in before, or because it cannot be: the dispute itself knows which.
    fn submission_refused(&mut self, code: String) -> Advance {
        self.effect.refusal = Some(code);
        self.effect.state = State::Unknown;
        self.look_at_once()
    }

    /// The dispute as a read of it shows, before or after something was sent.
    pub(super) fn submission_read(&mut self, dispute: &DisputeSighting) -> Advance {
        if self.effect.object_id.as_deref() != Some(dispute.object_id.as_str()) {
            return self.unlearned(&Fact::Lost(Loss::Unreadable));
        }
        if self.is_submitted(dispute) {
            return self.succeed(0);
        }
        if matches!(dispute.status, DisputeStatus::Unrecognised(_)) {
            return self.count_puzzle();
        }
        if !dispute.status.takes_evidence() {
            return self.fail(refused("dispute_takes_no_evidence".into()));
        }
        if self.effect.submissions_before.is_none() {
            self.effect.submissions_before = Some(dispute.submissions);
            self.effect.state = State::Intended;
            return self.at_once();
        }
        let Some(code) = self.effect.refusal.take() else {
            self.next_generation();
            return self.wait(None);
        };
        self.await_late_arrivals(&code).unwrap_or_else(|| self.fail(refused(code)))
    }

    /// An event is a hint to look again.
    pub(super) fn observed_dispute(&mut self, dispute: &DisputeSighting) -> Advance {
        if self.effect.object_id.as_deref() == Some(dispute.object_id.as_str()) {
            return self.look_again();
        }
        Advance::Unchanged
    }

    fn is_submitted(&self, dispute: &DisputeSighting) -> bool {
        self.effect.submissions_before.is_some_and(|before| dispute.submissions > before)
    }
}
