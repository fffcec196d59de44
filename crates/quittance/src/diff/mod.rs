//! `quittance diff`: two systems compared, and every disagreement listed. Neither is written.

mod table;

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use anyhow::Context;
use clap::Args;
use quittance_core::id::RunId;
use quittance_core::pair::Which;
use quittance_core::pair::compare::Kind;
use quittance_core::pair::settle::Standing;
use quittance_engine::ports::Ids;
use quittance_server::config::{Config, Pair, SideRef};
use quittance_server::diff::{self, DiffError, EventLog, History, Outcome, Settings, Source, When};
use quittance_server::systems::{Blame, System, SystemError, open};
use quittance_server::{clock, ids};
use std::process::ExitCode;
use std::time::Duration;

/// What to compare.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The pair, as the configuration names it: [pairs.NAME]
    pair: String,
    /// Compare the records of one key only; the values of several columns are separated by commas
    #[arg(long, value_name = "KEY")]
    only: Option<String>,
    /// How long to wait before what disagrees is read again; only what is there again is counted
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span)]
    settle: Duration,
}

/// The longest wait between two looks.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A span of time: `5s`, `500ms`, `2m`.
fn span(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "write a whole number and a unit, as 5s, 500ms or 2m".to_owned())?;
    let span = match &text[digits.len()..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    };
    span.filter(|span| *span <= DAY).ok_or_else(|| "write it in ms, s or m, a day at most".to_owned())
}

/// Compares, prints, and keeps the run where a data directory is named.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let pair = named(&config, &arguments.pair)?;
    let mut history = global.named_data().map(History::open).transpose().context("the runs cannot be opened")?;
    let previous = history.as_mut().map(|history| history.newest(&arguments.pair)).transpose()?.flatten();
    let started_at = clock::now();
    let outcome = compare(&config, pair, arguments, global)?;
    let ended_at = clock::now();
    let when = When { id: RunId::from_uuid(ids::SystemIds::default().uuid(started_at)), started_at, ended_at };
    let mut events = EventLog::open(global.data()).context("the events that were received cannot be read")?;
    // What one key says is no comparison of the pair: it is neither beside the last run nor kept.
    let previous = previous.as_ref().filter(|_| arguments.only.is_none());
    let told = diff::tell(&outcome, when, previous, &mut events)?;
    if let (Some(history), None) = (&mut history, &arguments.only) {
        history.keep(&told.run, &told.drifts).context("the run cannot be kept")?;
    }
    table::document(&told, &outcome).print(global.format())?;
    Ok(exit(&outcome, pair).into())
}

fn named<'c>(config: &'c Config, name: &str) -> anyhow::Result<&'c Pair> {
    config.pairs.get(name).ok_or_else(|| {
        let known: Vec<&str> = config.pairs.keys().map(String::as_str).collect();
        let file = config.file.as_ref().map_or("no configuration".into(), |file| file.display().to_string());
        let remedy = match known.as_slice() {
            [] => "describe it under [pairs.NAME], or have `quittance init` propose it".to_owned(),
            known => format!("known are {}", known.join(", ")),
        };
        Failure::new(Exit::Usage, format!("there is no pair `{name}` in {file}"), remedy).into()
    })
}

fn compare(config: &Config, pair: &Pair, arguments: &Arguments, global: &Global) -> anyhow::Result<Outcome> {
    let mut left = opened(config, &pair.left, global)?;
    let mut right = opened(config, &pair.right, global)?;
    let settings =
        Settings { hash_key: ids::random(), only: arguments.only.clone(), wait: &mut || settle(arguments.settle) };
    let mut left = source(&pair.left, left.as_mut(), Which::Left);
    let mut right = source(&pair.right, right.as_mut(), Which::Right);
    diff::diff(&arguments.pair, pair, &mut left, &mut right, settings).map_err(|error| failure(error).into())
}

#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but the time that was asked for")]
fn settle(span: Duration) {
    std::thread::sleep(span);
}

fn source<'s>(side: &'s SideRef, system: &'s mut dyn System, which: Which) -> Source<'s> {
    Source { name: &side.system, system, object: &side.object, which }
}

fn opened(config: &Config, side: &SideRef, global: &Global) -> anyhow::Result<Box<dyn System>> {
    let name = &side.system;
    let system = config.systems.get(name).with_context(|| format!("system `{name}` is configured"))?;
    let secret = config.system_secret(system)?;
    open::open(name, system, secret, global.data()).map_err(|source| system_failure(name, source).into())
}

/// What ended a comparison, with the exit code it has and the remedy it names.
fn failure(error: DiffError) -> Failure {
    match error {
        DiffError::System { system, source } => system_failure(&system, source),
        DiffError::Pair { pair, what, remedy } => Failure::new(Exit::Usage, format!("pair `{pair}`: {what}"), remedy),
        DiffError::Spool(source) => {
            let remedy = "make room where temporary files lie (TMPDIR), or compare fewer columns";
            Failure::new(Exit::Internal, "a temporary file cannot be used", remedy).because(source)
        }
    }
}

pub(crate) fn system_failure(system: &str, error: SystemError) -> Failure {
    let exit = match error.blame {
        Blame::Configuration => Exit::Usage,
        Blame::Outside => Exit::Unreachable,
    };
    let (what, remedy) = (format!("system `{system}`: {error}"), error.remedy.clone());
    match error.into_source() {
        Some(source) => Failure::new(exit, what, remedy).because(source),
        None => Failure::new(exit, what, remedy),
    }
}

/// 2 where the first rule does not tell records apart: what is told is whole, and the configuration is to be mended.
fn exit(outcome: &Outcome, pair: &Pair) -> Exit {
    let crowds = outcome.reported.iter().filter(|one| {
        one.standing == Standing::Confirmed && one.finding.kind == Kind::Ambiguous && one.finding.rule == 0
    });
    let crowds = crowds.count();
    if crowds > 0 {
        let columns = |columns: &[quittance_server::config::ColumnRef]| {
            columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (left, right) = &pair.rules[0];
        eprintln!(
            "error: {crowds} keys are claimed by several records of one side of pair `{}`: `{}` of `{}` and `{}` of `{}` \
             do not tell its records apart",
            outcome.pair.name,
            columns(left),
            pair.left.object,
            columns(right),
            pair.right.object,
        );
        eprintln!("  they are listed as ambiguous; remove the duplicates, or match by columns that are unique");
        return Exit::Usage;
    }
    if outcome.has_drift() { Exit::Finding } else { Exit::Good }
}

#[cfg(test)]
mod tests {
    use super::span;
    use std::time::Duration;

    #[test]
    fn spans_have_units() {
        for (text, ms) in [("5s", 5_000), ("500ms", 500), ("2m", 120_000), ("0", 0), ("0s", 0)] {
            assert_eq!(span(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1s", "5 s", "5h", "1.5s", "9999m", "99999999999s", "86400001ms"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
