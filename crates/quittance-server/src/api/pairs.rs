//! `GET /v1/pairs`: two systems that should agree, and how they stand. For keys of scope `admin`: pairs are the whole
//! installation's.

use super::query::{Name, Parameters};
use super::rows;
use super::runs::{RunView, newest};
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
use quittance_store::records::{FindingState, PairFinding, Repair, RepairState};
use quittance_store::schema::Index;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{FINDINGS, REPAIRS};
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

/// What is kept of a pair.
struct Kept {
    last_run: Option<RunView>,
    discrepancies: BTreeMap<&'static str, usize>,
    repairs_waiting: usize,
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
    let asked = names.clone();
    let kept =
        handle.read_drift(move |reader| asked.iter().map(|name| kept(reader, name)).collect::<Result<Vec<_>, _>>());
    let kept = kept.await?;
    let views = names.iter().zip(kept).map(|(name, kept)| view(name, &handle.config().pairs[name], kept));
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
    let asked = name.clone();
    let kept = handle.read_drift(move |reader| kept(reader, &asked)).await?;
    Ok(render::ok(&view(&name, pair, kept)))
}

fn kept(reader: &mut dyn Reader, pair: &str) -> Result<Kept, StoreError> {
    let mut discrepancies = BTreeMap::new();
    for state in FindingState::OPEN {
        let prefix = vec![pair.into(), state.name().into()];
        discrepancies.insert(state.name(), count::<PairFinding>(reader, &FINDINGS.indexes[1], prefix)?);
    }
    let prefix = vec![pair.into(), RepairState::AwaitingApproval.name().into()];
    let repairs_waiting = count::<Repair>(reader, &REPAIRS.indexes[1], prefix)?;
    let last_run = newest(reader, Some(pair), None, 1)?.pop().map(RunView::of);
    Ok(Kept { last_run, discrepancies, repairs_waiting })
}

fn count<T: quittance_store::records::Entity>(
    reader: &mut dyn Reader,
    index: &'static Index,
    prefix: Vec<quittance_store::value::Value>,
) -> Result<usize, StoreError> {
    let scan = Scan { index: Some(index), ..Scan::forward(T::table(), prefix, COUNTED_MAX) };
    Ok(rows::page::<T>(reader, &scan)?.len())
}

fn view(name: &str, pair: &Pair, kept: Kept) -> PairView {
    let names = |columns: &[ColumnRef]| columns.iter().map(shown).collect();
    let side = |side: &SideRef| SideView { system: side.system.clone(), object: side.object.clone() };
    PairView {
        name: name.to_owned(),
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
        last_run: kept.last_run,
        discrepancies: kept.discrepancies,
        repairs_waiting: kept.repairs_waiting,
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
