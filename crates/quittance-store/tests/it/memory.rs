//! The memory store passes the suite that every store passes.

use quittance_store::conformance::{self, Harness};
use quittance_store::memory::MemoryDatabase;
use quittance_store::store::Store;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

#[test]
fn conforms() {
    conformance::run(&mut || {
        let database = MemoryDatabase::new();
        let copied = database.clone();
        let lane = || -> Box<dyn Store> { Box::new(database.writer()) };
        Harness {
            lanes: vec![lane(), lane()],
            reader: Box::new(database.reader()),
            snapshot: Box::new(move || Box::new(copied.snapshot())),
            keep: Box::new(()),
        }
    });
}

#[test]
fn conforms_where_others_write() {
    let time = Arc::new(AtomicI64::new(1_800_000_000_000_000));
    conformance::run(&mut || {
        let database = MemoryDatabase::new();
        let copied = database.clone();
        let lane = || -> Box<dyn Store> { Box::new(database.shared_writer(&time)) };
        Harness {
            lanes: vec![lane(), lane()],
            reader: Box::new(database.reader()),
            snapshot: Box::new(move || Box::new(copied.snapshot())),
            keep: Box::new(()),
        }
    });
}
