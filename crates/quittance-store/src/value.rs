//! Values, keys and rows: the only shapes a store sees.

/// One column's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// No value; allowed only in nullable columns.
    Null,
    /// A 64-bit signed integer: counts, amounts in minor units, times in microseconds.
    Integer(i64),
    /// UTF-8 text, compared by bytes.
    Text(String),
    /// Bytes, compared as unsigned bytes.
    Bytes(Vec<u8>),
}

/// Values of a table's primary key columns, in order.
pub type Key = Vec<Value>;

/// Values of all columns of a table, in declared order.
pub type Row = Vec<Value>;

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
