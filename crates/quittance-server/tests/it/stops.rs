//! The engine stops before it writes again when going on would be unsafe, and says so to everybody.

use quittance_core::id::TenantId;
use quittance_core::tenant::{Mode, Tenant};
use quittance_core::time::Timestamp;
use quittance_engine::breaker;
use quittance_engine::submission::{Failure, Outcome, Submission};
use quittance_server::config::{Config, Secrets};
use quittance_server::roles::Roles;
use quittance_server::runtime::{Database, Handle, Runtime, SubmitError};
use quittance_server::serve::ServeError;
use quittance_store::memory::{MemoryDatabase, MemoryStore};
use quittance_store::schema::Table;
use quittance_store::store::{Claim, Load, Owners, Reader, Scan, Store, StoreError, TakeOver, Work};
use quittance_store::value::{Key, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What the second transaction comes to.
#[derive(Clone, Copy)]
enum Second {
    CommitUnknown,
    Panic,
    Full,
}

struct Failing {
    store: MemoryStore,
    second: Second,
    transactions: Arc<AtomicUsize>,
}

impl Reader for Failing {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.store.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.store.scan(scan)
    }
}

impl Store for Failing {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        // The clock and its era are written down at times of their own.
        if matches!(name, "clock" | "era") {
            return self.store.transact(name, work);
        }
        match (self.transactions.fetch_add(1, Ordering::SeqCst), self.second) {
            (1, Second::CommitUnknown) => {
                self.store.transact(name, work)?;
                Err(StoreError::CommitUnknown { name })
            }
            (1, Second::Panic) => panic!("damaged beyond words"),
            (1, Second::Full) => Err(StoreError::Full { operation: name }),
            _ => self.store.transact(name, work),
        }
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        self.store.claim(table, claim)
    }

    fn take_over(&mut self, table: &'static Table, take_over: &TakeOver) -> Result<usize, StoreError> {
        self.store.take_over(table, take_over)
    }

    fn owners(&self) -> Owners {
        self.store.owners()
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        self.store.time()
    }

    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.store.load(name, load)
    }

    fn writer_epoch(&self) -> i64 {
        self.store.writer_epoch()
    }
}

fn start(second: Second) -> (Runtime, Arc<AtomicUsize>) {
    let database = MemoryDatabase::new();
    let transactions = Arc::new(AtomicUsize::new(0));
    let writer = Box::new(Failing { store: database.writer(), second, transactions: Arc::clone(&transactions) });
    let database = Database { writer, lanes: Vec::new(), readers: vec![Box::new(database.reader())] };
    let limits = breaker::Limits::default();
    (Runtime::start_with(Config::default(), Secrets::default(), database, limits, Roles::ALL).unwrap(), transactions)
}

async fn create(handle: &Handle, number: u8) -> Result<Outcome, SubmitError> {
    let tenant = Tenant {
        id: TenantId::from_bytes([number; 16]),
        name: number.to_string(),
        mode: Mode::Test,
        fingerprint_secret: [0; 32],
        gateway_key_secret: [0; 32],
        created_at: Timestamp::from_seconds(1),
    };
    handle.submit(Submission::CreateTenant(Box::new(tenant))).await
}

async fn check_it_stops(second: Second, reason: &str) {
    let (mut runtime, transactions) = start(second);
    let handle = runtime.handle();
    assert!(matches!(create(&handle, 1).await, Ok(Outcome::Done)));
    assert!(matches!(create(&handle, 2).await, Err(SubmitError::Closed)), "no outcome is made up");
    let ended = tokio::time::timeout(Duration::from_secs(30), runtime.ended()).await.expect("it ends");
    match ended {
        Err(error @ ServeError::Stopped { .. }) => {
            assert_eq!(error.to_string(), format!("the engine stopped: {reason}"));
            assert_eq!(error.exit_code(), 5);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(create(&handle, 3).await, Err(SubmitError::Closed)));
    assert!(!handle.readiness().takes_commands);
    assert_eq!(transactions.load(Ordering::SeqCst), 2, "nothing is written after");
    assert!(runtime.stop().await.is_err(), "a failure is not forgotten by stopping");
}

#[tokio::test]
async fn a_commit_of_unknown_outcome_stops_the_engine() {
    check_it_stops(Second::CommitUnknown, "outcome of committing commands is unknown").await;
}

#[tokio::test]
async fn a_panic_stops_the_engine() {
    check_it_stops(Second::Panic, "the engine panicked").await;
}

#[tokio::test]
async fn a_full_disk_fails_the_command_and_nothing_else() {
    let (runtime, _) = start(Second::Full);
    let handle = runtime.handle();
    assert!(matches!(create(&handle, 1).await, Ok(Outcome::Done)));
    assert!(matches!(create(&handle, 2).await, Ok(Outcome::Failed(Failure::StoreFull))));
    assert!(matches!(create(&handle, 3).await, Ok(Outcome::Done)));
    runtime.stop().await.unwrap();
}
