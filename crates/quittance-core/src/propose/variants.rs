//! What a column may become before it is compared: the closed set of transforms, tried on its values.

use super::sample::Sample;
use crate::pair::transform::Transform;
use crate::record::value::{Type, Value};

/// Seconds since 1970 that are taken for a moment, not for an amount: from 2001 to 2112.
const EPOCHS: std::ops::Range<i64> = 1_000_000_000..4_500_000_000;

/// A column after some transforms.
pub(super) struct Variant {
    pub(super) transforms: Vec<Transform>,
    /// The type of all its values that are something.
    pub(super) value_type: Type,
    pub(super) values: Vec<Value<'static>>,
    /// What is done to the values, counted: reading what has no type as one costs nothing.
    pub(super) cost: u64,
}

type Rows<'a> = &'a [&'a [Value<'static>]];

/// Everything a column may become. What would change no value, or fails for one of them, is not among it. A column that
/// holds nothing, or values of several types, has no variants.
pub(super) fn variants(sample: &Sample, rows: Rows<'_>, at: usize) -> Vec<Variant> {
    let Some(plain) = plain(rows, at) else { return Vec::new() };
    let mut found = Vec::new();
    match plain.value_type {
        Type::Text | Type::Untyped => texts(&plain, rows, &mut found),
        Type::Number => numbers(sample, &plain, rows, &mut found),
        Type::Boolean | Type::Timestamp | Type::Date | Type::Bytes | Type::Json => {}
    }
    if !matches!(plain.value_type, Type::Bytes | Type::Json | Type::Untyped) {
        found.insert(0, plain);
    }
    found
}

fn plain(rows: Rows<'_>, at: usize) -> Option<Variant> {
    let values: Vec<Value<'static>> = rows.iter().map(|row| row[at].clone()).collect();
    let mut types = values.iter().filter_map(Value::value_type);
    let value_type = types.next()?;
    types.all(|other| other == value_type).then_some(())?;
    Some(Variant { transforms: Vec::new(), value_type, values, cost: 0 })
}

fn texts(plain: &Variant, rows: Rows<'_>, found: &mut Vec<Variant>) {
    for wanted in [Type::Number, Type::Timestamp, Type::Boolean, Type::Date] {
        found.extend(read_as(plain, wanted));
    }
    // Text without a type is text where the other side is.
    let text = if plain.value_type == Type::Untyped { read_as(plain, Type::Text) } else { None };
    let text = text.unwrap_or_else(|| Variant { value_type: Type::Text, values: plain.values.clone(), ..empty() });
    for steps in [vec![Transform::Lower], vec![Transform::Trim], vec![Transform::Trim, Transform::Lower]] {
        found.extend(changed(&text, steps, Type::Text, rows).filter(|variant| variant.values != text.values));
    }
    if plain.value_type == Type::Untyped {
        found.push(text);
    }
}

fn numbers(sample: &Sample, plain: &Variant, rows: Rows<'_>, found: &mut Vec<Variant>) {
    found.extend(read_as(plain, Type::Text));
    let is_epoch = |value: &Value<'_>| match value {
        Value::Number(number) => number.to_integer().is_some_and(|seconds| EPOCHS.contains(&seconds)),
        _ => value.is_nothing(),
    };
    if plain.values.iter().all(is_epoch) {
        found.extend(changed(plain, vec![Transform::EpochToTimestamp], Type::Timestamp, rows));
        return;
    }
    let is_currency = |name: &str| name == "currency" || name.ends_with("/currency") || name.ends_with("_currency");
    for (currency, column) in sample.columns.iter().enumerate() {
        if is_currency(&column.name.to_ascii_lowercase()) {
            found.extend(changed(plain, vec![Transform::MinorToMajor { currency }], Type::Number, rows));
        }
    }
}

/// Every value read as another type, where all of them can be.
fn read_as(plain: &Variant, wanted: Type) -> Option<Variant> {
    let values = plain.values.iter().map(|value| value.read_as(wanted)).collect::<Option<Vec<_>>>()?;
    // What has no type is read as the other side's when it is compared, without being told to.
    let is_free = plain.value_type == Type::Untyped;
    let transforms = if is_free { Vec::new() } else { vec![Transform::ReadAs(wanted)] };
    let cost = transforms.len() as u64;
    Some(Variant { transforms, value_type: wanted, values, cost })
}

fn changed(plain: &Variant, transforms: Vec<Transform>, value_type: Type, rows: Rows<'_>) -> Option<Variant> {
    let change = |(value, row): (&Value<'static>, &&[Value<'static>])| {
        transforms.iter().try_fold(value.clone(), |value, step| step.apply(value, row)).ok()
    };
    let values = plain.values.iter().zip(rows).map(change).collect::<Option<Vec<_>>>()?;
    let cost = transforms.len() as u64;
    Some(Variant { transforms, value_type, values, cost })
}

const fn empty() -> Variant {
    Variant { transforms: Vec::new(), value_type: Type::Text, values: Vec::new(), cost: 0 }
}
