//! Samples of both sides, small enough for memory and few enough requests: neither a big table nor a big account is read
//! as a whole.

use crate::systems::{LOOKUPS_MAX, System, SystemError, Wanted};
use quittance_connectors::record::member_of;
use quittance_connectors::stripe::surface::{ID_PREFIXES, Surface};
use quittance_core::pair::{Column, Side};
use quittance_core::propose::ids::holders;
use quittance_core::propose::sample::{Decided, Sample, SampleColumn, TEXT_BYTES_MAX};
use quittance_core::record::value::{Type, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Most columns of a table that are looked at.
const COLUMNS_MAX: usize = 250;

/// Most objects of Stripe's that are listed: 20 pages.
const LISTED_MAX: usize = 2_000;

/// Most objects that are looked up one by one, because the list was not read to its end.
const LOOKED_UP_MAX: usize = 25;

/// Most rows that are looked for in the table because Stripe has them.
const MET_MAX: usize = 2_000;

/// Most rows that are read in search of those.
const SEARCHED_MAX: u64 = 1_000_000;

/// Most keys of metadata that are looked at.
const METADATA_MAX: usize = 20;

/// How much of a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows that are kept, from all over what is read.
    pub rows: usize,
    /// Rows that are read.
    pub read: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 5_000, read: 200_000 }
    }
}

/// A sample, and what it is of.
#[derive(Debug, Default)]
pub struct Drawn {
    /// The sample.
    pub sample: Sample,
    /// Records that were read for it.
    pub read: u64,
    /// Whether there are no others.
    pub is_whole: bool,
    /// Statements or requests it took.
    pub requests: u64,
}

/// Rows drawn evenly from a stream whose length nobody knows: every so-manyeth, and fewer as it goes on.
struct Thinned {
    rows: Vec<Vec<Value<'static>>>,
    rows_max: usize,
    stride: u64,
    seen: u64,
}

impl Thinned {
    const fn new(rows_max: usize) -> Self {
        Self { rows: Vec::new(), rows_max, stride: 1, seen: 0 }
    }

    fn push(&mut self, row: &[Value<'_>]) {
        self.seen += 1;
        if (self.seen - 1).is_multiple_of(self.stride) {
            self.rows.push(row.iter().map(kept).collect());
        }
        if self.rows.len() > 2 * self.rows_max {
            self.stride *= 2;
            every(&mut self.rows, 2);
        }
    }

    fn end(mut self) -> Vec<Vec<Value<'static>>> {
        let step = self.rows.len().div_ceil(self.rows_max).max(1);
        every(&mut self.rows, step);
        self.rows
    }
}

/// Keeps the first of every `step` rows.
fn every(rows: &mut Vec<Vec<Value<'static>>>, step: usize) {
    let mut at = 0;
    rows.retain(|_| {
        at += 1;
        (at - 1) % step == 0
    });
}

/// A value without what is no key and no word.
fn kept(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Text(text) | Value::Untyped(text) if text.len() > TEXT_BYTES_MAX => Value::Absent,
        Value::Json(_) | Value::Bytes(_) => Value::Absent,
        value => value.clone().into_owned(),
    }
}

fn side_of(names: &[String], identity: &[String]) -> Side {
    let columns: Vec<Column> = names.iter().map(Column::plain).collect();
    let identity = identity.iter().filter_map(|name| names.iter().position(|known| known == name)).collect();
    Side { columns, identity, ..Side::default() }
}

/// Draws rows of a table.
///
/// # Errors
///
/// When there is no such table, or it cannot be read.
pub fn table(app: &mut dyn System, table: &str, limits: Limits) -> Result<Drawn, SystemError> {
    let described = app.describe(table)?;
    // A name with a bar would be taken for one with transforms.
    let is_plain = |name: &str| !name.contains('|') && name.trim() == name && !name.is_empty();
    let columns: Vec<SampleColumn> = described
        .columns
        .into_iter()
        .filter(|(name, declared)| is_plain(name) && !matches!(declared, Some(Type::Bytes | Type::Json)))
        .filter(|(name, _)| !described.unreadable.contains(name))
        .take(COLUMNS_MAX)
        .map(|(name, declared)| SampleColumn { name, declared })
        .collect();
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let side = side_of(&names, &described.identity);
    let mut thinned = Thinned::new(limits.rows);
    let reading = app.read(table, &side, &Wanted::All, &mut |row| {
        thinned.push(row);
        if thinned.seen >= limits.read { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let (read, is_whole) = (thinned.seen, thinned.seen < limits.read && thinned.seen <= limits.rows as u64);
    let rows = thinned.end();
    let sample = Sample { columns, drawn: rows.len(), rows, identity: described.identity, decided: Decided::All };
    Ok(Drawn { sample, read, is_whole, requests: reading.requests })
}

/// The column of a table that holds ids of an object, and the ids.
#[derive(Debug)]
pub struct OwnIds {
    /// The column.
    pub column: usize,
    /// Different ones, in the order of the rows.
    pub ids: Vec<String>,
}

/// The ids of an object in a sample of a table.
#[must_use]
pub fn own_ids(sample: &Sample, object: &str) -> Option<OwnIds> {
    let holders = holders(sample, &ID_PREFIXES).into_iter().filter(|holder| holder.object == object);
    let column = holders.max_by_key(|holder| (holder.rows.part, std::cmp::Reverse(holder.column)))?.column;
    let (mut known, mut ids) = (BTreeSet::new(), Vec::new());
    for row in &sample.rows {
        if let Value::Text(text) | Value::Untyped(text) = &row[column]
            && known.insert(text.as_ref())
        {
            ids.push(text.to_string());
        }
    }
    Some(OwnIds { column, ids })
}

/// Lists Stripe's objects of one kind; where there are too many, looks some of the table's up.
///
/// # Errors
///
/// When Stripe cannot be reached or refuses.
pub fn stripe(system: &mut dyn System, surface: &Surface, ids: &[String]) -> Result<Drawn, SystemError> {
    let (names, first) = mentioned(system, surface)?;
    let side = side_of(&names, &["id".to_owned()]);
    let mut rows = ById::default();
    let mut is_whole = true;
    let listed = system.read(surface.object, &side, &Wanted::All, &mut |row| {
        rows.push(row);
        is_whole = rows.0.len() < LISTED_MAX;
        if is_whole { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut requests = first + listed.requests;
    let mut decided = Decided::All;
    if !is_whole {
        let step = ids.len().div_ceil(LOOKED_UP_MAX).max(1);
        let asked: BTreeSet<String> = ids.iter().step_by(step).cloned().collect();
        let is_new = |id: &&String| !rows.0.contains_key(*id);
        let values: Vec<Vec<Value<'static>>> =
            asked.iter().filter(is_new).map(|id| vec![Value::Text(id.clone().into())]).collect();
        if !values.is_empty() {
            let wanted = Wanted::Where { columns: vec![0], values };
            let found = system.read(surface.object, &side, &wanted, &mut |row| {
                rows.push(row);
                ControlFlow::Continue(())
            })?;
            requests += found.requests;
        }
        decided = Decided::Only(asked);
    }
    let read = rows.0.len() as u64;
    let (names, rows) = flattened(names, rows.0.into_values().collect());
    let columns = names.into_iter().map(|name| SampleColumn { name, declared: None }).collect();
    let sample = Sample { columns, drawn: rows.len(), rows, identity: vec!["id".to_owned()], decided };
    Ok(Drawn { sample, read, is_whole, requests })
}

/// Objects by their ids: a list that moves may show one twice, of which the later counts.
#[derive(Default)]
struct ById(BTreeMap<String, Vec<Value<'static>>>);

impl ById {
    fn push(&mut self, row: &[Value<'_>]) {
        self.0.insert(row[0].to_string(), row.iter().map(|value| value.clone().into_owned()).collect());
    }
}

/// The places of a surface that this version of the API has, as the first object shows, and metadata at the end; and the
/// requests that took. To ask for a member that no object has is a mistake.
fn mentioned(system: &mut dyn System, surface: &Surface) -> Result<(Vec<String>, u64), SystemError> {
    let places = || surface.places.iter().copied().chain(["metadata"]);
    let members: BTreeSet<String> = places().filter_map(member_of).collect();
    let members: Vec<String> = members.into_iter().collect();
    let (side, mut known) = (side_of(&members, &["id".to_owned()]), BTreeSet::from(["id".to_owned()]));
    let reading = system.read(surface.object, &side, &Wanted::All, &mut |row| {
        let is_there = |(_, value): &(&String, &Value<'_>)| !matches!(value, Value::Absent);
        known.extend(members.iter().zip(row).filter(is_there).map(|(member, _)| member.clone()));
        ControlFlow::Break(())
    })?;
    let is_known = |place: &&str| member_of(place).is_some_and(|member| known.contains(&member));
    let names = places().filter(is_known).map(str::to_owned).collect();
    Ok((names, reading.requests))
}

type Rows = Vec<Vec<Value<'static>>>;

/// The last column, which is metadata, as a column for each of its keys; columns that nothing mentions are left out.
fn flattened(mut names: Vec<String>, mut rows: Rows) -> (Vec<String>, Rows) {
    let has_metadata = names.pop_if(|name| name == "metadata").is_some();
    let mut members_of = |row: &mut Vec<Value<'static>>| {
        let metadata = if has_metadata { row.pop() } else { None };
        metadata.map_or_else(BTreeMap::new, |value| members(&value))
    };
    let metadata: Vec<BTreeMap<String, String>> = rows.iter_mut().map(&mut members_of).collect();
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    metadata.iter().flat_map(BTreeMap::keys).for_each(|key| *counts.entry(key).or_default() += 1);
    let mut keys: Vec<(&String, usize)> = counts.into_iter().collect();
    keys.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (key, _) in keys.iter().take(METADATA_MAX).filter(|(key, _)| !key.contains('|')) {
        names.push(format!("/metadata/{}", key.replace('~', "~0").replace('/', "~1")));
        for (row, members) in rows.iter_mut().zip(&metadata) {
            row.push(members.get(*key).map_or(Value::Absent, |text| kept(&Value::text(text))));
        }
    }
    let is_mentioned: Vec<bool> =
        (0..names.len()).map(|at| rows.iter().any(|row| !matches!(row[at], Value::Absent))).collect();
    let mentioned = |at: &usize| is_mentioned[*at] || names[*at] == "id";
    let places: Vec<usize> = (0..names.len()).filter(mentioned).collect();
    let rows = rows.iter().map(|row| places.iter().map(|at| kept(&row[*at])).collect()).collect();
    (places.iter().map(|at| names[*at].clone()).collect(), rows)
}

/// The members of an object of texts.
fn members(value: &Value<'_>) -> BTreeMap<String, String> {
    let Value::Json(text) = value else { return BTreeMap::new() };
    serde_json::from_str(text).unwrap_or_default()
}

/// Adds rows of the table that Stripe's objects are of: those that were drawn are hardly ever the same.
///
/// # Errors
///
/// When the table cannot be read.
pub fn meet(
    (app, table): (&mut dyn System, &str),
    left: &mut Drawn,
    own: &OwnIds,
    right: &Sample,
) -> Result<(), SystemError> {
    let known: BTreeSet<&String> = own.ids.iter().collect();
    let id = right.find("id").unwrap_or(0);
    let listed: BTreeSet<String> = right.rows.iter().map(|row| row[id].to_string()).collect();
    let mut missing: Vec<String> = listed.into_iter().filter(|id| !known.contains(id)).collect();
    let step = missing.len().div_ceil(MET_MAX).max(1);
    missing = missing.into_iter().step_by(step).collect();
    let names: Vec<String> = left.sample.columns.iter().map(|column| column.name.clone()).collect();
    let side = side_of(&names, &left.sample.identity);
    let (rows, read) = (&mut left.sample.rows, &mut left.read);
    if app.can_find(table, &side, &[own.column]) {
        for ids in missing.chunks(LOOKUPS_MAX.min(app.lookups_per_request()).max(1)) {
            let values = ids.iter().map(|id| vec![Value::Text(id.clone().into())]).collect();
            let wanted = Wanted::Where { columns: vec![own.column], values };
            app.read(table, &side, &wanted, &mut |row| {
                *read += 1;
                rows.push(row.iter().map(kept).collect());
                ControlFlow::Continue(())
            })?;
        }
        return Ok(());
    }
    let (missing, mut searched, mut met) = (missing.into_iter().collect::<BTreeSet<_>>(), 0, 0);
    app.read(table, &side, &Wanted::All, &mut |row| {
        searched += 1;
        if missing.contains(&row[own.column].to_string()) {
            met += 1;
            rows.push(row.iter().map(kept).collect());
        }
        let is_enough = searched >= SEARCHED_MAX || met >= missing.len();
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    *read = (*read).max(searched);
    Ok(())
}
