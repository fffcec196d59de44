//! Records of one run, encoded: what a row becomes when its values are canonical.
//!
//! One record is one stretch of bytes, so that a million of them can be sorted, spilled to a disk and compared without
//! being taken apart. The form lives as long as a run.

use super::detect::shape::Seen;
use super::groups::{Unit, encode_groups};
use super::transform::TransformError;
use super::value_map::{Meaning, Unmapped, ValueMap};
use super::{Pair, Side, Which};
use crate::record::key::{decode_value, encode_key, encode_value};
use crate::record::value::Value;
use crate::time::Timestamp;

/// A value that is compared as another: the meaning, then the word.
const MAPPED: u8 = 0xf0;
/// A word without a meaning; it differs from everything, also from itself on the other side.
const UNMAPPED: [u8; 2] = [0xf1, 0xf2];

/// Most values without a meaning that are told apart; with so many, the map is not the mistake.
pub const STRAYS_MAX: usize = 20;

/// A row that cannot be a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} `{column}` of the record {identity}: {source}", which.as_str())]
pub struct RowError {
    /// The side.
    pub which: Which,
    /// The column.
    pub column: String,
    /// The record, as people read it.
    pub identity: String,
    /// Why not.
    pub source: TransformError,
}

/// A value that a map does not know, where that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The side.
    pub which: Which,
    /// Index of the field.
    pub field: usize,
    /// The value.
    pub value: Value<'static>,
    /// Records that have it.
    pub records: u64,
    /// The first of them, as people read it.
    pub identity: String,
}

/// Makes records of one side's rows.
pub struct Encoder<'p> {
    pair: &'p Pair,
    side: &'p Side,
    which: Which,
    strays: Vec<Stray>,
    seen: Vec<Seen>,
}

impl<'p> Encoder<'p> {
    /// An encoder for one side of a pair.
    #[must_use]
    pub fn new(pair: &'p Pair, which: Which) -> Self {
        let seen = vec![Seen::default(); pair.fields.len()];
        Self { pair, side: pair.side(which), which, strays: Vec::new(), seen }
    }

    /// Appends the record of a row, whose values are in the order of the side's columns.
    ///
    /// # Errors
    ///
    /// [`RowError`] when a transform is not made for what it finds; nothing is appended then.
    ///
    /// # Panics
    ///
    /// When the row has not as many values as the side has columns.
    pub fn encode(&mut self, row: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), RowError> {
        assert_eq!(row.len(), self.side.columns.len(), "a row has a value for every column");
        if self.side.columns.iter().all(|column| column.transforms.is_empty()) {
            self.write(row, out);
            return Ok(());
        }
        let mut values = Vec::with_capacity(row.len());
        for (value, column) in row.iter().zip(&self.side.columns) {
            let mut changed = value.clone();
            for transform in &column.transforms {
                changed = transform.apply(changed, row).map_err(|source| RowError {
                    which: self.which,
                    column: column.name.clone(),
                    identity: self.identity(row),
                    source,
                })?;
            }
            values.push(changed);
        }
        self.write(&values, out);
        Ok(())
    }

    /// Values that a map should know and does not.
    #[must_use]
    pub fn strays(&self) -> &[Stray] {
        &self.strays
    }

    /// What was seen in each field, in all rows so far.
    #[must_use]
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    fn identity(&self, row: &[Value<'_>]) -> String {
        let named = if self.side.identity.is_empty() { self.side.rules.first() } else { Some(&self.side.identity) };
        shown(named.into_iter().flatten().map(|at| &row[*at]))
    }

    /// A head of lengths, which is filled in as what they measure is appended.
    fn write(&mut self, row: &[Value<'_>], out: &mut Vec<u8>) {
        let rules = self.side.rules.len();
        let mut head = out.len();
        out.resize(head + head_length(rules), 0);
        let mut fill = |out: &mut Vec<u8>, bytes: &[u8]| {
            out[head..head + bytes.len()].copy_from_slice(bytes);
            head += bytes.len();
        };
        fill(out, &[rules as u8]);
        let mut begin = out.len();
        self.side.identity.iter().for_each(|at| encode_value(&row[*at], out));
        let length = (out.len() - begin) as u32;
        fill(out, &length.to_le_bytes());
        for rule in &self.side.rules {
            begin = out.len();
            let is_whole = encode_key(rule.iter().map(|at| &row[*at]), out);
            let length = if is_whole { (out.len() - begin) as u32 } else { u32::MAX };
            fill(out, &length.to_le_bytes());
        }
        begin = out.len();
        encode_groups(self.side.groups.iter().map(|(at, unit)| self.group(*at, *unit, row)), out);
        let length = (out.len() - begin) as u32;
        fill(out, &length.to_le_bytes());
        let modified = match self.side.modified.map(|at| &row[at]) {
            Some(Value::Timestamp(at)) => at.0,
            _ => i64::MIN,
        };
        fill(out, &modified.to_le_bytes());
        for field in 0..self.side.fields.len() {
            let value = &row[self.side.fields[field]];
            self.seen[field].records += 1;
            self.seen[field].nothing += u64::from(value.is_nothing());
            match &self.pair.fields[field].values {
                None => encode_value(value, out),
                Some(map) => self.encode_mapped(map, field, row, out),
            }
        }
    }

    /// What a record is counted under: a word that a map knows as what it means, and text as text, so that both sides
    /// count alike.
    fn group<'v>(&self, at: usize, unit: Unit, row: &[Value<'v>]) -> Value<'v> {
        let field = self.side.fields.iter().position(|field| *field == at);
        let map = field.and_then(|field| self.pair.fields[field].values.as_ref());
        let meaning = map.map(|map| if self.which == Which::Left { map.left(&row[at]) } else { map.right(&row[at]) });
        match meaning {
            Some(Meaning::Means(meaning)) => unit.of(&meaning),
            _ => match unit.of(&row[at]) {
                Value::Untyped(text) => Value::Text(text),
                value => value,
            },
        }
    }

    fn encode_mapped(&mut self, map: &ValueMap, field: usize, row: &[Value<'_>], body: &mut Vec<u8>) {
        let value = &row[self.side.fields[field]];
        let meaning = if self.which == Which::Left { map.left(value) } else { map.right(value) };
        match meaning {
            Meaning::Means(meaning) if meaning == *value => encode_value(value, body),
            Meaning::Means(meaning) => {
                body.push(MAPPED);
                encode_value(&meaning, body);
                encode_value(value, body);
            }
            Meaning::Unknown => {
                self.seen[field].unknown += 1;
                body.push(UNMAPPED[self.which as usize]);
                encode_value(value, body);
                if map.unmapped() == Unmapped::Error {
                    self.note_stray(field, value, row);
                }
            }
        }
    }

    fn note_stray(&mut self, field: usize, value: &Value<'_>, row: &[Value<'_>]) {
        if let Some(known) = self.strays.iter_mut().find(|known| known.field == field && known.value == *value) {
            known.records += 1;
        } else if self.strays.len() < STRAYS_MAX {
            let identity = self.identity(row);
            let value = value.clone().into_owned();
            self.strays.push(Stray { which: self.which, field, value, records: 1, identity });
        }
    }
}

/// Bytes of a record's head: how many rules, the lengths of the identity, of each rule's key and of the groups, and when
/// it was modified.
const fn head_length(rules: usize) -> usize {
    1 + 4 + 4 * rules + 4 + 8
}

/// Values of a key or an identity as people read them.
#[must_use]
pub fn shown<'a, 'v: 'a>(values: impl Iterator<Item = &'a Value<'v>>) -> String {
    values.map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// One encoded record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    /// Takes what [`Encoder::encode`] wrote.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// All of it.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    fn u32_at(self, at: usize) -> u32 {
        u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    fn rules(self) -> usize {
        usize::from(self.0[0])
    }

    fn key_length(self, rule: usize) -> Option<usize> {
        if rule >= self.rules() {
            return None;
        }
        Some(self.u32_at(5 + 4 * rule)).filter(|length| *length != u32::MAX).map(|length| length as usize)
    }

    fn body_begin(self) -> usize {
        head_length(self.rules())
    }

    /// The identity, as values one after the other.
    #[must_use]
    pub fn identity(self) -> &'a [u8] {
        let begin = self.body_begin();
        &self.0[begin..begin + self.u32_at(1) as usize]
    }

    /// Where in the record the key of a rule is; none if a part of it is nothing.
    #[must_use]
    pub fn key_range(self, rule: usize) -> Option<std::ops::Range<usize>> {
        let length = self.key_length(rule)?;
        let before: usize = (0..rule).filter_map(|rule| self.key_length(rule)).sum();
        let begin = self.body_begin() + self.u32_at(1) as usize + before;
        Some(begin..begin + length)
    }

    /// The key of a rule; none if a part of it is nothing.
    #[must_use]
    pub fn key(self, rule: usize) -> Option<&'a [u8]> {
        self.key_range(rule).map(|range| &self.0[range])
    }

    /// When it was last modified, if its system tells.
    #[must_use]
    pub fn modified(self) -> Option<Timestamp> {
        let at = 5 + 4 * self.rules() + 4;
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[at..at + 8]);
        Some(i64::from_le_bytes(bytes)).filter(|at| *at != i64::MIN).map(Timestamp)
    }

    fn groups_begin(self) -> usize {
        let keys: usize = (0..self.rules()).filter_map(|rule| self.key_length(rule)).sum();
        self.body_begin() + self.u32_at(1) as usize + keys
    }

    fn groups_length(self) -> usize {
        self.u32_at(5 + 4 * self.rules()) as usize
    }

    /// The group it is counted in.
    #[must_use]
    pub fn groups(self) -> &'a [u8] {
        let begin = self.groups_begin();
        &self.0[begin..begin + self.groups_length()]
    }

    /// What is compared, encoded. Equal bytes are equal values.
    #[must_use]
    pub fn fields(self) -> &'a [u8] {
        &self.0[self.groups_begin() + self.groups_length()..]
    }
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValue<'a> {
    /// What it is compared as; none when its map does not know it.
    pub compared: Option<Value<'a>>,
    /// What the system says.
    pub said: Value<'a>,
}

/// Takes one field off the front.
#[must_use]
pub fn decode_field<'a>(bytes: &mut &'a [u8]) -> FieldValue<'a> {
    match bytes[0] {
        MAPPED => {
            *bytes = &bytes[1..];
            let compared = Some(decode_value(bytes));
            FieldValue { compared, said: decode_value(bytes) }
        }
        tag if UNMAPPED.contains(&tag) => {
            *bytes = &bytes[1..];
            FieldValue { compared: None, said: decode_value(bytes) }
        }
        _ => {
            let said = decode_value(bytes);
            FieldValue { compared: Some(said.clone()), said }
        }
    }
}

/// Every field of a record.
#[must_use]
pub fn decode_fields(record: Record<'_>) -> Vec<FieldValue<'_>> {
    let mut bytes = record.fields();
    std::iter::from_fn(|| (!bytes.is_empty()).then(|| decode_field(&mut bytes))).collect()
}

/// The identity of a record as values.
#[must_use]
pub fn decode_identity(record: Record<'_>) -> Vec<Value<'_>> {
    let mut bytes = record.identity();
    std::iter::from_fn(|| (!bytes.is_empty()).then(|| decode_value(&mut bytes))).collect()
}
