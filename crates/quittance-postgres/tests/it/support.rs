//! What the tests share: books that money moves between, work that counts what was decided, servers with writers on them.

use quittance_postgres::{Options, PostgresDatabase, PostgresStore};
use quittance_store::store::{Change, Loaded, Patience, Read, Reader, Scan, Store, StoreError, Work};
use quittance_store::tables::{BOOKS, JOURNAL};
use quittance_store::value::{Key, Row, Value};
use quittance_surroundings::Postgres;
use std::time::Duration;

/// A database of the server that all tests share.
pub struct Place {
    pub server: &'static Postgres,
    pub database: String,
}

impl Place {
    pub fn new(subject: &str) -> Option<Self> {
        let server = Postgres::shared(&format!("quittance-postgres: {subject}"))?;
        Some(Self { server, database: server.fresh_database() })
    }

    pub fn url(&self) -> String {
        self.server.url(&self.database)
    }

    pub fn writer(&self) -> PostgresStore {
        open(&self.url())
    }

    pub fn sql(&self, statements: &str) -> String {
        self.server.sql(&self.database, statements)
    }

    /// Ends every writer's connection.
    pub fn end_writers(&self) {
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = 'quittance' AND datname = current_database()",
        );
    }

    /// How often the server found two that waited for each other.
    pub fn deadlocks(&self) -> usize {
        self.server.log().iter().filter(|line| line.contains("deadlock detected")).count()
    }
}

/// Opens with limits that fit tests.
pub fn open(url: &str) -> PostgresStore {
    PostgresDatabase::open_for_writing(url, &options()).unwrap()
}

pub fn options() -> Options {
    Options { reconnect_for: Duration::from_secs(60), ..Options::default() }
}

pub fn book_key(number: u8) -> Key {
    vec![[number; 16].into()]
}

/// A book whose count of records stands for its money.
pub fn book(number: u8, money: i64, version: i64) -> Row {
    vec![
        [number; 16].into(),
        [7; 16].into(),
        money.into(),
        Value::Bytes(Vec::new()),
        Value::Bytes(Vec::new()),
        version.into(),
    ]
}

pub fn record(number: u8, seq: i64) -> Change {
    let row = vec![[number; 16].into(), seq.into(), 1.into(), 0.into(), [9; 40].into(), [0; 32].into(), [1; 32].into()];
    Change::Insert { table: &JOURNAL, row }
}

pub fn integer(row: &Row, position: usize) -> i64 {
    match row[position] {
        Value::Integer(integer) => integer,
        ref other => panic!("{other:?} is no integer"),
    }
}

/// Work that reads nothing and writes fixed changes.
pub struct Writes(pub Vec<Change>);

impl Work for Writes {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
        Ok(self.0.clone())
    }
}

pub fn write(store: &mut dyn Store, changes: Vec<Change>) -> Result<(), StoreError> {
    store.transact("test", &mut Writes(changes))
}

/// Makes books with so much money each.
pub fn found(store: &mut dyn Store, books: std::ops::Range<u8>, money: i64) {
    let changes = books.map(|number| Change::Insert { table: &BOOKS, row: book(number, money, 1) });
    write(store, changes.collect()).unwrap();
}

/// Adds to books, and notes it in the journal of each. Left undone where one of them is busy.
pub struct Move<'a> {
    pub sums: Vec<(u8, i64)>,
    pub patience: Patience,
    pub was_busy: bool,
    pub decided: usize,
    /// Called with each decision.
    pub meanwhile: &'a mut dyn FnMut(usize),
}

impl Work for Move<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        self.sums.iter().map(|(number, _)| Read::Row { table: &BOOKS, key: book_key(*number) }).collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        self.decided += 1;
        (self.meanwhile)(self.decided);
        self.was_busy = self.sums.iter().any(|(number, _)| loaded.is_busy(&BOOKS, &book_key(*number)));
        if self.was_busy {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        for (number, sum) in &self.sums {
            let before = loaded.row(&BOOKS, &book_key(*number)).flatten().ok_or("the book is there")?;
            let (money, version) = (integer(before, 2), integer(before, 5));
            changes.push(record(*number, version));
            let row = book(*number, money + sum, version + 1);
            changes.push(Change::Update { table: &BOOKS, row, expected_version: version });
        }
        Ok(changes)
    }

    fn patience(&self) -> Patience {
        self.patience
    }
}

/// Moves money as the engine does: what is busy three times is waited for. Says how often it was decided.
pub fn transfer(store: &mut dyn Store, sums: Vec<(u8, i64)>) -> Result<usize, StoreError> {
    transfer_while(store, sums, &mut |_| {})
}

/// The same, and calls back with each decision.
pub fn transfer_while(
    store: &mut dyn Store,
    sums: Vec<(u8, i64)>,
    meanwhile: &mut dyn FnMut(usize),
) -> Result<usize, StoreError> {
    let mut work = Move { sums, patience: Patience::Skip, was_busy: true, decided: 0, meanwhile };
    for tried in 0.. {
        work.patience = if tried < 3 { Patience::Skip } else { Patience::Wait };
        store.transact("moving money", &mut work)?;
        if !work.was_busy {
            break;
        }
    }
    Ok(work.decided)
}

/// The money in all books, after a look whether each has a record for each of its versions.
pub fn money(reader: &mut dyn Reader) -> Vec<i64> {
    let books = reader.scan(&Scan::forward(&BOOKS, Vec::new(), 100)).unwrap();
    let money = books.iter().map(|book| {
        let records = reader.scan(&Scan::forward(&JOURNAL, vec![book[0].clone()], 100_000)).unwrap();
        let seqs: Vec<i64> = records.iter().map(|record| integer(record, 1)).collect();
        assert_eq!(seqs, (1..integer(book, 5)).collect::<Vec<_>>(), "no version is lost or twice");
        integer(book, 2)
    });
    money.collect()
}
