//! What a run has reached: each fault, state, transition and crash point, with how often.

use crate::plan::Point;
use quittance_core::dispute::DisputeStatus;
use quittance_core::effect::State;
use quittance_core::payment::Status;
use quittance_core::refund::RefundStatus;
use std::collections::BTreeMap;
use std::fmt::Write;

/// So many seeds must reach everything.
pub const SEEDS_FOR_ALL: u64 = 10_000;

/// Counts by group and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<(&'static str, &'static str), u64>,
    transitions: BTreeMap<(&'static str, &'static str, &'static str), u64>,
}

/// Faults that have come about, not only been planned.
pub const FAULTS: [&str; 40] = [
    "lose_request",
    "lose_answer",
    "reset",
    "late",
    "twice",
    "refuse",
    "error",
    "error_after",
    "error_before",
    "unavailable",
    "unavailable_after",
    "throttle",
    "unauthorised",
    "in_use",
    "html",
    "truncated",
    "cut_refused",
    "cut_silent",
    "client_answer_lost",
    "store_full",
    "store_failed",
    "commit_lost_in",
    "commit_lost_out",
    "clock_back",
    "clock_ahead",
    "reboot",
    "stall",
    "webhook_lost",
    "webhook_repeated",
    "webhook_late",
    "webhook_forged",
    "webhook_answer_lost",
    "key_reused_otherwise",
    "double_command",
    "timeout",
    "old_writer_refused",
    "paused",
    "secret_rotated",
    "refund_elsewhere",
    "parked",
];

/// Ways in which payments' effects move that every long run has to see.
const PAYMENT_MOVES: [(&str, &str); 26] = [
    ("intended", "sending"),
    ("sending", "unknown"),
    ("sending", "intended"),
    ("sending", "pending"),
    ("sending", "succeeded"),
    ("sending", "failed"),
    ("unknown", "sending"),
    ("unknown", "intended"),
    ("unknown", "pending"),
    ("unknown", "succeeded"),
    ("unknown", "failed"),
    ("unknown", "canceled"),
    ("unknown", "not_executed"),
    ("unknown", "review"),
    ("not_executed", "sending"),
    ("pending", "succeeded"),
    ("pending", "failed"),
    ("pending", "canceled"),
    ("pending", "intended"),
    ("pending", "pending"),
    ("review", "succeeded"),
    ("review", "failed"),
    ("intended", "canceled"),
    ("sending", "canceled"),
    ("intended", "intended"),
    ("review", "intended"),
];

/// The same of refunds' effects.
const REFUND_MOVES: [(&str, &str); 15] = [
    ("intended", "sending"),
    ("sending", "unknown"),
    ("sending", "pending"),
    ("sending", "succeeded"),
    ("sending", "failed"),
    ("unknown", "sending"),
    ("unknown", "succeeded"),
    ("unknown", "pending"),
    ("unknown", "not_executed"),
    ("unknown", "review"),
    ("not_executed", "sending"),
    ("pending", "succeeded"),
    ("pending", "failed"),
    ("pending", "canceled"),
    ("review", "succeeded"),
];

impl Coverage {
    /// Counts something once more.
    pub fn count(&mut self, group: &'static str, name: &'static str) {
        *self.counts.entry((group, name)).or_default() += 1;
    }

    /// Counts a move of an effect.
    pub fn count_move(&mut self, group: &'static str, from: &'static str, to: &'static str) {
        *self.transitions.entry((group, from, to)).or_default() += 1;
    }

    /// Adds what another run has reached.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.counts {
            *self.counts.entry(*what).or_default() += count;
        }
        for (what, count) in &other.transitions {
            *self.transitions.entry(*what).or_default() += count;
        }
    }

    /// What has to be reached, and was not.
    #[must_use]
    pub fn unreached(&self) -> Vec<String> {
        let names = wanted().into_iter().filter(|what| !self.counts.contains_key(what));
        let mut missing: Vec<String> = names.map(|(group, name)| format!("{group} {name}")).collect();
        for (group, moves) in [("payment_move", &PAYMENT_MOVES[..]), ("refund_move", &REFUND_MOVES[..])] {
            let unseen = moves.iter().filter(|(from, to)| !self.transitions.contains_key(&(group, *from, *to)));
            missing.extend(unseen.map(|(from, to)| format!("{group} {from} -> {to}")));
        }
        missing
    }

    /// All of it, for people: one line for each thing, with how often.
    #[must_use]
    pub fn report(&self) -> String {
        let mut text = String::new();
        let mut all: BTreeMap<(&str, &str), u64> = wanted().into_iter().map(|what| (what, 0)).collect();
        all.extend(&self.counts);
        for ((group, name), count) in all {
            let _ = writeln!(text, "  {group:<16} {name:<24} {count:>10}");
        }
        for ((group, from, to), count) in &self.transitions {
            let _ = writeln!(text, "  {group:<16} {:<24} {count:>10}", format!("{from} -> {to}"));
        }
        text
    }
}

fn wanted() -> Vec<(&'static str, &'static str)> {
    let mut wanted: Vec<(&str, &str)> = FAULTS.map(|name| ("fault", name)).into();
    wanted.extend(Point::ALL.map(|point| ("crash", point.name())));
    wanted.extend(State::ALL.map(|state| ("effect", state.name())));
    wanted.extend(Status::ALL.map(|status| ("payment", status.name())));
    wanted.extend(RefundStatus::ALL.map(|status| ("refund", status.name())));
    let disputes = ["warning_needs_response", "warning_under_review", "warning_closed", "needs_response"];
    wanted.extend(disputes.map(|word| ("dispute", word)));
    wanted.extend(["under_review", "won", "lost"].map(|word| ("dispute", word)));
    wanted
}

/// The name of a dispute's status, where it is one that this version knows.
#[must_use]
pub fn dispute_word(word: &str) -> Option<&'static str> {
    let known = ["warning_needs_response", "warning_under_review", "warning_closed", "needs_response"];
    let more = ["under_review", "won", "lost", "prevented"];
    let known = known.into_iter().chain(more).find(|known| *known == word);
    known.filter(|_| DisputeStatus::KNOWN.iter().any(|status| status.name() == word))
}
