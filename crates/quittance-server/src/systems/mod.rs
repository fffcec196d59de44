//! Systems: what holds records, opened for one comparison.
//!
//! Owns the port through which a run reads, and what it may learn from it. Each system has a file of its own, with the
//! sockets and files it needs; which statements and requests there are, and what their answers mean, is in the
//! connectors. A reader never writes: whoever changes records needs a [`write::Writer`]. Does not own what is compared.
//!
//! A system is read on a thread of its own and blocks it.

pub mod csv;
mod error;
pub mod http;
pub mod ledger;
pub(crate) mod names;
mod objects;
pub mod open;
pub mod paced;
pub mod postgres;
pub mod sqlite;
pub mod stripe;
mod web;
pub mod write;

pub use error::{Blame, SystemError};
pub use web::Patience;

use quittance_core::pair::Side;
use quittance_core::pair::digest::Digest;
use quittance_core::record::value::{Type, Value};
use quittance_core::time::Timestamp;
use std::ops::ControlFlow;

/// What a system knows of one of its objects before anything is read: a table, a list of an API, a file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Description {
    /// Its columns in their order, with their types where they are declared. Empty where an object may have any field.
    pub columns: Vec<(String, Option<Type>)>,
    /// Names of the columns that tell two records apart: the primary key, `id`.
    pub identity: Vec<String>,
    /// Names of columns that are there and may not be read.
    pub unreadable: Vec<String>,
}

/// Which records are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    All,
    /// Those whose columns, named by their index in the side, hold one of these.
    Where {
        /// The columns.
        columns: Vec<usize>,
        /// Values for each of them, before any transform; at most [`LOOKUPS_MAX`], none of them nothing.
        values: Vec<Vec<Value<'static>>>,
    },
}

/// Most records that are looked up by one call.
pub const LOOKUPS_MAX: usize = 500;

/// What reading came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Reading {
    /// Rows handed over.
    pub rows: u64,
    /// Checksums handed over in the place of rows.
    pub sums: u64,
    /// Statements or requests it took.
    pub requests: u64,
    /// Up to when what was read is complete, by the system's own clock where it has one.
    pub as_of: Option<Timestamp>,
}

/// Takes rows, one at a time, as values in the order of the side's columns. Breaks when it wants no more, which is its
/// own business.
pub type Sink<'a> = dyn FnMut(&[Value<'_>]) -> ControlFlow<()> + 'a;

/// Something that holds records. Named port: what a run needs from outside.
pub trait System: Send {
    /// Names what it has: its tables, lists or files, in the order of their names. Empty where it cannot say.
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    fn objects(&mut self) -> Result<Vec<String>, SystemError> {
        Ok(Vec::new())
    }

    /// Describes one of its objects.
    ///
    /// # Errors
    ///
    /// When there is no such object, or it cannot be reached.
    fn describe(&mut self, object: &str) -> Result<Description, SystemError>;

    /// Reads records of an object, each once, in any order. (A record that changed while a list moved under the reader may
    /// come a second time; the later reading counts.) All that is read until [`System::refresh`] is of one moment,
    /// where the system can do so. What cannot be read to its end is an error, never a short reading.
    ///
    /// # Errors
    ///
    /// When a column does not exist, when it cannot be reached any more, when what it says makes no sense.
    fn read(&mut self, object: &str, side: &Side, wanted: &Wanted, sink: &mut Sink<'_>)
    -> Result<Reading, SystemError>;

    /// Whether records can be found by these columns of a side without reading all of them.
    fn can_find(&self, object: &str, side: &Side, columns: &[usize]) -> bool;

    /// How many records one request looks up.
    fn lookups_per_request(&self) -> usize {
        LOOKUPS_MAX
    }

    /// Identities of records that were looked up since this was last asked, and that the system remembers having
    /// deleted. They are in no reading: to a comparison they are not there.
    fn take_deleted(&mut self) -> Vec<Vec<Value<'static>>> {
        Vec::new()
    }

    /// Ends the moment of which everything was read: what is read next is of now.
    ///
    /// # Errors
    ///
    /// When it cannot be reached any more.
    fn refresh(&mut self) -> Result<(), SystemError>;

    /// How many records it has roughly, if it can say for nothing.
    fn estimate(&mut self, object: &str) -> Result<Option<u64>, SystemError>;

    /// Checksums of ranges of keys, if the system can make them itself.
    fn checksums(&mut self) -> Option<&mut dyn Checksums> {
        None
    }
}

/// A range of keys: from the first to before the second, either of them open where it is none. Keys are the values of a
/// rule's columns, before any transform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least key in it.
    pub from: Option<Vec<Value<'static>>>,
    /// The least key that is not in it any more.
    pub to: Option<Vec<Value<'static>>>,
}

/// Parts of a range.
pub const PARTS: usize = quittance_connectors::sql::postgres::checksum::PARTS;

/// Some parts of ranges.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'p> {
    /// The run's key.
    pub key: &'p [u8; 32],
    /// For each range, a bit for each part that is meant.
    pub masks: &'p [u16],
}

/// Makes checksums where the records are. Two systems may be compared so when both have the same
/// [`Checksums::method`] for the pair.
pub trait Checksums {
    /// Names the way the checksum of a record is made, if there is one for this side: the same name, the same number for
    /// the same canonical values, whatever the system. `field_types` are what both sides' fields are read as.
    ///
    /// # Errors
    ///
    /// When the object cannot be described.
    fn method(&mut self, object: &str, side: &Side) -> Result<Option<String>, SystemError>;

    /// Keys that cut an object into about so many ranges of equal size, in order.
    ///
    /// # Errors
    ///
    /// When it cannot be reached any more.
    fn quantiles(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: usize,
    ) -> Result<Vec<Vec<Value<'static>>>, SystemError>;

    /// Count and sum of the checksums of the records of each range, under a run's key. Records without a key are in
    /// none.
    ///
    /// # Errors
    ///
    /// When it cannot be reached any more.
    fn sums(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: &[Range],
        key: &[u8; 32],
    ) -> Result<Vec<Digest>, SystemError>;

    /// The same for each of the [`PARTS`] parts of each range, among which a hash of their keys, under the run's key,
    /// divides the records.
    ///
    /// # Errors
    ///
    /// When it cannot be reached any more.
    fn sums_of_parts(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: &[Range],
        key: &[u8; 32],
    ) -> Result<Vec<[Digest; PARTS]>, SystemError>;

    /// Reads the records of ranges, or of some of their parts, as [`System::read`] does.
    ///
    /// # Errors
    ///
    /// As [`System::read`].
    fn read_ranges(
        &mut self,
        object: &str,
        side: &Side,
        rule: usize,
        ranges: &[Range],
        parts: Option<Parts<'_>>,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError>;

    /// How many records have no key under a rule.
    ///
    /// # Errors
    ///
    /// When it cannot be reached any more.
    fn keyless(&mut self, object: &str, side: &Side, rule: usize) -> Result<u64, SystemError>;
}
