//! Rounding: exact integer division under a named rule. Which rule applies is always the caller's to say.

/// Says which integer stands for a quotient that lies between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; halves away from zero (`2.5` → 3, `-2.5` → −3). Common in tax rules.
    HalfAwayFromZero,
    /// To the nearest; halves to the even neighbour (`2.5` → 2, `3.5` → 4). For exchange and interest.
    HalfEven,
    /// To the nearest; halves toward zero (`2.5` → 2, `-2.5` → −2).
    HalfDown,
    /// Toward zero.
    Down,
}

/// Says why a division has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DivideError {
    /// The denominator is 0.
    #[error("division by zero")]
    ZeroDenominator,
    /// The rounded quotient does not fit 64 bits.
    #[error("quotient out of range")]
    Overflow,
}

/// Divides and rounds once; only the last step loses anything, and the rule says what.
///
/// A decimal is rounded by dividing its digits by a power of ten:
///
/// ```
/// use quittance_core::rounding::{Rounding, divide};
/// // 19.995 to cents
/// assert_eq!(divide(19_995, 10, Rounding::HalfAwayFromZero)?, 2_000);
/// assert_eq!(divide(19_995, 10, Rounding::Down)?, 1_999);
/// # Ok::<(), quittance_core::rounding::DivideError>(())
/// ```
///
/// # Errors
///
/// [`DivideError::ZeroDenominator`] for a denominator of 0, [`DivideError::Overflow`] when the result does not fit.
pub fn divide(numerator: i128, denominator: i128, rounding: Rounding) -> Result<i64, DivideError> {
    if denominator == 0 {
        return Err(DivideError::ZeroDenominator);
    }
    let divisor = denominator.unsigned_abs();
    let quotient = numerator.unsigned_abs() / divisor;
    let remainder = numerator.unsigned_abs() % divisor;
    // Half of the divisor is compared from both sides, so that nothing is doubled and overflows.
    let is_above_half = remainder > divisor - remainder;
    let is_half = remainder == divisor - remainder;
    let rounds_up = match rounding {
        Rounding::HalfAwayFromZero => is_above_half || is_half,
        Rounding::HalfEven => is_above_half || is_half && quotient % 2 == 1,
        Rounding::HalfDown => is_above_half,
        Rounding::Down => false,
    };
    // A quotient is at most 2^127, so adding one cannot wrap.
    let magnitude = quotient + u128::from(rounds_up);
    let sign = if (numerator < 0) == (denominator < 0) { 1 } else { -1 };
    let signed = i128::try_from(magnitude).map_err(|_| DivideError::Overflow)? * sign;
    i64::try_from(signed).map_err(|_| DivideError::Overflow)
}
