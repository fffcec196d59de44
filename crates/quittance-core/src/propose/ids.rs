//! Ids that say what they are of: `sub_…` is a subscription's. Which object a table is about, and which columns refer
//! to which.

use super::Confidence;
use super::names::words_of;
use super::sample::Sample;
use super::share::Share;
use crate::record::value::Value;
use std::collections::BTreeSet;

/// Share of a column's values that have to be ids of one kind, in basis points.
const SAME_KIND_MIN: u64 = 5_000;

/// Share of ids that have to be different for a column to be a record's own, in basis points.
const OWN_MIN: u64 = 9_000;

/// Words by which a column says that it holds one of several, and not the record's own id.
const OF_OTHERS: [&str; 8] = ["latest", "last", "default", "current", "parent", "previous", "original", "first"];

/// How the ids of an object begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix<'k> {
    /// The beginning, with its underscore.
    pub text: &'k str,
    /// What it is an id of.
    pub object: &'k str,
    /// Whether tables can be compared with a list of them.
    pub is_listed: bool,
}

/// A column that holds ids of one kind of object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Index of the column.
    pub column: usize,
    /// What its ids are of.
    pub object: String,
    /// Whether tables can be compared with a list of them.
    pub is_listed: bool,
    /// Rows that have one, of all rows.
    pub rows: Share,
    /// Ids that are different, of all ids.
    pub distinct: Share,
}

/// What a table is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The object.
    pub object: String,
    /// The column that holds its ids.
    pub column: String,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why.
    pub evidence: String,
    /// What else it may be about, the best first.
    pub rivals: Vec<String>,
}

/// The object that a text is an id of.
fn object_of<'k>(text: &str, prefixes: &[Prefix<'k>]) -> Option<Prefix<'k>> {
    let is_id = |prefix: &&Prefix<'k>| {
        text.strip_prefix(prefix.text)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    };
    prefixes.iter().filter(is_id).max_by_key(|prefix| prefix.text.len()).copied()
}

/// Every column that holds ids, in their order.
#[must_use]
pub fn holders(sample: &Sample, prefixes: &[Prefix<'_>]) -> Vec<Holder> {
    (0..sample.columns.len()).filter_map(|column| holder(sample, column, prefixes)).collect()
}

fn holder(sample: &Sample, column: usize, prefixes: &[Prefix<'_>]) -> Option<Holder> {
    let (mut something, mut kinds) = (0, Vec::<(Prefix<'_>, u64, BTreeSet<&str>)>::new());
    for value in sample.values(column).filter(|value| !value.is_nothing()) {
        something += 1;
        let (Value::Text(text) | Value::Untyped(text)) = value else { continue };
        let Some(prefix) = object_of(text, prefixes) else { continue };
        let at = kinds.iter().position(|(known, ..)| known.object == prefix.object).unwrap_or_else(|| {
            kinds.push((prefix, 0, BTreeSet::new()));
            kinds.len() - 1
        });
        kinds[at].1 += 1;
        kinds[at].2.insert(text);
    }
    let (prefix, ids, distinct) = kinds.into_iter().max_by_key(|(_, ids, _)| *ids)?;
    (Share::of(ids, something).basis_points() >= SAME_KIND_MIN).then(|| Holder {
        column,
        object: prefix.object.to_owned(),
        is_listed: prefix.is_listed,
        rows: Share::of(ids, sample.rows.len() as u64),
        distinct: Share::of(distinct.len() as u64, ids),
    })
}

/// Says what a table is about: of the objects whose ids it holds, the one of which every row has its own. A name that
/// says so comes before the order in which `prefixes` has them, which goes from the particular to the general.
#[must_use]
pub fn about(sample: &Sample, table: &str, prefixes: &[Prefix<'_>]) -> Option<About> {
    let mut candidates: Vec<(u64, Holder)> = holders(sample, prefixes)
        .into_iter()
        .filter(|holder| holder.is_listed)
        .map(|holder| (rank(sample, &holder, table, prefixes), holder))
        .collect();
    // The earlier column wins where nothing else decides: the sort is stable.
    candidates.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    let (best_rank, best) = candidates.first()?.clone();
    let mut rivals = Vec::new();
    for (_, other) in &candidates[1..] {
        if other.object != best.object && !rivals.contains(&other.object) {
            rivals.push(other.object.clone());
        }
    }
    // Orders of magnitude in `rank`: what only the order of prefixes decided is no more than likely.
    let is_near = candidates[1..].iter().any(|(rank, other)| other.object != best.object && best_rank - rank < 1_000);
    let is_own = best.distinct.basis_points() >= OWN_MIN;
    let confidence = match (is_own, is_near) {
        (true, false) => Confidence::Sure,
        (true, true) => Confidence::Likely,
        (false, _) => Confidence::Unsure,
    };
    let column = sample.columns[best.column].name.clone();
    let evidence = format!("{} rows have an id of a {} in `{column}`, {} different", best.rows, best.object, {
        super::share::Grouped(best.distinct.part)
    });
    Some(About { object: best.object, column, confidence, evidence, rivals })
}

/// Own ids first, then what the table or the column is called, then how many rows have one, then the order of prefixes.
fn rank(sample: &Sample, holder: &Holder, table: &str, prefixes: &[Prefix<'_>]) -> u64 {
    let object = words_of(&holder.object);
    let column = words_of(&sample.columns[holder.column].name);
    let is_of_others = column.iter().any(|word| OF_OTHERS.contains(&word.as_str()));
    let is_own = holder.distinct.basis_points() >= OWN_MIN && !is_of_others;
    let table = words_of(table);
    let is_named = object.iter().all(|word| table.contains(word));
    let is_frequent = holder.rows.basis_points() >= 1_000;
    let order = prefixes.iter().position(|prefix| prefix.object == holder.object).unwrap_or(prefixes.len());
    u64::from(is_own) * 8_000
        + u64::from(is_named) * 4_000
        + u64::from(is_frequent) * 2_000
        + (prefixes.len() - order) as u64
}
