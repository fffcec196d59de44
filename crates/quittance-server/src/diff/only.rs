//! One key alone: what somebody typed as the value that records are matched by.

use super::again;
use super::collect::Source;
use super::error::DiffError;
use super::look::{Limits, Look, compare};
use super::plan::declared;
use crate::config::Pair as PairConfig;
use crate::systems::Description;
use quittance_core::pair::digest::Hasher;
use quittance_core::pair::transform::Transform;
use quittance_core::pair::{Column, Pair};
use quittance_core::record::value::{Type, Value};

/// What a database calls a number and is none.
const NOT_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The records of one key, under the first rule.
pub(super) fn look(
    pair: &Pair,
    left: &mut Source<'_>,
    right: &mut Source<'_>,
    key: &str,
    known: (&Description, &Description),
    hasher: &Hasher,
    config: &PairConfig,
) -> Result<Look, DiffError> {
    let of_pair = |what, remedy: &str| DiffError::Pair { pair: pair.name.clone(), what, remedy: remedy.to_owned() };
    let columns = pair.left.rules[0].len();
    let parts: Vec<&str> = if columns == 1 { vec![key] } else { key.splitn(columns, ',').collect() };
    if parts.len() != columns {
        let what = format!("`{key}` is not a key of {columns} columns");
        return Err(of_pair(what, "write the values of the first rule's columns with commas between them"));
    }
    let (mut values, mut undeclared) = (Vec::new(), Vec::new());
    for (part, (one, other)) in parts.iter().zip(pair.left.rules[0].iter().zip(&pair.right.rules[0])) {
        let (one, other) = (&pair.left.columns[*one], &pair.right.columns[*other]);
        let (column, wanted) = match (declared(one, known.0), declared(other, known.1)) {
            (Some(wanted), _) => (one, wanted),
            (None, Some(wanted)) => (other, wanted),
            (None, None) => {
                undeclared.push(values.len());
                (one, Type::Text)
            }
        };
        let untyped = || NOT_NUMBERS.contains(part).then(|| Value::Untyped((*part).to_owned().into()));
        let value = typed(part, column, wanted).or_else(untyped).ok_or_else(|| {
            let what = format!("`{part}` is no {wanted}");
            of_pair(what, &format!("`{}` is compared as {wanted}", column.name))
        })?;
        values.push(value);
    }
    for values in readings(&values, &undeclared) {
        let again = again::read_key(pair, left, right, &values)?;
        let look = compare(pair, again.left, again.right, hasher, (Limits::Most(config.differences_max), None))?;
        if look.tally.left.count > 0 || look.tally.right.count > 0 {
            return Ok(look);
        }
    }
    Err(of_pair(
        format!("no record has the key `{key}` under the first rule"),
        "write it as a run shows it; several columns have commas between them",
    ))
}

/// What the key may be where no side says what a value is: a document has a text or a number under one name. Texts come
/// first.
pub(crate) fn readings(values: &[Value<'static>], undeclared: &[usize]) -> Vec<Vec<Value<'static>>> {
    let mut readings = vec![values.to_vec()];
    for at in undeclared {
        let Some(number) = values[*at].read_as(Type::Number) else { continue };
        for before in 0..readings.len() {
            let mut reading = readings[before].clone();
            reading[*at] = number.clone();
            readings.push(reading);
        }
    }
    readings
}

/// What was typed as the value that a column has after its transforms. It may be written as it is before them: in upper
/// case, or with a time as seconds.
pub(crate) fn typed(text: &str, column: &Column, wanted: Type) -> Option<Value<'static>> {
    let text = Value::Text(text.to_owned().into());
    let mut value = text.read_as(wanted);
    for transform in &column.transforms {
        value = match (transform, value) {
            (Transform::EpochToTimestamp, None) => transform.apply(text.clone(), &[]).ok(),
            (Transform::Lower | Transform::Trim, Some(value @ Value::Text(_))) => transform.apply(value, &[]).ok(),
            (_, value) => value,
        };
    }
    value
}
