//! One book checked against its journal, from rows that are read in the order of their keys.

use super::cursor::Cursor;
use super::finding::{Aspect, Findings};
use super::history::{History, name_of};
use super::rows::{self, Compare, Seen};
use super::{commands, effects, movements, objects, refunds};
use quittance_core::ledger::Balances;
use quittance_store::records::{Book, Entity};
use quittance_store::schema::Table;
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::{
    BOOKS, CLOSED_HOLDS, CUSTOMERS, DISPUTES, EFFECTS, INTENTS, JOURNAL, PAYMENTS, REFUNDS, TICKETS,
};
use quittance_store::value::{Row, Value};

/// Tables derived from the journal, each with its comparison.
const DERIVED: [(&Table, Compare); 7] = [
    (&PAYMENTS, rows::payment),
    (&REFUNDS, refunds::refund),
    (&DISPUTES, refunds::dispute),
    (&EFFECTS, effects::effect),
    (&TICKETS, rows::ticket),
    (&CLOSED_HOLDS, rows::closed_hold),
    (&INTENTS, rows::intent),
];

/// What was found out about a book.
pub(super) struct Checked {
    pub(super) findings: Findings,
    pub(super) records: i64,
    /// Whether the whole journal could be replayed: only then are the balances proven.
    pub(super) is_replayed: bool,
}

impl Checked {
    /// Keeps what is true whatever else changed meanwhile: findings about records that the book, as its row was before,
    /// already counted.
    pub(super) fn keep_certain(&mut self, before: Option<&Row>) {
        let records = before.and_then(|row| Book::from_row(row).ok()).map_or(0, |book| book.records);
        let found = &mut self.findings.found;
        found.retain(|f| f.aspect != Aspect::Projection && f.seq.is_some_and(|seq| seq <= records));
        self.findings.count = found.len() as u64;
    }
}

/// A place in every table whose rows belong to books.
pub(super) struct Shelf {
    books: Cursor,
    customers: Cursor,
    journal: Cursor,
    derived: [(Cursor, Compare); DERIVED.len()],
}

impl Shelf {
    /// Before the first book of all.
    pub(super) fn whole() -> Self {
        Self::of_prefix(&[])
    }

    /// The rows of one book.
    pub(super) fn of(book: &Value) -> Self {
        Self::of_prefix(std::slice::from_ref(book))
    }

    fn of_prefix(prefix: &[Value]) -> Self {
        let cursor = |table: &'static Table| Cursor::new(table, prefix.to_vec());
        Self {
            books: cursor(&BOOKS),
            customers: cursor(&CUSTOMERS),
            journal: cursor(&JOURNAL),
            derived: DERIVED.map(|(table, compare)| (cursor(table), compare)),
        }
    }

    /// The next book that has a row in any of the tables, even if it has none of its own.
    pub(super) fn next_book(&mut self, reader: &mut dyn Reader) -> Result<Option<Value>, StoreError> {
        let derived = self.derived.iter_mut().map(|(cursor, _)| cursor);
        let mut least: Option<Value> = None;
        for cursor in [&mut self.books, &mut self.journal].into_iter().chain(derived) {
            if let Some(book) = cursor.next_book(reader)?
                && least.as_ref().is_none_or(|least| book < least)
            {
                least = Some(book.clone());
            }
        }
        Ok(least)
    }

    /// Checks the book and passes over its rows. They are read at different times: only when the book's own row did not
    /// change meanwhile is every finding to be believed, for each change of a derived row comes with a record.
    pub(super) fn check(&mut self, reader: &mut dyn Reader, book: &Value) -> Result<Checked, StoreError> {
        let mut findings = Findings::new(name_of(book));
        let head = self.books.take(reader, book)?;
        self.customers.skip_before(reader, book)?;
        if head.is_some() && self.customers.take(reader, book)?.is_none() {
            findings.row("it belongs to no customer");
        }
        let mut history = History::new();
        while let Some(row) = self.journal.take(reader, book)? {
            history.read(&row, &mut findings);
        }
        close(head.as_ref(), &history, &mut findings);
        let mut seen = Seen::default();
        for (cursor, compare) in &mut self.derived {
            while let Some(row) = cursor.take(reader, book)? {
                // A journal that breaks off says nothing about what came after.
                if history.is_sound {
                    compare(&row, &history, &mut seen, &mut findings);
                }
            }
        }
        if history.is_sound {
            rows::missing(&history, &seen, &mut findings);
            commands::check(reader, &history, &mut findings)?;
            objects::check(reader, book, &history, &seen, &mut findings)?;
            movements::check(reader, book, &history, &mut findings)?;
        }
        Ok(Checked { findings, records: history.records, is_replayed: history.is_sound })
    }
}

/// Compares the head of the book with its journal.
fn close(row: Option<&Row>, history: &History, findings: &mut Findings) {
    let Some(row) = row else {
        return findings.row("rows belong to it, but it has none of its own");
    };
    let book = match Book::from_row(row) {
        Ok(book) => book,
        Err(error) => return findings.add(Aspect::Ledger, None, error.to_string()),
    };
    if book.records > history.last_seq() {
        let what = format!("it is missing: the journal ends with record {}", history.last_seq());
        findings.add(Aspect::Chain, Some(history.last_seq() + 1), what);
    } else if book.records < history.last_seq() {
        let what = format!("it is behind the end of the book, which counts {} records", book.records);
        findings.add(Aspect::Chain, Some(book.records + 1), what);
    } else if history.head.is_some_and(|head| head != book.head) {
        findings.add(Aspect::Chain, Some(book.records), "its hash is not the one that the book ends with");
    }
    if history.tenant.is_some_and(|tenant| tenant != book.tenant) {
        findings.row("its tenant is not the one that the journal opened it for");
    }
    if history.is_sound {
        compare_balances(&book.balances, &history.replay.balances, findings);
    }
}

fn compare_balances(stored: &Balances, replayed: &Balances, findings: &mut Findings) {
    for (currency, (posted, held)) in stored.imbalance() {
        if (posted, held) != (0, 0) {
            let what = format!("balances in {} sum to {posted} posted and {held} held, not to zero", currency.code());
            findings.add(Aspect::Ledger, None, what);
        }
    }
    let accounts = stored.0.keys().chain(replayed.0.keys().filter(|account| !stored.0.contains_key(account)));
    for (account, currency) in accounts {
        let key = (account.clone(), *currency);
        let of = |balances: &Balances| balances.0.get(&key).copied().unwrap_or_default();
        let (stored, replayed) = (of(stored), of(replayed));
        if stored != replayed {
            let what = format!("{account} in {} is {stored:?}, by the journal {replayed:?}", currency.code());
            findings.add(Aspect::Ledger, None, what);
        }
    }
}
