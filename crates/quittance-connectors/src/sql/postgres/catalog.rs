//! What the catalogue says of a table: its columns, its indexes, and what the role that reads may do.

use super::Kind;
use super::quote::{identifier, literal, table_names};
use super::session::UNDER_OWN_PATH;
use std::collections::BTreeSet;

/// Most tables that are listed where one is not found.
pub const LISTED_MAX: usize = 1_000;

/// What can be read: tables, partitioned ones, views, materialised views, foreign tables.
const READABLE: &str = "c.relkind IN ('r', 'p', 'v', 'm', 'f')";

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its number in the catalogue.
    pub oid: u32,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether it has rows of its own, of which a sample can be taken.
    pub is_sampled: bool,
    /// How many rows it had when they were last counted; none where they never were.
    pub estimate: Option<u64>,
    /// Whether the role may look into its schema.
    pub has_usage: bool,
    /// Whether a policy would hide rows from the role.
    pub hides_rows: bool,
    /// Its columns in their order.
    pub columns: Vec<TableColumn>,
    /// Its indexes over all rows, the primary key first.
    pub indexes: Vec<Index>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is never NULL.
    pub is_not_null: bool,
    /// Whether the role may read it.
    pub may_select: bool,
}

/// An index over all rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Whether two rows cannot have the same, unless it is NULL.
    pub is_unique: bool,
    /// Whether it finds ranges and not only equals.
    pub is_ordered: bool,
    /// Its leading columns, as indexes into the table's; it ends before an expression.
    pub columns: Vec<usize>,
    /// Whether these are all it has.
    pub is_whole: bool,
    /// Whether texts in its first column are in the order of their bytes, and how that is said.
    pub byte_order: ByteOrder,
}

/// The order of texts in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// That of bytes, because the index says so.
    Explicit,
    /// That of the database.
    Default,
    /// Another one.
    None,
}

/// Asks for the tables that a configured name may mean: rows for [`table()`], the likeliest first.
#[must_use]
pub fn tables(object: &str) -> String {
    let names = table_names(object).into_iter().enumerate().map(|(place, name)| {
        let schema = name.schema.as_deref().map_or("NULL".to_owned(), literal);
        format!("({place}, {schema}, {})", literal(&name.name))
    });
    let (own_path, end) = UNDER_OWN_PATH;
    format!(
        "{own_path}SELECT c.oid, n.nspname, c.relname, c.relkind IN ('r', 'p', 'm'), CASE WHEN c.relkind = 'v' THEN -1 ELSE c.reltuples::bigint END, \
         has_schema_privilege(n.oid, 'USAGE'), row_security_active(c.oid) \
         FROM (VALUES {}) AS wanted(place, schema, name) \
         JOIN pg_class c ON c.relname = wanted.name JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE {READABLE} AND CASE WHEN wanted.schema IS NULL THEN pg_table_is_visible(c.oid) \
         ELSE n.nspname = wanted.schema END ORDER BY wanted.place LIMIT 1{end}",
        names.collect::<Vec<_>>().join(", ")
    )
}

/// Reads a row of [`tables()`]; its columns and indexes are asked for next.
#[must_use]
pub fn table(row: &[Option<String>]) -> Option<Table> {
    let [oid, schema, name, is_sampled, rows, has_usage, hides_rows] = row else { return None };
    Some(Table {
        oid: oid.as_ref()?.parse().ok()?,
        schema: schema.clone()?,
        name: name.clone()?,
        is_sampled: is(is_sampled),
        // PostgreSQL says −1 where it does not know.
        estimate: rows.as_ref()?.parse().ok(),
        has_usage: is(has_usage),
        hides_rows: is(hides_rows),
        columns: Vec::new(),
        indexes: Vec::new(),
    })
}

/// Asks for the columns of a table: rows for [`column()`]. Domains are what they are made of.
#[must_use]
pub fn columns(oid: u32) -> String {
    format!(
        "WITH RECURSIVE made AS (SELECT attnum, attname, attnotnull, atttypid AS type FROM pg_attribute \
         WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped \
         UNION ALL SELECT attnum, attname, attnotnull, typbasetype FROM made JOIN pg_type ON pg_type.oid = type \
         WHERE typtype = 'd') \
         SELECT attname, CASE WHEN nspname = 'pg_catalog' THEN typname END, attnotnull, \
         has_column_privilege({oid}, attnum, 'SELECT') \
         FROM made JOIN pg_type ON pg_type.oid = type JOIN pg_namespace ON pg_namespace.oid = typnamespace \
         WHERE typtype <> 'd' ORDER BY attnum"
    )
}

/// Reads a row of [`columns()`].
#[must_use]
pub fn column(row: &[Option<String>]) -> Option<TableColumn> {
    let [name, type_name, is_not_null, may_select] = row else { return None };
    let kind = type_name.as_deref().map_or(Kind::Other, Kind::of);
    Some(TableColumn { name: name.clone()?, kind, is_not_null: is(is_not_null), may_select: is(may_select) })
}

/// Asks for the indexes over all rows of a table: rows for [`index()`]. Those of a table that others inherit from know
/// nothing of the others' rows, which are read as its own.
#[must_use]
pub fn indexes(oid: u32) -> String {
    format!(
        "SELECT i.indisunique AND NOT EXISTS (SELECT FROM pg_inherits JOIN pg_class p ON p.oid = inhparent \
         WHERE inhparent = {oid} AND p.relkind = 'r'), am.amname = 'btree' AND oc.opcdefault, i.indnkeyatts, \
         (SELECT string_agg(coalesce((SELECT count(*) - 1 FROM pg_attribute b WHERE b.attrelid = {oid} AND b.attnum > 0 \
         AND NOT b.attisdropped AND b.attnum <= k.attnum), -1)::text, ' ' ORDER BY k.place) \
         FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) WHERE k.place <= i.indnkeyatts), \
         coalesce((SELECT collname FROM pg_collation WHERE pg_collation.oid = i.indcollation[0]), '') \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam \
         JOIN pg_opclass oc ON oc.oid = i.indclass[0] \
         WHERE i.indrelid = {oid} AND i.indisvalid AND i.indpred IS NULL AND am.amname IN ('btree', 'hash') \
         ORDER BY i.indisprimary DESC, i.indexrelid"
    )
}

/// Reads a row of [`indexes`].
#[must_use]
pub fn index(row: &[Option<String>]) -> Option<Index> {
    let [is_unique, is_ordered, length, columns, collation] = row else { return None };
    // An expression has no number, which is one less than the first column's.
    let columns: Vec<usize> = columns.as_ref()?.split(' ').map_while(|at| at.parse().ok()).collect();
    let byte_order = match collation.as_deref() {
        Some("C" | "POSIX") => ByteOrder::Explicit,
        Some("default") => ByteOrder::Default,
        _ => ByteOrder::None,
    };
    let is_whole = length.as_ref()?.parse() == Ok(columns.len());
    Some(Index { is_unique: is(is_unique), is_ordered: is(is_ordered), columns, is_whole, byte_order })
}

/// Asks which tables there are: rows of schema, name, whether the search path finds it, and whether the role may look
/// into its schema.
#[must_use]
pub fn everything() -> String {
    let (own_path, end) = UNDER_OWN_PATH;
    format!(
        "{own_path}SELECT n.nspname, c.relname, pg_table_is_visible(c.oid), has_schema_privilege(n.oid, 'USAGE') \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE {READABLE} AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' \
         ORDER BY 3 DESC, 1, 2 LIMIT {LISTED_MAX}{end}"
    )
}

fn is(text: &Option<String>) -> bool {
    text.as_deref() == Some("t")
}

impl Table {
    /// How it is written in a statement.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("{}.{}", identifier(&self.schema), identifier(&self.name))
    }

    /// A column, and its index, by its exact name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<(usize, &TableColumn)> {
        self.columns.iter().enumerate().find(|(_, column)| column.name == name)
    }

    /// The columns that tell two rows apart: the primary key, or the first unique index whose columns are never NULL.
    #[must_use]
    pub fn identity(&self) -> Vec<String> {
        let tells_apart = |index: &&Index| {
            index.is_unique && index.is_whole && index.columns.iter().all(|at| self.columns[*at].is_not_null)
        };
        let found = self.indexes.iter().find(tells_apart);
        found.map_or_else(Vec::new, |index| index.columns.iter().map(|at| self.columns[*at].name.clone()).collect())
    }

    /// Whether no two rows have the same in these columns, and none has nothing: they have among them all columns of a
    /// unique index, and those are never NULL.
    #[must_use]
    pub fn is_unique_by(&self, names: &[&str]) -> bool {
        let tells_apart =
            |at: &usize| self.columns[*at].is_not_null && names.contains(&self.columns[*at].name.as_str());
        self.indexes.iter().any(|index| index.is_unique && index.is_whole && index.columns.iter().all(tells_apart))
    }

    /// Whether rows can be found by these columns without reading all of them: they are how an index begins, or they
    /// have among them all columns of a unique one.
    #[must_use]
    pub fn can_find(&self, names: &[&str]) -> bool {
        let found: Option<BTreeSet<usize>> = names.iter().map(|name| self.column(name).map(|(at, _)| at)).collect();
        let Some(wanted) = found.filter(|found| !found.is_empty()) else { return false };
        let usable = |at: &usize| wanted.contains(at) && self.columns[*at].kind.is_indexable();
        self.indexes.iter().any(|index| {
            let leading = index.columns.iter().take_while(|at| usable(at)).count();
            let is_covered = leading == index.columns.len() && index.is_whole;
            (leading >= wanted.len() && (index.is_ordered || is_covered)) || (index.is_unique && is_covered)
        })
    }
}
