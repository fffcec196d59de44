//! Comparing two tables of one PostgreSQL database, by checksums and by keys. The peer, where it is there, is reladiff in
//! its own fastest mode, a join inside the database.
//!
//! Makes two tables of its own in the database it is given, and drops them. Nothing else there is touched.

use super::records::ONE_DIFFERENT_IN;
use super::{DiffArguments, best};
use crate::bench::measurement::{Measurement, peak_memory};
use anyhow::{Context, Result, bail, ensure};
use quittance_core::pair::Which;
use quittance_server::clock::Stopwatch;
use quittance_server::config::{Config, Pair, Secret};
use quittance_server::diff::{Outcome, Settings, Source, diff};
use quittance_server::systems::postgres::Postgres;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio_postgres::NoTls;

const LEFT: &str = "quittance_bench_left";
const RIGHT: &str = "quittance_bench_right";

/// How long one statement may take.
const STATEMENT_S: u64 = 600;

pub(super) fn measure(arguments: &DiffArguments, url: &str) -> Result<Vec<Measurement>> {
    let measured = prepare(url, arguments.records).and_then(|()| compare_all(arguments, url));
    let dropped = run_sql(url, &format!("DROP TABLE IF EXISTS {LEFT}; DROP TABLE IF EXISTS {RIGHT}"));
    let measured = measured?;
    dropped?;
    Ok(measured)
}

/// What is compared, how, and how many differences there are.
struct Contest {
    store: &'static str,
    pair: Pair,
    differences: u64,
    outcome: Option<Outcome>,
}

impl Contest {
    fn new(store: &'static str, strategy: &str, right: &str, differences: u64) -> Result<Self> {
        Ok(Self { store, pair: pair(strategy, right)?, differences, outcome: None })
    }

    fn run(&mut self, url: &str) -> Result<Duration> {
        let (took, outcome) = timed(&self.pair, url)?;
        let (found, expected) = (outcome.reported.len() as u64, self.differences);
        ensure!(found == expected, "{found} differences were found where {expected} were made");
        self.outcome = Some(outcome);
        Ok(took)
    }
}

fn compare_all(arguments: &DiffArguments, url: &str) -> Result<Vec<Measurement>> {
    let records = arguments.records;
    let differences = records / ONE_DIFFERENT_IN;
    let mut sums = Contest::new("postgres, checksums", "checksums", RIGHT, differences)?;
    let mut keys = Contest::new("postgres, keys", "keys", RIGHT, differences)?;
    let mut equal = Contest::new("postgres, checksums of equal tables", "checksums", LEFT, 0)?;
    let mut peer = || match arguments.reladiff.as_deref() {
        Some(program) => reladiff(program, url, records),
        None => Ok(Duration::MAX),
    };
    let took =
        best(arguments.rounds, &mut [&mut || sums.run(url), &mut peer, &mut || keys.run(url), &mut || equal.run(url)])?;
    let limit = arguments.reladiff.as_ref().map(|_| ("reladiff join", took[1]));
    [(sums, took[0], limit), (keys, took[2], limit), (equal, took[3], None)]
        .into_iter()
        .map(|(contest, took, limit)| measurement(contest, took, limit, records))
        .collect()
}

fn measurement(
    contest: Contest,
    took: Duration,
    limit: Option<(&'static str, Duration)>,
    records: u64,
) -> Result<Measurement> {
    let outcome = contest.outcome.context("nothing was measured")?;
    let (left, right) = (outcome.left_reading, outcome.right_reading);
    let more = vec![
        ("differences", json!(contest.differences)),
        ("rows_transferred", json!(left.rows + right.rows)),
        ("sums_transferred", json!(left.sums + right.sums)),
    ];
    let (store, rss_bytes) = (contest.store, peak_memory());
    Ok(Measurement { work: "diff", store, clients: 1, size: records, took, latency: None, limit, rss_bytes, more })
}

/// Two tables that differ in one row of a thousand.
fn prepare(url: &str, records: u64) -> Result<()> {
    let mut sql = String::new();
    for (table, status) in [
        (LEFT, "'active'"),
        (RIGHT, &format!("CASE WHEN i % {ONE_DIFFERENT_IN} = 0 THEN 'past_due' ELSE 'active' END")),
    ] {
        sql += &format!(
            "DROP TABLE IF EXISTS {table};
             CREATE TABLE {table} AS SELECT i::bigint AS id, {status} AS status, (i % 90000 / 100.0)::numeric(20,4) AS amount,
                 timestamptz '2026-01-01' + i * interval '1 second' AS updated_at, 'customer' || i || '@example.org' AS email
                 FROM generate_series(1, {records}) AS i;
             ALTER TABLE {table} ADD PRIMARY KEY (id);
             VACUUM ANALYZE {table};"
        );
    }
    // VACUUM cannot be part of a transaction, which several statements at once are.
    sql.split(';').map(str::trim).filter(|one| !one.is_empty()).try_for_each(|one| run_sql(url, one))
}

fn run_sql(url: &str, sql: &str) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a thread")?;
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.context("the database cannot be reached")?;
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await.context("the benchmark's tables cannot be made")?;
        drop(client);
        connection.await.context("the connection's task")?.context("the connection")
    })
}

fn pair(strategy: &str, right: &str) -> Result<Pair> {
    let fields = ["status", "amount", "updated_at", "email"];
    let fields: String = fields.iter().map(|name| format!("{{ left = \"{name}\", right = \"{name}\" }},")).collect();
    let text = format!(
        "[systems.bench]\nkind = \"postgres\"\nurl = \"env:UNUSED\"\n[pairs.bench]\n\
         left = {{ system = \"bench\", table = \"{LEFT}\" }}\nright = {{ system = \"bench\", table = \"{right}\" }}\n\
         match = [ {{ left = \"id\", right = \"id\" }} ]\nfields = [{fields}]\nstrategy = \"{strategy}\"\n\
         differences_max = 1000000\n"
    );
    let config = Config::from_text(&text, &|_| None).context("the benchmark's own configuration")?;
    config.pairs.into_values().next().context("the benchmark's own pair")
}

fn timed(pair: &Pair, url: &str) -> Result<(Duration, Outcome)> {
    let open = || Postgres::new("bench", &Secret::new(url.to_owned()), 60, STATEMENT_S).map_err(anyhow::Error::from);
    let (mut left, mut right) = (open()?, open()?);
    let watch = Stopwatch::start();
    let mut left = Source { name: "left", system: &mut left, object: &pair.left.object, which: Which::Left };
    let mut right = Source { name: "right", system: &mut right, object: &pair.right.object, which: Which::Right };
    let settings = Settings { hash_key: [7; 32], only: None, wait: &mut || {} };
    let outcome = diff("bench", pair, &mut left, &mut right, settings)?;
    Ok((watch.elapsed(), outcome))
}

/// reladiff says in JSON lines what differs, and ends with 0 whatever happens.
fn reladiff(program: &Path, url: &str, records: u64) -> Result<Duration> {
    let watch = Stopwatch::start();
    let mut command = Command::new(program);
    command.args(["-m", "reladiff", url, LEFT, RIGHT, "-k", "id", "-a", "joindiff", "--json"]);
    ["status", "amount", "updated_at", "email"].iter().for_each(|column| {
        command.args(["-c", column]);
    });
    // What it prints is wrapped at the width of a terminal.
    let ended = command.env("COLUMNS", "1000").output().context("reladiff cannot be started")?;
    let took = watch.elapsed();
    let lines =
        String::from_utf8_lossy(&ended.stdout).lines().filter(|line| line.trim_start().starts_with('[')).count() as u64;
    let expected = 2 * (records / ONE_DIFFERENT_IN);
    if lines != expected {
        bail!("reladiff found {lines} lines instead of {expected}: {}", String::from_utf8_lossy(&ended.stderr).trim());
    }
    Ok(took)
}
