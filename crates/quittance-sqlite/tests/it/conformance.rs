//! SQLite passes the suite that every store passes.

use quittance_sqlite::SqliteDatabase;
use quittance_store::conformance::{self, Harness};

#[test]
fn conforms() {
    conformance::run(&mut || {
        let directory = tempfile::tempdir().unwrap();
        Harness {
            lanes: vec![Box::new(SqliteDatabase::open_for_writing(directory.path()).unwrap())],
            reader: Box::new(SqliteDatabase::open_reader(directory.path()).unwrap()),
            keep: Box::new(directory),
        }
    });
}
