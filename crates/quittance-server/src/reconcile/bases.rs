//! What both sides of a pair last agreed on: kept with each run, where fields are merged, and found again when they differ.
//!
//! A repair makes no entry here: the next comparison sees what it wrote as equal. Until then the newest repair of the field
//! says what is agreed on; one that was taken back, altered, or made by half says that nobody knows. So nothing depends on
//! what is written between a repair and the next comparison.

use super::EARLIER_MAX;
use super::journal::{Kept, Repairs, run as run_of};
use super::plan::value_of;
use super::resume::is_perhaps_written;
use super::state::time;
use crate::config::{FieldPair, Pair as PairConfig, SideRef};
use crate::diff::{Agreement, Entry, Places, known_as};
use quittance_core::id::RunId;
use quittance_core::pair::compare::{Finding, Kind};
use quittance_core::pair::row::{Record, decode_fields, decode_identity};
use quittance_core::pair::value_map::Meaning;
use quittance_core::pair::{Pair, Which};
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use quittance_store::records::{Agreed, Base, Entity, RepairCause, RepairPlan, RepairState, record_digest_of};
use quittance_store::store::{Change, Loaded, Read, Store, StoreError, Work};
use quittance_store::tables::BASES;
use quittance_store::value::Key;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Records that are brought up to date at once.
const PORTION: usize = 500;

/// Why what is agreed on cannot be kept.
#[derive(Debug, thiserror::Error)]
enum Unkept {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Keeps what a run found to agree, where it is not what is kept already. Should it end in between, the rest is as old as it was.
///
/// # Errors
///
/// [`StoreError`] when it cannot be kept, or the temporary file that it is in cannot be read.
pub fn keep(
    store: &mut dyn Store,
    pair: &str,
    agreement: &Agreement,
    (run, seen_at): (RunId, Timestamp),
) -> Result<(), StoreError> {
    let now = time(store)?;
    let kept = agreement.each::<Unkept>(PORTION, |entries| {
        let keeping = Keeping { pair, fields: &agreement.fields, run, seen_at, now };
        let keys: Vec<Key> = entries.iter().map(|(record, _)| key(pair, record)).collect();
        let known = store.get_many(&BASES, &keys)?;
        let mut changed = Vec::new();
        for (entry, row) in entries.into_iter().zip(known) {
            if keeping.newer(&entry, row.as_ref().map(base).transpose()?).is_some() {
                changed.push(entry);
            }
        }
        if !changed.is_empty() {
            store.transact("keeping what both sides agree on", &mut Writing { keeping, entries: changed })?;
        }
        Ok(())
    });
    kept.map_err(|unkept| match unkept {
        Unkept::Store(error) => error,
        Unkept::Io(error) => StoreError::Failed { operation: "reading a temporary file", source: error.into() },
    })
}

fn base(row: &quittance_store::value::Row) -> Result<Base, StoreError> {
    Base::from_row(row).map_err(|error| StoreError::Corrupt { place: "bases".into(), what: error.to_string() })
}

fn key(pair: &str, record: &[u8; 32]) -> Key {
    vec![pair.into(), record.as_slice().into()]
}

/// The rows that are marked as touched when these repairs are begun.
pub(super) fn touched_reads(pair: &str, plans: &[RepairPlan]) -> Vec<Read> {
    let places: BTreeSet<&[u8; 32]> = plans.iter().filter_map(|plan| plan.place.as_ref()).collect();
    places.into_iter().map(|place| Read::Row { table: &BASES, key: key(pair, place) }).collect()
}

/// Marks them: what these repairs write is looked up until a comparison has seen all of it agree.
pub(super) fn touched(pair: &str, plans: &[RepairPlan], loaded: &Loaded) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    let places: BTreeSet<&[u8; 32]> = plans.iter().filter_map(|plan| plan.place.as_ref()).collect();
    for place in places {
        let Some(row) = loaded.row(&BASES, &key(pair, place)).flatten() else { continue };
        let base = Base::from_row(row).map_err(|error| error.to_string())?;
        changes.push(Change::Upsert { table: &BASES, row: Base { is_touched: true, ..base }.to_row() });
    }
    Ok(changes)
}

/// Whether repairs of a run make both sides say the same.
const fn is_of_a_comparison(cause: RepairCause) -> bool {
    match cause {
        RepairCause::Reconcile => true,
        RepairCause::Undo | RepairCause::Import => false,
    }
}

#[derive(Clone, Copy)]
struct Keeping<'a> {
    pair: &'a str,
    fields: &'a [String],
    run: RunId,
    seen_at: Timestamp,
    now: Timestamp,
}

/// Whether somebody saw it by a clock that is ahead: when it was is not known, nor what was written since.
fn is_ahead(agreed: &Agreed, now: Timestamp) -> bool {
    agreed.seen_at > now
}

impl Keeping<'_> {
    /// What is to be kept of a record; none where that is what is kept. What does not agree now stays as it was agreed on.
    fn newer(&self, (record, values): &Entry, known: Option<Base>) -> Option<Base> {
        let (was_touched, known) = known.map_or((false, Vec::new()), |base| (base.is_touched, base.agreed));
        // A comparison that was overtaken says nothing of now, unless by one whose clock is ahead: that would overtake all.
        if known.iter().any(|one| one.run > self.run && !is_ahead(one, self.now)) {
            return None;
        }
        let mut agreed = Vec::new();
        for (field, value) in self.fields.iter().zip(values) {
            let before = known.iter().find(|one| one.field == *field);
            let is_kept = |before: &&Agreed| match value {
                _ if is_ahead(before, self.now) => false,
                None => true,
                Some(value) => *value == before.value && !was_touched,
            };
            match (before.filter(is_kept), value) {
                (Some(before), _) => agreed.push(before.clone()),
                (None, Some(value)) => {
                    let (field, value) = (field.clone(), value.clone());
                    agreed.push(Agreed { field, value, run: self.run, seen_at: self.seen_at });
                }
                (None, None) => {}
            }
        }
        // What is not seen to agree now is still looked up.
        let is_touched = was_touched && values.iter().any(Option::is_none);
        let is_news = agreed != known || is_touched != was_touched;
        is_news.then(|| Base { pair: self.pair.to_owned(), record: *record, is_touched, agreed })
    }
}

struct Writing<'a> {
    keeping: Keeping<'a>,
    entries: Vec<Entry>,
}

impl Work for Writing<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        self.entries
            .iter()
            .map(|(record, _)| Read::Row { table: &BASES, key: key(self.keeping.pair, record) })
            .collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let mut changes = Vec::new();
        for entry in &self.entries {
            let row = loaded.row(&BASES, &key(self.keeping.pair, &entry.0)).flatten();
            let known = row.map(Base::from_row).transpose().map_err(|error| error.to_string())?;
            let newer = self.keeping.newer(entry, known);
            changes.extend(newer.map(|base| Change::Upsert { table: &BASES, row: base.to_row() }));
        }
        Ok(changes)
    }
}

/// What both sides last agreed on, for each field of a pair that is merged and in which a finding's records differ.
///
/// # Errors
///
/// [`StoreError`] when it cannot be read.
pub(super) fn agreed_on(
    kept: &mut Repairs<'_>,
    config: &PairConfig,
    pair: &Pair,
    finding: &Finding,
) -> Result<Vec<Option<Value<'static>>>, StoreError> {
    let mut found = vec![None; config.fields.len()];
    let (Kind::Different, Some(left), Some(right)) = (finding.kind, finding.left.first(), finding.right.first()) else {
        return Ok(found);
    };
    if !config.fields.iter().any(FieldPair::is_merged) {
        return Ok(found);
    }
    let Some(place) = place(config, pair, finding) else { return Ok(found) };
    let key = self::key(&kept.pair, &place);
    let row = kept.with(|store| store.get_many(&BASES, &[key]))?;
    let known = row.first().and_then(Option::as_ref).map(base).transpose()?.map_or(Vec::new(), |base| base.agreed);
    let (now, mut earlier) = (kept.with(time)?, Vec::new());
    for (which, side, seen) in [(Which::Left, &config.left, left), (Which::Right, &config.right, right)] {
        let record = Record::new(&seen.record);
        let said = decode_fields(record).into_iter().map(|field| field.said).collect();
        earlier.push(Earlier { which, said, repairs: kept.of(&of_side(side, record))? });
    }
    for (at, field) in config.fields.iter().enumerate().filter(|(_, field)| field.is_merged()) {
        // Where no comparison saw both agree, a repair says nothing either: it may be older than all that is known, as in
        // the journal of a backup that was restored.
        let name = known_as(pair, at);
        let Some(known) = known.iter().find(|one| one.field == name) else { continue };
        if is_ahead(known, now) {
            continue;
        }
        found[at] = match since(kept, pair, (at, field), &earlier, known)? {
            Since::Nothing => Some(known.value.clone()),
            Since::Agreed(value) => Some(value),
            Since::Unknown => None,
        };
    }
    Ok(found)
}

/// Where the records of a finding are, among those of their pair; none where one side has none.
pub(super) fn place(config: &PairConfig, pair: &Pair, finding: &Finding) -> Option<[u8; 32]> {
    let (key, left, right) = (finding.key.as_ref()?, finding.left.first()?, finding.right.first()?);
    let systems = [&config.left, &config.right].map(|side| (side.system.as_str(), side.object.as_str()));
    let places = Places::new(pair, systems);
    Some(places.of((finding.rule, key), Record::new(&left.record), Record::new(&right.record)))
}

fn of_side(side: &SideRef, record: Record<'_>) -> [u8; 32] {
    record_digest_of(&side.system, &side.object, decode_identity(record).iter())
}

/// What repairs say of a field, since a comparison last saw that both sides agree.
enum Since {
    Nothing,
    Agreed(Value<'static>),
    Unknown,
}

/// One side of a record that differs: what it says in each field, and the repairs of it, the newest first.
struct Earlier<'f> {
    which: Which,
    said: Vec<Value<'f>>,
    repairs: Vec<Kept>,
}

/// A repair that gave a field this, on one side.
struct Given<'e> {
    which: Which,
    repair: &'e Kept,
    value: Value<'static>,
    /// Whether the side says what it said before the repair: somebody took it back, or a replica does not show it yet.
    is_as_before: bool,
}

fn since(
    kept: &mut Repairs<'_>,
    pair: &Pair,
    (at, field): (usize, &FieldPair),
    earlier: &[Earlier<'_>],
    known: &Agreed,
) -> Result<Since, StoreError> {
    let (runs, is_cut) = given(earlier, (at, field), known);
    let mut newest = None;
    for (Reverse(run), repairs) in runs {
        let run = kept.with(|store| run_of(store, run))?;
        // What another pair wrote is as if anybody had written it.
        let is_ours = run.as_ref().is_none_or(|run| run.pair == kept.pair);
        if !is_ours || repairs.iter().all(|given| is_nothing_written(given.repair)) {
            continue;
        }
        // A merge of it would write over the other side what we have just replaced.
        if repairs.iter().any(|given| given.is_as_before && is_made(given.repair)) {
            return Ok(Since::Unknown);
        }
        let cause = run.map(|run| run.cause);
        let mut values = repairs.iter().map(|given| meant(pair, at, given.which, &given.value));
        let is_whole = repairs.iter().all(|given| is_made(given.repair)) && cause.is_some_and(is_of_a_comparison);
        let first = values.next().flatten().filter(|_| is_whole);
        let is_one = first.is_some() && values.all(|value| value == first);
        newest.get_or_insert(first.filter(|_| is_one).map_or(Since::Unknown, Since::Agreed));
    }
    Ok(newest.unwrap_or(if is_cut { Since::Unknown } else { Since::Nothing }))
}

/// The repairs of a field since a comparison saw it agree, by run, the newest first; and whether there may be more than were
/// looked at.
fn given<'e>(
    earlier: &'e [Earlier<'_>],
    (at, field): (usize, &FieldPair),
    known: &Agreed,
) -> (BTreeMap<Reverse<RunId>, Vec<Given<'e>>>, bool) {
    let (mut runs, mut is_cut) = (BTreeMap::<_, Vec<Given<'e>>>::new(), false);
    for Earlier { which, said, repairs } in earlier {
        let column = if *which == Which::Left { &field.left.name } else { &field.right.name };
        let is_since = |repair: &Kept| {
            // A clock may have been set back, so either is enough.
            repair.run >= known.run || repair.changed_at >= known.seen_at
        };
        is_cut |= repairs.len() >= EARLIER_MAX && repairs.last().is_some_and(is_since);
        for repair in repairs.iter().filter(|repair| is_since(repair)) {
            let Some(value) = value_of(&repair.plan.set, column).cloned() else { continue };
            let is_as_before = said.get(at).is_some_and(|said| value_of(&repair.plan.expected, column) == Some(said));
            runs.entry(Reverse(repair.run)).or_default().push(Given { which: *which, repair, value, is_as_before });
        }
    }
    (runs, is_cut)
}

const fn is_made(repair: &Kept) -> bool {
    matches!(repair.state, RepairState::Repaired | RepairState::Already)
}

fn is_nothing_written(repair: &Kept) -> bool {
    use RepairState::{Abandoned, AwaitingApproval, Gone, Moved, Refused, Rejected};
    matches!(repair.state, Abandoned | AwaitingApproval | Gone | Moved | Refused | Rejected)
        && !is_perhaps_written(repair)
}

/// What a word means that was written to a side.
fn meant(pair: &Pair, field: usize, which: Which, value: &Value<'static>) -> Option<Value<'static>> {
    let Some(map) = &pair.fields[field].values else { return Some(value.clone()) };
    let meaning = if which == Which::Left { map.left(value) } else { map.right(value) };
    match meaning {
        Meaning::Means(value) => Some(value.into_owned()),
        Meaning::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_by_a_clock_that_is_ahead_is_replaced_by_the_next_run() {
        let (run, fields) = (|at: u8| RunId::from_bytes([at; 16]), ["plan".to_owned()]);
        let base = |run, seen_at: i64, value: &'static str| Base {
            pair: "accounts".into(),
            record: [1; 32],
            is_touched: false,
            agreed: vec![Agreed { field: "plan".into(), value: Value::text(value), run, seen_at: Timestamp(seen_at) }],
        };
        let entry = |value: Option<&'static str>| ([1; 32], vec![value.map(Value::text)]);
        let newer = |value, known, now: i64| {
            let (seen_at, now) = (Timestamp(100), Timestamp(now));
            Keeping { pair: "accounts", fields: &fields, run: run(5), seen_at, now }.newer(&entry(value), Some(known))
        };
        let (ahead, overtook) = (base(run(9), 500, "basic"), base(run(9), 105, "basic"));
        assert_eq!(newer(Some("team"), ahead.clone(), 110), Some(base(run(5), 100, "team")));
        assert_eq!(
            newer(Some("basic"), ahead.clone(), 110),
            Some(base(run(5), 100, "basic")),
            "its time is told right"
        );
        assert_eq!(newer(None, ahead, 110).map(|base| base.agreed), Some(Vec::new()), "nobody knows when that was");
        assert_eq!(newer(Some("team"), overtook, 110), None, "this one was overtaken");
        assert_eq!(newer(None, base(run(4), 90, "basic"), 110), None, "it stays as it was agreed on");
    }
}
