//! A backup: every row of a store in one stream of bytes, independent of the store it came from.
//!
//! The stream begins with a prefix that is never compressed ([`Prefix`]); frames follow, which may be: a header, the
//! tables in declared order, their rows in the order of their keys with a count and a digest behind each table, and at
//! the end a digest over everything before it. So a stream that was cut, changed, or put together from two is told from
//! a whole one without a store. Neither end holds more than some rows in memory.
//!
//! Does not own files, compression, nor what is right to do with the rows.

mod error;
mod format;
mod frames;
mod input;
mod output;
#[cfg(test)]
mod tests;

pub use error::BackupError;
pub use format::{Compression, Header, Prefix, Summary, TableSummary};
pub use input::BackupInput;
pub use output::{Fetch, write};
