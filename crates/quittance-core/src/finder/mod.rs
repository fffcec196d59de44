//! Finders: what looks wrong within the records of one list, or of two that belong together.
//!
//! Small typed records go in, findings with their evidence come out, in an order that depends on the records alone and
//! not on the order they came in. A finding is a report for a person: nothing here says what is to be done about it.
//! Does not own where records come from.

pub mod charges;
pub mod customers;
pub mod invoices;
pub mod usage;

#[cfg(test)]
mod tests;

use crate::record::value::Value;

/// Most findings that one report holds; more are counted.
pub const FINDINGS_MAX: usize = 10_000;

/// Most records that one finding names; more are counted.
pub const SUBJECTS_MAX: usize = 50;

/// What looks wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// One thing was charged for several times.
    DoubleCharge,
    /// One customer is recorded several times.
    DuplicateCustomer,
    /// A subscription runs and nothing was ever invoiced for it.
    NeverInvoiced,
    /// Somebody goes on using what was canceled.
    UsedAfterCancelation,
}

impl Kind {
    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DoubleCharge => "double_charge",
            Self::DuplicateCustomer => "duplicate_customer",
            Self::NeverInvoiced => "never_invoiced",
            Self::UsedAfterCancelation => "used_after_cancelation",
        }
    }
}

/// One thing that looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Ids of the records it is about, at most [`SUBJECTS_MAX`].
    pub subjects: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// What it is concluded from.
    pub evidence: Vec<(&'static str, Value<'static>)>,
}

/// Everything that a finder found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    /// The first of the findings, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many there are.
    pub found: u64,
}

impl Report {
    fn add(&mut self, finding: Finding) {
        self.found += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

impl Finding {
    fn new(kind: Kind, subjects: impl ExactSizeIterator<Item = String>) -> Self {
        let count = subjects.len() as u64;
        Self { kind, subjects: subjects.take(SUBJECTS_MAX).collect(), count, evidence: Vec::new() }
    }

    /// Adds evidence, unless there is none.
    fn with(mut self, label: &'static str, value: Value<'static>) -> Self {
        if !value.is_nothing() {
            self.evidence.push((label, value));
        }
        self
    }
}

fn text(text: &str) -> Value<'static> {
    Value::Text(text.to_owned().into())
}
