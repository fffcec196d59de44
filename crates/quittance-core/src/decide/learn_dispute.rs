//! Learning how a dispute stands: each movement of its money is booked once, whatever the order in which it is heard of.
//!
//! What the books come to follows from how far the dispute is known to be and from which movements are booked, and from
//! nothing else. A status moves no money at the gateway; it only says whether what is withdrawn counts as lost.

use super::postings::take_back;
use crate::account::{Account, Side};
use crate::dispute::{Dispute, DisputeMovement, DisputeSighting, DisputeStatus, Turn};
use crate::effect::Source;
use crate::id::DisputeId;
use crate::journal::{DisputeSeen, Record};
use crate::ledger::{Balances, LedgerError, Movement, Posting, transfer};
use crate::payment::Payment;
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// What was seen of a dispute, and where.
#[derive(Clone, Debug)]
pub struct DisputeLesson<'a> {
    /// The sighting.
    pub sighting: &'a DisputeSighting,
    /// Where from.
    pub source: Source,
    /// Those of its movements that are booked already.
    pub booked: BTreeSet<String>,
    /// The dispute's id, should it be new.
    pub id: DisputeId,
    /// When.
    pub now: Timestamp,
}

/// What follows from it.
#[derive(Clone, Debug)]
pub struct LearnedDispute {
    /// The dispute as it is now.
    pub dispute: Dispute,
    /// What the journal says of it; nothing where nothing is new. A movement that is booked has a record of its own.
    pub records: Vec<Record>,
    /// A person should look, for these reasons.
    pub alarms: Vec<&'static str>,
}

/// Applies a sighting to the dispute, if it is known, to its payment and to the book's balances.
///
/// # Errors
///
/// [`LedgerError`] when a balance would overflow; nothing may be written then.
pub fn learn_dispute(
    lesson: DisputeLesson<'_>,
    known: Option<Dispute>,
    payment: &mut Payment,
    balances: &mut Balances,
) -> Result<LearnedDispute, LedgerError> {
    let sighting = lesson.sighting;
    let is_new = known.is_none();
    let dispute = known.unwrap_or_else(|| new_dispute(&lesson, payment));
    assert!(dispute.payment == payment.id, "{} is about {}, not about {}", dispute.id, dispute.payment, payment.id);
    let (records, alarms) = (Vec::new(), Vec::new());
    let mut case = Case { dispute, payment, balances, source: lesson.source, is_lost: false, records, alarms };
    let has_moved_on = case.follow(sighting, is_new);
    for movement in unbooked(sighting, lesson.booked) {
        case.book(movement)?;
    }
    case.settle_loss()?;
    if case.records.is_empty() && has_moved_on {
        case.record(None, Vec::new());
    }
    Ok(LearnedDispute { dispute: case.dispute, records: case.records, alarms: case.alarms })
}

fn new_dispute(lesson: &DisputeLesson<'_>, payment: &Payment) -> Dispute {
    let sighting = lesson.sighting;
    Dispute {
        id: lesson.id,
        book: payment.book,
        tenant: payment.tenant,
        payment: payment.id,
        gateway: payment.gateway.clone(),
        object_id: sighting.object_id.clone(),
        status: sighting.status.clone(),
        money: sighting.money,
        reason: sighting.reason.clone(),
        evidence_due_by: sighting.evidence_due_by.map(Timestamp::from_seconds),
        submissions: sighting.submissions,
        withdrawn_amount: 0,
        is_written_off: false,
        created_at: lesson.now,
    }
}

/// What is to be booked, what is withdrawn first: gateways do not say in which order they list movements.
fn unbooked(sighting: &DisputeSighting, mut booked: BTreeSet<String>) -> Vec<&DisputeMovement> {
    let mut movements: Vec<_> = sighting.movements.iter().filter(|seen| booked.insert(seen.id.clone())).collect();
    movements.sort_by_key(|movement| movement.money.amount > 0);
    movements
}

/// One dispute while it is learned about.
struct Case<'a> {
    dispute: Dispute,
    payment: &'a mut Payment,
    balances: &'a mut Balances,
    source: Source,
    /// Whether what is withdrawn counts as lost, as the dispute stands now.
    is_lost: bool,
    records: Vec<Record>,
    alarms: Vec<&'static str>,
}

impl Case<'_> {
    /// Takes over what the sighting says besides movements, unless it is older than what is known. Says whether the
    /// journal has to hear of it.
    fn follow(&mut self, sighting: &DisputeSighting, is_new: bool) -> bool {
        let before = self.dispute.clone();
        self.dispute.submissions = before.submissions.max(sighting.submissions);
        // A word that nobody knows says less than what is booked does.
        let is_lost_by_books = matches!(before.status, DisputeStatus::Unrecognised(_)) && before.is_written_off;
        let known = if is_lost_by_books { &DisputeStatus::Lost } else { &before.status };
        match sighting.status.turn_from(known) {
            Turn::Same | Turn::Onward => self.take_over(sighting),
            // An event shows the dispute as it was when the event was made.
            Turn::Backward if matches!(self.source, Source::Webhook(_)) => {}
            Turn::Backward | Turn::Unlisted => self.keep_unlisted(sighting),
        }
        if sighting.money.currency != self.payment.money.currency && is_new {
            self.alarms
                .push("a dispute is in another currency than its payment: no amount of the payment is set aside");
        }
        let status = &self.dispute.status;
        self.is_lost = match status {
            DisputeStatus::Lost => true,
            DisputeStatus::Unrecognised(_) => before.is_written_off,
            _ => false,
        };
        let has_turned = is_new || before.status != *status;
        match status {
            DisputeStatus::Unrecognised(_) if has_turned => {
                self.alarms.push("the gateway uses a status that this version does not know");
            }
            _ if is_new => self.alarms.push("a payment is disputed"),
            DisputeStatus::NeedsResponse if has_turned => self.alarms.push("an inquiry has become a chargeback"),
            _ => {}
        }
        // Whatever clients see of it is told, and an event is of a record.
        before != self.dispute || is_new
    }

    fn take_over(&mut self, sighting: &DisputeSighting) {
        self.dispute.status = sighting.status.clone();
        self.dispute.reason.clone_from(&sighting.reason);
        self.dispute.evidence_due_by = sighting.evidence_due_by.map(Timestamp::from_seconds);
        if sighting.money.currency == self.dispute.money.currency {
            self.dispute.money = sighting.money;
        } else {
            self.alarms.push("the gateway shows a dispute in another currency than before");
        }
    }

    /// What the machine has no way to is kept as evidence and changes nothing.
    fn keep_unlisted(&mut self, sighting: &DisputeSighting) {
        self.alarms.push("the gateway shows a dispute in a status that cannot follow the one before");
        self.records.push(Record::ObservationKept {
            effect: self.payment.effect,
            source: self.source.clone(),
            saw: sighting.word(),
            because: format!("{} is {}", self.dispute.id, self.dispute.status.name()),
        });
    }

    /// Books a movement, in the currency in which it moved. In another currency than the dispute's it counts against
    /// neither the dispute nor its payment, for no rate is known here.
    fn book(&mut self, movement: &DisputeMovement) -> Result<(), LedgerError> {
        if self.dispute.is_written_off {
            self.find_again()?;
        }
        let is_own = movement.money.currency == self.dispute.money.currency;
        let excess = if is_own { self.count(movement)? } else { 0 };
        if !is_own {
            self.alarms.push("money of a dispute moved in another currency than the dispute's");
        }
        let postings = self.postings_of(movement, excess)?;
        self.balances.apply(Movement::Post, &postings)?;
        self.record(Some(movement.id.clone()), postings);
        Ok(())
    }

    /// Counts what was withdrawn or came back. Gives what came back beyond what had been withdrawn.
    fn count(&mut self, movement: &DisputeMovement) -> Result<i64, LedgerError> {
        let amount = movement.money.amount;
        let withdrawn = self.dispute.withdrawn_amount.checked_sub(amount).ok_or_else(|| self.overflow())?;
        let excess = if withdrawn < 0 { -withdrawn } else { 0 };
        if excess > 0 {
            self.alarms.push("the gateway gave back more of a dispute than it had withdrawn");
        }
        let change = withdrawn + excess - self.dispute.withdrawn_amount;
        self.dispute.withdrawn_amount += change;
        if self.dispute.money.currency == self.payment.money.currency {
            let disputed = self.payment.disputed_amount.checked_add(change);
            self.payment.disputed_amount = disputed.ok_or_else(|| self.overflow())?;
        }
        Ok(excess)
    }

    /// The dispute's money, the gateway's fee, and what both change at the gateway; amounts of nothing are left out.
    fn postings_of(&self, movement: &DisputeMovement, excess: i64) -> Result<Vec<Posting>, LedgerError> {
        let gateway = || self.dispute.gateway.clone();
        let overflow = || self.overflow();
        let amount = movement.money.amount;
        let net = amount.checked_sub(movement.fee).ok_or_else(overflow)?;
        let debits = [
            (Account::Disputed(gateway()), amount.checked_neg().ok_or_else(overflow)? + excess),
            (Account::Suspense, -excess),
            (Account::GatewayFees(gateway()), movement.fee),
            (Account::GatewayClearing(gateway()), net),
        ];
        let mut postings = Vec::new();
        for (account, debit) in debits.into_iter().filter(|(_, debit)| *debit != 0) {
            let side = if debit > 0 { Side::Debit } else { Side::Credit };
            let amount = debit.checked_abs().ok_or_else(overflow)?;
            postings.push(Posting { account, side, amount, currency: movement.money.currency });
        }
        Ok(postings)
    }

    /// Brings what is booked as lost into line with how the dispute stands.
    fn settle_loss(&mut self) -> Result<(), LedgerError> {
        match (self.is_lost && self.dispute.withdrawn_amount > 0, self.dispute.is_written_off) {
            (true, false) => self.write_off(),
            (false, true) => self.find_again(),
            (true, true) | (false, false) => Ok(()),
        }
    }

    fn write_off(&mut self) -> Result<(), LedgerError> {
        self.reclassify(self.loss())?;
        self.dispute.is_written_off = true;
        Ok(())
    }

    /// What counted as lost is open again: it was won late, or more of it moved.
    fn find_again(&mut self) -> Result<(), LedgerError> {
        self.reclassify(take_back(self.loss()))?;
        self.dispute.is_written_off = false;
        Ok(())
    }

    fn loss(&self) -> Vec<Posting> {
        let Dispute { gateway, withdrawn_amount, money, .. } = &self.dispute;
        transfer(Account::DisputeLoss, Account::Disputed(gateway.clone()), *withdrawn_amount, money.currency)
    }

    fn reclassify(&mut self, postings: Vec<Posting>) -> Result<(), LedgerError> {
        self.balances.apply(Movement::Post, &postings)?;
        self.record(None, postings);
        Ok(())
    }

    fn record(&mut self, movement: Option<String>, postings: Vec<Posting>) {
        let dispute = &self.dispute;
        self.records.push(Record::DisputeSeen(DisputeSeen {
            dispute: dispute.id,
            payment: dispute.payment,
            object: dispute.object_id.clone(),
            status: dispute.status.name().to_owned(),
            money: dispute.money,
            source: self.source.clone(),
            movement,
            postings,
        }));
    }

    fn overflow(&self) -> LedgerError {
        LedgerError::Overflow { account: Account::Disputed(self.dispute.gateway.clone()) }
    }
}
