//! Owns: carrying out one checked request, from its ids to the events it causes. Does not own:
//! whether the request may run (idempotency) or whether anybody hears of it (faults, webhooks).

mod balance;
mod catalog;
mod charges;
mod charging;
mod customers;
mod disputes;
mod dunning;
mod intents;
mod invoices;
mod outcomes;
mod payouts;
mod reading;
mod reading_billing;
mod reading_money;
mod refunds;
mod seed;
mod seeding;
mod subscriptions;
mod tasks;
mod transfers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use serde::Serialize;

use crate::answer::{Answer, ApiError, to_raw};
use crate::books::Books;
use crate::config::{Fees, TransactionTiming};
use crate::dialect::billing::BillingOperation;
use crate::dialect::operation::Operation;
use crate::dialect::params::MetadataPatch;
use crate::dice::{Dice, letters};
use crate::objects::{Event, Origin};

pub(crate) use disputes::Ruling;
pub(crate) use dunning::SubscriptionChange;
pub(crate) use outcomes::Outcome;
pub(crate) use reading::read;
pub(crate) use seed::Seed;
pub(crate) use tasks::Task;
pub(crate) use transfers::{list_transfers, read_transfer};

/// Makes the ids of one request. They follow from the seed and the idempotency key, so that the
/// same work gets the same ids whatever else goes on at the same time.
#[derive(Debug)]
pub(crate) struct Mint {
    dice: Dice,
    made: Vec<String>,
}

impl Mint {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, made: Vec::new() }
    }

    fn id(&mut self, prefix: &str) -> String {
        let number = u64::try_from(self.made.len() + 1).unwrap_or(u64::MAX);
        let id = format!("{prefix}{}", letters(self.dice.text(prefix).number(number)));
        self.made.push(id.clone());
        id
    }

    /// All ids but those derived.
    pub(crate) fn into_made(self) -> Vec<String> {
        self.made
    }

    /// An id that does not shift those made after it: it follows from what it belongs to.
    fn derived(&self, prefix: &str, owner: &str, number: usize) -> String {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        format!("{prefix}{}", letters(self.dice.text(prefix).text(owner).number(number)))
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
    /// Whether there are events at all.
    pub(crate) emits: bool,
    pub(crate) fees: Fees,
    pub(crate) balance_transactions: TransactionTiming,
    /// What the gateway is to do later by itself.
    pub(crate) planned: Vec<Task>,
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
            Operation::CreateRefund(draft) => self.create_refund(draft),
            Operation::UpdateRefund(metadata) => self.update_refund(id, metadata),
            Operation::CancelRefund => self.cancel_refund(id),
            Operation::CreatePayout(draft) => self.create_payout(draft),
            Operation::CancelPayout => self.cancel_payout(id),
            Operation::UpdateDispute(patch) => self.update_dispute(id, patch),
            Operation::CloseDispute => self.close_dispute(id),
            Operation::CreateCharge(draft) => self.create_charge(*draft),
            Operation::CaptureCharge { amount } => self.capture_charge_alone(id, amount),
            Operation::Billing(operation) => self.run_billing(id, *operation),
            reading => read(self.books, id, reading),
        }
    }

    fn run_billing(&mut self, id: &str, operation: BillingOperation) -> Result<Answer, ApiError> {
        match operation {
            BillingOperation::CreateProduct { id, patch } => self.create_product(id, patch),
            BillingOperation::UpdateProduct(patch) => self.update_product(id, patch),
            BillingOperation::CreatePrice(draft) => self.create_price(draft),
            BillingOperation::UpdatePrice(patch) => self.update_price(id, patch),
            BillingOperation::CreateSubscription(draft) => self.create_subscription(draft),
            BillingOperation::UpdateSubscription(patch) => self.update_subscription(id, patch),
            BillingOperation::CancelSubscription => self.cancel_subscription(id),
            BillingOperation::CreateInvoice(draft) => self.create_invoice(draft),
            BillingOperation::UpdateInvoice(patch) => self.update_invoice(id, patch),
            BillingOperation::AddLines(lines) => self.add_lines(id, lines),
            BillingOperation::Advance(step) => self.advance_invoice(id, step),
            reading => reading_billing::read(self.books, id, reading),
        }
    }

    /// Records an event with a snapshot of its object.
    fn emit(&mut self, kind: &'static str, object: &impl Serialize) {
        // An event that is not there leaves all other ids as they were.
        let id = self.mint.id("evt_");
        if !self.emits {
            return;
        }
        let event = Arc::new(Event {
            id,
            created: self.now,
            kind,
            object: to_raw(object),
            origin: self.origin.clone(),
            pending_webhooks: AtomicU32::new(self.webhooks),
        });
        let place = self.books.events.add(Arc::clone(&event));
        self.books.events_by_type.add(kind, place);
        self.emitted.push(event);
    }
}

/// An empty text unsets.
fn unless_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn patch_metadata(metadata: &mut BTreeMap<String, String>, patch: Option<MetadataPatch>) -> Result<(), ApiError> {
    patch.map_or(Ok(()), |patch| patch.apply(metadata))
}
