//! What a run by schedule tells beside its result: numbers, a line of the log for each difference and repair, and what the
//! detectors make of it.

use crate::config::{Config, Pair, System};
use crate::reconcile::session::{Repaired, Session, Verdict, bent_remedy, bent_sentence};
use crate::reconcile::{Counts, Kept, Line};
use crate::{clock, metrics};
use quittance_core::pair::compare::Seen as SeenRecord;
use quittance_core::pair::detect::shape::{Bent, Seen};
use quittance_core::pair::detect::silence::{self, Before, Confirmed};
use quittance_core::pair::repair::Withheld;
use quittance_core::pair::row::Record;
use quittance_core::pair::settle::Standing;
use quittance_core::time::Timestamp;
use quittance_store::records::{Drift, PairMemory, RepairState, Run};

/// Lines of the log of one run, at most; what is more is told as a number.
const LINES_MAX: usize = 1_000;

/// Bent fields that one alert names.
const BENT_MAX: usize = 2;

/// What a run came to, as it is kept and told.
#[derive(Default)]
pub(super) struct Observed {
    /// The outcome, as a stable word.
    pub(super) word: &'static str,
    /// The same for people.
    pub(super) statement: String,
    /// What detectors remember from now on.
    pub(super) memory: PairMemory,
    /// Differences that are confirmed, and not repaired.
    pub(super) open: u64,
    /// When the oldest difference was found that is confirmed.
    pub(super) oldest: Option<Timestamp>,
    /// Repairs that wait for approval, from this run or another.
    pub(super) waiting: u64,
    /// How many repairs the brake stopped.
    pub(super) braked: Option<u64>,
    /// Fields that look other than before.
    pub(super) shape: Option<Shape>,
}

/// What is told of fields that look other than before.
pub(super) struct Shape {
    /// Which, how, and what makes it usual.
    pub(super) what: String,
    /// Records in which they do.
    pub(super) records: u64,
    /// Since when.
    pub(super) since: Timestamp,
}

/// Tells what a run came to.
pub(super) fn observe(config: &Config, session: &Session<'_>, repaired: &Repaired, known: &PairMemory) -> Observed {
    let (name, now) = (session.name, clock::now());
    let counts = repaired.outcome.counts();
    let mut states = Counts::default();
    repaired.repairs.iter().for_each(|one| states.add(one.state));
    let made = states.of(&[RepairState::Repaired]);
    let is_waiting = |line: &&Line| line.why == Withheld::Waits;
    let waiting =
        states.of(&[RepairState::AwaitingApproval]) + repaired.plan.withheld.iter().filter(is_waiting).count() as u64;
    let confirmed = counts.different + counts.left_only + counts.right_only + counts.ambiguous;
    let open = confirmed.saturating_sub(repaired.settled());
    log(name, repaired);
    metrics::pair_compared(
        name,
        &metrics::Compared { open, suspect: counts.suspect, withheld: repaired.plan.withheld.len() as u64, waiting },
    );
    states.0.iter().for_each(|(state, many)| metrics::pair_repairs(name, state.name(), *many));
    let oldest = repaired.told.drifts.iter().filter(is_confirmed).map(|one| one.first_seen_at).min();
    metrics::pair_divergence(name, oldest.filter(|_| open > 0).map_or(0, |since| now.ms_since(since)));
    found(repaired).for_each(|at| metrics::pair_detected(name, now.ms_since(at)));
    let memory = judged(is_heard(config, session.pair), repaired, known);
    metrics::pair_silence(name, memory.silence);
    if let Some(silence) = memory.silence {
        let since = quittance_core::record::value::Value::Timestamp(silence.since).to_string();
        tracing::error!(
            pair = name,
            changes = silence.count,
            since,
            "changes came that no event announced: are webhooks lost?"
        );
    }
    let shape = shape(repaired);
    if let Some(Shape { what, records, .. }) = &shape {
        tracing::error!(pair = name, records, what, "a field looks other than before");
    }
    let statement =
        format!("{} records equal, {made} repaired, {waiting} wait for approval, {open} open", repaired.outcome.equal);
    let braked = repaired.plan.stopped.map(|_| repaired.plan.proposals.len() as u64);
    Observed { word: word(repaired), statement, memory, open, oldest, waiting, braked, shape }
}

fn word(repaired: &Repaired) -> &'static str {
    match repaired.verdict() {
        _ if repaired.plan.stopped.is_some() => "braked",
        Verdict::Good if repaired.outcome.has_drift() => "repaired",
        Verdict::Good => "equal",
        Verdict::Braked => "waiting",
        Verdict::Left => "drift",
    }
}

/// Fields that look other than before, the first ones named.
fn shape(repaired: &Repaired) -> Option<Shape> {
    let (pair, bent) = (&repaired.outcome.pair, &repaired.bent);
    let since = bent.iter().map(|one| one.since).min()?;
    let affected =
        |bent: &Bent, seen: &Seen| if matches!(bent, Bent::Unknown(_)) { seen.unknown } else { seen.nothing };
    let records = bent.iter().filter_map(|one| one.now.as_ref()).map(|(seen, bent)| affected(bent, seen)).max();
    let mut said: Vec<String> = bent.iter().take(BENT_MAX).map(|one| bent_sentence(pair, one)).collect();
    if bent.len() > BENT_MAX {
        said.push(format!("and {} more", bent.len() - BENT_MAX));
    }
    let what = format!("{}: {}", said.join("; "), bent_remedy(pair, &bent[..bent.len().min(BENT_MAX)]));
    Some(Shape { what, records: records.unwrap_or(0), since })
}

fn is_confirmed(drift: &&Drift) -> bool {
    drift.standing == crate::diff::standing_word(Standing::Confirmed)
}

/// Whether events are expected: where both sides are databases nobody expects any.
fn is_heard(config: &Config, pair: &Pair) -> bool {
    let is_stripe = |name: &str| matches!(config.systems.get(name), Some(System::Stripe { .. }));
    pair.service.silence.unwrap_or(is_stripe(&pair.left.system) || is_stripe(&pair.right.system))
}

/// What is remembered once the changes are judged that no event announced.
fn judged(is_heard: bool, repaired: &Repaired, known: &PairMemory) -> PairMemory {
    if !is_heard {
        return PairMemory { silence: None, judged: None, ..known.clone() };
    }
    remember(&repaired.told.confirmed, repaired.before.as_ref().map(before), before(&repaired.told.run), known)
}

/// Judges against the run that was judged last. What is kept since by whoever compared by hand was judged by nobody: against that,
/// what it found first would be no news.
fn remember(confirmed: &[Confirmed], newest: Option<Before>, run: Before, known: &PairMemory) -> PairMemory {
    let silence = silence::judge(confirmed, known.judged.or(newest), known.silence);
    PairMemory { silence, judged: Some(run), ..known.clone() }
}

fn before(run: &Run) -> Before {
    Before { started_at: run.started_at, as_of: run.right_as_of.or(run.left_as_of).unwrap_or(run.started_at) }
}

/// When each difference came to be that was not there before, as far as its records say.
fn found(repaired: &Repaired) -> impl Iterator<Item = Timestamp> {
    let modified = |seen: &[SeenRecord]| seen.iter().filter_map(|one| Record::new(&one.record).modified()).max();
    let is_new = |drift: &Drift| drift.first_seen_at == repaired.told.run.started_at;
    let new = repaired.outcome.reported.iter().zip(&repaired.told.drifts);
    new.filter(move |(_, drift)| is_confirmed(drift) && is_new(drift))
        .filter_map(move |(one, _)| modified(&one.finding.left).max(modified(&one.finding.right)))
}

/// A line for each difference and each repair. Values are customers' data, and stay out.
fn log(pair: &str, repaired: &Repaired) {
    let run = repaired.told.run.id;
    for drift in repaired.told.drifts.iter().filter(is_confirmed).take(LINES_MAX) {
        tracing::info!(pair, %run, key = drift.key, kind = drift.kind, "a difference was found");
    }
    for Kept { no, state, plan, .. } in repaired.repairs.iter().take(LINES_MAX) {
        tracing::info!(pair, %run, no, key = plan.key, side = plan.side, state = state.name(), "a repair");
    }
    let more = repaired.told.drifts.len().saturating_sub(LINES_MAX) + repaired.repairs.len().saturating_sub(LINES_MAX);
    if more > 0 {
        tracing::info!(pair, %run, more, "more differences and repairs, which are kept with the run");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_by_hand_found_is_judged_by_the_next_one_by_schedule() {
        let run = |at: i64| Before { started_at: Timestamp(at), as_of: Timestamp(at) };
        let first = remember(&[], None, run(100), &PairMemory::default());
        assert_eq!((first.silence, first.judged), (None, Some(run(100))));
        // Somebody compares and keeps it, and finds first what no event announced.
        let found = vec![Confirmed { event_at: None, first_seen_at: Timestamp(200) }; 3];
        let second = remember(&found, Some(run(200)), run(300), &first);
        assert_eq!(second.silence.map(|silence| (silence.count, silence.after)), Some((3, Timestamp(100))));
        let third = remember(&[], Some(run(300)), run(400), &second);
        assert_eq!((third.silence, third.judged), (None, Some(run(400))));
    }
}
