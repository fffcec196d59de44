//! One effect at a gateway: what we know of it, and what may be done next.
//!
//! The gateway class served here is P, two-phase: an inert object is created, its id committed, and only then is it
//! confirmed. The object succeeds at most once, so an ambiguous answer is resolved by reading it, never by guessing.
//! [`judge`] says what a fact means, [`advance`] moves the effect, [`next_move`] says what a worker does about it.

mod advance;
mod judge;
mod next_move;
#[cfg(test)]
mod tests;

pub use advance::{Advance, PersonsWord, Source, Stimulus, advance, recover, ticket};
pub use judge::{Sending, Verdict, judge};
pub use next_move::{Move, next_move};

use crate::fact::{Decline, Sighting};
use crate::id::{CommandId, CustomerId, EffectId, PaymentId, TenantId};
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
    pub const ALL: [Self; 8] = [
        Self::Intended,
        Self::Sending,
        Self::Unknown,
        Self::Pending,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
        Self::Review,
    ];

    /// Whether automation has nothing left to do.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Intended | Self::Sending | Self::Unknown | Self::Pending => false,
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
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 3] = [Self::Create, Self::Confirm, Self::Cancel];

    /// Stable name, stored, shown, and part of the gateway key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
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
}

/// An effect: one attempt to move a payment's money at one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its id.
    pub id: EffectId,
    /// The book it belongs to.
    pub book: CustomerId,
    /// The tenant of the book.
    pub tenant: TenantId,
    /// The payment it carries out.
    pub payment: PaymentId,
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
    /// Commands besides the payment's own that wait for its answer.
    pub joined: Vec<CommandId>,
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
    /// The payment it carries out.
    pub payment: PaymentId,
}

impl Effect {
    /// An effect of which nothing was sent, due at once, with its own object to create.
    #[must_use]
    pub const fn new(identity: Identity, gateway: String, money: Money, now: Timestamp) -> Self {
        Self {
            id: identity.id,
            book: identity.book,
            tenant: identity.tenant,
            payment: identity.payment,
            gateway,
            money,
            state: State::Intended,
            step: Step::Create,
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
            first_sent_at: None,
            last_sent_at: None,
            due_at: Some(now),
            lease_epoch: 0,
            lease_owner: 0,
            created_at: now,
        }
    }
}

/// Limits and spans of the effect machine; configuration, with defaults for Stripe.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Shortest wait before another try.
    pub backoff_base_ms: u64,
    /// Longest wait before another try.
    pub backoff_max_ms: u64,
    /// Answers without sense after which a person has to look. Outages, limits and bad credentials never count.
    pub tries_max: u32,
    /// How long the gateway is trusted to remember a key, less a margin.
    pub key_window_ms: u64,
    /// Wait before the first read of an object that is pending; it doubles up to [`PENDING_POLLS_MAX`] times as much.
    pub pending_poll_ms: u64,
}

/// Longest wait between reads of a pending object, in first waits: an hour by default, for events usually tell sooner.
pub const PENDING_POLLS_MAX: u64 = 60;

impl Default for Policy {
    /// Back-off from 0.5 s to 60 s; Stripe forgets keys after "at least 24 hours" (API reference, idempotent requests),
    /// so 23 h are used.
    fn default() -> Self {
        Self {
            backoff_base_ms: 500,
            backoff_max_ms: 60_000,
            tries_max: 200,
            key_window_ms: 23 * 3_600_000,
            pending_poll_ms: 60_000,
        }
    }
}

impl Policy {
    /// Full-jitter back-off: somewhere between half a base and `base × 2^tries`, capped. `dice` is a random number.
    #[must_use]
    pub fn backoff_ms(&self, tries: u32, dice: u64) -> u64 {
        let ceiling = self.backoff_base_ms.saturating_mul(1 << tries.min(20)).min(self.backoff_max_ms).max(1);
        let floor = (self.backoff_base_ms / 2).min(ceiling - 1);
        floor + dice % (ceiling - floor)
    }

    /// Wait before the next read of a pending object that was read so often without a change.
    #[must_use]
    pub fn pending_ms(&self, tries: u32) -> u64 {
        self.pending_poll_ms.saturating_mul((1 << tries.min(20)).min(PENDING_POLLS_MAX))
    }
}
