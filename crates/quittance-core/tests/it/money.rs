//! Money: how it is shown, added and refused.

use quittance_core::currency::Currency;
use quittance_core::money::{AMOUNT_MAX, Money, MoneyError};

fn money(amount: i64, code: &str) -> Money {
    Money::new(amount, Currency::from_code(code).expect("a currency"))
}

#[test]
fn money_is_shown_with_the_decimals_of_its_currency() {
    let cases = [
        (1999, "USD", "19.99 USD"),
        (-1999, "USD", "-19.99 USD"),
        (5, "EUR", "0.05 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (0, "EUR", "0.00 EUR"),
        (100, "EUR", "1.00 EUR"),
        (0, "JPY", "0 JPY"),
        (-500, "JPY", "-500 JPY"),
        (5, "KWD", "0.005 KWD"),
        (12_345, "CLF", "1.2345 CLF"),
        (AMOUNT_MAX, "USD", "90071992547409.91 USD"),
        (i64::MIN, "USD", "-92233720368547758.08 USD"),
    ];
    for (amount, code, text) in cases {
        assert_eq!(money(amount, code).to_string(), text);
    }
}

#[test]
fn sums_are_exact_or_refused() {
    assert_eq!(money(1, "USD").checked_add(money(2, "USD")), Ok(money(3, "USD")));
    assert_eq!(money(1, "USD").checked_sub(money(2, "USD")), Ok(money(-1, "USD")));
    assert_eq!(money(1, "USD").checked_neg(), Ok(money(-1, "USD")));
    assert_eq!(money(AMOUNT_MAX, "USD").checked_add(money(1, "USD")), Ok(money(AMOUNT_MAX + 1, "USD")));

    assert_eq!(money(i64::MAX, "USD").checked_add(money(1, "USD")), Err(MoneyError::Overflow));
    assert_eq!(money(i64::MIN, "USD").checked_sub(money(1, "USD")), Err(MoneyError::Overflow));
    assert_eq!(money(0, "USD").checked_sub(money(i64::MIN, "USD")), Err(MoneyError::Overflow));
    assert_eq!(money(i64::MIN, "USD").checked_neg(), Err(MoneyError::Overflow));

    let (left, right) = (money(0, "USD"), money(0, "EUR"));
    let mismatch = MoneyError::CurrencyMismatch { left: left.currency, right: right.currency };
    assert_eq!(left.checked_add(right), Err(mismatch));
    assert_eq!(left.checked_sub(right), Err(mismatch));
    assert_eq!(mismatch.to_string(), "currencies differ: USD and EUR");
}
