//! A declined payment, and a second attempt that takes over its object at the gateway.

use super::records::{accepted, advanced, begun, decline, ticket};
use super::rows::{effect_row, payment_row, ticket_row};
use super::{FIRST, SECOND, Sample, at};
use quittance_core::effect::{Effect, State, Step};
use quittance_core::idempotency::Progress;
use quittance_core::journal::{Closing, Record};
use quittance_core::payment::{Payment, Status};

fn declined() -> Vec<Record> {
    let end = advanced(FIRST, "declined", State::Failed, Status::Failed, Some(Closing::Voided));
    [begun(), vec![Record::EffectAdvanced(end), accepted(SECOND)]].concat()
}

impl Sample {
    /// A first attempt that was declined and a second that is to confirm the same object; no record says so yet.
    pub(crate) fn retried() -> Self {
        let mut sample = Self::of(&declined());
        sample.add_declined();
        sample.add(&Effect { step: Step::Confirm, generation: 0, sends: 0, ..waiting_effect() });
        sample.add(&waiting_payment());
        sample
    }

    /// A second attempt that canceled the object of the first, and has none of its own yet.
    pub(crate) fn replaced() -> Self {
        let mut let_go = advanced(SECOND, "seen:canceled", State::Intended, Status::Processing, None);
        (let_go.step, let_go.object) = (Step::Create, None);
        let cancel = ticket(SECOND, Step::Cancel, 0);
        let mut sample = Self::of(&[declined(), vec![cancel, Record::EffectAdvanced(let_go)]].concat());
        sample.add_declined();
        sample.add(&ticket_row(SECOND, Step::Cancel, 0));
        sample.add(&Effect { step: Step::Create, generation: 1, sends: 0, object_id: None, ..waiting_effect() });
        sample.add(&waiting_payment());
        sample
    }

    fn add_declined(&mut self) {
        self.add_command(FIRST, Progress::Completed { status: 402, body: b"{}".to_vec(), at: at(5) });
        self.add_command(SECOND, Progress::InProgress);
        let (status, decline) = (Status::Failed, Some(decline()));
        self.add(&Payment { status, captured_amount: 0, decline, ..payment_row(FIRST) });
        self.add(&Effect { state: State::Failed, ..effect_row(FIRST) });
        self.add_closed(Closing::Voided);
        self.add_place_of(SECOND);
        self.add_tickets();
    }
}

fn waiting_payment() -> Payment {
    Payment { status: Status::Processing, captured_amount: 0, gateway_object: None, ..payment_row(SECOND) }
}

fn waiting_effect() -> Effect {
    Effect { state: State::Intended, due_at: Some(at(7)), ..effect_row(SECOND) }
}
