//! Random rows and random pages: a store returns what the [model](super::model) returns, over every table and index.

use super::model::{Model, Outcome};
use super::sample::write;
use super::{Case, Harness};
use crate::schema::{Kind, Nullability, Rows, Table};
use crate::shape::VERSION;
use crate::store::{Change, Direction, Reader, Scan, StoreError};
use crate::tables;
use crate::value::{Row, Value};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;

pub(super) const CASES: &[Case] = &[("writes and scans agree with the model", agree_with_the_model)];

/// Random histories for each table.
const HISTORIES: u32 = 16;

/// Values of each kind, few enough that rows collide, and with the edges at which orders differ.
const INTEGERS: [i64; 6] = [0, 1, -1, 2, i64::MAX, i64::MIN];
const TEXTS: [&str; 7] = ["a", "b", "", "a\0", "A", "é", "\u{ffff}"];
const BYTES: [&[u8]; 7] = [&[1], &[2], &[], &[1, 0], &[0], &[0x80], &[0xff, 0xff]];

/// Numbers from which values are picked; smaller ones are simpler.
type Picks = Vec<u8>;

#[derive(Clone, Debug)]
struct History {
    transactions: Vec<Vec<Change>>,
    scans: Vec<Scan>,
}

fn agree_with_the_model(fresh: &mut dyn FnMut() -> Harness) {
    let fresh = RefCell::new(fresh);
    for table in tables::ALL {
        let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
        let checked = TestRunner::new(config).run(&histories(table), |history| {
            check(table, &history, (*fresh.borrow_mut())());
            Ok(())
        });
        checked.unwrap_or_else(|failure| panic!("{table:?}: {failure}"));
    }
}

fn check(table: &'static Table, history: &History, harness: Harness) {
    let Harness { mut lanes, mut reader, .. } = harness;
    let mut model = Model::new(table);
    for changes in &history.transactions {
        let outcome = match write(&mut *lanes[0], changes.clone()) {
            Ok(()) => Outcome::Written,
            Err(StoreError::Conflict { .. }) => Outcome::Conflict,
            Err(StoreError::Stale { .. }) => Outcome::Stale,
            Err(error) => panic!("{error}: {changes:?}"),
        };
        assert_eq!(outcome, model.transact(changes), "{changes:?}");
    }
    for scan in &history.scans {
        let expected = model.scan(scan);
        assert_eq!(reader.scan(scan).unwrap(), expected, "{scan:?}");
        assert_eq!(lanes[0].scan(scan).unwrap(), expected, "{scan:?}");
        let all = Scan { limit: usize::MAX, ..scan.clone() };
        assert_eq!(pages(&mut *reader, &all), model.scan(&all), "paging through {scan:?}");
    }
}

/// Reads all of a scan in pages of two rows.
fn pages(reader: &mut dyn Reader, all: &Scan) -> Vec<Row> {
    let mut page = Scan { limit: 2, ..all.clone() };
    let mut rows = Vec::new();
    loop {
        let found = reader.scan(&page).unwrap();
        let Some(last) = found.last() else { return rows };
        let position = page.position_of(last);
        if position.is_empty() {
            // A prefix of the whole order: there is only one such row.
            return found;
        }
        assert!(page.after.as_ref() != Some(&position), "a page after {position:?} ends there again");
        page.after = Some(position);
        rows.extend(found);
    }
}

fn histories(table: &'static Table) -> impl Strategy<Value = History> {
    let transactions = vec(vec(changes(table), 1..4), 0..12);
    let scans = vec(scans(table), 8);
    (transactions, scans).prop_map(|(transactions, scans)| History { transactions, scans })
}

fn changes(table: &'static Table) -> impl Strategy<Value = Change> {
    let verbs = match table.rows {
        Rows::Fixed => 0..2u8,
        Rows::Replaced => 0..3,
        Rows::Versioned | Rows::Glanced => 0..4,
    };
    (verbs, vec(any::<u8>(), table.columns.len())).prop_map(move |(verb, picks)| {
        let mut row: Row = (0..picks.len()).map(|position| pick(table, position, picks[position])).collect();
        match verb {
            0 | 1 => Change::Insert { table, row },
            2 => Change::Upsert { table, row },
            _ => {
                let version = table.position(VERSION);
                let expected_version = i64::from(picks[version] % 3);
                row[version] = Value::Integer(expected_version + 1);
                Change::Update { table, row, expected_version }
            }
        }
    })
}

fn scans(table: &'static Table) -> impl Strategy<Value = Scan> {
    let bound = || (any::<bool>(), any::<u8>(), vec(any::<u8>(), table.columns.len()));
    let shape = (0..=table.indexes.len(), any::<u8>(), vec(any::<u8>(), table.columns.len()));
    let direction = proptest::prop_oneof![Just(Direction::Forward), Just(Direction::Backward)];
    (shape, bound(), bound(), direction, 0..8usize).prop_map(move |(shape, after, until, direction, limit)| {
        let (index, fixed, picks) = shape;
        let index = index.checked_sub(1).map(|at| &table.indexes[at]);
        let order = table.order(index);
        let (fixed, free) = order.split_at(usize::from(fixed) % (order.len() + 1));
        let prefix = values(table, fixed, &picks);
        let bound = |(given, length, picks): (bool, u8, Picks)| {
            let given = given && !free.is_empty();
            given.then(|| values(table, &free[..1 + usize::from(length) % free.len()], &picks))
        };
        Scan { table, index, prefix, after: bound(after), until: bound(until), direction, limit }
    })
}

/// Values to compare columns with: never null.
fn values(table: &'static Table, positions: &[usize], picks: &[u8]) -> Vec<Value> {
    positions.iter().map(|&position| required(table, position, picks[position])).collect()
}

fn pick(table: &'static Table, position: usize, pick: u8) -> Value {
    match table.columns[position].nullability {
        Nullability::Optional if pick % 4 == 3 => Value::Null,
        _ => required(table, position, pick),
    }
}

fn required(table: &'static Table, position: usize, pick: u8) -> Value {
    let pick = usize::from(pick);
    let column = &table.columns[position];
    match column.kind {
        Kind::Integer if column.name == VERSION => Value::Integer(INTEGERS[pick % 2]),
        Kind::Integer => Value::Integer(INTEGERS[pick % INTEGERS.len()]),
        Kind::Text => Value::from(TEXTS[pick % TEXTS.len()]),
        Kind::Bytes => Value::from(BYTES[pick % BYTES.len()]),
    }
}
