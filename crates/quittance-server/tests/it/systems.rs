//! Systems, read from real files and over real connections.

mod csv;
mod http;
mod ledger;
mod open;
mod postgres;
pub mod provider;
mod sqlite;
mod stripe;

use quittance_core::pair::{Column, Side};
use quittance_core::record::value::Value;
use quittance_server::systems::{Blame, System, SystemError, Wanted};
use std::ops::ControlFlow;

/// A side of these columns; what stands behind `|` is a pointer.
fn side(columns: &[&str]) -> Side {
    let column = |text: &&str| match text.split_once('|') {
        Some((name, pointer)) => Column { pointer: Some(pointer.to_owned()), ..Column::plain(name) },
        None => Column::plain(*text),
    };
    Side { columns: columns.iter().map(column).collect(), ..Side::default() }
}

/// Each row as one text, types included.
fn read(system: &mut dyn System, object: &str, columns: &[&str], wanted: &Wanted) -> Result<Vec<String>, SystemError> {
    let mut rows = Vec::new();
    let reading = system.read(object, &side(columns), wanted, &mut |row| {
        let shown = |value: &Value<'_>| match value.value_type() {
            Some(kind) => format!("{kind:?} {value}"),
            None => value.to_string(),
        };
        rows.push(row.iter().map(shown).collect::<Vec<_>>().join(" | "));
        ControlFlow::Continue(())
    })?;
    assert_eq!(reading.rows, rows.len() as u64);
    Ok(rows)
}

fn read_all(system: &mut dyn System, object: &str, columns: &[&str]) -> Vec<String> {
    read(system, object, columns, &Wanted::All).unwrap()
}

/// Rows by the values of these columns.
fn find(
    system: &mut dyn System,
    object: &str,
    columns: &[&str],
    searched: &[usize],
    values: &[&[Value<'static>]],
) -> Vec<String> {
    let values = values.iter().map(|tuple| tuple.to_vec()).collect();
    read(system, object, columns, &Wanted::Where { columns: searched.to_vec(), values }).unwrap()
}

/// Checks an error: whose it is, and words of what is wrong and what would be right.
fn check_error<T>(result: Result<T, SystemError>, blame: Blame, words: &[&str]) {
    let error = result.err().expect("it fails");
    let text = format!("{error}; {}", error.remedy);
    assert_eq!(error.blame, blame, "{text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in {text:?}");
    }
}
