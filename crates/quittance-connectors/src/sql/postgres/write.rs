//! Statements that change records of a table: one for many records, each changed only where it holds what is expected.
//!
//! They run under the search path and the settings that the role has, because triggers are the application's and count on
//! them; so every name in them says that it is PostgreSQL's own. Values are text that is cast to a column's type. Does not
//! own what is to be written, nor what is done about a refusal.

mod cast;
mod target;
mod texts;

pub use cast::Cast;
pub use target::{Target, TargetColumn, held, target, target_column};
pub use texts::Texts;

use super::Kind;
use super::catalog::Table;
use super::quote::identifier;
use super::session::OWN_SETTINGS;
use quittance_core::pair::Side;
use texts::column;

/// What statements change: in which table, found by what, expecting and setting which columns.
#[derive(Debug)]
pub struct Update<'t> {
    table: &'t Table,
    keys: Vec<(&'t str, Kind)>,
    expected: Vec<(&'t str, Kind)>,
    set: Vec<(&'t str, Kind, &'t str)>,
    touched: Option<(&'t str, Kind)>,
}

impl<'t> Update<'t> {
    /// Statements for columns of a side, named by their index; `touched` is set to now, unless it is set to something
    /// else. None where the table has not got one of them.
    #[must_use]
    pub fn new(
        (table, target): (&'t Table, &'t Target),
        side: &Side,
        expected: &[usize],
        set: &[usize],
        touched: Option<&str>,
    ) -> Option<Self> {
        let known = |name: &str| table.column(name).map(|(_, column)| (column.name.as_str(), column.kind));
        let of = |at: &usize| known(&side.columns.get(*at)?.name);
        let typed = |at: &usize| {
            let (name, kind) = of(at)?;
            Some((name, kind, target.column(name)?.type_name.as_str()))
        };
        let set: Vec<_> = set.iter().map(typed).collect::<Option<_>>()?;
        let is_set = |name: &str| set.iter().any(|(set, ..)| *set == name);
        let touched = match touched.filter(|name| !is_set(name)) {
            Some(name) => Some(known(name)?),
            None => None,
        };
        let of = |columns: &[usize]| columns.iter().map(of).collect::<Option<Vec<_>>>();
        Some(Self { table, keys: of(&side.identity)?, expected: of(expected)?, set, touched })
    }

    /// Changes records, as far as they hold what is expected, or whatever they hold; a row for each that was changed,
    /// with its place among them from 1.
    #[must_use]
    pub fn update(&self, rows: &[&Texts], is_checked: bool) -> String {
        let (own, back) = OWN_SETTINGS;
        let mut settings: Vec<String> = Vec::with_capacity(self.set.len() + 1);
        for (at, (name, kind, type_name)) in self.set.iter().enumerate() {
            settings.push(format!("{} = {}", identifier(name), kind.assigned(&format!("w.s{at}"), type_name)));
        }
        if let Some((name, kind)) = self.touched {
            settings.push(format!("{} = {}", identifier(name), kind.now().unwrap_or(NOW)));
        }
        let mut conditions = self.found();
        if is_checked {
            let held = |(at, (name, kind)): (usize, &(&str, Kind))| holds(name, *kind, &format!("w.e{at}"));
            conditions.extend(self.expected.iter().enumerate().map(held));
        }
        format!(
            "{own}UPDATE {} AS t SET {} FROM {} WHERE {} RETURNING w.o{back}",
            self.table.quoted(),
            settings.join(", "),
            self.wanted(rows),
            conditions.join(" AND ")
        )
    }

    /// Locks records, so that nobody else changes them; a row for each that is, with its place among them from 1. Those
    /// that somebody else holds are waited for, or passed over.
    #[must_use]
    pub fn lock(&self, rows: &[&Texts], passes_over: bool) -> String {
        let (own, back) = OWN_SETTINGS;
        let skip = if passes_over { " SKIP LOCKED" } else { "" };
        let found = self.found().join(" AND ");
        let (table, wanted) = (self.table.quoted(), self.wanted(rows));
        format!("{own}SELECT w.o FROM {table} AS t, {wanted} WHERE {found} FOR UPDATE OF t{skip}{back}")
    }

    /// Values as a table, one column for each of their columns, and `o` for their place.
    fn wanted(&self, rows: &[&Texts]) -> String {
        let mut arrays = Vec::new();
        let mut names = Vec::new();
        let mut add = |prefix: &str, count: usize, of: &dyn Fn(&Texts, usize) -> Option<String>| {
            for at in 0..count {
                arrays.push(column(rows.iter().map(|row| of(row, at))));
                names.push(format!("{prefix}{at}"));
            }
        };
        add("k", self.keys.len(), &|row, at| row.keys.get(at).cloned());
        add("e", self.expected.len(), &|row, at| row.expected.get(at).cloned().flatten());
        add("s", self.set.len(), &|row, at| row.set.get(at).cloned().flatten());
        // With several arrays this is PostgreSQL's own function, whatever the search path.
        format!("unnest({}) WITH ORDINALITY AS w({}, o)", arrays.join(", "), names.join(", "))
    }

    fn found(&self) -> Vec<String> {
        let found = |(at, (name, kind)): (usize, &(&str, Kind))| identified(name, *kind, &format!("w.k{at}"));
        self.keys.iter().enumerate().map(found).collect()
    }
}

const NOW: &str = "pg_catalog.now()";

impl Kind {
    /// What a column of this kind is set to, to say now; none where it holds no times.
    #[must_use]
    pub const fn now(self) -> Option<&'static str> {
        match self {
            Self::Timestamptz => Some(NOW),
            // As it is read.
            Self::Timestamp => Some("pg_catalog.timezone('UTC'::pg_catalog.text, pg_catalog.now())"),
            Self::Date => Some("pg_catalog.timezone('UTC'::pg_catalog.text, pg_catalog.now())::pg_catalog.date"),
            _ => None,
        }
    }

    /// The type that a text is cast to before it is compared with a column.
    const fn compared_as(self) -> &'static str {
        match self {
            Self::Integer => "pg_catalog.int8",
            Self::Numeric | Self::Money => "pg_catalog.numeric",
            Self::Float4 => "pg_catalog.float4",
            Self::Float8 => "pg_catalog.float8",
            Self::Boolean => "pg_catalog.bool",
            Self::Text | Self::Other => "pg_catalog.text",
            Self::Padded => "pg_catalog.bpchar",
            Self::Uuid => "pg_catalog.uuid",
            Self::Timestamptz => "pg_catalog.timestamptz",
            Self::Timestamp => "pg_catalog.timestamp",
            Self::Date => "pg_catalog.date",
            Self::Bytes => "pg_catalog.bytea",
            Self::Json => "pg_catalog.jsonb",
        }
    }

    /// A text as what is put into a column, whose own limits and scale it then meets as any other value would: a cast to
    /// them would cut silently.
    fn assigned(self, text: &str, type_name: &str) -> String {
        match self {
            // As text, an amount would be read in the way of the server's country.
            Self::Money => format!("{text}::pg_catalog.numeric::pg_catalog.money"),
            _ => format!("{text}::{type_name}"),
        }
    }

    const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Padded | Self::Other)
    }
}

/// Whether a column holds exactly this text, whatever its collation takes for equal.
fn exactly(column: &str, text: &str) -> String {
    format!("({column}::pg_catalog.text COLLATE pg_catalog.\"C\") OPERATOR(pg_catalog.=) {text}")
}

/// A condition that an index on the column serves.
fn identified(name: &str, kind: Kind, text: &str) -> String {
    let column = format!("t.{}", identifier(name));
    let cast = kind.compared_as();
    match kind {
        Kind::Text | Kind::Padded => {
            format!("{column} OPERATOR(pg_catalog.=) {text}::{cast} AND {}", exactly(&column, text))
        }
        Kind::Other => exactly(&column, text),
        Kind::Money | Kind::Json => format!("{column}::{cast} OPERATOR(pg_catalog.=) {text}::{cast}"),
        _ => format!("{column} OPERATOR(pg_catalog.=) {text}::{cast}"),
    }
}

fn holds(name: &str, kind: Kind, text: &str) -> String {
    let column = format!("t.{}", identifier(name));
    let cast = kind.compared_as();
    let is_equal = match kind {
        _ if kind.is_text() => exactly(&column, text),
        Kind::Money | Kind::Json => format!("{column}::{cast} OPERATOR(pg_catalog.=) {text}::{cast}"),
        _ => format!("{column} OPERATOR(pg_catalog.=) {text}::{cast}"),
    };
    format!("({is_equal} OR {column} IS NULL AND {text} IS NULL)")
}

#[cfg(test)]
mod tests;
