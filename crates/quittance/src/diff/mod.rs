//! `quittance diff`: two systems compared, and every disagreement listed. Neither is written.

mod table;

use crate::arguments::Global;
use crate::failure::Exit;
use crate::span;
use clap::Args;
use quittance_core::pair::compare::Kind;
use quittance_core::pair::settle::Standing;
use quittance_server::config::{Config, Pair};
use quittance_server::diff::Outcome;
use quittance_server::reconcile::session::{Comparison, Session};
use std::process::ExitCode;
use std::time::Duration;

/// Who asks, where nobody else is named: whoever may run commands on the data.
pub(crate) const BY: &str = "operator";

/// What to compare.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The pair, as the configuration names it: [pairs.NAME]
    pair: String,
    /// Compare the records of one key only; the values of several columns are separated by commas
    #[arg(long, value_name = "KEY")]
    only: Option<String>,
    /// How long to wait before what disagrees is read again; only what is there again is counted
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span::of_a_day)]
    settle: Duration,
}

/// Compares, prints, and keeps the run where a data directory is named.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let (is_kept, data) = (global.named_data()?.is_some(), global.data()?);
    let session = Session::new(&config, &arguments.pair, &data, BY)?;
    let only = arguments.only.as_deref();
    let compared = session.compare(Comparison { only, wait: &mut || settle(arguments.settle) }, is_kept)?;
    table::document(&compared).print(global.format())?;
    match compared.unkept {
        Some(error) => Err(error.into()),
        None => Ok(exit(&compared.outcome, session.pair).into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but the time that was asked for")]
pub(crate) fn settle(span: Duration) {
    std::thread::sleep(span);
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
