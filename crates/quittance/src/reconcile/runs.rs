//! `quittance runs`: what was repaired, what was taken back, and what waits for a person.

use crate::arguments::Global;
use crate::output::Document;
use clap::Args;
use quittance_core::record::value::Value;
use quittance_server::reconcile::{Listed, list};
use quittance_store::records::{RepairSource, RepairState};
use serde_json::json;
use std::process::ExitCode;

/// Which runs.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Those of one pair
    pair: Option<String>,
    /// Those only of which something waits for approval
    #[arg(long)]
    waiting: bool,
    /// How many, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
}

const COLUMNS: [&str; 9] =
    ["run_id", "pair", "cause", "undoes", "started_at", "repairs", "repaired", "awaiting_approval", "undone"];

/// Lists runs of repairs.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let runs = list(&global.data()?, arguments.pair.as_deref(), arguments.waiting, usize::from(arguments.limit))?;
    let documents: Vec<_> = runs.iter().map(document).collect();
    let cell = |value: &serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows = documents.iter().map(|one| COLUMNS.iter().map(|column| cell(&one[column])).collect()).collect();
    let notes = match runs.is_empty() {
        true => vec!["no runs of repairs; `quittance reconcile PAIR --apply` makes one".to_owned()],
        false => Vec::new(),
    };
    let document = Document { json: json!({"data": documents}), columns: COLUMNS.to_vec(), rows, notes, text: None };
    let text = document.for_people(runs.is_empty());
    Document { text: Some(text), ..document }.print(global.format())?;
    Ok(ExitCode::SUCCESS)
}

fn document(listed: &Listed) -> serde_json::Value {
    let Listed { run, counts } = listed;
    json!({
        "run_id": run.id.to_string(),
        "pair": run.pair,
        "cause": run.cause.name(),
        "undoes": run.undoes.map(|run| run.to_string()),
        "by": run.by,
        "file": run.source.as_ref().map(file),
        "started_at": Value::Timestamp(run.started_at).to_string(),
        "repairs": run.repairs,
        "planned": counts.of(&[RepairState::Planned]),
        "repaired": counts.of(&[RepairState::Repaired]),
        "awaiting_approval": counts.of(&[RepairState::AwaitingApproval]),
        "rejected": counts.of(&[RepairState::Rejected]),
        "refused": counts.refused(),
        "failed": counts.failed(),
        "undone": counts.of(&[RepairState::Undone]),
    })
}

/// The list that a run was made of.
pub(super) fn file(source: &RepairSource) -> serde_json::Value {
    let sha256: String = source.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"name": source.name, "sha256": sha256})
}
