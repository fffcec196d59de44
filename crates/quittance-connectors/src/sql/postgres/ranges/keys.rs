//! Keys of a rule in statements: how they are ordered, and how many bounds are not above one.

use super::super::array::array;
use super::super::catalog::{ByteOrder, Table, TableColumn};
use super::super::kind::is_uuid;
use super::super::quote::{identifier, literal};
use super::super::{Kind, lookup::typed};
use super::Key;
use quittance_core::record::value::{Type, Value};

/// Most ranges of a statement that compares by `width_bucket`, of which each costs a few bytes.
const BUCKETS_MAX: usize = 65_536;

/// Most ranges of a statement that compares by a tree of conditions, of which each is planned.
pub(super) const TREE_MAX: usize = 2_048;

/// Longest text that `width_bucket` compares, in bytes. A `name` has 63, and is cut before a character that does not
/// fit; what is not longer than this is compared in full.
const NAME_BYTES_MAX: usize = 60;

/// Integers below this are doubles, each its own. `width_bucket` compares those without calling a function for each; and
/// as rounding keeps the order, every integer is on the right side of such a bound.
const EXACT_MAX: u64 = 1 << 53;

/// A key as literals, one for each of its columns; fewer for the beginning of a key.
pub(super) type Bound = Vec<String>;

/// The columns of a rule, and how they are compared.
#[derive(Debug)]
pub(super) struct Keys<'t> {
    columns: Vec<&'t TableColumn>,
    method: Method,
    indexed: Option<String>,
}

/// How a key finds its bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// By a binary search among values of this type, which have a fixed size.
    WidthBucket(&'static str),
    /// By conditions.
    Tree,
}

impl<'t> Keys<'t> {
    pub(super) fn new<'r>(
        table: &'t Table,
        columns: Vec<&'t TableColumn>,
        sorts_by_bytes: bool,
        mut bounds: impl Iterator<Item = &'r Key> + Clone,
    ) -> Self {
        let text_of = |key: &Key| match key.as_slice() {
            [Value::Text(text) | Value::Untyped(text)] => Some(text.clone().into_owned()),
            _ => None,
        };
        let method = match columns.as_slice() {
            [column] => match column.kind {
                Kind::Integer if bounds.clone().all(is_exact) => Method::WidthBucket("float8"),
                Kind::Integer => Method::WidthBucket("bigint"),
                Kind::Uuid if bounds.clone().all(|key| text_of(key).is_some_and(|text| is_uuid(&text))) => {
                    Method::WidthBucket("uuid")
                }
                kind if kind.value_type() == Type::Text
                    && bounds.all(|key| text_of(key).is_some_and(|text| text.len() <= NAME_BYTES_MAX)) =>
                {
                    Method::WidthBucket("name")
                }
                _ => Method::Tree,
            },
            _ => Method::Tree,
        };
        let indexed = match columns.as_slice() {
            [column] => indexed(table, column, method, sorts_by_bytes),
            _ => None,
        };
        Self { columns, method, indexed }
    }

    pub(super) fn columns(&self) -> &[&'t TableColumn] {
        &self.columns
    }

    /// The condition under which a record has a key.
    pub(super) fn is_whole(&self) -> String {
        let conditions = self.columns.iter().map(|column| format!("{} IS NOT NULL", identifier(&column.name)));
        conditions.collect::<Vec<_>>().join(" AND ")
    }

    /// The columns as they are ordered, named `k1`, `k2`.
    pub(super) fn ordered(&self) -> String {
        let columns = self.columns.iter().enumerate();
        columns.map(|(at, column)| format!("{} AS k{}", in_order(column), at + 1)).collect::<Vec<_>>().join(", ")
    }

    /// The only column, if an index finds ranges of it, as it has to be written then.
    pub(super) fn indexed(&self) -> Option<&str> {
        self.indexed.as_deref()
    }

    /// Most ranges that one statement takes.
    pub(super) const fn ranges_max(&self) -> usize {
        match self.method {
            Method::WidthBucket(_) => BUCKETS_MAX,
            Method::Tree => TREE_MAX,
        }
    }

    /// A key as literals; none where it is no key of these columns.
    pub(super) fn bound(&self, key: &Key) -> Option<Bound> {
        if key.is_empty() || key.len() > self.columns.len() {
            return None;
        }
        let kind = |column: &TableColumn| match (column.kind, self.method) {
            (Kind::Uuid, Method::WidthBucket("uuid")) => Kind::Uuid,
            // Compared as text with what may be no UUID.
            (Kind::Uuid, _) => Kind::Other,
            (kind, _) => kind,
        };
        let values = self.columns.iter().zip(key);
        values.map(|(column, value)| kind(column).literal(&typed(kind(column), value)?)).collect()
    }

    /// One bound of the only column.
    pub(super) fn literal(&self, bound: &Bound) -> String {
        format!("{}::{}", literal(&bound[0]), self.bound_type(0))
    }

    /// Bounds of the only column.
    pub(super) fn array<'b>(&self, bounds: impl Iterator<Item = &'b Bound>) -> String {
        array(bounds.map(|bound| bound[0].as_str()), self.bound_type(0))
    }

    /// The expression that says how many bounds are not above a key.
    pub(super) fn bucket(&self, bounds: &[Bound]) -> String {
        if bounds.is_empty() {
            return "0".to_owned();
        }
        match self.method {
            Method::WidthBucket(of) => {
                let key = self.columns[0].kind.expression(&self.columns[0].name);
                // A column has the collation it was declared with, which is not that of names.
                let key = if of == "name" { format!("(({key})::text COLLATE \"C\")") } else { key };
                let bounds = array(bounds.iter().map(|bound| bound[0].as_str()), of);
                format!("width_bucket({key}::{of}, {bounds})")
            }
            Method::Tree => self.tree(bounds, 0),
        }
    }

    fn tree(&self, bounds: &[Bound], below: usize) -> String {
        if bounds.is_empty() {
            return below.to_string();
        }
        let middle = bounds.len() / 2;
        let bound = &bounds[middle];
        let columns: Vec<String> = self.columns[..bound.len()].iter().map(|column| in_order(column)).collect();
        let values: Vec<String> =
            bound.iter().enumerate().map(|(at, text)| format!("{}::{}", literal(text), self.bound_type(at))).collect();
        format!(
            "CASE WHEN ({}) < ({}) THEN {} ELSE {} END",
            columns.join(", "),
            values.join(", "),
            self.tree(&bounds[..middle], below),
            self.tree(&bounds[middle + 1..], below + middle + 1)
        )
    }

    /// The type of a column's bounds, outside of `width_bucket`.
    fn bound_type(&self, column: usize) -> &'static str {
        match self.columns[column].kind.value_type() {
            Type::Number => "bigint",
            Type::Timestamp => "timestamptz",
            _ if self.method == Method::WidthBucket("uuid") => "uuid",
            _ => "text",
        }
    }
}

/// Whether a bound is a double.
fn is_exact(key: &Key) -> bool {
    let [Value::Number(number)] = key.as_slice() else { return false };
    number.to_integer().is_some_and(|number| number.unsigned_abs() < EXACT_MAX)
}

/// A column as it is ordered everywhere.
fn in_order(column: &TableColumn) -> String {
    let expression = column.kind.expression(&column.name);
    match column.kind {
        Kind::Uuid => format!("({expression}::text COLLATE \"C\")"),
        kind if kind.value_type() == Type::Text => format!("({expression} COLLATE \"C\")"),
        _ => expression,
    }
}

/// How a column is written so that an index on it finds ranges in the order of everybody.
fn indexed(table: &Table, column: &TableColumn, method: Method, sorts_by_bytes: bool) -> Option<String> {
    let name = identifier(&column.name);
    let (at, _) = table.column(&column.name)?;
    let mut serving = table.indexes.iter().filter(|index| index.is_ordered && index.columns.first() == Some(&at));
    match column.kind {
        Kind::Integer | Kind::Timestamptz => serving.next().map(|_| name),
        Kind::Uuid if method == Method::WidthBucket("uuid") => serving.next().map(|_| name),
        Kind::Text => serving.find_map(|index| match index.byte_order {
            ByteOrder::Explicit => Some(format!("{name} COLLATE \"C\"")),
            ByteOrder::Default if sorts_by_bytes => Some(format!("{name} COLLATE \"default\"")),
            _ => None,
        }),
        _ => None,
    }
}

/// A key whose only text is no longer than what is compared fast.
pub(super) fn shortened(key: &Key) -> Key {
    match key.as_slice() {
        [Value::Text(text)] if text.len() > NAME_BYTES_MAX => {
            let end = text.floor_char_boundary(NAME_BYTES_MAX);
            vec![Value::Text(text[..end].to_owned().into())]
        }
        _ => key.clone(),
    }
}
