//! `quittance serve`: the server as a process.

use crate::arguments::Global;
use crate::output;
use crate::signals::Signals;
use anyhow::Context;
use clap::Args;
use quittance_server::config::Config;
use quittance_server::open_files;
use quittance_server::roles::Roles;
use quittance_server::serve::{ServeOptions, serve};
use std::net::SocketAddr;
use std::process::ExitCode;

/// How to serve.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where to listen, instead of where the configuration says; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// What this process does, where several share a database: some of api, worker, reconciler
    #[arg(long, value_name = "ROLES", default_value_t = Roles::ALL)]
    roles: Roles,
    /// Lanes, each with a connection of its own, where the books lie in PostgreSQL [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8))]
    lanes: Option<u8>,
}

/// Serves until a signal ends it. Once requests are taken, `listening on http://ADDR` (https where it is
/// encrypted) is printed, and nothing after it.
pub(crate) fn run(arguments: Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let mut config = Config::load(global.config.as_deref())?;
    config.server.lanes = arguments.lanes.map(usize::from).or(config.server.lanes);
    let scheme = if config.server.front.tls.is_some() { "https" } else { "http" };
    open_files::raise(config.server.connections_max);
    let options = ServeOptions {
        config,
        data: global.data()?,
        roles: arguments.roles,
        listen: arguments.listen,
        on_ready: Some(Box::new(move |address| announce(scheme, address))),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let signals = Signals::take()?;
        serve(options, signals.first()).await?;
        Ok(ExitCode::SUCCESS)
    })
}

fn announce(scheme: &str, address: SocketAddr) {
    if let Err(error) = output::write(&format!("listening on {scheme}://{address}\n")) {
        tracing::warn!(%error, "cannot say on standard output where the server listens");
    }
}
