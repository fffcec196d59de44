//! What a record holds, against what it has to hold and is to hold.

use super::{Write, Written};
use quittance_core::pair::{Column, Side};
use quittance_core::record::key::encode_key;
use quittance_core::record::value::{Comparison, Value};
use std::collections::BTreeMap;

/// How a record stands before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::systems) enum Standing {
    /// It holds what is expected.
    AsExpected,
    /// It does not, and holds all that is to be set: this write was done before.
    Done,
    /// It holds this instead of what is expected.
    Moved(Vec<Value<'static>>),
}

/// The columns of a side that writes name, and where they are among those that are read for them.
pub(in crate::systems) struct Narrow {
    /// Them alone.
    pub(in crate::systems) side: Side,
    places: BTreeMap<usize, usize>,
}

impl Narrow {
    pub(in crate::systems) fn new(side: &Side, writes: &[Write]) -> Self {
        let mut narrow = Self { side: Side::default(), places: BTreeMap::new() };
        narrow.side.identity = side.identity.iter().map(|at| narrow.add(side, *at)).collect();
        for write in writes {
            for (at, _) in write.expected.iter().chain(&write.set) {
                narrow.add(side, *at);
            }
        }
        narrow
    }

    fn add(&mut self, side: &Side, at: usize) -> usize {
        let columns = &mut self.side.columns;
        *self.places.entry(at).or_insert_with(|| {
            // What is written is what is stored, before any transform.
            let Column { name, pointer, .. } = side.columns[at].clone();
            columns.push(Column { pointer, ..Column::plain(name) });
            columns.len() - 1
        })
    }

    /// Where a column of the side is among them.
    pub(in crate::systems) fn at(&self, column: usize) -> usize {
        self.places[&column]
    }

    /// The identity of what was read, in a form that is the same for the same identity.
    pub(in crate::systems) fn key(&self, row: &[Value<'_>]) -> Option<Vec<u8>> {
        key(self.side.identity.iter().map(|at| &row[*at]))
    }

    /// What of a row is in these columns of the side.
    fn of<'r, 'v>(
        &self,
        row: &'r [Value<'v>],
        named: &'r [(usize, Value<'static>)],
    ) -> impl Iterator<Item = (&'r Value<'static>, &'r Value<'v>)> {
        let places: Vec<usize> = named.iter().map(|(at, _)| self.at(*at)).collect();
        named.iter().zip(places).map(|((_, value), place)| (value, &row[place]))
    }
}

/// A form of values that is the same for the same ones; none where one of them is nothing.
pub(in crate::systems) fn key<'a, 'v: 'a>(values: impl Iterator<Item = &'a Value<'v>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let values: Vec<Value<'_>> = values.cloned().collect();
    encode_key(values.iter(), &mut bytes).then_some(bytes)
}

/// How a record stands that holds this row.
pub(in crate::systems) fn standing(write: &Write, row: &[Value<'_>], narrow: &Narrow) -> Standing {
    if narrow.of(row, &write.expected).all(|(wanted, found)| holds(wanted, found)) {
        return Standing::AsExpected;
    }
    if narrow.of(row, &write.set).all(|(wanted, found)| holds(wanted, found)) {
        return Standing::Done;
    }
    Standing::Moved(narrow.of(row, &write.expected).map(|(_, found)| found.clone().into_owned()).collect())
}

/// What came of a record that was written, and holds this row; none where it is gone.
pub(in crate::systems) fn after(write: &Write, row: Option<&[Value<'_>]>, narrow: &Narrow) -> Written {
    let Some(row) = row else { return Written::Altered { now: vec![Value::Absent; write.set.len()] } };
    if narrow.of(row, &write.set).all(|(wanted, found)| holds(wanted, found)) {
        return Written::Done;
    }
    Written::Altered { now: narrow.of(row, &write.set).map(|(_, found)| found.clone().into_owned()).collect() }
}

/// Whether a column holds a value, which may be of another type than the column: then what it says as one of that type
/// counts.
pub(in crate::systems) fn holds(wanted: &Value<'_>, found: &Value<'_>) -> bool {
    if wanted.compare(found) == Comparison::Equal {
        return true;
    }
    let (Some(wanted_type), Some(found_type)) = (wanted.value_type(), found.value_type()) else { return false };
    let reads_as = |value: &Value<'_>, of, other: &Value<'_>| value.read_as(of).is_some_and(|value| value == *other);
    match (wanted, found) {
        _ if wanted_type == found_type => false,
        (Value::Json(wanted), Value::Text(found)) => wanted == found,
        _ => reads_as(wanted, found_type, found) || reads_as(found, wanted_type, wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::{Narrow, Standing, after, holds, standing};
    use crate::systems::write::{Write, Written};
    use quittance_core::pair::{Column, Side};
    use quittance_core::record::value::{Type, Value};

    fn number(text: &'static str) -> Value<'static> {
        Value::text(text).read_as(Type::Number).unwrap()
    }

    #[test]
    fn a_value_is_held_in_the_type_of_its_column() {
        for (wanted, found) in [
            (number("12.50"), number("12.5")),
            (Value::text("12.50"), number("12.5")),
            (number("7"), Value::text("7")),
            (Value::Boolean(true), number("1")),
            (Value::text("2026-01-31 10:00:00"), Value::text("2026-01-31T10:00:00Z").read_as(Type::Timestamp).unwrap()),
            (Value::Json("{}".into()), Value::text("{}")),
            (Value::Null, Value::Null),
        ] {
            assert!(holds(&wanted, &found), "{wanted:?} {found:?}");
        }
        for (wanted, found) in [
            (Value::text("A"), Value::text("a")),
            (Value::Null, Value::text("")),
            (Value::text(""), Value::Null),
            (Value::Boolean(true), number("2")),
            (Value::text("12.50"), Value::text("12.5")),
        ] {
            assert!(!holds(&wanted, &found), "{wanted:?} {found:?}");
        }
    }

    #[test]
    fn a_record_stands_as_expected_or_done_or_moved() {
        let side =
            Side { columns: ["a", "b", "c", "id"].map(Column::plain).to_vec(), identity: vec![3], ..Side::default() };
        let write = Write {
            identity: vec![number("1")],
            expected: vec![(2, Value::text("old"))],
            set: vec![(2, Value::text("new")), (0, Value::Null)],
        };
        let narrow = Narrow::new(&side, std::slice::from_ref(&write));
        assert_eq!(narrow.side.columns.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["id", "c", "a"]);
        let row = |c: &'static str, a| [number("1"), Value::text(c), a];
        assert_eq!(standing(&write, &row("old", Value::Null), &narrow), Standing::AsExpected);
        assert_eq!(standing(&write, &row("new", Value::Null), &narrow), Standing::Done);
        let moved = Standing::Moved(vec![Value::text("new")]);
        assert_eq!(standing(&write, &row("new", Value::text("x")), &narrow), moved);
        assert_eq!(after(&write, Some(&row("new", Value::Null)), &narrow), Written::Done);
        let now = vec![Value::text("new"), Value::text("x")];
        assert_eq!(after(&write, Some(&row("new", Value::text("x"))), &narrow), Written::Altered { now });
        assert_eq!(after(&write, None, &narrow), Written::Altered { now: vec![Value::Absent, Value::Absent] });
    }
}
