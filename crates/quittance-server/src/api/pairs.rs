//! `GET /v1/pairs`: two systems that should agree, and how they stand. For keys of scope `admin`: pairs are the whole
//! installation's.

use super::query::{Name, Parameters};
use super::rows;
use super::runs::{Found, RunView, compared, newest};
use super::waiting::or_problem;
use crate::auth::authenticate;
use crate::config::{Apply, ColumnRef, Pair, SideRef};
use crate::problem::{Problem, catalogue};
use crate::render::{self, ListView};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::pair::repair::Authority;
use quittance_core::tenant::Scope;
use quittance_core::time::Timestamp;
use quittance_store::records::{FindingState, PairFinding, PairState, RepairState, Run};
use quittance_store::schema::{Index, Table};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{FINDINGS, REPAIRS};
use quittance_store::value::Key;
use serde::Serialize;
use std::collections::BTreeMap;

/// Most of a kind that are counted.
const COUNTED_MAX: usize = 10_000;

#[derive(Serialize)]
struct PairView {
    name: String,
    object: &'static str,
    left: SideView,
    right: SideView,
    r#match: Vec<RuleView>,
    fields: Vec<FieldView>,
    apply: &'static str,
    answers_truth: bool,
    last_run: Option<RunView>,
    discrepancies: BTreeMap<&'static str, usize>,
    repairs_waiting: usize,
}

#[derive(Serialize)]
struct SideView {
    system: String,
    object: String,
}

#[derive(Serialize)]
struct RuleView {
    left: Vec<String>,
    right: Vec<String>,
}

#[derive(Serialize)]
struct FieldView {
    left: String,
    right: String,
    authority: &'static str,
}

/// How a pair stands, by what is kept of it.
pub(crate) struct Standing {
    pub(crate) name: String,
    /// Discrepancies by how they stand, counted up to a limit.
    pub(crate) open: BTreeMap<&'static str, usize>,
    /// When the oldest was seen first that nobody has repaired or ignored.
    pub(crate) oldest: Option<Timestamp>,
    /// Counted up to the same limit.
    pub(crate) repairs_waiting: usize,
    pub(crate) last_run: Option<Found>,
    /// The newest comparison, and what it proves.
    pub(crate) last_proof: Option<Run>,
    /// What the service keeps; none where it never looked at the pair.
    pub(crate) state: Option<PairState>,
}

impl Standing {
    /// How many discrepancies nobody has repaired or ignored.
    pub(crate) fn unsettled(&self) -> usize {
        let count = |state: FindingState| self.open.get(state.name()).copied().unwrap_or_default();
        UNSETTLED.map(count).iter().sum()
    }
}

/// What nobody has repaired or ignored.
const UNSETTLED: [FindingState; 2] = [FindingState::Suspect, FindingState::Confirmed];

/// How pairs stand, with so many of each kind counted.
pub(crate) async fn standings(handle: &Handle, names: Vec<String>, max: usize) -> Result<Vec<Standing>, Problem> {
    let read = move |reader: &mut dyn Reader| names.into_iter().map(|name| standing(reader, name, max)).collect();
    Ok(handle.read_drift(read).await?)
}

/// `GET /v1/pairs`
pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Admin).await?;
    let parameters = Parameters::of(uri, &["limit", "cursor"])?;
    let cursors = super::cursor::List::new("pairs", caller.tenant.id, "");
    let after = parameters.text("cursor").map(|cursor| cursors.position(cursor)).transpose()?;
    let after = after.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let limit = parameters.limit()?;
    let all = handle.config().pairs.keys().filter(|name| after.as_ref().is_none_or(|after| *name > after));
    let mut names: Vec<String> = all.take(limit + 1).cloned().collect();
    let has_more = names.len() > limit;
    names.truncate(limit);
    let standings = standings(handle, names.clone(), COUNTED_MAX).await?;
    let views = standings.into_iter().map(|standing| {
        let pair = &handle.config().pairs[&standing.name];
        view(pair, standing)
    });
    Ok(render::ok(&ListView {
        data: views.collect(),
        has_more,
        next_cursor: names.last().filter(|_| has_more).map(|last| cursors.cursor(last.as_bytes())),
    }))
}

/// `GET /v1/pairs/{name}`
pub(super) async fn show(State(handle): State<Handle>, Name(name): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, name, &uri, &headers).await)
}

async fn try_show(handle: &Handle, name: String, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    authenticate(handle, headers, Scope::Admin).await?;
    Parameters::of(uri, &[])?;
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no pair of this name is configured");
    let pair = handle.config().pairs.get(&name).ok_or_else(not_found)?;
    let standing = standings(handle, vec![name], COUNTED_MAX).await?.pop().ok_or_else(not_found)?;
    Ok(render::ok(&view(pair, standing)))
}

fn standing(reader: &mut dyn Reader, name: String, max: usize) -> Result<Standing, StoreError> {
    let pair = name.as_str();
    let (mut open, mut oldest) = (BTreeMap::new(), None);
    for state in FindingState::OPEN {
        let prefix = vec![pair.into(), state.name().into()];
        if UNSETTLED.contains(&state) {
            let scan = Scan::forward(&FINDINGS, prefix.clone(), 1);
            let first = rows::page::<PairFinding>(reader, &Scan { index: Some(&FINDINGS.indexes[1]), ..scan })?;
            oldest = first.iter().map(|one| one.first_seen_at).chain(oldest).min();
        }
        open.insert(state.name(), count(reader, (&FINDINGS, &FINDINGS.indexes[1]), prefix, max)?);
    }
    let prefix = vec![pair.into(), RepairState::AwaitingApproval.name().into()];
    let repairs_waiting = count(reader, (&REPAIRS, &REPAIRS.indexes[1]), prefix, max)?;
    let last_run = newest(reader, Some(pair), None, 1)?.pop();
    let last_proof = compared(reader, Some(pair), None, 1)?.pop();
    let state = rows::get(reader, vec![pair.into()])?;
    Ok(Standing { open, oldest, repairs_waiting, last_run, last_proof, state, name })
}

fn count(
    reader: &mut dyn Reader,
    index: (&'static Table, &'static Index),
    prefix: Key,
    max: usize,
) -> Result<usize, StoreError> {
    let scan = Scan { index: Some(index.1), ..Scan::forward(index.0, prefix, max) };
    Ok(reader.scan(&scan)?.len())
}

fn view(pair: &Pair, standing: Standing) -> PairView {
    let names = |columns: &[ColumnRef]| columns.iter().map(shown).collect();
    let side = |side: &SideRef| SideView { system: side.system.clone(), object: side.object.clone() };
    PairView {
        name: standing.name,
        object: "pair",
        left: side(&pair.left),
        right: side(&pair.right),
        r#match: pair.rules.iter().map(|(left, right)| RuleView { left: names(left), right: names(right) }).collect(),
        fields: pair
            .fields
            .iter()
            .map(|field| FieldView {
                left: shown(&field.left),
                right: shown(&field.right),
                authority: authority(field.policy.authority),
            })
            .collect(),
        apply: match pair.repairs.apply {
            Apply::Report => "report",
            Apply::Approve => "approve",
            Apply::Auto => "auto",
        },
        answers_truth: pair.truth.is_some(),
        last_run: standing.last_run.map(RunView::of),
        discrepancies: standing.open,
        repairs_waiting: standing.repairs_waiting,
    }
}

fn shown(column: &ColumnRef) -> String {
    column.pointer.as_ref().map_or_else(|| column.name.clone(), |pointer| format!("{}{pointer}", column.name))
}

const fn authority(authority: Authority) -> &'static str {
    match authority {
        Authority::Left => "left",
        Authority::Right => "right",
        Authority::Newest => "newest",
        Authority::Merge => "merge",
        Authority::Manual => "manual",
    }
}
