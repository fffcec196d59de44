//! Currencies against the published list, and Stripe's way of writing their amounts.

use crate::data;
use proptest::prelude::*;
use quittance_core::currency::{Currency, CurrencyError, WireError, WireRule, from_wire, stripe_rule, to_wire};
use quittance_core::money::Money;

fn currency(code: &str) -> Currency {
    Currency::from_code(code).expect("a currency")
}

#[test]
fn codes_are_exact() {
    let dollar = currency("USD");
    assert_eq!((dollar.code(), dollar.exponent(), dollar.to_string()), ("USD", 2, "USD".to_owned()));
    for text in ["", "usd", "Usd", " USD", "USD ", "US", "USDX", "ZZZ", "978", "€"] {
        assert_eq!(Currency::from_code(text), Err(CurrencyError::Unknown), "{text:?}");
    }
    for code in ["XAU", "XAG", "XPT", "XPD", "XBA", "XBB", "XBC", "XBD", "XDR", "XSU", "XUA", "XTS", "XXX"] {
        assert_eq!(Currency::from_code(code), Err(CurrencyError::NoMinorUnit), "{code}");
    }
}

#[test]
fn currencies_sort_by_code() {
    let mut currencies = ["XCG", "USD", "AED", "ZAR", "AWG", "EUR"].map(currency);
    currencies.sort();
    assert_eq!(currencies.map(Currency::code), ["AED", "AWG", "EUR", "USD", "XCG", "ZAR"]);
}

#[test]
fn the_table_agrees_with_the_published_list() {
    let test = "currency::the_table_agrees_with_the_published_list";
    let Some(list) = data::published(test, "iso4217/codes-all.csv") else { return };
    let mut compared = 0;
    for line in list.lines().skip(1) {
        // Entity,Currency,AlphabeticCode,NumericCode,MinorUnit,WithdrawalDate; names may be quoted and hold commas.
        let fields: Vec<&str> = line.rsplitn(5, ',').collect();
        let [withdrawn, minor_unit, _numeric, code, _names] = fields[..] else { panic!("unreadable line {line:?}") };
        if !withdrawn.trim().is_empty() || code.is_empty() {
            continue;
        }
        let exponent = minor_unit.parse::<u8>().map_err(|_| CurrencyError::NoMinorUnit);
        assert_eq!(Currency::from_code(code).map(Currency::exponent), exponent, "{code}");
        compared += 1;
    }
    assert!(compared > 170, "only {compared} lines of the list were compared");
}

#[test]
fn stripe_writes_amounts_its_own_way() {
    // Amount in minor units of ISO 4217, and what Stripe is sent: docs.stripe.com/currencies.
    let cases = [
        ("USD", 1999, Ok(1999)),
        ("USD", -1999, Ok(-1999)),
        ("JPY", 500, Ok(500)),
        ("ISK", 5, Ok(500)),
        ("UGX", 5, Ok(500)),
        ("HUF", 1045, Ok(1045)),
        ("TWD", 80_045, Ok(80_045)),
        ("MGA", 150_000, Ok(1500)),
        ("MGA", 150_020, Err(WireError::TooPrecise)),
        ("KWD", 5120, Ok(5120)),
        ("KWD", 5124, Err(WireError::NotAMultiple { step: 10 })),
        ("LYD", 5124, Ok(5124)),
        ("ISK", i64::MAX, Err(WireError::Overflow)),
    ];
    for (code, amount, wire) in cases {
        let currency = currency(code);
        assert_eq!(to_wire(Money::new(amount, currency), stripe_rule(currency)), wire, "{amount} {code}");
    }
}

#[test]
fn stripe_amounts_are_read_exactly_or_not_at_all() {
    let cases = [
        ("USD", 1999, Ok(1999)),
        ("JPY", 500, Ok(500)),
        ("ISK", 500, Ok(5)),
        ("ISK", 4010, Err(WireError::TooPrecise)),
        ("UGX", -12_300, Ok(-123)),
        ("MGA", 1500, Ok(150_000)),
        ("KWD", 5124, Ok(5124)),
        ("MGA", i64::MAX, Err(WireError::Overflow)),
    ];
    for (code, wire, amount) in cases {
        let currency = currency(code);
        assert_eq!(from_wire(wire, currency, stripe_rule(currency)), amount, "{wire} {code}");
    }
}

#[test]
fn a_senseless_rule_is_refused() {
    let money = Money::new(1, currency("USD"));
    let rule = |exponent, step| WireRule { exponent, step };
    assert_eq!(to_wire(money, rule(2, 0)), Err(WireError::NotAMultiple { step: 0 }));
    assert_eq!(to_wire(money, rule(255, 1)), Err(WireError::Overflow));
    assert_eq!(from_wire(1, currency("USD"), rule(255, 1)), Err(WireError::Overflow));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        code in prop::sample::select(vec!["USD", "JPY", "ISK", "UGX", "HUF", "TWD", "MGA", "KWD", "CLF", "XCG"]),
        amount: i64,
    ) {
        let currency = currency(code);
        // Amounts that Stripe takes are rare among all; multiples of 100 always fit the rule.
        for amount in [amount, amount / 10_000 * 100] {
            if let Ok(wire) = to_wire(Money::new(amount, currency), stripe_rule(currency)) {
                prop_assert_eq!(from_wire(wire, currency, stripe_rule(currency)), Ok(amount));
                prop_assert_eq!(wire % stripe_rule(currency).step, 0);
            }
        }
        prop_assert!(to_wire(Money::new(amount / 10_000 * 100, currency), stripe_rule(currency)).is_ok());
    }
}
