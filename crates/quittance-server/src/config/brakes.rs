//! The limits of tenants: `[brakes]`, and `[brakes.tenants.NAME]` over it.

use super::errors::Mistakes;
use super::section::{Found, Section};
use quittance_core::brake::{Limit, Limits, OverLimit};
use quittance_core::currency::Currency;
use quittance_core::money::AMOUNT_MAX;
use quittance_engine::brakes::Brakes;
use std::collections::BTreeMap;

const KEYS: [&str; 5] = [
    Limit::PaymentAmount.name(),
    Limit::PaymentsPerHour.name(),
    Limit::RefundedAmountPerDay.name(),
    Limit::RetryShare.name(),
    OVER_LIMIT,
];

const OVER_LIMIT: &str = "over_limit";

/// The one table within: limits of single tenants.
const TENANTS: &str = "tenants";

/// More than any tenant does; a limit that is meant to be none is left out.
const PAYMENTS_MAX: u64 = 1_000_000_000;

/// Reads `[brakes]` and what it holds for single tenants. What a tenant's table does not say is as in `[brakes]`, each
/// currency by itself, so that nothing loses its limit by being forgotten there.
pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Brakes {
    let known: Vec<&str> = KEYS.into_iter().chain([TENANTS]).collect();
    section.refuse_unknown(&known, mistakes);
    let general = limits(section, &Limits::default(), mistakes);
    let mut tenants = BTreeMap::new();
    for (name, section) in section.tables(TENANTS, mistakes) {
        section.refuse_unknown(&KEYS, mistakes);
        tenants.insert(name, limits(&section, &general, mistakes));
    }
    Brakes { general, tenants }
}

fn limits(section: &Section<'_>, general: &Limits, mistakes: &mut Mistakes) -> Limits {
    let payments = section.whole(Limit::PaymentsPerHour.name(), 0..=PAYMENTS_MAX, "no limit", mistakes);
    let (payment, refunded) = (Limit::PaymentAmount.name(), Limit::RefundedAmountPerDay.name());
    Limits {
        payment_amount_max: amounts(section, payment, &general.payment_amount_max, mistakes),
        // At most a thousand million.
        payments_per_hour_max: payments.map(|found| found.value as i64).or(general.payments_per_hour_max),
        refunded_amount_per_day_max: amounts(section, refunded, &general.refunded_amount_per_day_max, mistakes),
        retry_share_max: share(section, Limit::RetryShare.name(), mistakes).or(general.retry_share_max),
        over_limit: over_limit(section, mistakes).unwrap_or(general.over_limit),
    }
}

/// Amounts by currency, over those that hold otherwise.
fn amounts(
    section: &Section<'_>,
    key: &str,
    general: &BTreeMap<Currency, i64>,
    mistakes: &mut Mistakes,
) -> BTreeMap<Currency, i64> {
    let mut amounts = general.clone();
    for (code, found) in section.pairs(key, mistakes) {
        let setting = format!("{}.{code}", section.setting(key));
        match Currency::from_code(&code) {
            Ok(currency) => {
                let amount = found.value.parse().ok().filter(|amount| (0..=AMOUNT_MAX).contains(amount));
                let Some(amount) = amount else {
                    let remedy = format!(
                        "write a whole number of minor units from 0 to {AMOUNT_MAX}, as 1000000 for 10,000.00 USD"
                    );
                    mistakes.add(found.origin, &setting, "not an amount", remedy);
                    continue;
                };
                amounts.insert(currency, amount);
            }
            Err(error) => {
                let remedy = "write three upper-case letters, as in { USD = 1000000 }";
                mistakes.add(found.origin, &setting, error.to_string(), remedy);
            }
        }
    }
    amounts
}

/// A share of one, in thousandths; read digit by digit, never as a floating-point number.
pub(super) fn share(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Option<i64> {
    let found = section.decimal(key, mistakes)?;
    let share = thousandths(&found.value).filter(|share| (0..=1_000).contains(share));
    if share.is_none() {
        let remedy = "write a share from 0 to 1 with at most three decimals, as 0.1 for a tenth";
        mistakes.add(found.origin, &section.setting(key), "not a share", remedy);
    }
    share
}

fn thousandths(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = |digits: &str| (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(whole) || !is_plain(decimals) {
        return None;
    }
    let decimals: i64 = format!("{decimals:0<3}").parse().ok()?;
    Some(whole.parse::<i64>().ok()? * 1_000 + decimals)
}

fn over_limit(section: &Section<'_>, mistakes: &mut Mistakes) -> Option<OverLimit> {
    let Found { value, origin } = section.text(OVER_LIMIT, mistakes)?;
    match value.as_str() {
        "refuse" => Some(OverLimit::Refuse),
        "approve" => Some(OverLimit::Park),
        _ => {
            let remedy = "write \"refuse\" (403, nothing is stored) or \"approve\" (a person decides)";
            mistakes.add(origin, &section.setting(OVER_LIMIT), "not something to do", remedy);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::thousandths;

    #[test]
    fn shares_are_read_by_their_digits() {
        for (text, expected) in [("0.1", 100), ("0", 0), ("1", 1_000), ("1.000", 1_000), ("0.125", 125), ("0.05", 50)] {
            assert_eq!(thousandths(text), Some(expected), "{text}");
        }
        for text in ["", ".1", "1.", "0.1234", "1e-1", "-0.1", "+0.1", "0,1", "ten", "0.1.1", " 0.1"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }
}
