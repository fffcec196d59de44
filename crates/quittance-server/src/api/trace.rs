//! `GET /v1/trace/{id}`: the story behind any id, for the caller's own tenant; behind a run of a pair, which belongs to the whole
//! installation, for keys of scope `admin`.

use super::query::{Name, Parameters};
use super::waiting::or_problem;
use crate::auth::authenticate;
use crate::problem::{Problem, catalogue};
use crate::reconcile::{is_run, trace_of};
use crate::render::{self, time};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::tenant::Scope;
use quittance_engine::trace::{Line, Story, Trace, trace};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct TraceView<'a> {
    id: &'a str,
    object: &'static str,
    recognised_as: &'static str,
    stories: Vec<StoryView<'a>>,
    has_more: bool,
}

#[derive(Serialize)]
struct StoryView<'a> {
    subject: &'a str,
    status: &'a str,
    payment: Option<String>,
    command_id: Option<String>,
    correlation_id: Option<String>,
    lines: Vec<LineView<'a>>,
}

#[derive(Serialize)]
struct LineView<'a> {
    at: String,
    actor: &'static str,
    event: &'static str,
    details: BTreeMap<&'static str, &'a str>,
}

/// `GET /v1/trace/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: String, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &["repair"])?;
    let repair = parameters.parsed("repair", "the number of a repair of a run, from 0", |text| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten()
    })?;
    let id = match repair {
        Some(repair) if is_run(&id) && !id.contains('/') => format!("{id}/{repair}"),
        Some(_) => return Err(Problem::new(&catalogue::NOT_FOUND, "only a run (run_…) has repairs to be named")),
        None => id,
    };
    let of_run = is_run(&id);
    if of_run && caller.scope == Scope::Admin {
        let named = id.clone();
        if let Some(found) = handle.read_drift(move |reader| trace_of(reader, &named)).await? {
            return Ok(render::ok(&view(&found)));
        }
    }
    let tenant = caller.tenant.id;
    // A reference of one's own may look like anything.
    match handle.read(move |reader| trace(reader, Some(tenant), &id)).await? {
        Some(found) => Ok(render::ok(&view(&found))),
        None if of_run && caller.scope != Scope::Admin => {
            let detail = format!("scope {} is needed for a run of a pair", Scope::Admin.name());
            Err(Problem::new(&catalogue::FORBIDDEN, detail))
        }
        None => Err(Problem::new(&catalogue::NOT_FOUND, "nothing is known under this id")),
    }
}

fn view(trace: &Trace) -> TraceView<'_> {
    TraceView {
        id: &trace.id,
        object: "trace",
        recognised_as: trace.recognised_as,
        stories: trace.stories.iter().map(story).collect(),
        has_more: trace.is_cut,
    }
}

fn story(story: &Story) -> StoryView<'_> {
    StoryView {
        subject: &story.subject,
        status: &story.status,
        payment: story.payment.map(|payment| payment.to_string()),
        command_id: story.command.map(|command| command.to_string()),
        correlation_id: story.command.map(render::correlation_id),
        lines: story.lines.iter().map(line).collect(),
    }
}

fn line(line: &Line) -> LineView<'_> {
    LineView {
        at: time(line.at),
        actor: line.actor,
        event: line.event,
        details: line.details.iter().map(|(name, value)| (*name, value.as_str())).collect(),
    }
}
