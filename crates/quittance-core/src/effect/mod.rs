//! One effect at a gateway: what we know of it, and what may be done next.
//!
//! Where the gateway is two-phase (class P), an inert object is created, its id committed, and only then is it
//! confirmed. The object succeeds at most once, so an ambiguous answer is resolved by reading it, never by guessing.
//! Elsewhere one request does it all, and what an ambiguous answer allows depends on what the gateway offers
//! ([`Capability`]). [`judge`] says what a fact means, [`advance`] moves the effect, [`next_move`] says what a worker does
//! about it.

mod advance;
mod capability;
mod judge;
mod next_move;
mod policy;
#[cfg(test)]
mod tests;

pub use advance::{
    Advance, PersonsWord, Source, Stimulus, advance, capture, expire, give_up, judge_afterwards, recover, renew,
    sighting_of, ticket,
};
pub use capability::{Capability, Class, KeyMemory, Readback, Replay};
pub use judge::{Sending, Verdict, judge};
pub use next_move::{Move, next_move};
pub use policy::{PENDING_POLLS_MAX, Policy};

use crate::fact::{Decline, ObjectKind, Sighting};
use crate::id::{CommandId, CustomerId, DisputeId, EffectId, PaymentId, RefundId, TenantId};
use crate::money::Money;
use crate::time::Timestamp;

/// Where an effect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Committed; nothing of this step and generation is known to have left, so it may be sent.
    Intended,
    /// A ticket is committed; bytes may have left.
    Sending,
    /// A send may have had an effect and its outcome is not proven.
    Unknown,
    /// The gateway has it and has not finished.
    Pending,
    /// Proven: nothing of this generation was carried out, nor will be. The next one may be sent.
    NotExecuted,
    /// Proven: money moved.
    Succeeded,
    /// Proven: no money moved and none can.
    Failed,
    /// Given up before anything could have moved.
    Canceled,
    /// Automation may not decide; a person does.
    Review,
}

impl State {
    /// Every state, in order.
    pub const ALL: [Self; 9] = [
        Self::Intended,
        Self::Sending,
        Self::Unknown,
        Self::Pending,
        Self::NotExecuted,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
        Self::Review,
    ];

    /// Whether automation has nothing left to do.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Intended | Self::Sending | Self::Unknown | Self::Pending | Self::NotExecuted => false,
            Self::Succeeded | Self::Failed | Self::Canceled | Self::Review => true,
        }
    }

    /// Stable name, stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::NotExecuted => "not_executed",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Review => "review",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Which request of the effect is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Make the inert object.
    Create,
    /// Act on it.
    Confirm,
    /// Fence it: a canceled object can never charge.
    Cancel,
    /// Take what was authorised.
    Capture,
    /// Do it all in one request: a charge, a transfer, a refund.
    Execute,
    /// Hand in what a dispute is answered with.
    Submit,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 6] = [Self::Create, Self::Confirm, Self::Cancel, Self::Capture, Self::Execute, Self::Submit];

    /// Stable name, stored, shown, and part of the gateway key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::Capture => "capture",
            Self::Execute => "execute",
            Self::Submit => "submit",
        }
    }

    /// The step of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// What the object looked like before a confirm was sent. A later read that differs proves that the confirm ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The newest charge attempt then.
    pub latest_charge: Option<String>,
    /// Digest of the last payment error then.
    pub error_digest: Option<[u8; 32]>,
}

impl Fence {
    /// The fence a sighting gives.
    #[must_use]
    pub fn of(sighting: &Sighting) -> Self {
        Self { latest_charge: sighting.latest_charge.clone(), error_digest: sighting.error_digest }
    }

    /// Whether an attempt was made on the object since. An error that merely disappeared proves nothing: gateways clear
    /// it on unrelated changes.
    #[must_use]
    pub fn is_passed_by(&self, sighting: &Sighting) -> bool {
        let has_new_error = sighting.error_digest.is_some() && self.error_digest != sighting.error_digest;
        self.latest_charge != sighting.latest_charge || has_new_error
    }
}

/// What canceling the object is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterCancel {
    /// The attempt failed, but a send of it was once lost: fence the object, then report the failure.
    Fail(Decline),
    /// The object belonged to an earlier, failed attempt of other shape: fence it, then create our own.
    Replace,
    /// The client gave the payment up.
    GiveUp,
    /// Nobody acted on it in time.
    Expire,
}

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

/// Whom a pending effect waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The customer, who has to authenticate.
    Action,
    /// The client, who has to capture.
    Capture,
}

/// When a pending effect is given up unless somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// Whom it waits for.
    pub waiting: Waiting,
    /// Until when.
    pub at: Timestamp,
}

/// What a command that waits for an effect asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The payment that already held its reference.
    Existing,
    /// To take what was authorised.
    Capture,
    /// To give the payment up.
    Cancel,
}

/// A command besides the effect's own that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The command.
    pub command: CommandId,
    /// What it asked for.
    pub asked: Asked,
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
    /// Sends of a confirm whose answer was lost, in all generations.
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
    /// Whether the client gave it up, which is acted on as soon as nothing is under way.
    pub wants_cancel: bool,
    /// When it is given up unless somebody acts.
    pub expiry: Option<Expiry>,
    /// Whether the gateway reported an error of its own in this generation, so that it may still roll it forward.
    pub had_server_error: bool,
    /// When the search under way, or the last one, began.
    pub searched_at: Option<Timestamp>,
    /// When a complete search late enough found nothing, where one such search is not enough.
    pub absent_at: Option<Timestamp>,
    /// The brake that holds it until a person approves; nothing was ever sent then.
    pub parked_by: Option<String>,
    /// Movements at the gateway that took back what had moved, each booked once.
    pub returned: Option<String>,
    /// When this generation was first sent.
    pub first_sent_at: Option<Timestamp>,
    /// When anything was last sent.
    pub last_sent_at: Option<Timestamp>,
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
            tries: 0,
            puzzles: 0,
            joined: Vec::new(),
            submissions_before: None,
            capture_amount: None,
            wants_cancel: false,
            expiry: None,
            had_server_error: false,
            searched_at: None,
            absent_at: None,
            parked_by: None,
            returned: None,
            first_sent_at: None,
            last_sent_at: None,
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
