//! `quittance bench`: how fast it is, beside a limit program that does the same without any logic, in the same run.
//!
//! Absolute figures say little: they move with the machine and the hour. The ratio to the limit, or to another program
//! on the same data, is what counts.

mod diff;
mod heal;
mod measurement;
mod payments;
mod repairs;
mod truth;
mod wire;

use crate::arguments::Global;
use anyhow::Result;
use clap::Subcommand;
use std::process::ExitCode;

/// What to measure.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Compare two sets of records that differ in one of a thousand
    Diff(diff::DiffArguments),
    /// Accept payments in batches of a thousand, without HTTP and without a gateway
    Batch(payments::batch::Arguments),
    /// Accept payments over HTTP, from the claim to the durable 202, without a gateway
    #[command(name = "command")]
    Single(payments::command::Arguments),
    /// Open idle connections to the server, and see how much memory they take
    Connections(payments::connections::Arguments),
    /// Change records of which no webhook tells, and see how long a service by schedule takes to repair them
    Heal(heal::Arguments),
    /// Repair records of a PostgreSQL table, each kept before and after
    Repairs(repairs::Arguments),
    /// Ask what is true of a record that is known, and a thousand times at once of one that is not
    Truth(truth::Arguments),
    /// Do the work of one contestant, told by the process that measures
    #[command(hide = true)]
    Worker(payments::worker::Arguments),
}

/// Measures, and prints each measurement as it is made.
pub(crate) fn run(command: &Command, global: &Global) -> Result<ExitCode> {
    match command {
        Command::Diff(arguments) => diff::run(arguments, global),
        Command::Batch(arguments) => payments::batch::run(arguments, global),
        Command::Single(arguments) => payments::command::run(arguments, global),
        Command::Connections(arguments) => payments::connections::run(arguments, global),
        Command::Heal(arguments) => heal::run(arguments, global),
        Command::Repairs(arguments) => repairs::run(arguments, global),
        Command::Truth(arguments) => truth::run(arguments, global),
        Command::Worker(arguments) => payments::worker::run(arguments, global),
    }
}
