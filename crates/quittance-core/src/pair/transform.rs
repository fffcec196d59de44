//! What may be done to a value before it is compared: a small, closed set. Each is total over the types it is made for,
//! and leaves nothing as it is.

use crate::currency::Currency;
use crate::record::json::elements;
use crate::record::value::{Type, Value};
use crate::time::Timestamp;

/// One step from a system's value to the one that is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transform {
    /// Text in lower case.
    Lower,
    /// Text without white space around it.
    Trim,
    /// An amount in minor units as one in major units: 1999 is 19.99 in USD and 1999 in JPY.
    MinorToMajor {
        /// Index of the column of the same row that holds the currency's code.
        currency: usize,
    },
    /// Seconds since 1970 as a moment.
    EpochToTimestamp,
    /// Read as another type: text as a number, a number as text.
    ReadAs(Type),
    /// Read as another type where it can be, and left as it is where it cannot: a key that nobody declared takes the type
    /// of those it is matched with, and one that cannot be read so matches none of them.
    TryReadAs(Type),
    /// The number of elements of a JSON array that a pointer found.
    Count,
}

/// A value that a transform is not made for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} cannot be {wanted}")]
pub struct TransformError {
    /// The value.
    pub value: Value<'static>,
    /// What it should have become.
    pub wanted: &'static str,
}

impl Transform {
    /// Applies it. `row` is the whole row before any transform.
    ///
    /// # Errors
    ///
    /// [`TransformError`] when the value is of a type that this is not made for, or cannot be read.
    pub fn apply<'a>(&self, value: Value<'a>, row: &[Value<'_>]) -> Result<Value<'a>, TransformError> {
        if value.is_nothing() {
            return Ok(value);
        }
        let fails = |wanted| TransformError { value: value.clone().into_owned(), wanted };
        match self {
            Self::Lower => on_text(&value, str::to_lowercase).ok_or_else(|| fails("put in lower case")),
            Self::Trim => on_text(&value, |text| text.trim().to_owned()).ok_or_else(|| fails("trimmed")),
            Self::MinorToMajor { currency } => {
                major(&value, row.get(*currency)).ok_or_else(|| fails("an amount in minor units beside its currency"))
            }
            Self::EpochToTimestamp => epoch(&value).ok_or_else(|| fails("seconds since 1970")),
            Self::ReadAs(wanted) => value.read_as(*wanted).ok_or_else(|| fails(wanted_as(*wanted))),
            Self::TryReadAs(wanted) => Ok(value.read_as(*wanted).unwrap_or(value)),
            Self::Count => count(&value).ok_or_else(|| fails("counted")),
        }
    }
}

const fn wanted_as(wanted: Type) -> &'static str {
    match wanted {
        Type::Boolean => "read as a boolean",
        Type::Number => "read as a number",
        Type::Text | Type::Untyped => "read as text",
        Type::Timestamp => "read as a timestamp",
        Type::Date => "read as a date",
        Type::Bytes | Type::Json => "read as another type",
    }
}

fn on_text<'a>(value: &Value<'a>, change: impl Fn(&str) -> String) -> Option<Value<'a>> {
    Some(match value {
        Value::Text(text) => Value::Text(change(text).into()),
        Value::Untyped(text) => Value::Untyped(change(text).into()),
        _ => return None,
    })
}

fn major(value: &Value<'_>, currency: Option<&Value<'_>>) -> Option<Value<'static>> {
    let (Value::Text(code) | Value::Untyped(code)) = currency? else { return None };
    let currency = Currency::from_code(&code.to_uppercase()).ok()?;
    let Value::Number(amount) = value.read_as(Type::Number)? else { return None };
    amount.scaled_down(currency.exponent()).map(Value::Number)
}

fn epoch(value: &Value<'_>) -> Option<Value<'static>> {
    let Value::Number(seconds) = value.read_as(Type::Number)? else { return None };
    let micros = seconds
        .as_str()
        .split_once('.')
        .map_or(Some(0), |(_, fraction)| format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok())?;
    let whole: i64 = seconds.as_str().split('.').next()?.parse().ok()?;
    let micros = if seconds.as_str().starts_with('-') { -micros } else { micros };
    Some(Value::Timestamp(Timestamp(whole.checked_mul(1_000_000)?.checked_add(micros)?)))
}

/// How many elements a canonical array has.
fn count(value: &Value<'_>) -> Option<Value<'static>> {
    let Value::Json(text) = value else { return None };
    Some(Value::integer(i64::try_from(elements(text)?.len()).ok()?))
}
