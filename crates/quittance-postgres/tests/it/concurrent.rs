//! Many writers at once: sums that must hold, keys that all of them insert, claims and a clock that are shared.

use crate::support::{Place, found, integer, money, open, transfer};
use quittance_store::schema::Table;
use quittance_store::store::{Change, Loaded, Read, Reader, Scan, Store, Work};
use quittance_store::tables::{CUSTOMERS, IDEMPOTENCY};
use quittance_store::value::{Row, Value};
use std::thread;

const LANES: u8 = 8;

/// Numbers in an order that differs for each lane.
fn shuffled(count: u8, lane: u8) -> Vec<u8> {
    let mut numbers: Vec<u8> = (0..count).collect();
    numbers.sort_by_key(|number| number.wrapping_mul(lane.wrapping_mul(2) + 37));
    numbers
}

#[test]
fn money_moves_between_shared_books_and_none_is_lost() {
    const BOOKS: u8 = 5;
    const MOVES: u8 = 25;
    let Some(place) = Place::new("writers on shared books") else { return };
    found(&mut place.writer(), 0..BOOKS, 1_000);
    let url = place.url();
    thread::scope(|scope| {
        for lane in 0..LANES {
            let url = &url;
            scope.spawn(move || {
                let mut store = open(url);
                for turn in 0..MOVES {
                    let from = (lane + turn) % BOOKS;
                    let to = (from + 1 + turn % (BOOKS - 1)) % BOOKS;
                    let sum = i64::from(turn) + 1;
                    transfer(&mut store, vec![(from, -sum), (to, sum)]).unwrap();
                }
            });
        }
    });
    let money = money(&mut place.writer());
    assert_eq!(money.iter().sum::<i64>(), 1_000 * i64::from(BOOKS), "{money:?}");
    let records = place.sql("SELECT count(*) FROM quittance.journal");
    assert_eq!(records, (2 * u32::from(LANES) * u32::from(MOVES)).to_string(), "each move is there once");
}

/// Inserts those rows that are not there.
struct Missing {
    table: &'static Table,
    rows: Vec<Row>,
}

impl Missing {
    fn read(&self, row: &Row) -> Read {
        match self.table.indexes.first() {
            Some(index) => Read::Unique {
                table: self.table,
                index,
                values: self.table.index_values(index, row).expect("it has one"),
            },
            None => Read::Row { table: self.table, key: self.table.key_of(row) },
        }
    }
}

impl Work for Missing {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        self.rows.iter().map(|row| self.read(row)).collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let is_missing = |row: &&Row| match self.read(row) {
            Read::Row { table, key } => loaded.row(table, &key) == Some(None),
            Read::Unique { index, values, .. } => loaded.unique(index, &values) == Some(None),
        };
        Ok(self
            .rows
            .iter()
            .filter(is_missing)
            .map(|row| Change::Insert { table: self.table, row: row.clone() })
            .collect())
    }
}

#[test]
fn keys_that_all_insert_are_inserted_once_and_nobody_waits_in_a_circle() {
    const ROWS: u8 = 60;
    let Some(place) = Place::new("writers of the same keys") else { return };
    drop(place.writer());
    let (url, deadlocks) = (place.url(), place.deadlocks());
    let key = |number: u8| -> Row { vec![[7; 16].into(), [number; 16].into(), [1; 16].into()] };
    // Customers by the same name, under an id that each lane makes up.
    let customer = |number: u8, lane: u8| -> Row {
        let name = Value::from(format!("customer {number}"));
        let id = [shuffled(ROWS, lane)[usize::from(number)], lane].repeat(8);
        let nothing = || Value::Null;
        let bytes = || Value::Bytes(Vec::new());
        vec![id.into(), [7; 16].into(), name, nothing(), nothing(), nothing(), nothing(), bytes(), bytes(), 0.into()]
    };
    thread::scope(|scope| {
        for lane in 0..LANES {
            let url = &url;
            scope.spawn(move || {
                let mut store = open(url);
                let order = shuffled(ROWS, lane);
                for numbers in order.chunks(20) {
                    let rows = numbers.iter().map(|number| key(*number)).collect();
                    store.transact("keys", &mut Missing { table: &IDEMPOTENCY, rows }).unwrap();
                    let rows = numbers.iter().map(|number| customer(*number, lane)).collect();
                    store.transact("customers", &mut Missing { table: &CUSTOMERS, rows }).unwrap();
                }
            });
        }
    });
    for table in [&IDEMPOTENCY, &CUSTOMERS] {
        let rows = place.writer().scan(&Scan::forward(table, Vec::new(), 1_000)).unwrap();
        assert_eq!(rows.len(), usize::from(ROWS), "{table:?}");
    }
    assert_eq!(place.deadlocks(), deadlocks, "the order in which keys are inserted is one for all");
}

#[test]
fn writers_that_start_together_find_one_schema() {
    let Some(place) = Place::new("writers that start together") else { return };
    let url = place.url();
    let mut epochs: Vec<i64> = thread::scope(|scope| {
        let started: Vec<_> = (0..10).map(|_| scope.spawn(|| open(&url).writer_epoch())).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    epochs.sort_unstable();
    assert_eq!(epochs, (1..=10).collect::<Vec<i64>>());
    assert_eq!(place.sql("SELECT version, usable_from FROM quittance.schema_version"), "1|1");
}

#[test]
fn rows_change_only_by_what_was_decided_over_them() {
    // A reader beside it sees a sum that holds at every moment.
    let Some(place) = Place::new("a reader beside writers") else { return };
    found(&mut place.writer(), 0..2, 50);
    let url = place.url();
    thread::scope(|scope| {
        let moves = scope.spawn(|| {
            let mut store = open(&url);
            for _ in 0..60 {
                transfer(&mut store, vec![(0, -1), (1, 1)]).unwrap();
            }
        });
        let mut reader = quittance_postgres::PostgresDatabase::open_reader(&url, &crate::support::options()).unwrap();
        loop {
            let is_last = moves.is_finished();
            let keys = [crate::support::book_key(0), crate::support::book_key(1)];
            let rows = reader.get_many(&quittance_store::tables::BOOKS, &keys).unwrap();
            let sum: i64 = rows.iter().flatten().map(|row| integer(row, 2)).sum();
            assert_eq!(sum, 100);
            if is_last {
                break;
            }
        }
    });
}
