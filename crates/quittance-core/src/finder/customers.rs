//! Customers that are recorded twice: with one e-mail address, or with one tax id.

use super::{Finding, Kind, Report, text};
use std::collections::BTreeMap;

/// A customer, as far as it can be recognised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Customer {
    /// Its id.
    pub id: String,
    /// Its e-mail address, as it was written.
    pub email: Option<String>,
    /// Its tax ids, as they were written.
    pub tax_ids: Vec<String>,
}

/// An address without white space around it and in lower case; none where nothing is left. Dots and what follows a plus
/// sign stay: that they mean nothing is true of some providers only.
#[must_use]
pub fn normal_email(email: &str) -> Option<String> {
    Some(email.trim().to_lowercase()).filter(|email| !email.is_empty())
}

/// A tax id without what people put between its characters, in capitals; none where nothing is left.
#[must_use]
pub fn normal_tax_id(tax_id: &str) -> Option<String> {
    let kept = tax_id.chars().flat_map(char::to_uppercase).filter(|letter| letter.is_alphanumeric());
    Some(kept.collect::<String>()).filter(|tax_id| !tax_id.is_empty())
}

/// Groups customers with the same address or the same tax id. A group that shares both is one finding.
#[must_use]
pub fn recorded_twice(customers: impl Iterator<Item = Customer>) -> Report {
    let mut marks: Vec<(&'static str, String, String)> = Vec::new();
    for customer in customers {
        let email = customer.email.as_deref().and_then(normal_email);
        marks.extend(email.map(|email| ("email", email, customer.id.clone())));
        let tax_ids = customer.tax_ids.iter().filter_map(|tax_id| normal_tax_id(tax_id));
        marks.extend(tax_ids.map(|tax_id| ("tax_id", tax_id, customer.id.clone())));
    }
    marks.sort_unstable();
    marks.dedup();
    let mut groups: BTreeMap<Vec<&str>, Vec<(&'static str, &str)>> = BTreeMap::new();
    let is_same = |one: &(&str, String, String), two: &(&str, String, String)| one.0 == two.0 && one.1 == two.1;
    for group in marks.chunk_by(is_same).filter(|group| group.len() > 1) {
        let ids = group.iter().map(|(_, _, id)| id.as_str()).collect();
        groups.entry(ids).or_default().push((group[0].0, &group[0].1));
    }
    let mut report = Report::default();
    for (ids, shared) in groups {
        let finding = Finding::new(Kind::DuplicateCustomer, ids.into_iter().map(str::to_owned));
        report.add(shared.into_iter().fold(finding, |finding, (label, value)| finding.with(label, text(value))));
    }
    report
}
