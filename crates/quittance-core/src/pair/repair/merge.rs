//! Merging: what both sides last agreed on tells which of them changed since.
//!
//! Pure, and the same whichever side is called the left. Values are what fields are compared as. Does not own where what was
//! agreed on is kept, nor who may be written.

use crate::pair::Pair;
use crate::pair::row::{FieldValue, Record, decode_fields};
use crate::record::json;
use crate::record::number::Number;
use crate::record::value::{Comparison, Value};
use std::collections::BTreeSet;

/// What becomes of a field that both sides changed differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MergeAs {
    /// A person decides.
    #[default]
    Value,
    /// It is a set, as a JSON array or as text with commas: what either side added is in it, what either removed is not.
    Set,
    /// It is a number to which both added: both additions count.
    Counter,
}

/// What a merge comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// Only the left changed: it is believed.
    Left,
    /// Only the right changed: it is believed.
    Right,
    /// Both changed: this is what both are to say.
    Both(Value<'static>),
    /// Both changed, and nobody can say what is meant.
    Conflict,
}

/// Merges two values that differ, by what both sides last agreed on.
///
/// ```
/// use quittance_core::pair::repair::{MergeAs, Merged, merge};
/// use quittance_core::record::value::Value;
/// let (base, left, right) = (Value::integer(10), Value::integer(12), Value::integer(9));
/// assert_eq!(merge(MergeAs::Counter, &base, &left, &right), Merged::Both(Value::integer(11)));
/// assert_eq!(merge(MergeAs::Value, &base, &left, &base), Merged::Left);
/// assert_eq!(merge(MergeAs::Value, &base, &left, &right), Merged::Conflict);
/// ```
#[must_use]
pub fn merge(how: MergeAs, base: &Value<'_>, left: &Value<'_>, right: &Value<'_>) -> Merged {
    let is_kept = |value: &Value<'_>| value.compare(base) == Comparison::Equal;
    match (is_kept(left), is_kept(right)) {
        (false, true) => return Merged::Left,
        (true, false) => return Merged::Right,
        // What does not differ is not merged.
        (true, true) => return Merged::Conflict,
        (false, false) => {}
    }
    let merged = match how {
        MergeAs::Value => None,
        MergeAs::Set => set(base, left, right),
        MergeAs::Counter => counter(base, left, right),
    };
    merged.map_or(Merged::Conflict, Merged::Both)
}

/// What two records agree on, for each of these fields; none where they do not.
#[must_use]
pub fn agreed(pair: &Pair, fields: &[usize], left: Record<'_>, right: Record<'_>) -> Vec<Option<Value<'static>>> {
    debug_assert!(fields.iter().all(|field| *field < pair.fields.len()), "fields of the pair");
    let (left, right) = (decode_fields(left), decode_fields(right));
    fields.iter().map(|field| common(&left[*field], &right[*field])).collect()
}

/// What two values say alike, as the one of them says it that knows its type.
fn common(left: &FieldValue<'_>, right: &FieldValue<'_>) -> Option<Value<'static>> {
    let (left, right) = (left.compared.as_ref()?, right.compared.as_ref()?);
    if left.compare(right) != Comparison::Equal {
        return None;
    }
    Some(if matches!(left, Value::Untyped(_)) { right } else { left }.clone().into_owned())
}

/// Decimals of so many digits are added exactly.
const DIGITS_MAX: usize = 36;

fn counter(base: &Value<'_>, left: &Value<'_>, right: &Value<'_>) -> Option<Value<'static>> {
    let numbers = [left, right, base].map(|value| match value {
        Value::Number(number) => Some(number.as_str().to_owned()),
        Value::Untyped(text) => Number::parse(text).map(|number| number.as_str().to_owned()),
        _ => None,
    });
    let [Some(left), Some(right), Some(base)] = numbers else { return None };
    let fraction = |text: &str| text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let scale = [&left, &right, &base].into_iter().map(|text| fraction(text)).max()?;
    let scaled = |text: &str| -> Option<i128> {
        let digits = format!("{}{}", text.replace('.', ""), "0".repeat(scale - fraction(text)));
        (digits.len() <= DIGITS_MAX).then(|| digits.parse().ok())?
    };
    let sum = scaled(&left)? + scaled(&right)? - scaled(&base)?;
    let text = format!("{sum}e-{scale}");
    Some(Value::Number(Number::parse(&text)?.into_owned()))
}

/// What is in it: everything that was agreed on and nobody removed, and everything that somebody added; in the order of bytes.
fn set(base: &Value<'_>, left: &Value<'_>, right: &Value<'_>) -> Option<Value<'static>> {
    let is_json = [base, left, right].iter().any(|value| matches!(value, Value::Json(_)));
    let elements = |value| elements(value, is_json);
    let (base, left, right) = (elements(base)?, elements(left)?, elements(right)?);
    let is_in = |element: &&str| match base.contains(*element) {
        true => left.contains(*element) && right.contains(*element),
        false => true,
    };
    let all: BTreeSet<&str> = base.iter().chain(&left).chain(&right).copied().collect();
    let joined = all.into_iter().filter(is_in).collect::<Vec<_>>().join(",");
    Some(if is_json { Value::Json(format!("[{joined}]").into()) } else { Value::Text(joined.into()) })
}

fn elements<'v>(value: &'v Value<'_>, is_json: bool) -> Option<BTreeSet<&'v str>> {
    match value {
        Value::Null => Some(BTreeSet::new()),
        Value::Json(text) if is_json => Some(json::elements(text)?.into_iter().collect()),
        Value::Text(text) | Value::Untyped(text) if !is_json => {
            Some(text.split(',').map(str::trim).filter(|element| !element.is_empty()).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
