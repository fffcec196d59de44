//! What can be written on the command line. Each subcommand's own arguments are in its module.

use crate::output::Format;
use crate::{
    alerts, backup, bench, check_config, completions, customers, demo, diff, export, find, healthcheck, init, key,
    pause, prune, reconcile, repairs, restore, sandbox, serve, tenant, trace, verify,
};
use clap::{Args, Parser, Subcommand};
use quittance_server::config::Config;
use quittance_server::data::Data;
use quittance_store::seal::Keyring;
use std::path::PathBuf;
use std::sync::Arc;

/// Every charge exactly once.
#[derive(Parser, Debug)]
#[command(name = "quittance", version, max_term_width = 100, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 good, 1 a finding, 2 usage or configuration, 3 something outside cannot be reached,
4 stopped by a brake or waiting for approval, 5 internal failure (full disk, damaged data, a bug).

The filter of what is logged is read from the variable QUITTANCE_LOG (`info`, `quittance_server=debug`).";

/// The data directory where none is named.
const DATA: &str = "quittance-data";

/// Options of every subcommand.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Configuration; without this, quittance.toml is read if it is there
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,
    /// Data directory [default: quittance-data]; only `serve`, `tenant`, `key`, `pause`, `resume`, `prune`, `restore`,
    /// `reconcile`, `approve`, `import` and `undo` with --apply, `alerts silence` and `unsilence`, and `diff` and a dry
    /// `reconcile` where it is named, write to it
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    data: Option<PathBuf>,
    /// A PostgreSQL database that holds the books instead, for any number of processes: env:NAME or file:PATH, where its
    /// address is, or the address itself
    #[arg(long, global = true, value_name = "URL", conflicts_with = "data", help_heading = "Global options")]
    database_url: Option<String>,
    /// Form of what is printed
    #[arg(long, global = true, value_name = "FORMAT", value_enum, help_heading = "Global options")]
    format: Option<Format>,
    /// Short for `--format json`
    #[arg(long, global = true, conflicts_with = "format", help_heading = "Global options")]
    json: bool,
}

impl Global {
    /// Where the books lie.
    pub(crate) fn data(&self) -> anyhow::Result<Data> {
        match self.named_data()? {
            Some(data) => Ok(data),
            None => Ok(Data::directory(DATA).with_keys(self.keys()?)),
        }
    }

    /// Where the books lie, where that was said.
    pub(crate) fn named_data(&self) -> anyhow::Result<Option<Data>> {
        match &self.database_url {
            Some(url) => Ok(Some(Data::database(url)?.with_keys(self.keys()?))),
            None => match self.data.as_deref() {
                Some(path) => Ok(Some(Data::from(path).with_keys(self.keys()?))),
                None => Ok(None),
            },
        }
    }

    /// What opens sealed values there. What else is wrong with the configuration keeps nobody from the data.
    fn keys(&self) -> anyhow::Result<Option<Arc<Keyring>>> {
        Ok(Config::keyring_of(self.config.as_deref())?)
    }

    /// Whether a form was asked for.
    pub(crate) fn is_form_named(&self) -> bool {
        self.json || self.format.is_some()
    }

    /// The form that was asked for.
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format.unwrap_or(Format::Table) }
    }
}

/// What is to be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Charge: the HTTP API, the webhooks, and everything that talks to the gateways
    Serve(serve::Arguments),
    /// Play a hostile gateway that speaks Stripe's dialect, with money that is not real
    Sandbox(sandbox::Arguments),
    /// Show in a minute that nothing is charged twice: a hostile gateway, lost answers, `kill -9`
    Demo(demo::Arguments),
    /// Look at an application's table and at Stripe, and write a configuration that compares them
    Init(init::Arguments),
    /// Compare two systems, and list every disagreement; neither is written
    Diff(diff::Arguments),
    /// Compare two systems, and repair what disagrees by the policy of the pair; dry without --apply
    Reconcile(reconcile::Arguments),
    /// Have repairs made that wait for a person, or decide against them; dry without --apply
    Approve(reconcile::ApproveArguments),
    /// Write a list of corrections to one side of a pair, all of it or nothing; dry without --apply
    Import(reconcile::ImportArguments),
    /// Take repairs back: a whole run, or one of it; dry without --apply
    Undo(reconcile::UndoArguments),
    /// List runs of repairs, the newest first, and what of them waits for approval
    Runs(reconcile::RunsArguments),
    /// List what is wrong, silence it for a while, or try a channel to which it is told
    Alerts(alerts::Arguments),
    /// Measure how fast it is, beside a limit in the same run
    #[command(subcommand)]
    Bench(bench::Command),
    /// Replay every journal, recheck every chain, and compare all that follows from them; or check an export for auditors
    Verify(verify::Arguments),
    /// Write everything the books hold into one file, beside a running server, or prove such a file whole
    Backup(backup::Arguments),
    /// Fill an empty data directory from a backup; nothing leaves for a gateway until it is resumed
    Restore(restore::Arguments),
    /// Write a tenant's books for an accounting program, beside a running server
    Export(export::Arguments),
    /// Customers that a gateway knows already
    #[command(subcommand)]
    Customers(customers::Command),
    /// Drop the bytes of old answers and events; the books stay as they are
    Prune(prune::Arguments),
    /// Tell what happened under an id of any kind
    Trace(trace::Arguments),
    /// Organisations, each with books of its own
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Credentials of the API
    #[command(subcommand)]
    Key(key::Command),
    /// Let nothing leave for a gateway, or for any; payments are accepted and wait
    Pause(pause::Arguments),
    /// Let a gateway, or everything, go on where it was paused
    Resume(pause::ResumeArguments),
    /// Have an object of a gateway looked at again, after it was given up
    Requeue(repairs::RequeueArguments),
    /// Apply a stored event of a gateway again; or make the repairs of a pair again from their journal, as they were at any time
    Replay(repairs::ReplayArguments),
    /// Look for what seems wrong within the records of a system: charges taken twice, duplicate customers
    #[command(subcommand)]
    Find(find::Command),
    /// Ask the server of this machine whether it takes requests; for supervisors and containers
    Healthcheck(healthcheck::Arguments),
    /// Name every mistake of the configuration, with its line and its remedy
    CheckConfig(check_config::Arguments),
    /// Print the contract of the API: OpenAPI 3.1, as the server serves it at /openapi.json
    Openapi,
    /// Print a script that completes these commands in a shell
    Completions(completions::Arguments),
}
