//! Rows, declared once, and the verbs that move them.
//!
//! The tables of Quittance are values here ([`tables`]); SQLite, PostgreSQL and the memory store are generic over them,
//! and one conformance suite judges all of them. [`records`] converts between domain values and rows and owns the
//! versioned binary formats.
//!
//! **The store and its engines know rows, never billing rules: no rule is decided in SQL or here, no clock is read, and
//! nothing waits on a network inside a transaction.** Every promise of "once" that the core makes is *also* a
//! constraint in a declaration.

pub mod backup;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod ddl;
pub mod master;
pub mod memory;
pub mod records;
pub mod rounds;
pub mod schema;
pub mod seal;
pub mod sealed;
pub mod shape;
pub mod store;
pub mod tables;
pub mod value;
