//! Databases of others: which statements read a table, and what the stored values mean. Opens nothing and runs nothing.

pub mod postgres;
pub mod sqlite;
