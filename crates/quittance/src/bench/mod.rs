//! `quittance bench`: how fast it is, beside a limit program that does the same without any logic, in the same run.
//!
//! Absolute figures say little: they move with the machine and the hour. The ratio to the limit, or to another program
//! on the same data, is what counts.

mod memory;
mod postgres;
mod records;

use crate::arguments::Global;
use crate::output::{self, Document, Format};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What to measure.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Compare two sets of records that differ in one of a thousand
    Diff(DiffArguments),
}

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

/// One measurement.
pub(crate) struct Measurement {
    /// What was done.
    work: &'static str,
    /// Where.
    store: &'static str,
    /// Records of each side.
    size: u64,
    /// How long it took.
    took: Duration,
    /// How long the limit took; none where there is none to compare with.
    limit: Option<(&'static str, Duration)>,
    /// The most memory the process had until then, in bytes.
    rss_bytes: Option<u64>,
    /// More to say.
    more: Vec<(&'static str, Value)>,
}

/// Measures, and prints each measurement as it is made.
pub(crate) fn run(command: &Command, global: &Global) -> Result<ExitCode> {
    let Command::Diff(arguments) = command;
    let mut measured = Vec::new();
    let mut take = |measurement: Measurement| -> Result<()> {
        if global.format() == Format::Json {
            output::write(&format!("{}\n", measurement.json()))?;
        }
        measured.push(measurement);
        Ok(())
    };
    // First what needs little memory: a process remembers only the most it ever had.
    if let Some(url) = &arguments.database_url {
        postgres::measure(arguments, url)?.into_iter().try_for_each(&mut take)?;
    }
    take(memory::measure(arguments)?)?;
    if global.format() != Format::Json {
        document(&measured).print(global.format())?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Measurement {
    #[expect(clippy::float_arithmetic, reason = "rates of a benchmark are no money")]
    fn rate(&self, took: Duration) -> f64 {
        self.size as f64 / took.as_secs_f64().max(1e-9)
    }

    #[expect(clippy::float_arithmetic, reason = "ratios of a benchmark are no money")]
    fn json(&self) -> Value {
        let limit = self.limit.map(|(_, took)| self.rate(took));
        let ops = self.rate(self.took);
        let mut json = json!({
            "work": self.work,
            "store": self.store,
            "clients": 1,
            "size": self.size,
            "seconds": self.took.as_secs_f64(),
            "ops_per_s": ops.round(),
            "rss_bytes": self.rss_bytes,
            "limit": self.limit.map(|(name, _)| name),
            "limit_ops_per_s": limit.map(f64::round),
            "ratio": limit.map(|limit| (ops / limit * 100.0).round() / 100.0),
        });
        if let Value::Object(map) = &mut json {
            map.extend(self.more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        json
    }
}

fn document(measured: &[Measurement]) -> Document {
    const COLUMNS: [&str; 8] = ["work", "store", "size", "seconds", "ops_per_s", "limit", "limit_ops_per_s", "ratio"];
    let rows = measured.iter().map(|measurement| {
        let json = measurement.json();
        COLUMNS
            .iter()
            .map(|column| json[column].as_str().map_or_else(|| json[column].to_string(), str::to_owned))
            .collect()
    });
    Document {
        json: Value::Null,
        columns: COLUMNS.to_vec(),
        rows: rows.collect(),
        notes: vec![format!("peak memory {} MB", peak_memory().unwrap_or(0) / 1_000_000)],
        text: None,
    }
}

/// The most memory this process has had, in bytes, where the system tells (Linux, `VmHWM` of proc(5)).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The shortest time that each of several takes. They take turns, so that an hour in which the machine is slow is one for
/// all of them.
fn best(rounds: u32, contestants: &mut [&mut dyn FnMut() -> Result<Duration>]) -> Result<Vec<Duration>> {
    let mut shortest = vec![Duration::MAX; contestants.len()];
    for _ in 0..rounds {
        for (shortest, once) in shortest.iter_mut().zip(contestants.iter_mut()) {
            *shortest = once()?.min(*shortest);
        }
    }
    Ok(shortest)
}
