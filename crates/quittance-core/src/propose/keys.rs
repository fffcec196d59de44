//! Which columns tell that two records are of the same thing.
//!
//! Ids that say what they are of come first. Other columns count when nearly every value is different on both sides and
//! most of the left's are found on the right.

use super::ids::{self, Holder};
use super::keyed::{Cache, Found, keys_of};
use super::names::says;
use super::sample::{Decided, Sample};
use super::share::{Grouped, Share};
use super::{Confidence, Vocabulary};
use crate::pair::Column;
use crate::pair::transform::Transform;
use crate::record::value::{Type, Value};
use std::collections::BTreeSet;

/// Share of values that have to be different for them to be keys, in basis points.
const DISTINCT_MIN: u64 = 9_000;

/// Share of the left's keys that have to be found where all of the right is known, in basis points.
const FOUND_MIN: u64 = 5_000;

/// Fewest keys that have to be found for columns whose values do not say what they are.
const HITS_MIN: u64 = 5;

/// Keys of which one at least has to be found before the others are looked at.
const PROBES: usize = 500;

/// Most rules that are proposed.
const RULES_MAX: usize = 3;

/// Words by which numbers say that they are ids; others are the same by chance.
const ID_WORDS: [&str; 6] = ["id", "key", "number", "reference", "ref", "uuid"];

/// A rule of matching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The column of the left.
    pub left: Column,
    /// The column of the right.
    pub right: Column,
    /// Rows of the left that have a key, of all.
    pub keyed: Share,
    /// Keys of the left that are found, of those that were looked for.
    pub found: Share,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub evidence: String,
}

/// The rules that were found.
pub(super) struct Keys {
    pub(super) rules: Vec<Rule>,
    pub(super) spare: Vec<Rule>,
}

/// A rule and what it is weighed by.
struct Candidate {
    rule: Rule,
    left_at: usize,
    /// Whether the values say that they are ids of the records of the right.
    is_own: bool,
    /// Whether the values on both sides say that they are ids of the same.
    is_same_kind: bool,
    /// Whether every key is of one record.
    is_unique: bool,
}

/// Proposes rules, in the order in which they are to be tried.
pub(super) fn rules(left: &Sample, right: &Sample, vocabulary: &Vocabulary<'_>) -> Keys {
    let left_holders = ids::holders(left, vocabulary.prefixes);
    let right_holders = ids::holders(right, vocabulary.prefixes);
    let cache = [Cache::default(), Cache::default()];
    let mut candidates = Vec::new();
    for left_at in 0..left.columns.len() {
        for right_at in 0..right.columns.len() {
            let holds = |holders: &[Holder], at: usize| {
                holders.iter().find(|holder| holder.column == at).map(|holder| holder.object.clone())
            };
            let (one, other) = (holds(&left_holders, left_at), holds(&right_holders, right_at));
            let is_identity = right.identity == [right.columns[right_at].name.clone()];
            let look = Look {
                left,
                right,
                left_at,
                right_at,
                is_identity,
                is_own: is_identity && one.as_deref() == Some(vocabulary.object),
                is_same_kind: one.is_some() && one == other,
                is_other_kind: one.is_some() && other.is_some() && one != other,
                known: &cache,
            };
            candidates.extend(look.candidate());
        }
    }
    candidates.sort_by_key(|candidate| {
        let Candidate { is_own, is_same_kind, is_unique, rule, .. } = candidate;
        std::cmp::Reverse((*is_own, *is_unique, *is_same_kind, rule.found.part))
    });
    choose(left, candidates)
}

/// Takes candidates as long as they match rows that no rule before them has a key for.
fn choose(left: &Sample, candidates: Vec<Candidate>) -> Keys {
    let mut keys = Keys { rules: Vec::new(), spare: Vec::new() };
    let mut without_key: BTreeSet<usize> = (0..left.rows.len()).collect();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for candidate in candidates {
        if !used.insert(candidate.left_at) {
            continue;
        }
        let has_key = |row: &usize| !left.rows[*row][candidate.left_at].is_nothing();
        let adds = without_key.iter().filter(|row| has_key(row)).count();
        let is_useful = keys.rules.is_empty() || adds > 0 && candidate.is_unique;
        if is_useful && keys.rules.len() < RULES_MAX && (candidate.is_own || candidate.is_unique) {
            without_key.retain(|row| !has_key(row));
            keys.rules.push(candidate.rule);
        } else {
            keys.spare.push(candidate.rule);
        }
    }
    keys
}

/// One column of the left beside one of the right.
struct Look<'s> {
    left: &'s Sample,
    right: &'s Sample,
    left_at: usize,
    right_at: usize,
    is_identity: bool,
    is_own: bool,
    is_same_kind: bool,
    is_other_kind: bool,
    known: &'s [Cache; 2],
}

impl Look<'_> {
    fn candidate(&self) -> Option<Candidate> {
        let left_type = self.left.type_of(self.left_at)?;
        // A right without a single record has no types; ids say what they are all the same.
        let right_type = self.right.type_of(self.right_at).or(self.is_own.then_some(Type::Text))?;
        let left_name = self.left.columns[self.left_at].name.as_str();
        if self.is_other_kind || !self.is_own && says_other(left_name) {
            return None;
        }
        shapes(left_type, right_type, self).into_iter().filter_map(|shape| self.weighed(shape)).reduce(|best, other| {
            // More has to be done to the values only where that finds noticeably more.
            if other.rule.found.part * 100 > best.rule.found.part * 101 { other } else { best }
        })
    }

    fn weighed(&self, (left_steps, right_steps): Shape) -> Option<Candidate> {
        let left = keys_of(&self.known[0], self.left, self.left_at, &left_steps);
        let is_certain = self.is_own || self.is_same_kind;
        if !is_certain && (left.distinct().basis_points() < DISTINCT_MIN || left.are_times) {
            return None;
        }
        let right = keys_of(&self.known[1], self.right, self.right_at, &right_steps);
        if !is_certain && right.distinct().basis_points() < DISTINCT_MIN {
            return None;
        }
        let hits =
            |keys: &mut dyn Iterator<Item = &Vec<u8>>| keys.filter(|key| right.counts.contains_key(*key)).count();
        if !self.is_own && hits(&mut left.counts.keys().take(PROBES)) == 0 {
            return None;
        }
        let found = self.found(&left, &right);
        let is_enough = found.part >= HITS_MIN.min(left.counts.len() as u64) && found.basis_points() >= FOUND_MIN;
        if !self.is_own && !is_enough {
            return None;
        }
        let is_unique = left.distinct().basis_points() >= DISTINCT_MIN
            && (right.distinct().basis_points() >= DISTINCT_MIN || right.rows == 0);
        let confidence = match (self.is_own && is_unique, found.basis_points()) {
            (true, FOUND_MIN..) => Confidence::Sure,
            (false, 8_000..) if is_unique => Confidence::Likely,
            _ => Confidence::Unsure,
        };
        let has_key = |row: &&Vec<Value<'static>>| !row[self.left_at].is_nothing();
        let fair = self.left.fair_rows();
        let keyed = Share::of(fair.iter().filter(has_key).count() as u64, fair.len() as u64);
        let evidence = self.evidence(&left, &right, keyed, found);
        let column = |sample: &Sample, at, transforms| Column { transforms, ..sample.column(at) };
        let rule = Rule {
            left: column(self.left, self.left_at, left_steps),
            right: column(self.right, self.right_at, right_steps),
            keyed,
            found,
            confidence,
            evidence,
        };
        let (is_own, is_same_kind) = (self.is_own, self.is_same_kind);
        Some(Candidate { rule, left_at: self.left_at, is_own, is_same_kind, is_unique })
    }

    /// Keys of the left that are there, of those that were looked for: all of them where all of the right is known, else
    /// those that were looked up. Of other columns than the identity only what is there anyway is known.
    fn found(&self, left: &Found, right: &Found) -> Share {
        let is_there = |key: &Vec<u8>| right.counts.contains_key(key);
        let there = left.counts.keys().filter(|key| is_there(key)).count() as u64;
        match &self.right.decided {
            Decided::All => Share::of(there, left.counts.len() as u64),
            Decided::Only(ids) if self.is_identity => {
                let asked = || left.counts.iter().filter(|(_, (_, text))| ids.contains(text));
                Share::of(asked().filter(|(key, _)| is_there(key)).count() as u64, asked().count() as u64)
            }
            Decided::Only(_) => Share::of(there, there),
        }
    }

    fn evidence(&self, left: &Found, right: &Found, keyed: Share, found: Share) -> String {
        let (one, other) = (&self.left.columns[self.left_at].name, &self.right.columns[self.right_at].name);
        let mut text = format!("{keyed} rows have a key in `{one}`; ");
        if self.right.decided.is_all() || self.is_identity {
            text.push_str(&format!("of those looked for, {found} are found as `{other}`"));
        } else {
            text.push_str(&format!("{} are found as `{other}` in what was read", Grouped(found.part)));
        }
        for (side, keys) in [("left", left), ("right", right)] {
            if keys.distinct().basis_points() < 10_000 && keys.rows > 0 {
                let (rows, different) = (Grouped(keys.rows), Grouped(keys.counts.len() as u64));
                text.push_str(&format!("; on the {side} {rows} rows share {different} different ones"));
            }
        }
        text
    }
}

/// What is done to both columns.
type Shape = (Vec<Transform>, Vec<Transform>);

/// What may make keys of two types the same, the least first.
fn shapes(left: Type, right: Type, look: &Look<'_>) -> Vec<Shape> {
    let is_text = |kind| matches!(kind, Type::Text | Type::Untyped);
    let is_id = |sample: &Sample, at: usize| says(&sample.columns[at].name, &ID_WORDS);
    let plain = || (Vec::new(), Vec::new());
    let as_text = || vec![Transform::ReadAs(Type::Text)];
    match (left, right) {
        (left, right) if is_text(left) && is_text(right) => {
            if look.is_own || look.is_same_kind {
                let trimmed = (vec![Transform::Trim], Vec::new());
                return vec![plain(), trimmed];
            }
            let lower = || vec![Transform::Trim, Transform::Lower];
            vec![plain(), (lower(), lower())]
        }
        (Type::Number, right) if is_text(right) && is_id(look.left, look.left_at) => vec![(as_text(), Vec::new())],
        (left, Type::Number) if is_text(left) && is_id(look.right, look.right_at) => vec![(Vec::new(), as_text())],
        (Type::Number, Type::Number)
            if is_id(look.left, look.left_at) && (is_id(look.right, look.right_at) || look.is_identity) =>
        {
            vec![plain()]
        }
        _ => Vec::new(),
    }
}

/// Whether a name says that it is of one of several.
fn says_other(name: &str) -> bool {
    says(name, &["latest", "last", "default", "parent", "previous"])
}
