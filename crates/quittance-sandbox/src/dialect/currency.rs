//! Owns: which amounts the gateway takes in which currency. Does not own: conversion; there is
//! none.
//!
//! The rules are those of <https://docs.stripe.com/currencies>, for an account that settles in the
//! currency it charges. Of the minimums only those of USD, EUR and GBP were confirmed from a second
//! source; a wrong one among the others makes this gateway stricter or laxer, never unsound.

use crate::answer::ApiError;

const SUPPORTED: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd \
    bnd bob brl bsd bwp byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd \
    fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw \
    kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio \
    nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos \
    srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar \
    zmw";

/// In minor units; 99,999,999 is "eight digits".
const AMOUNT_MAX: i64 = 99_999_999;

/// Lower case and known, or refused.
pub(crate) fn check_currency(name: &str) -> Result<String, ApiError> {
    let currency = name.to_ascii_lowercase();
    if SUPPORTED.split(' ').any(|known| known == currency) {
        return Ok(currency);
    }
    let message = format!("Invalid currency: {name}. Stripe currently supports these currencies: {SUPPORTED}");
    Err(ApiError::bad_request(message).param("currency"))
}

/// Refuses amounts that Stripe would not charge.
pub(crate) fn check_amount(amount: i64, currency: &str) -> Result<(), ApiError> {
    if amount < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(ApiError::invalid("parameter_invalid_integer", message).param("amount"));
    }
    if amount > AMOUNT_MAX {
        let message = format!("Amount must be no more than {AMOUNT_MAX} in minor units");
        return Err(ApiError::invalid("amount_too_large", message).param("amount"));
    }
    let minimum = minimum(currency);
    if amount < minimum {
        let message = format!("Amount must be at least {minimum} {currency} in minor units");
        return Err(ApiError::invalid("amount_too_small", message).param("amount"));
    }
    let step = step(currency);
    if amount % step != 0 {
        let message = format!("Amount in {currency} must be divisible by {step}");
        return Err(ApiError::bad_request(message).param("amount"));
    }
    Ok(())
}

fn minimum(currency: &str) -> i64 {
    match currency {
        "usd" | "aud" | "brl" | "cad" | "chf" | "eur" | "inr" | "nzd" | "sgd" => 50,
        "gbp" => 30,
        "bgn" => 100,
        "aed" | "myr" | "pln" | "ron" => 200,
        "dkk" => 250,
        "nok" | "sek" => 300,
        "hkd" => 400,
        "mxn" | "thb" => 1_000,
        "czk" => 1_500,
        "huf" => 17_500,
        "jpy" => 50,
        _ => 1,
    }
}

/// Three-decimal currencies end in 0; ISK and UGX are sent with two decimals that are 00.
fn step(currency: &str) -> i64 {
    match currency {
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 10,
        "isk" | "ugx" => 100,
        _ => 1,
    }
}

/// An amount as Stripe's messages write it: `$15.00`.
pub(crate) fn display(amount: i64, currency: &str) -> String {
    let decimals = match currency {
        "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf" | "vnd" | "vuv" | "xaf"
        | "xof" | "xpf" => 0,
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 3,
        _ => 2,
    };
    let unit = 10_i64.pow(decimals);
    let (whole, rest) = (amount / unit, (amount % unit).abs());
    let number = match usize::try_from(decimals) {
        Ok(width @ 1..) => format!("{whole}.{rest:0width$}"),
        _ => whole.to_string(),
    };
    match currency {
        "usd" => format!("${number}"),
        "eur" => format!("€{number}"),
        "gbp" => format!("£{number}"),
        "jpy" => format!("¥{number}"),
        other => format!("{number} {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_amount, check_currency, display};

    #[test]
    fn amounts_are_written_with_the_decimals_of_their_currency() {
        for (amount, currency, text) in
            [(1_505, "usd", "$15.05"), (1_505, "jpy", "¥1505"), (1_505, "kwd", "1.505 kwd"), (7, "eur", "€0.07")]
        {
            assert_eq!(display(amount, currency), text);
        }
    }

    #[test]
    fn amounts_follow_the_published_rules() {
        for (amount, currency, taken) in [
            (50, "usd", true),
            (49, "usd", false),
            (50, "jpy", true),
            (1, "krw", true),
            (0, "krw", false),
            (1_230, "kwd", true),
            (1_234, "kwd", false),
            (500, "isk", true),
            (550, "isk", false),
            (99_999_999, "usd", true),
            (100_000_000, "usd", false),
        ] {
            assert_eq!(check_amount(amount, currency).is_ok(), taken, "{amount} {currency}");
        }
        assert_eq!(check_currency("USD").ok().as_deref(), Some("usd"));
        assert!(check_currency("xyz").is_err());
    }
}
