//! The memory store passes the suite that every store passes.

use quittance_store::conformance::{self, Harness};
use quittance_store::memory::MemoryDatabase;
use quittance_store::store::Store;

#[test]
fn conforms() {
    conformance::run(&mut || {
        let database = MemoryDatabase::new();
        let lane = || -> Box<dyn Store> { Box::new(database.writer()) };
        Harness { lanes: vec![lane(), lane()], reader: Box::new(database.reader()), keep: Box::new(()) }
    });
}
