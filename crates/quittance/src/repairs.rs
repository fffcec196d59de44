//! `quittance requeue` and `quittance replay`: an object is looked at again, a stored event is applied again.

use crate::arguments::Global;
use crate::operator;
use clap::Args;
use quittance_server::operate::Operation;
use std::process::ExitCode;

/// Which object.
#[derive(Args, Debug)]
pub(crate) struct RequeueArguments {
    /// The gateway, as the configuration names it
    #[arg(long, value_name = "GATEWAY")]
    gateway: String,
    /// The gateway's id of the object (`pi_…`)
    #[arg(long, value_name = "ID")]
    object: String,
    /// Why, for whoever looks later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Which event.
#[derive(Args, Debug)]
pub(crate) struct ReplayArguments {
    /// The gateway's id of the event (`evt_…`)
    #[arg(long, value_name = "ID")]
    event: String,
    /// The gateway, where several have an event of this id
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<String>,
    /// Why, for whoever looks later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Has an object looked at again.
pub(crate) fn requeue(arguments: RequeueArguments, global: &Global) -> anyhow::Result<ExitCode> {
    let RequeueArguments { gateway, object, reason } = arguments;
    let answer = operator::perform(&Operation::Requeue { gateway, object, reason }, global)?;
    let notes = vec!["it is looked at as soon as the server has room".to_owned()];
    operator::object(answer, &["gateway", "object"], notes).print(global.format())?;
    Ok(ExitCode::SUCCESS)
}

/// Has a stored event applied again.
pub(crate) fn replay(arguments: ReplayArguments, global: &Global) -> anyhow::Result<ExitCode> {
    let ReplayArguments { event, gateway, reason } = arguments;
    let answer = operator::perform(&Operation::Replay { event, gateway, reason }, global)?;
    operator::object(answer, &["event"], Vec::new()).print(global.format())?;
    Ok(ExitCode::SUCCESS)
}
