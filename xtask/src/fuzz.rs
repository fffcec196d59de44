//! `cargo xtask fuzz`: every parser against mutated inputs, for longer than a test run does.
//!
//! The targets are tests whose names begin with `fuzz_`; `QUITTANCE_FUZZ_SECONDS` tells each of them how long it goes on.

use anyhow::Result;

use crate::repository::{Repository, check};

/// The package that has the targets.
const PACKAGE: &str = "quittance-server";

/// Fuzzes each target for so many seconds, one after the other.
pub(crate) fn run(repository: &Repository, seconds: u64) -> Result<()> {
    println!("==> fuzz: {seconds} s for each target");
    let mut test = repository.cargo();
    test.args(["test", "--profile", "sim", "--package", PACKAGE, "--test", "it", "fuzz_"]);
    test.args(["--", "--test-threads=1", "--nocapture"]);
    test.env("QUITTANCE_FUZZ_SECONDS", seconds.to_string());
    check(&mut test)
}
