//! One customer with one payment that succeeded, as rows: what tests of verification and traces damage and read.

pub(crate) mod captured;
mod records;
pub(crate) mod refunded;
mod retried;
mod rows;

use quittance_core::id::{CommandId, CustomerId, EffectId, HoldId, PaymentId, TenantId};
use quittance_core::journal::{Closing, Place, Record, chain};
use quittance_core::ledger::{Movement, Posting};
use quittance_core::time::Timestamp;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Book, Entity, JournalEntry, journal};
use quittance_store::schema::Table;
use quittance_store::store::{Change, Loaded, Read, Store, Work};
use quittance_store::value::Row;
pub(crate) use records::records;
use std::collections::BTreeMap;

/// Rows of every table, to be damaged before they are stored.
pub(crate) struct Sample(pub(crate) Vec<(&'static Table, Row)>);

pub(crate) fn tenant() -> TenantId {
    TenantId::from_bytes([1; 16])
}

pub(crate) fn customer() -> CustomerId {
    CustomerId::from_bytes([2; 16])
}

pub(crate) fn payment() -> PaymentId {
    FIRST.payment()
}

pub(crate) fn effect() -> EffectId {
    FIRST.effect()
}

pub(crate) fn command() -> CommandId {
    FIRST.command()
}

/// One attempt to pay `order-1`; its ids all come from one number.
#[derive(Clone, Copy)]
pub(crate) struct Attempt(u8);

/// The attempt that every sample has.
pub(crate) const FIRST: Attempt = Attempt(3);

/// The one after it, in [`Sample::retried`].
pub(crate) const SECOND: Attempt = Attempt(13);

impl Attempt {
    pub(crate) fn payment(self) -> PaymentId {
        PaymentId::from_bytes([self.0; 16])
    }

    pub(crate) fn effect(self) -> EffectId {
        EffectId::from_bytes([self.0 + 1; 16])
    }

    pub(crate) fn command(self) -> CommandId {
        CommandId::from_bytes([self.0 + 2; 16])
    }

    fn key(self) -> &'static str {
        if self.0 == FIRST.0 { "first-try" } else { "second-try" }
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

impl Sample {
    pub(crate) fn new() -> Self {
        let mut sample = Self::of(&records());
        sample.add_succeeded();
        sample
    }

    /// The same rows beside another journal, whose chain is whole.
    pub(crate) fn forged(change: impl FnOnce(&mut Vec<Record>)) -> Self {
        let mut records = records();
        change(&mut records);
        let mut sample = Self::of(&records);
        sample.add_succeeded();
        sample
    }

    /// A journal and the book it amounts to.
    fn of(records: &[Record]) -> Self {
        let mut sample = Self(Vec::new());
        let mut book = Book::new(customer(), tenant());
        let mut held = Held::new();
        for (record, seconds) in records.iter().zip(0..) {
            sample.append(&mut book, record, at(seconds));
            for (movement, postings) in movements(record, &mut held) {
                book.balances.apply(movement, &postings).expect("balanced");
            }
        }
        sample.add(&book);
        sample.add_owners();
        sample
    }

    fn append(&mut self, book: &mut Book, record: &Record, at: Timestamp) {
        let (body, kind, seq) = (journal::encode(record), record.kind(), book.records + 1);
        let hash = chain(&Place { book: book.id, seq, kind, at }, &body, &book.head);
        self.add(&JournalEntry { book: book.id, seq, kind, at, body, prev_hash: book.head, hash });
        (book.records, book.head) = (seq, hash);
    }

    pub(crate) fn add<E: Entity>(&mut self, entity: &E) {
        self.0.push((E::table(), entity.to_row()));
    }

    /// Changes a column of the row at `position` among those of a table.
    pub(crate) fn edit(
        &mut self,
        table: &'static Table,
        position: usize,
        column: &str,
        change: impl FnOnce(&mut Row, usize),
    ) {
        change(self.row(table, position), table.position(column));
    }

    /// Changes the entity at `position` among those of its table.
    pub(crate) fn change<E: Entity>(&mut self, position: usize, change: impl FnOnce(&mut E)) {
        let row = self.row(E::table(), position);
        let mut entity = E::from_row(row).expect("a sound row");
        change(&mut entity);
        *row = entity.to_row();
    }

    fn row(&mut self, table: &'static Table, position: usize) -> &mut Row {
        let rows = self.0.iter_mut().filter(|(of, _)| of.name == table.name);
        let (_, row) = rows.into_iter().nth(position).expect("the sample has such a row");
        row
    }

    /// Takes a row away.
    pub(crate) fn remove(&mut self, table: &'static Table, position: usize) {
        let mut rows = self.0.iter().enumerate().filter(|(_, (of, _))| of.name == table.name);
        let (index, _) = rows.nth(position).expect("the sample has such a row");
        self.0.remove(index);
    }

    pub(crate) fn store(self) -> MemoryDatabase {
        let database = MemoryDatabase::new();
        self.0.into_iter().for_each(|(table, row)| database.forge(table, row));
        database
    }
}

/// Holds that are open, with what each holds.
type Held = BTreeMap<HoldId, Vec<Posting>>;

/// What a record does to the balances.
fn movements(record: &Record, held: &mut Held) -> Vec<(Movement, Vec<Posting>)> {
    let hold = |held: &mut Held, hold: HoldId, postings: &Vec<Posting>| {
        held.insert(hold, postings.clone());
        vec![(Movement::Hold, postings.clone())]
    };
    match record {
        Record::PaymentAccepted { hold: id, postings, .. } => hold(held, *id, postings),
        Record::RefundAccepted(accepted) => hold(held, accepted.hold, &accepted.postings),
        Record::EffectAdvanced(advanced) => closed(advanced.closing, &advanced.postings, held),
        Record::RefundAdvanced(advanced) => closed(advanced.closing, &advanced.postings, held),
        Record::Corrected(corrected) => vec![(Movement::Post, corrected.postings.clone())],
        Record::DisputeSeen(seen) => vec![(Movement::Post, seen.postings.clone())],
        _ => Vec::new(),
    }
}

/// Where less is posted than was held, all of it is let go first.
fn closed(closing: Option<(HoldId, Closing)>, postings: &[Posting], held: &mut Held) -> Vec<(Movement, Vec<Posting>)> {
    let Some((hold, closing)) = closing else { return Vec::new() };
    match (held.remove(&hold), closing) {
        (Some(held), Closing::Posted) if held != postings => {
            vec![(Movement::Void, held), (Movement::Post, postings.to_vec())]
        }
        (_, Closing::Posted) => vec![(Movement::PostHeld, postings.to_vec())],
        (_, Closing::Voided) => vec![(Movement::Void, postings.to_vec())],
    }
}

/// Writes changes in one transaction.
pub(crate) fn write(database: &MemoryDatabase, changes: Vec<Change>) {
    struct Write(Vec<Change>);
    impl Work for Write {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            Vec::new()
        }
        fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
            Ok(self.0.clone())
        }
    }
    database.writer().transact("writing a sample", &mut Write(changes)).expect("written");
}
