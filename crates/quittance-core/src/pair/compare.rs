//! Comparing: what a meeting of records says, and what all of them come to.

use super::digest::{Digest, Hasher, RecordHash};
use super::groups::Groups;
use super::join::{Claimants, Meeting};
use super::lag::Lag;
use super::row::{FieldValue, Record, decode_field};
use super::{Pair, Which};
use crate::record::key::encode_value;
use crate::record::value::{Comparison, Type, Value};

/// What kind of disagreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Both have it and say different things.
    Different,
    /// The right has not got it.
    LeftOnly,
    /// The left has not got it.
    RightOnly,
    /// Several records claim one key.
    Ambiguous,
}

impl Kind {
    /// The name in results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Different => "different",
            Self::LeftOnly => "left_only",
            Self::RightOnly => "right_only",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// A record as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The record, encoded.
    pub record: Vec<u8>,
    /// The hash of it.
    pub hash: RecordHash,
}

/// A disagreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// The rule under which they met, or would have.
    pub rule: usize,
    /// The key under that rule; none where a record has no key under any.
    pub key: Option<Vec<u8>>,
    /// Records of the left: at most one, unless ambiguous.
    pub left: Vec<Seen>,
    /// Records of the right.
    pub right: Vec<Seen>,
    /// How many records of the left there are, of which the first are in `left`.
    pub left_count: u64,
    /// As `left_count`, of the right.
    pub right_count: u64,
}

/// One field in which two records disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    /// Index of the field.
    pub field: usize,
    /// What the left says.
    pub left: Value<'a>,
    /// What the right says.
    pub right: Value<'a>,
}

/// Two values between which there is no equality: a mistake of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: the left is {left_type} and the right is {right_type}, as in {left_value} and {right_value}")]
pub struct Incomparable {
    /// Name of the field.
    pub field: String,
    /// Type of the left.
    pub left_type: Type,
    /// Type of the right.
    pub right_type: Type,
    /// The value that was met first.
    pub left_value: String,
    /// The value of the right beside it.
    pub right_value: String,
}

impl From<std::convert::Infallible> for Incomparable {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// What all records come to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Every record of the left.
    pub left: Digest,
    /// Every record of the right.
    pub right: Digest,
    /// Matched records that say the same, digested from the left.
    pub equal: Digest,
    /// Counts by group.
    pub groups: Groups,
    /// How far times of last modification are apart.
    pub lag: Lag,
}

/// Compares the records of a pair.
pub struct Comparer<'p> {
    pair: &'p Pair,
    hasher: Hasher,
    has_maps: bool,
    tally: Tally,
    scratch: Vec<u8>,
}

impl<'p> Comparer<'p> {
    /// A comparer of a pair, with the hash key of its run.
    #[must_use]
    pub fn new(pair: &'p Pair, hasher: Hasher) -> Self {
        let has_maps = pair.fields.iter().any(|field| field.values.is_some());
        Self { pair, hasher, has_maps, tally: Tally::default(), scratch: Vec::new() }
    }

    /// What all records so far come to.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes a meeting under a rule into account; gives the disagreement, if it is one. A record is shown once: what
    /// goes on to the next rule is not shown here.
    ///
    /// # Errors
    ///
    /// [`Incomparable`] when the configuration compares what has no equality.
    pub fn meet(&mut self, rule: usize, meeting: Meeting<'_>) -> Result<Option<Finding>, Incomparable> {
        match meeting {
            Meeting::Both(left, right) => self.both(rule, left, right),
            Meeting::Left(left) => Ok(Some(self.alone(Which::Left, Some(rule), left))),
            Meeting::Right(right) => Ok(Some(self.alone(Which::Right, Some(rule), right))),
            Meeting::Crowd(left, right) => Ok(Some(self.crowd(rule, left, right))),
        }
    }

    /// Takes a record into account that no rule could match: none under the last, or none that has a key.
    pub fn alone(&mut self, which: Which, rule: Option<usize>, record: Record<'_>) -> Finding {
        let seen = self.see(which, rule.unwrap_or(0), record);
        let key = rule.and_then(|rule| record.key(rule)).map(<[u8]>::to_owned);
        let (kind, left, right) = match which {
            Which::Left => (Kind::LeftOnly, vec![seen], Vec::new()),
            Which::Right => (Kind::RightOnly, Vec::new(), vec![seen]),
        };
        let (left_count, right_count) = (left.len() as u64, right.len() as u64);
        Finding { kind, rule: rule.unwrap_or(0), key, left, right, left_count, right_count }
    }

    fn both(&mut self, rule: usize, left: Record<'_>, right: Record<'_>) -> Result<Option<Finding>, Incomparable> {
        self.tally.lag.add(left.modified(), right.modified());
        let has_same_bytes = left.fields() == right.fields();
        if has_same_bytes || self.are_equal(left, right)? {
            let hash = self.hash_beside(rule, left, right);
            // Bytes that are the same have one hash; else each side is digested from what it says itself.
            let right_hash = if has_same_bytes { hash } else { self.hash_beside(rule, right, left) };
            self.tally.left.add(hash);
            self.tally.right.add(right_hash);
            self.tally.equal.add(hash);
            self.tally.groups.count(Which::Left, left.groups(), 1);
            self.tally.groups.count(Which::Right, right.groups(), 1);
            return Ok(None);
        }
        let key = left.key(rule).map(<[u8]>::to_owned);
        let (left, right) = (self.see(Which::Left, rule, left), self.see(Which::Right, rule, right));
        let (left, right) = (vec![left], vec![right]);
        Ok(Some(Finding { kind: Kind::Different, rule, key, left, right, left_count: 1, right_count: 1 }))
    }

    fn crowd(&mut self, rule: usize, left: &Claimants, right: &Claimants) -> Finding {
        let key =
            left.records().chain(right.records()).next().and_then(|record| record.key(rule)).map(<[u8]>::to_owned);
        let mut see = |which, claimants: &Claimants| -> Vec<Seen> {
            claimants.records().map(|record| self.see(which, rule, record)).collect()
        };
        let (left_seen, right_seen) = (see(Which::Left, left), see(Which::Right, right));
        // What is not kept is counted, and is in no digest: a crowd that large is open in every proof.
        let surplus = [left.count() - left_seen.len() as u64, right.count() - right_seen.len() as u64];
        self.tally.left.count += surplus[0];
        self.tally.right.count += surplus[1];
        self.tally.groups.count_others(Which::Left, surplus[0]);
        self.tally.groups.count_others(Which::Right, surplus[1]);
        Finding {
            kind: Kind::Ambiguous,
            rule,
            key,
            left: left_seen,
            right: right_seen,
            left_count: left.count(),
            right_count: right.count(),
        }
    }

    fn see(&mut self, which: Which, rule: usize, record: Record<'_>) -> Seen {
        let hash = self.hash(rule, record);
        match which {
            Which::Left => self.tally.left.add(hash),
            Which::Right => self.tally.right.add(hash),
        }
        self.tally.groups.count(which, record.groups(), 1);
        Seen { record: record.bytes().to_owned(), hash }
    }

    /// The hash of a record that is equal to another one: text without a type is hashed as what it was compared as.
    fn hash_beside(&mut self, rule: usize, record: Record<'_>, other: Record<'_>) -> RecordHash {
        if record.fields() == other.fields() {
            return self.hash(rule, record);
        }
        let key = record.key(rule).unwrap_or_else(|| record.identity());
        self.scratch.clear();
        let (mut fields, mut others) = (record.fields(), other.fields());
        while !fields.is_empty() {
            let (own, beside) = (decode_field(&mut fields), decode_field(&mut others));
            let own = own.compared.unwrap_or(own.said);
            let wanted =
                beside.compared.as_ref().and_then(Value::value_type).filter(|_| matches!(own, Value::Untyped(_)));
            let meant = wanted.and_then(|wanted| own.read_as(wanted));
            encode_value(meant.as_ref().unwrap_or(&own), &mut self.scratch);
        }
        self.hasher.hash(key, &self.scratch)
    }

    /// Over the key and what the fields are compared as.
    fn hash(&mut self, rule: usize, record: Record<'_>) -> RecordHash {
        let key = record.key(rule).unwrap_or_else(|| record.identity());
        if !self.has_maps {
            return self.hasher.hash(key, record.fields());
        }
        self.scratch.clear();
        let mut fields = record.fields();
        while !fields.is_empty() {
            let FieldValue { compared, said } = decode_field(&mut fields);
            encode_value(&compared.unwrap_or(said), &mut self.scratch);
        }
        self.hasher.hash(key, &self.scratch)
    }

    /// Looks at every field: a mistake of the configuration is not to hide behind an earlier difference.
    fn are_equal(&self, left: Record<'_>, right: Record<'_>) -> Result<bool, Incomparable> {
        differences(self.pair, left, right).try_fold(true, |_, difference| difference.map(|_| false))
    }
}

/// The fields in which two records disagree, in order.
pub fn differences<'a>(
    pair: &'a Pair,
    left: Record<'a>,
    right: Record<'a>,
) -> impl Iterator<Item = Result<Difference<'a>, Incomparable>> {
    let (mut left, mut right) = (left.fields(), right.fields());
    pair.fields.iter().enumerate().filter_map(move |(field, rule)| {
        let (one, other) = (decode_field(&mut left), decode_field(&mut right));
        let comparison = match (&one.compared, &other.compared) {
            (Some(one), Some(other)) => one.compare(other),
            _ => Comparison::Different,
        };
        match comparison {
            Comparison::Equal => None,
            Comparison::Different => Some(Ok(Difference { field, left: one.said, right: other.said })),
            Comparison::Incomparable(left_type, right_type) => Some(Err(Incomparable {
                field: rule.name.clone(),
                left_type,
                right_type,
                left_value: one.said.to_string(),
                right_value: other.said.to_string(),
            })),
        }
    })
}
