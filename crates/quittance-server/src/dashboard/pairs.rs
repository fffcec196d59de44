//! Pairs of systems: how each stands, when it is compared, what its runs found and prove; pausing and resuming one. For keys of
//! scope `admin`.

use super::Dashboard;
use super::page::{Page, Part};
use super::view::{Ask, Cell, Field, Section, Table, Tone, address, age, below, counted, span};
use super::visitor::Visitor;
use crate::api::discrepancies::needs_admin;
use crate::api::pairs::{Standing, standings};
use crate::api::query::{Parameters, checked};
use crate::api::runs::{Found, compared, newest};
use crate::diff;
use crate::problem::{Problem, catalogue};
use crate::reconcile::{self, REASON_BYTES_MAX};
use crate::runtime::{Handle, ReadError};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::Uri;
use quittance_core::pair::schedule::Schedule;
use quittance_core::time::Timestamp;
use quittance_store::records::Run;

const LIST: &str = "/dashboard/pairs";

/// Pairs on one page, and runs and proofs of one pair.
const SHOWN_MAX: usize = 50;

/// Findings of one kind that are counted, at most.
const COUNTED_MAX: usize = 1_000;

/// `GET /dashboard/pairs`
pub(super) async fn list(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Response {
    visitor.answer(list_page(&dashboard.handle, &visitor, &uri).await)
}

async fn list_page(handle: &Handle, visitor: &Visitor, uri: &Uri) -> Result<Page, Problem> {
    needs_admin(&visitor.caller)?;
    let asked = Parameters::of_form(uri, &["after"])?;
    let after = asked.text("after");
    let all = handle.config().pairs.keys().filter(|name| after.is_none_or(|after| name.as_str() > after));
    let mut names: Vec<String> = all.take(SHOWN_MAX + 1).cloned().collect();
    let has_more = names.len() > SHOWN_MAX;
    names.truncate(SHOWN_MAX);
    let next = names.last().filter(|_| has_more).map(|last| address(LIST, &[("after", Some(last.as_str()))]));
    let now = handle.now();
    let standings = standings(handle, names, COUNTED_MAX).await?;
    let table = Table {
        title: "Pairs".to_owned(),
        caption: "Two systems that should agree, by name".to_owned(),
        columns: vec!["Pair", "State", "Confirmed", "Wait for approval", "Last proof", "Next run"],
        rows: standings.iter().map(|pair| row(pair, now)).collect(),
        empty: "No pair is configured.".to_owned(),
        next,
    };
    Ok(Page::new(Part::Pairs, "Pairs", vec![Section::Table(table)]))
}

fn row(pair: &Standing, now: Timestamp) -> Vec<Cell> {
    let confirmed = pair.open.get("confirmed").copied().unwrap_or_default();
    let proof = pair.last_proof.as_ref().map(|run| format!("{} ago", age(run.ended_at, now)));
    vec![
        Cell::text(pair.name.as_str()).to(below(LIST, &pair.name)),
        standing(pair),
        Cell::number(counted(confirmed, COUNTED_MAX)),
        Cell::number(counted(pair.repairs_waiting, COUNTED_MAX)),
        Cell::text(proof.unwrap_or_else(|| "never".to_owned())),
        Cell::maybe_at(pair.state.as_ref().and_then(|state| state.due_at)),
    ]
}

/// The word for how a pair stands.
fn standing(pair: &Standing) -> Cell {
    let state = pair.state.as_ref();
    match () {
        () if state.is_some_and(|state| state.failing_since.is_some()) => Cell::state("cannot be compared", Tone::Bad),
        () if pair.unsettled() > 0 => Cell::state("differs", Tone::Bad),
        () if state.is_some_and(|state| state.pause.is_some()) => Cell::state("paused", Tone::Warn),
        () if pair.last_proof.is_none() => Cell::state("never compared", Tone::Warn),
        () => Cell::state("agrees", Tone::Good),
    }
}

/// `GET /dashboard/pairs/{name}`
pub(super) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor, Path(name): Path<String>) -> Response {
    visitor.answer(show_page(&dashboard.handle, &visitor, name).await)
}

async fn show_page(handle: &Handle, visitor: &Visitor, name: String) -> Result<Page, Problem> {
    let name = configured(handle, visitor, name)?;
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no pair of this name is configured");
    let pair = standings(handle, vec![name.clone()], COUNTED_MAX).await?.pop().ok_or_else(not_found)?;
    let wanted = name.clone();
    let read = handle.read_drift(move |reader| {
        Ok((newest(reader, Some(&wanted), None, SHOWN_MAX)?, compared(reader, Some(&wanted), None, SHOWN_MAX)?))
    });
    let (runs, proofs) = read.await?;
    let is_paused = pair.state.as_ref().is_some_and(|state| state.pause.is_some());
    let sections = vec![
        Section::Facts("Facts".to_owned(), facts(handle, &pair)),
        Section::Table(run_table(&runs)),
        Section::Table(proof_table(&proofs)),
        Section::Ask(brake(&name, is_paused)),
    ];
    Ok(Page::new(Part::Pairs, format!("Pair {name}"), sections))
}

fn facts(handle: &Handle, pair: &Standing) -> Vec<(String, Cell)> {
    let mut facts = vec![("State".to_owned(), standing(pair))];
    if let Some(configured) = handle.config().pairs.get(&pair.name) {
        let side = |side: &crate::config::SideRef| Cell::text(format!("{} {}", side.system, side.object));
        facts.push(("Left".to_owned(), side(&configured.left)));
        facts.push(("Right".to_owned(), side(&configured.right)));
        let schedule = configured.service.schedule.map_or_else(|| "not by itself".to_owned(), spoken);
        facts.push(("Compared".to_owned(), Cell::text(schedule)));
    }
    for (state, count) in &pair.open {
        let parameters = [("source", Some("pair")), ("status", Some(*state)), ("pair", Some(pair.name.as_str()))];
        let href = address("/dashboard/discrepancies", &parameters);
        facts.push((format!("Discrepancies, {state}"), Cell::number(counted(*count, COUNTED_MAX)).to(href)));
    }
    facts.push(("Repairs that wait".to_owned(), Cell::number(counted(pair.repairs_waiting, COUNTED_MAX))));
    let Some(state) = &pair.state else { return facts };
    facts.push(("Next run".to_owned(), Cell::maybe_at(state.due_at)));
    facts.push(("Last run ended".to_owned(), Cell::maybe_at(state.ended_at)));
    facts.push(("What came of it".to_owned(), Cell::text(state.outcome.as_deref().unwrap_or("–"))));
    facts.push(("In words".to_owned(), Cell::text(state.detail.as_deref().unwrap_or("–"))));
    if let Some(pause) = &state.pause {
        let why = pause.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        facts.push(("Paused".to_owned(), Cell::text(format!("by {}{why}", pause.by))));
        facts.push(("Paused since".to_owned(), Cell::at(pause.at)));
    }
    facts
}

fn spoken(schedule: Schedule) -> String {
    match schedule {
        Schedule::Every(ms) => format!("every {}", span(ms)),
        Schedule::Daily(minute) => format!("daily at {:02}:{:02} UTC", minute / 60, minute % 60),
    }
}

fn run_table(runs: &[Found]) -> Table {
    let row = |found: &Found| {
        let started = found.run.as_ref().map(|run| run.started_at);
        let started = started.or(found.repairs.as_ref().map(|run| run.started_at));
        let number = |number: Option<i64>| number.map_or_else(|| Cell::text("–"), Cell::number);
        vec![
            Cell::code(found.id.to_string()),
            Cell::text(found.repairs.as_ref().map_or("compare", |run| run.cause.name())),
            Cell::text(found.repairs.as_ref().map_or("–", |run| run.by.as_str())),
            Cell::maybe_at(started),
            Cell::maybe_at(found.run.as_ref().map(|run| run.ended_at)),
            number(found.run.as_ref().map(|run| run.drifts)),
            number(found.repairs.as_ref().map(|run| run.repairs)),
        ]
    };
    Table {
        title: "Runs".to_owned(),
        caption: format!("The newest first, {SHOWN_MAX} at most"),
        columns: vec!["Run", "Why", "By", "Began", "Ended", "Open", "Repairs"],
        rows: runs.iter().map(row).collect(),
        empty: "It was never compared.".to_owned(),
        next: None,
    }
}

fn proof_table(proofs: &[Run]) -> Table {
    let row = |run: &Run| {
        let open = u64::try_from(run.drifts).unwrap_or_default();
        vec![
            Cell::code(run.id.to_string()),
            Cell::text(diff::statement(run, run.proof.equal.count, open)),
            Cell::text(run.method.as_str()),
            Cell::code(format!("{:032x}", run.proof.equal.sum)),
            Cell::at(run.ended_at),
        ]
    };
    Table {
        title: "Proofs of completeness".to_owned(),
        caption: format!("What each comparison proves; the newest first, {SHOWN_MAX} at most"),
        columns: vec!["Run", "Statement", "Method", "Digest of what is equal", "Ended"],
        rows: proofs.iter().map(row).collect(),
        empty: "Nothing is proven yet.".to_owned(),
        next: None,
    }
}

fn brake(name: &str, is_paused: bool) -> Ask {
    let reason = Field { name: "reason", label: "Why", value: String::new(), is_required: true };
    let (title, about, word) = match is_paused {
        true => ("Resume", "What was due meanwhile is due once.", "resume"),
        false => ("Pause", "Nobody compares or repairs it; what is under way stops before its next step.", "pause"),
    };
    Ask {
        title: format!("{title} this pair"),
        about: about.to_owned(),
        action: format!("{}/{word}", below(LIST, name)),
        hidden: Vec::new(),
        fields: if is_paused { Vec::new() } else { vec![reason] },
        button: title.to_owned(),
    }
}

/// `POST /dashboard/pairs/{name}/pause`
pub(super) async fn pause(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    set(&dashboard.handle, &visitor, name, request, true).await.unwrap_or_else(|problem| visitor.answer(Err(problem)))
}

/// `POST /dashboard/pairs/{name}/resume`
pub(super) async fn resume(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    set(&dashboard.handle, &visitor, name, request, false).await.unwrap_or_else(|problem| visitor.answer(Err(problem)))
}

async fn set(
    handle: &Handle,
    visitor: &Visitor,
    name: String,
    request: Request,
    is_paused: bool,
) -> Result<Response, Problem> {
    let form = visitor.form(request, &["reason"]).await?;
    let name = configured(handle, visitor, name)?;
    let reason = form.text("reason").map(str::to_owned);
    if reason.as_ref().is_some_and(|reason| reason.len() > REASON_BYTES_MAX) {
        return Err(Problem::parameter("reason", format!("must be at most {REASON_BYTES_MAX} bytes")));
    }
    let nowhere = || Problem::internal(&"nothing is known of where pairs are kept");
    let (data, by) = (handle.data().cloned().ok_or_else(nowhere)?, visitor.caller.credential.to_string());
    let href = below(LIST, &name);
    let work = tokio::task::spawn_blocking(move || match is_paused {
        true => reconcile::pause(&data, &name, &by, reason.as_deref()),
        false => reconcile::resume_pair(&data, &name),
    });
    let done = work.await.map_err(|_| Problem::internal(&"a pause was given up"))?;
    done.map_err(|error| Problem::from(ReadError::Store(error)))?;
    Ok(Redirect::to(&href).into_response())
}

/// The name of a pair that is configured, for whoever may see pairs.
fn configured(handle: &Handle, visitor: &Visitor, name: String) -> Result<String, Problem> {
    needs_admin(&visitor.caller)?;
    let name = checked(name)?;
    let is_known = handle.config().pairs.contains_key(&name);
    is_known.then_some(name).ok_or_else(|| Problem::new(&catalogue::NOT_FOUND, "no pair of this name is configured"))
}
