//! What is compared: columns of both sides, what is done to them, and which words mean which.

use super::repairs;
use crate::config::errors::Mistakes;
use crate::config::section::{Element, Found, Section};
use quittance_core::pair::repair::{Authority, FieldPolicy};
use quittance_core::pair::value_map::{Unmapped, ValueMap};
use quittance_core::record::value::Type;

/// A column by its name, and what is done to its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRef {
    /// The name.
    pub name: String,
    /// Inside a column that holds JSON: where.
    pub pointer: Option<String>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// What is done to a value, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `lower`.
    Lower,
    /// `trim`.
    Trim,
    /// `minor_to_major`, with the column that holds the currency.
    MinorToMajor {
        /// Its name.
        currency: String,
    },
    /// `epoch_to_timestamp`.
    EpochToTimestamp,
    /// `text`, `number`, `timestamp`, `boolean`, `date`.
    ReadAs(Type),
    /// `count`.
    Count,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldPair {
    /// On the left.
    pub left: ColumnRef,
    /// On the right.
    pub right: ColumnRef,
    /// Which words mean which.
    pub values: Option<ValueMap>,
    /// What is done where the sides disagree.
    pub policy: FieldPolicy,
}

impl FieldPair {
    /// Whether what both sides last agreed on decides about it.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        self.policy.authority == Authority::Merge
    }
}

const KEYS: [&str; 9] =
    ["left", "right", "left_transform", "right_transform", "values", "unmapped", "authority", "merge", "takes_away"];

const TRANSFORMS: &str = "known are lower, trim, minor_to_major, minor_to_major:CURRENCY_COLUMN, epoch_to_timestamp, \
    json_pointer:/PATH, count, text, number, timestamp, boolean and date";

/// Reads every field of a pair.
pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Vec<FieldPair> {
    const REMEDY: &str = "write [[pairs.NAME.fields]] with left and right";
    let mut fields = Vec::new();
    for element in section.elements("fields", mistakes).unwrap_or_default() {
        match element {
            Element::Table(entry) => fields.extend(field(&entry, mistakes)),
            Element::Text(found) => mistakes.add(found.origin, &section.setting("fields"), "not a field", REMEDY),
        }
    }
    fields
}

fn field(entry: &Section<'_>, mistakes: &mut Mistakes) -> Option<FieldPair> {
    entry.refuse_unknown(&KEYS, mistakes);
    let left = column_with(entry, "left", "left_transform", mistakes);
    let right = column_with(entry, "right", "right_transform", mistakes);
    let mut policy = repairs::field(entry, mistakes);
    let values = values(entry, &mut policy, mistakes);
    Some(FieldPair { left: left?, right: right?, values, policy })
}

fn values(entry: &Section<'_>, policy: &mut FieldPolicy, mistakes: &mut Mistakes) -> Option<ValueMap> {
    const REMEDY: &str = "write values = [ { left = \"cancelled\", right = [\"canceled\"] } ]";
    let unmapped = unmapped(entry, mistakes);
    let elements = entry.elements("values", mistakes)?;
    let mut map = ValueMap::new(unmapped);
    for element in elements {
        let Element::Table(row) = element else {
            mistakes.add(element.origin(), &entry.setting("values"), "not a row of a map", REMEDY);
            return None;
        };
        row.refuse_unknown(&["left", "right", "write_right", "write_left"], mistakes);
        let (Some(left), Some(right)) = (row.text("left", mistakes), texts(&row, "right", mistakes)) else {
            mistakes.add(row.origin(), &row.name, "names no left or no right", REMEDY);
            return None;
        };
        if let Err(error) = map.add(&left.value, &right) {
            mistakes.add(row.origin(), &row.name, error.to_string(), "give each word of the right one meaning");
        }
        written(&row, "write_left", std::slice::from_ref(&left.value), mistakes);
        if let Some(word) = written(&row, "write_right", &right, mistakes) {
            policy.write_right.insert(left.value, word);
        }
    }
    Some(map)
}

/// The word that is written for a row of a map; one of those of the row, or what was written would be drift again.
fn written(row: &Section<'_>, key: &str, words: &[String], mistakes: &mut Mistakes) -> Option<String> {
    let found = row.text(key, mistakes)?;
    if !words.contains(&found.value) {
        let remedy = format!("write one of {}", words.join(", "));
        mistakes.add(found.origin, &row.setting(key), "means something else", remedy);
        return None;
    }
    Some(found.value)
}

fn unmapped(entry: &Section<'_>, mistakes: &mut Mistakes) -> Unmapped {
    let Some(found) = entry.text("unmapped", mistakes) else { return Unmapped::default() };
    match found.value.as_str() {
        "error" => Unmapped::Error,
        "different" => Unmapped::Different,
        "as_is" => Unmapped::AsIs,
        _ => {
            let remedy = "write \"error\" (nothing is compared), \"different\" or \"as_is\"";
            mistakes.add(found.origin, &entry.setting("unmapped"), "not something to do", remedy);
            Unmapped::default()
        }
    }
}

/// One text or several.
pub(super) fn texts(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Option<Vec<String>> {
    if section.is_list(key) {
        let found = section.texts(key, mistakes)?;
        return Some(found.into_iter().map(|found| found.value).collect());
    }
    section.text(key, mistakes).map(|found| vec![found.value])
}

/// One column, without transforms.
pub(super) fn column(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Option<ColumnRef> {
    columns(section, key, mistakes).into_iter().next()
}

/// One column or several. What follows a name behind `|` is done to it: `email | trim | lower`.
pub(super) fn columns(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Vec<ColumnRef> {
    let Some(names) = texts(section, key, mistakes) else {
        if !section.has(key) {
            mistakes.add(section.origin(), &section.setting(key), "missing", format!("add {key} = \"COLUMN\""));
        }
        return Vec::new();
    };
    let origin = section.origin_of(key).unwrap_or_else(|| section.origin());
    let mut columns = Vec::new();
    for name in names {
        let mut parts = name.split('|').map(str::trim);
        let mut column =
            ColumnRef { name: parts.next().unwrap_or_default().to_owned(), pointer: None, steps: Vec::new() };
        for part in parts {
            step(
                &mut column,
                &Found { value: part.to_owned(), origin: origin.clone() },
                &section.setting(key),
                mistakes,
            );
        }
        if column.name.is_empty() {
            mistakes.add(origin.clone(), &section.setting(key), "empty", "name a column");
        } else {
            columns.push(column);
        }
    }
    columns
}

/// One column, and the transforms that stand under a key of their own.
pub(super) fn column_with(
    section: &Section<'_>,
    key: &str,
    transforms: &str,
    mistakes: &mut Mistakes,
) -> Option<ColumnRef> {
    let mut column = column(section, key, mistakes)?;
    let found = if section.is_list(transforms) {
        section.texts(transforms, mistakes).unwrap_or_default()
    } else {
        section.text(transforms, mistakes).into_iter().collect()
    };
    for word in found {
        step(&mut column, &word, &section.setting(transforms), mistakes);
    }
    Some(column)
}

fn step(column: &mut ColumnRef, word: &Found<String>, setting: &str, mistakes: &mut Mistakes) {
    let (name, argument) =
        word.value.split_once(':').map_or((word.value.as_str(), None), |(name, rest)| (name, Some(rest)));
    let step = match (name, argument) {
        ("lower", None) => Step::Lower,
        ("trim", None) => Step::Trim,
        ("count", None) => Step::Count,
        ("epoch_to_timestamp", None) => Step::EpochToTimestamp,
        ("minor_to_major", currency) => Step::MinorToMajor { currency: currency.unwrap_or("currency").to_owned() },
        ("text", None) => Step::ReadAs(Type::Text),
        ("number", None) => Step::ReadAs(Type::Number),
        ("timestamp", None) => Step::ReadAs(Type::Timestamp),
        ("boolean", None) => Step::ReadAs(Type::Boolean),
        ("date", None) => Step::ReadAs(Type::Date),
        ("json_pointer", Some(pointer)) if pointer.starts_with('/') && column.steps.is_empty() => {
            column.pointer = Some(pointer.to_owned());
            return;
        }
        _ => {
            mistakes.add(word.origin.clone(), setting, format!("`{}` is not a transform", word.value), TRANSFORMS);
            return;
        }
    };
    column.steps.push(step);
}
