//! The contract of a store, as cases that every store passes: memory, SQLite, PostgreSQL.
//!
//! A store's tests call [`run`] with a function that makes an empty store. What a store alone can do (being killed,
//! running out of space) is tested beside it.

#![expect(clippy::unwrap_used, reason = "tests, though shared between crates: a store that fails is a failed case")]

mod copies;
mod model;
mod queues;
mod sample;
mod scans;
mod transactions;
mod writes;

use crate::store::{Reader, Snapshot, Store};
use std::any::Any;

/// An empty store under test.
pub struct Harness {
    /// Its writers: one, or several where several may write at once.
    pub lanes: Vec<Box<dyn Store>>,
    /// A reader of the same data.
    pub reader: Box<dyn Reader>,
    /// Opens a snapshot of the same data as it is now.
    pub snapshot: Box<dyn Fn() -> Box<dyn Snapshot>>,
    /// What must live as long as the store, such as its directory; dropped last.
    pub keep: Box<dyn Any>,
}

/// One case: a name and what it does with empty stores.
pub type Case = (&'static str, fn(&mut dyn FnMut() -> Harness));

/// Runs every case.
///
/// # Panics
///
/// When the store breaks the contract; the name of the case is the last one printed.
pub fn run(fresh: &mut dyn FnMut() -> Harness) {
    for (name, case) in [writes::CASES, transactions::CASES, queues::CASES, scans::CASES, copies::CASES].concat() {
        println!("conformance: {name}");
        case(fresh);
    }
}
