//! What was left of a payment, by the records of its journal, when a refund of it was accepted: what is with the customer's
//! bank again, by a refund or by a dispute, is not given back a second time.

use quittance_core::account::{Account, Side};
use quittance_core::id::{EffectId, PaymentId, RefundId};
use quittance_core::journal::{Closing, Correction, Record};
use quittance_core::ledger::Posting;
use std::collections::BTreeMap;

/// What is left of each payment, minor units; and the refunds by which some of it goes.
#[derive(Debug, Default)]
pub(super) struct Left {
    of: BTreeMap<PaymentId, i128>,
    refunds: BTreeMap<RefundId, (PaymentId, i128)>,
    by_effect: BTreeMap<EffectId, RefundId>,
}

impl Left {
    /// Follows a record. What is wrong with it, where it gives back more than is left.
    pub(super) fn follow(&mut self, record: &Record) -> Option<String> {
        match record {
            Record::EffectAdvanced(advanced) if matches!(advanced.closing, Some((_, Closing::Posted))) => {
                *self.of.entry(advanced.payment).or_default() += clearing(&advanced.postings);
            }
            Record::RefundAccepted(accepted) => {
                let amount = i128::from(accepted.money.amount);
                self.refunds.insert(accepted.refund, (accepted.payment, amount));
                self.by_effect.insert(accepted.effect, accepted.refund);
                let left = self.of.entry(accepted.payment).or_default();
                *left -= amount;
                if *left < 0 {
                    let (refund, payment, short) = (accepted.refund, accepted.payment, -*left);
                    return Some(format!("{refund} gives back {short} more than was left of {payment}"));
                }
            }
            Record::RefundAdvanced(advanced) if matches!(advanced.closing, Some((_, Closing::Voided))) => {
                self.refunded(advanced.refund, -1);
            }
            Record::Corrected(corrected) => match (corrected.correction, self.by_effect.get(&corrected.effect)) {
                (Correction::RefundReturned, Some(refund)) => self.refunded(*refund, -1),
                (Correction::RefundPaid, Some(refund)) => self.refunded(*refund, 1),
                _ => *self.of.entry(corrected.payment).or_default() += clearing(&corrected.postings),
            },
            Record::DisputeSeen(seen) if seen.movement.is_some() => {
                *self.of.entry(seen.payment).or_default() -= disputed(&seen.postings);
            }
            _ => {}
        }
        None
    }

    fn refunded(&mut self, refund: RefundId, times: i128) {
        if let Some((payment, amount)) = self.refunds.get(&refund) {
            *self.of.entry(*payment).or_default() -= amount * times;
        }
    }
}

/// What postings add to what the gateway holds.
fn clearing(postings: &[Posting]) -> i128 {
    debited(postings, |account| matches!(account, Account::GatewayClearing(_)))
}

/// What postings add to what is withdrawn; what of it is lost was withdrawn before.
fn disputed(postings: &[Posting]) -> i128 {
    debited(postings, |account| matches!(account, Account::Disputed(_)))
}

fn debited(postings: &[Posting], is_it: impl Fn(&Account) -> bool) -> i128 {
    let of_it = postings.iter().filter(|posting| is_it(&posting.account));
    let signed = of_it.map(|posting| match posting.side {
        Side::Debit => i128::from(posting.amount),
        Side::Credit => -i128::from(posting.amount),
    });
    signed.sum()
}
