//! Splitting an amount by weights so that the parts sum to the whole.

use std::cmp::Reverse;

/// Says why an amount could not be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocateError {
    /// There is nobody to give to.
    #[error("no weights to split by")]
    NoWeights,
    /// Every weight is 0.
    #[error("weights are all zero")]
    AllZero,
    /// The weights sum to more than 64 bits hold.
    #[error("sum of weights out of range")]
    Overflow,
}

/// Splits `total` by `weights` with the method of largest remainders; the parts sum to `total` exactly.
///
/// Part `i` belongs to weight `i` and is its exact share cut toward zero, or one unit further from zero. The units left
/// over go to the largest remainders, equal ones to the lowest index. A negative total is split by its magnitude, so
/// `allocate(-t)` is `allocate(t)` negated; a weight of 0 gets 0. Units are the caller's.
///
/// ```
/// use quittance_core::allocate::allocate;
/// assert_eq!(allocate(100, &[1, 1, 1])?, [34, 33, 33]);
/// # Ok::<(), quittance_core::allocate::AllocateError>(())
/// ```
///
/// # Errors
///
/// [`AllocateError::NoWeights`] for an empty slice, [`AllocateError::AllZero`] when no weight is above 0,
/// [`AllocateError::Overflow`] when the weights sum to more than `u64::MAX`.
pub fn allocate(total: i64, weights: &[u64]) -> Result<Vec<i64>, AllocateError> {
    if weights.is_empty() {
        return Err(AllocateError::NoWeights);
    }
    let sum = weights.iter().try_fold(0_u64, |sum, &weight| sum.checked_add(weight)).ok_or(AllocateError::Overflow)?;
    if sum == 0 {
        return Err(AllocateError::AllZero);
    }
    // 2^63 times 2^64 − 1 stays below 2^127, so the products are exact; division cuts toward zero for either sign.
    let (sum, scaled) = (i128::from(sum), |weight: u64| i128::from(total) * i128::from(weight));
    let share = |weight: u64| i64::try_from(scaled(weight) / sum).expect("no share is larger than the total");
    let mut parts: Vec<i64> = weights.iter().map(|&weight| share(weight)).collect();
    let remainders: Vec<u128> = weights.iter().map(|&weight| (scaled(weight) % sum).unsigned_abs()).collect();

    let given: i128 = parts.iter().map(|&part| i128::from(part)).sum();
    let left = (i128::from(total) - given).unsigned_abs() as usize;
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // The sort is stable: equal remainders keep the order of their indexes.
    order.sort_by_key(|&index| Reverse(remainders[index]));
    for &index in &order[..left] {
        parts[index] += total.signum();
    }
    Ok(parts)
}
