//! Deliveries: one event on its way to one endpoint, and what becomes of it with each attempt.

use super::endpoint::{EndedBy, Endpoint, FAILING_MS_MAX};
use crate::id::{EndpointId, EventId, TenantId};
use crate::time::Timestamp;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// How long is waited before each attempt, in milliseconds: those of Standard Webhooks 1.0.0. After the last nothing follows.
pub const SCHEDULE_MS: [u64; 10] =
    [0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// A wait is drawn from so many hundredths around the one of the schedule, either way.
const JITTER_PERCENT: u64 = 10;

/// No delivery waits longer than this by a right clock, in milliseconds.
pub const WAIT_MS_MAX: u64 = 30 * HOUR;

/// How long an endpoint has to answer, in milliseconds: the least that Standard Webhooks 1.0.0 asks for.
pub const ATTEMPT_MS_MAX: u64 = 15 * SECOND;

/// An event is sent under a lease that is never shorter than this, in milliseconds: what came of an attempt is written down
/// before anybody sends the event again.
pub const LEASE_MS_MIN: u64 = 2 * ATTEMPT_MS_MAX;

/// Attempts that a delivery remembers: the newest.
pub const ATTEMPTS_KEPT: usize = 20;

/// HTTP's word for an endpoint that is gone for good.
const GONE: u16 = 410;

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where to.
    pub endpoint: EndpointId,
    /// What.
    pub event: EventId,
    /// Whose.
    pub tenant: TenantId,
    /// How it stands.
    pub state: DeliveryState,
    /// Attempts that failed since it was begun, or since it was last replayed.
    pub tries: u32,
    /// The newest attempts, the oldest of them first.
    pub attempts: Vec<Attempt>,
    /// Who had it sent again last.
    pub replayed: Option<Replayed>,
    /// When it is sent next; the end of the lease while somebody does; none when it came to an end.
    pub due_at: Option<Timestamp>,
    /// Who sends it; 0 for nobody.
    pub lease_owner: i64,
    /// Number of the newest lease.
    pub lease_epoch: i64,
    /// When it was begun.
    pub created_at: Timestamp,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is sent, or will be.
    Pending,
    /// The endpoint has taken it.
    Delivered,
    /// Every attempt failed.
    Failed,
    /// The endpoint was deleted first.
    Canceled,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Failed, Self::Canceled];

    /// Stable name, as the API spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What came of sending an event once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The HTTP status of the answer, if one came.
    pub status: Option<u16>,
    /// Why none came, for people.
    pub error: Option<String>,
}

impl Attempt {
    /// Whether the endpoint has taken the event: a redirect is no answer to it.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Who had an event sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Who: the credential.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What an attempt did to its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// Nothing.
    Same,
    /// It began to fail, or failed no more.
    Turned,
    /// It is disabled now.
    Disabled,
}

impl Delivery {
    /// An event that is sent to an endpoint at once.
    #[must_use]
    pub const fn new(tenant: TenantId, endpoint: EndpointId, event: EventId, now: Timestamp) -> Self {
        Self {
            endpoint,
            event,
            tenant,
            state: DeliveryState::Pending,
            tries: 0,
            attempts: Vec::new(),
            replayed: None,
            due_at: Some(now),
            lease_owner: 0,
            lease_epoch: 0,
            created_at: now,
        }
    }

    /// Sends the event again, from the beginning of the schedule. An attempt that is under way does not count any more.
    pub fn replay(&mut self, replayed: Replayed) {
        self.state = DeliveryState::Pending;
        self.tries = 0;
        self.due_at = Some(replayed.at);
        self.lease_owner = 0;
        self.lease_epoch += 1;
        self.replayed = Some(replayed);
    }

    /// Gives it up: there is nobody to send it to.
    pub const fn cancel(&mut self) {
        self.end(DeliveryState::Canceled);
    }

    const fn end(&mut self, state: DeliveryState) {
        self.state = state;
        self.due_at = None;
        self.lease_owner = 0;
    }
}

/// Applies what came of an attempt to the delivery and its endpoint.
pub fn learn(delivery: &mut Delivery, endpoint: &mut Endpoint, attempt: Attempt, now: Timestamp, dice: u64) -> Learned {
    let (is_taken, is_gone) = (attempt.is_taken(), attempt.status == Some(GONE));
    let surplus = (delivery.attempts.len() + 1).saturating_sub(ATTEMPTS_KEPT);
    delivery.attempts.drain(..surplus);
    delivery.attempts.push(attempt);
    if is_taken {
        delivery.end(DeliveryState::Delivered);
        return if endpoint.failing_since.take().is_some() { Learned::Turned } else { Learned::Same };
    }
    put_off(delivery, now, dice);
    let was_failing = endpoint.failing_since.is_some();
    let since = *endpoint.failing_since.get_or_insert(now);
    let why = match is_gone {
        true => Some(EndedBy::Gone),
        false => Some(EndedBy::Failing).filter(|_| now.ms_since(since) >= FAILING_MS_MAX),
    };
    match why {
        Some(why) if endpoint.is_enabled() => {
            endpoint.disable(why, now);
            Learned::Disabled
        }
        _ if was_failing => Learned::Same,
        _ => Learned::Turned,
    }
}

fn put_off(delivery: &mut Delivery, now: Timestamp, dice: u64) {
    delivery.tries += 1;
    delivery.lease_owner = 0;
    match usize::try_from(delivery.tries).ok().and_then(|tries| SCHEDULE_MS.get(tries)) {
        Some(wait_ms) => delivery.due_at = Some(now.plus_ms(jittered(*wait_ms, dice))),
        None => delivery.end(DeliveryState::Failed),
    }
}

/// A wait around this one, so that what failed together does not come back together.
const fn jittered(wait_ms: u64, dice: u64) -> u64 {
    let most = wait_ms / 100 * JITTER_PERCENT;
    wait_ms - most + dice % (2 * most + 1)
}
