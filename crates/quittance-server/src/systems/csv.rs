//! A folder of CSV files: an object is a file in it, with a header.
//!
//! Files are RFC 4180 with the configured delimiter: cells in quotes may hold delimiters, quotes and line breaks, lines
//! end in LF or CRLF, lines without anything are passed over. A cell is text without a type, and NULL where it is the
//! configured text, in quotes or not. A file is read as a stream and never held whole. It has no identity, so records are
//! told apart by what they are matched by, and nothing is found without reading all of it.

mod records;

use super::{Description, Reading, Sink, System, SystemError, Wanted, names};
use quittance_connectors::record::value_at;
use quittance_core::pair::{Column, Side};
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;
use records::Records;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Most files of a folder that are looked at for one that was meant.
const FILES_MAX: usize = 1_000;

/// Records by which the number of all of them is guessed.
const SAMPLE: u64 = 100;

/// One folder of files.
pub struct Csv {
    name: String,
    folder: PathBuf,
    delimiter: u8,
    null: String,
}

impl Csv {
    /// Opens the folder of a system.
    ///
    /// # Errors
    ///
    /// [`super::Blame::Configuration`] when there is no such folder.
    pub fn open(name: &str, folder: &Path, delimiter: u8, null: &str) -> Result<Self, SystemError> {
        if !folder.is_dir() {
            let place = folder.display();
            let (what, remedy) = if folder.is_file() {
                (format!("{place} of the system `{name}` is a file"), "name its folder, and the file in the pair")
            } else {
                (format!("there is no folder {place} for the system `{name}`"), "name the folder of the files")
            };
            return Err(SystemError::configuration(what, remedy));
        }
        Ok(Self { name: name.to_owned(), folder: folder.to_owned(), delimiter, null: null.to_owned() })
    }

    fn records(&self, object: &str) -> Result<Records, SystemError> {
        Records::open(&self.name, &self.file(object)?, self.delimiter)
    }

    /// The file of an object, named with or without its ending.
    fn file(&self, object: &str) -> Result<PathBuf, SystemError> {
        let is_plain = !object.is_empty() && !object.contains(['/', '\\', '\0']) && object != "..";
        let candidates = [object.to_owned(), format!("{object}.csv")];
        let mut paths = candidates.iter().filter(|_| is_plain).map(|name| self.folder.join(name));
        paths.find(|path| path.is_file()).ok_or_else(|| {
            let place = self.folder.display();
            let what =
                format!("there is no file `{object}` or `{object}.csv` in {place} of the system `{}`", self.name);
            let files = self.files();
            let known: Vec<&str> = files.iter().map(String::as_str).collect();
            let wanted = if object.ends_with(".csv") { object } else { &candidates[1] };
            SystemError::configuration(what, names::remedy(wanted, &known))
        })
    }

    fn files(&self) -> Vec<String> {
        let entries = self.folder.read_dir().into_iter().flatten().take(FILES_MAX).flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        let mut files: Vec<String> = files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        files.sort();
        files
    }

    fn places(&self, object: &str, records: &Records, side: &Side) -> Result<Vec<usize>, SystemError> {
        let known = records.header();
        let place = |name: &String| {
            known.iter().position(|known| known == name).ok_or_else(|| {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let mut error = names::no_column(&self.name, object, name, &names);
                if let [only] = known {
                    let delimiter = char::from(self.delimiter);
                    error.remedy = format!("its only column is `{only}`; is the delimiter really {delimiter:?}?");
                }
                error
            })
        };
        side.columns.iter().map(|column| place(&column.name)).collect()
    }

    /// What a cell says; with a pointer, what that finds in a cell that is JSON, and in another one nothing.
    fn value<'a>(&self, cell: &'a str, pointer: Option<&str>) -> Value<'a> {
        match pointer {
            _ if cell == self.null => Value::Null,
            None => Value::Untyped(cell.into()),
            Some(pointer) => serde_json::from_str(cell).map_or(Value::Absent, |document| value_at(&document, pointer)),
        }
    }
}

/// What a record must hold in which columns.
struct Condition<'a> {
    columns: &'a [usize],
    keys: BTreeSet<Vec<u8>>,
}

impl<'a> Condition<'a> {
    fn new(wanted: &'a Wanted) -> Option<Self> {
        let Wanted::Where { columns, values } = wanted else { return None };
        Some(Self { columns, keys: values.iter().filter_map(|tuple| key(tuple.iter().cloned())).collect() })
    }

    fn holds(&self, values: &[Value<'_>]) -> bool {
        key(self.columns.iter().map(|at| values[*at].clone())).is_some_and(|key| self.keys.contains(&key))
    }
}

fn key<'v>(values: impl Iterator<Item = Value<'v>>) -> Option<Vec<u8>> {
    let (values, mut key) = (values.collect::<Vec<_>>(), Vec::new());
    encode_key(values.iter(), &mut key).then_some(key)
}

impl System for Csv {
    fn objects(&mut self) -> Result<Vec<String>, SystemError> {
        Ok(self.files().into_iter().filter(|name| name.to_ascii_lowercase().ends_with(".csv")).collect())
    }

    fn describe(&mut self, object: &str) -> Result<Description, SystemError> {
        let records = self.records(object)?;
        let columns = records.header().iter().map(|name| (name.clone(), None)).collect();
        Ok(Description { columns, ..Description::default() })
    }

    fn read(
        &mut self,
        object: &str,
        side: &Side,
        wanted: &Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError> {
        let mut records = self.records(object)?;
        let places = self.places(object, &records, side)?;
        let condition = Condition::new(wanted);
        let mut reading = Reading { requests: 1, ..Reading::default() };
        while let Some(cells) = records.advance()? {
            let columns = places.iter().zip(&side.columns);
            let value = |(place, column): (&usize, &Column)| self.value(cells.get(*place), column.pointer.as_deref());
            let values: Vec<Value<'_>> = columns.map(value).collect();
            if condition.as_ref().is_some_and(|condition| !condition.holds(&values)) {
                continue;
            }
            reading.rows += 1;
            if sink(&values).is_break() {
                return Ok(reading);
            }
        }
        Ok(reading)
    }

    fn can_find(&self, _object: &str, _side: &Side, _columns: &[usize]) -> bool {
        false
    }

    fn refresh(&mut self) -> Result<(), SystemError> {
        Ok(())
    }

    fn estimate(&mut self, object: &str) -> Result<Option<u64>, SystemError> {
        let mut records = self.records(object)?;
        let (header, mut count) = (records.offset(), 0);
        while count < SAMPLE {
            if records.advance()?.is_none() {
                return Ok(Some(count));
            }
            count += 1;
        }
        let bytes_each = ((records.offset() - header) / count).max(1);
        Ok(Some(records.size().saturating_sub(header) / bytes_each))
    }
}
