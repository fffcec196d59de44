//! SQLite passes the suite that every store passes.

use quittance_sqlite::SqliteDatabase;
use quittance_store::conformance::{self, Harness};

#[test]
fn conforms() {
    conformance::run(&mut || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        Harness {
            lanes: vec![Box::new(SqliteDatabase::open_for_writing(directory.path()).unwrap())],
            reader: Box::new(SqliteDatabase::open_reader(directory.path()).unwrap()),
            snapshot: Box::new(move || Box::new(SqliteDatabase::open_snapshot(&path).unwrap())),
            keep: Box::new(directory),
        }
    });
}
