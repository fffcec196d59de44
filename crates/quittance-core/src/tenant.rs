//! Tenants and the credentials of their clients.

use crate::id::{ApiKeyId, TenantId};
use crate::time::Timestamp;

/// Whether a tenant's money is real. A tenant is one or the other, so nothing else needs to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Real money.
    Live,
    /// Play money.
    Test,
}

impl Mode {
    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Live, Self::Test].into_iter().find(|mode| mode.name() == name)
    }

    /// How this mode's API keys begin.
    #[must_use]
    pub const fn key_prefix(self) -> &'static str {
        match self {
            Self::Live => "qk_live_",
            Self::Test => "qk_test_",
        }
    }
}

/// An organisation.
#[derive(Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique in the installation.
    pub name: String,
    /// Live or test.
    pub mode: Mode,
    /// Key of the fingerprints of its clients' requests.
    pub fingerprint_secret: [u8; 32],
    /// Key from which its gateway keys are made.
    pub gateway_key_secret: [u8; 32],
    /// When it was created.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for Tenant {
    /// Leaves the secrets out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tenant({} {} {})", self.id, self.name, self.mode.name())
    }
}

/// What a credential may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everything, including what operators do.
    Admin,
    /// Reads and writes of the API.
    Write,
    /// Reads only.
    Read,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Write, Self::Read];

    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Write => "write",
            Self::Read => "read",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Whether a credential with this scope may do what needs `needed`.
    #[must_use]
    pub const fn allows(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Admin, _) | (Self::Write, Self::Write | Self::Read) | (Self::Read, Self::Read) => true,
            (Self::Write | Self::Read, Self::Admin) | (Self::Read, Self::Write) => false,
        }
    }
}

/// A credential of the API; its secret is known to the client alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The tenant it acts for.
    pub tenant: TenantId,
    /// SHA-256 of the secret.
    pub digest: [u8; 32],
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it ends by itself, for another one took its place.
    pub ends_at: Option<Timestamp>,
    /// When it was used last, to within [`LAST_USE_MS`].
    pub last_used_at: Option<Timestamp>,
}

/// How far the time of a credential's last use may lie behind, in milliseconds: it is written no more often.
pub const LAST_USE_MS: u64 = 60_000;

impl ApiKey {
    /// Whether it is taken at this time.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.ends_at.is_none_or(|ends_at| now < ends_at)
    }

    /// Whether a use at this time is to be written down.
    #[must_use]
    pub fn is_news(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|used_at| now.ms_since(used_at) >= LAST_USE_MS)
    }
}
