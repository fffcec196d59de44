//! What a pair answers when it is asked what is true: `truth = { side = "right", max_age = "5m" }`.

use super::fields::FieldPair;
use super::{ColumnRef, SideRef, System};
use crate::config::errors::Mistakes;
use crate::config::section::{Found, Section, unknown_remedy};
use quittance_core::pair::Which;
use quittance_core::pair::repair::Authority;
use std::collections::BTreeMap;
use std::time::Duration;

/// How a pair is asked what is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// The side that is believed.
    pub side: Which,
    /// How old an answer may be, where the question does not say.
    pub max_age: Duration,
    /// How old the answer that there is no such record may be, at most.
    pub negative_max_age: Duration,
    /// What is answered where the believed side cannot be asked.
    pub policy: TruthPolicy,
    /// What is answered where it has no such record.
    pub not_found: NotFound,
    /// How long a question waits for the believed side.
    pub timeout: Duration,
    /// Questions to the believed side at once, of one server.
    pub calls_max: usize,
    /// Tenants whose keys may ask, beside keys of scope `admin`.
    pub tenants: Vec<String>,
}

/// What is answered where nobody can be asked and nothing that is known is fresh enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TruthPolicy {
    /// What was known last, if it is not older than the age that was asked for and this beside.
    Stale(Duration),
    /// 503: to be taken for a no.
    Deny,
    /// 502, with what the believed side said.
    Error,
}

/// What is answered where there is no such record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NotFound {
    /// 200, and `found` is false.
    #[default]
    Answer,
    /// 404.
    Error,
}

const KEYS: [&str; 9] =
    ["side", "max_age", "negative_max_age", "stale_if_error", "policy", "not_found", "timeout", "calls_max", "tenants"];

/// Longest age, in milliseconds: a week.
const AGE_MS_MAX: u64 = 7 * 86_400_000;

/// Most tenants that are named.
const TENANTS_MAX: usize = 1_000;

/// What of the pair decides whether it can be asked.
pub(super) struct Of<'p> {
    pub(super) sides: [&'p SideRef; 2],
    pub(super) rule: &'p (Vec<ColumnRef>, Vec<ColumnRef>),
    pub(super) fields: &'p [FieldPair],
    pub(super) systems: &'p BTreeMap<String, System>,
}

/// Reads it; none where a pair is not to be asked.
pub(super) fn parse(section: &Section<'_>, of: &Of<'_>, mistakes: &mut Mistakes) -> Option<Truth> {
    let table = section.table_of("truth", mistakes)?;
    table.refuse_unknown(&KEYS, mistakes);
    let side = side(&table, of.fields, mistakes)?;
    refuse_what_cannot_be_asked(&table, side, of, mistakes);
    let max_age = table.span("max_age", 0..=AGE_MS_MAX, mistakes).unwrap_or(Duration::from_secs(300));
    let negative = table.span("negative_max_age", 0..=AGE_MS_MAX, mistakes).unwrap_or(Duration::from_secs(30));
    let tenants = if table.has("tenants") { table.texts("tenants", mistakes) } else { None };
    super::limit(&table, "tenants", tenants.as_ref().map_or(0, Vec::len), TENANTS_MAX, mistakes);
    Some(Truth {
        side,
        max_age,
        negative_max_age: negative,
        policy: policy(&table, mistakes),
        not_found: not_found(&table, mistakes),
        timeout: table.span("timeout", 10..=60_000, mistakes).unwrap_or(Duration::from_secs(5)),
        // The range fits.
        calls_max: table.number("calls_max", 4, 1..=64, mistakes).value as usize,
        tenants: tenants.unwrap_or_default().into_iter().map(|found| found.value).collect(),
    })
}

/// Where nothing is said, the side that every field believes.
fn side(table: &Section<'_>, fields: &[FieldPair], mistakes: &mut Mistakes) -> Option<Which> {
    const REMEDY: &str = "add side = \"left\" or side = \"right\": the side that is believed";
    if let Some(found) = table.text("side", mistakes) {
        return match found.value.as_str() {
            "left" => Some(Which::Left),
            "right" => Some(Which::Right),
            _ => {
                mistakes.add(found.origin, &table.setting("side"), "not a side", REMEDY);
                None
            }
        };
    }
    let all = |authority| !fields.is_empty() && fields.iter().all(|field| field.policy.authority == authority);
    let believed = [(Authority::Left, Which::Left), (Authority::Right, Which::Right)];
    let found = believed.into_iter().find(|(authority, _)| all(*authority)).map(|(_, which)| which);
    if found.is_none() && !table.has("side") {
        mistakes.add(
            table.origin(),
            &table.setting("side"),
            "missing, and the fields do not all believe one side",
            REMEDY,
        );
    }
    found
}

/// A record has to be found by its key without reading all of them.
fn refuse_what_cannot_be_asked(table: &Section<'_>, side: Which, of: &Of<'_>, mistakes: &mut Mistakes) {
    let (named, columns) = match side {
        Which::Left => (of.sides[0], &of.rule.0),
        Which::Right => (of.sides[1], &of.rule.1),
    };
    if matches!(of.systems.get(&named.system), Some(System::Csv { .. })) {
        let what = format!("`{}` is a file, of which no record can be asked for by its key", named.system);
        mistakes.add(table.origin(), &table.name, what, "believe the other side, or remove truth");
    }
    if let Some(column) = columns.iter().find(|column| !column.steps.is_empty() || column.pointer.is_some()) {
        let what = format!(
            "`{}` of the first rule is matched as something else than it holds, and cannot be asked for",
            column.name
        );
        mistakes.add(table.origin(), &table.name, what, "match by columns without transforms first, or remove truth");
    }
}

fn policy(table: &Section<'_>, mistakes: &mut Mistakes) -> TruthPolicy {
    const KNOWN: [&str; 3] = ["stale_if_error", "deny", "error"];
    const SPAN: &str = "stale_if_error";
    let span = table.span(SPAN, 1..=AGE_MS_MAX, mistakes);
    let word = table.text("policy", mistakes);
    let stale = || TruthPolicy::Stale(span.unwrap_or(Duration::from_secs(3_600)));
    let strict = |strict: TruthPolicy, found: &Found<String>, mistakes: &mut Mistakes| {
        if let Some(origin) = table.origin_of(SPAN) {
            let what = format!("says that old answers are good, and policy = \"{}\" that they are not", found.value);
            mistakes.add(origin, &table.setting(SPAN), what, "remove one of them");
        }
        strict
    };
    match word {
        None if table.has(SPAN) => stale(),
        None => TruthPolicy::Error,
        Some(found) => match found.value.as_str() {
            "stale_if_error" => stale(),
            "deny" => strict(TruthPolicy::Deny, &found, mistakes),
            "error" => strict(TruthPolicy::Error, &found, mistakes),
            _ => {
                mistakes.add(
                    found.origin,
                    &table.setting("policy"),
                    "not a policy",
                    unknown_remedy(&found.value, &KNOWN),
                );
                TruthPolicy::Error
            }
        },
    }
}

fn not_found(table: &Section<'_>, mistakes: &mut Mistakes) -> NotFound {
    let Some(found) = table.text("not_found", mistakes) else { return NotFound::default() };
    match found.value.as_str() {
        "answer" => NotFound::Answer,
        "error" => NotFound::Error,
        _ => {
            let remedy = "write \"answer\" (200, found is false) or \"error\" (404)";
            mistakes.add(found.origin, &table.setting("not_found"), "not something to answer", remedy);
            NotFound::default()
        }
    }
}
