//! How often two columns say the same, and how often they would by chance.

use super::share::Share;
use super::variants::Variant;
use crate::record::value::Value;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A variant with a number for each value: equal numbers are equal values.
pub(super) struct Coded {
    pub(super) variant: Variant,
    codes: Vec<u64>,
    counts: BTreeMap<u64, u64>,
}

pub(super) fn coded(variant: Variant) -> Coded {
    let codes: Vec<u64> = variant.values.iter().map(code).collect();
    let mut counts = BTreeMap::new();
    codes.iter().for_each(|code| *counts.entry(*code).or_default() += 1);
    Coded { variant, codes, counts }
}

/// A number that stands for a value. Should two values ever have the same, no majority would notice.
fn code(value: &Value<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// How two columns agree.
#[derive(Clone, Copy)]
pub(super) struct Agreement {
    pub(super) agreeing: Share,
    /// Agreeing in something that is not nothing.
    pub(super) held: u64,
    /// Beyond chance (Cohen's kappa), in basis points; none where chance alone would agree always.
    pub(super) kappa: Option<u64>,
}

/// Counts how two columns agree.
pub(super) fn agreement(left: &Coded, right: &Coded) -> Agreement {
    let pairs = left.codes.iter().zip(&right.codes).zip(&left.variant.values);
    let (mut part, mut held) = (0, 0);
    for ((one, other), value) in pairs {
        part += u64::from(one == other);
        held += u64::from(one == other && !value.is_nothing());
    }
    let rows = left.codes.len() as u64;
    let by_chance =
        |(code, count): (&u64, &u64)| u128::from(*count) * u128::from(right.counts.get(code).copied().unwrap_or(0));
    let chance: u128 = left.counts.iter().map(by_chance).sum();
    let most = u128::from(rows) * u128::from(rows);
    let beyond = (u128::from(part) * u128::from(rows)).saturating_sub(chance);
    let kappa = (chance < most).then(|| (beyond * 10_000 / (most - chance)) as u64);
    Agreement { agreeing: Share::of(part, rows), held, kappa }
}
