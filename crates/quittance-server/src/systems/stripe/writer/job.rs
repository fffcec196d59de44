//! What one call is about: the columns that are read, the parameters that change them, and the request of each write.

use crate::systems::SystemError;
use crate::systems::stripe::kind;
use crate::systems::write::{Narrow, Write};
use quittance_connectors::message::Request;
use quittance_connectors::stripe::API_VERSION;
use quittance_connectors::stripe::listing::Kind;
use quittance_connectors::stripe::update::{Parameter, parameter, update_request};
use quittance_core::pair::Side;
use std::collections::BTreeMap;

/// One call.
pub(super) struct Job<'a> {
    pub(super) kind: &'static Kind,
    pub(super) narrow: Narrow,
    pub(super) writes: &'a [Write],
    /// The ids of the writes; empty for what has none.
    pub(super) ids: Vec<String>,
    parameters: BTreeMap<usize, Parameter>,
}

impl<'a> Job<'a> {
    /// Prepares a call.
    ///
    /// # Errors
    ///
    /// When a field may not be changed, or objects are not told apart by their id.
    pub(super) fn new(system: &str, object: &str, side: &Side, writes: &'a [Write]) -> Result<Self, SystemError> {
        let kind = kind(system, object)?;
        let narrow = Narrow::new(system, object, side, writes)?;
        let identity: Vec<&str> = side.identity.iter().map(|at| side.columns[*at].name.as_str()).collect();
        if !matches!(identity.as_slice(), ["id" | "/id"]) {
            let what = format!("objects `{object}` of the system `{system}` are told apart by their id alone");
            return Err(SystemError::configuration(what, "match them by `id`"));
        }
        let mut parameters = BTreeMap::new();
        for (at, _) in writes.iter().flat_map(|write| &write.set) {
            let found = parameter(kind, &side.columns[*at].name).map_err(|error| {
                SystemError::configuration(format!("system `{system}`: {error}"), error.remedy()).because(error)
            })?;
            parameters.insert(*at, found);
        }
        let id = |write: &Write| match write.identity.first() {
            Some(value) if !value.is_nothing() => value.to_string(),
            _ => String::new(),
        };
        Ok(Self { kind, narrow, writes, ids: writes.iter().map(id).collect(), parameters })
    }

    /// The request of a write, under its own key.
    ///
    /// # Errors
    ///
    /// Why Stripe would not hold what is to be set.
    pub(super) fn request(&self, at: usize) -> Result<Request, String> {
        let write = &self.writes[at];
        let mut changes = Vec::with_capacity(write.set.len());
        for (column, value) in &write.set {
            let parameter = &self.parameters[column];
            changes.push((parameter, parameter.value(value)?));
        }
        let request = update_request(self.kind, API_VERSION, &self.ids[at], &changes);
        request.map(|request| request.with_key(write.id.clone())).ok_or_else(|| "it has no id".to_owned())
    }
}
