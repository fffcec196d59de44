//! What a record holds, against what it has to hold and is to hold.

use super::{Stand, Write, Written};
use crate::systems::SystemError;
use quittance_connectors::record::holds;
use quittance_core::pair::{Column, Side};
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;
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
    /// What writes to an object name.
    ///
    /// # Errors
    ///
    /// When nothing tells records apart, when what does is to be changed, or a part of a column is.
    pub(in crate::systems) fn new(
        system: &str,
        object: &str,
        side: &Side,
        writes: &[Write],
    ) -> Result<Self, SystemError> {
        if side.identity.is_empty() {
            let what = format!("nothing tells the records of `{object}` of the system `{system}` apart");
            return Err(SystemError::configuration(
                what,
                "give it a primary key, or a unique index that is never NULL",
            ));
        }
        let is_identity =
            |at: &usize| side.identity.iter().any(|key| side.columns[*key].name == side.columns[*at].name);
        if let Some(at) = writes.iter().flat_map(|write| &write.set).map(|(at, _)| *at).find(is_identity) {
            let name = &side.columns[at].name;
            let what = format!("`{name}` tells the records of `{object}` of the system `{system}` apart, and stays");
            return Err(SystemError::configuration(what, "leave it out of what is repaired"));
        }
        let narrow = Self::of_side(side, writes);
        match narrow.side.columns.iter().find(|column| column.pointer.is_some()) {
            None => Ok(narrow),
            Some(column) => {
                let what =
                    format!("a part of `{}` in `{object}` of the system `{system}` cannot be written", column.name);
                Err(SystemError::configuration(what, "only whole columns can: repair the other side, or by hand"))
            }
        }
    }

    fn of_side(side: &Side, writes: &[Write]) -> Self {
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
    fn named<'r, 'v>(
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
    if narrow.named(row, &write.expected).all(|(wanted, found)| holds(wanted, found)) {
        return Standing::AsExpected;
    }
    if narrow.named(row, &write.set).all(|(wanted, found)| holds(wanted, found)) {
        return Standing::Done;
    }
    Standing::Moved(narrow.named(row, &write.expected).map(|(_, found)| found.clone().into_owned()).collect())
}

/// How a record stands of which these rows were found.
pub(in crate::systems) fn stand(write: &Write, rows: &[impl AsRef<[Value<'static>]>], narrow: &Narrow) -> Stand {
    let [row] = rows else { return Stand::Gone };
    match standing(write, row.as_ref(), narrow) {
        Standing::AsExpected => Stand::AsExpected,
        Standing::Done => Stand::Already,
        Standing::Moved(now) => Stand::Moved { now },
    }
}

/// What came of a record that was written, and holds this row; none where it is gone.
pub(in crate::systems) fn after(write: &Write, row: Option<&[Value<'_>]>, narrow: &Narrow) -> Written {
    let Some(row) = row else { return Written::Altered { now: vec![Value::Absent; write.set.len()] } };
    if narrow.named(row, &write.set).all(|(wanted, found)| holds(wanted, found)) {
        return Written::Done;
    }
    Written::Altered { now: narrow.named(row, &write.set).map(|(_, found)| found.clone().into_owned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::{Narrow, Standing, after, standing};
    use crate::systems::write::{Write, Written};
    use quittance_core::pair::{Column, Side};
    use quittance_core::record::value::{Type, Value};

    fn number(text: &'static str) -> Value<'static> {
        Value::text(text).read_as(Type::Number).unwrap()
    }

    #[test]
    fn a_record_stands_as_expected_or_done_or_moved() {
        let side =
            Side { columns: ["a", "b", "c", "id"].map(Column::plain).to_vec(), identity: vec![3], ..Side::default() };
        let write = Write {
            identity: vec![number("1")],
            expected: vec![(2, Value::text("old"))],
            set: vec![(2, Value::text("new")), (0, Value::Null)],
            ..Write::default()
        };
        let narrow = Narrow::new("app", "a", &side, std::slice::from_ref(&write)).unwrap();
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
