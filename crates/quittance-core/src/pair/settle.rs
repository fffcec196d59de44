//! Suspect and confirmed: a disagreement counts when it was seen twice, with the same content, some time apart.
//!
//! Two systems are never read at one moment, so what moved in between looks like drift. It is read again; what has
//! gone, or is not what it was, is not drift yet.

use super::compare::{Finding, Seen};
use super::digest::RecordHash;
use std::collections::BTreeMap;

/// What became of a disagreement when it was looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was there again, with the same content on both sides.
    Confirmed,
    /// There is still a disagreement, and it is another one.
    Moving,
    /// There is none any more.
    Settled,
}

/// Says what became of each disagreement of a first look; `again` holds those that a second look at the same records
/// found. What only the second look found is for the next run: here it was not looked at twice.
#[must_use]
pub fn settle(first: Vec<Finding>, again: Vec<Finding>) -> Vec<(Finding, Standing)> {
    let mut second: BTreeMap<Place, Finding> = again.into_iter().map(|finding| (place(&finding), finding)).collect();
    let judge = |finding: Finding| match second.remove(&place(&finding)) {
        None => (finding, Standing::Settled),
        Some(found) if is_same(&finding, &found) => (found, Standing::Confirmed),
        Some(found) => (found, Standing::Moving),
    };
    first.into_iter().map(judge).collect()
}

/// A rule and a key; for records without a key, their identities.
type Place = (usize, Vec<u8>, Vec<u8>);

fn place(finding: &Finding) -> Place {
    let identity = |seen: &Seen| super::row::Record::new(&seen.record).identity().to_owned();
    match &finding.key {
        Some(key) => (finding.rule, key.clone(), Vec::new()),
        None => (usize::MAX, Vec::new(), finding.left.iter().chain(&finding.right).flat_map(identity).collect()),
    }
}

fn is_same(one: &Finding, other: &Finding) -> bool {
    let hashes = |seen: &[Seen]| {
        let mut hashes: Vec<RecordHash> = seen.iter().map(|seen| seen.hash).collect();
        hashes.sort_unstable();
        hashes
    };
    one.kind == other.kind
        && (one.left_count, one.right_count) == (other.left_count, other.right_count)
        && hashes(&one.left) == hashes(&other.left)
        && hashes(&one.right) == hashes(&other.right)
}
