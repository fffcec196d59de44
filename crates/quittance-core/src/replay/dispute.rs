//! Disputes: what the gateway withdrew and reinstated, and the effects that answer them.

use super::effect::After;
use super::{Replay, ReplayError};
use crate::account::{Account, Side};
use crate::effect::Subject;
use crate::id::{DisputeId, EffectId, PaymentId};
use crate::journal::{DisputeSeen, EvidenceAdvanced};
use crate::ledger::{Movement, Posting};
use crate::money::Money;

/// A dispute, as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedDispute {
    /// The disputed payment.
    pub payment: PaymentId,
    /// At which gateway.
    pub gateway: String,
    /// The gateway's object.
    pub object: String,
    /// The gateway's word for where it stands.
    pub status: String,
    /// What is disputed.
    pub money: Money,
    /// What the gateway has withdrawn and not reinstated, minor units.
    pub withdrawn_amount: i64,
    /// How much of that is booked as lost, minor units.
    pub lost_amount: i64,
}

/// What the postings of a record change.
#[derive(Clone, Copy)]
struct Change {
    withdrawn: i128,
    lost: i128,
}

impl Replay {
    pub(super) fn see_dispute(&mut self, seen: &DisputeSeen) -> Result<(), ReplayError> {
        let id = seen.dispute;
        let payment = self.payment(seen.payment)?;
        let (gateway, currency) = (payment.gateway.clone(), payment.money.currency);
        let change = Change::of(seen, &gateway).ok_or_else(|| ReplayError::Foreign(id.to_string()))?;
        self.know_dispute(seen, &gateway)?;
        match &seen.movement {
            Some(movement) => self.book(&gateway, movement, &seen.postings)?,
            // A loss may be booked at any time; what the gateway holds changes by a movement of its own.
            None if change.withdrawn != 0 => return Err(ReplayError::Unmoved(id)),
            None => self.balances.apply(Movement::Post, &seen.postings)?,
        }
        if let Some(dispute) = self.disputes.get_mut(&id) {
            dispute.status.clone_from(&seen.status);
            dispute.money = seen.money;
            dispute.withdrawn_amount = sum(id, dispute.withdrawn_amount, change.withdrawn)?;
            dispute.lost_amount = sum(id, dispute.lost_amount, change.lost)?;
        }
        // What is withdrawn in another currency cannot be counted against the payment's amount.
        if seen.money.currency == currency {
            let payment = self.payment(seen.payment)?;
            payment.disputed_amount = sum(id, payment.disputed_amount, change.withdrawn)?;
        }
        Ok(())
    }

    /// A dispute is about one payment and one object, and an object is of one dispute.
    fn know_dispute(&mut self, seen: &DisputeSeen, gateway: &str) -> Result<(), ReplayError> {
        let holder = *self.disputed.entry((gateway.to_owned(), seen.object.clone())).or_insert(seen.dispute);
        let known = self.disputes.entry(seen.dispute).or_insert_with(|| ReplayedDispute {
            payment: seen.payment,
            gateway: gateway.to_owned(),
            object: seen.object.clone(),
            status: seen.status.clone(),
            money: seen.money,
            withdrawn_amount: 0,
            lost_amount: 0,
        });
        let is_same =
            known.payment == seen.payment && known.object == seen.object && known.money.currency == seen.money.currency;
        match is_same && holder == seen.dispute {
            true => Ok(()),
            false => Err(ReplayError::Foreign(seen.dispute.to_string())),
        }
    }

    pub(super) fn accept_evidence(&mut self, effect: EffectId, id: DisputeId) -> Result<(), ReplayError> {
        let dispute = self.disputes.get(&id).ok_or_else(|| ReplayError::Unheard(id.to_string()))?;
        self.begin_effect(effect, dispute.payment, Subject::Dispute(id))
    }

    pub(super) fn advance_evidence(&mut self, advanced: &EvidenceAdvanced) -> Result<(), ReplayError> {
        let effect = self.effect(advanced.effect)?;
        if effect.subject != Subject::Dispute(advanced.dispute) {
            return Err(ReplayError::Foreign(advanced.dispute.to_string()));
        }
        let (state, generation) = (advanced.state, advanced.generation);
        effect.follow(advanced.effect, &advanced.source, After { state, step: None, generation, object: None })
    }
}

impl ReplayedDispute {
    /// Whether what was withdrawn, or some of it, is booked as lost.
    #[must_use]
    pub const fn is_written_off(&self) -> bool {
        self.lost_amount > 0
    }
}

impl Change {
    /// What is withdrawn stands on the gateway's account for disputes, and on that for losses once it is written off.
    /// None where another gateway's account is posted to.
    fn of(seen: &DisputeSeen, gateway: &str) -> Option<Self> {
        let mut change = Self { withdrawn: 0, lost: 0 };
        for posting in seen.postings.iter().filter(|posting| posting.currency == seen.money.currency) {
            let amount = signed(posting);
            match &posting.account {
                Account::Disputed(name) if name != gateway => return None,
                Account::Disputed(_) => change.withdrawn += amount,
                Account::DisputeLoss => {
                    change.withdrawn += amount;
                    change.lost += amount;
                }
                _ => {}
            }
        }
        Some(change)
    }
}

fn signed(posting: &Posting) -> i128 {
    match posting.side {
        Side::Debit => i128::from(posting.amount),
        Side::Credit => -i128::from(posting.amount),
    }
}

/// Nothing is reinstated that was not withdrawn, and nothing found again that was not lost.
fn sum(id: DisputeId, amount: i64, change: i128) -> Result<i64, ReplayError> {
    let sum = i64::try_from(i128::from(amount) + change).ok();
    sum.filter(|sum| *sum >= 0).ok_or(ReplayError::Reinstated(id))
}
