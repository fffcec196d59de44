//! `cargo xtask bench`: the benchmarks of the product, with the programs beside them that they are compared with.

use anyhow::{Context, Result};
use std::process::Command;

use crate::arguments::Missing;
use crate::repository::{Repository, check};
use crate::test::{Surroundings, prepare};

/// Every benchmark, in the order in which they run.
const WORKS: [&str; 3] = ["diff", "batch", "command"];

/// Builds what ships, starts PostgreSQL where it is wanted, and runs each benchmark, or the one that is named, with what
/// else was said.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Result<()> {
    let surroundings = prepare(repository, Missing::Name)?;
    println!("==> bench: build");
    check(repository.cargo().args(["build", "--release", "--package", "quittance"]))?;
    check(repository.cargo().args(["build", "--package", "quittance-surroundings", "--bins"]))?;
    let (works, rest) = match arguments.split_first() {
        Some((named, rest)) if WORKS.contains(&named.as_str()) => (vec![named.as_str()], rest),
        _ => (WORKS.to_vec(), arguments),
    };
    let mut outcome = Ok(());
    for work in works {
        println!("==> bench: quittance bench {work}");
        let mut bench = benchmark(repository, &surroundings, work);
        surroundings.tell(&mut bench);
        outcome = outcome.and(check(bench.args(rest)).with_context(|| format!("quittance bench {work}")));
    }
    let complete = surroundings.report();
    outcome.and(complete)
}

/// A benchmark with what it is compared with.
fn benchmark(repository: &Repository, surroundings: &Surroundings, work: &str) -> Command {
    let binary = repository.target.join("release/quittance");
    let mut bench = match (work, surroundings.has("QUITTANCE_POSTGRES")) {
        ("diff", Some(_)) => {
            let mut beside = repository.command(repository.target.join("debug/with-postgres"));
            beside.arg(&binary).args(["bench", work, "--database-url", "{url}"]);
            beside
        }
        _ => {
            let mut alone = repository.command(&binary);
            alone.args(["bench", work]);
            return alone;
        }
    };
    if let Some(python) = surroundings.has("QUITTANCE_PYTHON") {
        bench.arg("--reladiff").arg(python);
    }
    bench
}
