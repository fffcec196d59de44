//! The keys that a column gives its rows.

use super::sample::Sample;
use super::share::Share;
use crate::pair::transform::Transform;
use crate::record::key::encode_key;
use crate::record::value::{Type, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The keys of a column, how often each is there, and their texts.
pub(super) struct Found {
    pub(super) counts: BTreeMap<Vec<u8>, (u64, String)>,
    /// Rows that have one.
    pub(super) rows: u64,
    /// Whether all of them are times.
    pub(super) are_times: bool,
}

impl Found {
    pub(super) fn distinct(&self) -> Share {
        Share::of(self.counts.len() as u64, self.rows)
    }
}

/// Keys that were looked at before, of one side: by column and by what is done to it.
pub(super) type Cache = RefCell<BTreeMap<(usize, Vec<Transform>), Rc<Found>>>;

/// The keys of a column, looked at once.
pub(super) fn keys_of(cache: &Cache, sample: &Sample, at: usize, steps: &[Transform]) -> Rc<Found> {
    let place = (at, steps.to_vec());
    if let Some(known) = cache.borrow().get(&place) {
        return Rc::clone(known);
    }
    let mut found = Found { counts: BTreeMap::new(), rows: 0, are_times: true };
    for row in &sample.rows {
        let Some((key, value)) = key(row, at, steps) else { continue };
        found.rows += 1;
        found.are_times = found.are_times && is_time(&value);
        found.counts.entry(key).or_insert_with(|| (0, value.to_string())).0 += 1;
    }
    let found = Rc::new(found);
    cache.borrow_mut().insert(place, Rc::clone(&found));
    found
}

fn is_time(value: &Value<'_>) -> bool {
    value.read_as(Type::Timestamp).or_else(|| value.read_as(Type::Date)).is_some()
}

/// The key of a row; none where it has none.
pub(super) fn key(row: &[Value<'static>], at: usize, steps: &[Transform]) -> Option<(Vec<u8>, Value<'static>)> {
    let mut value = row[at].clone();
    for step in steps {
        value = step.apply(value, row).ok()?;
    }
    let mut bytes = Vec::new();
    encode_key(std::iter::once(&value), &mut bytes).then_some((bytes, value))
}
