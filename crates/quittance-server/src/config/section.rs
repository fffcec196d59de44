//! One table of the file together with the environment variables that override it.

use super::errors::{Mistakes, Origin};
use std::ops::RangeInclusive;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Looks a variable up.
pub(super) type Env<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) origin: Origin,
}

/// Where the values of one table are looked up.
pub(super) struct Section<'a> {
    /// Its name (`gateways.stripe`).
    pub(super) name: String,
    pub(super) table: Option<&'a DeTable<'a>>,
    pub(super) text: &'a str,
    pub(super) env: &'a Env<'a>,
    /// Where it begins in the text, for an entry of a list.
    pub(super) begins_at: usize,
}

/// An entry of a list.
pub(super) enum Element<'a> {
    Text(Found<String>),
    Table(Section<'a>),
}

impl Element<'_> {
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Text(found) => found.origin.clone(),
            Self::Table(section) => section.origin(),
        }
    }
}

/// What is inside a list is overridden with the whole list.
fn no_variable(_: &str) -> Option<String> {
    None
}

/// A value before its type is known to be right.
enum Raw<'a> {
    File(&'a Spanned<DeValue<'a>>),
    Variable(String, String),
}

impl<'a> Section<'a> {
    pub(super) fn setting(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    /// The variable that overrides a key: `QUITTANCE_GATEWAYS__STRIPE__API_BASE`. What is no letter or digit is `_`.
    pub(super) fn variable(&self, key: &str) -> String {
        let words: Vec<String> = self.name.split('.').chain([key]).map(variable_word).collect();
        format!("QUITTANCE_{}", words.join("__"))
    }

    /// The line of a span's beginning, from 1.
    pub(super) fn line(&self, span: std::ops::Range<usize>) -> Origin {
        Origin::Line(line_of(self.text, span.start))
    }

    fn raw(&self, key: &str) -> Option<Raw<'a>> {
        let variable = self.variable(key);
        if let Some(value) = (self.env)(&variable) {
            return Some(Raw::Variable(variable, value));
        }
        self.table?.get(key).map(Raw::File)
    }

    /// Whether the key is given at all, rightly or wrongly.
    pub(super) fn has(&self, key: &str) -> bool {
        self.raw(key).is_some()
    }

    /// Where the key is given, rightly or wrongly.
    pub(super) fn origin_of(&self, key: &str) -> Option<Origin> {
        Some(match self.raw(key)? {
            Raw::Variable(name, _) => Origin::Variable(name),
            Raw::File(value) => self.line(value.span()),
        })
    }

    /// A text; the empty text counts as given.
    pub(super) fn text(&self, key: &str, mistakes: &mut Mistakes) -> Option<Found<String>> {
        match self.raw(key)? {
            Raw::Variable(name, value) => Some(Found { value, origin: Origin::Variable(name) }),
            Raw::File(value) => {
                let origin = self.line(value.span());
                match value.get_ref().as_str() {
                    Some(text) => Some(Found { value: text.to_owned(), origin }),
                    None => self.wrong_type(key, value, "text in quotes", mistakes),
                }
            }
        }
    }

    /// A number with a point, as it is written: with quotes or without.
    pub(super) fn decimal(&self, key: &str, mistakes: &mut Mistakes) -> Option<Found<String>> {
        let Raw::File(value) = self.raw(key)? else { return self.text(key, mistakes) };
        let text = match value.get_ref() {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            _ => return self.text(key, mistakes),
        };
        Some(Found { value: text.to_owned(), origin: self.line(value.span()) })
    }

    /// Whole numbers by name, as they are written: `{ USD = 1000000 }`; in a variable `USD=1000000,EUR=500`.
    pub(super) fn pairs(&self, key: &str, mistakes: &mut Mistakes) -> Vec<(String, Found<String>)> {
        match self.raw(key) {
            None => Vec::new(),
            Some(Raw::Variable(name, value)) => {
                let origin = Origin::Variable(name);
                let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
                let pair = |part: &str| {
                    let (name, value) = part.split_once('=').unwrap_or((part, ""));
                    (name.trim().to_owned(), Found { value: value.trim().to_owned(), origin: origin.clone() })
                };
                parts.map(pair).collect()
            }
            Some(Raw::File(value)) => match value.get_ref().as_table() {
                Some(table) => table.iter().map(|(name, value)| self.pair(name.get_ref(), value)).collect(),
                None => self.wrong_type(key, value, "{ USD = 1000000 }", mistakes).unwrap_or_default(),
            },
        }
    }

    fn pair(&self, name: &str, value: &Spanned<DeValue<'_>>) -> (String, Found<String>) {
        let text = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().to_owned(),
            _ => String::new(),
        };
        (name.to_owned(), Found { value: text, origin: self.line(value.span()) })
    }

    /// The tables within one of this section, by name, each a section.
    pub(super) fn tables(&self, key: &str, mistakes: &mut Mistakes) -> Vec<(String, Section<'a>)> {
        let Some(value) = self.table.and_then(|table| table.get(key)) else { return Vec::new() };
        let Some(outer) = value.get_ref().as_table() else {
            let wanted = format!("[{}.NAME] on a line of its own", self.setting(key));
            return self.wrong_type(key, value, &wanted, mistakes).unwrap_or_default();
        };
        let mut tables = Vec::new();
        for (name, value) in outer {
            let full_name = format!("{}.{}", self.setting(key), name.get_ref());
            let Some(table) = value.get_ref().as_table() else {
                let remedy = format!("write [{full_name}] on a line of its own");
                mistakes.add(self.line(value.span()), &full_name, "not a section", remedy);
                continue;
            };
            let begins_at = value.span().start;
            let section = Section { name: full_name, table: Some(table), text: self.text, env: self.env, begins_at };
            tables.push((name.get_ref().to_string(), section));
        }
        tables
    }

    /// Whether the key holds a list.
    pub(super) fn is_list(&self, key: &str) -> bool {
        matches!(self.raw(key), Some(Raw::File(value)) if value.get_ref().is_array())
    }

    /// The table under a key, as a section; none where there is none, which is a mistake if there is something else.
    pub(super) fn table_of(&self, key: &str, mistakes: &mut Mistakes) -> Option<Section<'a>> {
        let value = self.table?.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong_type(key, value, &format!("{key} = {{ … }}"), mistakes);
        };
        let begins_at = value.span().start;
        Some(Section { name: self.setting(key), table: Some(table), text: self.text, env: self.env, begins_at })
    }

    /// Texts; in a variable they are separated by commas.
    pub(super) fn texts(&self, key: &str, mistakes: &mut Mistakes) -> Option<Vec<Found<String>>> {
        match self.raw(key)? {
            Raw::Variable(name, value) => {
                let origin = Origin::Variable(name);
                let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
                Some(parts.map(|part| Found { value: part.to_owned(), origin: origin.clone() }).collect())
            }
            Raw::File(value) => match value.get_ref().as_array() {
                Some(array) => array.iter().map(|element| self.element(key, element, mistakes)).collect(),
                None => self.wrong_type(key, value, "a list of texts", mistakes),
            },
        }
    }

    /// Entries of a list, each a text or a table; in a variable texts, separated by commas.
    pub(super) fn elements(&self, key: &str, mistakes: &mut Mistakes) -> Option<Vec<Element<'a>>> {
        let Raw::File(value) = self.raw(key)? else {
            return self.texts(key, mistakes).map(|texts| texts.into_iter().map(Element::Text).collect());
        };
        let Some(array) = value.get_ref().as_array() else {
            return self.wrong_type(key, value, "a list of texts", mistakes);
        };
        let element = |element: &'a Spanned<DeValue<'a>>| match element.get_ref().as_table() {
            Some(table) => Some(Element::Table(Section {
                name: self.setting(key),
                table: Some(table),
                text: self.text,
                env: &no_variable,
                begins_at: element.span().start,
            })),
            None => self.element(key, element, mistakes).map(Element::Text),
        };
        array.iter().map(element).collect()
    }

    /// Where it begins.
    pub(super) fn origin(&self) -> Origin {
        Origin::Line(line_of(self.text, self.begins_at))
    }

    fn element(&self, key: &str, value: &Spanned<DeValue<'_>>, mistakes: &mut Mistakes) -> Option<Found<String>> {
        match value.get_ref().as_str() {
            Some(text) => Some(Found { value: text.to_owned(), origin: self.line(value.span()) }),
            None => self.wrong_type(key, value, "a list of texts", mistakes),
        }
    }

    /// Whether something is so; where nothing is said it is not.
    pub(super) fn flag(&self, key: &str, mistakes: &mut Mistakes) -> bool {
        let (flag, origin) = match self.raw(key) {
            None => return false,
            Some(Raw::Variable(name, value)) => (value.trim().parse().ok(), Origin::Variable(name)),
            Some(Raw::File(value)) => (value.get_ref().as_bool(), self.line(value.span())),
        };
        if flag.is_none() {
            mistakes.add(origin, &self.setting(key), "neither true nor false", "write true or false, without quotes");
        }
        flag.unwrap_or(false)
    }

    /// A whole number within limits, or the default where none is given or the one given is wrong.
    pub(super) fn number(
        &self,
        key: &str,
        default: u64,
        range: RangeInclusive<u64>,
        mistakes: &mut Mistakes,
    ) -> Found<u64> {
        let found = self.whole(key, range, &default.to_string(), mistakes);
        found.unwrap_or(Found { value: default, origin: Origin::File })
    }

    /// A whole number within limits, where one is given and right; `otherwise` is what leaving it out means.
    pub(super) fn number_if_given(
        &self,
        key: &str,
        range: RangeInclusive<u64>,
        otherwise: &str,
        mistakes: &mut Mistakes,
    ) -> Option<u64> {
        self.whole(key, range, otherwise, mistakes).map(|found| found.value)
    }

    /// A whole number within limits; none where none is given or the one given is wrong. Left out it means `otherwise`.
    pub(super) fn whole(
        &self,
        key: &str,
        range: RangeInclusive<u64>,
        otherwise: &str,
        mistakes: &mut Mistakes,
    ) -> Option<Found<u64>> {
        let (number, origin) = match self.raw(key)? {
            Raw::Variable(name, value) => (value.trim().parse::<i128>().ok(), Origin::Variable(name)),
            Raw::File(value) => {
                let number = match value.get_ref() {
                    DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix()).ok(),
                    _ => None,
                };
                (number, self.line(value.span()))
            }
        };
        let (low, high) = (range.start(), range.end());
        let remedy = format!("write a whole number from {low} to {high}, or leave it out for {otherwise}");
        match number.map(u64::try_from) {
            Some(Ok(value)) if range.contains(&value) => return Some(Found { value, origin }),
            Some(_) => {
                let shown = number.unwrap_or_default();
                mistakes.add(origin, &self.setting(key), format!("{shown} is out of range"), remedy);
            }
            None => mistakes.add(origin, &self.setting(key), "not a whole number", remedy),
        }
        None
    }

    /// Reports every key that is not one of these.
    pub(super) fn refuse_unknown(&self, known: &[&str], mistakes: &mut Mistakes) {
        for (key, _) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let origin = self.line(key.span());
                mistakes.add(origin, &self.setting(name), "unknown setting", unknown_remedy(name, known));
            }
        }
    }

    /// Values are not repeated: a secret in the wrong place is still a secret.
    fn wrong_type<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        wanted: &str,
        mistakes: &mut Mistakes,
    ) -> Option<T> {
        let found = value.get_ref().type_str();
        let origin = self.line(value.span());
        mistakes.add(origin, &self.setting(key), format!("a value of type {found}"), format!("write {wanted}"));
        None
    }
}

pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

fn variable_word(word: &str) -> String {
    word.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// What to write instead of a name that is not known, where one has to be.
pub(super) fn closest(name: &str, known: &[&str]) -> String {
    match probably_meant(name, known) {
        Some(candidate) => format!("did you mean `{candidate}`? Known are {}", known.join(", ")),
        None => format!("known are {}", known.join(", ")),
    }
}

pub(super) fn unknown_remedy(name: &str, known: &[&str]) -> String {
    match probably_meant(name, known) {
        Some(candidate) => format!("did you mean `{candidate}`? Otherwise remove it"),
        None => format!("remove it; known here are {}", known.join(", ")),
    }
}

/// The known name that was probably meant.
fn probably_meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let closest = known.iter().min_by_key(|candidate| distance(name, candidate));
    closest.copied().filter(|candidate| distance(name, candidate) <= 3)
}

/// Edit distance, one row at a time.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
