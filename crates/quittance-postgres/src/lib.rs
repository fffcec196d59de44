//! The production store: any number of processes, and lanes inside one, write to one PostgreSQL at the same time.
//!
//! Generic over the declarations in `quittance_store::tables`; the numbered files in `migrations/` are those
//! declarations as SQL, in a schema `quittance` of its own. What a transaction decides over is read, locked and current,
//! so that it decides what it would if transactions ran one after another; what it writes is durable when it returns.
//! Also owns how a PostgreSQL is reached ([`address`], [`tls`]), for whoever else asks one.
//!
//! **This crate knows rows, never billing rules; it reads no clock but the database's, and every value reaches SQL as a
//! parameter.** It blocks the thread that asks, which must not be one of an asynchronous runtime.

pub mod address;
mod database;
mod durability;
mod errors;
mod facts;
mod gone;
mod lane;
mod link;
mod load;
mod locks;
mod migrations;
mod options;
mod plan;
mod reader;
mod rounds;
mod snapshot;
mod sql;
mod store;
pub mod tls;
mod transaction;
mod values;
mod writer;

pub use database::PostgresDatabase;
pub use durability::Risk;
pub use options::Options;
pub use reader::PostgresReader;
pub use snapshot::PostgresSnapshot;
pub use store::PostgresStore;
