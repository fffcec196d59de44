//! Endpoints of a tenant: where its events are sent, signed with what, and when an endpoint is given up.

use super::kind::Kind;
use crate::id::{EndpointId, TenantId};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::fmt;

/// Endpoints of one tenant, at most: each event is written down once for each of them.
pub const ENDPOINTS_MAX: usize = 16;

/// Bytes of a secret: within what Standard Webhooks 1.0.0 asks for (24 to 64).
pub const SECRET_BYTES: usize = 32;

/// How long the secret before a rotation signs, too, in milliseconds: 24 hours.
pub const OVERLAP_MS: u64 = 24 * 3_600_000;

/// How long an endpoint may fail without a success in between before it is disabled, in milliseconds: five days.
pub const FAILING_MS_MAX: u64 = 5 * 24 * 3_600_000;

/// The endpoints of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Whose.
    pub tenant: TenantId,
    /// All of them, the oldest first; [`ENDPOINTS_MAX`] at most.
    pub all: Vec<Endpoint>,
}

impl Endpoints {
    /// None yet.
    #[must_use]
    pub const fn new(tenant: TenantId) -> Self {
        Self { tenant, all: Vec::new() }
    }

    /// The endpoint of that id.
    #[must_use]
    pub fn get(&self, id: EndpointId) -> Option<&Endpoint> {
        self.all.iter().find(|endpoint| endpoint.id == id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: EndpointId) -> Option<&mut Endpoint> {
        self.all.iter_mut().find(|endpoint| endpoint.id == id)
    }
}

/// Where events of a tenant are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Where.
    pub url: String,
    /// What people call it.
    pub description: Option<String>,
    /// Which events.
    pub kinds: Kinds,
    /// What signs them, the newest first; two while one takes over from the other.
    pub secrets: Vec<Secret>,
    /// Whether it is sent anything.
    pub state: EndpointState,
    /// Since when every attempt has failed; none after a success.
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Which events an endpoint is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kinds {
    /// All, also those of a later version.
    All,
    /// These.
    These(BTreeSet<Kind>),
}

/// What signs the deliveries to one endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The key.
    pub bytes: [u8; SECRET_BYTES],
    /// Until when it signs; none for the one in use.
    pub until: Option<Timestamp>,
}

impl fmt::Debug for Secret {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(until {:?})", self.until)
    }
}

/// Whether an endpoint is sent anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It is.
    Enabled,
    /// Nothing is sent: what was due waits, and what happens meanwhile is not written down for it.
    Disabled {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: EndedBy,
    },
}

/// Why an endpoint is sent nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// A person said so.
    Person {
        /// Who: the credential.
        by: String,
        /// Why.
        reason: String,
    },
    /// It answered 410.
    Gone,
    /// It failed for [`FAILING_MS_MAX`].
    Failing,
}

impl Endpoint {
    /// Whether it is sent what happens now.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.state == EndpointState::Enabled
    }

    /// Whether an event of this kind is sent there.
    #[must_use]
    pub fn wants(&self, kind: Kind) -> bool {
        let is_wanted = match &self.kinds {
            Kinds::All => true,
            Kinds::These(kinds) => kinds.contains(&kind),
        };
        self.is_enabled() && is_wanted
    }

    /// The keys that sign what is sent now, the newest first.
    pub fn keys(&self, now: Timestamp) -> impl Iterator<Item = &[u8; SECRET_BYTES]> {
        let signs = move |secret: &&Secret| secret.until.is_none_or(|until| now < until);
        self.secrets.iter().filter(signs).map(|secret| &secret.bytes)
    }

    /// Takes a new secret into use. The one before signs, too, for so long; one that was retiring already does not any more.
    pub fn rotate(&mut self, bytes: [u8; SECRET_BYTES], overlap_ms: u64, now: Timestamp) {
        let until = Some(now.plus_ms(overlap_ms)).filter(|_| overlap_ms > 0);
        let retiring = self.secrets.drain(..).next().filter(|_| until.is_some());
        self.secrets.push(Secret { bytes, until: None });
        self.secrets.extend(retiring.map(|secret| Secret { until, ..secret }));
    }

    /// Takes another address. That the one before failed says nothing about it.
    pub fn move_to(&mut self, url: String) {
        if self.url != url {
            self.url = url;
            self.failing_since = None;
        }
    }

    /// Sends events there again. That it failed before is forgotten.
    pub fn enable(&mut self) {
        self.state = EndpointState::Enabled;
        self.failing_since = None;
    }

    /// Sends nothing there any more. What is disabled already stays as it is.
    pub fn disable(&mut self, why: EndedBy, now: Timestamp) {
        if self.is_enabled() {
            self.state = EndpointState::Disabled { at: now, why };
        }
    }
}
