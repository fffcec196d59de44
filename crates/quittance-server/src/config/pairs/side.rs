//! Sides of a pair: which system, what in it, and what a repair does to a record beside its fields.

use super::fields::{self, ColumnRef};
use crate::config::System;
use crate::config::errors::{Mistakes, Origin};
use crate::config::section::{Section, unknown_remedy};
use quittance_core::pair::Which;
use std::collections::BTreeMap;

/// What is read of one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideRef {
    /// Name of the system.
    pub system: String,
    /// Table, list or file in it.
    pub object: String,
    /// What tells when a record was last modified.
    pub updated_at: Option<ColumnRef>,
    /// What a repair does to `updated_at`.
    pub on_repair: OnRepair,
    /// What a repair does to triggers.
    pub triggers: Triggers,
    /// Where it is said.
    pub origin: Origin,
}

impl SideRef {
    /// The column that a repair sets to now.
    #[must_use]
    pub fn touched(&self) -> Option<&str> {
        let touched = self.updated_at.as_ref().filter(|_| self.on_repair == OnRepair::Touch);
        touched.map(|column| column.name.as_str())
    }
}

/// What a repair does to the column that tells when a record was last modified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRepair {
    /// It is set to now.
    Touch,
    /// It is left as it is, unless a trigger sets it.
    Keep,
}

/// What becomes of the triggers of a table when a repair writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Triggers {
    /// They fire, as for everybody.
    #[default]
    Fire,
    /// They do not; nor are references to other tables checked, which in PostgreSQL is the same machinery.
    Skip,
}

const KEYS: [&str; 7] = ["system", "table", "object", "file", "updated_at", "on_repair", "triggers"];

/// Reads a side of a pair; nothing when it names no system or nothing in it.
pub(super) fn parse(
    section: &Section<'_>,
    which: Which,
    systems: &BTreeMap<String, System>,
    mistakes: &mut Mistakes,
) -> Option<SideRef> {
    const EXAMPLE: &str =
        "{ system = \"app\", table = \"accounts\" } or { system = \"stripe\", object = \"subscription\" }";
    let key = which.as_str();
    let Some(side) = section.table_of(key, mistakes) else {
        if !section.has(key) {
            mistakes.add(section.origin(), &section.setting(key), "missing", format!("add {key} = {EXAMPLE}"));
        }
        return None;
    };
    side.refuse_unknown(&KEYS, mistakes);
    let system = side.text("system", mistakes);
    let object = ["table", "object", "file"].into_iter().find_map(|key| side.text(key, mistakes));
    let (Some(system), Some(object)) = (system, object) else {
        mistakes.add(side.origin(), &side.name, "names no system, or nothing in it", format!("write {EXAMPLE}"));
        return None;
    };
    if !systems.contains_key(&system.value) {
        let known: Vec<&str> = systems.keys().map(String::as_str).collect();
        let remedy = match known.as_slice() {
            [] => "describe it under [systems.NAME]".to_owned(),
            known => unknown_remedy(&system.value, known),
        };
        let what = format!("there is no system `{}`", system.value);
        mistakes.add(system.origin.clone(), &side.setting("system"), what, remedy);
    }
    let updated_at = side.has("updated_at").then(|| fields::column(&side, "updated_at", mistakes)).flatten();
    let on_repair = on_repair(&side, updated_at.as_ref(), mistakes);
    let triggers = triggers(&side, mistakes);
    let origin = side.origin();
    Some(SideRef { system: system.value, object: object.value, updated_at, on_repair, triggers, origin })
}

/// Without a word, `updated_at` is set where it is a column that holds nothing but a time.
fn on_repair(side: &Section<'_>, updated_at: Option<&ColumnRef>, mistakes: &mut Mistakes) -> OnRepair {
    const KNOWN: [&str; 2] = ["touch", "keep"];
    let is_plain = updated_at.is_some_and(|column| column.pointer.is_none() && column.steps.is_empty());
    let usual = if is_plain { OnRepair::Touch } else { OnRepair::Keep };
    let Some(found) = side.text("on_repair", mistakes) else { return usual };
    match found.value.as_str() {
        "keep" => return OnRepair::Keep,
        "touch" if is_plain => return OnRepair::Touch,
        "touch" => {
            let what = match updated_at {
                None => "there is no updated_at that could be touched",
                Some(_) => "updated_at is made from a column, and cannot be set",
            };
            let remedy = "add updated_at = \"COLUMN\" without transforms, or write on_repair = \"keep\"";
            mistakes.add(found.origin, &side.setting("on_repair"), what, remedy);
        }
        _ => {
            let remedy = unknown_remedy(&found.value, &KNOWN);
            mistakes.add(found.origin, &side.setting("on_repair"), "not something to do to updated_at", remedy);
        }
    }
    usual
}

fn triggers(side: &Section<'_>, mistakes: &mut Mistakes) -> Triggers {
    let Some(found) = side.text("triggers", mistakes) else { return Triggers::default() };
    match found.value.as_str() {
        "fire" => Triggers::Fire,
        "skip" => Triggers::Skip,
        _ => {
            let remedy = unknown_remedy(&found.value, &["fire", "skip"]);
            mistakes.add(found.origin, &side.setting("triggers"), "not something to do with triggers", remedy);
            Triggers::default()
        }
    }
}
