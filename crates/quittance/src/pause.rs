//! `quittance pause` and `quittance resume`: the brake. It stands where it was left, also when the server starts anew.

use crate::arguments::Global;
use crate::diff::BY;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use crate::{operator, systems};
use clap::Args;
use quittance_core::record::value::Value as Canonical;
use quittance_server::config::Config;
use quittance_server::data::Data;
use quittance_server::operate::Operation;
use quittance_server::reconcile::{self, PausedPair};
use serde_json::{Value, json};
use std::process::ExitCode;

/// What to pause or to resume.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The gateway, as the configuration names it; without it, everything that leaves for gateways
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// A pair: nothing is compared or repaired of it, neither by schedule nor by --apply
    #[arg(long, value_name = "PAIR", conflicts_with = "gateway")]
    pair: Option<String>,
    /// Why, for whoever looks later
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Which gateway sends again although it is not known what was done since the backup.
#[derive(Args, Debug)]
pub(crate) struct ResumeArguments {
    #[command(flatten)]
    pause: Arguments,
    /// Ends the recovery from a restored backup before the gateway was swept; needs --gateway and --reason
    #[arg(long, requires = "gateway", requires = "reason")]
    force: bool,
}

const COLUMNS: [&str; 4] = ["gateway", "since", "reason", "by"];
const PAIR_COLUMNS: [&str; 4] = ["pair", "since", "reason", "by"];

/// Pauses, and prints what is paused then.
pub(crate) fn pause(arguments: Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let Arguments { gateway, pair, reason } = arguments;
    if let Some(pair) = pair {
        let (data, pair) = known(&pair, global)?;
        let reason = reason.as_deref().filter(|reason| !reason.trim().is_empty());
        if let Some(reason) = reason.filter(|reason| reason.len() > reconcile::REASON_BYTES_MAX) {
            let what = format!("--reason: {} bytes are too many", reason.len());
            let remedy = format!("write {} at most", reconcile::REASON_BYTES_MAX);
            return Err(Failure::new(Exit::Usage, what, remedy).into());
        }
        reconcile::pause(&data, &pair, BY, reason)?;
        return print_pairs(&data, global);
    }
    print(operator::perform(&Operation::Pause { gateway, reason }, global)?, global)
}

/// Resumes, and prints what is still paused.
pub(crate) fn resume(arguments: ResumeArguments, global: &Global) -> anyhow::Result<ExitCode> {
    let ResumeArguments { pause: Arguments { gateway, pair, reason }, force } = arguments;
    if let Some(pair) = pair {
        let (data, pair) = known(&pair, global)?;
        reconcile::resume_pair(&data, &pair)?;
        return print_pairs(&data, global);
    }
    let operation = match (force, gateway, reason) {
        (true, Some(gateway), Some(reason)) => Operation::EndRecovery { gateway, reason },
        (_, gateway, reason) => Operation::Resume { gateway, reason },
    };
    print(operator::perform(&operation, global)?, global)
}

/// A pair that is configured, or was paused while it was.
fn known(pair: &str, global: &Global) -> anyhow::Result<(Data, String)> {
    let data = global.data()?;
    if !reconcile::paused(&data)?.iter().any(|paused| paused.pair == pair) {
        systems::pair(&Config::load(global.config.as_deref())?, pair)?;
    }
    Ok((data, pair.to_owned()))
}

fn print_pairs(data: &Data, global: &Global) -> anyhow::Result<ExitCode> {
    let view = |PausedPair { pair, pause }: PausedPair| {
        let since = Canonical::Timestamp(pause.at).to_string();
        json!({"pair": pair, "since": since, "reason": pause.reason, "by": pause.by})
    };
    let paused: Vec<Value> = reconcile::paused(data)?.into_iter().map(view).collect();
    let note = if paused.is_empty() { "no pair is paused" } else { "nothing is compared or repaired of these pairs" };
    let json = json!({ "paused": paused });
    let rows = operator::rows(&json["paused"], &PAIR_COLUMNS);
    let document = Document { rows, columns: PAIR_COLUMNS.to_vec(), json, notes: vec![note.to_owned()], text: None };
    document.print(global.format())?;
    Ok(ExitCode::SUCCESS)
}

fn print(answer: Value, global: &Global) -> anyhow::Result<ExitCode> {
    let is_any = answer["paused"].as_array().is_some_and(|paused| !paused.is_empty());
    let note = if is_any { "new payments are accepted and wait" } else { "nothing is paused" };
    let rows = operator::rows(&answer["paused"], &COLUMNS);
    let document = Document { rows, columns: COLUMNS.to_vec(), json: answer, notes: vec![note.to_owned()], text: None };
    document.print(global.format())?;
    Ok(ExitCode::SUCCESS)
}
