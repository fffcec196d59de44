//! `cargo xtask sim`: the simulation, built fast and with every check on; and its part in every change.
//!
//! The program itself is `crates/quittance-sim`; its arguments are handed on unread, but for the one that asks for seeded
//! bugs: those are compiled in, into a folder of their own.

use anyhow::Result;

use crate::repository::{Repository, check, output, variable};

/// Seeds that every change is run with: the same ones, and others each time.
const FIXED: u64 = 2_000;
const CHANGING: u64 = 500;

/// Where the changing seeds begin, where somebody wants to say so.
const START: &str = "QUITTANCE_SIM_START";

/// Runs the program with these arguments.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Result<()> {
    let mut sim = repository.cargo();
    sim.args(["run", "--quiet", "--profile", "sim", "--package", "quittance-sim", "--"]).args(arguments);
    if arguments.iter().any(|argument| argument == "--mutations") {
        let flags = variable("RUSTFLAGS").unwrap_or_default();
        sim.env("RUSTFLAGS", format!("{flags} --cfg quittance_mutations").trim());
        sim.env("CARGO_TARGET_DIR", repository.target.join("mutations"));
    }
    check(&mut sim)
}

/// Runs what belongs to every change.
pub(crate) fn batch(repository: &Repository) -> Result<()> {
    let start = start(repository);
    println!("==> test: simulation, {FIXED} fixed worlds, and {CHANGING} from {start} on ({START} says otherwise)");
    for seeds in [format!("0..{FIXED}"), format!("{start}..{}", start + CHANGING)] {
        run(repository, &["--seeds".to_owned(), seeds])?;
    }
    println!("==> test: every step of every workflow, struck by every fault");
    let mut matrix = repository.cargo();
    matrix.args(["test", "--quiet", "--profile", "sim", "--package", "quittance-sim", "--test", "it"]);
    check(matrix.args(["--", "--exact", "matrix::crashes", "--ignored"]))
}

/// The time of the newest commit, so that a change that is run again is run with the same seeds.
fn start(repository: &Repository) -> u64 {
    let told = variable(START).and_then(|text| text.parse().ok());
    let commit = || output(repository.command("git").args(["log", "-1", "--format=%ct"])).ok();
    told.or_else(|| commit()?.trim().parse().ok()).unwrap_or(FIXED)
}
