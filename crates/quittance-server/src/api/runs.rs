//! `GET /v1/runs`: comparisons of pairs, and what was repaired, the newest first; `GET /v1/proofs`: what each comparison
//! proves. For keys of scope `admin`.
//!
//! A comparison and the repairs that follow from it are one run. Approvals belong to the run that planned them; an undo is a
//! run of its own.

use super::cursor::List;
use super::query::{Name, Parameters};
use super::rows;
use super::waiting::or_problem;
use crate::auth::authenticate;
use crate::diff;
use crate::problem::{Problem, catalogue};
use crate::reconcile::counts_of;
use crate::render::{self, ListView, time};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::id::RunId;
use quittance_core::pair::digest::Digest;
use quittance_core::tenant::Scope;
use quittance_store::records::{Entity, RepairRun, Run};
use quittance_store::schema::Index;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::{REPAIR_RUNS, RUNS};
use serde::Serialize;
use std::collections::BTreeMap;

/// A run, as it is answered.
#[derive(Serialize)]
pub(super) struct RunView {
    id: String,
    object: &'static str,
    pair: String,
    cause: &'static str,
    by: Option<String>,
    undoes: Option<String>,
    started_at: String,
    ended_at: Option<String>,
    comparison: Option<ComparisonView>,
    repairs: Option<RepairsView>,
}

#[derive(Serialize)]
struct ComparisonView {
    method: String,
    left_records: u64,
    right_records: u64,
    equal: u64,
    open: i64,
    left_as_of: Option<String>,
    right_as_of: Option<String>,
}

#[derive(Serialize)]
struct RepairsView {
    planned: i64,
    /// Counted where one run is asked for.
    states: Option<BTreeMap<&'static str, u64>>,
}

/// A comparison, and the repairs under its id; at least one of them.
pub(crate) struct Found {
    pub(crate) id: RunId,
    pub(crate) run: Option<Run>,
    pub(crate) repairs: Option<RepairRun>,
}

impl RunView {
    pub(super) fn of(found: Found) -> Self {
        let Found { id, run, repairs } = found;
        let started_at = run.as_ref().map(|run| run.started_at).or(repairs.as_ref().map(|run| run.started_at));
        let pair = run.as_ref().map(|run| &run.pair).or(repairs.as_ref().map(|run| &run.pair));
        Self {
            id: id.to_string(),
            object: "run",
            pair: pair.cloned().unwrap_or_default(),
            cause: repairs.as_ref().map_or("compare", |run| run.cause.name()),
            by: repairs.as_ref().map(|run| run.by.clone()),
            undoes: repairs.as_ref().and_then(|run| run.undoes).map(|run| run.to_string()),
            started_at: time(started_at.unwrap_or_default()),
            ended_at: run.as_ref().map(|run| time(run.ended_at)),
            repairs: repairs.map(|run| RepairsView { planned: run.repairs, states: None }),
            comparison: run.map(|run| ComparisonView {
                method: run.method,
                left_records: run.proof.left.count.saturating_add(run.proof.left_uncounted),
                right_records: run.proof.right.count.saturating_add(run.proof.right_uncounted),
                equal: run.proof.equal.count,
                open: run.drifts,
                left_as_of: run.left_as_of.map(time),
                right_as_of: run.right_as_of.map(time),
            }),
        }
    }
}

/// What a comparison proves, as it is answered.
#[derive(Serialize)]
struct ProofView {
    run: String,
    object: &'static str,
    pair: String,
    statement: String,
    method: String,
    left: DigestView,
    right: DigestView,
    equal: DigestView,
    open: i64,
    ended_at: String,
    rechecked: Option<RecheckView>,
}

#[derive(Serialize)]
struct DigestView {
    records: u64,
    digest: String,
}

#[derive(Serialize)]
struct RecheckView {
    holds: bool,
    what: Option<String>,
}

impl ProofView {
    fn of(run: &Run, rechecked: Option<RecheckView>) -> Self {
        let digest = |digest: Digest| DigestView { records: digest.count, digest: format!("{:032x}", digest.sum) };
        let open = u64::try_from(run.drifts).unwrap_or_default();
        Self {
            run: run.id.to_string(),
            object: "proof",
            pair: run.pair.clone(),
            statement: diff::statement(run, run.proof.equal.count, open),
            method: run.method.clone(),
            left: digest(run.proof.left),
            right: digest(run.proof.right),
            equal: digest(run.proof.equal),
            open: run.drifts,
            ended_at: time(run.ended_at),
            rechecked,
        }
    }
}

/// The newest runs below an id, of a pair or of all.
pub(crate) fn newest(
    reader: &mut dyn Reader,
    pair: Option<&str>,
    below: Option<[u8; 16]>,
    limit: usize,
) -> Result<Vec<Found>, StoreError> {
    let mut found: BTreeMap<RunId, Found> = BTreeMap::new();
    for run in compared(reader, pair, below, limit)? {
        found.insert(run.id, Found { id: run.id, run: Some(run), repairs: None });
    }
    for repairs in page::<RepairRun>(reader, &REPAIR_RUNS.indexes[0], pair, below, limit)? {
        let known = found.entry(repairs.id).or_insert(Found { id: repairs.id, run: None, repairs: None });
        known.repairs = Some(repairs);
    }
    // Of either at most so many were read: what comes after the newest of both may have its other half further down.
    Ok(found.into_values().rev().take(limit).collect())
}

/// The newest comparisons below an id, of a pair or of all: each is a proof.
pub(crate) fn compared(
    reader: &mut dyn Reader,
    pair: Option<&str>,
    below: Option<[u8; 16]>,
    limit: usize,
) -> Result<Vec<Run>, StoreError> {
    page(reader, &RUNS.indexes[0], pair, below, limit)
}

fn page<T: Entity>(
    reader: &mut dyn Reader,
    index: &'static Index,
    pair: Option<&str>,
    below: Option<[u8; 16]>,
    limit: usize,
) -> Result<Vec<T>, StoreError> {
    let scan = Scan::forward(T::table(), pair.map(Into::into).into_iter().collect(), limit);
    let (after, direction) = (below.map(|id| vec![id.into()]), Direction::Backward);
    rows::page(reader, &Scan { index: pair.map(|_| index), after, direction, ..scan })
}

/// `GET /v1/runs`
pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Admin).await?;
    let parameters = Parameters::of(uri, &["pair", "limit", "cursor"])?;
    let cursors = List::new("runs", caller.tenant.id, &parameters.filters());
    let (below, limit) = (cursors.fixed_position::<16>(parameters.text("cursor"))?, parameters.limit()?);
    let pair = parameters.text("pair").map(str::to_owned);
    let found = handle.read_drift(move |reader| newest(reader, pair.as_deref(), below, limit + 1)).await?;
    Ok(render::ok(&paged(found, limit, &cursors, |found| found.id.bytes(), RunView::of)))
}

fn paged<T, V>(
    mut found: Vec<T>,
    limit: usize,
    cursors: &List,
    id: impl Fn(&T) -> [u8; 16],
    view: impl Fn(T) -> V,
) -> ListView<V> {
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| has_more).map(|last| cursors.cursor(&id(last)));
    ListView { data: found.into_iter().map(view).collect(), has_more, next_cursor }
}

/// `GET /v1/runs/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, &id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    authenticate(handle, headers, Scope::Admin).await?;
    Parameters::of(uri, &[])?;
    let id = run_id(id)?;
    let read = handle.read_drift(move |reader| {
        let (run, repairs) =
            (rows::get::<Run>(reader, vec![id.bytes().into()])?, rows::get(reader, vec![id.bytes().into()])?);
        let states = if repairs.is_some() { Some(counts_of(reader, id)?) } else { None };
        Ok((Found { id, run, repairs }, states))
    });
    let (found, states) = read.await?;
    if found.run.is_none() && found.repairs.is_none() {
        return Err(no_run());
    }
    let mut view = RunView::of(found);
    if let (Some(repairs), Some(states)) = (&mut view.repairs, states) {
        repairs.states = Some(states.0.iter().map(|(state, count)| (state.name(), *count)).collect());
    }
    Ok(render::ok(&view))
}

fn run_id(id: &str) -> Result<RunId, Problem> {
    id.parse().map_err(|_| no_run())
}

fn no_run() -> Problem {
    Problem::new(&catalogue::NOT_FOUND, "no run has this id")
}

/// `GET /v1/proofs`
pub(super) async fn proofs(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_proofs(&handle, &uri, &headers).await)
}

async fn try_proofs(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Admin).await?;
    let parameters = Parameters::of(uri, &["pair", "limit", "cursor"])?;
    let cursors = List::new("proofs", caller.tenant.id, &parameters.filters());
    let (below, limit) = (cursors.fixed_position::<16>(parameters.text("cursor"))?, parameters.limit()?);
    let pair = parameters.text("pair").map(str::to_owned);
    let read = move |reader: &mut dyn Reader| compared(reader, pair.as_deref(), below, limit + 1);
    let found = handle.read_drift(read).await?;
    Ok(render::ok(&paged(found, limit, &cursors, |run| run.id.bytes(), |run| ProofView::of(&run, None))))
}

/// `GET /v1/proofs/{run}`
pub(super) async fn proof(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_proof(&handle, &id, &uri, &headers).await)
}

async fn try_proof(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    authenticate(handle, headers, Scope::Admin).await?;
    let parameters = Parameters::of(uri, &["recheck"])?;
    let is_rechecked =
        parameters.parsed("recheck", "true or false", |word| word.parse::<bool>().ok())?.unwrap_or(false);
    let id = run_id(id)?;
    let read = handle.read_drift(move |reader| {
        let Some(run) = rows::get::<Run>(reader, vec![id.bytes().into()])? else { return Ok(None) };
        let broken = if is_rechecked { Some(diff::check(reader, &run)?) } else { None };
        Ok(Some((run, broken)))
    });
    let (run, broken) = read.await?.ok_or_else(no_run)?;
    let rechecked =
        broken.map(|broken| RecheckView { holds: broken.is_none(), what: broken.map(|broken| broken.what) });
    Ok(render::ok(&ProofView::of(&run, rechecked)))
}
