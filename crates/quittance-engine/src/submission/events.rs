//! What is submitted about outgoing events, and what is sent.

use quittance_core::event::{Attempt, Kinds, Replayed, SECRET_BYTES};
use quittance_core::id::{EndpointId, EventId, TenantId};
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// Names a delivery, and the lease under which it is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryRef {
    /// Whose.
    pub tenant: TenantId,
    /// Where to.
    pub endpoint: EndpointId,
    /// What.
    pub event: EventId,
    /// The lease.
    pub epoch: i64,
}

/// What came of sending an event once.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Which delivery, under which lease.
    pub delivery: DeliveryRef,
    /// Where it was sent: the endpoint may be elsewhere by now.
    pub url: String,
    /// What came of it; none where there was nobody to send it to any more.
    pub attempt: Option<Attempt>,
}

/// An endpoint to make.
#[derive(Clone)]
pub struct NewEndpoint {
    /// Where.
    pub url: String,
    /// What people call it.
    pub description: Option<String>,
    /// Which events.
    pub kinds: Kinds,
    /// Its secret.
    pub secret: [u8; SECRET_BYTES],
}

impl fmt::Debug for NewEndpoint {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewEndpoint({} {:?})", self.url, self.kinds)
    }
}

/// A new secret for an endpoint.
#[derive(Clone)]
pub struct NewSecret {
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// The new secret.
    pub secret: [u8; SECRET_BYTES],
    /// How long the one before signs, too, in milliseconds.
    pub overlap_ms: u64,
}

impl fmt::Debug for NewSecret {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSecret({} beside the old one for {} ms)", self.endpoint, self.overlap_ms)
    }
}

/// A change of an endpoint.
#[derive(Clone, Debug)]
pub struct EndpointChange {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub endpoint: EndpointId,
    /// What becomes of it.
    pub turn: EndpointTurn,
}

/// What becomes of an endpoint.
#[derive(Clone, Debug)]
pub enum EndpointTurn {
    /// Members that are given take the place of the old ones.
    Update {
        /// Where.
        url: Option<String>,
        /// What people call it.
        description: Option<String>,
        /// Which events.
        kinds: Option<Kinds>,
    },
    /// Events are sent there again; what waits goes on.
    Enable,
    /// Nothing is sent there any more.
    Disable {
        /// Who says so: the credential.
        by: String,
        /// Why.
        reason: String,
    },
    /// It is gone, and what was still to be sent there is given up.
    Delete,
}

/// A person has an event sent again.
#[derive(Clone, Debug)]
pub struct ReplayEvent {
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub event: EventId,
    /// Where to.
    pub endpoint: EndpointId,
    /// Who says so, and why.
    pub replayed: Replayed,
}

/// How many events may be sent now.
#[derive(Clone, Debug, Default)]
pub struct Sendable {
    /// To all endpoints together.
    pub left: usize,
    /// To one endpoint at once.
    pub each_max: usize,
    /// To all endpoints of one tenant at once.
    pub tenant_max: usize,
    /// How many are under way to which endpoint of whom.
    pub in_flight: BTreeMap<(TenantId, EndpointId), usize>,
}

/// An event to be sent, under a lease that outlives the deadline.
#[derive(Clone)]
pub struct Dispatch {
    /// Which delivery.
    pub delivery: DeliveryRef,
    /// Where to.
    pub url: String,
    /// What signs it, the newest first.
    pub keys: Vec<[u8; SECRET_BYTES]>,
    /// What is sent.
    pub body: Vec<u8>,
    /// When it was claimed.
    pub at: Timestamp,
}

impl fmt::Debug for Dispatch {
    /// Leaves the keys out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dispatch({:?} {})", self.delivery, self.url)
    }
}

/// What a look for events that are due found.
#[derive(Debug, Default)]
pub struct Sending {
    /// Events to be sent now.
    pub dispatches: Vec<Dispatch>,
    /// Since when the oldest of those that may be sent has been due, as far as was looked.
    pub due_since: Option<Timestamp>,
    /// Whether more is due than there was room for.
    pub is_more: bool,
}
