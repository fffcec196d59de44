//! Asking a system for one record, by its key.

use super::known::{Found, Known, Moment, Read};
use super::{Believed, Failure};
use crate::clock;
use crate::diff::{self, readings, typed};
use crate::systems::{Blame, Description, System, SystemError, Wanted};
use quittance_core::pair::row::{Encoder, Record, decode_fields, decode_identity, shown};
use quittance_core::pair::{Pair, Side};
use quittance_core::record::key::encode_key;
use quittance_core::record::value::{Type, Value};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Records of one key that are looked at before it is clear that there are several.
const CLAIMANTS_MAX: u64 = 2;

/// Asks one system, which it opens when there is something to ask.
pub(super) struct Asker {
    believed: Arc<Believed>,
    opened: Option<Opened>,
}

/// A system as it is asked.
struct Opened {
    system: Box<dyn System>,
    description: Description,
    pair: Pair,
}

impl Asker {
    pub(super) fn new(believed: Arc<Believed>) -> Self {
        Self { believed, opened: None }
    }

    /// The record of a key. A connection that lay idle may be gone: then it is asked once more by a new one.
    pub(super) fn read(&mut self, key: &str) -> Result<Known, Failure> {
        let was_open = self.opened.is_some();
        match self.try_read(key) {
            Err(error) if was_open && error.blame == Blame::Outside => self.try_read(key),
            read => read,
        }
        .map_err(|error| Failure::of(&error))
    }

    fn try_read(&mut self, key: &str) -> Result<Known, SystemError> {
        let mut opened = match self.opened.take() {
            Some(opened) => opened,
            None => Opened::open(&self.believed)?,
        };
        // Before the question is sent: what is read is at least as new.
        let at = Moment { as_of: clock::now(), read_at: clock::monotonic() };
        let (found, read) = opened.ask(&self.believed, key)?;
        // No snapshot is kept open, and what is asked next is of then.
        opened.system.refresh()?;
        self.opened = Some(opened);
        let believed = &self.believed;
        Known::new(&believed.name, &believed.side().system, key, found, read, at).ok_or_else(|| {
            let what = format!("the record `{key}` is larger than what is answered");
            SystemError::configuration(what, "map fewer columns, or smaller ones")
        })
    }
}

impl Opened {
    fn open(believed: &Believed) -> Result<Self, SystemError> {
        let mut system = believed.open()?;
        let of = believed.side();
        let description = system.describe(&of.object)?;
        let pair = diff::one_side(&believed.name, &believed.config, believed.truth.side, &description)?;
        let side = pair.side(believed.truth.side);
        let is_plain = side.rules[0].iter().all(|at| side.columns[*at].transforms.is_empty());
        if !is_plain || !system.can_find(&of.object, side, &side.rules[0]) {
            let what = format!("no record of `{}` in system `{}` can be asked for by its key", of.object, of.system);
            return Err(SystemError::configuration(what, "match first by columns that have an index, or by the id"));
        }
        Ok(Self { system, description, pair })
    }

    fn ask(&mut self, believed: &Believed, key: &str) -> Result<(Found, Option<Read>), SystemError> {
        let (which, object) = (believed.truth.side, &believed.side().object);
        let side = self.pair.side(which);
        let values = values(side, &self.description, key);
        let keys: BTreeSet<Vec<u8>> = values.iter().filter_map(|values| encoded(values)).collect();
        let wanted = Wanted::Where { columns: side.rules[0].clone(), values };
        if keys.is_empty() {
            // What cannot be a key is nobody's.
            return Ok((Found::None, None));
        }
        let mut encoder = Encoder::new(&self.pair, which);
        let (mut records, mut failure) = (Vec::new(), None);
        let reading = self.system.read(object, side, &wanted, &mut |row| {
            let mut bytes = Vec::new();
            if let Err(error) = encoder.encode(row, &mut bytes) {
                failure = Some(error);
                return ControlFlow::Break(());
            }
            let is_it = Record::new(&bytes).key(0).is_some_and(|key| keys.contains(key));
            if is_it && !records.contains(&bytes) {
                records.push(bytes);
            }
            if records.len() as u64 >= CLAIMANTS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Some(error) = failure {
            return Err(SystemError::outside(format!("the record `{key}` cannot be read: {error}"), ""));
        }
        reading?;
        Ok(match records.as_slice() {
            [] => (Found::None, None),
            [record] => (Found::One, Some(self.record(Record::new(record)))),
            several => (Found::Several(several.len() as u64), None),
        })
    }

    /// A record as it is told: what is mapped, and nothing beside it.
    fn record(&self, record: Record<'_>) -> Read {
        let identity = shown(decode_identity(record).iter());
        let modified_at = record.modified().map(|at| Value::Timestamp(at).to_string());
        let mut read = Read { modified_at, identity, ..Read::default() };
        for (field, value) in self.pair.fields.iter().zip(decode_fields(record)) {
            let compared = value.compared.as_ref().map_or(Json::Null, diff::whole_json);
            if value.compared.is_none() {
                read.unmapped.insert(field.name.clone(), diff::whole_json(&value.said));
            }
            read.fields.insert(field.name.clone(), compared);
        }
        read
    }
}

/// What a key may be, as values of the columns of the first rule; nothing where it can be no key.
fn values(side: &Side, known: &Description, key: &str) -> Vec<Vec<Value<'static>>> {
    let columns = &side.rules[0];
    let parts: Vec<&str> = if columns.len() == 1 { vec![key] } else { key.splitn(columns.len(), ',').collect() };
    let (mut values, mut undeclared) = (Vec::new(), Vec::new());
    for (part, at) in parts.iter().zip(columns) {
        let column = &side.columns[*at];
        let wanted = diff::declared(column, known).filter(|wanted| *wanted != Type::Untyped);
        if wanted.is_none() {
            undeclared.push(values.len());
        }
        let Some(value) = typed(part, column, wanted.unwrap_or(Type::Text)) else { return Vec::new() };
        values.push(value);
    }
    if values.len() == columns.len() { readings(&values, &undeclared) } else { Vec::new() }
}

fn encoded(values: &[Value<'static>]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    encode_key(values.iter(), &mut bytes).then_some(bytes)
}
