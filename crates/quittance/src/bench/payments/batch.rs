//! `quittance bench batch`: batches of a thousand payments through the engine, beside the limit program, or several
//! processes beside one.

use super::contest::{Contestant, Turns, Worker};
use super::place::{Ground, Kind, Place, Stores};
use super::worker::Role;
use crate::arguments::Global;
use crate::bench::measurement::{Latency, Measurement, Report, ratio};
use anyhow::{Result, ensure};
use clap::Args;
use quittance_engine::engine::BATCH_MAX;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// Batches that one contestant does before it is the other's turn, on each of its connections.
const BATCHES_EACH_TURN: u64 = 10;

/// How much to measure, and where.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stores: Stores,
    /// Payments in all, in batches of 1,000 by turns of up to 10 batches
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    size: u64,
    /// Books that the payments belong to
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    books: u64,
    /// Connections to the database, each with batches of its own; SQLite has one writer
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    connections: u32,
    /// Processes on one database; more than one are compared with one instead of with the limit
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=16))]
    processes: u64,
}

/// Contestants that are at work at the same time on one place.
struct Team {
    workers: Vec<Worker>,
    turns: Turns,
}

/// Measures, and prints what it measured.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    let Arguments { connections, processes, .. } = *arguments;
    ensure!(
        arguments.stores.kind == Kind::Postgres || (connections == 1 && processes == 1),
        "--connections {connections} --processes {processes}: SQLite has one writer; leave them out"
    );
    let mut report = Report::new(global);
    report.take(if processes == 1 { beside_limit(arguments)? } else { beside_one(arguments)? })?;
    report.end()
}

fn beside_limit(arguments: &Arguments) -> Result<Measurement> {
    let mut ground = Ground::new(&arguments.stores)?;
    let mut ours = Team::start(arguments, Role::Engine, &ground.place("engine")?, 1)?;
    let mut theirs = Team::start(arguments, Role::Limit, &ground.place("limit")?, 1)?;
    let size = contend(arguments, &mut ours, &mut theirs)?;
    let took = theirs.turns.took();
    Ok(measurement(arguments, size, ours.turns, ("rows without logic", took, &theirs.turns)))
}

/// Several processes that share all books, beside one that has as many for itself.
fn beside_one(arguments: &Arguments) -> Result<Measurement> {
    let mut ground = Ground::new(&arguments.stores)?;
    let mut ours = Team::start(arguments, Role::Engine, &ground.place("many")?, arguments.processes)?;
    let mut one = Team::start(arguments, Role::Engine, &ground.place("one")?, 1)?;
    let size = contend(arguments, &mut ours, &mut one)?;
    // One does as many batches in a turn as each of the others.
    let took = one.turns.took() * u32::try_from(arguments.processes)?;
    Ok(measurement(arguments, size, ours.turns, ("one process", took, &one.turns)))
}

/// Has both take turns, and returns how many payments the first accepted.
fn contend(arguments: &Arguments, ours: &mut Team, theirs: &mut Team) -> Result<u64> {
    let at_once = u64::from(arguments.connections) * arguments.processes * BATCH_MAX as u64;
    let batches = (arguments.size / at_once).max(1);
    let mut left = batches;
    while left > 0 {
        let count = left.min(BATCHES_EACH_TURN);
        ours.turn(count)?;
        theirs.turn(count)?;
        left -= count;
    }
    Ok(batches * at_once)
}

fn measurement(
    arguments: &Arguments,
    size: u64,
    ours: Turns,
    (limit, took, theirs): (&'static str, Duration, &Turns),
) -> Measurement {
    let more = vec![
        ("processes", json!(arguments.processes)),
        ("last_to_first", json!(ratio(ours.last_to_first(), 1.0))),
        ("limit_last_to_first", json!(ratio(theirs.last_to_first(), 1.0))),
    ];
    Measurement {
        work: "batch",
        store: arguments.stores.kind.name(),
        clients: u64::from(arguments.connections) * arguments.processes,
        size,
        took: ours.took(),
        limit: Some((limit, took)),
        rss_bytes: ours.rss_bytes,
        latency: Latency::of(ours.calls),
        more,
    }
}

impl Team {
    fn start(arguments: &Arguments, role: Role, place: &Place, processes: u64) -> Result<Self> {
        let Arguments { books, connections, .. } = *arguments;
        let (answer_bytes, config) = (0, None);
        let contestant = |number| Contestant { role, place, books, connections, number, answer_bytes, config };
        let start = |number| Worker::start(&contestant(number)).map(|(worker, _)| worker);
        Ok(Self { workers: (0..processes).map(start).collect::<Result<_>>()?, turns: Turns::default() })
    }

    /// Has each prepare so many batches for each of its connections, and then all of them do theirs at once.
    fn turn(&mut self, batches: u64) -> Result<()> {
        self.workers.iter_mut().try_for_each(|worker| worker.prepare(batches))?;
        self.workers.iter_mut().try_for_each(Worker::go)?;
        let mut longest = Duration::ZERO;
        for worker in &mut self.workers {
            let told = worker.hear()?;
            longest = longest.max(Duration::from_micros(told.took_us));
            self.turns.calls.extend(told.calls_us.into_iter().map(Duration::from_micros));
            self.turns.rss_bytes = self.turns.rss_bytes.max(told.rss_bytes);
        }
        self.turns.walls.push(longest);
        Ok(())
    }
}
