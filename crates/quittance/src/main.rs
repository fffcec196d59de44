//! The one shipped binary: the command line of Quittance.
//!
//! Each subcommand is a module that owns its arguments and what it prints. Standard output holds the one document that
//! was asked for and nothing else; progress, logs and errors go to standard error. **Nothing is decided here about
//! money, and no command writes to somebody else's system.**

mod alerts;
mod arguments;
mod backup;
mod bench;
mod check_config;
mod completions;
mod customers;
mod demo;
mod diff;
mod export;
mod failure;
mod find;
mod healthcheck;
mod init;
mod key;
mod logs;
mod meter;
mod operator;
mod output;
mod pause;
mod prune;
mod reconcile;
#[cfg(test)]
mod reference;
mod repairs;
mod restore;
mod sandbox;
mod serve;
mod signals;
mod span;
mod systems;
mod tenant;
mod trace;
mod verify;
mod verify_audit;

use arguments::{Arguments, Command, Global};
use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Arguments { global, command } = Arguments::parse();
    logs::begin(&command);
    // Fails only when a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    run(command, &global).unwrap_or_else(|error| failure::report(&error))
}

fn run(command: Command, global: &Global) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(arguments) => serve::run(arguments, global),
        Command::Sandbox(arguments) => sandbox::run(arguments),
        Command::Init(arguments) => init::run(&arguments, global),
        Command::Diff(arguments) => diff::run(&arguments, global),
        Command::Reconcile(arguments) => reconcile::run(&arguments, global),
        Command::Approve(arguments) => reconcile::approve(&arguments, global),
        Command::Import(arguments) => reconcile::import(&arguments, global),
        Command::Undo(arguments) => reconcile::undo(&arguments, global),
        Command::Runs(arguments) => reconcile::runs(&arguments, global),
        Command::Alerts(arguments) => alerts::run(arguments, global),
        Command::Bench(command) => bench::run(&command, global),
        Command::Verify(arguments) => verify::run(&arguments, global),
        Command::Backup(arguments) => backup::run(&arguments, global),
        Command::Healthcheck(arguments) => healthcheck::run(&arguments, global),
        Command::Restore(arguments) => restore::run(&arguments, global),
        Command::Export(arguments) => export::run(&arguments, global),
        Command::Customers(command) => customers::run(&command, global),
        Command::Trace(arguments) => trace::run(&arguments, global),
        Command::Tenant(command) => tenant::run(command, global),
        Command::Key(command) => key::run(command, global),
        Command::Pause(arguments) => pause::pause(arguments, global),
        Command::Resume(arguments) => pause::resume(arguments, global),
        Command::Prune(arguments) => prune::run(&arguments, global),
        Command::Requeue(arguments) => repairs::requeue(arguments, global),
        Command::Replay(arguments) => repairs::replay(arguments, global),
        Command::CheckConfig(arguments) => check_config::run(&arguments, global),
        Command::Find(command) => find::run(&command, global),
        Command::Openapi => {
            output::write(&quittance_server::openapi::text())?;
            Ok(failure::Exit::Good.into())
        }
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments, global),
    }
}
