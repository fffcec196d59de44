//! The tasks of the repository: lint, tidy, test, examples, sim, soak, fuzz, bench. Run `cargo xtask` for the list.
//!
//! This program owns what is the same on every machine and in CI: which checks there are, and what the tests need around them.
//! **It never changes a source file, knows no billing, and no other crate depends on it.**

use std::process::ExitCode;

use anyhow::{Result, bail};

mod arguments;
mod bench;
mod deny;
mod examples;
mod fuzz;
mod lint;
mod packages;
mod peers;
mod repository;
mod sim;
mod soak;
mod steps;
mod test;
mod tidy;

const USAGE: &str = "\
usage: cargo xtask <task>

  lint                               everything that needs no run of the product: fmt, clippy, tidy, doc, deny
  tidy                               only the house rules: lengths, headers, words, edges, links
  test [--all] [-- ARGUMENTS]        prepare what the tests need, then `cargo test --workspace ARGUMENTS`;
                                     --all installs missing system packages and refuses to skip anything;
                                     -- --table NAME runs the one test that prints a table: effects, machines
  examples                           the clients under `examples`, against a server and a sandbox
  sim [--seeds A..B] [--jobs N] …    the simulation; `sim --help` tells what it can do
  soak [--seconds N | --rounds N]    the tests that are too long for every change
  fuzz [--minutes N]                 every parser against mutated inputs, N minutes (1) for each
  bench [diff|batch|command|connections] …       `quittance bench`, each of them or one, beside PostgreSQL and reladiff
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((task, rest)) = arguments.split_first() else {
        bail!("no task named\n\n{USAGE}");
    };
    match task.as_str() {
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        "lint" => {
            arguments::refuse(rest)?;
            lint::run(&repository::Repository::open()?)
        }
        "tidy" => {
            arguments::refuse(rest)?;
            tidy::run(&repository::Repository::open()?)
        }
        "test" => test::run(&repository::Repository::open()?, &arguments::test(rest)?),
        "bench" => bench::run(&repository::Repository::open()?, rest),
        "examples" => {
            arguments::refuse(rest)?;
            examples::run(&repository::Repository::open()?)
        }
        "sim" => sim::run(&repository::Repository::open()?, rest),
        "fuzz" => fuzz::run(&repository::Repository::open()?, 60 * arguments::fuzz(rest)?),
        "soak" => soak::run(&repository::Repository::open()?, arguments::soak(rest)?),
        other => bail!("there is no task `{other}`\n\n{USAGE}"),
    }
}
