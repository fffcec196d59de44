//! The configured brakes, by tenant.

use quittance_core::brake::Limits;
use std::collections::BTreeMap;

/// Limits of every tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brakes {
    /// Of tenants without limits of their own.
    pub general: Limits,
    /// Of tenants with limits of their own, by name: complete, with what they have from the general ones.
    pub tenants: BTreeMap<String, Limits>,
}

impl Brakes {
    /// The limits of a tenant, by its name.
    #[must_use]
    pub fn of(&self, tenant: &str) -> &Limits {
        self.tenants.get(tenant).unwrap_or(&self.general)
    }
}
