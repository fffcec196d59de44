//! Which column is for what.

use super::List;
use crate::systems::{Description, SystemError};
use quittance_core::pair::{Column, Side};

/// What a column is for.
pub(super) struct Role {
    /// Its name, by which a column can be given for it.
    pub(super) name: &'static str,
    /// Names that it has in tables, the most telling first.
    pub(super) names: &'static [&'static str],
    /// Where it is in objects of an API that may have any field, Stripe's; the first that says something counts.
    pub(super) places: &'static [&'static str],
    /// Whether there is nothing to find without it.
    pub(super) is_needed: bool,
}

/// The columns of a list by role.
pub(super) struct Roles {
    pub(super) side: Side,
    /// For each role the indexes of its columns.
    places: Vec<Vec<usize>>,
}

impl Roles {
    /// Looks up where each role is.
    pub(super) fn resolve(list: &mut List<'_>, roles: &[Role]) -> Result<Self, SystemError> {
        let known: Vec<&str> = roles.iter().map(|role| role.name).collect();
        if let Some(given) = list.columns.keys().find(|given| !known.contains(&given.as_str())) {
            let what = format!("nothing is read of `{}` for `{given}`", list.object);
            return Err(SystemError::configuration(what, crate::config::closest(given, &known)));
        }
        let description = list.system.describe(list.object)?;
        let mut side = Side::default();
        let mut places = Vec::new();
        for role in roles {
            let columns = columns(list, &description, role)?;
            places.push(columns.into_iter().map(|column| side.column(column)).collect());
        }
        Ok(Self { side, places })
    }

    /// The columns of a role, by its place among the roles.
    pub(super) fn of(&self, role: usize) -> &[usize] {
        &self.places[role]
    }

    /// Whether anything is read for a role.
    pub(super) fn has(&self, role: usize) -> bool {
        !self.places[role].is_empty()
    }
}

fn columns(list: &List<'_>, description: &Description, role: &Role) -> Result<Vec<Column>, SystemError> {
    if let Some(given) = list.columns.get(role.name) {
        return Ok(vec![match given.split_once('|') {
            Some((name, pointer)) => Column { pointer: Some(pointer.to_owned()), ..Column::plain(name) },
            None => Column::plain(given.as_str()),
        }]);
    }
    let known = &description.columns;
    if known.is_empty() {
        return Ok(role.places.iter().map(|place| Column::plain(*place)).collect());
    }
    let exists = |name: &&&str| known.iter().any(|(known, _)| known == *name);
    match role.names.iter().find(exists) {
        Some(name) => Ok(vec![Column::plain(*name)]),
        None if !role.is_needed => Ok(Vec::new()),
        None => {
            let what = format!(
                "`{}` of the system `{}` has no column that is known to hold {}",
                list.object, list.system_name, role.name
            );
            let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            let remedy = format!("name one with --column {}=COLUMN; there are {}", role.name, names.join(", "));
            Err(SystemError::configuration(what, remedy))
        }
    }
}
