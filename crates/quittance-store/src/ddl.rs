//! Renders the declarations as SQL. Stores pin the result in numbered migrations; nothing runs it directly.

use crate::schema::{Index, Kind, Nullability, Rows, Table, Uniqueness};
use std::fmt::Write;

/// Tables that SQLite keeps in the order rows came, with the primary key as an index beside them.
///
/// Their rows are wide, and most of their keys begin with a book, so rows come in no order of the key. As one B-tree by
/// key each new row would dirty a page of a tree as large as all the data; so only the narrow index is touched at
/// random. Measured with a million journal rows of 400 bytes over 100,000 books: 1.9 times as many transactions of 100
/// rows, for reading a book in 32 rather than 11 microseconds; 1.4 times as many batches of 100 whole payments.
const APPENDED: &[&str] = &["commands", "journal", "payments", "refunds", "effects", "inbox", "events"];

/// The whole schema for SQLite: `STRICT` tables, `WITHOUT ROWID` except for those that are appended to.
///
/// Every index ends with the primary key, which is the order that scans promise: SQLite sees to that itself in a table
/// without rowid; elsewhere the columns are named. After a unique index's columns there is nothing left to order.
#[must_use]
pub fn sqlite(tables: &[&Table]) -> String {
    let mut sql = String::new();
    for table in tables {
        sqlite_table(&mut sql, table);
        for index in table.indexes {
            sqlite_index(&mut sql, table, index);
        }
    }
    sql
}

/// The whole schema for PostgreSQL, into whichever schema the search path begins with.
///
/// Text is compared by bytes. Every index that is no constraint ends with the primary key, which is the order that scans
/// promise. Tables whose rows change leave a part of each page free, so that a changed row stays on its page and the
/// indexes stay as they are.
#[must_use]
pub fn postgres(tables: &[&Table]) -> String {
    let mut sql = String::new();
    for table in tables {
        postgres_table(&mut sql, table);
        for index in table.indexes {
            postgres_index(&mut sql, table, index);
        }
    }
    sql
}

fn postgres_table(sql: &mut String, table: &Table) {
    if !sql.is_empty() {
        sql.push('\n');
    }
    push(sql, format_args!("CREATE TABLE {} (\n", table.name));
    for column in table.columns {
        let kind = match column.kind {
            Kind::Integer => "bigint",
            Kind::Text => "text COLLATE \"C\"",
            Kind::Bytes => "bytea",
        };
        push(sql, format_args!("    {} {kind}{},\n", column.name, required(column.nullability)));
    }
    let layout = if table.rows == Rows::Fixed { "" } else { " WITH (fillfactor = 85)" };
    push(sql, format_args!("    PRIMARY KEY ({})\n){layout};\n", key_list(table)));
}

fn postgres_index(sql: &mut String, table: &Table, index: &Index) {
    let (unique, columns) = match index.uniqueness {
        Uniqueness::Unique => ("UNIQUE ", index.columns.join(", ")),
        Uniqueness::Many => ("", whole_order(table, index)),
    };
    push(sql, format_args!("CREATE {unique}INDEX {} ON {} ({columns})", index.name, table.name));
    only_indexed(sql, table, index);
}

fn sqlite_table(sql: &mut String, table: &Table) {
    if !sql.is_empty() {
        sql.push('\n');
    }
    push(sql, format_args!("CREATE TABLE {} (\n", table.name));
    for column in table.columns {
        let kind = match column.kind {
            Kind::Integer => "INTEGER",
            Kind::Text => "TEXT",
            Kind::Bytes => "BLOB",
        };
        push(sql, format_args!("    {} {kind}{},\n", column.name, required(column.nullability)));
    }
    let layout = if is_appended(table) { "STRICT" } else { "STRICT, WITHOUT ROWID" };
    push(sql, format_args!("    PRIMARY KEY ({})\n) {layout};\n", key_list(table)));
}

fn sqlite_index(sql: &mut String, table: &Table, index: &Index) {
    let (unique, columns) = match index.uniqueness {
        Uniqueness::Unique => ("UNIQUE ", index.columns.join(", ")),
        Uniqueness::Many if is_appended(table) => ("", whole_order(table, index)),
        Uniqueness::Many => ("", index.columns.join(", ")),
    };
    push(sql, format_args!("CREATE {unique}INDEX {} ON {} ({columns})", index.name, table.name));
    only_indexed(sql, table, index);
}

/// Ends an index with the condition under which a row is in it.
fn only_indexed(sql: &mut String, table: &Table, index: &Index) {
    let nullable = not_null(table, index);
    if !nullable.is_empty() {
        push(sql, format_args!(" WHERE {nullable}"));
    }
    sql.push_str(";\n");
}

fn whole_order(table: &Table, index: &Index) -> String {
    let order = table.order(Some(index)).into_iter();
    order.map(|position| table.columns[position].name).collect::<Vec<_>>().join(", ")
}

fn key_list(table: &Table) -> String {
    table.columns[..table.key_columns].iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

const fn required(nullability: Nullability) -> &'static str {
    match nullability {
        Nullability::Required => " NOT NULL",
        Nullability::Optional => "",
    }
}

fn is_appended(table: &Table) -> bool {
    APPENDED.contains(&table.name)
}

/// The condition under which a row is in an index: empty when every row is.
#[must_use]
pub fn not_null(table: &Table, index: &Index) -> String {
    let is_optional = |column: &&&str| table.columns[table.position(column)].nullability == Nullability::Optional;
    let columns = index.columns.iter().filter(is_optional);
    columns.map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" AND ")
}

fn push(sql: &mut String, text: std::fmt::Arguments<'_>) {
    sql.write_fmt(text).expect("writing to a string cannot fail");
}
