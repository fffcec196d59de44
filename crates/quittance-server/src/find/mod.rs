//! Finders over real systems: reads the columns that a finder needs, and hands its records to [`quittance_core::finder`].
//!
//! Owns which columns those are, under the names they have at Stripe, in Quittance's ledger and in common tables, and what
//! their values mean. Records are held in memory, so a list has a limit; beyond it nothing is told. **Nothing is written.**

mod charges;
mod customers;
mod invoices;
mod roles;
mod table;
mod usage;

pub use charges::double_charges;
pub use customers::duplicate_customers;
pub use invoices::{Invoices, never_invoiced};
pub use usage::{Application, Subscriptions, used_after_cancelation};

use crate::systems::System;
use quittance_core::finder::Report;
use std::collections::BTreeMap;

/// Most records of one list. A record takes some 200 bytes, so this is a gigabyte.
pub const RECORDS_MAX: usize = 5_000_000;

/// A list of one system.
pub struct List<'s> {
    /// The system's name in the configuration.
    pub system_name: &'s str,
    /// The system.
    pub system: &'s mut dyn System,
    /// What is read of it: a table, an object, a file.
    pub object: &'s str,
    /// Columns that are named otherwise than is common, by what they are for (`customer` → `account_id`). What begins with
    /// `/` leads into an object; behind `|` stands a pointer into a column that holds JSON.
    pub columns: BTreeMap<String, String>,
    /// Most records that are read, [`RECORDS_MAX`] as a rule.
    pub records_max: usize,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The findings.
    pub report: Report,
    /// Records that were read.
    pub examined: u64,
    /// Records that could not be judged, because what decides is not there or cannot be read.
    pub unjudged: u64,
    /// The first of them, and why.
    pub first_unjudged: Option<String>,
}

impl Outcome {
    fn note(&mut self, table: &table::Table, why: &str) {
        self.examined += table.examined;
        self.unjudged += table.unjudged.len();
        if self.first_unjudged.is_none() {
            self.first_unjudged = table.unjudged.first().map(|id| format!("{id}: {why}"));
        }
    }
}
