//! What a person decides about a finding: it is good as it is, what waits may be made, one side is right, or the person says what is.
//!
//! A decision is kept under the key of its request before anything follows from it, so that a retry finds it. What follows is
//! a run of repairs like any other: planned and kept, written with compare-and-set, read back, and undoable.

use super::session::{Comparison, Decision, Request, Session, SessionError, approve};
use super::{Kept, Plan, Repairs};
use crate::api::findings::{find, waiting};
use crate::clock;
use crate::config::{Apply, Config, Pair, TakeAway};
use crate::data::Data;
use crate::diff::History;
use quittance_core::id::{DiscrepancyId, RunId, TenantId};
use quittance_core::pair::repair::{Authority, Withheld};
use quittance_core::pair::value_map::Meaning;
use quittance_core::record::value::Value;
use quittance_store::records::{
    Entity, FindingAction, FindingState, PairFinding, RepairCause, RepairPlan, RepairState,
};
use quittance_store::store::{Change, Loaded, Read, Store, StoreError, Work};
use quittance_store::tables::{ACTIONS, FINDINGS};
use std::collections::BTreeSet;

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// It is good as it is, until one of its records changes.
    Ignore,
    /// The repair that waits is made.
    Approve,
    /// What this side says is right, in every field.
    Right(Authority),
    /// This is right, by the fields of the pair, in the words of the left: both sides are to say so. Other fields stay as they are.
    Merged(Vec<(String, Value<'static>)>),
}

impl Choice {
    const fn name(&self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Approve => "approve",
            Self::Right(_) | Self::Merged(_) => "resolve",
        }
    }

    /// Whether records are written because of it, and of which kind they have to be then.
    const fn is_resolving(&self) -> bool {
        matches!(self, Self::Right(_) | Self::Merged(_))
    }
}

/// Who decides, about what, and under which key.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) finding: DiscrepancyId,
    pub(crate) choice: Choice,
    pub(crate) tenant: TenantId,
    /// Digest of the idempotency key.
    pub(crate) key: [u8; 32],
    pub(crate) fingerprint: [u8; 32],
    pub(crate) by: String,
    pub(crate) reason: String,
}

/// Why a decision came to nothing.
#[derive(Debug)]
pub(crate) enum Undecided {
    /// There is no such finding.
    NotFound,
    /// The key stands for another request.
    Reused,
    /// It is resolved already.
    Closed,
    /// Nothing waits for a person.
    NothingWaits,
    /// A value was given for what the pair has not got, or one that it does not know: the field, and what would be right.
    WrongValues(Vec<(String, String)>),
    /// It cannot be repaired so, with the words of why.
    NotResolvable(Vec<&'static str>),
    /// The pair could not be compared or written.
    Session(SessionError),
    /// What is kept cannot be read or written.
    Store(StoreError),
}

impl From<SessionError> for Undecided {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<StoreError> for Undecided {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What followed: whether it had been decided before under the same key, and what was written.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) is_replayed: bool,
    pub(crate) written: Vec<RepairPlan>,
}

/// Keeps a decision and does what follows from it. Blocks; whoever asks again under the same key is safe.
///
/// # Errors
///
/// [`Undecided`].
pub(crate) fn decide(config: &Config, data: &Data, decided: &Decided) -> Result<Followed, Undecided> {
    let mut history = History::open(data)?;
    let finding = find(history.store(), decided.finding)?.ok_or(Undecided::NotFound)?;
    if let Choice::Merged(values) = &decided.choice {
        check_values(super::session::pair(config, &finding.pair)?, values)?;
    }
    // What waits is known before the decision is kept: that nothing does is no decision.
    let waits = match &decided.choice {
        Choice::Approve => waiting(history.store(), &finding)?.map(|repair| (repair.run, repair.no)),
        _ => None,
    };
    let known = begin(history.store(), decided, waits.map(|(run, _)| run))?;
    drop(history);
    let is_replayed = known.is_some();
    tracing::info!(
        discrepancy = %decided.finding, pair = finding.pair, action = decided.choice.name(), by = decided.by, is_replayed,
        "somebody decided about a discrepancy"
    );
    let written = match (&decided.choice, known) {
        (Choice::Ignore, _) => Vec::new(),
        // What was decided before is decided about its own run: what waits by now is another repair.
        (Choice::Approve, known) => match waits.filter(|(run, _)| known.is_none_or(|known| known.run == Some(*run))) {
            Some((run, no)) => approved(config, data, decided, (run, no))?,
            // It was decided before, and is made.
            None => Vec::new(),
        },
        // Its run is kept: it was carried out.
        (Choice::Right(_) | Choice::Merged(_), Some(FindingAction { run: Some(_), .. })) => Vec::new(),
        (Choice::Right(_) | Choice::Merged(_), _) => resolved(config, data, decided, &finding, is_replayed)?,
    };
    Ok(Followed { is_replayed, written })
}

fn approved(
    config: &Config,
    data: &Data,
    decided: &Decided,
    (run, no): (RunId, i64),
) -> Result<Vec<RepairPlan>, Undecided> {
    let nos: Vec<String> = beside(data, (run, no))?.iter().map(|one| one.no.to_string()).collect();
    let id = format!("{run}/{}", nos.join(","));
    let approved = approve(config, data, &decided.by, &id, Decision::Approve(&mut || ()))?;
    if let Some(failed) = approved.failed {
        return Err(failed.into());
    }
    if approved.repairs.iter().any(|repair| repair.state == RepairState::AwaitingApproval) {
        return Err(Undecided::NotResolvable(vec![Withheld::Shape.as_str()]));
    }
    Ok(written(approved.repairs.into_iter().map(|repair| (repair.state, repair.plan))))
}

/// What waits of a finding, beside one repair of it: half a merge is not made alone.
fn beside(data: &Data, (run, no): (RunId, i64)) -> Result<Vec<Kept>, StoreError> {
    let mut history = History::open(data)?;
    // By its run alone: whose pair it is does not matter.
    let mut of_run = Repairs::new(history.store(), "").of_run(run)?;
    let place = of_run.iter().find(|one| one.no == no).and_then(|one| one.plan.place);
    of_run.retain(|one| {
        let is_of_it = place.is_some() && one.plan.place == place;
        one.no == no || is_of_it && one.state == RepairState::AwaitingApproval
    });
    Ok(of_run)
}

fn written(repairs: impl Iterator<Item = (RepairState, RepairPlan)>) -> Vec<RepairPlan> {
    let is_written = |state| matches!(state, RepairState::Repaired | RepairState::Already | RepairState::Altered);
    repairs.filter(|(state, _)| is_written(*state)).map(|(_, plan)| plan).collect()
}

/// Refuses values for what is no field of a pair, and words that its map does not know.
fn check_values(pair: &Pair, values: &[(String, Value<'static>)]) -> Result<(), Undecided> {
    let known: Vec<&str> = pair.fields.iter().map(|field| field.left.name.as_str()).collect();
    let complaint = |(name, value): &(String, Value<'static>)| {
        let Some(field) = pair.fields.iter().find(|field| field.left.name == *name) else {
            return Some((name.clone(), format!("is no field of the pair; known are: {}", known.join(", "))));
        };
        let map = field.values.as_ref()?;
        let is_word = matches!(value, Value::Null | Value::Text(_)) && map.left(value) != Meaning::Unknown;
        let words = || map.words().collect::<Vec<_>>().join(", ");
        (!is_word).then(|| (name.clone(), format!("must be a word of the left: {}", words())))
    };
    let wrong: Vec<_> = values.iter().filter_map(complaint).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Undecided::WrongValues(wrong)) }
}

/// The pair as a person has decided that it is for this once.
fn as_decided(pair: &Pair, choice: &Choice) -> Pair {
    let mut pair = pair.clone();
    for field in &mut pair.fields {
        let policy = &mut field.policy;
        match choice {
            Choice::Right(authority) => policy.authority = *authority,
            Choice::Merged(values) => {
                policy.authority = Authority::Manual;
                policy.given = values.iter().find(|(name, _)| *name == field.left.name).map(|(_, value)| value.clone());
            }
            Choice::Ignore | Choice::Approve => {}
        }
    }
    // Nothing waits for another person.
    (pair.repairs.apply, pair.repairs.take_away) = (Apply::Auto, TakeAway::Apply);
    pair
}

/// Repairs the one record so that both sides say what was decided: a comparison of its key, decided by a person's word. Where
/// the same word was sent before, what may have been made then is not made again.
fn resolved(
    config: &Config,
    data: &Data,
    decided: &Decided,
    finding: &PairFinding,
    is_replayed: bool,
) -> Result<Vec<RepairPlan>, Undecided> {
    let pair = as_decided(super::session::pair(config, &finding.pair)?, &decided.choice);
    let session = Session::new(config, &finding.pair, data, &decided.by)?.on(&pair);
    let key = typed(&finding.key);
    let repaired = session.repair(Request { is_retry: is_replayed, ..request(&key, &mut || (), true) })?;
    if let Some(failed) = repaired.failed {
        return Err(failed.into());
    }
    if let Some(run) = repaired.repairs.first().map(|repair| repair.run) {
        carried_out(History::open(data)?.store(), decided, run)?;
    }
    if repaired.repairs.is_empty() && repaired.outcome.has_drift() {
        return Err(withheld(&repaired.plan));
    }
    Ok(written(repaired.repairs.into_iter().map(|repair| (repair.state, repair.plan))))
}

/// A comparison of one key, and what follows from it written or only shown.
fn request<'w>(key: &'w str, wait: &'w mut dyn FnMut(), is_applied: bool) -> Request<'w> {
    Request {
        comparison: Comparison { only: Some(key), wait },
        is_applied,
        is_kept: is_applied,
        is_retry: false,
        repairs_max: Some(u64::MAX),
        accepted: BTreeSet::new(),
        cause: RepairCause::Reconcile,
    }
}

/// Why nothing was decided about any field.
fn withheld(plan: &Plan) -> Undecided {
    let mut why: Vec<&str> = plan.withheld.iter().map(|line| Withheld::as_str(line.why)).collect();
    why.sort_unstable();
    why.dedup();
    Undecided::NotResolvable(why)
}

/// Whether a choice can be made about a finding, given whether a repair of it waits.
fn may_follow(finding: &PairFinding, choice: &Choice, waits: bool) -> Result<(), Undecided> {
    match choice {
        _ if finding.state == FindingState::Resolved => Err(Undecided::Closed),
        Choice::Approve if !waits => Err(Undecided::NothingWaits),
        choice if choice.is_resolving() && finding.kind != "different" => {
            Err(Undecided::NotResolvable(vec![Withheld::Missing.as_str()]))
        }
        _ => Ok(()),
    }
}

/// What a decision would write, as things stand now. Blocks; keeps and writes nothing.
///
/// # Errors
///
/// [`Undecided`], as [`decide`] has it.
pub(crate) fn preview(
    config: &Config,
    data: &Data,
    finding: DiscrepancyId,
    choice: Choice,
) -> Result<Vec<RepairPlan>, Undecided> {
    let mut history = History::open(data)?;
    let finding = find(history.store(), finding)?.ok_or(Undecided::NotFound)?;
    let waits = waiting(history.store(), &finding)?.map(|repair| (repair.run, repair.no));
    drop(history);
    may_follow(&finding, &choice, waits.is_some())?;
    match (&choice, waits) {
        (Choice::Approve, Some(waits)) => Ok(beside(data, waits)?.into_iter().map(|one| one.plan).collect()),
        (Choice::Right(_) | Choice::Merged(_), _) => {
            let pair = as_decided(super::session::pair(config, &finding.pair)?, &choice);
            let session = Session::new(config, &finding.pair, data, "")?.on(&pair);
            let repaired = session.repair(request(&typed(&finding.key), &mut || (), false))?;
            if repaired.plan.proposals.is_empty() && repaired.outcome.has_drift() {
                return Err(withheld(&repaired.plan));
            }
            Ok(repaired.plan.proposals.into_iter().map(|proposal| proposal.plan).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// A key as it is typed: several columns have commas between them.
fn typed(key: &str) -> String {
    match serde_json::from_str(key) {
        Ok(serde_json::Value::Array(parts)) => {
            let text = |part: &serde_json::Value| part.as_str().map_or_else(|| part.to_string(), str::to_owned);
            parts.iter().map(text).collect::<Vec<_>>().join(",")
        }
        _ => key.to_owned(),
    }
}

/// Keeps a decision, or gives the one that is kept under its key.
fn begin(store: &mut dyn Store, decided: &Decided, run: Option<RunId>) -> Result<Option<FindingAction>, Undecided> {
    let mut work = Begin { decided, run, found: Err(Undecided::NotFound) };
    store.transact("deciding about a finding", &mut work)?;
    work.found
}

struct Begin<'a> {
    decided: &'a Decided,
    run: Option<RunId>,
    found: Result<Option<FindingAction>, Undecided>,
}

impl Begin<'_> {
    fn place(&self) -> Vec<quittance_store::value::Value> {
        vec![self.decided.tenant.bytes().into(), self.decided.key.into()]
    }

    fn by_id(&self) -> Vec<quittance_store::value::Value> {
        vec![self.decided.finding.bytes().into()]
    }
}

impl Work for Begin<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        let finding = Read::Unique { table: &FINDINGS, index: &FINDINGS.indexes[0], values: self.by_id() };
        vec![Read::Row { table: &ACTIONS, key: self.place() }, finding]
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let decided = self.decided;
        if let Some(row) = loaded.row(&ACTIONS, &self.place()).flatten() {
            let known = FindingAction::from_row(row).map_err(|error| error.to_string())?;
            let is_same = known.fingerprint == decided.fingerprint;
            self.found = if is_same { Ok(Some(known)) } else { Err(Undecided::Reused) };
            return Ok(Vec::new());
        }
        let found = loaded.unique(&FINDINGS.indexes[0], &self.by_id()).flatten();
        let row = found.and_then(|key| loaded.row(&FINDINGS, key).flatten());
        let finding = row.map(PairFinding::from_row).transpose().map_err(|error| error.to_string())?;
        let allowed = finding.ok_or(Undecided::NotFound).and_then(|finding| {
            may_follow(&finding, &decided.choice, self.run.is_some())?;
            Ok(finding)
        });
        let mut finding = match allowed {
            Ok(finding) => finding,
            Err(refused) => {
                self.found = Err(refused);
                return Ok(Vec::new());
            }
        };
        self.found = Ok(None);
        let action = FindingAction {
            tenant: decided.tenant,
            key: decided.key,
            fingerprint: decided.fingerprint,
            finding: decided.finding,
            action: decided.choice.name().to_owned(),
            by: decided.by.clone(),
            at: clock::now(),
            run: self.run,
            reason: decided.reason.clone(),
        };
        let mut changes = vec![Change::Insert { table: &ACTIONS, row: action.to_row() }];
        if decided.choice == Choice::Ignore {
            finding.state = FindingState::Ignored;
            finding.ignored_by = Some(decided.by.clone());
            finding.ignored_reason = Some(decided.reason.clone());
            changes.push(Change::Upsert { table: &FINDINGS, row: finding.to_row() });
        }
        Ok(changes)
    }
}

/// Notes the run that carried a decision out.
fn carried_out(store: &mut dyn Store, decided: &Decided, run: RunId) -> Result<(), StoreError> {
    store.transact(
        "noting what followed",
        &mut CarriedOut { place: vec![decided.tenant.bytes().into(), decided.key.into()], run },
    )
}

struct CarriedOut {
    place: Vec<quittance_store::value::Value>,
    run: RunId,
}

impl Work for CarriedOut {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        vec![Read::Row { table: &ACTIONS, key: self.place.clone() }]
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let row = loaded.row(&ACTIONS, &self.place).flatten().ok_or("the decision is not there")?;
        let action = FindingAction::from_row(row).map_err(|error| error.to_string())?;
        let action = FindingAction { run: Some(self.run), ..action };
        Ok(vec![Change::Upsert { table: &ACTIONS, row: action.to_row() }])
    }
}
