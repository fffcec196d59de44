//! `quittance bench diff`: two sets of records that should agree, in memory and in a database.

mod memory;
mod postgres;
mod records;

use super::measurement::Report;
use crate::arguments::Global;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How much to compare, and where.
#[derive(Args, Debug)]
pub(crate) struct DiffArguments {
    /// Records of each side; in memory a million at most
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    records: u64,
    /// How often each is measured; the best counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Compare two tables in this PostgreSQL database, too; they are made for it and dropped
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// A Python with reladiff, to be measured on the same tables
    #[arg(long, value_name = "PROGRAM", requires = "database_url")]
    reladiff: Option<PathBuf>,
}

/// Measures, and prints each measurement as it is made.
pub(super) fn run(arguments: &DiffArguments, global: &Global) -> Result<ExitCode> {
    let mut report = Report::new(global);
    // First what needs little memory: a process remembers only the most it ever had.
    if let Some(url) = &arguments.database_url {
        postgres::measure(arguments, url)?.into_iter().try_for_each(|measured| report.take(measured))?;
    }
    report.take(memory::measure(arguments)?)?;
    report.end()
}

/// The shortest time that each of several takes. They take turns, so that an hour in which the machine is slow is one for
/// all of them.
pub(super) fn best(rounds: u32, contestants: &mut [&mut dyn FnMut() -> Result<Duration>]) -> Result<Vec<Duration>> {
    let mut shortest = vec![Duration::MAX; contestants.len()];
    for _ in 0..rounds {
        for (shortest, once) in shortest.iter_mut().zip(contestants.iter_mut()) {
            *shortest = once()?.min(*shortest);
        }
    }
    Ok(shortest)
}
