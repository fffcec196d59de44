//! What stands on the command line, read into values.

use quittance_sim::plan::Plan;
use quittance_sim::workload;
use std::ops::Range;

pub(crate) const USAGE: &str = "\
usage: cargo xtask sim [--seeds A..B] [--jobs N] [--coverage]    lives worlds, and says what is wrong
       cargo xtask sim --seed N [--shrink]                       tells the story of one
       cargo xtask sim --plan FILE [--shrink]                    the same of a plan that was kept
       cargo xtask sim --mutations [--only NAME] [--max N]       looks whether the auditor finds seeded bugs
";

/// What is to be done.
pub(crate) enum Task {
    Seeds {
        seeds: Range<u64>,
        shows_coverage: bool,
    },
    Story {
        plan: Plan,
    },
    Shrink {
        plan: Plan,
    },
    #[cfg(quittance_mutations)]
    Mutations {
        named: Vec<String>,
        seeds_max: u64,
    },
}

/// All of it.
pub(crate) struct Arguments {
    pub(crate) task: Task,
    pub(crate) jobs: usize,
}

#[derive(Default)]
struct Words {
    seeds: Option<Range<u64>>,
    plan: Option<Plan>,
    shrinks: bool,
    shows_coverage: bool,
    is_mutations: bool,
    named: Vec<String>,
    seeds_max: Option<u64>,
    jobs: Option<usize>,
}

/// Reads the words.
///
/// # Errors
///
/// What is wrong, and what would be right.
pub(crate) fn read(texts: &[String]) -> Result<Arguments, String> {
    let mut words = Words::default();
    let mut rest = texts.iter();
    while let Some(word) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--seeds" => words.seeds = Some(range(value()?)?),
            "--seed" => words.plan = Some(workload::plan(number(value()?)?)),
            "--plan" => words.plan = Some(stored(value()?)?),
            "--help" => return Err("these are all the arguments".to_owned()),
            "--shrink" => words.shrinks = true,
            "--coverage" => words.shows_coverage = true,
            "--mutations" => words.is_mutations = true,
            "--only" => words.named.push(value()?.clone()),
            "--max" => words.seeds_max = Some(number(value()?)?),
            "--jobs" => words.jobs = Some(usize::try_from(number(value()?)?).unwrap_or(1)),
            other => return Err(format!("`{other}` is no argument of this program")),
        }
    }
    let jobs = words.jobs.unwrap_or(2);
    Ok(Arguments { task: task(words)?, jobs })
}

fn task(words: Words) -> Result<Task, String> {
    let Words { seeds, plan, shrinks, shows_coverage, is_mutations, .. } = words;
    if is_mutations {
        #[cfg(quittance_mutations)]
        return Ok(Task::Mutations { named: words.named, seeds_max: words.seeds_max.unwrap_or(20_000) });
        #[cfg(not(quittance_mutations))]
        return Err("mutations are compiled in by `cargo xtask sim --mutations` alone".to_owned());
    }
    Ok(match plan {
        Some(plan) if shrinks => Task::Shrink { plan },
        Some(plan) => Task::Story { plan },
        None => Task::Seeds { seeds: seeds.unwrap_or(0..2_000), shows_coverage },
    })
}

fn number(text: &str) -> Result<u64, String> {
    text.replace('_', "").parse().map_err(|_| format!("`{text}` is no whole number"))
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or_else(|| format!("`{text}` is no range like 0..2000"))?;
    Ok(number(from)?..number(to)?)
}

fn stored(path: &str) -> Result<Plan, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{path} is no plan: {error}"))
}
