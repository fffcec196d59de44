//! `cargo xtask bench`: the benchmarks of the product, with the programs beside them that they are compared with.

use anyhow::{Context, Result};

use crate::arguments::Missing;
use crate::repository::{Repository, check};
use crate::test::prepare;

/// Builds what ships, starts PostgreSQL, and runs `quittance bench diff` with what else was said.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Result<()> {
    let surroundings = prepare(repository, Missing::Name)?;
    println!("==> bench: build");
    check(repository.cargo().args(["build", "--release", "--package", "quittance"]))?;
    check(repository.cargo().args(["build", "--package", "quittance-surroundings", "--bins"]))?;
    println!("==> bench: quittance bench diff");
    let binary = repository.target.join("release/quittance");
    let mut bench = match surroundings.has("QUITTANCE_POSTGRES") {
        None => repository.command(&binary),
        Some(_) => {
            let mut beside = repository.command(repository.target.join("debug/with-postgres"));
            beside.arg(&binary);
            beside
        }
    };
    bench.args(["bench", "diff"]);
    if surroundings.has("QUITTANCE_POSTGRES").is_some() {
        bench.args(["--database-url", "{url}"]);
        if let Some(python) = surroundings.has("QUITTANCE_PYTHON") {
            bench.arg("--reladiff").arg(python);
        }
    }
    surroundings.tell(&mut bench);
    let outcome = check(bench.args(arguments)).context("quittance bench diff");
    let complete = surroundings.report();
    outcome.and(complete)
}
