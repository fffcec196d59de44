//! Amounts of money: whole minor units beside their currency, added and negated without ever wrapping.
//!
//! Rounding lives in [`crate::rounding`], splitting in [`crate::allocate`], a gateway's own way of writing amounts in
//! [`crate::currency`].

use crate::currency::Currency;
use std::fmt;

/// The largest magnitude of an amount the API takes or gives, in minor units: 2^53 − 1.
///
/// RFC 7493 (I-JSON), section 2.2: larger integers do not survive every JSON reader. Sums at rest may exceed it.
pub const AMOUNT_MAX: i64 = (1 << 53) - 1;

/// Says that an amount of a currency is meant; any pair of the two is valid.
///
/// Shown as a decimal with its currency code:
///
/// ```
/// use quittance_core::{currency::Currency, money::Money};
/// let price = Money::new(1999, Currency::from_code("USD")?);
/// assert_eq!(price.to_string(), "19.99 USD");
/// # Ok::<(), quittance_core::currency::CurrencyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Whole minor units (`1999` is 19.99 USD, and 1999 JPY); negative amounts are allowed.
    pub amount: i64,
    /// The currency whose minor units these are.
    pub currency: Currency,
}

/// Says why two amounts could not be combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The amounts are of two currencies.
    #[error("currencies differ: {left} and {right}")]
    CurrencyMismatch {
        /// Currency of the first amount.
        left: Currency,
        /// Currency of the second amount.
        right: Currency,
    },
    /// The result does not fit 64 bits.
    #[error("amount out of range")]
    Overflow,
}

impl Money {
    /// Puts an amount in minor units beside its currency.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Adds an amount of the same currency.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`] for another currency, [`MoneyError::Overflow`] when the sum does not fit.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// Subtracts an amount of the same currency.
    ///
    /// # Errors
    ///
    /// [`MoneyError::CurrencyMismatch`] for another currency, [`MoneyError::Overflow`] when the difference does not fit.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// Changes the sign.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Overflow`] for `i64::MIN` alone.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_neg().ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// Applies a checked operation once the currencies are known to agree.
    fn combine(self, other: Self, operation: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let amount = operation(self.amount, other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", decimal(i128::from(self.amount), self.currency), self.currency)
    }
}

/// Minor units of a currency as a decimal of its major unit: `-1999` of USD is `-19.99`, of JPY `-1999`.
#[must_use]
pub fn decimal(amount: i128, currency: Currency) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let exponent = usize::from(currency.exponent());
    // At least one digit stands before the point: 5 cents are `005` before they are `0.05`.
    let digits = format!("{:0>width$}", amount.unsigned_abs(), width = exponent + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}
