//! `quittance trace`: the story behind an id.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Document, plain};
use clap::Args;
use quittance_core::id::{CommandId, CorrelationId};
use quittance_core::time::Timestamp;
use quittance_engine::trace::{Line, Story, Trace, trace};
use quittance_server::reconcile;
use quittance_store::store::StoreError;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// What is asked about.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Any id: a payment, refund, dispute, customer, command, correlation, effect or hold; a gateway's id of an object or
    /// an event; a reference or an idempotency key; a run of a pair (`run_…`), or one repair of it (`run_…/3`)
    #[arg(value_name = "ID")]
    id: String,
}

/// Prints the story; finding none is a finding.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let data = global.data()?;
    // Where runs are kept there need not be any books.
    let found = match reconcile::trace(&data, &arguments.id)? {
        Some(run) => Some(run),
        None => match data.open_reader() {
            Err(StoreError::Missing { .. }) if data.runs().open_reader().is_ok() => None,
            opened => trace(opened?.as_mut(), None, &arguments.id)?,
        },
    };
    match found {
        Some(trace) => {
            document(&trace).print(global.format())?;
            Ok(Exit::Good.into())
        }
        None => {
            let what = format!("nothing is known under {:?} in {data}", arguments.id);
            let remedy =
                "ask for an id of ours, the gateway's, a reference or an idempotency key, exactly as it was written";
            Err(Failure::new(Exit::Finding, what, remedy).into())
        }
    }
}

fn document(trace: &Trace) -> Document {
    let row = |(subject, line): (&str, &Line)| {
        vec![time(line.at), subject.to_owned(), line.actor.to_owned(), line.event.to_owned(), line.text()]
    };
    Document {
        json: json(trace),
        columns: vec!["time", "subject", "actor", "event", "details"],
        rows: trace.lines().map(row).collect(),
        notes: Vec::new(),
        text: Some(text(trace)),
    }
}

/// A story as people read it: the lines are long, and ids in them are copied.
fn text(trace: &Trace) -> String {
    let mut text = String::new();
    for story in &trace.stories {
        text += &format!("{} is {}\n", story.subject, story.status);
        for line in &story.lines {
            text += &format!("  {}  {:<7}  {:<16}  {}\n", time(line.at), line.actor, line.event, plain(&line.text()));
        }
    }
    if trace.is_cut {
        text += "there are more payments; ask for one of them\n";
    }
    text
}

/// The same members as the answer of `GET /v1/trace/{id}`.
fn json(trace: &Trace) -> Value {
    json!({
        "id": trace.id,
        "object": "trace",
        "recognised_as": trace.recognised_as,
        "stories": trace.stories.iter().map(story).collect::<Vec<_>>(),
        "has_more": trace.is_cut,
    })
}

fn story(story: &Story) -> Value {
    let correlation = |command: CommandId| CorrelationId::from_uuid(command.uuid()).to_string();
    json!({
        "subject": story.subject,
        "status": story.status,
        "payment": story.payment.map(|id| id.to_string()),
        "command_id": story.command.map(|id| id.to_string()),
        "correlation_id": story.command.map(correlation),
        "lines": story.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn line(line: &Line) -> Value {
    let details: Map<String, Value> =
        line.details.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    json!({"at": time(line.at), "actor": line.actor, "event": line.event, "details": details})
}

/// RFC 3339 in UTC, to the millisecond.
fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| format!("{} µs", at.0), |time| format!("{time:.3}"))
}
