//! Sorting more records than fit into memory: runs are sorted, put on the disk, and read back merged.
//!
//! The files have no names, so that nothing is left behind however a run ends, and only this process can read them.

use quittance_core::pair::join::Sorted;
use quittance_core::pair::row::Record;
use quittance_core::pair::run::{Run, RunReader};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};

/// Memory that one spool takes for records, in bytes. Two sides with two rules each have four.
const MEMORY_BYTES: usize = 32 * 1024 * 1024;

/// Bytes that are read at once of each run.
const READ_BYTES: usize = 128 * 1024;

/// Records on their way to be sorted by one rule's key.
pub struct Spool {
    rule: usize,
    run: Run,
    files: Vec<File>,
    memory_bytes: usize,
}

impl Spool {
    /// A spool that will be sorted by the key of this rule.
    #[must_use]
    pub fn new(rule: usize) -> Self {
        Self::with_memory(rule, MEMORY_BYTES)
    }

    /// A spool for records without a key, in the order of their identities.
    pub(super) fn keyless() -> Self {
        Self { run: Run::keyless(), ..Self::new(usize::MAX) }
    }

    pub(super) fn with_memory(rule: usize, memory_bytes: usize) -> Self {
        Self { rule, run: Run::new(rule), files: Vec::new(), memory_bytes }
    }

    /// Takes a record that has a key under the rule; says whether it had.
    ///
    /// # Errors
    ///
    /// When a temporary file cannot be written.
    pub fn push(&mut self, record: Record<'_>) -> io::Result<bool> {
        let is_taken = self.run.push(record);
        if self.run.size() > self.memory_bytes {
            self.spill()?;
        }
        Ok(is_taken)
    }

    fn spill(&mut self) -> io::Result<()> {
        self.run.sort();
        let mut out = BufWriter::with_capacity(READ_BYTES, tempfile::tempfile()?);
        let mut reader = self.run.reader();
        while reader.advance().unwrap_or_else(|never| match never {}) {
            let bytes = reader.record().bytes();
            out.write_all(&(bytes.len() as u32).to_le_bytes())?;
            out.write_all(bytes)?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.files.push(file);
        self.run.clear();
        Ok(())
    }

    /// Ends the taking; what was taken can be read in order.
    ///
    /// # Errors
    ///
    /// When a temporary file cannot be written.
    pub fn sorted(mut self) -> io::Result<Pile> {
        if self.files.is_empty() {
            self.run.sort();
            return Ok(Pile::Memory(self.run));
        }
        if !self.run.is_empty() {
            self.spill()?;
        }
        Ok(Pile::Disk(self.rule, self.files))
    }
}

/// Sorted records.
pub enum Pile {
    /// All in memory.
    Memory(Run),
    /// In runs on the disk.
    Disk(usize, Vec<File>),
}

impl Pile {
    /// Reads them in order, once.
    ///
    /// # Errors
    ///
    /// When a temporary file cannot be read.
    pub fn reader(&mut self) -> io::Result<PileReader<'_>> {
        Ok(match self {
            Self::Memory(run) => PileReader::Memory(run.reader()),
            Self::Disk(rule, files) => PileReader::Disk(Merge::new(*rule, files)?),
        })
    }
}

/// Sorted records that are being read.
pub enum PileReader<'a> {
    /// From memory.
    Memory(RunReader<'a>),
    /// From runs on the disk.
    Disk(Merge<'a>),
}

impl Sorted for PileReader<'_> {
    type Error = io::Error;

    fn advance(&mut self) -> io::Result<bool> {
        match self {
            Self::Memory(reader) => Ok(reader.advance().unwrap_or_else(|never| match never {})),
            Self::Disk(merge) => merge.advance(),
        }
    }

    fn record(&self) -> Record<'_> {
        match self {
            Self::Memory(reader) => reader.record(),
            Self::Disk(merge) => merge.record(),
        }
    }
}

/// Several sorted files, read as one.
pub struct Merge<'a> {
    rule: usize,
    files: Vec<BufReader<&'a mut File>>,
    heads: BinaryHeap<Reverse<Head>>,
    current: Option<Head>,
}

/// The next record of a file, in the order of a run: by key, by identity, and then by the time it was read.
struct Head {
    rule: usize,
    bytes: Vec<u8>,
    file: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (Record::new(&self.bytes), Record::new(&other.bytes));
        let key = |record: Record<'_>| record.key_range(self.rule).map_or(0..0, |range| range);
        let by_key = self.bytes[key(one)].cmp(&other.bytes[key(two)]);
        by_key.then_with(|| one.identity().cmp(two.identity())).then(self.file.cmp(&other.file))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

impl<'a> Merge<'a> {
    fn new(rule: usize, files: &'a mut [File]) -> io::Result<Self> {
        let mut readers = Vec::with_capacity(files.len());
        for file in files {
            file.rewind()?;
            readers.push(BufReader::with_capacity(READ_BYTES, file));
        }
        let mut merge = Self { rule, files: readers, heads: BinaryHeap::new(), current: None };
        for file in 0..merge.files.len() {
            merge.refill(file, Vec::new())?;
        }
        Ok(merge)
    }

    fn refill(&mut self, file: usize, mut bytes: Vec<u8>) -> io::Result<()> {
        let mut length = [0; 4];
        match self.files[file].read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        bytes.resize(u32::from_le_bytes(length) as usize, 0);
        self.files[file].read_exact(&mut bytes)?;
        self.heads.push(Reverse(Head { rule: self.rule, bytes, file }));
        Ok(())
    }

    fn advance(&mut self) -> io::Result<bool> {
        if let Some(Head { bytes, file, .. }) = self.current.take() {
            self.refill(file, bytes)?;
        }
        self.current = self.heads.pop().map(|Reverse(head)| head);
        Ok(self.current.is_some())
    }

    fn record(&self) -> Record<'_> {
        Record::new(self.current.as_ref().map_or(&[], |head| &head.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::pair::row::Encoder;
    use quittance_core::pair::{Column, Pair, Side, Which};
    use quittance_core::record::value::Value;

    fn read(mut pile: Pile) -> Vec<Vec<u8>> {
        let mut reader = pile.reader().expect("readable");
        let mut records = Vec::new();
        while reader.advance().expect("readable") {
            records.push(reader.record().bytes().to_owned());
        }
        records
    }

    #[test]
    fn what_is_spilled_comes_back_as_if_it_had_not_been() {
        let side =
            Side { columns: vec![Column::plain("id")], identity: vec![0], rules: vec![vec![0]], ..Side::default() };
        let pair = Pair { name: "test".to_owned(), left: side.clone(), right: side, fields: Vec::new() };
        let mut encoder = Encoder::new(&pair, Which::Left);
        let (mut memory, mut disk) = (Spool::new(0), Spool::with_memory(0, 1_000));
        for number in 0_i64..500 {
            let mut bytes = Vec::new();
            encoder.encode(&[Value::integer(number * 7_919 % 251)], &mut bytes).expect("no transforms");
            for spool in [&mut memory, &mut disk] {
                assert!(spool.push(Record::new(&bytes)).expect("writable"));
            }
        }
        assert!(disk.files.len() > 10, "it was spilled");
        let (memory, disk) = (memory.sorted().expect("writable"), disk.sorted().expect("writable"));
        assert_eq!(read(memory), read(disk));
    }
}
