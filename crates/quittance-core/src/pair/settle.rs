//! Suspect and confirmed: a disagreement counts when it was seen twice, with the same content, some time apart.
//!
//! Two systems are never read at one moment, so what moved in between looks like drift. It is read again; what has
//! gone, or is not what it was, is not drift yet.

use super::compare::{Finding, Seen};
use super::digest::RecordHash;
use super::row::Record;
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

/// Where a disagreement is: a rule and a key; for records without a key, their identities. Records that have neither share
/// a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(usize, Vec<u8>);

impl Place {
    /// The place of a disagreement.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        let identity = |seen: &Seen| Record::new(&seen.record).identity().to_owned();
        match &finding.key {
            Some(key) => Self(finding.rule, key.clone()),
            None => Self(usize::MAX, finding.left.iter().chain(&finding.right).flat_map(identity).collect()),
        }
    }
}

/// Says what became of each disagreement of a first look; `again` holds those that a second look at the same records
/// found. What only the second look found is for the next run: here it was not looked at twice.
#[must_use]
pub fn settle(first: Vec<Finding>, again: Vec<Finding>) -> Vec<(Finding, Standing)> {
    let mut second: BTreeMap<Place, Vec<Finding>> = BTreeMap::new();
    for finding in again {
        second.entry(Place::of(&finding)).or_default().push(finding);
    }
    // What is there again unchanged goes first, so that nothing else at its place takes it for a changed one.
    let confirmed: Vec<bool> = first.iter().map(|finding| take_same(&mut second, finding)).collect();
    let judge = |(finding, is_confirmed)| {
        if is_confirmed {
            return (finding, Standing::Confirmed);
        }
        match second.get_mut(&Place::of(&finding)).and_then(Vec::pop) {
            Some(found) => (found, Standing::Moving),
            None => (finding, Standing::Settled),
        }
    };
    first.into_iter().zip(confirmed).map(judge).collect()
}

fn take_same(second: &mut BTreeMap<Place, Vec<Finding>>, finding: &Finding) -> bool {
    let Some(found) = second.get_mut(&Place::of(finding)) else { return false };
    let at = found.iter().position(|other| is_same(finding, other));
    at.map(|at| found.swap_remove(at)).is_some()
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
