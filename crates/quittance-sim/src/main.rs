//! The program that `cargo xtask sim` runs; it is never shipped.
//!
//! Exit codes: 0 when nothing is wrong; 1 when a seed failed, when a long run reached too little, or when a mutation
//! survived; 2 when the arguments make no sense.

mod arguments;

use arguments::{Arguments, Task};
use quittance_sim::coverage::SEEDS_FOR_ALL;
use quittance_sim::plan::Plan;
use quittance_sim::shrink::shrink;
use quittance_sim::{batch, story, workload};
use std::ops::Range;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Failing seeds after which a run ends.
const FAILURES_MAX: usize = 20;

/// Failing seeds that are shrunk and told, and worlds that are lived for each.
const TOLD_MAX: usize = 2;
const SHRINK_RUNS: usize = 500;

fn main() -> ExitCode {
    quittance_sim::quiet_panics();
    let texts: Vec<String> = std::env::args().skip(1).collect();
    match arguments::read(&texts) {
        Err(what) => {
            eprintln!("error: {what}\n\n{}", arguments::USAGE);
            ExitCode::from(2)
        }
        Ok(Arguments { task, jobs }) => match task {
            Task::Seeds { seeds, shows_coverage } => run(seeds, jobs, shows_coverage),
            Task::Story { plan } => tell(&plan),
            Task::Shrink { plan } => show_shrunk(&plan),
            #[cfg(quittance_mutations)]
            Task::Mutations { named, seeds_max } => mutations(&named, seeds_max, jobs),
        },
    }
}

fn run(seeds: Range<u64>, jobs: usize, shows_coverage: bool) -> ExitCode {
    let count = seeds.end.saturating_sub(seeds.start);
    let step = (count / 10).max(500);
    let progress = |worlds: u64| {
        if worlds % step < 10 && worlds < count {
            println!("  {worlds} of {count} worlds");
        }
    };
    println!("seeds {}..{} on {jobs} threads", seeds.start, seeds.end);
    let summary = batch::run(seeds, jobs, FAILURES_MAX, &progress);
    if shows_coverage {
        print!("{}", summary.coverage.report());
    }
    for (seed, failure) in &summary.failures {
        println!("FAILED seed {seed}, {}: {}", failure.rule, failure.what);
    }
    for (seed, _) in summary.failures.iter().take(TOLD_MAX) {
        show_shrunk(&workload::plan(*seed));
    }
    let unreached = summary.coverage.unreached();
    println!(
        "{} worlds, {} operations, {} failed, {} unreached",
        summary.worlds,
        summary.operations,
        summary.failures.len(),
        unreached.len()
    );
    let is_long = summary.worlds >= SEEDS_FOR_ALL;
    if is_long {
        unreached.iter().for_each(|what| println!("never reached: {what}"));
    }
    ExitCode::from(u8::from(!summary.failures.is_empty() || is_long && !unreached.is_empty()))
}

fn tell(plan: &Plan) -> ExitCode {
    let (text, has_failed) = story::story(plan);
    print!("{text}");
    ExitCode::from(u8::from(has_failed))
}

fn show_shrunk(plan: &Plan) -> ExitCode {
    let Some(shrunk) = shrink(plan, SHRINK_RUNS) else {
        println!("seed {} does not fail", plan.seed);
        return ExitCode::SUCCESS;
    };
    println!("\nshrunk in {} runs:", shrunk.runs);
    print!("{}", story::story(&shrunk.plan).0);
    match serde_json::to_string(&shrunk.plan) {
        Ok(text) => println!("as a plan: {text}"),
        Err(error) => println!("the plan cannot be written: {error}"),
    }
    ExitCode::FAILURE
}

#[cfg(quittance_mutations)]
fn mutations(named: &[String], seeds_max: u64, jobs: usize) -> ExitCode {
    let hunts = quittance_sim::mutations::hunt(named, seeds_max, jobs, &|hunt| println!("{hunt}"));
    let survivors = hunts.iter().filter(|hunt| hunt.found.is_none()).count();
    println!("{} mutations, {survivors} survived", hunts.len());
    ExitCode::from(u8::from(survivors > 0))
}
