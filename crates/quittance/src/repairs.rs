//! `quittance requeue` and `quittance replay`: an object is looked at again, a stored event is applied again, the repairs of a
//! pair are made again from their journal.

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

/// Which event, or the repairs of which pair.
#[derive(Args, Debug)]
pub(crate) struct ReplayArguments {
    /// The pair whose repairs are made again from their journal, and compared with what is kept; nothing is written
    #[arg(required_unless_present = "event", conflicts_with_all = ["event", "gateway", "reason"])]
    pair: Option<String>,
    /// Show only what entries of the journal from this one on said last
    #[arg(long, value_name = "N", requires = "pair", value_parser = clap::value_parser!(i64).range(1..))]
    from: Option<i64>,
    /// Show everything as it was after this entry
    #[arg(long, value_name = "N", requires = "pair", value_parser = clap::value_parser!(i64).range(1..))]
    to: Option<i64>,
    /// The gateway's id of an event (`evt_…`) that is applied again
    #[arg(long, value_name = "ID", requires = "reason")]
    event: Option<String>,
    /// The gateway, where several have an event of this id
    #[arg(long, value_name = "GATEWAY", requires = "event")]
    gateway: Option<String>,
    /// Why the event is applied again, for whoever looks later
    #[arg(long, value_name = "TEXT", requires = "event")]
    reason: Option<String>,
}

/// Has an object looked at again.
pub(crate) fn requeue(arguments: RequeueArguments, global: &Global) -> anyhow::Result<ExitCode> {
    let RequeueArguments { gateway, object, reason } = arguments;
    let answer = operator::perform(&Operation::Requeue { gateway, object, reason }, global)?;
    let notes = vec!["it is looked at as soon as the server has room".to_owned()];
    operator::object(answer, &["gateway", "object"], notes).print(global.format())?;
    Ok(ExitCode::SUCCESS)
}

/// Has a stored event applied again, or makes the repairs of a pair again.
pub(crate) fn replay(arguments: ReplayArguments, global: &Global) -> anyhow::Result<ExitCode> {
    let ReplayArguments { pair, from, to, event, gateway, reason } = arguments;
    if let Some(pair) = pair {
        return crate::reconcile::replay_pair(&pair, (from, to), global);
    }
    let (event, reason) = (event.unwrap_or_default(), reason.unwrap_or_default());
    let answer = operator::perform(&Operation::Replay { event, gateway, reason }, global)?;
    operator::object(answer, &["event"], Vec::new()).print(global.format())?;
    Ok(ExitCode::SUCCESS)
}
