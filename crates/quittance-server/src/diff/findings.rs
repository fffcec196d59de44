//! What comparisons find, as a thing that lives on: opened when a run sees it, closed when a run does not find it any more,
//! opened again under the same id when it comes back.
//!
//! It is kept in the transaction that keeps the run, and follows from it alone. A run that began before one that has judged
//! already changes nothing: it knows less.

use super::told::people_key;
use crate::api::rows;
use crate::ids;
use quittance_core::id::{DiscrepancyId, RunId};
use quittance_core::time::Timestamp;
use quittance_engine::ports::Ids;
use quittance_store::records::{Drift, Entity, FindingState, PairFinding, Run};
use quittance_store::store::{Change, Loaded, Read, Reader, Scan, StoreError};
use quittance_store::tables::FINDINGS;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Rows that are read at once.
const PAGE: usize = 1_000;

/// The kind of disagreement that repairs are about.
const REPAIRED_KIND: &str = "different";

/// The digest under which a kind of disagreement under a key is kept.
pub(crate) fn digest(kind: &str, key: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update((kind.len() as u64).to_be_bytes());
    hasher.update(kind);
    hasher.update(key);
    hasher.finalize().into()
}

fn read(pair: &str, digest: [u8; 32]) -> Read {
    Read::Row { table: &FINDINGS, key: vec![pair.into(), digest.into()] }
}

fn loaded(known: &Loaded, pair: &str, digest: [u8; 32]) -> Result<Option<PairFinding>, String> {
    let row = known.row(&FINDINGS, &vec![pair.into(), digest.into()]).flatten();
    row.map(|row| PairFinding::from_row(row).map_err(|error| error.to_string())).transpose()
}

/// What of a pair is open, by the digests under which it is kept.
pub(super) fn open(reader: &mut dyn Reader, pair: &str) -> Result<Vec<[u8; 32]>, StoreError> {
    let mut open = Vec::new();
    for state in FindingState::OPEN {
        let mut after = None;
        loop {
            let scan = Scan::forward(&FINDINGS, vec![pair.into(), state.name().into()], PAGE);
            let scan = Scan { index: Some(&FINDINGS.indexes[1]), after: after.take(), ..scan };
            let page = rows::page::<PairFinding>(reader, &scan)?;
            open.extend(page.iter().map(|finding| finding.digest));
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(vec![last.id.bytes().into()]),
                _ => break,
            }
        }
    }
    Ok(open)
}

/// What a run says of findings.
pub(super) struct Judging<'a> {
    run: &'a Run,
    seen: BTreeMap<[u8; 32], &'a Drift>,
    open: Vec<[u8; 32]>,
}

impl<'a> Judging<'a> {
    /// What a run found, and what was open before it. What was gone at the second look was not found.
    pub(super) fn new(run: &'a Run, drifts: &'a [Drift], open: Vec<[u8; 32]>) -> Self {
        let is_seen = |drift: &&Drift| drift.standing != "settled";
        let mut seen = BTreeMap::new();
        for drift in drifts.iter().filter(is_seen) {
            // Of several without a key of their own, the first stands for all.
            seen.entry(digest(&drift.kind, &people_key(&drift.key))).or_insert(drift);
        }
        Self { run, seen, open }
    }

    pub(super) fn reads(&self) -> impl Iterator<Item = Read> {
        self.seen.keys().chain(&self.open).map(|digest| read(&self.run.pair, *digest))
    }

    /// The rows that follow.
    ///
    /// # Errors
    ///
    /// When a row cannot be read.
    pub(super) fn decide(&self, known: &Loaded) -> Result<Vec<Change>, String> {
        let mut changes = Vec::new();
        let mut ids = ids::SystemIds::default();
        for (digest, drift) in &self.seen {
            let before = loaded(known, &self.run.pair, *digest)?;
            let finding = match before {
                Some(before) if before.judged_at > self.run.started_at => continue,
                Some(before) => seen_again(before, drift, self.run),
                None => new(*digest, drift, self.run, DiscrepancyId::from_uuid(ids.uuid(self.run.started_at))),
            };
            changes.push(Change::Upsert { table: &FINDINGS, row: finding.to_row() });
        }
        for digest in self.open.iter().filter(|digest| !self.seen.contains_key(*digest)) {
            let Some(before) = loaded(known, &self.run.pair, *digest)? else { continue };
            let is_open = FindingState::OPEN.contains(&before.state) && before.judged_at <= self.run.started_at;
            if is_open {
                changes.push(Change::Upsert { table: &FINDINGS, row: gone(before, self.run).to_row() });
            }
        }
        Ok(changes)
    }
}

fn state_of(drift: &Drift) -> FindingState {
    if drift.standing == "confirmed" { FindingState::Confirmed } else { FindingState::Suspect }
}

fn new(digest: [u8; 32], drift: &Drift, run: &Run, id: DiscrepancyId) -> PairFinding {
    PairFinding {
        pair: run.pair.clone(),
        digest,
        id,
        kind: drift.kind.clone(),
        key: people_key(&drift.key),
        state: state_of(drift),
        first_seen_at: run.started_at,
        opened_at: run.started_at,
        last_seen_at: run.started_at,
        closed_at: None,
        judged_at: run.started_at,
        run: run.id,
        repair: None,
        content: drift.content,
        told: drift.told.clone(),
        ignored_by: None,
        ignored_reason: None,
    }
}

fn seen_again(before: PairFinding, drift: &Drift, run: &Run) -> PairFinding {
    let is_new = before.state == FindingState::Resolved;
    let seen = state_of(drift);
    let state = match before.state {
        // Good as it is, as long as it is as it was.
        FindingState::Ignored if before.content == drift.content => FindingState::Ignored,
        // What was seen twice once is not less certain because it changes.
        FindingState::Confirmed => FindingState::Confirmed,
        _ => seen,
    };
    let is_ignored = state == FindingState::Ignored;
    PairFinding {
        state,
        opened_at: if is_new { run.started_at } else { before.opened_at },
        last_seen_at: run.started_at,
        closed_at: None,
        judged_at: run.started_at,
        run: run.id,
        repair: before.repair.filter(|_| !is_new),
        content: drift.content,
        told: drift.told.clone(),
        ignored_by: before.ignored_by.filter(|_| is_ignored),
        ignored_reason: before.ignored_reason.filter(|_| is_ignored),
        ..before
    }
}

fn gone(before: PairFinding, run: &Run) -> PairFinding {
    let (ignored_by, ignored_reason) = (None, None);
    let state = FindingState::Resolved;
    PairFinding {
        state,
        closed_at: Some(run.ended_at),
        judged_at: run.started_at,
        ignored_by,
        ignored_reason,
        ..before
    }
}

/// What a repair means for the finding of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It holds what it was to hold: a run will say whether that was all.
    Repaired,
    /// It holds again what it held before.
    Undone,
}

/// One repair of a record with this key.
pub(crate) struct Repaired {
    pub(crate) key: String,
    pub(crate) repair: (RunId, i64),
    pub(crate) turn: Turn,
}

/// The rows that [`repaired`] decides over.
pub(crate) fn repaired_reads(pair: &str, repairs: &[Repaired]) -> Vec<Read> {
    repairs.iter().map(|one| read(pair, digest(REPAIRED_KIND, &one.key))).collect()
}

/// What follows from repairs, in their order.
///
/// # Errors
///
/// When a row cannot be read.
pub(crate) fn repaired(
    known: &Loaded,
    pair: &str,
    repairs: &[Repaired],
    now: Timestamp,
) -> Result<Vec<Change>, String> {
    let mut changed: BTreeMap<[u8; 32], PairFinding> = BTreeMap::new();
    for one in repairs {
        let place = digest(REPAIRED_KIND, &one.key);
        let found = match changed.remove(&place) {
            Some(finding) => Some(finding),
            None => loaded(known, pair, place)?,
        };
        let Some(mut finding) = found else { continue };
        match (one.turn, finding.state) {
            (Turn::Repaired, FindingState::Resolved) => {}
            (Turn::Repaired, _) => {
                finding.state = FindingState::Resolving;
                finding.repair = Some(one.repair);
                (finding.ignored_by, finding.ignored_reason) = (None, None);
            }
            (Turn::Undone, FindingState::Resolving | FindingState::Resolved) => {
                if finding.state == FindingState::Resolved {
                    finding.opened_at = now;
                }
                finding.state = FindingState::Suspect;
                finding.closed_at = None;
            }
            (Turn::Undone, _) => {}
        }
        changed.insert(place, finding);
    }
    Ok(changed.values().map(|finding| Change::Upsert { table: &FINDINGS, row: finding.to_row() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::pair::proof::Proof;
    use quittance_store::memory::MemoryDatabase;
    use quittance_store::store::{Store, Work};

    fn run(at: i64) -> Run {
        Run {
            id: RunId::from_bytes([u8::try_from(at).expect("small"); 16]),
            pair: "accounts".into(),
            started_at: Timestamp(at),
            ended_at: Timestamp(at + 1),
            method: "blake3-128".into(),
            left_as_of: None,
            right_as_of: None,
            drifts: 0,
            drifts_digest: [0; 32],
            proof: Proof::default(),
        }
    }

    fn drift(key: &str, standing: &str, content: u8) -> Drift {
        Drift {
            run: run(1).id,
            seq: 0,
            kind: "different".into(),
            key: format!("\"{key}\""),
            standing: standing.into(),
            first_seen_at: Timestamp(1),
            left_hashes: Vec::new(),
            right_hashes: Vec::new(),
            told: "[]".into(),
            content: [content; 32],
        }
    }

    struct Decided<'a>(Judging<'a>);

    impl Work for Decided<'_> {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            self.0.reads().collect()
        }

        fn decide(&mut self, known: &Loaded) -> Result<Vec<Change>, String> {
            self.0.decide(known)
        }
    }

    struct Wrote(Vec<Repaired>);

    impl Work for Wrote {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            repaired_reads("accounts", &self.0)
        }

        fn decide(&mut self, known: &Loaded) -> Result<Vec<Change>, String> {
            repaired(known, "accounts", &self.0, Timestamp(9))
        }
    }

    fn judge(store: &mut dyn Store, at: i64, drifts: &[Drift]) -> Vec<PairFinding> {
        let open = open(store, "accounts").expect("readable");
        let run = run(at);
        store.transact("judging", &mut Decided(Judging::new(&run, drifts, open))).expect("kept");
        all(store)
    }

    fn all(store: &mut dyn Store) -> Vec<PairFinding> {
        rows::page(store, &Scan::forward(&FINDINGS, Vec::new(), 100)).expect("readable")
    }

    fn write(store: &mut dyn Store, turn: Turn) -> Vec<PairFinding> {
        let repaired = Repaired { key: "a".into(), repair: (run(7).id, 3), turn };
        store.transact("repairing", &mut Wrote(vec![repaired])).expect("kept");
        all(store)
    }

    #[test]
    fn a_finding_lives_on_from_run_to_run_under_one_id() {
        use FindingState::{Confirmed, Resolved, Suspect};
        let mut store = MemoryDatabase::new().writer();
        let mut ids = std::collections::BTreeSet::new();
        for (at, drifts, state) in [
            (1, vec![drift("a", "moving", 1)], Suspect),
            (2, vec![drift("a", "confirmed", 1)], Confirmed),
            (3, vec![drift("a", "moving", 2)], Confirmed),
            (4, vec![drift("a", "settled", 2)], Resolved),
            (5, vec![], Resolved),
            (6, vec![drift("a", "confirmed", 1)], Confirmed),
        ] {
            let found = judge(&mut store, at, &drifts);
            assert_eq!((found.len(), found[0].state), (1, state), "run {at}");
            ids.insert(found[0].id);
        }
        let last = &all(&mut store)[0];
        assert_eq!((ids.len(), last.first_seen_at, last.opened_at), (1, Timestamp(1), Timestamp(6)));
        assert_eq!((last.closed_at, last.key.as_str()), (None, "a"));
    }

    #[test]
    fn a_run_that_began_earlier_knows_less() {
        let mut store = MemoryDatabase::new().writer();
        judge(&mut store, 5, &[drift("a", "confirmed", 1)]);
        assert_eq!(judge(&mut store, 4, &[])[0].state, FindingState::Confirmed);
        judge(&mut store, 6, &[]);
        assert_eq!(judge(&mut store, 5, &[drift("a", "confirmed", 1)])[0].state, FindingState::Resolved);
    }

    #[test]
    fn what_is_ignored_stays_so_until_a_record_changes() {
        let mut store = MemoryDatabase::new().writer();
        let mut ignored = judge(&mut store, 1, &[drift("a", "confirmed", 1)]).remove(0);
        ignored.state = FindingState::Ignored;
        ignored.ignored_by = Some("key_1".into());
        store.transact("ignoring", &mut Put(ignored)).expect("kept");
        let again = judge(&mut store, 2, &[drift("a", "confirmed", 1)]).remove(0);
        assert_eq!((again.state, again.ignored_by.as_deref()), (FindingState::Ignored, Some("key_1")));
        let changed = judge(&mut store, 3, &[drift("a", "confirmed", 2)]).remove(0);
        assert_eq!((changed.state, changed.ignored_by), (FindingState::Confirmed, None));
    }

    #[test]
    fn a_repair_is_believed_once_a_run_has_looked() {
        use FindingState::{Resolved, Resolving, Suspect};
        let mut store = MemoryDatabase::new().writer();
        judge(&mut store, 1, &[drift("a", "confirmed", 1), drift("b", "confirmed", 1)]);
        let state_of = |found: Vec<PairFinding>| {
            let one = found.into_iter().find(|one| one.key == "a").expect("it is there");
            (one.state, one.repair)
        };
        assert_eq!(state_of(write(&mut store, Turn::Repaired)), (Resolving, Some((run(7).id, 3))));
        assert_eq!(state_of(judge(&mut store, 2, &[drift("b", "confirmed", 1)])), (Resolved, Some((run(7).id, 3))));
        assert_eq!(state_of(write(&mut store, Turn::Undone)).0, Suspect);
        assert_eq!(state_of(judge(&mut store, 3, &[drift("a", "confirmed", 1)])).0, FindingState::Confirmed);
    }

    struct Put(PairFinding);

    impl Work for Put {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            Vec::new()
        }

        fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
            Ok(vec![Change::Upsert { table: &FINDINGS, row: self.0.to_row() }])
        }
    }
}
