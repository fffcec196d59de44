//! What is repaired by itself, what a person approves, and how much one run may repair.

use super::fields::{self, ColumnRef, texts};
use crate::config::brakes;
use crate::config::errors::Mistakes;
use crate::config::section::{Found, Section, unknown_remedy};
use quittance_core::pair::repair::{Authority, Brake, FieldPolicy, MergeAs};

/// What is done about what a comparison finds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Repairs {
    /// What becomes of repairs.
    pub apply: Apply,
    /// How much one run may repair.
    pub brake: Brake,
    /// Whether what takes something away from a customer waits for a person, whatever `apply` says.
    pub take_away: TakeAway,
    /// Whose record it is, on the left and on the right: nothing is taken away from a customer who has another record that
    /// is live.
    pub customer: Option<(ColumnRef, ColumnRef)>,
}

/// What becomes of repairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Apply {
    /// They are told; whoever runs the command may have them made.
    #[default]
    Report,
    /// Each waits until a person approves it.
    Approve,
    /// They are made.
    Auto,
}

/// What becomes of repairs that take something away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TakeAway {
    /// Each waits until a person approves it.
    #[default]
    Approve,
    /// As any other.
    Apply,
}

/// Words that take something away where nothing else is configured, as systems commonly say them.
pub const TAKES_AWAY: [&str; 20] = [
    "0",
    "blocked",
    "canceled",
    "cancelled",
    "deleted",
    "disabled",
    "ended",
    "expired",
    "f",
    "false",
    "free",
    "inactive",
    "incomplete_expired",
    "no",
    "none",
    "paused",
    "revoked",
    "suspended",
    "terminated",
    "unpaid",
];

/// The same for Stripe's `cancel_at_period_end`: what is true there ends something.
pub const ENDS: [&str; 4] = ["1", "t", "true", "yes"];

/// Keys of a pair that are read here.
pub(super) const KEYS: [&str; 5] = ["apply", "repairs_max", "repairs_share_max", "take_away", "customer"];

/// Reads what a pair says of repairs.
pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Repairs {
    let default = Brake::default();
    let repairs_max = section.number("repairs_max", default.repairs_max, 0..=1_000_000, mistakes).value;
    let share = brakes::share(section, "repairs_share_max", mistakes).and_then(|share| u64::try_from(share).ok());
    let share_max_ppm = share.map_or(default.share_max_ppm, |thousandths| thousandths * 1_000);
    const APPLY: &str = "write \"report\" (nothing is written by itself), \"approve\" (a person decides) or \"auto\"";
    let apply = section.text("apply", mistakes).and_then(|found| match found.value.as_str() {
        "report" => Some(Apply::Report),
        "approve" => Some(Apply::Approve),
        "auto" => Some(Apply::Auto),
        _ => wrong(&found, section, "apply", APPLY, mistakes),
    });
    const TAKE_AWAY: &str = "write \"approve\" (a person decides) or \"apply\" (as any other repair)";
    let take_away = section.text("take_away", mistakes).and_then(|found| match found.value.as_str() {
        "approve" => Some(TakeAway::Approve),
        "apply" => Some(TakeAway::Apply),
        _ => wrong(&found, section, "take_away", TAKE_AWAY, mistakes),
    });
    Repairs {
        apply: apply.unwrap_or_default(),
        brake: Brake { repairs_max, share_max_ppm },
        take_away: take_away.unwrap_or_default(),
        customer: customer(section, mistakes),
    }
}

fn customer(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<(ColumnRef, ColumnRef)> {
    let table = section.table_of("customer", mistakes)?;
    table.refuse_unknown(&["left", "right"], mistakes);
    let mut plain = |key| {
        let column = fields::column(&table, key, mistakes)?;
        if !column.steps.is_empty() || column.pointer.is_some() {
            let what = "is compared as something else than it holds, and could not be looked up";
            mistakes.add(table.origin(), &table.setting(key), what, "name a column without transforms");
        }
        Some(column)
    };
    plain("left").zip(plain("right"))
}

fn wrong<T>(
    found: &Found<String>,
    section: &Section<'_>,
    key: &str,
    remedy: &str,
    mistakes: &mut Mistakes,
) -> Option<T> {
    mistakes.add(found.origin.clone(), &section.setting(key), "not something to do", remedy);
    None
}

/// What takes something away in a field of which nothing else is said.
fn usual(entry: &Section<'_>) -> &'static [&'static str] {
    // What is wrong with the names is said where they are read.
    let name = |key| entry.text(key, &mut Mistakes::default());
    let is_end = |found: &Found<String>| found.value.trim_start_matches('/') == "cancel_at_period_end";
    if ["left", "right"].into_iter().filter_map(name).any(|found| is_end(&found)) { &ENDS } else { &TAKES_AWAY }
}

/// What becomes of a merged field that both sides changed.
fn merge(entry: &Section<'_>, authority: Option<Authority>, mistakes: &mut Mistakes) -> MergeAs {
    const REMEDY: &str = "write \"value\" (a person decides), \"set\" or \"counter\"";
    let Some(found) = entry.text("merge", mistakes) else { return MergeAs::default() };
    if authority != Some(Authority::Merge) {
        let remedy = "add authority = \"merge\"";
        mistakes.add(
            found.origin.clone(),
            &entry.setting("merge"),
            "says nothing of a field that is not merged",
            remedy,
        );
    }
    let merge = match found.value.as_str() {
        "value" => MergeAs::Value,
        "set" => MergeAs::Set,
        "counter" => MergeAs::Counter,
        _ => return wrong(&found, entry, "merge", REMEDY, mistakes).unwrap_or_default(),
    };
    if merge != MergeAs::Value && entry.has("values") {
        let what = "a map of words is neither a set nor a number";
        mistakes.add(found.origin, &entry.setting("merge"), what, "write merge = \"value\", or leave `values` out");
    }
    merge
}

/// Reads what a field says of repairs, but for the words of its map. A column that is compared as something else than it holds
/// cannot be written, whatever is said here: that is told of each repair, for the same file serves comparisons.
pub(super) fn field(entry: &Section<'_>, mistakes: &mut Mistakes) -> FieldPolicy {
    const KNOWN: [&str; 5] = ["left", "right", "newest", "merge", "manual"];
    let authority = entry.text("authority", mistakes).and_then(|found| match found.value.as_str() {
        "left" => Some(Authority::Left),
        "right" => Some(Authority::Right),
        "newest" => Some(Authority::Newest),
        "merge" => Some(Authority::Merge),
        "manual" => Some(Authority::Manual),
        _ => {
            let remedy = unknown_remedy(&found.value, &KNOWN);
            mistakes.add(found.origin, &entry.setting("authority"), "not an authority", remedy);
            None
        }
    });
    let merge = merge(entry, authority, mistakes);
    let words = if entry.has("takes_away") { texts(entry, "takes_away", mistakes) } else { None };
    let takes_away = words.unwrap_or_else(|| usual(entry).iter().map(|word| (*word).to_owned()).collect());
    FieldPolicy {
        authority: authority.unwrap_or_default(),
        merge,
        takes_away: takes_away.iter().map(|word| word.trim().to_lowercase()).collect(),
        ..FieldPolicy::default()
    }
}
