//! Books that another process writes to: what touches them is put off, all else goes on, and nothing is lost or done twice.

use crate::world::{Pay, World, customer, pay};
use quittance_core::customer::Customer;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::memory::MemoryStore;
use quittance_store::records::Book;
use quittance_store::schema::Table;
use quittance_store::store::{
    Change, Claim, Load, Loaded, Owners, Patience, Read, Reader, Scan, Store, StoreError, TakeOver, Work,
};
use quittance_store::tables::BOOKS;
use quittance_store::value::{Key, Row};
use std::sync::{Arc, Mutex, PoisonError};

/// What the transactions of commands were ready to do about books that are held.
type Asked = Arc<Mutex<Vec<Patience>>>;

/// A store in which somebody else holds a book, until he is waited for or has been met so often.
struct Contested {
    inner: MemoryStore,
    book: Key,
    meetings: usize,
    asked: Asked,
}

/// Work that finds a book held.
struct Held<'a> {
    work: &'a mut dyn Work,
    book: &'a Key,
}

impl Work for Held<'_> {
    fn reads(&mut self, loaded: &Loaded) -> Vec<Read> {
        self.work.reads(loaded)
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let mut loaded = loaded.clone();
        loaded.put_busy(&BOOKS, self.book.clone());
        let changes = self.work.decide(&loaded)?;
        let touched = |change: &Change| change.row().first() == self.book.first();
        let touched: Vec<&Change> = changes.iter().filter(|change| touched(change)).collect();
        assert!(touched.is_empty(), "what belongs to a book that is held is left alone: {touched:?}");
        Ok(changes)
    }
}

impl Reader for Contested {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.inner.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(scan)
    }
}

impl Store for Contested {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        if name != "commands" {
            return self.inner.transact(name, work);
        }
        let patience = work.patience();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(patience);
        match patience == Patience::Skip && self.meetings > 0 {
            true => {
                self.meetings -= 1;
                self.inner.transact(name, &mut Held { work, book: &self.book })
            }
            false => self.inner.transact(name, work),
        }
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        self.inner.claim(table, claim)
    }

    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError> {
        self.inner.take_over(table, takeover)
    }

    fn owners(&self) -> Owners {
        Owners::Shared
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        self.inner.time()
    }

    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.inner.load(name, load)
    }

    fn writer_epoch(&self) -> i64 {
        self.inner.writer_epoch()
    }
}

/// A world with two customers, the first of whose book is met held so often.
fn contested(meetings: usize) -> (World, Asked) {
    let mut world = World::new();
    world.submit(customer("bob"));
    let books = world.all::<Book>();
    let alice = world.all::<Customer>();
    let alice = alice.iter().find(|customer| customer.external_id.as_deref() == Some("alice")).expect("she is there");
    assert!(books.iter().any(|book| book.id == alice.id));
    let (book, asked) = (vec![alice.id.bytes().into()], Asked::default());
    let inner = world.database.writer();
    world.run_on(Box::new(Contested { inner, book, meetings, asked: Arc::clone(&asked) }));
    (world, asked)
}

fn bobs(key: &str, reference: &str) -> Pay {
    Pay { customer: "bob".into(), ..pay(key, reference) }
}

fn check_all_accepted_once(world: &mut World, outcomes: &[Outcome]) {
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted { .. })), "{outcomes:?}");
    assert_eq!((world.payments().len(), world.jobs.len()), (4, 4), "each began once");
    world.settle();
    assert_eq!((world.gateway.charged().len(), world.gateway.intents.len()), (4, 4));
}

fn four() -> Vec<Submission> {
    vec![pay("a", "a").into(), bobs("b", "b").into(), pay("c", "c").into(), bobs("d", "d").into()]
}

#[test]
fn a_book_that_is_held_is_put_off_and_then_waited_for() {
    let (mut world, asked) = contested(usize::MAX);
    let outcomes = world.submit_all(four());
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(asked, [Patience::Skip, Patience::Skip, Patience::Skip, Patience::Wait]);
    check_all_accepted_once(&mut world, &outcomes);
}

#[test]
fn a_book_that_is_free_again_is_not_waited_for() {
    let (mut world, asked) = contested(1);
    let outcomes = world.submit_all(four());
    assert_eq!(*asked.lock().unwrap_or_else(PoisonError::into_inner), [Patience::Skip, Patience::Skip]);
    check_all_accepted_once(&mut world, &outcomes);
}

#[test]
fn what_is_put_off_takes_no_place_at_the_gateway() {
    let begun = [0, 1, 3, usize::MAX].map(|meetings| {
        let (mut world, _) = contested(meetings);
        world.permits = 5;
        let outcomes = world.submit_all(four());
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted { .. })), "{outcomes:?}");
        world.jobs.len()
    });
    assert_eq!(begun, [3; 4], "as many as if nobody had held the book");
}
