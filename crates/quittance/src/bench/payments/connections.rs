//! `quittance bench connections`: what idle connections cost the server in memory.

use super::asked::GATEWAY;
use super::contest::{Contestant, Worker};
use super::place::{Ground, Stores};
use super::worker::{Role, Told};
use crate::arguments::Global;
use crate::bench::measurement::{Measurement, Report};
use anyhow::{Context, Result, bail};
use clap::Args;
use quittance_server::clock::Stopwatch;
use quittance_server::open_files;
use serde_json::json;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What each connection asks before it is idle, so that it has been used as real ones are.
const ASKED: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n";

/// How many connections, and where.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stores: Stores,
    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=28_000))]
    clients: u64,
}

/// Measures, and prints it.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    let count = usize::try_from(arguments.clients)?;
    open_files::raise(count);
    let mut ground = Ground::new(&arguments.stores)?;
    let place = ground.place(Role::Server.name())?;
    let config = configure(ground.root(), count)?;
    let contestant = Contestant {
        role: Role::Server,
        place: &place,
        books: 1,
        connections: 1,
        number: 0,
        answer_bytes: 0,
        config: Some(&config),
    };
    let (mut worker, Told { address, .. }) = Worker::start(&contestant)?;
    let address = address.context("a server without an address")?;
    drop(open(&address)?);
    let before = memory(&mut worker)?;
    let since = Stopwatch::start();
    let connections = (0..count).map(|_| open(&address)).collect::<Result<Vec<_>>>();
    let connections = connections.context("cannot open so many: look at `ulimit -n`")?;
    let took = since.elapsed();
    let after = memory(&mut worker)?;
    drop(connections);
    let mut report = Report::new(global);
    report.take(Measurement {
        work: "connections",
        store: arguments.stores.kind.name(),
        clients: arguments.clients,
        size: arguments.clients,
        took,
        latency: None,
        limit: None,
        rss_bytes: Some(after),
        more: vec![("rss_before_bytes", json!(before))],
    })?;
    report.end()
}

/// The most memory that the server has had.
fn memory(worker: &mut Worker) -> Result<u64> {
    worker.go()?;
    worker.hear()?.rss_bytes.context("this system does not tell how much memory a process has")
}

/// A connection that has been answered once.
fn open(address: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(ASKED)?;
    let mut reader = BufReader::new(&stream);
    let mut answer = Vec::new();
    while !answer.ends_with(b"{\"status\":\"ok\"}") {
        let mut byte = [0];
        if reader.read(&mut byte)? == 0 {
            bail!("the server hung up: {}", String::from_utf8_lossy(&answer));
        }
        answer.extend_from_slice(&byte);
    }
    drop(reader);
    Ok(stream)
}

/// A configuration that allows so many connections, from one address, for as long as this takes.
fn configure(root: &Path, count: usize) -> Result<PathBuf> {
    let (file, key) = (root.join("quittance.toml"), root.join("key"));
    std::fs::write(&key, "sk_test_bench")?;
    let places = count + 16;
    let text = format!(
        "[server]\nconnections_max = {places}\nconnections_per_address_max = {places}\nhead_timeout_ms = 600000\n\n\
         [gateways.{GATEWAY}]\nkind = \"stripe\"\napi_base = \"http://127.0.0.1:9\"\napi_key = \"file:{}\"\n",
        key.display()
    );
    std::fs::write(&file, text)?;
    Ok(file)
}
