//! What a dispute does to the books: money by movements alone, losses by statuses, and who is told.

use super::*;
use crate::account::Side;
use crate::dispute::{Dispute, DisputeMovement, DisputeSighting, DisputeStatus};
use crate::id::{DisputeId, RefundId};
use crate::ledger::LedgerError;

/// A payment of 500 that is paid, and what is known of a dispute about it.
pub(super) struct Disputed {
    pub(super) book: Book,
    pub(super) dispute: Option<Dispute>,
    pub(super) alarms: Vec<&'static str>,
    booked: Vec<String>,
}

impl Disputed {
    pub(super) fn new() -> Self {
        let mut book = book(500);
        book.learn(created(500));
        book.learn(Stimulus::Answered(Fact::Seen(super::seen(ObjectStatus::Succeeded, 500))));
        Self { book, dispute: None, alarms: Vec::new(), booked: Vec::new() }
    }

    pub(super) fn sees_from(&mut self, source: Source, sighting: &DisputeSighting) -> Result<usize, LedgerError> {
        let booked = self.booked.iter().cloned().collect();
        let id = DisputeId::from_bytes([40; 16]);
        let lesson = DisputeLesson { sighting, source, booked, id, now: Timestamp(5) };
        let payment = &mut self.book.newest.payment;
        let learned = learn_dispute(lesson, self.dispute.take(), payment, &mut self.book.balances)?;
        let movements = learned.records.iter().filter_map(|record| match record {
            Record::DisputeSeen(seen) => seen.movement.clone(),
            _ => None,
        });
        self.booked.extend(movements);
        let count = learned.records.len();
        self.book.journal.extend(learned.records);
        self.alarms.extend(learned.alarms);
        self.dispute = Some(learned.dispute);
        Ok(count)
    }

    /// Sees it by an event, and gives how many records that made.
    pub(super) fn sees(&mut self, sighting: &DisputeSighting) -> usize {
        self.sees_from(Source::Webhook("evt_1".into()), sighting).expect("a sound book")
    }

    pub(super) fn dispute(&self) -> &Dispute {
        self.dispute.as_ref().expect("seen")
    }

    /// What stands on an account, counted on its left side.
    pub(super) fn on(&self, account: &Account) -> i128 {
        let of_account = self.book.balances.0.iter().filter(|((named, _), _)| named == account);
        of_account.map(|(_, balance)| balance.amount(Side::Debit)).sum()
    }

    /// Of `disputed`, of losses, of fees, and of what the gateway holds.
    pub(super) fn books(&self) -> [i128; 4] {
        let gateway = || "stripe".to_owned();
        let fees = Account::GatewayFees(gateway());
        let accounts = [Account::Disputed(gateway()), Account::DisputeLoss, fees, Account::GatewayClearing(gateway())];
        accounts.map(|account| self.on(&account))
    }

    /// Folds the journal again and compares.
    pub(super) fn check_replay(&self) {
        let replay = self.book.replayed().expect("a possible history");
        assert_eq!(replay.balances, self.book.balances);
        let (dispute, replayed) = (self.dispute(), &replay.disputes[&self.dispute().id]);
        assert_eq!((replayed.status.as_str(), replayed.money), (dispute.status.name(), dispute.money));
        assert_eq!(replayed.withdrawn_amount, dispute.withdrawn_amount);
        assert_eq!(replayed.is_written_off(), dispute.is_written_off);
        let payment = &self.book.newest.payment;
        assert_eq!(replay.payments[&payment.id].disputed_amount, payment.disputed_amount);
        assert_eq!(self.booked.len(), replay.movements.len());
    }
}

pub(super) fn seen(status: &str, movements: &[(&str, i64, i64)]) -> DisputeSighting {
    let movement =
        |(id, amount, fee): &(&str, i64, i64)| DisputeMovement { id: (*id).to_owned(), money: usd(*amount), fee: *fee };
    DisputeSighting {
        object_id: "dp_1".into(),
        charge: "ch_1".into(),
        payment_object: Some("pi_1".into()),
        status: DisputeStatus::from_word(status),
        money: usd(500),
        reason: "fraudulent".into(),
        evidence_due_by: Some(100),
        submissions: 0,
        movements: movements.iter().map(movement).collect(),
    }
}

const WITHDRAWN: (&str, i64, i64) = ("txn_1", -500, 15);
const REINSTATED: (&str, i64, i64) = ("txn_2", 500, 0);

#[test]
fn a_withdrawal_is_booked_with_its_fee_once() {
    let mut disputed = Disputed::new();
    assert_eq!(disputed.sees(&seen("needs_response", &[])), 1);
    assert_eq!(disputed.books(), [0, 0, 0, 500]);
    assert_eq!(disputed.sees(&seen("needs_response", &[WITHDRAWN])), 1);
    assert_eq!(disputed.sees(&seen("needs_response", &[WITHDRAWN, WITHDRAWN])), 0);
    assert_eq!(disputed.books(), [500, 0, 15, -15]);
    assert_eq!(disputed.book.newest.payment.disputed_amount, 500);
    assert_eq!(disputed.alarms, ["a payment is disputed"]);
    disputed.check_replay();
}

#[test]
fn what_is_won_comes_back_and_the_fee_only_where_the_gateway_gives_it_back() {
    for (fee, kept) in [(0, 15), (-15, 0), (4, 19)] {
        let mut disputed = Disputed::new();
        disputed.sees(&seen("needs_response", &[WITHDRAWN]));
        disputed.sees(&seen("won", &[WITHDRAWN]));
        assert_eq!(disputed.books(), [500, 0, 15, -15], "won is not paid");
        // In which order a gateway lists movements is not known.
        disputed.sees(&seen("won", &[("txn_2", 500, fee), WITHDRAWN]));
        assert_eq!(disputed.books(), [0, 0, kept, 500 - kept]);
        assert_eq!((disputed.dispute().withdrawn_amount, disputed.book.newest.payment.disputed_amount), (0, 0));
        disputed.check_replay();
    }
}

#[test]
fn what_is_lost_is_written_off_until_it_is_won_late() {
    let mut disputed = Disputed::new();
    disputed.sees(&seen("needs_response", &[WITHDRAWN]));
    assert_eq!(disputed.sees(&seen("lost", &[WITHDRAWN])), 1);
    assert_eq!(disputed.books(), [0, 500, 15, -15]);
    assert!(disputed.dispute().is_written_off);
    assert_eq!(disputed.book.newest.payment.disputed_amount, 500, "it stays withdrawn");
    disputed.check_replay();
    assert_eq!(disputed.sees(&seen("won", &[WITHDRAWN, REINSTATED])), 2);
    assert_eq!(disputed.books(), [0, 0, 15, 485]);
    assert!(!disputed.dispute().is_written_off);
    disputed.check_replay();
}

#[test]
fn what_comes_back_in_part_leaves_the_rest_lost() {
    let mut disputed = Disputed::new();
    disputed.sees(&seen("lost", &[WITHDRAWN]));
    disputed.sees(&seen("lost", &[WITHDRAWN, ("txn_2", 200, 0)]));
    assert_eq!(disputed.books(), [0, 300, 15, 185]);
    assert_eq!((disputed.dispute().withdrawn_amount, disputed.dispute().is_written_off), (300, true));
    disputed.check_replay();
}

#[test]
fn inquiries_move_nothing_until_they_escalate() {
    let mut disputed = Disputed::new();
    for status in ["warning_needs_response", "warning_under_review", "warning_closed"] {
        disputed.sees(&seen(status, &[]));
    }
    assert_eq!(disputed.books(), [0, 0, 0, 500]);
    let escalated = DisputeSighting { money: usd(400), ..seen("needs_response", &[("txn_1", -400, 15)]) };
    disputed.sees(&escalated);
    assert_eq!((disputed.books(), disputed.dispute().money), ([400, 0, 15, 85], usd(400)));
    assert_eq!(disputed.alarms, ["a payment is disputed", "an inquiry has become a chargeback"]);
    disputed.check_replay();
}

#[test]
fn more_than_was_withdrawn_is_for_a_person() {
    let mut disputed = Disputed::new();
    disputed.sees(&seen("won", &[WITHDRAWN, ("txn_2", 510, 0)]));
    assert_eq!(disputed.books(), [0, 0, 15, 495]);
    assert_eq!(disputed.on(&Account::Suspense), -10);
    assert!(disputed.alarms.contains(&"the gateway gave back more of a dispute than it had withdrawn"));
    disputed.check_replay();
}

#[test]
fn a_word_that_is_not_known_is_recorded_alarmed_and_decides_nothing() {
    let mut disputed = Disputed::new();
    disputed.sees(&seen("lost", &[WITHDRAWN]));
    assert_eq!(disputed.sees(&seen("in_arbitration", &[WITHDRAWN])), 1);
    assert_eq!(disputed.sees(&seen("in_arbitration", &[WITHDRAWN])), 0);
    assert_eq!(disputed.books(), [0, 500, 15, -15]);
    assert_eq!(disputed.alarms.last(), Some(&"the gateway uses a status that this version does not know"));
    disputed.sees(&seen("needs_response", &[WITHDRAWN]));
    assert_eq!(disputed.dispute().status.name(), "in_arbitration", "an older event");
    disputed.check_replay();
    disputed.sees(&seen("won", &[WITHDRAWN, REINSTATED]));
    assert_eq!((disputed.books(), disputed.dispute().status.name()), ([0, 0, 15, 485], "won"));
    disputed.check_replay();
}

/// An event of it says the number of the newest record: without one of its own it could not be told from the one before.
#[test]
fn whatever_clients_see_of_it_has_a_record_of_its_own() {
    let mut disputed = Disputed::new();
    disputed.sees(&seen("needs_response", &[WITHDRAWN]));
    let later = DisputeSighting { evidence_due_by: Some(200), ..seen("needs_response", &[WITHDRAWN]) };
    assert_eq!(disputed.sees(&later), 1, "there is more time");
    let other = DisputeSighting { reason: "general".into(), ..later };
    assert_eq!(disputed.sees(&other), 1, "for another reason");
    let answered = DisputeSighting { submissions: 1, ..other };
    assert_eq!((disputed.sees(&answered), disputed.sees(&answered)), (1, 0), "it was answered elsewhere");
    assert_eq!(disputed.books(), [500, 0, 15, -15]);
    disputed.check_replay();
}

#[test]
fn a_way_that_the_machine_does_not_have_is_kept_as_evidence() {
    let mut disputed = Disputed::new();
    disputed.sees(&seen("won", &[WITHDRAWN, REINSTATED]));
    assert_eq!(disputed.sees(&seen("needs_response", &[])), 0, "an event may be old");
    assert_eq!(disputed.sees_from(Source::Read, &seen("needs_response", &[])), Ok(1), "a read is not");
    assert_eq!(disputed.sees(&seen("prevented", &[])), 1);
    assert_eq!((disputed.books(), disputed.dispute().status.name()), ([0, 0, 15, 485], "won"));
    assert_eq!(disputed.alarms.len(), 3);
    disputed.check_replay();
}

#[test]
fn another_currency_is_booked_as_it_moved_and_counts_against_no_payment() {
    let eur = Currency::from_code("EUR").expect("known currency");
    let mut disputed = Disputed::new();
    let mut foreign = seen("needs_response", &[WITHDRAWN]);
    foreign.movements[0].money.currency = eur;
    disputed.sees(&foreign);
    assert_eq!((disputed.books()[0], disputed.book.newest.payment.disputed_amount), (500, 0));
    assert_eq!(disputed.alarms.len(), 2);
    disputed.check_replay();

    let mut disputed = Disputed::new();
    foreign.money.currency = eur;
    disputed.sees(&foreign);
    let payment = &disputed.book.newest.payment;
    assert_eq!((disputed.dispute().withdrawn_amount, payment.disputed_amount), (500, 0));
    assert_eq!(disputed.alarms.len(), 2);
    disputed.check_replay();
}

#[test]
fn what_is_withdrawn_is_not_refunded_too() {
    let mut disputed = Disputed::new();
    disputed.sees(&seen("needs_response", &[("txn_1", -400, 15)]));
    let ask = |disputed: &mut Disputed, amount| {
        let ids =
            NewRefundIds { command: ids(70).command, refund: RefundId::from_bytes([71; 16]), effect: ids(70).effect };
        let asked = AskRefund {
            amount: Some(amount),
            currency: None,
            reference: Some("r".into()),
            expected_refunded_amount: None,
            reason: None,
        };
        let Book { newest, balances, .. } = &mut disputed.book;
        create_refund(asked, &mut newest.payment, None, balances, Class::A, ids, Timestamp(6)).map(|new| new.record)
    };
    assert_eq!(ask(&mut disputed, 101).err(), Some(Rejection::RefundTooLarge { refundable_amount: 100 }));
    let record = ask(&mut disputed, 100).expect("what is left");
    disputed.book.journal.push(record);
    disputed.check_replay();
}
