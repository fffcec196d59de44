//! Value maps: which words of one system mean which of the other.

use crate::record::value::Value;
use std::collections::BTreeMap;

/// What becomes of a value that a map does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unmapped {
    /// Nothing is compared: the map has to be completed first.
    #[default]
    Error,
    /// It differs from whatever the other side says.
    Different,
    /// It is compared as it is.
    AsIs,
}

/// Which words of the right mean which of the left. Every word of the right has one meaning.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ValueMap {
    /// From a word of the right to one of the left.
    meanings: BTreeMap<String, String>,
    /// What the left may say.
    words: std::collections::BTreeSet<String>,
    /// What becomes of other words.
    unmapped: Unmapped,
}

/// A word of the right that was given two meanings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` of the right is given two meanings, `{first}` and `{second}`")]
pub struct TwoMeanings {
    /// The word.
    pub word: String,
    /// Its first meaning.
    pub first: String,
    /// Its second.
    pub second: String,
}

/// What a map says of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// It is compared as this.
    Means(Value<'a>),
    /// The map does not know it.
    Unknown,
}

impl ValueMap {
    /// An empty map.
    #[must_use]
    pub fn new(unmapped: Unmapped) -> Self {
        Self { unmapped, ..Self::default() }
    }

    /// Adds a word of the left, and those of the right that mean it.
    ///
    /// # Errors
    ///
    /// [`TwoMeanings`] when a word of the right already means another one.
    pub fn add(&mut self, left: &str, right: &[String]) -> Result<(), TwoMeanings> {
        for word in right {
            match self.meanings.get(word) {
                Some(first) if first != left => {
                    return Err(TwoMeanings { word: word.clone(), first: first.clone(), second: left.to_owned() });
                }
                _ => self.meanings.insert(word.clone(), left.to_owned()),
            };
        }
        self.words.insert(left.to_owned());
        Ok(())
    }

    /// What becomes of values it does not know.
    #[must_use]
    pub const fn unmapped(&self) -> Unmapped {
        self.unmapped
    }

    /// What a value of the left is compared as. What is nothing stays so.
    #[must_use]
    pub fn left<'a>(&self, value: &Value<'a>) -> Meaning<'a> {
        match word(value) {
            None => Meaning::Means(value.clone()),
            Some(word) if self.words.contains(&word) => Meaning::Means(Value::Text(word.into())),
            Some(_) => self.otherwise(value),
        }
    }

    /// What a value of the right is compared as.
    #[must_use]
    pub fn right<'a>(&self, value: &Value<'a>) -> Meaning<'a> {
        match word(value).map(|word| self.meanings.get(&word)) {
            None => Meaning::Means(value.clone()),
            Some(Some(meaning)) => Meaning::Means(Value::Text(meaning.clone().into())),
            Some(None) => self.otherwise(value),
        }
    }

    /// What a word of the right means; none where the map does not know it.
    #[must_use]
    pub fn meaning_of(&self, word: &str) -> Option<&str> {
        self.meanings.get(word).map(String::as_str)
    }

    /// The words of the left, in their order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// The words of the right that mean a word of the left, in their order.
    #[must_use]
    pub fn words_for(&self, meaning: &str) -> Vec<&str> {
        self.meanings.iter().filter(|(_, left)| *left == meaning).map(|(word, _)| word.as_str()).collect()
    }

    fn otherwise<'a>(&self, value: &Value<'a>) -> Meaning<'a> {
        match self.unmapped {
            Unmapped::AsIs => Meaning::Means(Value::Text(value.to_string().into())),
            Unmapped::Error | Unmapped::Different => Meaning::Unknown,
        }
    }
}

/// Words are compared as text: a map may name numbers and booleans too.
fn word(value: &Value<'_>) -> Option<String> {
    (!value.is_nothing()).then(|| value.to_string())
}
