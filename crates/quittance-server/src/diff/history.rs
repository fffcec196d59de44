//! Runs that were completed, kept beside the ledger, and what the newest says about those before it.
//!
//! In a data directory they lie in a store of their own (`drift`), so that a comparison can be kept while a server holds
//! the ledger.

use super::findings::{self, Judging};
use crate::api::rows;
use crate::data::Data;
use quittance_store::records::{Drift, Entity, Run};
use quittance_store::store::{Change, Direction, Loaded, Read, Reader, Scan, Store, StoreError, Work};
use quittance_store::tables::{DRIFTS, RUNS};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Rows that are read at once.
const PAGE: usize = 1_000;

/// How often, and how far apart, it is tried to open the runs where somebody else is writing there.
const TRIES_MAX: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Runs of one data directory, open for one more.
pub struct History {
    store: Box<dyn Store>,
}

/// A stored run whose proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRun {
    /// The run.
    pub run: String,
    /// What does not come out.
    pub what: String,
}

impl History {
    /// Opens the runs of a data directory, creating it as needed, once nobody else keeps one there: that takes a moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: [`StoreError::Locked`] where somebody keeps writing there.
    pub fn open(data: &Data) -> Result<Self, StoreError> {
        for _ in 1..TRIES_MAX {
            match data.runs().open_for_writing() {
                Err(StoreError::Locked { .. }) => pause(BETWEEN_TRIES),
                opened => return opened.map(|store| Self { store }),
            }
        }
        data.runs().open_for_writing().map(|store| Self { store })
    }

    /// The store they lie in, for what is kept beside them.
    pub fn store(&mut self) -> &mut dyn Store {
        self.store.as_mut()
    }

    /// The newest run of a pair, and what it found open.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read.
    pub fn newest(&mut self, pair: &str) -> Result<Option<(Run, Vec<Drift>)>, StoreError> {
        let scan = Scan {
            table: &RUNS,
            index: Some(&RUNS.indexes[0]),
            prefix: vec![pair.into()],
            after: None,
            until: None,
            direction: Direction::Backward,
            limit: 1,
        };
        let Some(run) = rows::page::<Run>(self.store.as_mut(), &scan)?.into_iter().next() else { return Ok(None) };
        let drifts = drifts(self.store.as_mut(), &run)?;
        Ok(Some((run, drifts)))
    }

    /// Keeps a run, and what it says of what earlier ones found: all of it, or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing is kept then.
    pub fn keep(&mut self, run: &Run, drifts: &[Drift]) -> Result<(), StoreError> {
        let open = findings::open(self.store.as_mut(), &run.pair)?;
        let rows = drifts.iter().map(|drift| Change::Insert { table: &DRIFTS, row: drift.to_row() });
        let changes = std::iter::once(Change::Insert { table: &RUNS, row: run.to_row() }).chain(rows).collect();
        self.store.transact("keeping a run", &mut Keep(changes, Judging::new(run, drifts, open)))
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever holds the lock lets go of it by itself, and tells nobody")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

struct Keep<'a>(Vec<Change>, Judging<'a>);

impl Work for Keep<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        self.1.reads().collect()
    }

    fn decide(&mut self, known: &Loaded) -> Result<Vec<Change>, String> {
        Ok([self.0.clone(), self.1.decide(known)?].concat())
    }
}

fn drifts(reader: &mut dyn Reader, run: &Run) -> Result<Vec<Drift>, StoreError> {
    let mut found: Vec<Drift> = Vec::new();
    loop {
        let mut scan = Scan::forward(&DRIFTS, vec![run.id.bytes().into()], PAGE);
        scan.after = found.last().map(|last| vec![last.seq.into()]);
        let page = rows::page::<Drift>(reader, &scan)?;
        let is_last = page.len() < PAGE;
        found.extend(page);
        if is_last {
            return Ok(found);
        }
    }
}

/// Rechecks the proof of every stored run; gives how many there are, and those whose proof does not hold.
///
/// # Errors
///
/// [`StoreError`] when the runs cannot be read; a directory without any is no error.
pub fn verify(data: &Data) -> Result<(u64, Vec<BrokenRun>), StoreError> {
    let mut reader = match data.runs().open_reader() {
        Err(StoreError::Missing { .. }) => return Ok((0, Vec::new())),
        opened => opened?,
    };
    let (mut checked, mut broken) = (0, Vec::new());
    let mut after = None;
    loop {
        let mut scan = Scan::forward(&RUNS, Vec::new(), PAGE);
        scan.after = after.take();
        let page = rows::page::<Run>(reader.as_mut(), &scan)?;
        for run in &page {
            checked += 1;
            broken.extend(check(reader.as_mut(), run)?);
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(vec![last.id.bytes().into()]),
            _ => return Ok((checked, broken)),
        }
    }
}

/// The digest of what a run found open.
pub(super) fn digest(drifts: &[Drift]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut bytes = Vec::new();
    for drift in drifts {
        bytes.clear();
        drift.digest_into(&mut bytes);
        hasher.update(&bytes);
    }
    hasher.finalize().into()
}

/// What is wrong with the proof of a run, if anything.
///
/// # Errors
///
/// [`StoreError`] when what it found cannot be read.
pub(crate) fn check(reader: &mut dyn Reader, run: &Run) -> Result<Option<BrokenRun>, StoreError> {
    let drifts = drifts(reader, run)?;
    let name = run.id.to_string();
    if drifts.len() as i64 != run.drifts {
        let what = format!("{} of {} disagreements are there", drifts.len(), run.drifts);
        return Ok(Some(BrokenRun { run: name, what }));
    }
    if digest(&drifts) != run.drifts_digest {
        return Ok(Some(BrokenRun { run: name, what: "what is open is not what was kept".to_owned() }));
    }
    let hashes = |side: fn(&Drift) -> &Vec<_>| drifts.iter().flat_map(side).copied();
    let checked = run.proof.check(hashes(|drift| &drift.left_hashes), hashes(|drift| &drift.right_hashes));
    Ok(checked.err().map(|error| BrokenRun { run: name, what: error.to_string() }))
}
