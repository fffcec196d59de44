//! Which words of the right mean which of the left: each means the one it is most often seen with.

use super::fields::are_words;
use super::share::Share;
use crate::record::value::{Type, Value};
use std::collections::BTreeMap;

/// Most words of a column that still are words.
const LEFT_WORDS_MAX: usize = 24;

/// The same on the right, whose words may be finer.
const RIGHT_WORDS_MAX: usize = 60;

/// Longest word, in bytes.
const WORD_BYTES_MAX: usize = 80;

/// Fewest rows for each word of the right, on average; with fewer, majorities are accidents.
const ROWS_PER_WORD: u64 = 5;

/// Rows that a word has to be seen in for its meaning to be more than a guess.
const SEEN_MIN: u64 = 3;

/// A map of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What each word of the right means, in the order of the words.
    pub meanings: Vec<MappedWord>,
    /// Words of the right that are published and were not seen: nobody knows what they mean here.
    pub unseen: Vec<String>,
    /// Words of the left that no word of the right means.
    pub strays: Vec<String>,
    /// Rows that agree by it, of all.
    pub agreeing: Share,
    /// How much better a word of the left is known from that of the right than without it, in basis points (Goodman and
    /// Kruskal's lambda, less what would be found in accidents).
    pub lambda: u64,
}

/// A word of the right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedWord {
    /// The word.
    pub right: String,
    /// What it means on the left.
    pub left: String,
    /// Rows in which they are together, of those with the word.
    pub seen: Share,
    /// Whether somebody who knows said so.
    pub is_said: bool,
}

impl MappedWord {
    /// Whether it was seen too seldom, or with too many other words.
    #[must_use]
    pub const fn is_unsure(&self) -> bool {
        !self.is_said && (self.seen.part < SEEN_MIN || self.seen.part * 3 < self.seen.whole * 2)
    }
}

impl Words {
    /// The words of the left that have a meaning, each with those of the right, in order.
    #[must_use]
    pub fn by_left(&self) -> Vec<(&str, Vec<&MappedWord>)> {
        let mut rows: BTreeMap<&str, Vec<&MappedWord>> = BTreeMap::new();
        self.meanings.iter().for_each(|word| rows.entry(&word.left).or_default().push(word));
        rows.into_iter().collect()
    }

    /// Every word of the left.
    #[must_use]
    pub fn left_words(&self) -> Vec<&str> {
        let mut words: Vec<&str> = self.meanings.iter().map(|word| word.left.as_str()).collect();
        words.extend(self.strays.iter().map(String::as_str));
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Leaves a word of the right without a meaning.
    pub fn forget(&mut self, right: &str) {
        self.meanings.retain(|word| word.right != right);
        self.unseen.push(right.to_owned());
        self.unseen.sort();
    }

    /// Gives a word of the right a meaning that somebody knows.
    pub fn set(&mut self, right: &str, left: &str) {
        self.unseen.retain(|word| word != right);
        self.strays.retain(|word| word != left);
        let known = self.meanings.iter_mut().find(|word| word.right == right);
        match known {
            Some(word) => {
                left.clone_into(&mut word.left);
                word.is_said = true;
            }
            None => self.meanings.push(MappedWord {
                right: right.to_owned(),
                left: left.to_owned(),
                seen: Share::default(),
                is_said: true,
            }),
        }
        self.meanings.sort_by(|one, other| one.right.cmp(&other.right));
    }
}

type Rows<'a> = [&'a [Value<'static>]];

/// How often words are seen together: by word of the right, then of the left.
type Together = BTreeMap<String, BTreeMap<String, u64>>;

/// A map between two columns of few words; none where there is nothing to learn.
pub(super) fn map(
    lefts: &Rows<'_>,
    rights: &Rows<'_>,
    (left_at, right_at): (usize, usize),
    published: &[&str],
) -> Option<Words> {
    let (together, nothings) = count(lefts, rights, (left_at, right_at))?;
    let mut of_left: BTreeMap<&str, u64> = BTreeMap::new();
    together.values().flatten().for_each(|(word, count)| *of_left.entry(word.as_str()).or_default() += count);
    let seen: u64 = of_left.values().sum();
    let most = of_left.values().max().copied().unwrap_or(0);
    if of_left.len() < 2 || together.len() < 2 || seen < ROWS_PER_WORD * together.len() as u64 {
        return None;
    }
    let meanings: Vec<MappedWord> = together.iter().map(|(right, with)| meaning(right, with)).collect();
    let agreeing: u64 = meanings.iter().map(|word| word.seen.part).sum();
    let beyond = agreeing.saturating_sub(meanings.len() as u64 - 1).saturating_sub(most);
    let mut words = Words {
        lambda: Share::of(beyond, seen - most).basis_points(),
        agreeing: Share::of(agreeing + nothings, lefts.len() as u64),
        unseen: published.iter().filter(|word| !together.contains_key(**word)).map(|word| (*word).to_owned()).collect(),
        strays: Vec::new(),
        meanings,
    };
    // One word for everything says nothing.
    (words.by_left().len() >= 2).then(|| {
        let is_stray = |word: &&&str| !words.meanings.iter().any(|known| known.left == **word);
        words.strays = of_left.keys().filter(is_stray).map(|word| (*word).to_owned()).collect();
        words
    })
}

/// The word it is most often seen with; of several, the same word, and then the first.
fn meaning(right: &str, with: &BTreeMap<String, u64>) -> MappedWord {
    let whole = with.values().sum();
    let rank = |(word, count): &(&String, &u64)| (**count, word.as_str() == right, std::cmp::Reverse((*word).clone()));
    let (left, part) = with.iter().max_by_key(rank).expect("a word of the right was seen with one of the left");
    MappedWord { right: right.to_owned(), left: left.clone(), seen: Share::of(*part, whole), is_said: false }
}

/// Counts words that are seen together, and rows in which both sides say nothing; none where they are not words.
fn count(lefts: &Rows<'_>, rights: &Rows<'_>, (left_at, right_at): (usize, usize)) -> Option<(Together, u64)> {
    let mut together = Together::new();
    let mut left_words: BTreeMap<String, ()> = BTreeMap::new();
    let mut nothings = 0;
    for (left, right) in lefts.iter().zip(rights) {
        let (left, right) = (&left[left_at], &right[right_at]);
        // A left that is a number may be a word: 0 and 1 for what is not so and what is.
        let is_left_word = left.value_type().is_none_or(|kind| are_words(kind) || kind == Type::Number);
        if !is_left_word || !right.value_type().is_none_or(are_words) {
            return None;
        }
        if left.is_nothing() || right.is_nothing() {
            nothings += u64::from(left == right);
            continue;
        }
        let (left, right) = (left.to_string(), right.to_string());
        if left.len() > WORD_BYTES_MAX || right.len() > WORD_BYTES_MAX {
            return None;
        }
        left_words.insert(left.clone(), ());
        *together.entry(right).or_default().entry(left).or_default() += 1;
        if left_words.len() > LEFT_WORDS_MAX || together.len() > RIGHT_WORDS_MAX {
            return None;
        }
    }
    Some((together, nothings))
}
