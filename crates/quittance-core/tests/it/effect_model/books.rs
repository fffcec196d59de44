//! Our side of a model: one payment or one refund, decided as the engine decides it, and the journal of it.
//!
//! At the end the journal is folded again by the code of `replay`, which has to accept it and to agree.

use quittance_core::customer::Customer;
use quittance_core::decide::{
    Accepted, AskRefund, CreatePayment, Learned, Lesson, NewIds, NewPayment, NewRefundIds, OnDuplicate, Previous,
    Resolution, StepAccepted, ask_cancel, ask_capture, create_payment, create_refund, learn, learn_of_lost_lease,
    learn_of_lost_refund, learn_refund, resolve, resolve_refund,
};
use quittance_core::effect::{
    Class, Effect, Move, PersonsWord, Policy, Source, Step, Stimulus, expire, next_move, renew, ticket,
};
use quittance_core::fact::{Fact, ObjectKind, ObjectStatus, Sighting};
use quittance_core::id::{CommandId, CustomerId, EffectId, PaymentId, RefundId, TenantId};
use quittance_core::journal::{Closing, Record};
use quittance_core::ledger::Balances;
use quittance_core::payment::{CaptureMethod, Payment};
use quittance_core::refund::Refund;
use quittance_core::rejection::Rejection;
use quittance_core::replay::Replay;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;

use super::money;

/// What a model's refunds give back of a payment of [`money`].
pub const REFUNDED: i64 = 300;

/// One effect and everything that is decided with it.
#[derive(Clone, Debug)]
pub struct Books {
    pub policy: Policy,
    pub effect: Effect,
    pub payment: Payment,
    pub refund: Option<Refund>,
    pub journal: Vec<Record>,
    /// Which payment under its reference it is.
    pub attempt: u8,
    balances: Balances,
    closed: Option<Closing>,
}

impl Books {
    /// A payment that was just accepted.
    pub fn payment(class: Class, capture_method: CaptureMethod, policy: Policy) -> Self {
        let customer = customer();
        let mut balances = Balances::default();
        let ids = NewIds {
            command: CommandId::from_bytes([3; 16]),
            payment: PaymentId::from_bytes([4; 16]),
            effect: EffectId::from_bytes([5; 16]),
        };
        let asked = asked(capture_method);
        let made = create_payment(asked, &customer, None, &mut balances, class, ids, Timestamp(0));
        let Ok(Accepted::New(made)) = made else { panic!("it is accepted: {made:?}") };
        let NewPayment { payment, effect, record } = *made;
        let journal = vec![Record::BookOpened { tenant: customer.tenant }, record];
        Self { policy, effect, payment, refund: None, journal, attempt: 0, balances, closed: None }
    }

    /// The next payment under the same reference, after one that failed or was given up.
    pub fn try_again(&mut self, capture_method: CaptureMethod, now: Timestamp) {
        self.attempt += 1;
        let number = 20 + self.attempt;
        let ids = NewIds {
            command: CommandId::from_bytes([number; 16]),
            payment: PaymentId::from_bytes([number; 16]),
            effect: EffectId::from_bytes([number; 16]),
        };
        let previous = Previous { payment: self.payment.clone(), effect: self.effect.clone() };
        let (asked, class) = (asked(capture_method), self.effect.class);
        let made = create_payment(asked, &customer(), Some(&previous), &mut self.balances, class, ids, now);
        let Ok(Accepted::New(made)) = made else { panic!("the reference is free: {made:?}") };
        (self.payment, self.effect, self.closed) = (made.payment, made.effect, None);
        self.journal.push(made.record);
    }

    /// A refund that was just accepted, of a payment that succeeded.
    pub fn refund(class: Class, policy: Policy) -> Self {
        let mut books = Self::payment(Class::A, CaptureMethod::Automatic, policy);
        books.issue(Step::Execute, Timestamp(0));
        let paid = sighting(ObjectKind::Charge, "ch_paid", ObjectStatus::Succeeded, money().amount);
        books.learn(Source::Send, Stimulus::Answered(Fact::Seen(paid)), Timestamp(0));
        let asked = AskRefund {
            amount: Some(REFUNDED),
            currency: None,
            reference: Some("back".into()),
            expected_refunded_amount: None,
            reason: None,
        };
        let ids = NewRefundIds {
            command: CommandId::from_bytes([6; 16]),
            refund: RefundId::from_bytes([7; 16]),
            effect: EffectId::from_bytes([8; 16]),
        };
        let made = create_refund(asked, &mut books.payment, None, &mut books.balances, class, ids, Timestamp(0));
        let made = made.expect("it is accepted");
        books.journal.push(made.record);
        (books.effect, books.refund, books.closed) = (made.effect, Some(made.refund), None);
        books
    }

    /// What a worker that finds the effect due does next, as the engine plans it.
    pub fn plan(&mut self, now: Timestamp) -> Move {
        expire(&mut self.effect, &self.policy, now);
        if let Move::SendAfresh(_) = next_move(&self.effect, &self.policy, now) {
            renew(&mut self.effect);
        }
        next_move(&self.effect, &self.policy, now)
    }

    /// Commits a ticket.
    pub fn issue(&mut self, step: Step, now: Timestamp) {
        ticket(&mut self.effect, now);
        self.journal.push(Record::TicketIssued {
            effect: self.effect.id,
            step,
            generation: self.effect.generation,
            send_no: self.effect.sends,
            gateway_key: String::new(),
            request_digest: [0; 32],
            lease_epoch: 1,
        });
    }

    pub fn learn(&mut self, source: Source, stimulus: Stimulus, now: Timestamp) -> Learned {
        let lesson = Lesson { source, stimulus, now, dice: 3 };
        let (effect, payment, balances) = (&mut self.effect, &mut self.payment, &mut self.balances);
        let learned = match &mut self.refund {
            Some(refund) => learn_refund(effect, refund, payment, balances, lesson, &self.policy),
            None => learn(effect, payment, balances, lesson, &self.policy),
        }
        .expect("the hold is there");
        self.closed = self.closed.or(learned.closing);
        self.journal.extend(learned.records.iter().cloned());
        learned
    }

    /// The lease ended while bytes may have been out.
    pub fn lose_lease(&mut self, now: Timestamp) {
        self.journal.push(match &mut self.refund {
            Some(refund) => learn_of_lost_refund(&mut self.effect, refund, now),
            None => learn_of_lost_lease(&mut self.effect, &mut self.payment, now),
        });
    }

    /// The client asks to capture so much. Says whether it is under way.
    pub fn capture(&mut self, amount: i64, now: Timestamp) -> bool {
        let command = CommandId::from_bytes([9; 16]);
        let asked = ask_capture(&mut self.effect, &mut self.payment, Some(amount), command, &self.policy, now);
        self.accept(asked)
    }

    /// The client gives the payment up. Says whether that is under way, or done.
    pub fn cancel(&mut self, now: Timestamp) -> bool {
        let asked = (CommandId::from_bytes([10; 16]), None);
        let (effect, payment, balances) = (&mut self.effect, &mut self.payment, &mut self.balances);
        let asked = ask_cancel(effect, payment, balances, asked, &self.policy, now);
        self.accept(asked)
    }

    fn accept(&mut self, asked: Result<StepAccepted, Rejection>) -> bool {
        match asked {
            Ok(StepAccepted::Begun(records)) => self.journal.extend(records),
            Ok(StepAccepted::Ended(records)) => {
                self.closed = Some(Closing::Voided);
                self.journal.extend(records);
            }
            Ok(StepAccepted::AlreadyDone) => {}
            Err(_) => return false,
        }
        true
    }

    /// A person who has seen the gateway's books says what is in them.
    pub fn decide_by_a_person(&mut self, has_moved: bool) {
        let resolution = if has_moved { Resolution::Succeeded } else { Resolution::Failed };
        let word = PersonsWord { by: "key".into(), evidence: "statement".into(), reason: "looked".into() };
        let (effect, payment, balances, closed) =
            (&mut self.effect, &mut self.payment, &mut self.balances, self.closed);
        let resolved = match &mut self.refund {
            Some(refund) => resolve_refund(effect, refund, payment, balances, closed, (resolution, word)),
            None => resolve(effect, payment, balances, closed, resolution, word),
        };
        self.journal.extend(resolved.expect("it is in review").records);
    }

    /// Folds the journal again and says where it is refused, or differs.
    pub fn check(&self) -> Result<(), String> {
        let mut replay = Replay::default();
        let folded = self.journal.iter().try_for_each(|record| replay.apply(record));
        folded.map_err(|error| format!("the journal is refused: {error}"))?;
        let payment = &replay.payments[&self.payment.id];
        let ours = (self.payment.status, self.payment.captured_amount, self.payment.refunded_amount);
        let theirs = (payment.status, payment.captured_amount, payment.refunded_amount);
        let refunds = self.refund.as_ref().map(|refund| (refund.status, replay.refunds[&refund.id].status));
        if replay.balances != self.balances || ours != theirs || refunds.is_some_and(|(ours, theirs)| ours != theirs) {
            return Err(format!("the fold differs: {ours:?} {theirs:?} {refunds:?}"));
        }
        let is_balanced = self.balances.imbalance().values().all(|sums| *sums == (0, 0));
        if is_balanced { Ok(()) } else { Err("the book is not balanced".into()) }
    }
}

/// An object as a gateway shows it.
pub fn sighting(kind: ObjectKind, object: &str, status: ObjectStatus, amount: i64) -> Sighting {
    let money = quittance_core::money::Money { amount, ..money() };
    Sighting {
        kind,
        object_id: object.into(),
        parent: None,
        received_amount: if status == ObjectStatus::Succeeded { amount } else { 0 },
        status,
        money,
        latest_charge: None,
        error_digest: None,
        decline: None,
        payment_method: None,
        effect_id: None,
        book: None,
        reference: None,
        payment_reference: None,
        next_action: None,
        returned: None,
    }
}

fn asked(capture_method: CaptureMethod) -> CreatePayment {
    CreatePayment {
        money: money(),
        gateway: "model".into(),
        payment_method: "pm".into(),
        capture_method,
        return_url: None,
        reference: "order-1".into(),
        on_duplicate: OnDuplicate::Reject,
        description: None,
        metadata: BTreeMap::new(),
    }
}

fn customer() -> Customer {
    Customer {
        id: CustomerId::from_bytes([1; 16]),
        tenant: TenantId::from_bytes([2; 16]),
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
