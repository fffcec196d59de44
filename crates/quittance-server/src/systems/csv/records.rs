//! One CSV file, record by record, with the line where each begins. What is not a whole, rectangular file of UTF-8 is an
//! error, never a short reading.

use crate::systems::SystemError;
use csv::{ByteRecord, Reader, ReaderBuilder};
use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

/// Longest record that is read, in bytes; a quote that is never closed would make one of the whole file.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Put behind the file: a record of its own, unless a quote was never closed, which the parser takes for the end of the
/// cell. Made of what Unicode keeps out of texts, and no delimiter is in it.
const END: &str = "\u{10ffff}\u{fdd0}\u{10ffff}";

/// A file that is being read.
pub(super) struct Records {
    system: String,
    path: PathBuf,
    begun: Metadata,
    reader: Reader<Lines>,
    header: Vec<String>,
    record: ByteRecord,
}

/// The cells of one record.
pub(super) struct Cells<'a>(&'a ByteRecord);

impl<'a> Cells<'a> {
    /// A cell by its place.
    pub(super) fn get(&self, place: usize) -> &'a str {
        std::str::from_utf8(&self.0[place]).expect("a record is checked before it is handed out")
    }
}

impl Records {
    /// Opens a file and reads its header.
    pub(super) fn open(system: &str, path: &Path, delimiter: u8) -> Result<Self, SystemError> {
        let place = path.display();
        let fails = |error: io::Error| {
            let what = format!("{place} of the system `{system}` cannot be opened");
            SystemError::outside(what, "let this user read the file").because(error)
        };
        let file = File::open(path).map_err(fails)?;
        let begun = file.metadata().map_err(fails)?;
        let end = Cursor::new(format!("\n{END}\n").into_bytes());
        let lines = Lines { inner: BufReader::new(file.chain(end)), ended: 0, left: RECORD_BYTES_MAX };
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(lines);
        let mut records = Self {
            system: system.to_owned(),
            path: path.to_owned(),
            begun,
            reader,
            header: Vec::new(),
            record: ByteRecord::new(),
        };
        records.header = records.read_header()?;
        Ok(records)
    }

    /// Names of the columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Bytes read so far.
    pub(super) fn offset(&self) -> u64 {
        self.reader.position().byte()
    }

    /// Bytes of the file.
    pub(super) fn size(&self) -> u64 {
        self.begun.len()
    }

    /// Reads the next record; none at the end of the file.
    pub(super) fn advance(&mut self) -> Result<Option<Cells<'_>>, SystemError> {
        if !self.next()? {
            self.check_unchanged()?;
            return Ok(None);
        }
        let (cells, columns) = (self.record.len(), self.header.len());
        if cells != columns {
            let what = format!("it has {cells} cells, and the header {columns}");
            return Err(self.wrong(&what, "put cells that hold the delimiter or a line break in quotes"));
        }
        Ok(Some(Cells(&self.record)))
    }

    fn read_header(&mut self) -> Result<Vec<String>, SystemError> {
        if !self.next()? {
            let what = format!("{} of the system `{}` is empty", self.path.display(), self.system);
            return Err(SystemError::outside(what, "the first line names the columns"));
        }
        let cells = Cells(&self.record);
        let header: Vec<String> = (0..self.record.len()).map(|place| cells.get(place).to_owned()).collect();
        let mut seen = BTreeSet::new();
        match header.iter().find(|name| !seen.insert(name.as_str())) {
            Some(twice) => Err(self.wrong(&format!("two columns are named `{twice}`"), "give each a name of its own")),
            None => Ok(header),
        }
    }

    /// Reads a record of UTF-8; says whether there was one.
    fn next(&mut self) -> Result<bool, SystemError> {
        self.reader.get_mut().left = RECORD_BYTES_MAX;
        let line = self.reader.get_ref().ended + 1;
        let is_read = self.reader.read_byte_record(&mut self.record);
        let is_read = is_read.map_err(|error| {
            let what = format!("the record at line {line} of {} cannot be read", self.path.display());
            SystemError::outside(what, "").because(error)
        })?;
        if !is_read && self.header.is_empty() {
            // A byte order mark and nothing else is the end before anything behind it is asked for.
            return Ok(false);
        }
        let last = self.record.iter().next_back().unwrap_or_default();
        if is_read && self.record.len() == 1 && last == END.as_bytes() {
            return Ok(false);
        }
        if !is_read || last.strip_suffix(b"\n").is_some_and(|cell| cell.ends_with(END.as_bytes())) {
            let what = format!("line {line} of {}: a quote is opened and never closed", self.path.display());
            return Err(SystemError::outside(what, "close it, or fetch the whole file again"));
        }
        // Each cell by itself: a character may begin in one and end in the next.
        if let Some(place) = self.record.iter().position(|cell| std::str::from_utf8(cell).is_err()) {
            let what = format!("{} is not UTF-8", self.column(place));
            return Err(self.wrong(&what, "export it as UTF-8"));
        }
        Ok(true)
    }

    /// A column, as people name or count it.
    fn column(&self, place: usize) -> String {
        self.header.get(place).map_or_else(|| format!("column {}", place + 1), |name| format!("column `{name}`"))
    }

    fn wrong(&self, what: &str, remedy: &str) -> SystemError {
        // The record ends where the reading stands.
        let breaks = self.record.as_slice().iter().filter(|byte| **byte == b'\n').count();
        let line = self.reader.get_ref().ended.saturating_sub(breaks as u64);
        SystemError::outside(format!("line {line} of {}: {what}", self.path.display()), remedy)
    }

    /// What changed while it was read is neither the old file nor the new one.
    fn check_unchanged(&self) -> Result<(), SystemError> {
        let now = self.path.metadata();
        let is_same =
            now.is_ok_and(|now| now.len() == self.begun.len() && now.modified().ok() == self.begun.modified().ok());
        if is_same {
            return Ok(());
        }
        let what = format!("{} of the system `{}` changed while it was read", self.path.display(), self.system);
        Err(SystemError::outside(what, "try again when nobody writes to it"))
    }
}

/// Hands out at most one line at a time, so that the number of lines handed out is the line where the last record ends,
/// and nothing more when one record took too much.
struct Lines {
    inner: BufReader<Chain<File, Cursor<Vec<u8>>>>,
    /// Lines handed out to their end.
    ended: u64,
    /// Bytes that this record may still take.
    left: usize,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.inner.fill_buf()?;
        let available = &available[..available.len().min(buffer.len())];
        let end = available.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(available.len(), |end| end + 1);
        buffer[..count].copy_from_slice(&available[..count]);
        self.inner.consume(count);
        self.ended += u64::from(end.is_some());
        self.left = self.left.checked_sub(count).ok_or_else(|| {
            let what = format!("it is longer than {RECORD_BYTES_MAX} bytes; is a quote opened and never closed?");
            io::Error::new(io::ErrorKind::InvalidData, what)
        })?;
        Ok(count)
    }
}
