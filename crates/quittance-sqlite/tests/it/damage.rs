//! Damaged pages are reported, never read as data.

use crate::support::append;
use quittance_sqlite::SqliteDatabase;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{self, JOURNAL};
use std::fs;
use std::path::Path;

const PAGE_BYTES: usize = 4096;

fn with_data(directory: &Path) -> Vec<u8> {
    let mut store = SqliteDatabase::open_for_writing(directory).unwrap();
    (1..=20).for_each(|number| append(&mut store, number, 400).unwrap());
    drop(store);
    fs::read(directory.join("quittance.db")).unwrap()
}

/// Reads everything.
fn read_all(directory: &Path) -> Result<(), StoreError> {
    let mut reader = SqliteDatabase::open_reader(directory)?;
    for table in tables::ALL {
        for index in [None].into_iter().chain(table.indexes.iter().map(Some)) {
            reader.scan(&Scan { index, ..Scan::forward(table, Vec::new(), usize::MAX) })?;
        }
    }
    Ok(())
}

#[test]
fn every_damaged_page_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let sound = with_data(directory.path());
    let path = directory.path().join("quittance.db");
    SqliteDatabase::check_integrity(directory.path()).unwrap();
    read_all(directory.path()).unwrap();
    assert!(sound.len() > 20 * PAGE_BYTES);
    for page in 0..sound.len() / PAGE_BYTES {
        let mut damaged = sound.clone();
        // The kind of the page; on the first, the mark of the file.
        damaged[page * PAGE_BYTES] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        let checked = SqliteDatabase::check_integrity(directory.path());
        assert!(matches!(checked, Err(StoreError::Corrupt { .. })), "page {page}: {checked:?}");
    }
}

#[test]
fn damage_names_its_table() {
    let directory = tempfile::tempdir().unwrap();
    let sound = with_data(directory.path());
    let marker = [3; 100];
    let at = sound.windows(marker.len()).position(|bytes| bytes == marker).expect("a record's body");
    let mut damaged = sound;
    damaged[at / PAGE_BYTES * PAGE_BYTES] ^= 0x10;
    fs::write(directory.path().join("quittance.db"), &damaged).unwrap();
    let read = read_all(directory.path());
    assert!(matches!(&read, Err(StoreError::Corrupt { place, .. }) if place == JOURNAL.name), "{read:?}");
    SqliteDatabase::open_for_writing(directory.path()).unwrap();
}
