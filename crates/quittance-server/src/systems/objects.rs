//! Objects of an API as rows: which were seen, what their columns hold, and what they turn out to have.
//!
//! A list may show an object twice, because it moved while it was read, or was read in parts. It is handed over once;
//! when it changed meanwhile, its later reading is handed over too. Does not own how objects are fetched.

use super::{Reading, Sink, SystemError, Wanted};
use crate::config::closest;
use quittance_connectors::record::{member_of, value_in};
use quittance_core::pair::{Column, Side};
use quittance_core::record::key::encode_value;
use quittance_core::record::value::{Comparison, Value};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hasher};
use std::ops::ControlFlow;

/// Most names of members that are remembered.
const MEMBERS_MAX: usize = 200;

/// What a member that an object does not mention is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Missing {
    #[default]
    Absent,
    Null,
    /// Absent, but for a key of `metadata`: that is a map of texts, in which nothing is said by leaving the key out.
    NullInMetadata,
}

/// Half of a hash of an identity: a million objects collide once in 10^26 times.
type Identity = [u8; 16];

#[derive(Clone, Copy)]
struct Sight {
    /// The reading of a list in which it was last seen.
    pass: u32,
    /// A hash of the row that was handed over, which is not 0; 0 where none was.
    row: u32,
}

/// Hands objects over as rows.
pub(super) struct Objects<'a, 's> {
    side: &'a Side,
    wanted: &'a Wanted,
    missing: Missing,
    sink: &'a mut Sink<'s>,
    seen: HashMap<Identity, Sight>,
    members: BTreeSet<String>,
    is_known: Vec<bool>,
    objects: u64,
    rows: u64,
    is_over: bool,
}

impl<'a, 's> Objects<'a, 's> {
    pub(super) fn new(side: &'a Side, wanted: &'a Wanted, missing: Missing, sink: &'a mut Sink<'s>) -> Self {
        let (seen, members, is_known) = (HashMap::new(), BTreeSet::new(), vec![false; side.columns.len()]);
        Self { side, wanted, missing, sink, seen, members, is_known, objects: 0, rows: 0, is_over: false }
    }

    /// Notes that an object was seen; whether this reading of a list had not seen it before.
    pub(super) fn sight(&mut self, identity: &[u8], pass: u32) -> bool {
        match self.seen.get_mut(&hashed(identity)) {
            Some(sight) => std::mem::replace(&mut sight.pass, pass) != pass,
            None => {
                self.seen.insert(hashed(identity), Sight { pass, row: 0 });
                true
            }
        }
    }

    /// Hands an object over that was seen, unless the same row was.
    pub(super) fn hand_over(&mut self, identity: &[u8], object: &Json) {
        let row = row_of(object, self.side, self.missing);
        self.note_members(object);
        if self.is_over || !self.is_wanted(&row) {
            return;
        }
        let hash = row_hash(&row);
        let Some(sight) = self.seen.get_mut(&hashed(identity)) else { return };
        match std::mem::replace(&mut sight.row, hash) {
            before if before == hash => return,
            0 => self.rows += 1,
            _ => {}
        }
        self.is_over = (self.sink)(&row) == ControlFlow::Break(());
    }

    /// Whether no more are wanted.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// What reading all of an object came to.
    ///
    /// # Errors
    ///
    /// When a column is in none of the objects: it is misspelt, or of another version of the API.
    pub(super) fn end(self, system: &str, object: &str, reading: Reading) -> Result<Reading, SystemError> {
        let is_whole = *self.wanted == Wanted::All && !self.is_over && self.objects > 0;
        let mut columns = self.side.columns.iter().zip(&self.is_known);
        if let Some((column, _)) = columns.find(|(_, is_known)| is_whole && !**is_known) {
            let members: Vec<&str> = self.members.iter().map(String::as_str).collect();
            let (name, count) = (&column.name, self.objects);
            let what = format!("field `{name}` of `{object}` is in none of {count} records of system `{system}`");
            return Err(SystemError::configuration(what, closest(name, &members)));
        }
        Ok(Reading { rows: self.rows, ..reading })
    }

    fn note_members(&mut self, object: &Json) {
        self.objects += 1;
        for (column, is_known) in self.side.columns.iter().zip(&mut self.is_known).filter(|(_, is_known)| !**is_known) {
            *is_known = member_of(&column.name).is_none_or(|member| object.get(member).is_some());
        }
        for name in object.as_object().into_iter().flat_map(|members| members.keys()) {
            if self.members.len() < MEMBERS_MAX && !self.members.contains(name) {
                self.members.insert(name.clone());
            }
        }
    }

    /// A filter of the other side may know fewer differences than we do.
    fn is_wanted(&self, row: &[Value<'_>]) -> bool {
        let Wanted::Where { columns, values } = self.wanted else { return true };
        let is_equal = |(at, value): (&usize, &Value<'_>)| row[*at].compare(value) == Comparison::Equal;
        values.iter().any(|wanted| columns.iter().zip(wanted).all(is_equal))
    }
}

/// What an object holds in the columns of a side.
pub(super) fn row_of(object: &Json, side: &Side, missing: Missing) -> Vec<Value<'static>> {
    let value = |column: &Column| match value_in(object, &column.name, column.pointer.as_deref()) {
        Value::Absent => match missing {
            Missing::Null => Value::Null,
            Missing::NullInMetadata if is_metadata(column) && object["metadata"].is_object() => Value::Null,
            Missing::Absent | Missing::NullInMetadata => Value::Absent,
        },
        value => value,
    };
    side.columns.iter().map(value).collect()
}

/// Whether a column is a key of `metadata`.
fn is_metadata(column: &Column) -> bool {
    match (column.name.as_str(), column.pointer.as_deref()) {
        ("metadata" | "/metadata", Some(pointer)) => pointer.matches('/').count() == 1,
        (name, None) => name.strip_prefix("/metadata/").is_some_and(|key| !key.contains('/')),
        _ => false,
    }
}

fn hashed(identity: &[u8]) -> Identity {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(identity)[..16]);
    half
}

/// Tells a changed row from one that comes again. Should it fail to, the earlier reading stays: it is as old as the list.
fn row_hash(row: &[Value<'_>]) -> u32 {
    let mut bytes = Vec::new();
    row.iter().for_each(|value| encode_value(value, &mut bytes));
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    // Half of it is enough, and leaves room for a million of them.
    (hasher.finish() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn side(names: &[&str]) -> Side {
        let columns = names.iter().map(|name| Column::plain(*name)).collect();
        Side { columns, identity: vec![0], ..Side::default() }
    }

    fn shown(row: &[Value<'_>]) -> String {
        row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_object_is_handed_over_once_and_again_when_it_changed() {
        let (side, mut rows) = (side(&["id", "status"]), Vec::new());
        let mut sink = |row: &[Value<'_>]| {
            rows.push(shown(row));
            ControlFlow::Continue(())
        };
        let mut objects = Objects::new(&side, &Wanted::All, Missing::Absent, &mut sink);
        for (pass, status, is_fresh) in
            [(1, "active", true), (1, "active", false), (2, "active", true), (2, "canceled", false)]
        {
            assert_eq!(objects.sight(b"a", pass), is_fresh);
            objects.hand_over(b"a", &json!({"id": "a", "status": status}));
        }
        let reading = objects.end("s", "o", Reading::default()).unwrap();
        assert_eq!((reading.rows, rows), (1, vec!["a active".to_owned(), "a canceled".to_owned()]));
    }

    #[test]
    fn b39_a_field_in_no_record_is_a_mistake_and_in_some_it_is_absent() {
        let read = |names: &[&str], objects: &[Json]| {
            let (side, mut rows) = (side(names), Vec::new());
            let mut sink = |row: &[Value<'_>]| {
                rows.push(shown(row));
                ControlFlow::Continue(())
            };
            let mut handing = Objects::new(&side, &Wanted::All, Missing::Absent, &mut sink);
            for (at, object) in objects.iter().enumerate() {
                handing.sight(&at.to_le_bytes(), 1);
                handing.hand_over(&at.to_le_bytes(), object);
            }
            handing.end("stripe", "subscription", Reading::default()).map(|_| rows)
        };
        let two = [json!({"id": "a", "trial_end": null}), json!({"id": "b"})];
        assert_eq!(read(&["id", "trial_end"], &two).unwrap(), ["a NULL", "b (absent)"]);
        assert_eq!(read(&["id", "/trial_end/at"], &two).unwrap(), ["a NULL", "b (absent)"]);
        assert!(read(&["id", "no_such"], &[]).unwrap().is_empty(), "an empty list says nothing of its fields");
        let error = read(&["id", "trial_ends"], &two).unwrap_err();
        assert_eq!(
            (error.what.as_str(), error.remedy.as_str()),
            (
                "field `trial_ends` of `subscription` is in none of 2 records of system `stripe`",
                "did you mean `trial_end`? Known are id, trial_end"
            )
        );
    }

    #[test]
    fn a_key_that_metadata_has_not_got_is_null_and_a_member_that_is_missing_is_not() {
        let names = ["id", "/metadata/plan", "/metadata/plan/deeper", "name"];
        let side = Side { columns: names.map(Column::plain).to_vec(), identity: vec![0], ..Side::default() };
        let mut rows = Vec::new();
        let mut sink = |row: &[Value<'_>]| {
            rows.push(shown(row));
            ControlFlow::Continue(())
        };
        let mut objects = Objects::new(&side, &Wanted::All, Missing::NullInMetadata, &mut sink);
        for object in
            [json!({"id": "a", "metadata": {}}), json!({"id": "b"}), json!({"id": "c", "metadata": {"plan": "x"}})]
        {
            let id = object["id"].to_string();
            objects.sight(id.as_bytes(), 1);
            objects.hand_over(id.as_bytes(), &object);
        }
        assert_eq!(rows, ["a NULL (absent) (absent)", "b (absent) (absent) (absent)", "c x (absent) (absent)"]);
    }

    #[test]
    fn what_is_looked_up_is_compared_here_too() {
        let side = side(&["id", "customer"]);
        let wanted = Wanted::Where { columns: vec![1], values: vec![vec![Value::text("cus_1")]] };
        let mut rows = 0;
        let mut sink = |_: &[Value<'_>]| {
            rows += 1;
            ControlFlow::Continue(())
        };
        let mut objects = Objects::new(&side, &wanted, Missing::Null, &mut sink);
        for (id, customer) in [("a", "cus_1"), ("b", "cus_2"), ("c", "CUS_1")] {
            objects.sight(id.as_bytes(), 1);
            objects.hand_over(id.as_bytes(), &json!({"id": id, "customer": customer}));
        }
        assert_eq!(rows, 1);
    }
}
