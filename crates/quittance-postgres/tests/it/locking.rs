//! What is decided over is current, and what others hold is left alone: shown step by step, with another writer between
//! any two.

use crate::support::{Place, Writes, book_key, found, money, transfer, transfer_while};
use quittance_store::store::{Change, Loaded, Patience, Read, Store, Work};
use quittance_store::tables::{BOOKS, GATEWAY_OBJECTS, INTENTS, JOURNAL};
use quittance_store::value::{Key, Row};

/// Work that names rows step by step, and calls back before the second step.
struct Steps<'a> {
    steps: Vec<Vec<Read>>,
    patience: Patience,
    between: &'a mut dyn FnMut(),
    calls: usize,
    decide: &'a mut dyn FnMut(&Loaded) -> Vec<Change>,
}

impl Work for Steps<'_> {
    fn reads(&mut self, loaded: &Loaded) -> Vec<Read> {
        self.calls += 1;
        if self.calls == 2 {
            (self.between)();
        }
        let is_there = |step: &&Vec<Read>| step.iter().all(|read| loaded.has(read));
        let done = self.steps.iter().take_while(is_there).count();
        self.steps.iter().take(done + 1).flatten().cloned().collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        Ok((self.decide)(loaded))
    }

    fn patience(&self) -> Patience {
        self.patience
    }
}

fn read_book(number: u8) -> Read {
    Read::Row { table: &BOOKS, key: book_key(number) }
}

fn record_key(number: u8, seq: i64) -> Key {
    vec![[number; 16].into(), seq.into()]
}

fn intent(number: u8, version: i64) -> Row {
    vec![[number; 16].into(), "order".into(), "payment".into(), version.into()]
}

#[test]
fn what_changes_between_reading_and_locking_is_read_again() {
    let Some(place) = Place::new("rows that change between reading and locking") else { return };
    let (mut store, mut other) = (place.writer(), place.writer());
    found(&mut store, 0..1, 10);
    let record = || Read::Row { table: &JOURNAL, key: record_key(0, 1) };
    // The other writer comes after the book was read, then after a record of it was found missing and the book was not
    // read yet.
    for (turn, first, second) in
        [(0, read_book(0), record()), (1, Read::Row { table: &JOURNAL, key: record_key(0, 2) }, read_book(0))]
    {
        let missing = if turn == 0 { record_key(0, 1) } else { record_key(0, 2) };
        let mut decided = Vec::new();
        let mut work = Steps {
            steps: vec![vec![first], vec![second]],
            patience: Patience::Wait,
            between: &mut || assert_eq!(transfer(&mut other, vec![(0, 5)]).unwrap(), 1),
            calls: 0,
            decide: &mut |loaded| {
                let version = loaded.row(&BOOKS, &book_key(0)).flatten().map(|row| row[5].clone());
                decided.push((version, loaded.row(&JOURNAL, &missing).flatten().is_some()));
                Vec::new()
            },
        };
        store.transact("looking", &mut work).unwrap();
        assert_eq!(decided, [(Some((turn + 2).into()), true)], "it is decided once, over what is there");
    }
    assert_eq!(money(&mut store), [20]);
}

/// A record that was missing before its book was locked in the rounds is looked for once more.
#[test]
fn what_was_missing_before_the_book_was_locked_is_looked_for_again() {
    let Some(place) = Place::new("rows that appear before their book is locked") else { return };
    let (mut store, mut other) = (place.writer(), place.writer());
    found(&mut store, 0..1, 10);
    let mut decided = Vec::new();
    let mut work = Steps {
        steps: vec![vec![Read::Row { table: &JOURNAL, key: record_key(0, 1) }], vec![read_book(0)]],
        patience: Patience::Skip,
        between: &mut || assert_eq!(transfer(&mut other, vec![(0, 5)]).unwrap(), 1),
        calls: 0,
        decide: &mut |loaded| {
            let version = loaded.row(&BOOKS, &book_key(0)).flatten().map(|row| row[5].clone());
            decided.push((version, loaded.row(&JOURNAL, &record_key(0, 1)).flatten().is_some()));
            Vec::new()
        },
    };
    store.transact("looking", &mut work).unwrap();
    assert_eq!(decided, [(Some(2.into()), true)], "it is decided once, over what is there");
}

/// A book that is not there is neither busy nor in anybody's way.
#[test]
fn a_book_that_is_not_there_is_told_from_one_that_is_held() {
    let Some(place) = Place::new("books that are not there") else { return };
    let (mut holder, mut store) = (place.writer(), place.writer());
    found(&mut holder, 0..1, 10);
    let mut seen = Vec::new();
    transfer_while(&mut holder, vec![(0, 1)], &mut |_| {
        let mut work = Steps {
            steps: vec![vec![read_book(0), read_book(9)]],
            patience: Patience::Skip,
            between: &mut || {},
            calls: 0,
            decide: &mut |loaded| {
                let is_absent = |number| loaded.row(&BOOKS, &book_key(number)) == Some(None);
                seen.extend([0, 9].map(|number| (loaded.is_busy(&BOOKS, &book_key(number)), is_absent(number))));
                Vec::new()
            },
        };
        store.transact("beside it", &mut work).unwrap();
    })
    .unwrap();
    assert_eq!(seen, [(true, false), (false, true)]);
}

#[test]
fn a_book_that_is_held_is_busy_with_all_that_belongs_to_it() {
    let Some(place) = Place::new("books that are held") else { return };
    let (mut holder, mut store) = (place.writer(), place.writer());
    found(&mut holder, 0..2, 10);
    let intents = [0, 1].map(|number| Change::Insert { table: &INTENTS, row: intent(number, 1) });
    holder.transact("intents", &mut Writes(intents.into())).unwrap();
    let intent_key = |number: u8| INTENTS.key_of(&intent(number, 1));
    let read = |number| [read_book(number), Read::Row { table: &INTENTS, key: intent_key(number) }];
    let mut seen = Vec::new();
    transfer_while(&mut holder, vec![(0, 1)], &mut |_| {
        let mut work = Steps {
            steps: vec![[read(0), read(1)].concat()],
            patience: Patience::Skip,
            between: &mut || {},
            calls: 0,
            decide: &mut |loaded| {
                for number in [0, 1] {
                    seen.push(loaded.is_busy(&BOOKS, &book_key(number)));
                    seen.push(loaded.is_busy(&INTENTS, &intent_key(number)));
                }
                vec![Change::Update { table: &INTENTS, row: intent(1, 2), expected_version: 1 }]
            },
        };
        store.transact("beside it", &mut work).unwrap();
    })
    .unwrap();
    assert_eq!(seen, [true, true, false, false]);
    assert_eq!(money(&mut store), [11, 10]);
    let versions = place.sql("SELECT version FROM quittance.intents ORDER BY book");
    assert_eq!(versions, "1\n2", "what was free was written while the other was held");
}

/// What goes with a book is put off with it: an object of a gateway, or the command that somebody else just answers.
#[test]
fn an_object_that_is_held_is_busy() {
    let Some(place) = Place::new("objects that are held") else { return };
    let (mut holder, mut store) = (place.writer(), place.writer());
    place.sql(
        "INSERT INTO quittance.gateway_objects (gateway, object, kind, state, read_sequence, is_stale, tries, \
         first_seen_at, lease_owner, lease_epoch, version) VALUES ('card', 'a', 'payment', 'unread', 0, 0, 0, 0, 0, 0, 1)",
    );
    let key: Key = vec!["card".into(), "a".into()];
    let read = || vec![vec![Read::Row { table: &GATEWAY_OBJECTS, key: key.clone() }]];
    let look = |store: &mut dyn Store, meanwhile: &mut dyn FnMut()| {
        let mut is_busy = None;
        let mut decide = |loaded: &Loaded| {
            is_busy = Some(loaded.is_busy(&GATEWAY_OBJECTS, &key));
            meanwhile();
            Vec::new()
        };
        let (steps, patience, between) = (read(), Patience::Skip, &mut || {});
        store.transact("looking", &mut Steps { steps, patience, between, calls: 0, decide: &mut decide }).unwrap();
        is_busy
    };
    let mut beside = None;
    let held = look(&mut holder, &mut || beside = look(&mut store, &mut || {}));
    assert_eq!((held, beside), (Some(false), Some(true)));
    assert_eq!(look(&mut store, &mut || {}), Some(false));
}

#[test]
fn work_that_panics_lets_go_of_what_it_locked() {
    let Some(place) = Place::new("work that panics") else { return };
    let (mut store, mut other) = (place.writer(), place.writer());
    found(&mut store, 0..1, 10);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        transfer_while(&mut store, vec![(0, 1)], &mut |_| panic!("as work may"))
    }));
    assert!(panicked.is_err());
    // Without waiting: the lock is gone, not run out.
    assert_eq!(transfer(&mut other, vec![(0, 1)]).unwrap(), 1);
    assert_eq!(transfer(&mut store, vec![(0, 1)]).unwrap(), 1);
    assert_eq!(money(&mut store), [12]);
}
