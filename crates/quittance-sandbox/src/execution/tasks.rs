//! Owns: what the gateway does by itself some time after a request. Does not own: when (`agenda`).

use super::disputes::Ruling;
use super::{Execution, Outcome};
use crate::answer::{Answer, ApiError};

/// One step of an object, decided when it was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Task {
    /// The balance transaction of a charge.
    Credit {
        charge: String,
    },
    SettleRefund {
        refund: String,
        outcome: Outcome,
    },
    AdvancePayout {
        payout: String,
    },
    DecideDispute {
        dispute: String,
        ruling: Ruling,
    },
    SettleTransfer {
        transfer: String,
        outcome: Outcome,
    },
}

impl Execution<'_> {
    /// Carries a task out, unless its object has gone another way.
    pub(crate) fn perform(&mut self, task: &Task) -> Result<Answer, ApiError> {
        match task {
            Task::Credit { charge } => self.credit_later(charge),
            Task::SettleRefund { refund, outcome } => self.settle_refund(refund, *outcome),
            Task::AdvancePayout { payout } => self.settle_payout(payout, Outcome::Succeed),
            Task::DecideDispute { dispute, ruling } => self.decide_dispute(dispute, *ruling),
            Task::SettleTransfer { transfer, outcome } => self.settle_transfer(transfer, *outcome),
        }
    }
}
