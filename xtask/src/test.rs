//! `cargo xtask test`: prepares what the tests need around them, runs them, and names what was left out.
//!
//! The tests are told by environment variables:
//!
//! | variable | meaning |
//! | --- | --- |
//! | `QUITTANCE_PYTHON` | the Python that has the peers installed; unset when there is none |
//! | `QUITTANCE_STATEFUL_MOCK` | the `node_modules` with stripe-stateful-mock, TypeScript, playwright-core and axe-core; unset when there is none |
//! | `QUITTANCE_BROWSER` | the executable of Chromium; unset when there is none |
//! | `QUITTANCE_STRIPE_MOCK` | the executable of stripe-mock; unset when there is none |
//! | `QUITTANCE_POSTGRES` | the folder with the programs of PostgreSQL 15 or newer; unset when there is none |
//! | `QUITTANCE_HLEDGER` | the executable of hledger; unset when there is none |
//! | `QUITTANCE_REDIS` | the executable of Redis's server; unset when there is none |
//! | `QUITTANCE_PROMTOOL` | the executable of promtool; unset when there is none |
//! | `QUITTANCE_TEST_DATA` | the folder of third-party data; unset when there is none |
//! | `QUITTANCE_SKIPS` | a file; a test that leaves something out appends one line: what, why, how to have it |
//! | `QUITTANCE_REQUIRE_PEERS` | `1` when a test must fail rather than leave out a peer |
//!
//! A peer may be optional: then a test leaves it out whatever is required, with a line that begins with `optional: `.
//! Whoever has PostgreSQL or the data in an unusual place sets their variable; the others are found or made.
//! The names of the variables are known here and to `quittance-surroundings`, which the tests ask.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::arguments::{Missing, Table, Test};
use crate::repository::{Repository, check, variable};
use crate::{packages, peers};

/// What the tests find around them on this machine.
pub(crate) struct Surroundings {
    /// Variables of the tests that name a peer or the data.
    found: Vec<(&'static str, PathBuf)>,
    skips: PathBuf,
    missing: Missing,
    /// What is not there, one sentence each.
    absent: Vec<String>,
}

/// Prepares, builds, tests, and reports. Chosen packages are tested without building the rest.
pub(crate) fn run(repository: &Repository, arguments: &Test) -> Result<()> {
    if let Some(table) = arguments.table {
        return show(repository, table, &arguments.cargo);
    }
    let surroundings = prepare(repository, arguments.missing)?;
    let mut test = repository.cargo();
    // One failing crate must not hide what fails in the next.
    test.args(["test", "--no-fail-fast"]);
    if !names_package(&arguments.cargo) {
        println!("==> test: build the binary that end-to-end tests start");
        check(repository.cargo().args(["build", "--package", "quittance"]))?;
        test.arg("--workspace");
    }
    println!("==> test: cargo test");
    test.args(&arguments.cargo);
    surroundings.tell(&mut test);
    let outcome = check(&mut test);
    // Whoever chooses what to test chooses whether the examples and the simulation are part of it.
    let is_all = arguments.cargo.is_empty();
    let shown = if is_all { crate::examples::batch(repository, &surroundings) } else { Ok(()) };
    let simulated = if is_all { crate::sim::batch(repository) } else { Ok(()) };
    let complete = surroundings.report();
    outcome.and(shown).and(simulated).and(complete)
}

/// Runs the one test that prints a table, which needs nothing around it, and shows what it prints.
fn show(repository: &Repository, table: Table, arguments: &[String]) -> Result<()> {
    let mut test = repository.cargo();
    test.args(["test", "--quiet", "--package", table.package, "--profile", table.profile, "--test", "it"])
        .args(arguments);
    test.args(["--", "--exact", table.test, "--nocapture", "--include-ignored"]);
    check(&mut test)
}

/// Sets up peers and finds data; what cannot be had is an error only where nothing may be missing.
pub(crate) fn prepare(repository: &Repository, missing: Missing) -> Result<Surroundings> {
    println!("==> test: prepare peers");
    let packages = packages::missing(repository);
    let mut absent = Vec::new();
    match missing {
        Missing::Refuse => packages::install(repository, &packages)?,
        Missing::Name => {
            absent.extend(packages.iter().map(|package| {
                format!("{}: for {}; to have it: {}", package.name, package.needed_for, package.remedy())
            }))
        }
    }
    let mut found = Vec::new();
    for (peer, outcome) in peers::ensure(repository)? {
        match outcome {
            Ok(path) => found.push((peer.variable, path)),
            Err(error) if missing == Missing::Refuse && !peer.is_optional => return Err(error.context(peer.name)),
            Err(error) => absent.push(format!("{}: {error:#}", peer.name)),
        }
    }
    match test_data(repository)? {
        Some(folder) => found.push(("QUITTANCE_TEST_DATA", folder)),
        None => absent.push(
            "third-party test data: name its folder in QUITTANCE_TEST_DATA, or put it at ../shared/data".to_owned(),
        ),
    }
    let skips = peers::folder(repository).join("skips.txt");
    fs::create_dir_all(peers::folder(repository)).context("create the peers' folder")?;
    fs::write(&skips, "").with_context(|| format!("empty {}", skips.display()))?;
    for line in &absent {
        println!("not on this machine: {line}");
    }
    Ok(Surroundings { found, skips, missing, absent })
}

/// The folder named by the environment, or the usual place when it is there.
fn test_data(repository: &Repository) -> Result<Option<PathBuf>> {
    if let Some(named) = variable("QUITTANCE_TEST_DATA") {
        let folder = repository.root.join(&named);
        let folder = folder.canonicalize().with_context(|| format!("QUITTANCE_TEST_DATA names `{named}`"))?;
        return Ok(Some(folder));
    }
    let usual = repository.root.join("../shared/data");
    Ok(usual.canonicalize().ok().filter(|folder| folder.is_dir()))
}

/// Whether the user chose packages, so that `--workspace` must not widen the choice.
fn names_package(arguments: &[String]) -> bool {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    own.into_iter()
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package") || argument == "--workspace")
}

impl Surroundings {
    /// What a variable names, where it was found.
    pub(crate) fn has(&self, variable: &str) -> Option<&Path> {
        self.found.iter().find(|(name, _)| *name == variable).map(|(_, path)| path.as_path())
    }

    /// Whether what is not there may be left out.
    pub(crate) fn may_skip(&self) -> bool {
        self.missing == Missing::Name
    }

    /// Puts what was found into the environment of a test run.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env("QUITTANCE_SKIPS", &self.skips);
        command.envs(self.found.iter().map(|(variable, path)| (variable, path)));
        if self.missing == Missing::Refuse {
            command.env("QUITTANCE_REQUIRE_PEERS", "1");
        }
    }

    /// Prints what the tests left out; an error when nothing may be left out.
    pub(crate) fn report(&self) -> Result<()> {
        let text = fs::read_to_string(&self.skips).with_context(|| format!("read {}", self.skips.display()))?;
        let skips = sorted_lines(&text);
        if skips.is_empty() {
            println!("==> test: nothing was skipped");
            return Ok(());
        }
        println!("==> test: skipped");
        for skip in &skips {
            println!("  {skip}");
        }
        for line in &self.absent {
            println!("  not on this machine: {line}");
        }
        match (self.missing, refused(&skips)) {
            (Missing::Name, _) | (Missing::Refuse, 0) => Ok(()),
            (Missing::Refuse, count) => bail!("{count} skipped where nothing may be skipped"),
        }
    }
}

/// Tests run at once and append in any order, some of them the same line.
fn sorted_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// How many of these are an error where nothing may be left out.
fn refused(skips: &[&str]) -> usize {
    skips.iter().filter(|skip| !skip.starts_with("optional: ")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_optional_is_named_and_not_refused() {
        assert_eq!(refused(&["optional: b: no stripe-mock"]), 0);
        assert_eq!(refused(&["a: no data", "optional: b: no stripe-mock"]), 1);
    }

    #[test]
    fn skips_are_sorted_and_said_once() {
        assert_eq!(sorted_lines("b: no strace\na: no data\n\nb: no strace\n"), ["a: no data", "b: no strace"]);
        assert!(sorted_lines("\n").is_empty());
    }

    #[test]
    fn a_chosen_package_is_seen() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(names_package(&words("-p quittance-core journal")));
        assert!(!names_package(&words("journal -- -p")));
    }
}
