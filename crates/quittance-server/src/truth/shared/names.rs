//! How what lies in Redis is called. Names tell nothing of records: keys of records are people's e-mail addresses at times.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Letters of the id of a Redis that stand in names.
const RUN_LETTERS: usize = 16;

/// Names of one start of one Redis. What it kept from before, and what another one copied of it, has other names: what was heard
/// while it was away may be missing in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    base: String,
}

/// Names of what belongs to one key of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) era: String,
    pub(super) entry: String,
}

impl Names {
    /// Those below a prefix. The braces have all of them lie at one node.
    pub(super) fn new(prefix: &str, run: &str) -> Self {
        let run: String = run.chars().take(RUN_LETTERS).collect();
        Self { base: format!("{{{prefix}:truth}}:{run}:") }
    }

    /// How every name begins.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn era(&self) -> String {
        format!("{}era", self.base)
    }

    /// What is written to find out whether anything can be.
    pub(super) fn pulse(&self) -> String {
        format!("{}pulse", self.base)
    }

    pub(super) fn entry(&self, pair: &str, key: &str) -> Entry {
        Entry { era: self.era(), entry: format!("{}e:{}", self.base, digest(pair, key)) }
    }

    /// Where it is known which entry tells of a record.
    pub(super) fn identity(&self, pair: &str, identity: &str) -> String {
        format!("{}i:{}", self.base, digest(pair, identity))
    }
}

/// Where everybody hears of what is to be forgotten.
pub(super) fn channel(prefix: &str) -> String {
    format!("{{{prefix}:truth}}:heard")
}

fn digest(pair: &str, word: &str) -> String {
    let hash = Sha256::new().chain_update((pair.len() as u64).to_be_bytes()).chain_update(pair).chain_update(word);
    hex(&hash.finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to memory does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_nothing_of_records_and_differ_from_start_to_start() {
        let names = Names::new("shop", "0123456789abcdef0123456789abcdef01234567");
        let entry = names.entry("subscriptions", "a@example.com");
        assert!(entry.entry.starts_with("{shop:truth}:0123456789abcdef:e:"), "{entry:?}");
        assert!(!format!("{entry:?}").contains("example") && entry.entry.starts_with(names.base()));
        assert_ne!(entry, Names::new("shop", "f123456789abcdef").entry("subscriptions", "a@example.com"));
        // Where a pair's name ends does not matter.
        assert_ne!(names.entry("a", "bc"), names.entry("ab", "c"));
        assert_eq!(channel("shop"), "{shop:truth}:heard");
    }
}
