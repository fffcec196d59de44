//! The embedded store: one SQLite database in a directory, one writer at a time, readers beside it.
//!
//! Generic over the declarations in `quittance_store::tables`; the numbered files in `migrations/` are those
//! declarations as SQL. Each transaction is durable when it returns: write-ahead log, synced on every commit.
//!
//! **This crate knows rows, never billing rules; it reads no clock, and every value reaches SQL as a parameter.**

mod database;
mod errors;
mod load;
mod migrations;
mod reader;
mod rows;
mod snapshot;
mod sql;
mod store;

pub use database::SqliteDatabase;
pub use reader::SqliteReader;
pub use snapshot::SqliteSnapshot;
pub use store::SqliteStore;
