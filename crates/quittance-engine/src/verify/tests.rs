//! Every kind of damage is found and named; a book that moves on meanwhile is none.

mod decisive;
mod disputes;
mod events;
mod forged;
mod refunds;
mod steps;

use super::sample::{Sample, customer, write};
use super::{Progress, Report, verify};
use quittance_store::memory::{MemoryDatabase, MemoryReader};
use quittance_store::schema::Table;
use quittance_store::store::{Change, Reader, Scan, StoreError};
use quittance_store::tables::{BOOKS, CLOSED_HOLDS, CUSTOMERS, EFFECTS, INTENTS, JOURNAL, PAYMENTS, TICKETS};
use quittance_store::value::{Key, Row, Value};

fn report_of(database: &MemoryDatabase) -> Report {
    verify(&mut database.reader(), &mut |_: Progress| {}).expect("readable")
}

/// What the report says first after the sample was damaged, as `RECORD: WHAT`.
fn check(damage: impl FnOnce(&mut Sample), expected: &str) {
    let mut sample = Sample::new();
    damage(&mut sample);
    let report = report_of(&sample.store());
    let found = report.first_broken().unwrap_or_else(|| panic!("nothing found where {expected:?} was expected"));
    assert_eq!(found.book, customer().to_string());
    let text = format!("{}: {}", found.seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string()), found.what);
    assert!(text.starts_with(expected), "{text:?} does not begin with {expected:?}; all: {:?}", report.findings);
}

fn flip(row: &mut Row, column: usize) {
    match &mut row[column] {
        Value::Bytes(bytes) => *bytes.last_mut().expect("not empty") ^= 1,
        Value::Integer(integer) => *integer += 1,
        Value::Text(text) => text.push('x'),
        Value::Null => row[column] = Value::Text("x".into()),
    }
}

#[test]
fn a_sound_book_is_proven() {
    let mut seen = Vec::new();
    let database = Sample::new().store();
    let report = verify(&mut database.reader(), &mut |progress: Progress| seen.push(progress)).expect("readable");
    assert!(report.is_sound() && report.is_balanced() && report.is_chain_whole(), "{:?}", report.findings);
    assert_eq!((report.books, report.records, report.unsettled), (1, 6, 0));
    assert_eq!(seen, [Progress { books: 1, records: 6 }]);
}

#[test]
fn an_empty_store_is_sound() {
    assert_eq!(report_of(&MemoryDatabase::new()), Report::default());
}

#[test]
fn a_changed_record_is_named() {
    for position in 0..6 {
        let expected = format!("{}: its content does not match its hash", position + 1);
        for column in ["body", "at", "prev_hash"] {
            check(|sample| sample.edit(&JOURNAL, position, column, flip), &expected);
        }
    }
}

#[test]
fn every_byte_of_a_record_is_covered() {
    let length = match &Sample::new().0[5].1[JOURNAL.position("body")] {
        Value::Bytes(bytes) => bytes.len(),
        other => panic!("a body is bytes, not {other:?}"),
    };
    for byte in 0..length {
        let flip_it = |row: &mut Row, column: usize| match &mut row[column] {
            Value::Bytes(bytes) => bytes[byte] ^= 0x40,
            other => panic!("a body is bytes, not {other:?}"),
        };
        check(|sample| sample.edit(&JOURNAL, 5, "body", flip_it), "6: its content does not match its hash");
    }
}

#[test]
fn a_chain_that_was_written_anew_is_found_by_the_next_record() {
    let damage = |sample: &mut Sample| sample.edit(&JOURNAL, 1, "hash", flip);
    check(damage, "2: its content does not match its hash");
    check(|sample| sample.edit(&BOOKS, 0, "head", flip), "6: its hash is not the one that the book ends with");
}

#[test]
fn a_missing_record_is_named() {
    check(|sample| sample.remove(&JOURNAL, 2), "3: it is missing: the journal goes on with record 4");
    check(|sample| sample.remove(&JOURNAL, 5), "6: it is missing: the journal ends with record 5");
    check(
        |sample| sample.edit(&BOOKS, 0, "records", |row, column| row[column] = Value::Integer(5)),
        "6: it is behind the end of the book, which counts 5 records",
    );
}

#[test]
fn rows_that_differ_from_the_journal_are_named() {
    let cases: [(&'static Table, &str, &str); 14] = [
        (&PAYMENTS, "amount", "amount is 2000 in its row and 1999 by the journal"),
        (&PAYMENTS, "captured_amount", "captured amount is 2000"),
        (&PAYMENTS, "refunded_amount", "refunded amount is 1"),
        (&PAYMENTS, "gateway_object", "gateway object is Some(\"pi_1x\")"),
        (&PAYMENTS, "decline_code", "decline is Some"),
        (&PAYMENTS, "reference", "reference is \"order-1x\""),
        (&PAYMENTS, "effect", "effect is eff_"),
        (&PAYMENTS, "status", "damaged row in payments, column status"),
        (&EFFECTS, "payment", "payment is pay_"),
        (&EFFECTS, "body", "damaged row in effects"),
        (&TICKETS, "gateway_key", "gateway key is"),
        (&TICKETS, "reference", "reference is Some"),
        (&TICKETS, "request", "its request is not the one the journal names"),
        (&CLOSED_HOLDS, "seq", "closing record is 7"),
    ];
    for (table, column, expected) in cases {
        let mut sample = Sample::new();
        sample.edit(table, 0, column, flip);
        let report = report_of(&sample.store());
        let found = report.findings.iter().any(|finding| finding.what.contains(expected));
        assert!(found, "{}.{column}: {:?}", table.name, report.findings);
        assert!(report.is_chain_whole() && report.is_balanced());
    }
}

#[test]
fn a_status_that_the_journal_does_not_have_is_named() {
    let pretend = |row: &mut Row, column: usize| row[column] = "failed".into();
    for table in [&PAYMENTS, &EFFECTS] {
        let column = if table.name == PAYMENTS.name { "status" } else { "state" };
        let mut sample = Sample::new();
        sample.edit(table, 0, column, pretend);
        let report = report_of(&sample.store());
        let expected = format!("{column} is \"failed\" in its row and \"succeeded\" by the journal");
        assert!(report.findings[0].what.contains(&expected), "{:?}", report.findings);
    }
}

#[test]
fn missing_and_foreign_rows_are_named() {
    for table in [&PAYMENTS, &EFFECTS, &TICKETS, &CLOSED_HOLDS, &INTENTS] {
        let mut sample = Sample::new();
        sample.remove(table, 0);
        let report = report_of(&sample.store());
        let expected = "the journal has it, but its row is missing";
        assert!(report.findings.iter().any(|f| f.what.contains(expected)), "{}: {:?}", table.name, report.findings);
        let mut sample = Sample::new();
        let second = table.columns[1].name;
        let (_, mut row) = sample.0.iter().find(|(of, _)| of.name == table.name).expect("a row").clone();
        flip(&mut row, table.position(second));
        sample.0.push((table, row));
        let report = report_of(&sample.store());
        assert!(report.findings.iter().any(|f| f.what.contains(", but the journal ")), "{:?}", report.findings);
    }
}

#[test]
fn balances_that_do_not_follow_are_named() {
    let database = Sample::new().store();
    let mut rows = database.reader().scan(&Scan::forward(&BOOKS, Vec::new(), 1)).expect("readable");
    let mut row = rows.remove(0);
    let Value::Bytes(balances) = &mut row[BOOKS.position("balances")] else { panic!("balances are bytes") };
    // The amount of the first account: after version, count, two texts and their lengths stands 1999 big-endian.
    let at = balances.windows(2).position(|two| two == 1999_u16.to_be_bytes()).expect("the amount is there");
    balances[at + 1] += 1;
    write(&database, vec![Change::Upsert { table: &BOOKS, row }]);
    let report = report_of(&database);
    assert!(!report.is_balanced() && report.is_chain_whole());
    let whats: Vec<&str> = report.findings.iter().map(|finding| finding.what.as_str()).collect();
    assert!(whats[0].contains("not to zero"), "{whats:?}");
    assert!(whats[1].contains("by the journal"), "{whats:?}");
}

#[test]
fn books_and_rows_of_nobody_are_found() {
    check(|sample| sample.remove(&CUSTOMERS, 0), "-: it belongs to no customer");
    check(|sample| sample.remove(&BOOKS, 0), "-: rows belong to it, but it has none of its own");
    let mut sample = Sample::new();
    let (_, mut orphan) = sample.0.iter().find(|(table, _)| table.name == JOURNAL.name).expect("a record").clone();
    orphan[0] = Value::Bytes(vec![9; 16]);
    sample.0.push((&JOURNAL, orphan));
    let report = report_of(&sample.store());
    assert_eq!(report.books, 2);
    assert!(report.findings.iter().any(|finding| finding.what.contains("none of its own")), "{:?}", report.findings);
}

/// A reader beside a server that pays a little more between any two reads, as often as it is told.
struct Busy {
    inner: MemoryReader,
    database: MemoryDatabase,
    left: usize,
}

impl Busy {
    fn pay(&mut self) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let mut row =
            self.inner.get_many(&BOOKS, &[vec![customer().bytes().into()]]).expect("read").remove(0).expect("book");
        let column = BOOKS.position("version");
        let Value::Integer(version) = row[column] else { panic!("a version is an integer") };
        row[column] = Value::Integer(version + 1);
        // Back and forth, so that rows read at different times do not fit each other.
        let mut payment = self.inner.scan(&Scan::forward(&PAYMENTS, Vec::new(), 1)).expect("read").remove(0);
        payment[PAYMENTS.position("status")] = if self.left == 0 { "succeeded".into() } else { "processing".into() };
        let changes = vec![Change::Upsert { table: &BOOKS, row }, Change::Upsert { table: &PAYMENTS, row: payment }];
        write(&self.database, changes);
    }
}

impl Reader for Busy {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.pay();
        self.inner.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.pay();
        self.inner.scan(scan)
    }
}

fn beside(left: usize) -> Report {
    let database = Sample::new().store();
    let mut reader = Busy { inner: database.reader(), database: database.clone(), left };
    verify(&mut reader, &mut |_: Progress| {}).expect("readable")
}

#[test]
fn a_book_that_changes_meanwhile_is_no_finding() {
    for changes in 0..30 {
        let report = beside(changes);
        assert!(report.is_sound(), "{changes}: {:?}", report.findings);
        assert_eq!(report.unsettled, 0, "{changes}");
    }
    let report = beside(1_000);
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.unsettled, report.records), (1, 6));
}
