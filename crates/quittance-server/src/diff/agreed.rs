//! What both sides agree on, record by record, on its way to be kept: in a temporary file, so that memory stays bounded.
//!
//! Only fields that are merged are in it. Does not own where it is kept, nor what is decided by it.

use quittance_core::pair::repair::agreed;
use quittance_core::pair::row::Record;
use quittance_core::pair::{Column, Field, Pair, Side};
use quittance_core::record::key::{decode_value, encode_value};
use quittance_core::record::value::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

/// Most bytes of one record's fields: what is longer is not kept, and nobody knows what was agreed on.
const BYTES_MAX: usize = 1024 * 1024;

/// What was found to agree so far.
pub(super) struct Noting {
    fields: Vec<usize>,
    places: Places,
    out: BufWriter<File>,
    records: u64,
}

/// What a comparison found to agree.
#[derive(Debug)]
pub struct Agreement {
    /// What the fields that are merged are known as.
    pub fields: Vec<String>,
    file: File,
    records: u64,
}

/// One record of an agreement: its place, and for each field what both sides say, where that is the same.
pub type Entry = ([u8; 32], Vec<Option<Value<'static>>>);

/// Where records are, among those of their pair: known by what both sides call them, besides the rule and the key under which
/// they met. A key that is used again, by a customer who was deleted and signs up anew, is another record's; so is all of a
/// pair that was pointed elsewhere under the same name.
#[derive(Clone)]
pub struct Places(Sha256);

impl Places {
    /// Of a pair, whose left and right are these objects of these systems.
    #[must_use]
    pub fn new(pair: &Pair, systems: [(&str, &str); 2]) -> Self {
        let mut hasher = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        };
        for (side, (system, object)) in [&pair.left, &pair.right].into_iter().zip(systems) {
            add(system.as_bytes());
            add(object.as_bytes());
            for columns in std::iter::once(&side.identity).chain(&side.rules) {
                let columns: Vec<&Column> = columns.iter().map(|at| &side.columns[*at]).collect();
                add(format!("{columns:?}").as_bytes());
            }
        }
        Self(hasher)
    }

    /// Where two records are that met under a rule, by a key.
    #[must_use]
    pub fn of(&self, (rule, key): (usize, &[u8]), left: Record<'_>, right: Record<'_>) -> [u8; 32] {
        let mut hasher = self.0.clone();
        hasher.update((rule as u64).to_be_bytes());
        for bytes in [key, left.identity(), right.identity()] {
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
        hasher.finalize().into()
    }
}

/// What a field is known as where what it agreed on is kept: by another name once another column, or another word for the same,
/// is compared under it.
#[must_use]
pub fn known_as(pair: &Pair, field: usize) -> String {
    let column = |side: &Side| format!("{:?}", side.columns[side.fields[field]]);
    let Field { name, values } = &pair.fields[field];
    let digest = Sha256::digest(format!("{} {} {values:?}", column(&pair.left), column(&pair.right)));
    let mut known = format!("{name}#");
    for byte in &digest[..8] {
        let _ = write!(known, "{byte:02x}");
    }
    known
}

impl Noting {
    /// Of these fields of a pair.
    pub(super) fn new(fields: Vec<usize>, places: Places) -> io::Result<Self> {
        Ok(Self { fields, places, out: BufWriter::new(tempfile::tempfile()?), records: 0 })
    }

    /// Notes what two records agree on that met under a rule.
    pub(super) fn note(&mut self, pair: &Pair, rule: usize, left: Record<'_>, right: Record<'_>) -> io::Result<()> {
        let Some(key) = left.key(rule) else { return Ok(()) };
        let mut bytes = Vec::new();
        for value in agreed(pair, &self.fields, left, right) {
            bytes.push(u8::from(value.is_some()));
            value.iter().for_each(|value| encode_value(value, &mut bytes));
        }
        if bytes.len() > BYTES_MAX {
            return Ok(());
        }
        self.records += 1;
        self.out.write_all(&self.places.of((rule, key), left, right))?;
        self.out.write_all(&(bytes.len() as u32).to_le_bytes())?;
        self.out.write_all(&bytes)
    }

    /// Ends the noting.
    pub(super) fn end(self, pair: &Pair) -> io::Result<Agreement> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        let fields = self.fields.iter().map(|field| known_as(pair, *field)).collect();
        Ok(Agreement { fields, file, records: self.records })
    }
}

impl Agreement {
    /// Reads it in portions of at most so many records.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be read, and whatever `take` fails with.
    pub fn each<E: From<io::Error>>(
        &self,
        portion: usize,
        mut take: impl FnMut(Vec<Entry>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut file = &self.file;
        file.rewind()?;
        let mut input = BufReader::new(file);
        let (mut left, mut entries) = (self.records, Vec::new());
        while left > 0 {
            left -= 1;
            let (mut record, mut length) = ([0; 32], [0; 4]);
            input.read_exact(&mut record)?;
            input.read_exact(&mut length)?;
            let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
            input.read_exact(&mut bytes)?;
            entries.push((record, values(&bytes)));
            if entries.len() == portion || left == 0 {
                take(std::mem::take(&mut entries))?;
            }
        }
        Ok(())
    }
}

fn values(mut bytes: &[u8]) -> Vec<Option<Value<'static>>> {
    let mut values = Vec::new();
    while let Some((is_there, rest)) = bytes.split_first() {
        bytes = rest;
        values.push((*is_there == 1).then(|| decode_value(&mut bytes).into_owned()));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::pair::Which;
    use quittance_core::pair::row::Encoder;

    #[test]
    fn what_agrees_comes_back_as_it_was_noted() {
        let columns = ["id", "a", "b"].map(Column::plain).to_vec();
        let side = Side { columns, identity: vec![0], rules: vec![vec![0]], fields: vec![1, 2], ..Side::default() };
        let fields = ["a", "b"].map(|name| Field { name: name.to_owned(), values: None }).to_vec();
        let pair = Pair { name: "p".to_owned(), left: side.clone(), right: side, fields };
        let places = Places::new(&pair, [("app", "a"), ("crm", "b")]);
        let mut noting = Noting::new(vec![1, 0], places).expect("a file");
        for id in 0..1_200 {
            let row = |which, a: &'static str| {
                let mut record = Vec::new();
                let values = [Value::integer(id), Value::Untyped(a.into()), Value::integer(-id)];
                Encoder::new(&pair, which).encode(&values, &mut record).expect("values that can be compared");
                record
            };
            let (left, right) = (row(Which::Left, "x"), row(Which::Right, if id % 2 == 0 { "x" } else { "y" }));
            noting.note(&pair, 0, Record::new(&left), Record::new(&right)).expect("a file");
        }
        let agreement = noting.end(&pair).expect("a file");
        assert_eq!(agreement.fields, [known_as(&pair, 1), known_as(&pair, 0)]);
        for _ in 0..2 {
            let mut entries = Vec::new();
            let read = agreement.each::<io::Error>(500, |portion| {
                assert!(portion.len() <= 500);
                entries.extend(portion);
                Ok(())
            });
            read.expect("a file");
            assert_eq!(entries.len(), 1_200);
            assert_eq!(entries[1_199].1, [Some(Value::integer(-1_199)), None]);
            assert_eq!(entries[2].1, [Some(Value::integer(-2)), Some(Value::Untyped("x".into()))]);
            let places: std::collections::BTreeSet<_> = entries.iter().map(|(place, _)| *place).collect();
            assert_eq!(places.len(), 1_200);
        }
    }

    #[test]
    fn a_place_is_of_two_records_and_of_where_they_are_read() {
        let columns = ["id", "a", "b"].map(Column::plain).to_vec();
        let side = Side { columns, identity: vec![0], rules: vec![vec![1]], fields: vec![2], ..Side::default() };
        let fields = vec![Field { name: "b".to_owned(), values: None }];
        let pair = Pair { name: "p".to_owned(), left: side.clone(), right: side, fields };
        let row = |which, id: i64| {
            let mut record = Vec::new();
            let values = [Value::integer(id), Value::integer(7), Value::integer(1)];
            Encoder::new(&pair, which).encode(&values, &mut record).expect("values that can be compared");
            record
        };
        let place = |pair: &Pair, systems, left, right| {
            let (left, right) = (row(Which::Left, left), row(Which::Right, right));
            let (left, right) = (Record::new(&left), Record::new(&right));
            Places::new(pair, systems).of((0, left.key(0).expect("a key")), left, right)
        };
        let systems = [("app", "people"), ("crm", "people")];
        let first = place(&pair, systems, 1, 2);
        assert_eq!(first, place(&pair, systems, 1, 2));
        // The same key, of records that were made anew on either side.
        assert_ne!(first, place(&pair, systems, 3, 2));
        assert_ne!(first, place(&pair, systems, 1, 4));
        assert_ne!(first, place(&pair, [("app", "people"), ("crm", "contacts")], 1, 2));
        assert_ne!(first, place(&pair, [("app", "people"), ("erp", "people")], 1, 2));
        let mut other = pair.clone();
        other.right.columns[2] = Column::plain("c");
        assert_eq!(first, place(&other, systems, 1, 2), "they are the same records");
        assert_ne!(known_as(&pair, 0), known_as(&other, 0), "the field is another column's");
    }
}
