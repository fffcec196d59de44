//! A database that is away for a moment between two transactions: what was committed goes on, and nothing is decided that
//! should not be.

use super::{MINUTE_MS, Machine, Pair};
use crate::world::{engine, pay};
use quittance_core::effect::State;
use quittance_core::time::Timestamp;
use quittance_engine::brakes::Brakes;
use quittance_engine::clocks::Reading;
use quittance_engine::submission::{Failure, Outcome};
use quittance_store::memory::MemoryStore;
use quittance_store::schema::Table;
use quittance_store::store::{Claim, Load, Owners, Reader, Scan, Store, StoreError, TakeOver, Work};
use quittance_store::tables::{GATEWAY_OBJECTS, SWITCHES};
use quittance_store::value::{Key, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A store that is away when it is asked for some things, as long as that is said.
struct Away {
    inner: MemoryStore,
    claims_of_objects: Arc<AtomicBool>,
    switches: Arc<AtomicBool>,
}

fn unreachable() -> StoreError {
    StoreError::Unreachable { place: "the database".to_owned(), reason: "it was lost".to_owned() }
}

impl Reader for Away {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.inner.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        let is_away = scan.table.name == SWITCHES.name && self.switches.load(Ordering::Relaxed);
        if is_away { Err(unreachable()) } else { self.inner.scan(scan) }
    }
}

impl Store for Away {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        self.inner.transact(name, work)
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        let is_away = table.name == GATEWAY_OBJECTS.name && self.claims_of_objects.load(Ordering::Relaxed);
        if is_away { Err(unreachable()) } else { self.inner.claim(table, claim) }
    }

    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError> {
        self.inner.take_over(table, takeover)
    }

    fn owners(&self) -> Owners {
        self.inner.owners()
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

/// A pair whose other process is on such a store: with what says that claims of objects fail, and reads of switches.
fn pair() -> (Pair, Arc<AtomicBool>, Arc<AtomicBool>) {
    let mut pair = Pair::new();
    let (claims, switches) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let inner = pair.world.database.shared_writer(&pair.time);
    let store = Away { inner, claims_of_objects: Arc::clone(&claims), switches: Arc::clone(&switches) };
    let clock = Machine { name: "there", steady_ms: Arc::clone(&pair.steady_ms), followed: (Timestamp(0), 0) };
    pair.other = engine(Box::new(store), 103, None, &Brakes::default()).with_clock(Box::new(clock));
    let reading = Reading { wall: pair.world.now, boot: "there".into(), steady_ms: 5_000 };
    pair.other.start(&reading).expect("the store works");
    (pair, claims, switches)
}

#[test]
fn a_request_whose_ticket_is_committed_leaves_whatever_fails_behind_it() {
    let (mut pair, claims, _) = pair();
    pair.world.permits = 0;
    pair.world.submit(pay("k", "o").into());
    assert!(pair.world.jobs.is_empty(), "there was no room for it");
    pair.swap();
    claims.store(true, Ordering::Relaxed);
    pair.poll();
    assert_eq!((pair.effect().state, pair.world.jobs.len()), (State::Sending, 1), "its ticket and its request");
    claims.store(false, Ordering::Relaxed);
    pair.world.permits = 100;
    pair.world.settle();
    assert_eq!(pair.world.gateway.charged().len(), 1);
    pair.check();
}

#[test]
fn an_era_of_which_it_cannot_be_said_why_it_began_decides_nothing() {
    let (mut pair, _, switches) = pair();
    let since = pair.world.now;
    pair.pass(MINUTE_MS);
    pair.world.engine.recover_from_loss(since).expect("the store works");
    pair.swap();
    switches.store(true, Ordering::Relaxed);
    let outcome = pair.submit(pay("k", "o").into());
    assert!(matches!(outcome, Outcome::Failed(Failure::StoreUnavailable(_))), "{outcome:?}");
    switches.store(false, Ordering::Relaxed);
    assert!(matches!(pair.submit(pay("k", "o").into()), Outcome::Accepted { .. }));
    assert!(pair.world.engine.paused().is_recovering("stripe") && pair.world.jobs.is_empty(), "{:?}", pair.world.jobs);
}
