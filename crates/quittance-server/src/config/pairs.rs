//! Pairs of systems that should agree: `[pairs.NAME]`.
//!
//! What is read here names columns and fields; whether they exist is known when the systems are opened.

mod fields;
mod repairs;
mod service;
mod side;
mod truth;

pub use fields::{ColumnRef, FieldPair, Step};
pub use repairs::{Apply, Repairs, TAKES_AWAY, TakeAway};
pub use service::Service;
pub use side::{OnRepair, SideRef, Triggers};
pub use truth::{NotFound, Truth, TruthPolicy};

use super::System;
use super::errors::Mistakes;
use super::section::{Element, Section};
use quittance_core::pair::Which;
use quittance_core::pair::groups::Unit;
use std::collections::BTreeMap;

/// Two systems that should agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// What is read of one's own system.
    pub left: SideRef,
    /// What is read of the other.
    pub right: SideRef,
    /// Rules of matching, in the order they are tried: the columns of the left and those of the right.
    pub rules: Vec<(Vec<ColumnRef>, Vec<ColumnRef>)>,
    /// What is compared.
    pub fields: Vec<FieldPair>,
    /// What records are counted by.
    pub counts: Vec<CountPair>,
    /// How records are compared.
    pub strategy: Strategy,
    /// Most disagreements of one run; with more, the pair itself is the mistake.
    pub differences_max: u64,
    /// What is done about disagreements.
    pub repairs: Repairs,
    /// How it is asked what is true, where it may be.
    pub truth: Option<Truth>,
    /// When it is compared by itself, and how gently.
    pub service: Service,
}

/// What records are counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountPair {
    /// On the left.
    pub left: ColumnRef,
    /// On the right.
    pub right: ColumnRef,
    /// Which part of it.
    pub unit: Unit,
}

/// How records are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Checksums where both systems make the same, else key by key.
    #[default]
    Auto,
    /// Every record of both sides is read.
    Keys,
    /// By checksums of ranges of keys; refused where the systems cannot.
    Checksums,
}

const KEYS: [&str; 8] = ["left", "right", "match", "fields", "counts", "strategy", "differences_max", "truth"];

/// Most rules of a pair: each is a pass over what the ones before it left.
const RULES_MAX: usize = 16;

/// Most fields of a pair, things it counts by, and columns of a rule.
const COLUMNS_MAX: usize = 1_000;

/// Refuses a list that is longer than anybody means it to be.
fn limit(section: &Section<'_>, key: &str, length: usize, max: usize, mistakes: &mut Mistakes) {
    if length > max {
        let origin = section.origin_of(key).unwrap_or_else(|| section.origin());
        let what = format!("has {length} entries, and {max} is the most");
        mistakes.add(origin, &section.setting(key), what, "remove what is not needed, or make a second pair");
    }
}

/// Reads every pair.
pub(super) fn parse(
    tables: Vec<(String, Section<'_>)>,
    systems: &BTreeMap<String, System>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, Pair> {
    let mut pairs = BTreeMap::new();
    for (name, section) in tables {
        if let Some(pair) = pair(&section, systems, mistakes) {
            pairs.insert(name, pair);
        }
    }
    pairs
}

fn pair(section: &Section<'_>, systems: &BTreeMap<String, System>, mistakes: &mut Mistakes) -> Option<Pair> {
    section.refuse_unknown(&[&KEYS[..], &repairs::KEYS, &service::KEYS].concat(), mistakes);
    let left = side::parse(section, Which::Left, systems, mistakes);
    let right = side::parse(section, Which::Right, systems, mistakes);
    let rules = rules(section, mistakes);
    let fields = fields::parse(section, mistakes);
    refuse_double(section, &fields, mistakes);
    let counts = counts(section, mistakes);
    limit(section, "fields", fields.len(), COLUMNS_MAX, mistakes);
    limit(section, "counts", counts.len(), COLUMNS_MAX, mistakes);
    let strategy = strategy(section, mistakes);
    let differences_max = section.number("differences_max", 100_000, 1..=1_000_000, mistakes).value;
    let repairs = repairs::parse(section, mistakes);
    refuse_unseen(section, &fields, strategy, mistakes);
    let service = service::parse(section, mistakes);
    let (left, right, rules) = (left?, right?, rules?);
    let of = truth::Of { sides: [&left, &right], rule: &rules[0], fields: &fields, systems };
    let truth = truth::parse(section, &of, mistakes);
    Some(Pair { left, right, rules, fields, counts, strategy, differences_max, repairs, truth, service })
}

/// Refuses columns that two fields would write: the second would undo the first.
fn refuse_double(section: &Section<'_>, fields: &[FieldPair], mistakes: &mut Mistakes) {
    for which in [Which::Left, Which::Right] {
        let mut written = std::collections::BTreeSet::new();
        for field in fields.iter().filter(|field| field.policy.authority.may_write(which)) {
            let column = if which == Which::Left { &field.left } else { &field.right };
            // What is compared as something else than it holds is not written.
            let is_plain = column.pointer.is_none() && column.steps.is_empty();
            if is_plain && !written.insert(&column.name) {
                let what = format!("two fields would write `{}` of the {}", column.name, which.as_str());
                let origin = section.origin_of("fields").unwrap_or_else(|| section.origin());
                mistakes.add(
                    origin,
                    &section.setting("fields"),
                    what,
                    "give all but one of them authority = \"manual\"",
                );
            }
        }
    }
}

/// Refuses checksums where fields are merged: what both sides agree on has to be seen, record by record.
fn refuse_unseen(section: &Section<'_>, fields: &[FieldPair], strategy: Strategy, mistakes: &mut Mistakes) {
    if strategy == Strategy::Checksums && fields.iter().any(FieldPair::is_merged) {
        let origin = section.origin_of("strategy").unwrap_or_else(|| section.origin());
        let what = "reads only what differs, and a field with authority = \"merge\" needs to know what agrees";
        mistakes.add(origin, &section.setting("strategy"), what, "write strategy = \"keys\"");
    }
}

fn rules(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<Vec<(Vec<ColumnRef>, Vec<ColumnRef>)>> {
    const REMEDY: &str = "write match = [ { left = \"stripe_id\", right = \"id\" } ]; several columns are a list";
    let elements = section.elements("match", mistakes).unwrap_or_default();
    limit(section, "match", elements.len(), RULES_MAX, mistakes);
    let mut rules = Vec::new();
    for element in elements {
        let Element::Table(rule) = element else {
            mistakes.add(element.origin(), &section.setting("match"), "not a rule", REMEDY);
            return None;
        };
        rule.refuse_unknown(&["left", "right"], mistakes);
        let (left, right) = (fields::columns(&rule, "left", mistakes), fields::columns(&rule, "right", mistakes));
        limit(&rule, "left", left.len(), COLUMNS_MAX, mistakes);
        if left.is_empty() || left.len() != right.len() {
            let what = format!("{} columns of the left and {} of the right", left.len(), right.len());
            mistakes.add(rule.origin(), &rule.name, what, REMEDY);
            return None;
        }
        rules.push((left, right));
    }
    if rules.is_empty() {
        if !section.has("match") {
            mistakes.add(section.origin(), &section.setting("match"), "missing", REMEDY);
        }
        return None;
    }
    Some(rules)
}

fn counts(section: &Section<'_>, mistakes: &mut Mistakes) -> Vec<CountPair> {
    const REMEDY: &str = "write counts = [ { left = \"created_at\", right = \"created\", by = \"day\" } ]";
    let mut counts = Vec::new();
    for element in section.elements("counts", mistakes).unwrap_or_default() {
        let Element::Table(entry) = element else {
            mistakes.add(element.origin(), &section.setting("counts"), "not something to count by", REMEDY);
            continue;
        };
        entry.refuse_unknown(&["left", "right", "by", "left_transform", "right_transform"], mistakes);
        let unit = match entry.text("by", mistakes) {
            None => Unit::Value,
            Some(found) => match found.value.as_str() {
                "value" => Unit::Value,
                "day" => Unit::Day,
                "month" => Unit::Month,
                _ => {
                    let remedy = "write by = \"value\", \"day\" or \"month\"";
                    mistakes.add(found.origin, &entry.setting("by"), "not a part of a value", remedy);
                    continue;
                }
            },
        };
        let left = fields::column_with(&entry, "left", "left_transform", mistakes);
        let right = fields::column_with(&entry, "right", "right_transform", mistakes);
        if let (Some(left), Some(right)) = (left, right) {
            counts.push(CountPair { left, right, unit });
        }
    }
    counts
}

fn strategy(section: &Section<'_>, mistakes: &mut Mistakes) -> Strategy {
    let Some(found) = section.text("strategy", mistakes) else { return Strategy::Auto };
    match found.value.as_str() {
        "auto" => Strategy::Auto,
        "keys" => Strategy::Keys,
        "checksums" => Strategy::Checksums,
        _ => {
            let remedy = "write \"auto\", \"keys\" or \"checksums\", or leave it out for auto";
            mistakes.add(found.origin, &section.setting("strategy"), "not a strategy", remedy);
            Strategy::Auto
        }
    }
}
