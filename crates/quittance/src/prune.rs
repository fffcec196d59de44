//! `quittance prune`: drops bytes that were kept for their own sake, once they are old. Shows how much that is before.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use clap::Args;
use quittance_engine::submission::{ANSWERS_DAYS_MIN, EVENTS_DAYS_MIN, TOLD_DAYS_MIN};
use quittance_server::operate::{Found, Retention, prune};
use serde_json::json;
use std::process::ExitCode;

/// What is old, and whether it goes.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Drop it; without this, only what would go is counted
    #[arg(long)]
    apply: bool,
    /// Age in days at which the bytes of an answer go; its key then says that it was used (30 or more)
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(i64::from(ANSWERS_DAYS_MIN)..))]
    answers_days: u32,
    /// Age in days at which the bytes of a gateway's event go, except for their digest (30 or more)
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(i64::from(EVENTS_DAYS_MIN)..))]
    events_days: u32,
    /// Age in days at which the bytes of an event that your systems were told go; it is not sent again (30 or more)
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(i64::from(TOLD_DAYS_MIN)..))]
    told_days: u32,
}

/// Counts what is old, drops it if it is told to, and prints how much it was.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let data = global.data()?;
    if !data.may_exist() {
        let what = format!("there is nothing in {data}");
        return Err(Failure::new(Exit::Usage, what, "name the data by --data or --database-url").into());
    }
    let Arguments { apply, answers_days, events_days, told_days } = *arguments;
    let pruned = prune(&data, Retention { answers_days, events_days, told_days }, apply)?;
    let row = |what: &str, days: u32, found: Found| {
        vec![what.to_owned(), days.to_string(), found.rows.to_string(), found.bytes.to_string()]
    };
    let rows = vec![
        row("answers", answers_days, pruned.answers),
        row("events of gateways", events_days, pruned.events),
        row("events that were told", told_days, pruned.told),
    ];
    let note = match apply {
        true => "these bytes are gone; the files stay as large as they are, and their places are used again",
        false => "nothing was written; with --apply they go",
    };
    let json = json!({ "answers": pruned.answers, "events": pruned.events, "told": pruned.told, "applied": apply });
    let columns = vec!["what", "older than days", "rows", "bytes"];
    Document { json, columns, rows, notes: vec![note.to_owned()], text: None }.print(global.format())?;
    Ok(Exit::Good.into())
}
