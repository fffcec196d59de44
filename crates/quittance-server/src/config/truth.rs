//! Where answers of believed systems are remembered: `[truth]`.

use super::errors::Mistakes;
use super::section::Section;

/// What is remembered, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truths {
    /// Where.
    pub cache: TruthCache,
    /// Answers that are remembered, at most. One counts once for each KiB that it begins.
    pub entries_max: u64,
}

/// Where answers are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TruthCache {
    /// In this process.
    Memory,
}

impl Default for Truths {
    fn default() -> Self {
        Self { cache: TruthCache::Memory, entries_max: 100_000 }
    }
}

/// Reads `[truth]`.
pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Truths {
    section.refuse_unknown(&["entries_max"], mistakes);
    let default = Truths::default();
    let entries_max = section.number("entries_max", default.entries_max, 1..=10_000_000, mistakes).value;
    Truths { cache: default.cache, entries_max }
}
