//! Finders over real systems, beyond what the command line shows: their limit, and what the ledger holds.

use quittance_server::find::{self, List, RECORDS_MAX};
use quittance_server::systems::sqlite::{PATIENCE, Sqlite};
use quittance_server::systems::{Blame, System};
use rusqlite::Connection;
use std::collections::BTreeMap;
use tempfile::TempDir;

fn people(schema: &str) -> (TempDir, Sqlite) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("app.db");
    Connection::open(&path).unwrap().execute_batch(schema).unwrap();
    let system = Sqlite::open("app", &path, PATIENCE).unwrap();
    (folder, system)
}

fn list(system: &mut dyn System, records_max: usize) -> List<'_> {
    List { system_name: "app", system, object: "people", columns: BTreeMap::new(), records_max }
}

#[test]
fn a_list_with_too_many_records_is_refused_and_nothing_is_told() {
    let rows = "CREATE TABLE people (id INTEGER, email TEXT); INSERT INTO people VALUES (1, 'a'), (2, 'a'), (3, 'b')";
    let (_folder, mut system) = people(rows);
    assert_eq!(find::duplicate_customers(list(&mut system, 3)).unwrap().report.found, 1);
    let error = find::duplicate_customers(list(&mut system, 2)).unwrap_err();
    assert_eq!((error.blame, error.what.contains("more than 2 records")), (Blame::Configuration, true), "{error:?}");
}

#[test]
fn columns_within_json_are_found_by_a_pointer() {
    let (_folder, mut system) = people(
        "CREATE TABLE people (id INTEGER, profile JSON);
         INSERT INTO people VALUES (1, '{\"mail\": \"A@b.c\", \"vat\": [\"DE 1\", \"FR2\"]}'), (2, '{\"mail\": \"a@b.c\"}'),
            (3, '{\"vat\": [\"fr-2\"]}')",
    );
    let columns = [("email", "profile|/mail"), ("tax_id", "profile|/vat")];
    let columns = columns.map(|(role, column)| (role.to_owned(), column.to_owned()));
    let list = List { columns: columns.into(), ..list(&mut system, RECORDS_MAX) };
    let outcome = find::duplicate_customers(list).unwrap();
    let subjects: Vec<_> = outcome.report.findings.iter().map(|finding| finding.subjects.join(" ")).collect();
    assert_eq!(subjects, ["1 2", "1 3"]);
}
