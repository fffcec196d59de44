//! Owns: carrying out one checked request, from its ids to the events it causes. Does not own:
//! whether the request may run (idempotency) or whether anybody hears of it (faults, webhooks).

mod charging;
mod customers;
mod intents;
mod outcomes;
mod reading;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use serde::Serialize;

use crate::answer::{Answer, ApiError, to_raw};
use crate::books::Books;
use crate::dialect::operation::Operation;
use crate::dice::{Dice, letters};
use crate::objects::{Event, Origin};

pub(crate) use outcomes::Outcome;
pub(crate) use reading::read;

/// Makes the ids of one request. They follow from the seed and the idempotency key, so that the
/// same work gets the same ids whatever else goes on at the same time.
#[derive(Debug)]
pub(crate) struct Mint {
    dice: Dice,
    made: u64,
}

impl Mint {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, made: 0 }
    }

    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{}", letters(self.dice.text(prefix).number(self.made)))
    }
}

/// One request at work. Everything happens under the lock of the books.
#[derive(Debug)]
pub(crate) struct Execution<'a> {
    pub(crate) books: &'a mut Books,
    pub(crate) mint: Mint,
    pub(crate) origin: Origin,
    pub(crate) now: i64,
    /// What the client called us, for links back.
    pub(crate) host: String,
    /// How many webhooks each event will need.
    pub(crate) webhooks: u32,
    /// In the order in which they happened.
    pub(crate) emitted: Vec<Arc<Event>>,
}

impl Execution<'_> {
    /// Carries out a write on the object named by the URL.
    ///
    /// An error may come with effects: a decline is one, and it leaves a failed charge.
    pub(crate) fn run(&mut self, id: &str, operation: Operation) -> Result<Answer, ApiError> {
        match operation {
            Operation::CreateIntent(draft) => self.create_intent(*draft),
            Operation::UpdateIntent(patch) => self.update_intent(id, *patch),
            Operation::ConfirmIntent(confirmation) => self.confirm_intent(id, confirmation),
            Operation::CancelIntent { reason, expand } => self.cancel_intent(id, reason, expand),
            Operation::CaptureIntent { amount, expand } => self.capture_intent(id, amount, expand),
            Operation::CreateCustomer(patch) => self.create_customer(patch),
            Operation::UpdateCustomer(patch) => self.update_customer(id, patch),
            Operation::DeleteCustomer => self.delete_customer(id),
            Operation::AttachMethod { customer } => self.attach_method(id, &customer),
            Operation::DetachMethod => self.detach_method(id),
            reading => read(self.books, id, reading),
        }
    }

    /// Records an event with a snapshot of its object.
    fn emit(&mut self, kind: &'static str, object: &impl Serialize) {
        let event = Arc::new(Event {
            id: self.mint.id("evt_"),
            created: self.now,
            kind,
            object: to_raw(object),
            origin: self.origin.clone(),
            pending_webhooks: AtomicU32::new(self.webhooks),
        });
        let position = self.books.events.add(Arc::clone(&event));
        self.books.events_by_type.add(kind, position);
        self.emitted.push(event);
    }
}

/// An empty text unsets.
fn unless_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
