//! Shape: whether the values of a field still look as they did. A field that is suddenly nothing in many records says that the
//! other side speaks another version, not that customers changed.
//!
//! What a run shows of a field that is bent is not remembered, or a second run would take it for usual: it stays bent until it is
//! as before, or a person accepts it.

use crate::pair::{Pair, Which};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Runs that are remembered.
pub const RUNS_MAX: usize = 10;

/// Records below which a share says nothing.
pub const RECORDS_MIN: u64 = 20;

/// A share of nothings that is greater than before by this is a jump, in millionths: a fifth of the records.
pub const JUMP_PPM: u64 = 200_000;

/// What one run saw in one field of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Seen {
    /// Records that were looked at.
    pub records: u64,
    /// Those in which the field held nothing, or was not mentioned.
    pub nothing: u64,
    /// Those whose word no map knows.
    pub unknown: u64,
}

impl Seen {
    /// The share of those that hold nothing, in millionths.
    #[must_use]
    pub const fn nothing_ppm(self) -> u64 {
        match self.nothing.saturating_mul(1_000_000).checked_div(self.records) {
            Some(share) => share,
            None => 0,
        }
    }
}

/// What is wrong with the shape of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bent {
    /// So many millionths of it are nothing, and at most so many were in any run that is remembered.
    Nothing {
        /// Now.
        now_ppm: u64,
        /// Before, at most.
        before_ppm: u64,
    },
    /// So many records hold words that no map knows, and in the runs that are remembered none did.
    Unknown(u64),
}

/// Judges a field by the runs before, the newest of which may be any, and by what the other side looked like last: what was
/// repaired from there is nothing where that is. Nothing is judged before a first run, nor over few records.
#[must_use]
pub fn judge(before: &[Seen], beside: Option<Seen>, now: Seen) -> Option<Bent> {
    if before.is_empty() || now.records < RECORDS_MIN {
        return None;
    }
    if now.unknown > 0 && before.iter().all(|seen| seen.unknown == 0) {
        return Some(Bent::Unknown(now.unknown));
    }
    let enough = |seen: &&Seen| seen.records >= RECORDS_MIN;
    let own_ppm = before.iter().filter(enough).map(|seen| seen.nothing_ppm()).max()?;
    let before_ppm = own_ppm.max(beside.as_ref().filter(enough).map_or(0, |seen| seen.nothing_ppm()));
    let now_ppm = now.nothing_ppm();
    (now_ppm >= before_ppm + JUMP_PPM).then_some(Bent::Nothing { now_ppm, before_ppm })
}

/// What one run saw in every field, in the order of the pair's fields.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Counted {
    /// Of the left.
    pub left: Vec<Seen>,
    /// Of the right.
    pub right: Vec<Seen>,
}

/// What is remembered of the fields of a pair, each by its side and column (`left status`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shapes {
    /// What the last runs saw in which it was not bent, the newest last.
    pub usual: BTreeMap<String, Vec<Seen>>,
    /// Those that are bent, and since when, by our clock.
    pub bent: BTreeMap<String, Timestamp>,
}

/// A field whose shape is another than before: what its side says of it is believed by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BentField {
    /// The side.
    pub which: Which,
    /// Index of the field in the pair.
    pub field: usize,
    /// When it was seen first, by our clock.
    pub since: Timestamp,
    /// What this run saw of it; none where it did not look at every record, or at few.
    pub now: Option<(Seen, Bent)>,
}

impl Shapes {
    /// Judges what a run counted, where it counted, and remembers it, at this time. A field of an `accepted` name is not bent: what
    /// the run saw of it is usual from now on. Gives what is bent then, the left first, in the order of fields.
    pub fn judge(
        &mut self,
        pair: &Pair,
        counted: Option<&Counted>,
        accepted: &BTreeSet<String>,
        now: Timestamp,
    ) -> Vec<BentField> {
        let (mut found, mut known) = (Vec::new(), BTreeSet::new());
        let newest: BTreeMap<String, Seen> =
            self.usual.iter().filter_map(|(key, runs)| Some((key.clone(), *runs.last()?))).collect();
        for which in [Which::Left, Which::Right] {
            let seen = counted.map(|counted| if which == Which::Left { &counted.left } else { &counted.right });
            for (field, described) in pair.fields.iter().enumerate() {
                let key = name_of(pair, which, field);
                let seen = seen.and_then(|seen| seen.get(field)).copied().filter(|seen| seen.records >= RECORDS_MIN);
                let is_accepted = accepted.contains(&described.name);
                let beside = newest.get(&name_of(pair, other(which), field)).copied();
                let since = self.field(&key, (seen, beside), is_accepted, now);
                found.extend(since.map(|(since, now)| BentField { which, field, since, now }));
                known.insert(key);
            }
        }
        // What is not compared any more is forgotten.
        self.usual.retain(|key, _| known.contains(key));
        self.bent.retain(|key, _| known.contains(key));
        found
    }

    /// Judges one field: since when it is bent, if it is.
    fn field(
        &mut self,
        key: &str,
        (seen, beside): (Option<Seen>, Option<Seen>),
        is_accepted: bool,
        now: Timestamp,
    ) -> Option<(Timestamp, Option<(Seen, Bent)>)> {
        let usual = self.usual.entry(key.to_owned()).or_default();
        let bent = seen.and_then(|seen| judge(usual, beside, seen).map(|bent| (seen, bent)));
        match (seen, bent) {
            _ if is_accepted => {}
            // Whoever saw too little of it says nothing.
            (None, _) => return self.bent.get(key).map(|since| (*since, None)),
            (Some(_), Some(bent)) => return Some((*self.bent.entry(key.to_owned()).or_insert(now), Some(bent))),
            (Some(_), None) => {}
        }
        self.bent.remove(key);
        usual.extend(seen);
        let surplus = usual.len().saturating_sub(RUNS_MAX);
        usual.drain(..surplus);
        None
    }
}

const fn other(which: Which) -> Which {
    match which {
        Which::Left => Which::Right,
        Which::Right => Which::Left,
    }
}

/// What a field of a side is remembered by: two fields of one name may read two columns.
fn name_of(pair: &Pair, which: Which, field: usize) -> String {
    let side = pair.side(which);
    let column = &side.columns[side.fields[field]];
    format!("{} {}{}", which.as_str(), column.name, column.pointer.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::{Column, Field, Side};

    fn pair() -> Pair {
        let side = Side {
            columns: vec![Column::plain("id"), Column::plain("status"), Column::plain("plan")],
            fields: vec![1, 2],
            ..Side::default()
        };
        let field = |name: &str| Field { name: name.to_owned(), values: None };
        let fields = vec![field("status"), field("plan")];
        Pair { name: "test".to_owned(), left: side.clone(), right: side, fields }
    }

    /// A run whose right said nothing of the status in so many of its records.
    fn counted(records: u64, nothing: u64) -> Counted {
        let full = seen(records, 0, 0);
        Counted { left: vec![full; 2], right: vec![seen(records, nothing, 0), full] }
    }

    #[test]
    fn a_bent_field_stays_bent_until_it_is_as_before_or_a_person_accepts_it() {
        let (pair, nobody) = (pair(), BTreeSet::new());
        let mut shapes = Shapes::default();
        let mut run = |counted: Option<Counted>, accepted: &BTreeSet<String>, at: i64| {
            let bent = shapes.judge(&pair, counted.as_ref(), accepted, Timestamp(at));
            bent.iter().map(|one| (one.which, one.field, one.since.0, one.now.is_some())).collect::<Vec<_>>()
        };
        assert_eq!(run(Some(counted(100, 2)), &nobody, 1), [], "the first run");
        let bent = [(Which::Right, 0, 2, true)];
        assert_eq!(run(Some(counted(100, 50)), &nobody, 2), bent);
        assert_eq!(run(Some(counted(100, 50)), &nobody, 3), bent, "it does not become usual by itself");
        assert_eq!(run(None, &nobody, 4), [(Which::Right, 0, 2, false)], "checksums see nothing of it");
        assert_eq!(run(Some(counted(7, 0)), &nobody, 5), [(Which::Right, 0, 2, false)], "nor do few records");
        assert_eq!(run(Some(counted(100, 3)), &nobody, 6), [], "it is as before");
        assert_eq!(run(Some(counted(100, 60)), &nobody, 7), [(Which::Right, 0, 7, true)]);
        let status = BTreeSet::from(["status".to_owned()]);
        assert_eq!(run(Some(counted(100, 60)), &status, 8), []);
        assert_eq!(run(Some(counted(100, 61)), &nobody, 9), [], "what was accepted is usual");
        let mut written = counted(100, 60);
        written.left[0].nothing = 60;
        assert_eq!(run(Some(written), &nobody, 10), [], "so is what was repaired from it");
    }

    #[test]
    fn as_much_is_remembered_as_there_are_fields_and_runs_that_count() {
        let (mut pair, nobody) = (pair(), BTreeSet::new());
        let mut shapes = Shapes::default();
        for at in 0..50 {
            shapes.judge(&pair, Some(&counted(100, 0)), &nobody, Timestamp(at));
        }
        let lengths = |shapes: &Shapes| shapes.usual.values().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&shapes), [RUNS_MAX; 4]);
        shapes.judge(&pair, Some(&counted(100, 90)), &nobody, Timestamp(50));
        assert_eq!(shapes.bent.keys().collect::<Vec<_>>(), ["right status"]);
        pair.fields.remove(0);
        (pair.left.fields, pair.right.fields) = (vec![2], vec![2]);
        shapes.judge(&pair, None, &nobody, Timestamp(51));
        assert_eq!((shapes.usual.len(), shapes.bent.len()), (2, 0), "what is not compared any more is forgotten");
    }

    const fn seen(records: u64, nothing: u64, unknown: u64) -> Seen {
        Seen { records, nothing, unknown }
    }

    #[test]
    fn a_field_that_is_suddenly_nothing_or_unknown_is_bent() {
        let usual = [seen(100, 5, 0), seen(110, 8, 0)];
        for (what, before, now, expected) in [
            ("the first run", &[][..], seen(100, 100, 9), None),
            ("as before", &usual, seen(120, 9, 0), None),
            ("a little more", &usual, seen(100, 20, 0), None),
            ("a jump", &usual, seen(100, 60, 0), Some(Bent::Nothing { now_ppm: 600_000, before_ppm: 72_727 })),
            ("few records", &usual, seen(19, 19, 0), None),
            ("a new word", &usual, seen(100, 5, 2), Some(Bent::Unknown(2))),
            ("words that were unknown before", &[seen(100, 5, 1)], seen(100, 5, 2), None),
            ("always nothing", &[seen(100, 100, 0)], seen(100, 100, 0), None),
            ("few before", &[seen(3, 0, 0)], seen(100, 100, 0), None),
        ] {
            assert_eq!(judge(before, None, now), expected, "{what}");
        }
        let beside = |nothing| Some(seen(100, nothing, 0));
        assert_eq!(judge(&usual, beside(50), seen(100, 60, 0)), None, "it was repaired from the other side");
        assert!(judge(&usual, beside(10), seen(100, 60, 0)).is_some());
    }
}
