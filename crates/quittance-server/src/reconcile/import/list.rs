//! The file: bytes that are UTF-8, a header, and rows of as many cells.
//!
//! RFC 4180 with a delimiter that can be chosen; lines end in LF or CRLF, lines with nothing on them are passed over. All of it
//! is read at once: at most [`FILE_BYTES_MAX`] bytes and [`ROWS_MAX`] rows.

use super::{Bad, BadRows, ImportError};
use csv::{ByteRecord, ReaderBuilder};
use quittance_core::record::value::Value;
use quittance_store::records::RepairSource;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Longest file, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Most rows of a list.
pub const ROWS_MAX: usize = 100_000;

/// Most columns of a list.
const COLUMNS_MAX: usize = 200;

/// Put behind the file: a record of its own, unless a quote was never closed. Made of what Unicode keeps out of texts.
const END: &str = "\u{10ffff}\u{fdd0}\u{10ffff}";

/// How a file is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What stands between cells.
    pub delimiter: u8,
    /// What a cell says to say NULL, in quotes or not.
    pub null: String,
}

impl Default for Form {
    fn default() -> Self {
        Self { delimiter: b',', null: String::new() }
    }
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Which file it was.
    pub source: RepairSource,
    /// Names of the columns.
    pub header: Vec<String>,
    /// Rows with as many cells as the header, in their order.
    pub rows: Vec<Row>,
    /// Rows that have another number of them.
    pub bad: BadRows,
}

/// A row, and the line on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From 1.
    pub line: u64,
    /// NULL, or a text of which nobody has said yet what it is.
    pub cells: Vec<Value<'static>>,
}

/// Reads a file.
///
/// # Errors
///
/// [`ImportError::List`] when it cannot be read, is too long, is not UTF-8 or has no header.
pub fn read(path: &Path, form: &Form) -> Result<List, ImportError> {
    let place = path.display();
    let fails = |error: std::io::Error| {
        ImportError::list(format!("{place} cannot be read: {error}"), "name a file that this user may read")
    };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(fails)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let what = format!("{place} is longer than {} MiB", FILE_BYTES_MAX >> 20);
        return Err(ImportError::list(what, SPLIT));
    }
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let source = RepairSource { name, sha256: Sha256::digest(&bytes).into() };
    parse(source, bytes, form)
}

const SPLIT: &str = "split it; each part is written whole or not at all";

fn parse(source: RepairSource, mut bytes: Vec<u8>, form: &Form) -> Result<List, ImportError> {
    check_text(&source.name, &bytes)?;
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    let length = bytes.len();
    bytes.extend_from_slice(format!("\n{END}\n").as_bytes());
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(form.delimiter).from_reader(bytes.as_slice());
    let mut lines = Lines { bytes: &bytes, at: 0, line: 1 };
    let mut list = List { source, header: Vec::new(), rows: Vec::new(), bad: BadRows::default() };
    let mut record = ByteRecord::new();
    let mut ended = false;
    while reader.read_byte_record(&mut record).map_err(|error| ImportError::list(error.to_string(), ""))? {
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        if record.len() == 1 && &record[0] == END.as_bytes() {
            ended = true;
            continue;
        }
        if record.iter().next_back().is_some_and(|cell| cell.ends_with(format!("{END}\n").as_bytes())) {
            let what = format!("line {line} of {}: a quote is opened and never closed", list.source.name);
            return Err(ImportError::list(what, "close it, or fetch the whole file again"));
        }
        let cells: Vec<&str> = record.iter().map(|cell| std::str::from_utf8(cell).unwrap_or_default()).collect();
        if list.header.is_empty() {
            list.header = header(&list.source.name, line, &cells, form)?;
        } else if cells.len() == list.header.len() {
            let value = |cell: &&str| {
                if **cell == form.null { Value::Null } else { Value::Untyped((*cell).to_owned().into()) }
            };
            list.rows.push(Row { line, cells: cells.iter().map(value).collect() });
        } else {
            let what = format!(
                "it has {} cells, and the header {}: put cells that hold the delimiter or a line break in quotes",
                cells.len(),
                list.header.len()
            );
            list.bad.add(Bad { line, key: None, column: None, what });
        }
        if list.rows.len() > ROWS_MAX {
            return Err(ImportError::list(format!("{} has more than {ROWS_MAX} rows", list.source.name), SPLIT));
        }
    }
    if list.header.is_empty() || length == 0 || !ended {
        let what = format!("{} is empty", list.source.name);
        return Err(ImportError::list(what, "its first line names the columns"));
    }
    Ok(list)
}

/// Refuses what is not UTF-8, and says where.
fn check_text(name: &str, bytes: &[u8]) -> Result<(), ImportError> {
    let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
    let good = &bytes[..error.valid_up_to()];
    let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
    let byte = 1 + good.iter().rev().take_while(|byte| **byte != b'\n').count();
    let is_wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let remedy = if is_wide {
        "it looks like UTF-16: save it as \"CSV UTF-8\""
    } else {
        "save it as UTF-8; what a spreadsheet calls CSV may be in the encoding of one country"
    };
    Err(ImportError::list(format!("line {line} of {name}, byte {byte} of it: not UTF-8"), remedy))
}

fn header(name: &str, line: u64, cells: &[&str], form: &Form) -> Result<Vec<String>, ImportError> {
    let place = format!("line {line} of {name}");
    if cells.len() > COLUMNS_MAX {
        let what = format!("{place}: {} columns, and {COLUMNS_MAX} is the most", cells.len());
        return Err(ImportError::list(what, "keep the key and what is to be corrected"));
    }
    if let [only] = cells {
        let what = format!("{place}: its only column is `{only}`");
        let delimiter = char::from(form.delimiter);
        let remedy = format!(
            "the first line names the key and what is to be corrected; is the delimiter really {delimiter:?} (--delimiter)?"
        );
        return Err(ImportError::list(what, remedy));
    }
    let mut seen = BTreeSet::new();
    match cells.iter().find(|cell| !seen.insert(**cell)) {
        Some(twice) => Err(ImportError::list(format!("{place}: two columns are named `{twice}`"), "keep one of them")),
        None => Ok(cells.iter().map(|cell| (*cell).to_owned()).collect()),
    }
}

/// Lines by places in the file that only go forward.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line on which what begins at this place says something.
    fn of(&mut self, place: u64) -> u64 {
        let place = usize::try_from(place).unwrap_or(usize::MAX).min(self.bytes.len());
        let said = self.bytes[place..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let upto = place + said;
        self.line += self.bytes[self.at.min(upto)..upto].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = upto;
        self.line
    }
}

#[cfg(test)]
mod tests;
