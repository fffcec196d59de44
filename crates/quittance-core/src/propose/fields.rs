//! Which columns say the same: those whose values agree for most matched rows, and for more than chance would have it.
//!
//! Agreement by chance is taken off (Cohen's kappa), so that two columns that are nearly always the same value are not
//! taken for one. What a column is called decides between those that agree about equally.

use super::agreement::{Agreement, Coded, agreement, coded};
use super::keys::Rule;
use super::matched::Matched;
use super::names::likeness;
use super::sample::Sample;
use super::share::Share;
use super::variants::variants;
use super::words::{Words, map};
use super::{Confidence, Vocabulary};
use crate::pair::Column;
use crate::record::value::{Type, Value};

/// What is added for a name that is the same, in basis points of agreement.
const NAME_WEIGHT: u64 = 1_500;

/// What is taken off for each transform.
const STEP_COST: u64 = 50;

/// What is taken off for a value map: values that are the same need none.
const MAP_COST: u64 = 200;

/// Least agreement beyond chance, in basis points, and the least where names are alike.
const KAPPA_MIN: [u64; 2] = [4_500, 2_500];

/// Names that are alike, in basis points.
const ALIKE: u64 = 6_500;

/// Rows that have to agree in something that is not nothing.
const HELD_MIN: u64 = 3;

/// Matched rows below which nothing is sure.
const ROWS_FOR_SURE: usize = 30;

/// Candidates this close to the best are its rivals.
const RIVAL_MARGIN: u64 = 300;

/// Most fields that are proposed.
const FIELDS_MAX: usize = 40;

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The column of the left, and what is done to it.
    pub left: Column,
    /// The column of the right.
    pub right: Column,
    /// Which words mean which, where they are not the same.
    pub words: Option<Words>,
    /// Matched rows that agree, of all.
    pub agreeing: Share,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why.
    pub evidence: String,
    /// Other columns of the right that are about as good, with what is compared then.
    pub rivals: Vec<Field>,
}

impl Field {
    /// Takes one of its rivals instead, or itself for good, because somebody who knows said so.
    #[must_use]
    pub fn said(self, rival: Option<usize>) -> Self {
        let chosen = match rival {
            Some(at) => self.rivals.get(at).cloned().unwrap_or(self),
            None => self,
        };
        Self { confidence: Confidence::Sure, rivals: Vec::new(), ..chosen }
    }
}

/// A field and how good it is.
struct Candidate {
    field: Field,
    left_at: usize,
    right_at: usize,
    score: u64,
}

/// Proposes fields, the best first. A column of the left is compared once. One of the right is compared once as it is, and
/// may mean others by words.
pub(super) fn fields(matched: &Matched<'_>, rules: &[Rule], vocabulary: &Vocabulary<'_>) -> Vec<Field> {
    let taken = rules.first().map(|rule| (rule.left.name.as_str(), rule.right.name.as_str()));
    let (lefts, rights) = (Side::new(matched, Which::Left), Side::new(matched, Which::Right));
    let mut candidates = Vec::new();
    for (left_at, left) in lefts.columns.iter().enumerate() {
        for (right_at, right) in rights.columns.iter().enumerate() {
            let names = (lefts.sample.columns[left_at].name.as_str(), rights.sample.columns[right_at].name.as_str());
            if taken.is_some_and(|taken| taken.0 == names.0 || taken.1 == names.1) {
                continue;
            }
            let found = candidate(&lefts, &rights, (left_at, left), (right_at, right), vocabulary);
            candidates.extend(found.map(|(field, score)| Candidate { field, left_at, right_at, score }));
        }
    }
    // Names of the right go from the plain to the nested; the sort is stable.
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    assign(candidates)
}

fn assign(candidates: Vec<Candidate>) -> Vec<Field> {
    let mut chosen: Vec<Candidate> = Vec::new();
    let mut later: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let is_taken = |known: &Candidate| {
            known.left_at == candidate.left_at
                || known.right_at == candidate.right_at
                    && known.field.words.is_none()
                    && candidate.field.words.is_none()
        };
        if chosen.len() < FIELDS_MAX && !chosen.iter().any(is_taken) {
            chosen.push(candidate);
        } else {
            later.push(candidate);
        }
    }
    let is_free = |right_at: usize, chosen: &[Candidate]| chosen.iter().all(|known| known.right_at != right_at);
    let rivals: Vec<Vec<Field>> = chosen
        .iter()
        .map(|best| {
            let near = |other: &&Candidate| {
                other.left_at == best.left_at
                    && other.score + RIVAL_MARGIN >= best.score
                    && is_free(other.right_at, &chosen)
            };
            later.iter().filter(near).map(|other| other.field.clone()).collect()
        })
        .collect();
    let named = |(candidate, rivals): (Candidate, Vec<Field>)| {
        let confidence = if rivals.is_empty() { candidate.field.confidence } else { Confidence::Unsure };
        Field { confidence, rivals, ..candidate.field }
    };
    chosen.into_iter().zip(rivals).map(named).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Left,
    Right,
}

/// One side's columns, in every form they may take.
struct Side<'s> {
    sample: &'s Sample,
    rows: Vec<&'s [Value<'static>]>,
    columns: Vec<Vec<Coded>>,
}

impl<'s> Side<'s> {
    fn new(matched: &Matched<'s>, which: Which) -> Self {
        let (sample, rows): (_, Vec<&[Value<'static>]>) = match which {
            Which::Left => (matched.left, matched.rows.iter().map(|(left, _)| *left).collect()),
            Which::Right => (matched.right, matched.rows.iter().map(|(_, right)| *right).collect()),
        };
        let forms = |at| variants(sample, &rows, at).into_iter().map(coded).collect();
        let columns = (0..sample.columns.len()).map(forms).collect();
        Self { sample, rows, columns }
    }
}

type Forms<'c> = (usize, &'c [Coded]);

fn candidate(
    lefts: &Side<'_>,
    rights: &Side<'_>,
    (left_at, left): (usize, &Vec<Coded>),
    (right_at, right): (usize, &Vec<Coded>),
    vocabulary: &Vocabulary<'_>,
) -> Option<(Field, u64)> {
    let names = (lefts.sample.columns[left_at].name.as_str(), rights.sample.columns[right_at].name.as_str());
    let likeness = likeness(names.0, names.1, vocabulary.object);
    let bonus = likeness * NAME_WEIGHT / 10_000;
    let same = same(lefts, rights, (left_at, left), (right_at, right), likeness);
    let mapped = map(&lefts.rows, &rights.rows, (left_at, right_at), vocabulary.words_of(names.1))
        .filter(|found| found.lambda >= KAPPA_MIN[usize::from(likeness >= ALIKE)])
        .map(|found| {
            let score = (found.lambda + bonus).saturating_sub(MAP_COST);
            let confidence = confidence(found.agreeing, found.lambda, lefts.rows.len());
            let evidence = format!("{} matched rows agree by these words", found.agreeing);
            let column = |side: &Side<'_>, at| side.sample.column(at);
            let field = Field {
                left: column(lefts, left_at),
                right: column(rights, right_at),
                agreeing: found.agreeing,
                words: Some(found),
                confidence,
                evidence,
                rivals: Vec::new(),
            };
            (field, score)
        });
    match (same, mapped) {
        // Words that are the same need no map, unless it explains rows that disagree otherwise.
        (Some(same), Some(mapped)) => {
            let gains = mapped.0.agreeing.part > same.0.agreeing.part + same.0.agreeing.whole / 100;
            Some(if gains { mapped } else { same })
        }
        (same, mapped) => same.or(mapped),
    }
}

/// The forms of two columns that agree best.
fn same(
    lefts: &Side<'_>,
    rights: &Side<'_>,
    (left_at, left): Forms<'_>,
    (right_at, right): Forms<'_>,
    likeness: u64,
) -> Option<(Field, u64)> {
    let mut best: Option<(u64, Agreement, &Coded, &Coded)> = None;
    for one in left {
        for other in right.iter().filter(|other| other.variant.value_type == one.variant.value_type) {
            let agreement = agreement(one, other);
            let cost = STEP_COST * (one.variant.cost + other.variant.cost);
            let score = agreement.agreeing.basis_points().saturating_sub(cost);
            if best.as_ref().is_none_or(|(known, ..)| score > *known) {
                best = Some((score, agreement, one, other));
            }
        }
    }
    let (_, agreement, one, other) = best?;
    let (kappa, confidence) = judge(agreement, likeness, lefts.rows.len())?;
    let cost = STEP_COST * (one.variant.cost + other.variant.cost);
    let column = |side: &Side<'_>, at, coded: &Coded| Column {
        transforms: coded.variant.transforms.clone(),
        ..side.sample.column(at)
    };
    let mut evidence = format!("{} matched rows agree", agreement.agreeing);
    if agreement.kappa.is_none() {
        evidence.push_str(", all of them in one value");
    }
    let field = Field {
        left: column(lefts, left_at, one),
        right: column(rights, right_at, other),
        words: None,
        agreeing: agreement.agreeing,
        confidence,
        evidence,
        rivals: Vec::new(),
    };
    Some((field, (kappa + likeness * NAME_WEIGHT / 10_000).saturating_sub(cost)))
}

/// Whether two columns are one, and how sure that is.
fn judge(agreement: Agreement, likeness: u64, rows: usize) -> Option<(u64, Confidence)> {
    let is_alike = likeness >= ALIKE;
    if agreement.held < HELD_MIN.min(rows as u64) || agreement.held == 0 {
        return None;
    }
    match agreement.kappa {
        Some(kappa) if kappa >= KAPPA_MIN[usize::from(is_alike)] => {
            Some((kappa, confidence(agreement.agreeing, kappa, rows)))
        }
        // Nearly everything is one value, on both sides: what it is called is all there is.
        _ if is_alike && agreement.agreeing.basis_points() >= 9_000 => Some((KAPPA_MIN[1], Confidence::Unsure)),
        _ => None,
    }
}

fn confidence(agreeing: Share, beyond_chance: u64, rows: usize) -> Confidence {
    match (agreeing.basis_points(), beyond_chance) {
        _ if rows < ROWS_FOR_SURE => Confidence::Unsure,
        (9_000.., 8_000..) => Confidence::Sure,
        (7_000.., 4_500..) => Confidence::Likely,
        _ => Confidence::Unsure,
    }
}

/// Whether values of a type can be words of a map.
pub(super) const fn are_words(value_type: Type) -> bool {
    matches!(value_type, Type::Text | Type::Untyped | Type::Boolean)
}
