//! What follows from the journal of a pair: runs, repairs, and what each record was given, by one entry after the other.
//!
//! Pure: the same entries give the same books, byte for byte, in one piece or in several. Does not own where entries are
//! kept.

use super::{
    RepairCause, RepairEntry, RepairNews, RepairPlan, RepairRun, RepairState, chain_repair, decode_news, decode_plan,
    record_digest,
};
use quittance_core::id::RunId;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The books of one pair, as far as its journal was applied.
///
/// They hold about 300 bytes for each repair and for each record that was repaired, and the plans of those repairs of
/// which it is not known yet whether they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairBooks {
    /// The pair.
    pub pair: String,
    /// Number of the last entry.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Runs, and the entry by which each began.
    pub runs: BTreeMap<RunId, (RepairRun, i64)>,
    /// Repairs by their run and number.
    pub repairs: BTreeMap<(RunId, i64), RepairSaid>,
    /// What records were given, by their digest; nothing where it was not asked for.
    pub records: BTreeMap<[u8; 32], RecordSaid>,
    /// Plans that may be written, or turn out to have been.
    plans: Option<BTreeMap<(RunId, i64), RepairPlan>>,
}

/// A repair as its journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairSaid {
    /// Digest of the record.
    pub record: [u8; 32],
    /// SHA-256 of its plan.
    pub plan: [u8; 32],
    /// What became of it.
    pub state: RepairState,
    /// When that was.
    pub changed_at: Timestamp,
    /// SHA-256 of what the system said.
    pub detail: Option<[u8; 32]>,
    /// The entry that said so last.
    pub seq: i64,
}

impl RepairSaid {
    /// Whether both say the same, whichever entry said so.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        Self { seq: 0, ..self.clone() } == Self { seq: 0, ..other.clone() }
    }
}

/// What repairs gave a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSaid {
    /// Name of its system.
    pub system: String,
    /// The table in it.
    pub object: String,
    /// Its key, as people read it.
    pub key: String,
    /// What tells it apart.
    pub identity: Vec<(String, Value<'static>)>,
    /// What each column was given last; what the system made something else of is left out.
    pub holds: BTreeMap<String, Value<'static>>,
    /// The repair that gave it last, and the entry that says so; none where none did.
    pub by: Option<(RunId, i64, i64)>,
}

impl RepairBooks {
    /// Books of a pair before its first entry; with what records were given, where `with_records`.
    #[must_use]
    pub fn new(pair: &str, with_records: bool) -> Self {
        Self {
            pair: pair.to_owned(),
            seq: 0,
            hash: [0; 32],
            runs: BTreeMap::new(),
            repairs: BTreeMap::new(),
            records: BTreeMap::new(),
            plans: with_records.then(BTreeMap::new),
        }
    }

    /// Applies the next entry. One that does not hold is applied as far as it can be.
    ///
    /// # Errors
    ///
    /// What does not hold, with the number of the entry.
    pub fn apply(&mut self, entry: &RepairEntry) -> Result<(), String> {
        let linked = self.link(entry);
        (self.seq, self.hash) = (entry.seq, entry.hash);
        let learned = match decode_news(entry.kind, &entry.body) {
            Ok(news) => self.learn(entry.at, news),
            Err(error) => Err(error.to_string()),
        };
        linked.and(learned).map_err(|what| format!("entry {}: {what}", entry.seq))
    }

    fn link(&self, entry: &RepairEntry) -> Result<(), String> {
        if entry.pair != self.pair {
            return Err("it is of another pair".to_owned());
        }
        if entry.seq != self.seq + 1 {
            return Err(format!("it does not follow entry {}, the one before it", self.seq));
        }
        if entry.prev_hash != self.hash {
            return Err("it does not name the one before it".to_owned());
        }
        if chain_repair(entry) != entry.hash {
            return Err("its hash is not that of what it says".to_owned());
        }
        Ok(())
    }

    fn learn(&mut self, at: Timestamp, news: RepairNews) -> Result<(), String> {
        match news {
            RepairNews::Began { run, cause, undoes, by, repairs, source } => {
                let cause = RepairCause::named(&cause).ok_or(format!("{run} has no cause that is known"))?;
                let pair = self.pair.clone();
                let began = RepairRun { id: run, pair, cause, undoes, by, started_at: at, repairs, source };
                match self.runs.insert(run, (began, self.seq)) {
                    None => Ok(()),
                    Some(_) => Err(format!("{run} began before")),
                }
            }
            RepairNews::Planned { run, from, repairs } => {
                for (no, (state, plan)) in (from..).zip(repairs) {
                    self.plan((run, no), state, &plan, at)?;
                }
                Ok(())
            }
            RepairNews::Settled { run, outcomes, .. } => {
                for (no, state, detail) in outcomes {
                    self.settle((run, no), state, detail.as_deref(), at)?;
                }
                Ok(())
            }
        }
    }

    fn plan(&mut self, id: (RunId, i64), state: RepairState, bytes: &[u8], at: Timestamp) -> Result<(), String> {
        let (run, no) = id;
        let plan = decode_plan(bytes).map_err(|_| format!("repair {no} of {run} has no plan that can be read"))?;
        let (record, seq) = (record_digest(&plan), self.seq);
        let digest = Sha256::digest(bytes).into();
        let said = RepairSaid { record, plan: digest, state, changed_at: at, detail: None, seq };
        if self.repairs.insert(id, said).is_some() {
            return Err(format!("repair {no} of {run} was planned before"));
        }
        if let Some(plans) = &mut self.plans {
            let RepairPlan { system, object, key, identity, .. } = plan.clone();
            let known = RecordSaid { system, object, key, identity, holds: BTreeMap::new(), by: None };
            self.records.entry(record).or_insert(known);
            plans.insert(id, plan);
        }
        Ok(())
    }

    fn settle(
        &mut self,
        id: (RunId, i64),
        state: RepairState,
        detail: Option<&str>,
        at: Timestamp,
    ) -> Result<(), String> {
        let (run, no) = id;
        let said = self.repairs.get_mut(&id).ok_or(format!("repair {no} of {run} was settled and never planned"))?;
        (said.state, said.changed_at, said.seq) = (state, at, self.seq);
        said.detail = detail.map(|detail| Sha256::digest(detail).into());
        let (record, seq) = (said.record, self.seq);
        let Some(plans) = &mut self.plans else { return Ok(()) };
        let is_known = matches!(state, RepairState::Repaired | RepairState::Already | RepairState::Altered);
        let Some((plan, record)) = plans.get(&id).zip(self.records.get_mut(&record)).filter(|_| is_known) else {
            return Ok(());
        };
        for (column, value) in &plan.set {
            match state {
                RepairState::Altered => record.holds.remove(column),
                _ => record.holds.insert(column.clone(), value.clone()),
            };
        }
        record.by = Some((run, no, seq));
        // Who looked may be corrected by who wrote; who wrote is not.
        if matches!(state, RepairState::Repaired | RepairState::Altered) {
            plans.remove(&id);
        }
        Ok(())
    }

    /// SHA-256 of the head, the runs and the repairs.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = BooksDigest::new(&self.pair);
        self.runs.values().for_each(|(run, _)| digest.run(run));
        self.repairs.iter().for_each(|(id, said)| digest.repair(*id, said));
        digest.finish((self.seq, self.hash))
    }
}

/// The digest of books, row by row: runs by their id, then repairs by their run and number.
pub struct BooksDigest(Sha256);

impl BooksDigest {
    /// Of a pair's.
    #[must_use]
    pub fn new(pair: &str) -> Self {
        let mut digest = Self(Sha256::new());
        digest.0.update(b"quittance books of repairs 1\n");
        digest.text(pair);
        digest
    }

    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }

    /// Takes a run.
    pub fn run(&mut self, run: &RepairRun) {
        self.0.update(b"r");
        self.0.update(run.id.bytes());
        self.text(run.cause.name());
        self.0.update(run.undoes.map_or([0; 16], |run| run.bytes()));
        self.text(&run.by);
        self.0.update(run.started_at.0.to_be_bytes());
        self.0.update(run.repairs.to_be_bytes());
        self.text(run.source.as_ref().map_or("", |source| &source.name));
        self.0.update(run.source.as_ref().map_or([0; 32], |source| source.sha256));
    }

    /// Takes a repair.
    pub fn repair(&mut self, (run, no): (RunId, i64), said: &RepairSaid) {
        self.0.update(b"p");
        self.0.update(run.bytes());
        self.0.update(no.to_be_bytes());
        self.0.update(said.record);
        self.0.update(said.plan);
        self.text(said.state.name());
        self.0.update(said.changed_at.0.to_be_bytes());
        self.0.update(said.detail.unwrap_or_default());
    }

    /// The digest, with the number and the hash of the last entry.
    #[must_use]
    pub fn finish(mut self, (seq, hash): (i64, [u8; 32])) -> [u8; 32] {
        self.0.update(b"h");
        self.0.update(seq.to_be_bytes());
        self.0.update(hash);
        self.0.finalize().into()
    }
}
