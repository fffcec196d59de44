//! One effect at a gateway: what we know of it, and what may be done next.
//!
//! Where the gateway is two-phase (class P), an inert object is created, its id committed, and only then is it
//! confirmed. The object succeeds at most once, so an ambiguous answer is resolved by reading it, never by guessing.
//! Elsewhere one request does it all, and what an ambiguous answer allows depends on what the gateway offers
//! ([`Capability`]). [`judge`] says what a fact means, [`advance`] moves the effect, [`next_move`] says what a worker does
//! about it.

mod advance;
mod capability;
mod era;
mod judge;
mod next_move;
mod policy;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod waiting;

pub use advance::{
    Advance, Orphan, Orphans, PersonsWord, Source, Stimulus, advance, capture, expire, give_up, is_before_charge,
    judge_afterwards, recover, renew, sighting_of, ticket,
};
pub use capability::{Capability, Class, KeyMemory, Readback, Replay};
pub use era::{Era, enter, safe_wait_ms};
pub use judge::{Sending, Verdict, judge};
pub use next_move::{Move, next_move};
pub use policy::{PENDING_POLLS_MAX, Policy};
pub use state::State;
pub use step::{AfterCancel, Fence, Step};
pub use waiting::{Asked, Expiry, Joined, Waiting};

use crate::brake::Limit;
use crate::fact::ObjectKind;
use crate::id::{CustomerId, DisputeId, EffectId, PaymentId, RefundId, TenantId};
use crate::money::Money;
use crate::time::Timestamp;

/// What an effect is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Collects the payment.
    Payment,
    /// Gives money of the payment back.
    Refund(RefundId),
    /// Answers a dispute about the payment.
    Dispute(DisputeId),
}

/// An effect: one thing to be done once at one gateway, about one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its id.
    pub id: EffectId,
    /// The book it belongs to.
    pub book: CustomerId,
    /// The tenant of the book.
    pub tenant: TenantId,
    /// The payment it carries out, gives back or defends.
    pub payment: PaymentId,
    /// What it does about the payment.
    pub subject: Subject,
    /// How an ambiguous answer is resolved; the gateway's class when the effect was accepted.
    pub class: Class,
    /// The configured gateway.
    pub gateway: String,
    /// What the object has to be for.
    pub money: Money,
    /// Where it stands.
    pub state: State,
    /// Which request is under way.
    pub step: Step,
    /// Which try of the step; a new generation has a new gateway key.
    pub generation: u32,
    /// Tickets issued in this generation.
    pub sends: u32,
    /// Sends of a confirm or a capture whose answer was lost, in all generations.
    pub lost_confirms: u32,
    /// Whether a send of this generation had its answer lost, so that another send of it is a replay.
    pub is_unresolved: bool,
    /// Whether replaying this generation's create can teach nothing more: a 500 is stored under its key, or the replay is
    /// refused before the key is looked up. The object has to be searched for.
    pub needs_find: bool,
    /// The gateway's object, once its id is committed.
    pub object_id: Option<String>,
    /// The object as read before the confirm; none means it has to be read first.
    pub fence: Option<Fence>,
    /// Whether the confirm has to name the payment method.
    pub names_method: bool,
    /// The gateway refused a confirm whose earlier send is unresolved: what it said.
    pub refusal: Option<String>,
    /// Why the object is being canceled.
    pub after_cancel: Option<AfterCancel>,
    /// Whether the object was seen to be canceled, so that it can never charge.
    pub is_fenced: bool,
    /// Waits in a row without progress; only the next wait depends on it.
    pub tries: u32,
    /// Answers since the last progress that made no sense; too many are for a person.
    pub puzzles: u32,
    /// Commands besides its own that wait for it.
    pub joined: Vec<Joined>,
    /// How often evidence was submitted for the dispute before ours; none means it has to be read first.
    pub submissions_before: Option<u32>,
    /// How much to take of what was authorised, once somebody asked; minor units.
    pub capture_amount: Option<i64>,
    /// What its object was last seen to have received, once it had succeeded; minor units.
    pub received_amount: Option<i64>,
    /// Whether the client gave it up, which is acted on as soon as nothing is under way.
    pub wants_cancel: bool,
    /// When it is given up unless somebody acts.
    pub expiry: Option<Expiry>,
    /// Whether the gateway reported an error of its own in this step, or may have to a process that is gone: it may still
    /// roll it forward.
    pub had_server_error: bool,
    /// When the search under way, or the last one, began.
    pub searched_at: Option<Timestamp>,
    /// When a complete search late enough found nothing, where one such search is not enough.
    pub absent_at: Option<Timestamp>,
    /// The brake that holds it until a person approves; nothing was ever sent then.
    pub parked_by: Option<Limit>,
    /// The movement at the gateway that took back what had moved; booked once.
    pub returned: Option<String>,
    /// Whether the refund counted as failed, and it was booked since that it gave the money back after all; booked once.
    pub is_paid: bool,
    /// When this generation was first sent; none before that, and where the clock has been set since.
    pub first_sent_at: Option<Timestamp>,
    /// When anything was last sent.
    pub last_sent_at: Option<Timestamp>,
    /// Number of the era of the clock that its times are of.
    pub era: u32,
    /// When the newest era began that it was not accepted in: whatever was sent of it before was sent by then.
    pub doubted_at: Option<Timestamp>,
    /// When something has to be done about it; none when nothing has.
    pub due_at: Option<Timestamp>,
    /// Number of the newest lease.
    pub lease_epoch: i64,
    /// Who holds the lease; 0 for nobody.
    pub lease_owner: i64,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// Whose effect it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The effect's own id.
    pub id: EffectId,
    /// The book it belongs to.
    pub book: CustomerId,
    /// The tenant of the book.
    pub tenant: TenantId,
    /// The payment it carries out, gives back or defends.
    pub payment: PaymentId,
    /// What it does about the payment.
    pub subject: Subject,
}

impl Effect {
    /// An effect of which nothing was sent, due at once, with its own object to create.
    #[must_use]
    pub const fn new(identity: Identity, class: Class, gateway: String, money: Money, now: Timestamp) -> Self {
        Self {
            id: identity.id,
            book: identity.book,
            tenant: identity.tenant,
            payment: identity.payment,
            subject: identity.subject,
            class,
            gateway,
            money,
            state: State::Intended,
            step: first_step(identity.subject, class),
            generation: 0,
            sends: 0,
            lost_confirms: 0,
            is_unresolved: false,
            needs_find: false,
            object_id: None,
            fence: None,
            names_method: false,
            refusal: None,
            after_cancel: None,
            is_fenced: false,
            tries: 0,
            puzzles: 0,
            joined: Vec::new(),
            submissions_before: None,
            capture_amount: None,
            received_amount: None,
            wants_cancel: false,
            expiry: None,
            had_server_error: false,
            searched_at: None,
            absent_at: None,
            parked_by: None,
            returned: None,
            is_paid: false,
            first_sent_at: None,
            last_sent_at: None,
            era: 0,
            doubted_at: None,
            due_at: Some(now),
            lease_epoch: 0,
            lease_owner: 0,
            created_at: now,
        }
    }

    /// What kind of object it has at the gateway.
    #[must_use]
    pub const fn object_kind(&self) -> ObjectKind {
        match (self.subject, self.class) {
            (Subject::Payment, Class::P) => ObjectKind::Payment,
            (Subject::Payment, Class::A | Class::B | Class::C | Class::D) => ObjectKind::Charge,
            (Subject::Refund(_), _) => ObjectKind::Refund,
            (Subject::Dispute(_), _) => ObjectKind::Dispute,
        }
    }
}

const fn first_step(subject: Subject, class: Class) -> Step {
    match (subject, class) {
        (Subject::Payment, Class::P) => Step::Create,
        (Subject::Payment, Class::A | Class::B | Class::C | Class::D) | (Subject::Refund(_), _) => Step::Execute,
        (Subject::Dispute(_), _) => Step::Submit,
    }
}
