//! `quittance bench repairs`: records of a PostgreSQL table changed by the whole way of a repair: the plan kept, each record
//! changed only where it still holds what was seen, read back after the commit, and what came of it kept.
//!
//! The limit changes the same records by one statement that somebody wrote by hand for them, with a row of an audit table for
//! each in the same transaction. Makes tables of its own in the database it is given, and drops them.

use super::diff::best;
use super::measurement::{Measurement, Report, peak_memory};
use crate::arguments::Global;
use anyhow::{Context, Result, ensure};
use clap::Args;
use quittance_core::id::RunId;
use quittance_core::record::value::Value;
use quittance_server::clock::{self, Stopwatch};
use quittance_server::config::Secret;
use quittance_server::data::Data;
use quittance_server::diff::History;
use quittance_server::reconcile::{Repairs, Writers, carry_out};
use quittance_server::systems::postgres::PostgresWriter;
use quittance_server::systems::write::WriteOptions;
use quittance_store::records::{RepairCause, RepairPlan, RepairRun, RepairState};
use std::process::ExitCode;
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

/// How much to repair, and where.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Records that are repaired, of a table with ten times as many
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    size: i64,
    /// How often each is measured; the best counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// A PostgreSQL database; the tables are made for it and dropped
    #[arg(long, value_name = "URL")]
    database_url: String,
}

const TABLE: &str = "quittance_bench_repairs";
const AUDIT: &str = "quittance_bench_repairs_audit";

/// How long one statement may take.
const STATEMENT_S: u64 = 600;

/// Rows for each that is repaired.
const SPREAD: i64 = 10;

/// Measures, and prints the measurement.
pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    let mut report = Report::new(global);
    let measured = measure(arguments);
    let dropped = with_client(&arguments.database_url, async |client| {
        Ok(client.batch_execute(&format!("DROP TABLE IF EXISTS {TABLE}; DROP TABLE IF EXISTS {AUDIT}")).await?)
    });
    let measured = measured?;
    dropped?;
    report.take(measured)?;
    report.end()
}

fn measure(arguments: &Arguments) -> Result<Measurement> {
    let Arguments { size, rounds, database_url: url } = arguments;
    let plans = plans(*size);
    // The limit holds all of it at once; what this process had before it is told.
    let mut rss_bytes = None;
    let took = best(
        *rounds,
        &mut [
            &mut || {
                prepare(url, *size)?;
                let took = ours(url, &plans)?;
                rss_bytes = rss_bytes.or_else(peak_memory);
                check(url, *size)?;
                Ok(took)
            },
            &mut || {
                prepare(url, *size)?;
                let took = limit(url, *size)?;
                check(url, *size)?;
                Ok(took)
            },
        ],
    )?;
    Ok(Measurement {
        work: "repairs",
        store: "postgres",
        clients: 1,
        size: size.unsigned_abs(),
        took: took[0],
        latency: None,
        limit: Some(("one UPDATE with audit rows", took[1])),
        rss_bytes,
        more: Vec::new(),
    })
}

fn plans(size: i64) -> Vec<(RepairState, RepairPlan)> {
    let plan = |n: i64| RepairPlan {
        system: "bench".to_owned(),
        object: TABLE.to_owned(),
        side: "left".to_owned(),
        key: n.to_string(),
        identity: vec![("id".to_owned(), Value::integer(n * SPREAD))],
        expected: vec![
            ("status".to_owned(), Value::text("active")),
            ("email".to_owned(), Value::Text(format!("customer{}@example.org", n * SPREAD).into())),
        ],
        set: vec![("status".to_owned(), Value::text("past_due"))],
        takes_away: false,
        place: None,
    };
    (1..=size).map(|n| (RepairState::Planned, plan(n))).collect()
}

/// The whole way, with the runs in a data directory of their own.
fn ours(url: &str, plans: &[(RepairState, RepairPlan)]) -> Result<Duration> {
    let directory = tempfile::TempDir::new().context("no temporary directory")?;
    let mut history = History::open(&Data::from(directory.path())).context("the runs cannot be opened")?;
    let started_at = clock::now();
    let run = RepairRun {
        id: RunId::from_bytes([7; 16]),
        pair: "bench".to_owned(),
        cause: RepairCause::Reconcile,
        undoes: None,
        by: "bench".to_owned(),
        started_at,
        repairs: plans.len() as i64,
        source: None,
    };
    let watch = Stopwatch::start();
    let mut repairs = Repairs::new(history.store(), "bench");
    let mut kept = repairs.begin(&run, plans)?;
    let mut open = |_: &RepairPlan| {
        let writer = PostgresWriter::new("bench", &Secret::new(url.to_owned()), STATEMENT_S, WriteOptions::default())?;
        Ok(Box::new(writer) as Box<dyn quittance_server::systems::write::Writer>)
    };
    let mut writers = Writers { open: &mut open, now: &clock::now, by: "bench" };
    carry_out(&mut repairs, &mut kept, None, &mut writers)?;
    let took = watch.elapsed();
    ensure!(kept.iter().all(|one| one.state == RepairState::Repaired), "a record was not repaired");
    Ok(took)
}

/// One statement, in a transaction of its own.
fn limit(url: &str, size: i64) -> Result<Duration> {
    let ids: Vec<i64> = (1..=size).map(|n| n * SPREAD).collect();
    let statement = format!(
        "WITH w AS (SELECT * FROM unnest($1::int8[], $2::text[], $3::text[]) AS w(id, was, becomes)), \
         changed AS (UPDATE {TABLE} AS t SET status = w.becomes FROM w WHERE t.id = w.id AND t.status = w.was \
             RETURNING t.id, w.was, w.becomes) \
         INSERT INTO {AUDIT} SELECT id, was, becomes, now() FROM changed"
    );
    with_client(url, async |client| {
        let (was, becomes) = (vec!["active"; ids.len()], vec!["past_due"; ids.len()]);
        let watch = Stopwatch::start();
        let changed = client.execute(&statement, &[&ids, &was, &becomes]).await?;
        let took = watch.elapsed();
        ensure!(i64::try_from(changed) == Ok(size), "{changed} were changed of {size}");
        Ok(took)
    })
}

/// The tables as they are before each turn.
fn prepare(url: &str, size: i64) -> Result<()> {
    let statements = [
        format!("DROP TABLE IF EXISTS {TABLE}"),
        format!("DROP TABLE IF EXISTS {AUDIT}"),
        format!(
            "CREATE TABLE {TABLE} AS SELECT i::bigint AS id, 'active'::text AS status, 'customer' || i || '@example.org' AS email, \
             (i % 90000 / 100.0)::numeric(20,4) AS amount FROM generate_series(1, {}) AS i",
            size * SPREAD
        ),
        format!("ALTER TABLE {TABLE} ADD PRIMARY KEY (id)"),
        format!("CREATE TABLE {AUDIT} (id bigint NOT NULL, was text, becomes text, at timestamptz NOT NULL)"),
        // VACUUM cannot be part of a transaction, which several statements at once are.
        format!("VACUUM ANALYZE {TABLE}"),
        "CHECKPOINT".to_owned(),
    ];
    with_client(url, async |client| {
        for statement in &statements {
            client.batch_execute(statement).await?;
        }
        Ok(())
    })
    .context("the benchmark's tables cannot be made")
}

fn check(url: &str, size: i64) -> Result<()> {
    with_client(url, async |client| {
        let question = format!("SELECT count(*) FROM {TABLE} WHERE status = 'past_due' AND id % {SPREAD} = 0");
        let changed: i64 = client.query_one(&question, &[]).await?.get(0);
        ensure!(changed == size, "{changed} records are as they were to be, of {size}");
        Ok(())
    })
}

fn with_client<T>(url: &str, work: impl AsyncFnOnce(&Client) -> Result<T>) -> Result<T> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a thread")?;
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.context("the database cannot be reached")?;
        let connection = tokio::spawn(connection);
        let done = work(&client).await;
        drop(client);
        connection.await.context("the connection's task")?.context("the connection")?;
        done
    })
}
