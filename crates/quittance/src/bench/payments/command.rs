//! `quittance bench command`: payments over HTTP, from the claim to the durable 202, beside the limit program.

use super::asked::{GATEWAY, Series};
use super::client::Clients;
use super::contest::{Contestant, Turns, Worker};
use super::place::{Ground, Stores};
use super::worker::{Role, Told};
use crate::arguments::Global;
use crate::bench::measurement::{Latency, Measurement, Report, ratio};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Turns of each contestant.
const TURNS: u64 = 10;

/// How much to measure, and where.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stores: Stores,
    /// Clients at once, each with one request under way; measured one number after the other
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 32, 256], value_parser = clap::value_parser!(u64).range(1..=1_000))]
    clients: Vec<u64>,
    /// Payments for each number of clients, in ten turns; a tenth of it where there is one client
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
    size: u64,
    /// Books that the payments belong to
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    books: u64,
}

/// One contestant, and what its turns came to.
struct Side {
    worker: Worker,
    address: String,
    secret: String,
    series: Series,
    next: u64,
    turns: Turns,
}

/// Measures, and prints each measurement as it is made.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    let mut ground = Ground::new(&arguments.stores)?;
    let mut report = Report::new(global);
    let mut ours = Side::start(Role::Server, &mut ground, arguments.books, 0)?;
    // The limit's answers are as long as the server's.
    let answer_bytes = Clients::connect(1, &ours.address, &ours.secret)?.ask(&ours.series, 0..1)?.answer_bytes;
    ours.next = 1;
    let mut grouped = Side::start(Role::HttpLimit, &mut ground, arguments.books, answer_bytes)?;
    let mut single = Side::start(Role::HttpSingle, &mut ground, arguments.books, answer_bytes)?;
    for clients in &arguments.clients {
        let size = if *clients == 1 { arguments.size.div_ceil(10) } else { arguments.size };
        let each = size.div_ceil(TURNS);
        let mut sides = [&mut ours, &mut grouped, &mut single];
        contend(*clients, each, &mut sides)?;
        for (name, limit) in [("rows without logic", &grouped), ("one commit for each request", &single)] {
            report.take(measurement(arguments, (*clients, each * TURNS), &ours, (name, &limit.turns)))?;
        }
    }
    report.end()
}

/// Has all sides take turns.
fn contend(clients: u64, each: u64, sides: &mut [&mut Side]) -> Result<()> {
    let mut connected = Vec::new();
    for side in &mut *sides {
        side.turns = Turns::default();
        connected.push(Clients::connect(clients, &side.address, &side.secret)?);
    }
    for _ in 0..TURNS {
        for (side, clients) in sides.iter_mut().zip(&mut connected) {
            side.turn(clients, each)?;
        }
    }
    Ok(())
}

fn measurement(
    arguments: &Arguments,
    (clients, size): (u64, u64),
    ours: &Side,
    (name, limit): (&'static str, &Turns),
) -> Measurement {
    Measurement {
        work: "command",
        store: arguments.stores.kind.name(),
        clients,
        size,
        took: ours.turns.took(),
        latency: Latency::of(ours.turns.calls.clone()),
        limit: Some((name, limit.took())),
        rss_bytes: ours.turns.rss_bytes,
        more: vec![
            ("last_to_first", json!(ratio(ours.turns.last_to_first(), 1.0))),
            ("limit_last_to_first", json!(ratio(limit.last_to_first(), 1.0))),
        ],
    }
}

impl Side {
    fn start(role: Role, ground: &mut Ground, books: u64, answer_bytes: usize) -> Result<Self> {
        let place = ground.place(role.name())?;
        let config = (role == Role::Server).then(|| configure(ground.root())).transpose()?;
        let (number, connections) = (0, 1);
        let contestant =
            Contestant { role, place: &place, books, connections, number, answer_bytes, config: config.as_deref() };
        let (worker, Told { address, secret, .. }) = Worker::start(&contestant)?;
        Ok(Self {
            worker,
            address: address.context("a server without an address")?,
            secret: secret.context("a server without a credential")?,
            series: Series { number, books, parts: 1, part: 0 },
            next: 0,
            turns: Turns::default(),
        })
    }

    fn turn(&mut self, clients: &mut Clients, count: u64) -> Result<()> {
        self.worker.prepare(count)?;
        let heard = clients.ask(&self.series, self.next..self.next + count)?;
        self.next += count;
        self.worker.go()?;
        self.turns.walls.push(heard.wall);
        self.turns.calls.extend(heard.calls);
        self.turns.rss_bytes = self.worker.hear()?.rss_bytes;
        Ok(())
    }
}

/// A configuration whose gateway is never spoken to.
fn configure(root: &Path) -> Result<std::path::PathBuf> {
    let (file, key) = (root.join("quittance.toml"), root.join("key"));
    std::fs::write(&key, "sk_test_bench")?;
    let text = format!(
        "[gateways.{GATEWAY}]\nkind = \"stripe\"\napi_base = \"http://127.0.0.1:9\"\napi_key = \"file:{}\"\n",
        key.display()
    );
    std::fs::write(&file, text)?;
    Ok(file)
}
