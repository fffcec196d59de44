//! What one process of an installation does: take requests, work at gateways, look for what was missed.
//!
//! One process does everything unless it is told otherwise; several share the work where they share a database.

use std::fmt;
use std::str::FromStr;

/// The roles of one process; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Takes clients' requests and webhooks.
    pub api: bool,
    /// Carries effects out at the gateways, and looks at their objects.
    pub worker: bool,
    /// Follows the gateways' logs and lists.
    pub reconciler: bool,
}

/// Names of roles that are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RolesError {
    /// None is named.
    #[error("no role is named; write some of api, worker, reconciler, with a comma between them")]
    None,
    /// A name that is not known.
    #[error("`{0}` is no role; the roles are api, worker, reconciler")]
    Unknown(String),
}

impl Roles {
    /// All of them.
    pub const ALL: Self = Self { api: true, worker: true, reconciler: true };
}

impl Default for Roles {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for Roles {
    type Err = RolesError;

    fn from_str(text: &str) -> Result<Self, RolesError> {
        let mut roles = Self { api: false, worker: false, reconciler: false };
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "api" => roles.api = true,
                "worker" => roles.worker = true,
                "reconciler" => roles.reconciler = true,
                other => return Err(RolesError::Unknown(other.to_owned())),
            }
        }
        if roles.api || roles.worker || roles.reconciler { Ok(roles) } else { Err(RolesError::None) }
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(self.api, "api"), (self.worker, "worker"), (self.reconciler, "reconciler")];
        let names: Vec<_> = names.into_iter().filter_map(|(is_played, name)| is_played.then_some(name)).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_as_they_are_written() {
        for (text, shown) in [
            ("api,worker,reconciler", "api,worker,reconciler"),
            ("worker", "worker"),
            (" reconciler , api,", "api,reconciler"),
        ] {
            assert_eq!(text.parse::<Roles>().map(|roles| roles.to_string()), Ok(shown.to_owned()), "{text}");
        }
        assert_eq!("".parse::<Roles>(), Err(RolesError::None));
        assert_eq!("api,boss".parse::<Roles>(), Err(RolesError::Unknown("boss".to_owned())));
        assert_eq!(Roles::default(), Roles::ALL);
    }
}
