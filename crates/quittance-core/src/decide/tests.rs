//! Decisions: rows in, rows and records out, and each journal folded again.

mod disputes;
mod evidence;
mod learning;
mod payments;
mod refunds;
mod resolving;
mod returns;
mod sightings;
mod steps;

use super::*;
use crate::account::Account;
use crate::currency::Currency;
use crate::customer::Customer;
use crate::effect::{Class, Effect, PersonsWord, Policy, Source, State, Step, Stimulus, ticket};
use crate::fact::{Decline, Fact, Loss, ObjectKind, ObjectStatus, Sighting};
use crate::id::{CommandId, CustomerId, EffectId, PaymentId, RefundId, TenantId};
use crate::journal::{Closing, Record};
use crate::ledger::Balances;
use crate::money::Money;
use crate::payment::{CaptureMethod, Status};
use crate::rejection::Rejection;
use crate::replay::{Replay, ReplayError};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::from_code("USD").expect("known currency"))
}

fn customer() -> Customer {
    Customer {
        id: CustomerId::from_uuid(Uuid::from_u128(1)),
        tenant: TenantId::from_uuid(Uuid::from_u128(2)),
        external_id: None,
        name: None,
        email: None,
        currency: None,
        timezone: None,
        gateway_ids: BTreeMap::new(),
        metadata: BTreeMap::new(),
        created_at: Timestamp(0),
    }
}

fn asked(amount: i64) -> CreatePayment {
    CreatePayment {
        money: usd(amount),
        gateway: "stripe".into(),
        payment_method: "pm".into(),
        capture_method: CaptureMethod::Automatic,
        return_url: None,
        reference: "order-1".into(),
        on_duplicate: OnDuplicate::Reject,
        description: None,
        metadata: BTreeMap::new(),
    }
}

fn ids(number: u128) -> NewIds {
    NewIds {
        command: CommandId::from_uuid(Uuid::from_u128(number)),
        payment: PaymentId::from_uuid(Uuid::from_u128(number + 1)),
        effect: EffectId::from_uuid(Uuid::from_u128(number + 2)),
    }
}

/// A book with one payment in it, and its journal.
#[derive(Clone)]
struct Book {
    balances: Balances,
    newest: Previous,
    journal: Vec<Record>,
    closed: Option<Closing>,
}

fn book(amount: i64) -> Book {
    book_of(asked(amount), Class::P)
}

fn book_of(asked: CreatePayment, class: Class) -> Book {
    let mut balances = Balances::default();
    let made = create_payment(asked, &customer(), None, &mut balances, class, ids(10), Timestamp(0));
    let Ok(Accepted::New(made)) = made else { panic!("accepted, not {made:?}") };
    let NewPayment { payment, effect, record } = *made;
    let journal = vec![Record::BookOpened { tenant: customer().tenant }, record];
    Book { balances, newest: Previous { payment, effect }, journal, closed: None }
}

impl Book {
    fn learn(&mut self, stimulus: Stimulus) -> Learned {
        let Previous { payment, effect } = &mut self.newest;
        if matches!(stimulus, Stimulus::Answered(_)) {
            ticket(effect, Timestamp(1));
            self.journal.push(ticket_of(effect));
        }
        let lesson = Lesson { source: Source::Send, stimulus, now: Timestamp(2), dice: 0 };
        let learned = learn(effect, payment, &mut self.balances, lesson, &Policy::default()).expect("a sound book");
        self.journal.extend(learned.records.clone());
        self.closed = self.closed.or(learned.closing);
        learned
    }

    /// Folds the journal again, which has to come to the same.
    fn check(&self) {
        let (replay, payment) = (self.replayed().expect("a possible history"), &self.newest.payment);
        let replayed = &replay.payments[&payment.id];
        assert_eq!(replay.balances, self.balances);
        assert_eq!(replayed.status, payment.status);
        let ours =
            [payment.captured_amount, payment.refunded_amount, payment.refunding_amount, payment.returned_amount];
        let theirs =
            [replayed.captured_amount, replayed.refunded_amount, replayed.refunding_amount, replayed.returned_amount];
        assert_eq!(theirs, ours);
    }

    fn balance(&self) -> (i64, i64) {
        let place = (Account::Unapplied, usd(0).currency);
        let balance = self.balances.0.get(&place).copied().unwrap_or_default();
        (balance.credits, balance.held_credits)
    }

    fn replayed(&self) -> Result<Replay, ReplayError> {
        let mut replay = Replay::default();
        self.journal.iter().try_for_each(|record| replay.apply(record))?;
        Ok(replay)
    }
}

fn ticket_of(effect: &Effect) -> Record {
    Record::TicketIssued {
        effect: effect.id,
        step: effect.step,
        generation: effect.generation,
        send_no: effect.sends,
        gateway_key: String::new(),
        request_digest: [0; 32],
        lease_epoch: 1,
    }
}

/// A payment in two phases that came to this status.
fn confirmed(capture_method: CaptureMethod, status: ObjectStatus) -> Book {
    let mut book = book_of(CreatePayment { capture_method, ..asked(500) }, Class::P);
    book.learn(created(500));
    book.learn(Stimulus::Answered(Fact::Seen(seen(status, 500))));
    book
}

fn paid() -> Book {
    confirmed(CaptureMethod::Automatic, ObjectStatus::Succeeded)
}

fn authorised() -> Book {
    confirmed(CaptureMethod::Manual, ObjectStatus::RequiresCapture)
}

fn command(number: u8) -> CommandId {
    CommandId::from_bytes([number; 16])
}

fn word() -> PersonsWord {
    PersonsWord { by: "key_1".into(), evidence: "statement 7".into(), reason: "looked".into() }
}

fn seen(status: ObjectStatus, amount: i64) -> Sighting {
    Sighting {
        kind: ObjectKind::Payment,
        object_id: "pi_1".into(),
        received_amount: if status == ObjectStatus::Succeeded { amount } else { 0 },
        status,
        money: usd(amount),
        latest_charge: None,
        error_digest: None,
        decline: None,
        payment_method: Some("pm".into()),
        effect_id: None,
        book: None,
        next_action: None,
        parent: None,
        reference: None,
        payment_reference: None,
        returned: None,
    }
}

fn created(amount: i64) -> Stimulus {
    Stimulus::Answered(Fact::Seen(seen(ObjectStatus::RequiresConfirmation, amount)))
}

fn declined() -> Stimulus {
    let decline = Decline { code: "expired_card".into(), is_retryable: false };
    Stimulus::Answered(Fact::Declined { decline, sighting: None })
}
