//! Currencies of ISO 4217, and how a gateway wants their amounts written.
//!
//! The table is the `iso_currency` crate's; a test compares it with the published list. A gateway's exponent is a
//! property of the pair (currency, gateway), so it stands here as a [`WireRule`] and not in the currency.

use crate::money::Money;
use std::cmp::Ordering;
use std::fmt;

/// Names a currency that has minor units, so that an integer amount of it means something.
///
/// Currencies withdrawn since 2021 that the table still knows (`HRK`, `BGN`) are valid: old books are read with them.
/// Ordered by code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

/// Says why a text is no usable currency code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CurrencyError {
    /// No currency has exactly this code; codes are three upper-case letters.
    #[error("not an ISO 4217 currency code")]
    Unknown,
    /// The code is known and has no minor units: metals (`XAU`), units of account (`XDR`), `XTS`, `XXX`.
    #[error("currency code has no minor unit")]
    NoMinorUnit,
}

impl Currency {
    /// Finds a currency by its alphabetic code, three upper-case letters.
    ///
    /// # Errors
    ///
    /// [`CurrencyError::Unknown`] for any other text, lower case included; [`CurrencyError::NoMinorUnit`] for codes
    /// that no integer amount can be counted in.
    pub fn from_code(code: &str) -> Result<Self, CurrencyError> {
        let currency = iso_currency::Currency::from_code(code).ok_or(CurrencyError::Unknown)?;
        currency.exponent().ok_or(CurrencyError::NoMinorUnit)?;
        Ok(Self(currency))
    }

    /// Returns the alphabetic code, three upper-case letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Returns the number of decimal digits of the minor unit according to ISO 4217, 0 to 4: 2 for `USD`, 0 for `JPY`.
    #[must_use]
    pub fn exponent(self) -> u8 {
        let exponent = self.0.exponent().and_then(|exponent| u8::try_from(exponent).ok());
        exponent.expect("from_code admits no currency without an exponent, and the largest is 4")
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> Ordering {
        // The crate's own order is that of its table, which is not quite alphabetical.
        self.code().cmp(other.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Says how a gateway writes the amounts of one currency as integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireRule {
    /// Decimal digits of the gateway's unit; may differ from [`Currency::exponent`].
    pub exponent: u8,
    /// What an amount that is sent has to be a multiple of, in the gateway's units; at least 1.
    pub step: i64,
}

/// Says why an amount cannot be written or read exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The amount has more decimal digits than the other side can hold.
    #[error("amount has more decimals than the other side can hold")]
    TooPrecise,
    /// The gateway takes only multiples of `step`, in its units.
    #[error("amount is not a multiple of {step} in the gateway's units")]
    NotAMultiple {
        /// The rule's step.
        step: i64,
    },
    /// The result does not fit 64 bits.
    #[error("amount out of range")]
    Overflow,
}

/// Tells how Stripe writes charges, refunds and disputes of a currency; payouts follow other rules.
///
/// Stripe docs, "Supported currencies" (docs.stripe.com/currencies), sections "Zero-decimal currencies", "Three-decimal
/// currencies" and "Special cases". A currency named there nowhere is written with its ISO exponent; whether an account
/// may charge it at all is for Stripe to say.
#[must_use]
pub fn stripe_rule(currency: Currency) -> WireRule {
    let (exponent, step) = match currency.code() {
        // "Zero-decimal currencies". `MGA` has two decimals in ISO 4217 (1 ariary = 5 iraimbilanja) and none here.
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND" | "VUV" | "XAF"
        | "XOF" | "XPF" => (0, 1),
        // "Special cases": no decimals in ISO 4217, two on the wire, which have to be 00.
        "ISK" | "UGX" => (2, 100),
        // "Special cases": charged with two decimals; only payouts have to be whole.
        "HUF" | "TWD" => (2, 1),
        // "Three-decimal currencies": the last digit has to be 0.
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => (3, 10),
        _ => (currency.exponent(), 1),
    };
    WireRule { exponent, step }
}

/// Writes an amount the way a gateway wants it, in the gateway's units; exact, never rounded.
///
/// # Errors
///
/// [`WireError::TooPrecise`] when the gateway's unit is coarser than the amount, [`WireError::NotAMultiple`] when the
/// rule's step does not divide the result, [`WireError::Overflow`] when the result does not fit.
pub fn to_wire(money: Money, rule: WireRule) -> Result<i64, WireError> {
    let wire = rescale(money.amount, money.currency.exponent(), rule.exponent)?;
    if wire.checked_rem(rule.step) != Some(0) {
        return Err(WireError::NotAMultiple { step: rule.step });
    }
    Ok(wire)
}

/// Reads a gateway's integer as an amount in minor units of `currency`; exact, never rounded.
///
/// The rule's step is not asked for: it binds what is sent, while fees and conversions may come back finer.
///
/// # Errors
///
/// [`WireError::TooPrecise`] when the amount has a fraction of our minor unit, [`WireError::Overflow`] when the result
/// does not fit.
pub fn from_wire(wire: i64, currency: Currency, rule: WireRule) -> Result<i64, WireError> {
    rescale(wire, rule.exponent, currency.exponent())
}

/// Changes the number of decimals of an integer amount, exactly.
fn rescale(amount: i64, from: u8, to: u8) -> Result<i64, WireError> {
    let factor = 10_i64.checked_pow(u32::from(from.abs_diff(to))).ok_or(WireError::Overflow)?;
    if to >= from {
        amount.checked_mul(factor).ok_or(WireError::Overflow)
    } else if amount % factor == 0 {
        Ok(amount / factor)
    } else {
        Err(WireError::TooPrecise)
    }
}
