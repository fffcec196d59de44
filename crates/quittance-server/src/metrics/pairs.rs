//! Numbers of pairs that are compared by schedule.

use metrics::{counter, gauge, histogram};
use quittance_core::pair::detect::silence::Silence;
use quittance_core::time::Timestamp;
use quittance_store::records::PairState;
use std::time::Duration;

/// What a run came to.
pub(crate) struct Compared {
    /// Differences that are confirmed, and not repaired.
    pub(crate) open: u64,
    /// Those that were not there at the second look, or others.
    pub(crate) suspect: u64,
    /// Those that are left to a person.
    pub(crate) withheld: u64,
    /// Repairs that wait for approval.
    pub(crate) waiting: u64,
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

/// How a pair stands, as whoever worked on it has left it.
pub(crate) fn pair_state(pair: &str, state: Option<&PairState>, is_here: bool, now: Timestamp) {
    let pair = pair.to_owned();
    let age = |at: Option<Timestamp>| at.map_or(f64::INFINITY, |at| seconds(now.ms_since(at)));
    let past = |at: Option<Timestamp>| at.map_or(0.0, |at| seconds(now.ms_since(at)));
    gauge!("quittance_pair_run_age_seconds", "pair" => pair.clone()).set(age(state.and_then(|state| state.ended_at)));
    gauge!("quittance_pair_good_age_seconds", "pair" => pair.clone()).set(age(state.and_then(|state| state.good_at)));
    gauge!("quittance_pair_overdue_seconds", "pair" => pair.clone()).set(past(state.and_then(|state| state.due_at)));
    gauge!("quittance_pair_failures", "pair" => pair.clone()).set(state.map_or(0.0, |state| f64::from(state.failures)));
    gauge!("quittance_pair_failing_seconds", "pair" => pair.clone())
        .set(past(state.and_then(|state| state.failing_since)));
    gauge!("quittance_pair_paused", "pair" => pair.clone()).set(flag(state.is_some_and(|state| state.pause.is_some())));
    gauge!("quittance_pair_lease_held", "pair" => pair.clone()).set(flag(is_here));
    let bent = state.map_or(0, |state| state.memory.shapes.bent.len());
    gauge!("quittance_pair_bent_fields", "pair" => pair.clone()).set(bent as f64);
    pair_silence(&pair, state.and_then(|state| state.memory.silence));
}

/// A run that ended, by what came of it.
pub(crate) fn pair_run(pair: &str, outcome: &'static str) {
    counter!("quittance_pair_runs_total", "pair" => pair.to_owned(), "outcome" => outcome).increment(1);
}

pub(crate) fn pair_compared(pair: &str, compared: &Compared) {
    let pair = pair.to_owned();
    gauge!("quittance_pair_open_differences", "pair" => pair.clone()).set(compared.open as f64);
    gauge!("quittance_pair_suspect_differences", "pair" => pair.clone()).set(compared.suspect as f64);
    gauge!("quittance_pair_withheld_differences", "pair" => pair.clone()).set(compared.withheld as f64);
    gauge!("quittance_pair_waiting_repairs", "pair" => pair).set(compared.waiting as f64);
}

pub(crate) fn pair_repairs(pair: &str, state: &'static str, many: u64) {
    counter!("quittance_pair_repairs_total", "pair" => pair.to_owned(), "state" => state).increment(many);
}

/// How long the oldest difference has been there that is open.
pub(crate) fn pair_divergence(pair: &str, ms: u64) {
    gauge!("quittance_pair_divergence_seconds", "pair" => pair.to_owned()).set(seconds(ms));
}

/// A difference that was found, so long after its records were last changed.
pub(crate) fn pair_detected(pair: &str, ms: u64) {
    histogram!("quittance_pair_detection_seconds", "pair" => pair.to_owned()).record(seconds(ms));
}

/// The changes that no event announced, and since when.
pub(crate) fn pair_silence(pair: &str, silence: Option<Silence>) {
    let count = silence.map_or(0, |silence| silence.count);
    let since = silence.map_or(0, |silence| silence.since.seconds());
    gauge!("quittance_pair_silent_changes", "pair" => pair.to_owned()).set(count as f64);
    gauge!("quittance_pair_silent_since_timestamp_seconds", "pair" => pair.to_owned()).set(since as f64);
}
