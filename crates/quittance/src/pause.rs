//! `quittance pause` and `quittance resume`: the brake. It stands where it was left, also when the server starts anew.

use crate::arguments::Global;
use crate::operator;
use crate::output::Document;
use clap::Args;
use quittance_server::operate::Operation;
use serde_json::Value;
use std::process::ExitCode;

/// What to pause or to resume.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The gateway, as the configuration names it; without it, everything
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
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

/// Pauses, and prints what is paused then.
pub(crate) fn pause(arguments: Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let Arguments { gateway, reason } = arguments;
    print(operator::perform(&Operation::Pause { gateway, reason }, global)?, global)
}

/// Resumes, and prints what is still paused.
pub(crate) fn resume(arguments: ResumeArguments, global: &Global) -> anyhow::Result<ExitCode> {
    let ResumeArguments { pause: Arguments { gateway, reason }, force } = arguments;
    let operation = match (force, gateway, reason) {
        (true, Some(gateway), Some(reason)) => Operation::EndRecovery { gateway, reason },
        (_, gateway, reason) => Operation::Resume { gateway, reason },
    };
    print(operator::perform(&operation, global)?, global)
}

fn print(answer: Value, global: &Global) -> anyhow::Result<ExitCode> {
    let is_any = answer["paused"].as_array().is_some_and(|paused| !paused.is_empty());
    let note = if is_any { "new payments are accepted and wait" } else { "nothing is paused" };
    let rows = operator::rows(&answer["paused"], &COLUMNS);
    let document = Document { rows, columns: COLUMNS.to_vec(), json: answer, notes: vec![note.to_owned()], text: None };
    document.print(global.format())?;
    Ok(ExitCode::SUCCESS)
}
