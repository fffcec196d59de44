//! Proposing how two tables are compared, from what is in them.
//!
//! Owns what can be learned from samples of both sides: which columns identify a record on both ([`keys`]), which hold
//! the same ([`fields`]), which word means which ([`words`]), which tell times ([`times`]). Everything is counted over
//! records that were matched, and majorities decide, so that some drift does not hide what belongs together. The same
//! samples give the same proposal. Does not own where samples come from, nor what is written about them.

mod agreement;
pub mod fields;
pub mod ids;
mod keyed;
pub mod keys;
mod matched;
mod names;
pub mod sample;
pub mod share;
pub mod times;
mod variants;
pub mod words;

#[cfg(test)]
mod tests;

use fields::Field;
use ids::Prefix;
use keys::Rule;
use matched::Matched;
use sample::Sample;
use share::Share;
use times::{Counted, Modified};

/// How far a proposal can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Something else is about as good, or there was little to go by.
    Unsure,
    /// Most of what was seen says so.
    Likely,
    /// Nearly everything that was seen says so, and nothing else comes near.
    Sure,
}

impl Confidence {
    /// The name in results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsure => "unsure",
            Self::Likely => "likely",
            Self::Sure => "sure",
        }
    }
}

/// What is known of the right side before it is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vocabulary<'k> {
    /// How ids begin.
    pub prefixes: &'k [Prefix<'k>],
    /// Every word that is published for a column of the right.
    pub words: &'k [(&'k str, &'k [&'k str])],
    /// What the records of the right are, such as `subscription`; empty where they have no name.
    pub object: &'k str,
}

impl<'k> Vocabulary<'k> {
    fn words_of(&self, column: &str) -> &'k [&'k str] {
        self.words.iter().find(|(name, _)| *name == column).map_or(&[], |(_, words)| words)
    }
}

/// How two tables are compared.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Proposal {
    /// Rules of matching, in the order they are tried.
    pub rules: Vec<Rule>,
    /// Rules that would add nothing, or match one record with several.
    pub spare_rules: Vec<Rule>,
    /// What is compared, the best first.
    pub fields: Vec<Field>,
    /// When records of the left were last modified.
    pub left_modified: Option<Modified>,
    /// When records of the right were.
    pub right_modified: Option<Modified>,
    /// What records are counted by.
    pub counts: Vec<Counted>,
    /// Records of the left that were matched, of those that have a key.
    pub matched: Share,
}

/// Proposes how two tables are compared. Without a rule there is nothing else in it.
#[must_use]
pub fn propose(left: &Sample, right: &Sample, vocabulary: &Vocabulary<'_>) -> Proposal {
    let keys::Keys { rules, spare } = keys::rules(left, right, vocabulary);
    if rules.is_empty() {
        return Proposal { spare_rules: spare, ..Proposal::default() };
    }
    let matched = Matched::by(&rules, left, right);
    let fields = fields::fields(&matched, &rules, vocabulary);
    Proposal {
        counts: times::counts(&matched),
        left_modified: times::modified(left),
        right_modified: times::modified(right),
        matched: matched.share,
        rules,
        spare_rules: spare,
        fields,
    }
}
