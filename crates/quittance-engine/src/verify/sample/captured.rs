//! A payment that was authorised: one of which a part was captured, after a first capture was refused, and one that was
//! canceled.

use super::records::{advanced, begun, money, postings, ticket};
use super::rows::{effect_row, payment_row, ticket_row};
use super::{FIRST, Sample, at, customer};
use quittance_core::decide::hold_of;
use quittance_core::effect::{Effect, State, Step};
use quittance_core::id::CommandId;
use quittance_core::idempotency::Progress;
use quittance_core::journal::{Advanced, Closing, Record, StepAsked};
use quittance_core::ledger::Posting;
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_store::records::ClosedHold;

/// What was captured of 1999.
pub(crate) const PART: i64 = 1500;

/// The capture that was refused, the one that was not, and the cancel.
pub(crate) const COMMANDS: [CommandId; 3] =
    [CommandId::from_bytes([63; 16]), CommandId::from_bytes([64; 16]), CommandId::from_bytes([65; 16])];

fn part() -> Vec<Posting> {
    postings().into_iter().map(|posting| Posting { amount: PART, ..posting }).collect()
}

/// A record of the payment at a step and in a generation.
fn moved(saw: &str, (step, generation): (Step, u32), state: State, status: Status) -> Advanced {
    Advanced { step, generation, ..advanced(FIRST, saw, state, status, None) }
}

fn asked(command: CommandId, step: Step, generation: u32, asked: StepAsked) -> [Record; 3] {
    let (payment, effect) = (FIRST.payment(), FIRST.effect());
    let begins = moved("asked", (step, generation), State::Intended, Status::Processing);
    [
        Record::StepAsked { command, effect, payment, asked },
        Record::EffectAdvanced(begins),
        ticket(FIRST, step, generation),
    ]
}

fn authorised() -> Vec<Record> {
    let waits = moved("seen:requires_capture", (Step::Confirm, 1), State::Pending, Status::RequiresCapture);
    [begun(), vec![Record::EffectAdvanced(waits)]].concat()
}

/// The journal: of the refused capture from record 7 on, of the other from 11 on.
fn captured() -> Vec<Record> {
    let [first, second, _] = COMMANDS;
    let refused = moved("seen:requires_capture", (Step::Confirm, 3), State::Pending, Status::RequiresCapture);
    let done = moved("seen:succeeded", (Step::Capture, 4), State::Succeeded, Status::Succeeded);
    let closing = Some((hold_of(FIRST.payment()), Closing::Posted));
    [
        authorised(),
        asked(first, Step::Capture, 2, StepAsked::Capture { amount: money().amount }).into(),
        vec![Record::EffectAdvanced(refused)],
        asked(second, Step::Capture, 4, StepAsked::Capture { amount: PART }).into(),
        vec![Record::EffectAdvanced(Advanced { closing, postings: part(), ..done })],
    ]
    .concat()
}

fn canceled() -> Vec<Record> {
    let done = moved("seen:canceled", (Step::Cancel, 2), State::Canceled, Status::Canceled);
    let closing = Some((hold_of(FIRST.payment()), Closing::Voided));
    [
        authorised(),
        asked(COMMANDS[2], Step::Cancel, 2, StepAsked::Cancel { reason: Some("changed its mind".into()) }).into(),
        vec![Record::EffectAdvanced(Advanced { closing, postings: postings(), ..done })],
    ]
    .concat()
}

impl Sample {
    /// A payment of which a part was captured. Its commands: the payment's, the refused capture, the other.
    pub(crate) fn captured() -> Self {
        Self::captured_beside(|_| ())
    }

    /// The same rows beside another journal, whose chain is whole.
    pub(crate) fn captured_beside(change: impl FnOnce(&mut Vec<Record>)) -> Self {
        let mut records = captured();
        change(&mut records);
        let mut sample = Self::of(&records);
        let effect = Effect { step: Step::Capture, generation: 4, capture_amount: Some(PART), ..effect_row(FIRST) };
        sample.add_end(&effect, Payment { captured_amount: PART, ..payment_row(FIRST) }, Closing::Posted, 14);
        sample.add(&ticket_row(FIRST, Step::Capture, 2));
        sample.add(&ticket_row(FIRST, Step::Capture, 4));
        sample.add_step(COMMANDS[0], "capture", 402, 6);
        sample.add_step(COMMANDS[1], "capture", 200, 10);
        sample
    }

    /// A payment that was canceled. Its commands: the payment's, and the cancel.
    pub(crate) fn canceled() -> Self {
        let mut sample = Self::of(&canceled());
        let effect = Effect { state: State::Canceled, step: Step::Cancel, generation: 2, ..effect_row(FIRST) };
        let payment = Payment { status: Status::Canceled, captured_amount: 0, ..payment_row(FIRST) };
        sample.add_end(&effect, payment, Closing::Voided, 10);
        sample.add(&ticket_row(FIRST, Step::Cancel, 2));
        sample.add_step(COMMANDS[2], "cancel", 200, 6);
        sample
    }

    fn add_end(&mut self, effect: &Effect, payment: Payment, closing: Closing, seq: i64) {
        self.add_command(FIRST, Progress::Completed { status: 201, body: b"{}".to_vec(), at: at(5) });
        self.add(&Payment { capture_method: CaptureMethod::Manual, ..payment });
        self.add(effect);
        self.add(&ClosedHold { book: customer(), hold: hold_of(FIRST.payment()), closing, seq });
        self.add_place_of(FIRST);
        self.add_tickets();
    }

    fn add_step(&mut self, command: CommandId, step: &str, status: u16, second: i64) {
        let operation = format!("POST /v1/payments/{{id}}/{step}");
        let progress = Progress::Completed { status, body: b"{}".to_vec(), at: at(second + 3) };
        let (key, subject) = (format!("{step}-{second}"), FIRST.payment().to_string());
        self.add_command_of(command, (&key, &operation), &subject, progress, at(second));
    }
}
