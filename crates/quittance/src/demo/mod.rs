//! The demonstration: thousands of payments through a hostile gateway, impatient clients and `kill -9`, and then the
//! comparison with the gateway's own list, charge by charge.
//!
//! Owns: the order of events. The server is a child process of our own program, the gateway a sandbox beside the demo;
//! everything between them, and everything that is compared in the end, goes over HTTP. **Nothing of the engine's
//! memory is asked: what is compared is what a stranger could read.**

mod aftermath;
pub(crate) mod api;
mod audit;
mod database;
mod dice;
mod drift;
mod evidence;
pub(crate) mod gateway;
mod notes;
mod plan;
mod progress;
mod report;
mod script;
mod server;
mod shopper;
mod stage;
mod verdict;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use quittance_sandbox::FaultProfile;
use quittance_server::data::{Data, Place};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use self::report::Report;
use self::stage::Stage;
use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format};

/// What `quittance demo` is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// Show only this part
    #[arg(long, value_name = "PART", value_enum)]
    pub(crate) only: Option<Part>,
    /// How many commands the clients send, each under an idempotency key of its own
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) commands: u32,
    /// Decides amounts, orders, misbehaviour, faults and the moments of `kill -9`
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How hostile the gateway is
    #[arg(long, value_name = "PROFILE", value_enum, default_value_t = Faults::Hostile)]
    pub(crate) faults: Faults,
    /// Servers that share the books; more than one need --database-url, where a database of the demo's own is made
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) processes: u32,
    /// Keep the data and print where it is
    #[arg(long)]
    pub(crate) keep: bool,
}

/// A part of the demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// An application's table and the gateway after 18 hours without webhooks, compared
    Drift,
    /// Payments, each charged exactly once
    Charges,
}

/// How hostile the gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Faults {
    /// It behaves, and so do the clients; the server is killed all the same
    None,
    /// A few requests in a hundred go wrong
    Mild,
    /// A third of all requests goes wrong
    Hostile,
}

impl Faults {
    const fn profile(self) -> FaultProfile {
        match self {
            Self::None => FaultProfile::None,
            Self::Mild => FaultProfile::Mild,
            Self::Hostile => FaultProfile::Hostile,
        }
    }

    /// In how many of a thousand requests a client hangs up early.
    const fn impatience(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Mild => 50,
            Self::Hostile => 250,
        }
    }
}

/// Shells report 128 and the signal's number for a program that a signal ended; this is SIGINT's.
const INTERRUPTED: u8 = 130;

/// Runs the demonstration and prints what came of it: 0 when every promise was kept, 1 otherwise.
///
/// # Errors
///
/// When it could not be carried out: no free port, no space, a server that does not start.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    let format = global.format();
    let url = match global.named_data()?.as_ref().map(Data::place) {
        Some(Place::Postgres(url)) => Some(url.expose().to_owned()),
        _ => None,
    };
    if arguments.processes > 1 && url.is_none() {
        let what = "--processes: only one process writes to a data directory";
        return Err(Failure::new(Exit::Usage, what, "name a PostgreSQL server with --database-url").into());
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the demo's threads")?;
    runtime.block_on(async {
        tokio::select! {
            biased;
            interrupted = interruption() => {
                interrupted?;
                let data = if arguments.keep { "are kept" } else { "are removed" };
                eprintln!("interrupted; the servers are stopped and the data {data}");
                Ok(ExitCode::from(INTERRUPTED))
            }
            code = perform(arguments, url.as_deref(), format) => code,
        }
    })
}

/// Comes back when somebody wants the demo to end. The server is a process group of its own, so it is still alive then,
/// and is killed when the demo's state is dropped.
fn interruption() -> impl Future<Output = Result<()>> {
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    async move {
        let [interrupt, terminate, hangup] = signals;
        let (mut interrupt, mut terminate, mut hangup) = (interrupt?, terminate?, hangup?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        Ok(())
    }
}

async fn perform(arguments: &Arguments, url: Option<&str>, format: Format) -> Result<ExitCode> {
    let folder = Folder::make(arguments.keep)?;
    let drift = match arguments.only {
        Some(Part::Charges) => None,
        _ => Some(drift::show(arguments, folder.path()).await?),
    };
    let charges = match arguments.only {
        Some(Part::Drift) => None,
        _ => Some(show(arguments, folder.path().to_owned(), url).await?),
    };
    let kept = arguments.keep.then(|| folder.path());
    let is_good = drift.as_ref().is_none_or(drift::Report::is_good)
        && charges.as_ref().is_none_or(|report| report.verdict.is_good());
    output::write(&told(drift.as_ref(), charges.as_ref(), kept, format)).context("cannot print the report")?;
    Ok(if is_good { Exit::Good } else { Exit::Finding }.into())
}

/// Where everything of a demo lies that is in no database: gone when this is dropped, or told, whatever ended the demo.
struct Folder {
    directory: TempDir,
    is_kept: bool,
}

impl Folder {
    fn make(is_kept: bool) -> Result<Self> {
        let made = tempfile::Builder::new().prefix("quittance-demo-").disable_cleanup(is_kept).tempdir();
        Ok(Self { directory: made.context("no room for the demo's data")?, is_kept })
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_kept {
            eprintln!("kept in {}", self.path().display());
        }
    }
}

/// The reports one after the other; for programs one document, in which drift is a member of what is told of charges.
fn told(drift: Option<&drift::Report>, charges: Option<&Report>, kept: Option<&Path>, format: Format) -> String {
    if format != Format::Json {
        let texts = [drift.map(|report| report.text(kept)), charges.map(|report| report.text(kept))];
        return texts.into_iter().flatten().collect::<Vec<_>>().join("\n");
    }
    let mut document = charges.map_or_else(|| json!({}), Report::document);
    if let (Some(drift), Value::Object(map)) = (drift, &mut document) {
        map.insert("drift".to_owned(), drift.document());
    }
    format!("{document:#}\n")
}

async fn show(arguments: &Arguments, folder: PathBuf, url: Option<&str>) -> Result<Report> {
    let mut stage = Stage::open(arguments, folder, url).await?;
    stage.trade().await?;
    stage.settle().await?;
    stage.judge().await
}
