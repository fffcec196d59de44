//! PostgreSQL as a system: statements that describe, read, sum up and change a table, and what their answers mean.
//!
//! Everything is text in both directions: statements hold their values as quoted literals, because `COPY` takes no
//! parameters, and answers are read as PostgreSQL prints them under [`session::settings`]. Does not own connections.

mod array;
pub mod catalog;
pub mod checksum;
pub mod copy;
mod kind;
mod lookup;
pub mod quote;
pub mod ranges;
mod reader;
pub mod session;
pub(in crate::sql) mod time;
pub mod write;

pub use kind::{Kind, Malformed};
pub use lookup::lookup;
pub use reader::{Reader, UnknownColumn};
