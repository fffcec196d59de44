//! SQLite as a system: statements that read a table, declared types, and stored values in canonical form.
//!
//! SQLite stores any kind of value in any column, so a value's meaning is the column's declared type and the stored
//! class together. A value that its column's declaration does not explain becomes text without a type: it is compared
//! as whatever the other side has, and never stops a comparison. Does not own connections.

use crate::record::{value_at, value_of};
use quittance_core::record::number::Number;
use quittance_core::record::value::{Type, Value};
use quittance_core::time::Timestamp;

#[cfg(test)]
mod tests;
pub mod write;

/// Names, kinds (`table`, `view`, `virtual`) and whether they are WITHOUT ROWID, of everything that can be read.
pub const OBJECTS: &str = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' \
    AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";

/// Columns of the object `?1` in their order: name, declared type, whether it refuses NULL, and its place in the primary
/// key from 1, 0 for none. Hidden columns of virtual tables are left out, generated columns are not.
pub const COLUMNS: &str = "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1, 'main') \
    WHERE hidden <> 1 ORDER BY cid";

/// The first column of every index over the whole of the table `?1`; none where that is an expression.
pub const INDEXED: &str = "SELECT (SELECT name FROM pragma_index_info(list.name, 'main') WHERE seqno = 0) \
    FROM pragma_index_list(?1, 'main') AS list WHERE NOT list.partial";

/// What a column was declared to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// `BOOLEAN`: 0 and 1, or a word.
    Boolean,
    /// `INTEGER`, `REAL`, `NUMERIC`, `DECIMAL(10,2)`.
    Number,
    /// `TEXT`, `VARCHAR(255)`, `UUID`.
    Text,
    /// `DATETIME`, `TIMESTAMP`: text, or a count since 1970.
    Timestamp,
    /// `DATE`.
    Date,
    /// `BLOB`.
    Bytes,
    /// `JSON`, `JSONB`.
    Json,
    /// Nothing, or a word without a meaning here: the stored class says what it is.
    Dynamic,
}

impl Declared {
    /// Reads a declared type. Words for times, booleans and JSON, which SQLite does not know, come first; the rest are
    /// SQLite's own rules of affinity.
    #[must_use]
    pub fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        for word in declared.split(|letter: char| !letter.is_ascii_alphanumeric()) {
            match word {
                "BOOL" | "BOOLEAN" => return Self::Boolean,
                "DATETIME" | "TIMESTAMP" | "TIMESTAMPTZ" => return Self::Timestamp,
                "DATE" => return Self::Date,
                "JSON" | "JSONB" => return Self::Json,
                "UUID" | "STRING" | "ENUM" => return Self::Text,
                _ => {}
            }
        }
        let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        match () {
            () if has(&["INT"]) => Self::Number,
            () if has(&["CHAR", "CLOB", "TEXT"]) => Self::Text,
            () if has(&["BLOB"]) => Self::Bytes,
            () if has(&["REAL", "FLOA", "DOUB", "DEC", "NUM", "MONEY"]) => Self::Number,
            () => Self::Dynamic,
        }
    }

    /// The type its values have, if that is declared.
    #[must_use]
    pub const fn value_type(self) -> Option<Type> {
        Some(match self {
            Self::Boolean => Type::Boolean,
            Self::Number => Type::Number,
            Self::Text => Type::Text,
            Self::Timestamp => Type::Timestamp,
            Self::Date => Type::Date,
            Self::Bytes => Type::Bytes,
            Self::Json => Type::Json,
            Self::Dynamic => return None,
        })
    }

    /// Whether a condition on the stored value finds every value that is equal in canonical form. Not so where one value
    /// can be stored in several ways, as a moment can.
    const fn is_searchable(self) -> bool {
        matches!(self, Self::Number | Self::Text | Self::Bytes | Self::Dynamic)
    }
}

/// A value as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stored<'a> {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// What a stored value says in a column that is declared so.
fn decode(stored: Stored<'_>, declared: Declared) -> Value<'_> {
    match (stored, declared) {
        (Stored::Null, _) => Value::Null,
        (Stored::Blob(bytes), _) => Value::Bytes(bytes.into()),
        (_, Declared::Boolean) => boolean(stored),
        (_, Declared::Timestamp | Declared::Date) => moment(stored, declared),
        (Stored::Text(text), Declared::Text) => Value::text(text),
        (_, Declared::Text) => Value::Text(number_text(stored).into()),
        (Stored::Text(text), Declared::Number) => {
            Number::parse(text.trim()).map_or_else(|| Value::Untyped(text.into()), Value::Number)
        }
        (Stored::Text(text), Declared::Json) => match serde_json::from_str(text) {
            Ok(document) => value_of(&document),
            Err(_) => Value::Untyped(text.into()),
        },
        (Stored::Text(text), _) => Value::Untyped(text.into()),
        (Stored::Integer(integer), _) => Value::integer(integer),
        (Stored::Real(_), _) => number(stored),
    }
}

/// What a pointer finds in stored text that is JSON. In text that is not, and in what is no text, it finds nothing.
fn decode_at(stored: Stored<'_>, pointer: &str) -> Value<'static> {
    match stored {
        Stored::Null => Value::Null,
        Stored::Text(text) => serde_json::from_str(text).map_or(Value::Absent, |document| value_at(&document, pointer)),
        Stored::Integer(_) | Stored::Real(_) | Stored::Blob(_) => Value::Absent,
    }
}

/// The shortest decimal that is read back as the same number; a double that is no number stays a word.
fn number_text(stored: Stored<'_>) -> String {
    match stored {
        Stored::Integer(integer) => integer.to_string(),
        Stored::Real(real) => real.to_string(),
        Stored::Null | Stored::Text(_) | Stored::Blob(_) => String::new(),
    }
}

fn number(stored: Stored<'_>) -> Value<'static> {
    let text = number_text(stored);
    match Number::parse(&text) {
        Some(number) => Value::Number(number.into_owned()),
        None => Value::Untyped(text.into()),
    }
}

fn boolean(stored: Stored<'_>) -> Value<'_> {
    match stored {
        Stored::Integer(0) => Value::Boolean(false),
        Stored::Integer(1) => Value::Boolean(true),
        Stored::Text(text) => Value::text(text).read_as(Type::Boolean).unwrap_or(Value::Untyped(text.into())),
        other => Value::Untyped(number_text(other).into()),
    }
}

/// Text is ISO 8601, with a zone or in UTC. A number counts from 1970: seconds below 10^11 (the year 5138), from there
/// milliseconds, from 10^14 microseconds, from 10^17 nanoseconds. Julian days, which SQLite can store too, are taken for
/// seconds: nothing tells them apart.
fn moment(stored: Stored<'_>, declared: Declared) -> Value<'_> {
    let Stored::Text(text) = stored else {
        let text = number_text(stored);
        return since_1970(&text).unwrap_or_else(|| Value::Untyped(text.clone().into()));
    };
    let wanted = if declared == Declared::Date { Type::Date } else { Type::Timestamp };
    let read = Value::Text(zone_attached(text.trim()).into()).read_as(wanted);
    read.unwrap_or(Value::Untyped(text.into()))
}

/// Some libraries write a blank before the zone (`2026-01-31 10:00:00.000 +00:00`, `… UTC`), which ISO 8601 does not.
fn zone_attached(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((before, "UTC" | "Z")) => format!("{before}Z"),
        Some((before, zone)) if zone.starts_with(['+', '-']) => format!("{before}{zone}"),
        _ => text.to_owned(),
    }
}

fn since_1970(text: &str) -> Option<Value<'static>> {
    let number = Number::parse(text)?;
    let (sign, digits) = number.as_str().strip_prefix('-').map_or((1, number.as_str()), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let count: i64 = whole.parse().ok()?;
    let places = match count.checked_ilog10().unwrap_or(0) {
        0..=10 => 6,
        11..=13 => 3,
        14..=16 => 0,
        _ => return Some(Value::Timestamp(Timestamp(sign * (count / 1_000)))),
    };
    let part = format!("{fraction:0<places$}").get(..places)?.parse().unwrap_or(0_i64);
    let micros = count.checked_mul(10_i64.pow(places as u32))?.checked_add(part)?;
    Some(Value::Timestamp(Timestamp(sign * micros)))
}

/// What a lookup binds. A number is bound as SQLite would store it, so that it is equal to integers and doubles alike.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A whole number.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

fn bound(value: &Value<'_>) -> Option<Bound> {
    Some(match value {
        Value::Number(number) => match number.to_integer() {
            Some(integer) => Bound::Integer(integer),
            None => Bound::Real(number.as_str().parse().ok()?),
        },
        Value::Text(text) | Value::Untyped(text) => Bound::Text(text.to_string()),
        Value::Bytes(bytes) => Bound::Blob(bytes.to_vec()),
        _ => return None,
    })
}

/// A column that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Its name in the database.
    pub name: String,
    /// What it was declared to hold.
    pub declared: Declared,
    /// Where in the JSON that it holds.
    pub pointer: Option<String>,
}

impl Read {
    /// What a stored value of this column says.
    #[must_use]
    pub fn decode<'a>(&self, stored: Stored<'a>) -> Value<'a> {
        match &self.pointer {
            Some(pointer) => decode_at(stored, pointer),
            None => decode(stored, self.declared),
        }
    }

    /// What finds a value in this column, among others that are not equal to it; none where no condition can.
    #[must_use]
    pub fn bound(&self, value: &Value<'_>) -> Option<Bound> {
        self.is_searchable().then(|| bound(value)).flatten()
    }

    /// Whether conditions can find values in this column.
    #[must_use]
    pub fn is_searchable(&self) -> bool {
        self.pointer.is_none() && self.declared.is_searchable()
    }
}

/// Reads these columns of a table or view. With lookups, only rows whose columns `searched` hold one of `lookups` tuples
/// of parameters, in turn.
#[must_use]
pub fn select(object: &str, columns: &[Read], searched: &[&str], lookups: usize) -> String {
    let listed = columns.iter().map(selected).collect::<Vec<_>>().join(", ");
    // Something is read even where only the number of rows is wanted.
    let listed = if listed.is_empty() { "1" } else { &listed };
    let sql = format!("SELECT {listed} FROM \"main\".{} AS t", quoted(object));
    if searched.is_empty() {
        return sql;
    }
    let names = searched.iter().map(|name| format!("t.{}", quoted(name))).collect::<Vec<_>>();
    if let [name] = names.as_slice() {
        return format!("{sql} WHERE {name} IN ({})", vec!["?"; lookups].join(", "));
    }
    let tuple = format!("({})", vec!["?"; searched.len()].join(", "));
    format!("{sql} WHERE ({}) IN (VALUES {})", names.join(", "), vec![tuple; lookups].join(", "))
}

/// JSON may be stored in SQLite's binary form, which is made text.
fn selected(column: &Read) -> String {
    let name = format!("t.{}", quoted(&column.name));
    if column.declared != Declared::Json && column.pointer.is_none() {
        return name;
    }
    format!("CASE WHEN typeof({name}) = 'blob' AND json_valid({name}, 8) THEN json({name}) ELSE {name} END")
}

/// Counts the rows of a table by the greatest row id, which costs nothing; without one, by counting.
#[must_use]
pub fn estimate(object: &str, rowid: Option<&str>) -> String {
    let object = quoted(object);
    match rowid {
        Some(rowid) => format!("SELECT max(t.{}) FROM \"main\".{object} AS t", quoted(rowid)),
        None => format!("SELECT count(*) FROM \"main\".{object}"),
    }
}

/// Whether a column that may be NULL is, in any row.
#[must_use]
pub fn has_null(object: &str, columns: &[&str]) -> String {
    let conditions = columns.iter().map(|name| format!("t.{} IS NULL", quoted(name))).collect::<Vec<_>>();
    format!("SELECT EXISTS (SELECT 1 FROM \"main\".{} AS t WHERE {})", quoted(object), conditions.join(" OR "))
}

/// A name as an identifier, whatever is in it.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
