//! Columns that tell times: when a record was last modified, and what records are counted by.

use super::Confidence;
use super::matched::Matched;
use super::names::{likeness, says};
use super::sample::Sample;
use super::share::Share;
use super::variants::{Variant, variants};
use crate::pair::Column;
use crate::pair::groups::Unit;
use crate::record::value::{Type, Value};

/// Matched rows that have to be of the same day on both sides, in basis points: counts that differ for other reasons
/// than drift are of no use.
const SAME_DAY_MIN: u64 = 9_500;

/// A column that tells when a record was last modified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modified {
    /// The column, and what makes a moment of it.
    pub column: Column,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub evidence: String,
}

/// What records are counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// On the left.
    pub left: Column,
    /// On the right.
    pub right: Column,
    /// Which part of it.
    pub unit: Unit,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub evidence: String,
}

/// The column that is called so and holds moments; the first where several are.
pub(super) fn modified(sample: &Sample) -> Option<Modified> {
    let rows: Vec<&[Value<'static>]> = sample.rows.iter().map(Vec::as_slice).collect();
    let mut found = moments(sample, &rows, &["updated"]);
    found.sort_by_key(|(at, _)| std::cmp::Reverse(likeness(&sample.columns[*at].name, "updated_at", "")));
    let count = found.len();
    let (at, variant) = found.into_iter().next()?;
    let held = variant.values.iter().filter(|value| !value.is_nothing()).count() as u64;
    let held = Share::of(held, rows.len() as u64);
    Some(Modified {
        column: Column { transforms: variant.transforms, ..sample.column(at) },
        confidence: if count == 1 { Confidence::Likely } else { Confidence::Unsure },
        evidence: format!("by its name; {held} rows have a time there"),
    })
}

/// Times of creation that are of the same day on both sides.
pub(super) fn counts(matched: &Matched<'_>) -> Vec<Counted> {
    let lefts: Vec<&[Value<'static>]> = matched.rows.iter().map(|(left, _)| *left).collect();
    let rights: Vec<&[Value<'static>]> = matched.rows.iter().map(|(_, right)| *right).collect();
    let mut best: Option<(u64, Counted)> = None;
    for (left_at, left) in moments(matched.left, &lefts, &["created"]) {
        for (right_at, right) in moments(matched.right, &rights, &["created"]) {
            let is_same =
                |(one, other): &(&Value<'_>, &Value<'_>)| !one.is_nothing() && Unit::Day.of(one) == Unit::Day.of(other);
            let same = left.values.iter().zip(&right.values).filter(is_same).count() as u64;
            let same = Share::of(same, lefts.len() as u64);
            let points = same.basis_points();
            if points < SAME_DAY_MIN || best.as_ref().is_some_and(|(known, _)| *known >= points) {
                continue;
            }
            let column = |sample: &Sample, at, variant: &Variant| Column {
                transforms: variant.transforms.clone(),
                ..sample.column(at)
            };
            let counted = Counted {
                left: column(matched.left, left_at, &left),
                right: column(matched.right, right_at, &right),
                unit: Unit::Day,
                confidence: Confidence::Likely,
                evidence: format!("{same} matched rows are of the same day"),
            };
            best = Some((points, counted));
        }
    }
    best.into_iter().map(|(_, counted)| counted).collect()
}

/// Columns whose names say one of these words and that hold moments, with what makes moments of them.
fn moments(sample: &Sample, rows: &[&[Value<'static>]], words: &[&str]) -> Vec<(usize, Variant)> {
    let named = (0..sample.columns.len()).filter(|at| says(&sample.columns[*at].name, words));
    let moment = |at| {
        let forms = variants(sample, rows, at).into_iter();
        forms.min_by_key(|variant| (variant.value_type != Type::Timestamp, variant.cost)).map(|variant| (at, variant))
    };
    named.filter_map(moment).filter(|(_, variant)| variant.value_type == Type::Timestamp).collect()
}
