//! Rows of both samples that are of the same thing, under the rules that were found.

use super::keyed::key;
use super::keys::Rule;
use super::sample::Sample;
use super::share::Share;
use crate::record::value::Value;
use std::collections::BTreeMap;

/// Most matched rows that are looked at; they are taken from all over the sample.
const ROWS_MAX: usize = 2_000;

/// Matched rows, the left's beside the right's.
pub(super) struct Matched<'s> {
    pub(super) left: &'s Sample,
    pub(super) right: &'s Sample,
    /// Their rows, each with a value for every column.
    pub(super) rows: Vec<(&'s [Value<'static>], &'s [Value<'static>])>,
    /// Rows of the left that were matched, of those that have a key.
    pub(super) share: Share,
}

impl<'s> Matched<'s> {
    /// Matches every row of the left by the first rule it has a key for. A key of several rows matches nobody.
    pub(super) fn by(rules: &[Rule], left: &'s Sample, right: &'s Sample) -> Self {
        let ends: Vec<(End<'_>, End<'_>)> = rules.iter().map(|rule| ends(rule, left, right)).collect();
        let owners: Vec<_> = ends.iter().map(|(one, other)| (owners(left, *one), owners(right, *other))).collect();
        let (mut rows, mut keyed) = (Vec::new(), 0);
        for row in &left.rows {
            let found = ends.iter().zip(&owners).find_map(|((end, _), owners)| {
                let (bytes, _) = key(row, end.at, end.steps)?;
                let only = |owners: &BTreeMap<Vec<u8>, Option<usize>>| owners.get(&bytes).copied().flatten();
                Some(only(&owners.0).and(only(&owners.1)))
            });
            keyed += u64::from(found.is_some());
            if let Some(other) = found.flatten() {
                rows.push((row.as_slice(), right.rows[other].as_slice()));
            }
        }
        let share = Share::of(rows.len() as u64, keyed);
        let stride = rows.len().div_ceil(ROWS_MAX).max(1);
        Self { left, right, rows: rows.into_iter().step_by(stride).collect(), share }
    }
}

/// One end of a rule.
#[derive(Clone, Copy)]
struct End<'r> {
    at: usize,
    steps: &'r [crate::pair::transform::Transform],
}

fn ends<'r>(rule: &'r Rule, left: &Sample, right: &Sample) -> (End<'r>, End<'r>) {
    let end = |sample: &Sample, column: &'r crate::pair::Column| End {
        at: sample.find(&column.name).expect("a rule is of columns of its samples"),
        steps: &column.transforms,
    };
    (end(left, &rule.left), end(right, &rule.right))
}

/// Which row has a key; none where several have it.
fn owners(sample: &Sample, end: End<'_>) -> BTreeMap<Vec<u8>, Option<usize>> {
    let mut owners = BTreeMap::new();
    for (at, row) in sample.rows.iter().enumerate() {
        if let Some((key, _)) = key(row, end.at, end.steps) {
            owners.entry(key).and_modify(|owner| *owner = None).or_insert(Some(at));
        }
    }
    owners
}
