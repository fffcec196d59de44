//! Values in canonical form, their types, and what it means that two are equal.

use super::number::Number;
use crate::time::Timestamp;
use std::borrow::Cow;
use std::fmt;

/// One value of a record.
///
/// Absent is not null: an object that does not mention a field says nothing about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value<'a> {
    /// The record does not mention it.
    Absent,
    /// It is said to be nothing.
    Null,
    /// True or false.
    Boolean(bool),
    /// A decimal.
    Number(Number<'a>),
    /// Text whose type is known to be text.
    Text(Cow<'a, str>),
    /// Text whose type nobody declared, such as a cell of a CSV file. It takes the type of what it is compared with.
    Untyped(Cow<'a, str>),
    /// A moment, in microseconds. `i64::MIN` and `i64::MAX` are PostgreSQL's infinities.
    Timestamp(Timestamp),
    /// A day without a time zone, as ISO 8601 writes it (`2026-01-31`).
    Date(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A JSON array or object in canonical text (RFC 8785).
    Json(Cow<'a, str>),
}

/// The type of a value that is neither absent nor null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// True or false.
    Boolean,
    /// A decimal.
    Number,
    /// Text.
    Text,
    /// Not declared.
    Untyped,
    /// A moment.
    Timestamp,
    /// A day.
    Date,
    /// Bytes.
    Bytes,
    /// An array or object.
    Json,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Text => "text",
            Self::Untyped => "text without a type",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Bytes => "bytes",
            Self::Json => "json",
        })
    }
}

/// How two values stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They say the same.
    Equal,
    /// They do not.
    Different,
    /// They are of types between which there is no equality: the configuration has to say how one becomes the other.
    Incomparable(Type, Type),
}

impl<'a> Value<'a> {
    /// Text, borrowed.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A whole number.
    #[must_use]
    pub fn integer(integer: i64) -> Self {
        Self::Number(Number::from_integer(integer))
    }

    /// Its type; none for what is absent or null.
    #[must_use]
    pub const fn value_type(&self) -> Option<Type> {
        Some(match self {
            Self::Absent | Self::Null => return None,
            Self::Boolean(_) => Type::Boolean,
            Self::Number(_) => Type::Number,
            Self::Text(_) => Type::Text,
            Self::Untyped(_) => Type::Untyped,
            Self::Timestamp(_) => Type::Timestamp,
            Self::Date(_) => Type::Date,
            Self::Bytes(_) => Type::Bytes,
            Self::Json(_) => Type::Json,
        })
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }

    /// The same value, owned.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Absent => Value::Absent,
            Self::Null => Value::Null,
            Self::Boolean(it) => Value::Boolean(it),
            Self::Number(it) => Value::Number(it.into_owned()),
            Self::Text(it) => Value::Text(it.into_owned().into()),
            Self::Untyped(it) => Value::Untyped(it.into_owned().into()),
            Self::Timestamp(it) => Value::Timestamp(it),
            Self::Date(it) => Value::Date(it.into_owned().into()),
            Self::Bytes(it) => Value::Bytes(it.into_owned().into()),
            Self::Json(it) => Value::Json(it.into_owned().into()),
        }
    }

    /// The same value read as `wanted`, where its text says one, or the numbers 0 and 1 a boolean. What already is of that type, or is nothing, stays.
    ///
    /// None where it cannot be read so.
    #[must_use]
    pub fn read_as(&self, wanted: Type) -> Option<Value<'static>> {
        let text = match self {
            Self::Absent | Self::Null => return Some(self.clone().into_owned()),
            Self::Text(text) | Self::Untyped(text) => text.as_ref(),
            Self::Boolean(_) | Self::Number(_) | Self::Timestamp(_) | Self::Date(_)
                if matches!(wanted, Type::Text | Type::Untyped) =>
            {
                &self.to_string()
            }
            Self::Number(number) if wanted == Type::Boolean => number.as_str(),
            _ => return (self.value_type() == Some(wanted)).then(|| self.clone().into_owned()),
        };
        Some(match wanted {
            Type::Text => Value::Text(text.to_owned().into()),
            Type::Untyped => Value::Untyped(text.to_owned().into()),
            Type::Number => Value::Number(Number::parse(text.trim())?.into_owned()),
            Type::Boolean => Value::Boolean(read_boolean(text)?),
            Type::Timestamp => Value::Timestamp(read_timestamp(text.trim())?),
            Type::Date => Value::Date(read_date(text.trim())?.into()),
            Type::Bytes | Type::Json => return None,
        })
    }

    /// Compares with a value of the other side. An undeclared text takes the other's type; one that cannot be read
    /// as it is different. Symmetric.
    #[must_use]
    pub fn compare(&self, other: &Value<'_>) -> Comparison {
        let (Some(left), Some(right)) = (self.value_type(), other.value_type()) else {
            let are_same = matches!((self, other), (Self::Absent, Value::Absent) | (Self::Null, Value::Null));
            return if are_same { Comparison::Equal } else { Comparison::Different };
        };
        let verdict = |is_equal| if is_equal { Comparison::Equal } else { Comparison::Different };
        match (left, right) {
            _ if left == right => verdict(self == other),
            (Type::Untyped, _) => verdict(self.read_as(right).is_some_and(|value| value == *other)),
            (_, Type::Untyped) => verdict(other.read_as(left).is_some_and(|value| value == *self)),
            _ => Comparison::Incomparable(left, right),
        }
    }
}

fn read_boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// RFC 3339, or as databases print it without a zone, which is read as UTC.
fn read_timestamp(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let at = zoned.or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Some(Timestamp(at.as_microsecond()))
}

fn read_date(text: &str) -> Option<String> {
    // What carries a time is a moment, and which day that is depends on a zone nobody named.
    (text.len() == "2026-01-31".len())
        .then(|| text.parse::<jiff::civil::Date>().ok())
        .flatten()
        .map(|day| day.to_string())
}

impl fmt::Display for Value<'_> {
    /// As people read it; what is nothing, or is not text, is told apart from text in [`Value`]'s own form only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("(absent)"),
            Self::Null => f.write_str("NULL"),
            Self::Boolean(it) => write!(f, "{it}"),
            Self::Number(it) => f.write_str(it.as_str()),
            Self::Text(it) | Self::Untyped(it) | Self::Date(it) | Self::Json(it) => f.write_str(it),
            Self::Timestamp(it) => match jiff::Timestamp::from_microsecond(it.0) {
                Ok(at) => write!(f, "{at}"),
                Err(_) => f.write_str(if it.0 < 0 { "-infinity" } else { "infinity" }),
            },
            Self::Bytes(it) => it.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}
