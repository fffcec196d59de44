//! Kinds of columns: how each is written in a statement, and what its text means.

use super::quote::identifier;
use super::time;
use quittance_core::record::number::Number;
use quittance_core::record::value::{Type, Value};
use std::borrow::Cow;

/// What a column holds, as far as reading it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `smallint`, `integer`, `bigint`.
    Integer,
    /// `numeric`.
    Numeric,
    /// `money`.
    Money,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `boolean`.
    Boolean,
    /// `text`, `varchar`, `name`.
    Text,
    /// `char(n)`, in which spaces at the end say nothing.
    Padded,
    /// `uuid`, which is text in lower case.
    Uuid,
    /// `timestamptz`.
    Timestamptz,
    /// `timestamp`, which is read as UTC.
    Timestamp,
    /// `date`.
    Date,
    /// `bytea`.
    Bytes,
    /// `json`, `jsonb`.
    Json,
    /// Anything else, as text: enumerations, `citext`, arrays, ranges.
    Other,
}

/// What a column holds and cannot be read as.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{column}` holds {shown}, which {why}")]
pub struct Malformed {
    /// The column.
    pub column: String,
    /// The value, or its beginning.
    pub shown: String,
    /// What is wrong with it: `is no JSON`.
    pub why: String,
}

/// Most letters of a value that are shown.
const SHOWN_MAX: usize = 60;

impl Malformed {
    pub(super) fn new(column: &str, text: &str, why: impl Into<String>) -> Self {
        let shown: String = text.chars().take(SHOWN_MAX).collect();
        let more = if shown.len() < text.len() { "…" } else { "" };
        Self { column: column.to_owned(), shown: format!("`{shown}{more}`"), why: why.into() }
    }
}

impl Kind {
    /// The kind of a type by its name in `pg_catalog`; that of any other type has no name here.
    #[must_use]
    pub fn of(type_name: &str) -> Self {
        match type_name {
            "int2" | "int4" | "int8" => Self::Integer,
            "numeric" => Self::Numeric,
            "money" => Self::Money,
            "float4" => Self::Float4,
            "float8" => Self::Float8,
            "bool" => Self::Boolean,
            "text" | "varchar" | "name" => Self::Text,
            "bpchar" => Self::Padded,
            "uuid" => Self::Uuid,
            "timestamptz" => Self::Timestamptz,
            "timestamp" => Self::Timestamp,
            "date" => Self::Date,
            "bytea" => Self::Bytes,
            "json" | "jsonb" => Self::Json,
            _ => Self::Other,
        }
    }

    /// The type of its values. A number that is none, such as `NaN`, is text without a type.
    #[must_use]
    pub const fn value_type(self) -> Type {
        match self {
            Self::Integer | Self::Numeric | Self::Money | Self::Float4 | Self::Float8 => Type::Number,
            Self::Boolean => Type::Boolean,
            Self::Text | Self::Padded | Self::Uuid | Self::Other => Type::Text,
            Self::Timestamptz | Self::Timestamp => Type::Timestamp,
            Self::Date => Type::Date,
            Self::Bytes => Type::Bytes,
            Self::Json => Type::Json,
        }
    }

    /// The expression whose text says what a column holds, the same for equal values of one [`Kind::value_type`]
    /// (JSON excepted). It is what is read, and what checksums are made of.
    #[must_use]
    pub fn expression(self, column: &str) -> String {
        let column = identifier(column);
        match self {
            Self::Integer | Self::Boolean | Self::Text | Self::Uuid | Self::Timestamptz | Self::Date | Self::Json => {
                column
            }
            Self::Numeric => format!("trim_scale({column})"),
            Self::Money => format!("trim_scale({column}::numeric)"),
            // The text of a float is the shortest that means it; the decimal has no negative zero.
            Self::Float4 | Self::Float8 => format!("trim_scale({column}::text::numeric)"),
            Self::Padded | Self::Other => format!("{column}::text"),
            Self::Timestamp => format!("({column} AT TIME ZONE 'UTC')"),
            Self::Bytes => format!("encode({column}, 'hex')"),
        }
    }

    /// What to compare a column by, so that an index on it is used where there can be one, and the type of what it is
    /// compared with. None for JSON, which has no equality.
    pub(super) fn comparable(self, column: &str) -> Option<(String, &'static str)> {
        let name = identifier(column);
        Some(match self {
            Self::Integer => (name, "bigint"),
            Self::Numeric => (name, "numeric"),
            Self::Money => (format!("{name}::numeric"), "numeric"),
            Self::Float4 => (name, "real"),
            Self::Float8 => (name, "double precision"),
            Self::Boolean => (name, "boolean"),
            Self::Text => (name, "text"),
            Self::Padded => (name, "bpchar"),
            Self::Uuid => (name, "uuid"),
            Self::Timestamptz => (name, "timestamptz"),
            Self::Timestamp => (name, "timestamp"),
            Self::Date => (name, "date"),
            Self::Bytes => (name, "bytea"),
            Self::Other => (format!("{name}::text"), "text"),
            Self::Json => return None,
        })
    }

    /// Whether an index on a column serves [`Kind::comparable`].
    pub(super) const fn is_indexable(self) -> bool {
        !matches!(self, Self::Money | Self::Json | Self::Other)
    }

    /// What the text of [`Kind::expression`] means. JSON is not read here.
    pub(super) fn value<'a>(self, column: &str, text: Cow<'a, str>) -> Result<Value<'a>, Malformed> {
        Ok(match self.value_type() {
            Type::Number => return number(column, text),
            Type::Boolean => Value::Boolean(text == "t"),
            Type::Timestamp => {
                let why = "is no moment between 4714 BC and 294246";
                Value::Timestamp(time::read(&text).ok_or_else(|| Malformed::new(column, &text, why))?)
            }
            Type::Date => Value::Date(text),
            Type::Bytes => {
                Value::Bytes(bytes(&text).ok_or_else(|| Malformed::new(column, &text, "is no hexadecimal"))?.into())
            }
            Type::Text | Type::Untyped | Type::Json => Value::Text(text),
        })
    }

    /// The text of a value as a literal of the type it is compared with; none where no column of this kind holds it.
    pub(super) fn literal(self, value: &Value<'_>) -> Option<String> {
        match (self, value) {
            (Self::Integer, Value::Number(number)) => number.to_integer().map(|number| number.to_string()),
            (Self::Uuid, Value::Text(text)) => is_uuid(text).then(|| text.clone().into_owned()),
            (Self::Text | Self::Padded | Self::Other, Value::Text(text)) => {
                (!text.contains('\0')).then(|| text.clone().into_owned())
            }
            (Self::Numeric | Self::Money | Self::Float4 | Self::Float8, Value::Number(number)) => {
                Some(number.as_str().to_owned())
            }
            (Self::Numeric | Self::Float4 | Self::Float8, Value::Text(text)) => {
                NOT_NUMBERS.contains(&text.as_ref()).then(|| text.clone().into_owned())
            }
            (Self::Boolean, Value::Boolean(it)) => Some(it.to_string()),
            (Self::Timestamptz | Self::Timestamp, Value::Timestamp(at)) => Some(time::write(*at)),
            (Self::Date, Value::Date(day)) => is_date(day).then(|| day.clone().into_owned()),
            (Self::Bytes, Value::Bytes(_)) => Some(format!("\\x{value}")),
            _ => None,
        }
    }
}

/// What PostgreSQL calls a number and is none.
const NOT_NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

fn number<'a>(column: &str, text: Cow<'a, str>) -> Result<Value<'a>, Malformed> {
    let number = match &text {
        Cow::Borrowed(text) => Number::parse(text),
        Cow::Owned(text) => Number::parse(text).map(Number::into_owned),
    };
    match number {
        Some(number) => Ok(Value::Number(number)),
        // It is compared with numbers, and equals none.
        None if NOT_NUMBERS.contains(&text.as_ref()) => Ok(Value::Untyped(text)),
        None => Err(Malformed::new(column, &text, "has more than 400 digits before or behind its point")),
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let [high, low] = pair else { return None };
            u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
        })
        .collect()
}

/// As PostgreSQL prints it.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn is_date(text: &str) -> bool {
    let plain = text.strip_suffix(" BC").unwrap_or(text);
    matches!(text, "infinity" | "-infinity")
        || (plain.len() >= 10 && plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}
