//! `cargo xtask soak`: the tests that are too long for every change.
//!
//! They are named `soak_…` and return at once unless `QUITTANCE_SOAK` is set. `QUITTANCE_SOAK_SECONDS` or
//! `QUITTANCE_SOAK_ROUNDS` say how long each of them goes on; without either, each has a default.

use anyhow::Result;

use crate::arguments::{Missing, Soak};
use crate::repository::{Repository, check};
use crate::test::prepare;

/// How long each parser is fuzzed where no number of seconds is given; ten minutes together.
const FUZZ_SECONDS: u64 = 90;

/// Runs them one after the other, with their output on the screen.
pub(crate) fn run(repository: &Repository, limit: Soak) -> Result<()> {
    let surroundings = prepare(repository, Missing::Name)?;
    check(repository.cargo().args(["build", "--package", "quittance"]))?;
    println!("==> soak: cargo test soak_");
    let mut test = repository.cargo();
    test.args(["test", "--workspace", "soak_", "--", "--test-threads=1", "--nocapture"]);
    surroundings.tell(&mut test);
    test.env("QUITTANCE_SOAK", "1");
    match limit {
        Soak::Default => {}
        Soak::Seconds(seconds) => {
            test.env("QUITTANCE_SOAK_SECONDS", seconds.to_string());
        }
        Soak::Rounds(rounds) => {
            test.env("QUITTANCE_SOAK_ROUNDS", rounds.to_string());
        }
    }
    let outcome = check(&mut test).and_then(|()| {
        let seconds = if let Soak::Seconds(seconds) = limit { seconds } else { FUZZ_SECONDS };
        crate::fuzz::run(repository, seconds)
    });
    let complete = surroundings.report();
    outcome.and(complete)
}
