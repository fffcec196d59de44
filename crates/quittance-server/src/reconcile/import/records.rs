//! Which records the rows of a list mean, as the system that is to be written has them: all of one moment.

use super::rows::Columns;
use super::values::{readings, shortened, typed};
use super::{Bad, BadRows, List};
use crate::systems::{LOOKUPS_MAX, System, SystemError, Wanted};
use quittance_core::record::key::encode_key;
use quittance_core::record::value::{Type, Value};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::ControlFlow;

/// Records of one key that are kept, to tell one from several.
const KEPT_MAX: usize = 2;

/// A row of the list and what was found for it.
pub(super) struct Found {
    /// Index of the row in the list.
    pub(super) row: usize,
    /// The values of the columns of the side.
    pub(super) record: Vec<Value<'static>>,
}

/// A row's key, as people read it.
pub(super) fn shown(list: &List, columns: &Columns, row: usize) -> String {
    let cells = columns.key.iter().map(|(cell, _)| list.rows[row].cells[*cell].to_string());
    shortened(&cells.collect::<Vec<_>>().join(","))
}

/// Finds one record for each row; a row for which there is none, or several, is bad.
///
/// # Errors
///
/// [`SystemError`] when the system cannot be read.
pub(super) fn find(
    (system, object): (&mut dyn System, &str),
    list: &List,
    columns: &Columns,
    bad: &mut BadRows,
) -> Result<Vec<Found>, SystemError> {
    let keys = Keys::new(list, columns, bad);
    let mut found: Vec<Vec<Vec<Value<'static>>>> = vec![Vec::new(); list.rows.len()];
    let places: Vec<usize> = columns.key.iter().map(|(_, column)| *column).collect();
    let mut take = |row: &[Value<'_>]| {
        let named = encoded(places.iter().map(|at| &row[*at])).and_then(|key| keys.rows.get(&key));
        if let Some(records) = named.map(|at| &mut found[*at]).filter(|records| records.len() < KEPT_MAX) {
            records.push(row.iter().map(|value| value.clone().into_owned()).collect());
        }
        ControlFlow::Continue(())
    };
    if system.can_find(object, &columns.side, &places) {
        for values in keys.values.chunks(LOOKUPS_MAX) {
            let wanted = Wanted::Where { columns: places.clone(), values: values.to_vec() };
            system.read(object, &columns.side, &wanted, &mut take)?;
        }
    } else if !keys.values.is_empty() {
        // Without an index each lookup would read all of it.
        system.read(object, &columns.side, &Wanted::All, &mut take)?;
    }
    system.refresh()?;
    let mut one_each = Vec::new();
    for (row, mut records) in found.into_iter().enumerate() {
        if !keys.is_known[row] {
            continue;
        }
        match (records.pop(), records.is_empty()) {
            (Some(record), true) => one_each.push(Found { row, record }),
            (None, _) => bad.add(bad_key(list, columns, row, "no record has this key; letters count in their case")),
            (Some(_), false) => {
                bad.add(bad_key(list, columns, row, "several records have this key: find them by another"))
            }
        }
    }
    Ok(one_each)
}

fn bad_key(list: &List, columns: &Columns, row: usize, what: &str) -> Bad {
    let names = columns.key.iter().map(|(cell, _)| list.header[*cell].as_str()).collect::<Vec<_>>();
    Bad {
        line: list.rows[row].line,
        key: Some(shown(list, columns, row)),
        column: Some(names.join(",")),
        what: what.to_owned(),
    }
}

/// The keys of a list.
struct Keys {
    /// The rows by their keys, in every form a key may be read in.
    rows: HashMap<Vec<u8>, usize>,
    values: Vec<Vec<Value<'static>>>,
    /// Whether a row has a key of its own.
    is_known: Vec<bool>,
}

impl Keys {
    fn new(list: &List, columns: &Columns, bad: &mut BadRows) -> Self {
        let mut keys = Self { rows: HashMap::new(), values: Vec::new(), is_known: vec![false; list.rows.len()] };
        for row in 0..list.rows.len() {
            if let Err(what) = keys.add(list, columns, row) {
                bad.add(bad_key(list, columns, row, &what));
            }
        }
        keys
    }

    fn add(&mut self, list: &List, columns: &Columns, row: usize) -> Result<(), String> {
        let mut tuples = vec![Vec::new()];
        for (cell, column) in &columns.key {
            let cell = &list.rows[row].cells[*cell];
            if *cell == Value::Null {
                return Err("a key is NULL".to_owned());
            }
            let declared = columns.types[*column].filter(|known| !matches!(known, Type::Json | Type::Untyped));
            let values = match declared {
                Some(_) => vec![typed(cell, declared)?],
                None => readings(cell),
            };
            tuples = tuples
                .iter()
                .flat_map(|tuple: &Vec<Value<'static>>| {
                    values.iter().map(|value| [tuple.as_slice(), std::slice::from_ref(value)].concat())
                })
                .collect();
        }
        for tuple in tuples {
            let key = encoded(tuple.iter()).ok_or("a key is NULL")?;
            match self.rows.entry(key) {
                Entry::Occupied(known) if *known.get() != row => {
                    return Err(format!("line {} has the same key", list.rows[*known.get()].line));
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => {
                    free.insert(row);
                    self.values.push(tuple);
                }
            }
        }
        self.is_known[row] = true;
        Ok(())
    }
}

pub(super) fn encoded<'a, 'v: 'a>(values: impl Iterator<Item = &'a Value<'v>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let values: Vec<Value<'_>> = values.cloned().collect();
    encode_key(values.iter(), &mut bytes).then_some(bytes)
}
