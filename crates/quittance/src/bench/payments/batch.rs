//! `quittance bench batch`: batches of a thousand payments through the engine, beside the limit program.

use super::contest::{Contestant, Turns, Worker};
use super::place::{Place, Store};
use super::worker::Role;
use crate::arguments::Global;
use crate::bench::measurement::{Latency, Measurement, Report, ratio};
use anyhow::{Result, ensure};
use clap::Args;
use quittance_engine::engine::BATCH_MAX;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// Batches that one contestant does before it is the other's turn.
const BATCHES_EACH_TURN: u64 = 10;

/// How much to measure, and where.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The store to measure
    #[arg(long, value_enum, value_name = "STORE", default_value_t = Store::Sqlite)]
    store: Store,
    /// Payments in all, in batches of 1,000 by turns of up to 10 batches
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    size: u64,
    /// Books that the payments belong to
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    books: u64,
    /// Connections to the database, each with batches of its own; SQLite has one writer
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=2))]
    connections: u32,
}

/// Measures, and prints what it measured.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    ensure!(
        arguments.store != Store::Sqlite || arguments.connections == 1,
        "--connections {}: SQLite has one writer; leave it out",
        arguments.connections
    );
    let mut report = Report::new(global);
    report.take(measure(arguments)?)?;
    report.end()
}

fn measure(arguments: &Arguments) -> Result<Measurement> {
    let root = tempfile::tempdir()?;
    let start = |role: Role| {
        let place = Place::Directory(root.path().join(role.name()));
        let Arguments { books, connections, .. } = *arguments;
        let (number, answer_bytes, config) = (0, 0, None);
        Worker::start(&Contestant { role, place: &place, books, connections, number, answer_bytes, config })
    };
    let (mut engine, _) = start(Role::Engine)?;
    let (mut limit, _) = start(Role::Limit)?;
    let (mut ours, mut theirs) = (Turns::default(), Turns::default());
    let connections = u64::from(arguments.connections);
    let batches = arguments.size / BATCH_MAX as u64 / connections;
    let mut left = batches;
    while left > 0 {
        let count = left.min(BATCHES_EACH_TURN);
        turn(&mut engine, count, &mut ours)?;
        turn(&mut limit, count, &mut theirs)?;
        left -= count;
    }
    let size = batches * connections * BATCH_MAX as u64;
    let (last_to_first, limits) = (ours.last_to_first(), theirs.last_to_first());
    Ok(Measurement {
        work: "batch",
        store: arguments.store.name(),
        clients: connections,
        size,
        took: ours.took(),
        limit: Some(("rows without logic", theirs.took())),
        rss_bytes: ours.rss_bytes,
        latency: Latency::of(ours.calls),
        more: vec![
            ("last_to_first", json!(ratio(last_to_first, 1.0))),
            ("limit_last_to_first", json!(ratio(limits, 1.0))),
        ],
    })
}

/// Has a contestant prepare and do so many batches on each of its connections.
fn turn(worker: &mut Worker, batches: u64, turns: &mut Turns) -> Result<()> {
    worker.prepare(batches)?;
    worker.go()?;
    let told = worker.hear()?;
    turns.walls.push(Duration::from_micros(told.took_us));
    turns.calls.extend(told.calls_us.into_iter().map(Duration::from_micros));
    turns.rss_bytes = told.rss_bytes;
    Ok(())
}
