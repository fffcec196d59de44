//! From a list and the records it means to what would be written. Writes nothing.

use super::records::{Found, encoded, find, shown};
use super::rows::{Columns, Table};
use super::values::typed;
use super::{Bad, BadRows, ImportError, List};
use crate::config::{Pair, TAKES_AWAY, TakeAway};
use crate::reconcile::apply::write;
use crate::reconcile::plan::value_of;
use crate::reconcile::write_side;
use crate::systems::write::{WRITES_MAX, Write, Writer};
use crate::systems::{System, SystemError};
use quittance_connectors::record::holds;
use quittance_core::pair::Which;
use quittance_core::pair::repair::{Stopped, takes_away};
use quittance_core::record::value::Value;
use quittance_store::records::{RepairPlan, RepairSource};
use std::collections::{BTreeSet, HashMap};

/// Which list is to be written where.
pub struct Asked<'a> {
    /// The pair.
    pub pair: &'a Pair,
    /// The side that is written.
    pub which: Which,
    /// The columns that find a record; empty for those that tell records apart, or those of the first rule of matching.
    pub key: &'a [String],
    /// How many repairs are permitted in the place of both limits of the pair.
    pub repairs_max: Option<u64>,
}

/// What a list comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The file.
    pub source: RepairSource,
    /// Names of the columns by which records are found.
    pub key: Vec<String>,
    /// Rows of the list.
    pub rows: u64,
    /// What would be written, in the order of the list; nothing where a row is bad.
    pub plans: Vec<RepairPlan>,
    /// Rows whose records hold all of it already.
    pub already: u64,
    /// Rows that cannot be written.
    pub bad: BadRows,
    /// Whether it is too much for one run.
    pub stopped: Option<Stopped>,
    /// Records of the table, roughly, where that is known.
    pub records: Option<u64>,
}

impl Prepared {
    /// How many take something away from a customer, where the pair wants that to be permitted.
    #[must_use]
    pub fn take_aways(&self, pair: &Pair) -> u64 {
        let taking = self.plans.iter().filter(|plan| plan.takes_away).count() as u64;
        if pair.repairs.take_away == TakeAway::Approve { taking } else { 0 }
    }
}

/// Reads the records that a list means from the system that is to be written, and says what would be. Nothing is written.
///
/// # Errors
///
/// [`ImportError`] when the list is not one of this table, or the system cannot be read.
pub fn prepare(
    asked: &Asked<'_>,
    list: List,
    system: &mut dyn System,
    open: impl FnOnce() -> Result<Box<dyn Writer>, SystemError>,
) -> Result<Prepared, ImportError> {
    let place = if asked.which == Which::Left { &asked.pair.left } else { &asked.pair.right };
    let description = system.describe(&place.object)?;
    let columns =
        Table { pair: asked.pair, which: asked.which, description: &description }.columns(&list, asked.key)?;
    let mut bad = list.bad.clone();
    let found = find((system, &place.object), &list, &columns, &mut bad)?;
    let mut planner = Planner { asked, list: &list, columns: &columns, bad, already: 0, seen: HashMap::new() };
    let planned: Vec<(u64, RepairPlan)> = found.into_iter().filter_map(|found| planner.plan(found)).collect();
    let (mut bad, already) = (planner.bad, planner.already);
    // Whoever may not write there learns it now.
    if !planned.is_empty() {
        faults(&planned, open()?.as_mut(), &mut bad)?;
    }
    let records = system.estimate(&place.object)?;
    system.refresh()?;
    bad.named.sort_by_key(|bad| bad.line);
    let many = planned.len() as u64;
    let stopped = match asked.repairs_max {
        Some(most) => (many > most).then_some(Stopped::Repairs),
        None => asked.pair.repairs.brake.stops(many, records.unwrap_or(u64::MAX)),
    };
    let is_whole = bad.many == 0;
    let key = columns.key.iter().map(|(cell, _)| list.header[*cell].clone()).collect();
    Ok(Prepared {
        key,
        rows: list.rows.len() as u64 + list.bad.many,
        plans: if is_whole { planned.into_iter().map(|(_, plan)| plan).collect() } else { Vec::new() },
        already,
        bad,
        stopped: stopped.filter(|_| is_whole && many > 0),
        records,
        source: list.source,
    })
}

/// What the system itself knows to be wrong with values.
fn faults(planned: &[(u64, RepairPlan)], writer: &mut dyn Writer, bad: &mut BadRows) -> Result<(), SystemError> {
    for part in planned.chunks(WRITES_MAX) {
        let side = write_side(part.iter().map(|(_, plan)| plan));
        let writes: Vec<Write> = part.iter().map(|(_, plan)| write(&side, plan, String::new())).collect();
        let object = &part[0].1.object;
        for ((line, plan), fault) in part.iter().zip(writer.faults(object, &side, &writes)?) {
            let Some(fault) = fault else { continue };
            let column = fault.column.map(|at| side.columns[at].name.clone());
            let value = column.as_ref().and_then(|column| value_of(&plan.set, column));
            let what = match value {
                Some(value) if !value.is_nothing() => {
                    format!("`{}`: {}", super::values::shortened(&value.to_string()), fault.what)
                }
                _ => fault.what,
            };
            bad.add(Bad { line: *line, key: Some(plan.key.clone()), column, what });
        }
    }
    Ok(())
}

struct Planner<'a> {
    asked: &'a Asked<'a>,
    list: &'a List,
    columns: &'a Columns,
    bad: BadRows,
    already: u64,
    /// Lines by the identities of the records they change.
    seen: HashMap<Vec<u8>, u64>,
}

impl Planner<'_> {
    /// What is written of one record, and by which line; nothing where it holds all of it, or the row is bad.
    fn plan(&mut self, found: Found) -> Option<(u64, RepairPlan)> {
        let line = self.list.rows[found.row].line;
        let (key, many) = (shown(self.list, self.columns, found.row), self.bad.many);
        let mut wrong = |column: Option<usize>, what: String| {
            let column = column.map(|at| self.columns.side.columns[at].name.clone());
            self.bad.add(Bad { line, key: Some(key.clone()), column, what });
        };
        let identity = encoded(self.columns.side.identity.iter().map(|at| &found.record[*at]));
        let Some(identity) = identity else {
            wrong(None, "what tells the record apart is NULL".to_owned());
            return None;
        };
        if let Some(earlier) = self.seen.insert(identity, line) {
            wrong(None, format!("line {earlier} changes the same record"));
        }
        let cells = &self.list.rows[found.row].cells;
        let mut read = |named: &[(usize, usize)]| {
            let mut values = Vec::new();
            for (cell, column) in named {
                match typed(&cells[*cell], self.columns.types[*column]) {
                    Ok(value) => values.push((*column, value)),
                    Err(what) => wrong(Some(*column), what),
                }
            }
            values
        };
        let (mut set, old) = (read(&self.columns.set), read(&self.columns.old));
        set.retain(|(column, value)| !holds(value, &found.record[*column]));
        if self.bad.many > many {
            return None;
        }
        if set.is_empty() {
            self.already += 1;
            return None;
        }
        for (column, value) in old.iter().filter(|(column, value)| !holds(value, &found.record[*column])) {
            let now = super::values::shortened(&found.record[*column].to_string());
            let what = format!("it holds `{now}`, and the list expects `{value}`");
            let column = Some(self.columns.side.columns[*column].name.clone());
            self.bad.add(Bad { line, key: Some(key.clone()), column, what });
        }
        (self.bad.many == many).then(|| (line, self.planned(&found.record, set, key)))
    }

    fn planned(&self, record: &[Value<'static>], set: Vec<(usize, Value<'static>)>, key: String) -> RepairPlan {
        let Asked { pair, which, .. } = self.asked;
        let place = if *which == Which::Left { &pair.left } else { &pair.right };
        let name = |at: usize| self.columns.side.columns[at].name.clone();
        let held = |at: &usize| (name(*at), record[*at].clone());
        let taking = set.iter().any(|(at, to)| takes_away(&self.words(&name(*at)), &record[*at], to));
        RepairPlan {
            system: place.system.clone(),
            object: place.object.clone(),
            side: which.as_str().to_owned(),
            key,
            identity: self.columns.side.identity.iter().map(held).collect(),
            expected: self.columns.expected.iter().map(held).collect(),
            set: set.into_iter().map(|(at, value)| (name(at), value)).collect(),
            takes_away: taking,
            place: None,
        }
    }

    /// Words of a column that take something away: those of its field, or the usual ones.
    fn words(&self, column: &str) -> BTreeSet<String> {
        let Asked { pair, which, .. } = self.asked;
        let is_it = |field: &&crate::config::FieldPair| {
            let named = if *which == Which::Left { &field.left } else { &field.right };
            named.name == column && named.pointer.is_none()
        };
        let of_field = pair.fields.iter().find(is_it).map(|field| field.policy.takes_away.clone());
        of_field.unwrap_or_else(|| TAKES_AWAY.map(str::to_owned).into())
    }
}
