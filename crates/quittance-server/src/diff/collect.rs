//! Reading one side: its rows become records, each in the spool of the first rule under which it has a key.

use super::error::DiffError;
use super::key_types::KeyTypes;
use super::spool::Spool;
use crate::systems::{Reading, Sink, System, SystemError, Wanted};
use quittance_core::pair::detect::shape::Seen;
use quittance_core::pair::row::{Encoder, Record, RowError, Stray};
use quittance_core::pair::{Pair, Which};
use quittance_core::record::value::Value;
use std::io;
use std::ops::ControlFlow;

/// Longest record, in bytes, encoded.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One opened side of a pair.
pub struct Source<'s> {
    /// Name of the system.
    pub name: &'s str,
    /// The system.
    pub system: &'s mut dyn System,
    /// Which object of it.
    pub object: &'s str,
    /// Which side it is.
    pub which: Which,
}

/// The records of one side.
pub(super) struct Collected {
    /// One spool for each rule.
    pub(super) spools: Vec<Spool>,
    /// Records that have no key under any rule.
    pub(super) keyless: Spool,
    /// Values that a map should know and does not.
    pub(super) strays: Vec<Stray>,
    /// Which types its keys have.
    pub(super) key_types: KeyTypes,
    /// What was seen in each field.
    pub(super) seen: Vec<Seen>,
    /// What reading came to.
    pub(super) reading: Reading,
}

/// Takes rows of one side until it has to stop.
pub(super) struct Collector<'p> {
    encoder: Encoder<'p>,
    bytes: Vec<u8>,
    pub(super) collected: Collected,
    failure: Option<Failure>,
}

enum Failure {
    Row(RowError),
    TooLong(usize),
    Spool(io::Error),
}

impl<'p> Collector<'p> {
    pub(super) fn new(pair: &'p Pair, which: Which) -> Self {
        let rules = pair.side(which).rules.len();
        let collected = Collected {
            spools: (0..rules).map(Spool::new).collect(),
            keyless: Spool::keyless(),
            strays: Vec::new(),
            key_types: KeyTypes::new(pair.side(which)),
            seen: Vec::new(),
            reading: Reading::default(),
        };
        Self { encoder: Encoder::new(pair, which), bytes: Vec::new(), collected, failure: None }
    }

    /// Takes one row.
    pub(super) fn take(&mut self, row: &[Value<'_>]) -> ControlFlow<()> {
        self.bytes.clear();
        let taken = match self.encoder.encode(row, &mut self.bytes) {
            Ok(()) if self.bytes.len() > RECORD_BYTES_MAX => Err(Failure::TooLong(self.bytes.len())),
            Ok(()) => self.keep().map_err(Failure::Spool),
            Err(error) => Err(Failure::Row(error)),
        };
        match taken {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }

    fn keep(&mut self) -> io::Result<()> {
        self.collected.key_types.note(Record::new(&self.bytes));
        for spool in &mut self.collected.spools {
            if spool.push(Record::new(&self.bytes))? {
                return Ok(());
            }
        }
        self.collected.keyless.push(Record::new(&self.bytes)).map(drop)
    }

    /// Ends the taking.
    pub(super) fn end(mut self, pair: &Pair, reading: Reading) -> Result<Collected, DiffError> {
        let of_pair = |what, remedy: &str| DiffError::Pair { pair: pair.name.clone(), what, remedy: remedy.to_owned() };
        match self.failure {
            Some(Failure::Spool(error)) => Err(DiffError::Spool(error)),
            Some(Failure::Row(error)) => {
                Err(of_pair(error.to_string(), "remove the transform, or name another column"))
            }
            Some(Failure::TooLong(length)) => {
                let what = format!("a record of {length} bytes is longer than {RECORD_BYTES_MAX}");
                Err(of_pair(what, "compare fewer or shorter columns"))
            }
            None => {
                self.collected.strays = self.encoder.strays().to_vec();
                self.collected.seen = self.encoder.seen().to_vec();
                self.collected.reading = reading;
                Ok(self.collected)
            }
        }
    }
}

impl Source<'_> {
    /// Reads records, all or those that are looked up, and adds them to a collection.
    pub(super) fn read(&mut self, pair: &Pair, wanted: &Wanted, sink: &mut Sink<'_>) -> Result<Reading, DiffError> {
        let read = self.system.read(self.object, pair.side(self.which), wanted, sink);
        read.map_err(|source| self.error(source))
    }

    /// Reads all of it.
    pub(super) fn collect(&mut self, pair: &Pair) -> Result<Collected, DiffError> {
        let mut collector = Collector::new(pair, self.which);
        let reading = self.read(pair, &Wanted::All, &mut |row| collector.take(row))?;
        collector.end(pair, reading)
    }

    pub(super) fn error(&self, source: SystemError) -> DiffError {
        DiffError::System { system: self.name.to_owned(), source }
    }
}
