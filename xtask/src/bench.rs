//! `cargo xtask bench`: the benchmarks of the product, with the programs beside them that they are compared with.

use anyhow::{Context, Result};
use std::process::Command;

use crate::arguments::Missing;
use crate::repository::{Repository, check};
use crate::test::{Surroundings, prepare};

/// Where the books of a benchmark lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    /// Nowhere, or in a directory.
    Own,
    /// In a PostgreSQL that is started for it.
    Postgres,
    /// The same, and what else it does without one.
    PostgresOrNone,
}

/// Every benchmark, in the order in which they run, with its options.
const WORKS: [(&str, Store, &[&str]); 9] = [
    ("diff", Store::PostgresOrNone, &[]),
    ("repairs", Store::Postgres, &[]),
    ("batch", Store::Own, &[]),
    ("batch", Store::Postgres, &["--store", "postgres"]),
    ("batch", Store::Postgres, &["--store", "postgres", "--connections", "2"]),
    ("batch", Store::Postgres, &["--store", "postgres", "--processes", "4"]),
    ("command", Store::Own, &[]),
    ("command", Store::Postgres, &["--store", "postgres", "--clients", "256"]),
    ("connections", Store::Own, &[]),
];

/// Builds what ships, starts PostgreSQL where it is wanted, and runs each benchmark, or those of the work that is named, with
/// what else was said. Who names a store says where it is, and measures that alone.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Result<()> {
    let surroundings = prepare(repository, Missing::Name)?;
    println!("==> bench: build");
    check(repository.cargo().args(["build", "--release", "--package", "quittance"]))?;
    check(repository.cargo().args(["build", "--package", "quittance-surroundings", "--bins"]))?;
    let (named, rest) = match arguments.split_first() {
        Some((named, rest)) if WORKS.iter().any(|(work, ..)| work == named) => (Some(named.as_str()), rest),
        _ => (None, arguments),
    };
    let is_store_named = rest.iter().any(|word| word == "--store" || word.starts_with("--store="));
    let mut outcome = Ok(());
    for (work, store, options) in WORKS {
        let is_left_out = is_store_named && store == Store::Postgres;
        if is_left_out || named.is_some_and(|named| named != work) {
            continue;
        }
        let Some(mut bench) = benchmark(repository, &surroundings, work, store) else { continue };
        println!("==> bench: quittance bench {}", [&[work], options].concat().join(" "));
        surroundings.tell(&mut bench);
        let ended = check(bench.args(options).args(rest)).with_context(|| format!("quittance bench {work}"));
        outcome = outcome.and(ended);
    }
    let complete = surroundings.report();
    outcome.and(complete)
}

/// A benchmark with what it is compared with; none where there is no PostgreSQL and it is about that alone.
fn benchmark(repository: &Repository, surroundings: &Surroundings, work: &str, store: Store) -> Option<Command> {
    let binary = repository.target.join("release/quittance");
    let has_postgres = surroundings.has("QUITTANCE_POSTGRES").is_some();
    let mut bench = match (store, has_postgres) {
        (Store::Postgres, false) => return None,
        (Store::Own, _) | (Store::PostgresOrNone, false) => {
            let mut alone = repository.command(&binary);
            alone.args(["bench", work]);
            return Some(alone);
        }
        (Store::Postgres | Store::PostgresOrNone, true) => {
            let mut beside = repository.command(repository.target.join("debug/with-postgres"));
            beside.arg(&binary).args(["bench", work, "--database-url", "{url}"]);
            beside
        }
    };
    if let Some(python) = surroundings.has("QUITTANCE_PYTHON").filter(|_| store == Store::PostgresOrNone) {
        bench.arg("--reladiff").arg(python);
    }
    Some(bench)
}
