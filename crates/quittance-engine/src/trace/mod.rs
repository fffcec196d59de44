//! Traces: whatever id somebody holds, the ordered story of what happened under it.
//!
//! Only reads, and only what is stored: the request as it was accepted, the records of the journal, the webhooks that
//! came, and the answer that was given. With a tenant nothing of any other is seen.

mod find;
mod line;
mod record;
mod story;
#[cfg(test)]
mod tests;

pub use line::Line;
pub use record::record;

use find::Subject;
use quittance_core::id::{CommandId, PaymentId, TenantId};
use quittance_store::store::{Reader, StoreError};

/// Stories in one trace; a customer may have more payments.
pub const STORIES_MAX: usize = 50;

/// What is known about an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The id as it was asked for.
    pub id: String,
    /// What it was recognised as (`payment`, `reference`), in words of the API.
    pub recognised_as: &'static str,
    /// One for each payment it leads to, the oldest first; one for a command that made neither payment nor refund.
    pub stories: Vec<Story>,
    /// Whether there were more than [`STORIES_MAX`], and only the oldest are told.
    pub is_cut: bool,
}

/// What happened to one payment, or to a command that made none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What it is about (`pay_…`, `cus_…`, or `cmd_…` where a command made nothing).
    pub subject: String,
    /// The payment.
    pub payment: Option<PaymentId>,
    /// The command that began it.
    pub command: Option<CommandId>,
    /// Where the payment stands, or the command.
    pub status: String,
    /// What happened, in order.
    pub lines: Vec<Line>,
}

impl Trace {
    /// Every line of every story, with the story's subject, in order.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.stories.iter().flat_map(|story| story.lines.iter().map(|line| (story.subject.as_str(), line)))
    }
}

/// Tells what is known about an id: a payment, refund, dispute, customer, command, correlation, effect or hold of ours, a
/// gateway's id of an object or of an event, or a client's reference, idempotency key or own id of a customer. None when
/// nothing is. The story of a refund or a dispute is that of its payment.
///
/// With a tenant only what is that tenant's is found; without one, that of all.
///
/// # Errors
///
/// [`StoreError`] when the store cannot be read, or holds what cannot be decoded.
pub fn trace(reader: &mut dyn Reader, tenant: Option<TenantId>, id: &str) -> Result<Option<Trace>, StoreError> {
    let Some(found) = find::find(reader, tenant, id)? else { return Ok(None) };
    let is_cut = found.subjects.len() > STORIES_MAX;
    let mut stories = Vec::new();
    for subject in found.subjects.into_iter().take(STORIES_MAX) {
        stories.push(match subject {
            Subject::Payment(payment) => story::of_payment(reader, &payment)?,
            Subject::Command(command) => story::of_command(&command),
        });
    }
    Ok(Some(Trace { id: id.to_owned(), recognised_as: found.recognised_as, stories, is_cut }))
}
