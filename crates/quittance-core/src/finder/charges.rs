//! Charges that were taken twice: same customer, amount and currency for the same thing, shortly after each other.

use super::{Finding, Kind, Report, text};
use crate::record::number::Number;
use crate::record::value::Value;
use crate::time::Timestamp;

/// Two charges of one thing closer than this are suspicious, in milliseconds, unless somebody says otherwise: a day.
pub const WINDOW_MS: u64 = 24 * 60 * 60 * 1_000;

/// A charge that succeeded and was not given back whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Charge {
    /// What was charged for.
    pub cause: Cause,
    /// When.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
}

/// What makes two charges the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    customer: Option<String>,
    currency: String,
    amount: String,
    thing: Thing,
}

/// What a charge says it is for. A reference is somebody's own name for it and outweighs a description.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Reference(String),
    Description(String),
    Unsaid,
}

impl Cause {
    /// What a charge is for. None where nothing can make another one the same: without a customer only a reference can.
    /// Currencies are compared whatever their case, descriptions without white space around them.
    #[must_use]
    pub fn new(
        customer: Option<&str>,
        amount: &Number<'_>,
        currency: &str,
        reference: Option<&str>,
        description: Option<&str>,
    ) -> Option<Self> {
        let said = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let thing = match (said(reference), said(description)) {
            (Some(reference), _) => Thing::Reference(reference),
            (None, Some(description)) => Thing::Description(description),
            (None, None) => Thing::Unsaid,
        };
        let customer = said(customer);
        let is_telling = customer.is_some() || matches!(thing, Thing::Reference(_));
        let currency = currency.trim().to_lowercase();
        is_telling.then(|| Self { customer, currency, amount: amount.as_str().to_owned(), thing })
    }
}

/// Whether money of a charge is still with who took it: more than nothing was, and not all of it was given back. What was
/// given back may be written below zero.
///
/// ```
/// use quittance_core::finder::charges::is_kept;
/// use quittance_core::record::number::Number;
/// let number = |text| Number::parse(text).expect("a decimal");
/// assert!(is_kept(&number("10"), Some(&number("9.99"))));
/// assert!(!is_kept(&number("10"), Some(&number("-10.00"))));
/// assert!(!is_kept(&number("0"), None));
/// ```
#[must_use]
pub fn is_kept(amount: &Number<'_>, refunded: Option<&Number<'_>>) -> bool {
    /// Digits before the point and behind it. A canonical decimal with more digits before is greater.
    fn size<'a>(number: &'a Number<'_>) -> (usize, &'a str, &'a str) {
        let digits = number.as_str().trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        (whole.len(), whole, fraction)
    }
    let is_positive = !amount.as_str().starts_with('-') && amount.as_str() != "0";
    is_positive && refunded.is_none_or(|refunded| size(refunded) < size(amount))
}

/// Groups charges of one cause of which each is closer than the window to the one before it.
#[must_use]
pub fn taken_twice(charges: impl Iterator<Item = Charge>, window_ms: u64) -> Report {
    let mut charges: Vec<Charge> = charges.collect();
    charges.sort_unstable();
    // A list that moved under its reader shows one charge twice.
    charges.dedup_by(|two, one| two.id == one.id && two.cause == one.cause);
    let mut report = Report::default();
    let is_near = |one: &Charge, two: &Charge| one.cause == two.cause && two.at.ms_since(one.at) < window_ms;
    for group in charges.chunk_by(is_near).filter(|group| group.len() > 1) {
        report.add(finding(group));
    }
    report
}

fn finding(group: &[Charge]) -> Finding {
    let Cause { customer, currency, amount, thing } = &group[0].cause;
    let amount = Number::parse(amount).map(Number::into_owned);
    let (first, last) = (group[0].at, group[group.len() - 1].at);
    let finding = Finding::new(Kind::DoubleCharge, group.iter().map(|charge| charge.id.clone()))
        .with("customer", customer.as_deref().map_or(Value::Null, text))
        .with("amount", amount.map_or(Value::Null, Value::Number))
        .with("currency", text(currency));
    let finding = match thing {
        Thing::Reference(reference) => finding.with("reference", text(reference)),
        Thing::Description(description) => finding.with("description", text(description)),
        Thing::Unsaid => finding,
    };
    finding.with("first_at", Value::Timestamp(first)).with("last_at", Value::Timestamp(last))
}
