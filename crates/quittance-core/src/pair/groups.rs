//! Counts by group: how many records each side has of one creation date, type or status.

use super::Which;
use crate::record::key::{decode_value, encode_value};
use crate::record::value::Value;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Most groups that are told apart; what comes later is counted together.
pub const GROUPS_MAX: usize = 10_000;

/// What of a value makes a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Unit {
    /// All of it.
    #[default]
    Value,
    /// The day of a moment, in UTC.
    Day,
    /// The month of a moment, in UTC.
    Month,
}

impl Unit {
    /// The part of a value that makes a group. What is no moment is its own day.
    #[must_use]
    pub fn of<'a>(self, value: &Value<'a>) -> Value<'a> {
        match (self, value) {
            (Self::Value, _) => value.clone(),
            (_, Value::Timestamp(at)) => self.day(*at).map_or(Value::Null, |day| Value::Text(day.into())),
            (Self::Day, Value::Date(day)) => Value::Text(day.clone()),
            (Self::Month, Value::Date(day)) => Value::Text(day.get(..7).unwrap_or_default().to_owned().into()),
            _ => value.clone(),
        }
    }

    fn day(self, at: Timestamp) -> Option<String> {
        let day = jiff::Timestamp::from_microsecond(at.0).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
        Some(if self == Self::Month { day.get(..7)?.to_owned() } else { day })
    }
}

/// One group, counted on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What its records have in common; none for what came after [`GROUPS_MAX`] groups.
    pub values: Option<Vec<Value<'static>>>,
    /// Records of the left.
    pub left: u64,
    /// Records of the right.
    pub right: u64,
}

/// Counts of both sides.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    counts: BTreeMap<Vec<u8>, [u64; 2]>,
    others: [u64; 2],
}

impl Groups {
    /// Counts so many records of a group, as [`encode_groups`] wrote it.
    pub fn count(&mut self, which: Which, group: &[u8], records: u64) {
        let side = which as usize;
        if let Some(counts) = self.counts.get_mut(group) {
            counts[side] += records;
        } else if self.counts.len() < GROUPS_MAX {
            self.counts.entry(group.to_owned()).or_default()[side] += records;
        } else {
            self.others[side] += records;
        }
    }

    /// Counts records whose group is not known.
    pub const fn count_others(&mut self, which: Which, records: u64) {
        self.others[which as usize] += records;
    }

    /// Every group, in the order of its values.
    #[must_use]
    pub fn list(&self) -> Vec<Group> {
        let mut groups: Vec<_> =
            self.counts.iter().map(|(group, counts)| listed(Some(decode(group)), *counts)).collect();
        if self.others != [0, 0] {
            groups.push(listed(None, self.others));
        }
        groups
    }
}

fn listed(values: Option<Vec<Value<'static>>>, [left, right]: [u64; 2]) -> Group {
    Group { values, left, right }
}

fn decode(mut group: &[u8]) -> Vec<Value<'static>> {
    std::iter::from_fn(|| (!group.is_empty()).then(|| decode_value(&mut group).into_owned())).collect()
}

/// Writes the values of a group.
pub fn encode_groups<'a>(values: impl Iterator<Item = Value<'a>>, out: &mut Vec<u8>) {
    values.for_each(|value| encode_value(&value, out));
}

/// How far the left is from the right, in hundredths of a percent of the right, rounded toward zero. None when the right
/// has nothing and the left has something.
///
/// ```
/// use quittance_core::pair::groups::variance_basis_points;
/// assert_eq!(variance_basis_points(995, 1000), Some(-50));
/// assert_eq!(variance_basis_points(0, 0), Some(0));
/// assert_eq!(variance_basis_points(1, 0), None);
/// ```
#[must_use]
pub const fn variance_basis_points(left: u64, right: u64) -> Option<i64> {
    if right == 0 {
        return if left == 0 { Some(0) } else { None };
    }
    let points = (left as i128 - right as i128) * 10_000 / right as i128;
    Some(if points > i64::MAX as i128 { i64::MAX } else { points as i64 })
}
