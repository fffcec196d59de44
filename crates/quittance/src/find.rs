//! `quittance find`: what looks wrong within the records of a system. Nothing is written, and nothing is repaired.

mod report;

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::{span, systems};
use clap::{Args, Subcommand};
use quittance_core::finder::{charges, invoices, usage};
use quittance_server::clock;
use quittance_server::config::{Config, System as Configured};
use quittance_server::find::{self, Application, Invoices, List, Outcome, RECORDS_MAX, Subscriptions};
use quittance_server::systems::{System, SystemError};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// What to look for.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Charges that were taken twice: same customer, amount, currency and reference or description, shortly after each
    /// other, and not given back
    DoubleCharges(DoubleCharges),
    /// Customers that are recorded twice: with one e-mail address or one tax id
    DuplicateCustomers(Source),
    /// Subscriptions that run, and for which nothing was ever invoiced
    NeverInvoiced(NeverInvoiced),
    /// Rows of an application that were used after their subscription had ended
    UsedAfterCancelation(UsedAfterCancelation),
}

/// Where to look.
#[derive(Args, Debug)]
pub(crate) struct Source {
    /// The system, as the configuration names it: [systems.NAME]
    #[arg(long, value_name = "NAME")]
    system: String,
    /// The table, object or file in it; at Stripe and in the ledger it is known
    #[arg(long, value_name = "NAME")]
    object: Option<String>,
    /// A column that has no common name, by what it is for: customer=account_id
    #[arg(long = "column", value_name = "ROLE=COLUMN", value_parser = column)]
    columns: Vec<(String, String)>,
}

/// Charges that were taken twice.
#[derive(Args, Debug)]
pub(crate) struct DoubleCharges {
    #[command(flatten)]
    source: Source,
    /// Charges are suspicious when they are closer than this
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span::of_years)]
    window: u64,
}

/// Subscriptions without an invoice.
#[derive(Args, Debug)]
pub(crate) struct NeverInvoiced {
    #[command(flatten)]
    source: Source,
    /// The list of invoices, where a subscription does not name its own
    #[arg(long, value_name = "NAME")]
    invoices: Option<String>,
    /// How long a subscription may run before its first invoice is missed
    #[arg(long, value_name = "TIME", default_value = "3d", value_parser = span::of_years)]
    window: u64,
}

/// Use after the end.
#[derive(Args, Debug)]
pub(crate) struct UsedAfterCancelation {
    /// The pair of the application's rows (left) and the subscriptions (right): [pairs.NAME]
    #[arg(long, value_name = "NAME")]
    pair: String,
    /// The application's column that says when a row was used last
    #[arg(long, value_name = "COLUMN")]
    used_at: String,
    /// A column of the subscriptions that has no common name, by what it is for: ended_at=stopped_on
    #[arg(long = "column", value_name = "ROLE=COLUMN", value_parser = column)]
    columns: Vec<(String, String)>,
    /// How long after the end somebody may still be seen
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = span::of_years)]
    window: u64,
}

fn column(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((role, column)) if !role.is_empty() && !column.is_empty() => Ok((role.to_owned(), column.to_owned())),
        _ => Err("write what it is for and its name, as customer=account_id".to_owned()),
    }
}

/// Looks, and prints what was found; finding something is a finding.
pub(crate) fn run(command: &Command, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let place = Place { config: &config, global };
    let (name, outcome) = match command {
        Command::DoubleCharges(asked) => ("double-charges", place.double_charges(asked)?),
        Command::DuplicateCustomers(source) => ("duplicate-customers", place.duplicate_customers(source)?),
        Command::NeverInvoiced(asked) => ("never-invoiced", place.never_invoiced(asked)?),
        Command::UsedAfterCancelation(asked) => ("used-after-cancelation", place.used_after_cancelation(asked)?),
    };
    report::document(name, &outcome).print(global.format())?;
    Ok(if outcome.report.found == 0 { Exit::Good } else { Exit::Finding }.into())
}

/// Where systems are configured.
struct Place<'a> {
    config: &'a Config,
    global: &'a Global,
}

impl Place<'_> {
    fn double_charges(&self, asked: &DoubleCharges) -> anyhow::Result<Outcome> {
        self.look(&asked.source, ["charge", "payment"], |list| find::double_charges(list, asked.window))
    }

    fn duplicate_customers(&self, source: &Source) -> anyhow::Result<Outcome> {
        self.look(source, ["customer", "customer"], find::duplicate_customers)
    }

    fn never_invoiced(&self, asked: &NeverInvoiced) -> anyhow::Result<Outcome> {
        let system = &asked.source.system;
        let invoiced = match &asked.invoices {
            None => None,
            Some(object) => {
                let mut opened = self.open(system)?;
                let invoices = Invoices(list(system, opened.as_mut(), object, &[]));
                Some(invoices.subscriptions().map_err(failure)?)
            }
        };
        let now = clock::now();
        let look = |list: List<'_>| find::never_invoiced(list, invoiced.as_ref(), now, asked.window);
        self.look(&asked.source, ["subscription", ""], look)
    }

    fn used_after_cancelation(&self, asked: &UsedAfterCancelation) -> anyhow::Result<Outcome> {
        let pair = systems::pair(self.config, &asked.pair)?;
        let (mut left, mut right) = (self.open(&pair.left.system)?, self.open(&pair.right.system)?);
        let right = list(&pair.right.system, right.as_mut(), &pair.right.object, &asked.columns);
        let left = list(&pair.left.system, left.as_mut(), &pair.left.object, &[]);
        let application = Application { list: left, used_at: &asked.used_at, pair };
        let outcome = find::used_after_cancelation(Subscriptions(right), application, asked.window);
        outcome.map_err(|error| failure(error).into())
    }

    /// Opens a source and looks at it; `known` are its object's names at Stripe and in the ledger.
    fn look(
        &self,
        source: &Source,
        known: [&str; 2],
        look: impl FnOnce(List<'_>) -> Result<Outcome, SystemError>,
    ) -> anyhow::Result<Outcome> {
        let object = match (&source.object, self.config.systems.get(&source.system)) {
            (Some(object), _) => object.as_str(),
            (None, Some(Configured::Stripe { .. })) => known[0],
            (None, Some(Configured::Ledger { .. })) => known[1],
            (None, _) => "",
        };
        let mut system = self.open(&source.system)?;
        if object.is_empty() {
            let what = format!("the system `{}` has no object that is known to hold these records", source.system);
            return Err(Failure::new(Exit::Usage, what, "name a table, an object or a file with --object NAME").into());
        }
        let list = list(&source.system, system.as_mut(), object, &source.columns);
        look(list).map_err(|error| failure(error).into())
    }

    fn open(&self, name: &str) -> anyhow::Result<Box<dyn System>> {
        systems::opened(self.config, name, self.global)
    }
}

fn list<'s>(
    system_name: &'s str,
    system: &'s mut dyn System,
    object: &'s str,
    columns: &[(String, String)],
) -> List<'s> {
    let columns: BTreeMap<String, String> = columns.iter().cloned().collect();
    List { system_name, system, object, columns, records_max: RECORDS_MAX }
}

fn failure(error: SystemError) -> Failure {
    systems::failed(error.to_string(), error)
}

// The command line says what the finders' own limits are.
const _: () = assert!(charges::WINDOW_MS == 24 * 3_600_000);
const _: () = assert!(invoices::WINDOW_MS == 3 * 24 * 3_600_000);
const _: () = assert!(usage::WINDOW_MS == 3_600_000);

#[cfg(test)]
mod tests {
    use super::column;

    #[test]
    fn columns_are_given_by_what_they_are_for() {
        assert_eq!(column("reference=/metadata/a=b"), Ok(("reference".to_owned(), "/metadata/a=b".to_owned())));
        for text in ["", "a", "=a", "a="] {
            assert!(column(text).is_err(), "{text}");
        }
    }
}
