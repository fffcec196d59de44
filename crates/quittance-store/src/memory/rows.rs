//! One table in memory: its rows by primary key, and every declared index as an ordered map.

use super::{
    BTreeMap, Change, Claim, Direction, Key, Owners, Row, Scan, Share, StoreError, Table, TakeOver, Uniqueness, Value,
};
use crate::schema::Index;
use crate::shape::{DUE_AT, LEASE_EPOCH, LEASE_OWNER, VERSION};
use std::ops::Bound;

type Range = (Bound<Vec<Value>>, Bound<Vec<Value>>);

#[derive(Clone)]
pub(super) struct Rows {
    table: &'static Table,
    by_key: BTreeMap<Key, Row>,
    /// For each declared index: the values of its whole order, to the key.
    indexes: Vec<BTreeMap<Vec<Value>, Key>>,
}

impl Rows {
    pub(super) fn new(table: &'static Table) -> Self {
        let indexes = table.indexes.iter().map(|_| BTreeMap::new()).collect();
        Self { table, by_key: BTreeMap::new(), indexes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Row> {
        self.by_key.get(key)
    }

    pub(super) fn find_unique(&self, index: &Index, values: &[Value]) -> Option<Key> {
        let (_, key) = self.index(index).range(page(values, None, None)?).next()?;
        Some(key.clone())
    }

    /// Whether a change may be applied to what is here now.
    pub(super) fn check(&self, change: &Change) -> Result<(), StoreError> {
        let (table, key) = (self.table, self.table.key_of(change.row()));
        let existing = self.by_key.get(&key);
        match change {
            Change::Insert { .. } if existing.is_some() => return Err(StoreError::Conflict { table: table.name }),
            Change::Update { expected_version, .. } => {
                let version = existing.map(|row| &row[table.position(VERSION)]);
                if version != Some(&Value::Integer(*expected_version)) {
                    return Err(StoreError::Stale { table: table.name });
                }
            }
            Change::Insert { .. } | Change::Upsert { .. } => {}
        }
        for index in table.indexes.iter().filter(|index| index.uniqueness == Uniqueness::Unique) {
            let values = table.index_values(index, change.row());
            let holder = values.and_then(|values| self.find_unique(index, &values));
            if holder.is_some_and(|holder| holder != key) {
                return Err(StoreError::Conflict { table: table.name });
            }
        }
        Ok(())
    }

    /// Puts or removes a row, with its entries in all indexes, and returns what was there.
    pub(super) fn replace(&mut self, key: &Key, row: Option<Row>) -> Option<Row> {
        let before = self.by_key.remove(key);
        for (index, entries) in self.table.indexes.iter().zip(&mut self.indexes) {
            if let Some(entry) = before.as_ref().and_then(|row| entry(self.table, index, row)) {
                entries.remove(&entry);
            }
            if let Some(entry) = row.as_ref().and_then(|row| entry(self.table, index, row)) {
                entries.insert(entry, key.clone());
            }
        }
        if let Some(row) = row {
            self.by_key.insert(key.clone(), row);
        }
        before
    }

    pub(super) fn scan(&self, scan: &Scan) -> Vec<Row> {
        let (above, below) = match scan.direction {
            Direction::Forward => (&scan.after, &scan.until),
            Direction::Backward => (&scan.until, &scan.after),
        };
        let Some(range) = page(&scan.prefix, above.as_deref(), below.as_deref()) else { return Vec::new() };
        match scan.index {
            None => in_direction(self.by_key.range(range).map(|(_, row)| row), scan),
            Some(index) => in_direction(self.index(index).range(range).map(|(_, key)| &self.by_key[key]), scan),
        }
    }

    pub(super) fn claim(&mut self, claim: &Claim) -> Vec<Row> {
        let keys: Vec<Key> = claim.shares.iter().flat_map(|share| self.due(share, claim.now)).collect();
        keys.into_iter().map(|key| self.lease(&key, claim)).collect()
    }

    fn due(&self, share: &Share, now: i64) -> Vec<Key> {
        let Some(lane) = page(&share.lane, None, None) else { return Vec::new() };
        let entries = self.index(self.table.due_index()).range(lane);
        let due = entries.take_while(|(values, _)| values[share.lane.len()] <= Value::Integer(now));
        due.take(share.limit).map(|(_, key)| key.clone()).collect()
    }

    pub(super) fn take_over(&mut self, takeover: &TakeOver, owners: Owners) -> usize {
        let (due_at, lease_owner) = (self.table.position(DUE_AT), self.table.position(LEASE_OWNER));
        let kept = [Value::Integer(0), Value::Integer(takeover.owner)];
        let mut keys: Vec<Key> = self.index(self.table.due_index()).values().cloned().collect();
        keys.retain(|key| {
            let row = &self.by_key[key];
            let is_dead = owners == Owners::Exclusive && !kept.contains(&row[lease_owner]);
            is_dead || row[due_at] > Value::Integer(takeover.due_at_max)
        });
        for key in &keys {
            let mut row = self.by_key[key].clone();
            row[due_at] = takeover.now.into();
            row[lease_owner] = 0.into();
            self.raise(&mut row, VERSION);
            self.replace(key, Some(row));
        }
        keys.len()
    }

    fn lease(&mut self, key: &Key, claim: &Claim) -> Row {
        let mut row = self.by_key[key].clone();
        row[self.table.position(DUE_AT)] = claim.leased_until.into();
        row[self.table.position(LEASE_OWNER)] = claim.owner.into();
        self.raise(&mut row, LEASE_EPOCH);
        self.raise(&mut row, VERSION);
        self.replace(key, Some(row.clone()));
        row
    }

    /// Adds one to a counter, if the table declares it.
    fn raise(&self, row: &mut Row, column: &str) {
        let counter = self.table.find(column).map(|position| &mut row[position]);
        if let Some(Value::Integer(count)) = counter {
            *count += 1;
        }
    }

    fn index(&self, index: &Index) -> &BTreeMap<Vec<Value>, Key> {
        let position = self.table.indexes.iter().position(|declared| declared.name == index.name);
        let position = position.unwrap_or_else(|| panic!("table {} declares no index {}", self.table.name, index.name));
        &self.indexes[position]
    }
}

/// A row's values in the order of an index, or none when the row is not in it.
fn entry(table: &Table, index: &Index, row: &Row) -> Option<Vec<Value>> {
    table.index_values(index, row)?;
    Some(table.order(Some(index)).into_iter().map(|position| row[position].clone()).collect())
}

fn in_direction<'a>(rows: impl DoubleEndedIterator<Item = &'a Row>, scan: &Scan) -> Vec<Row> {
    match scan.direction {
        Direction::Forward => rows.take(scan.limit).cloned().collect(),
        Direction::Backward => rows.rev().take(scan.limit).cloned().collect(),
    }
}

/// The range of entries that begin with `prefix` and whose next columns lie strictly between the bounds; none when it
/// is empty.
fn page(prefix: &[Value], above: Option<&[Value]>, below: Option<&[Value]>) -> Option<Range> {
    // An entry that begins with the upper bound sorts at or after it, so excluding the bound excludes all of those; at
    // the lower end they have to be skipped over.
    let low = match above {
        Some(above) => successor(&[prefix, above].concat()),
        None => prefix.to_vec(),
    };
    let high = match below {
        Some(below) => Bound::Excluded([prefix, below].concat()),
        None if prefix.is_empty() => Bound::Unbounded,
        None => Bound::Excluded(successor(prefix)),
    };
    match &high {
        Bound::Excluded(high) if low >= *high => None,
        _ => Some((Bound::Included(low), high)),
    }
}

/// The least list of values that is greater than every list that begins with `values`.
fn successor(values: &[Value]) -> Vec<Value> {
    let mut next = values.to_vec();
    if let Some(last) = next.last_mut() {
        *last = match std::mem::replace(last, Value::Null) {
            Value::Null => Value::Integer(i64::MIN),
            Value::Integer(i64::MAX) => Value::Text(String::new()),
            Value::Integer(integer) => Value::Integer(integer + 1),
            Value::Text(text) => Value::Text(text + "\0"),
            Value::Bytes(mut bytes) => {
                bytes.push(0);
                Value::Bytes(bytes)
            }
        };
    }
    next
}
