//! The engine at work over the memory store, against a gateway that misbehaves on demand.

use crate::gateway::{Fault, Gateway};
use quittance_core::currency::Currency;
use quittance_core::decide::{CreatePayment, OnDuplicate};
use quittance_core::id::{CustomerId, TenantId};
use quittance_core::idempotency::Key;
use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;
use quittance_core::tenant::{Mode, Tenant};
use quittance_core::time::Timestamp;
use quittance_engine::breaker;
use quittance_engine::submission::{Action, ClientCommand, CustomerRef, NewCustomer, Outcome, Submission};
use quittance_server::config::Config;
use quittance_server::roles::Roles;
use quittance_server::runtime::{Database, Handle, ReadError, Runtime, SubmitError, Submitted};
use quittance_store::memory::MemoryDatabase;
use quittance_store::store::Scan;
use quittance_store::tables::TENANTS;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longer than any of this takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// The limits of breakers in these tests.
const BREAKERS: breaker::Limits = breaker::Limits { window: 4, failures_max: 3, cool_down_ms: 50 };

struct Setup {
    shop: Shop,
    gateway: Gateway,
}

/// A running engine with a tenant and a customer, and a gateway called `stripe` somewhere.
pub struct Shop {
    pub runtime: Runtime,
    pub database: MemoryDatabase,
    config: Config,
    /// Holds the file with the key.
    _directory: tempfile::TempDir,
}

fn tenant() -> TenantId {
    TenantId::from_bytes([1; 16])
}

fn customer() -> CustomerId {
    CustomerId::from_bytes([2; 16])
}

fn start(config: &Config, database: &MemoryDatabase, breakers: breaker::Limits) -> Runtime {
    let secrets = config.resolve_secrets().unwrap();
    Runtime::start_with(config.clone(), secrets, Database::in_memory(database), breakers, Roles::ALL).unwrap()
}

/// A shop at a gateway that misbehaves on demand.
async fn set_up(settings: &str) -> Setup {
    let gateway = Gateway::default();
    let base = gateway.start().await;
    Setup { shop: open(&base, settings, BREAKERS).await, gateway }
}

/// A shop at the gateway of this address.
pub async fn open(base: &str, settings: &str, breakers: breaker::Limits) -> Shop {
    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key");
    std::fs::write(&key, "sk_test_1").unwrap();
    let text = format!(
        "[gateways.stripe]\nkind = \"stripe\"\napi_key = \"file:{}\"\napi_base = \"{base}\"\nbackoff_base_ms = 10\n\
         backoff_max_ms = 50\n{settings}",
        key.display()
    );
    let config = Config::from_text(&text, &|_| None).unwrap();
    let database = MemoryDatabase::new();
    let runtime = start(&config, &database, breakers);
    let handle = runtime.handle();
    let created = handle.submit(Submission::CreateTenant(Box::new(Tenant {
        id: tenant(),
        name: "t".to_owned(),
        mode: Mode::Test,
        fingerprint_secret: [3; 32],
        gateway_key_secret: [4; 32],
        created_at: Timestamp::from_seconds(1),
    })));
    assert!(matches!(created.await, Ok(Outcome::Done)));
    let new = NewCustomer { id: Some(customer()), ..NewCustomer::default() };
    let created = submit(&handle, "customer", "POST /v1/customers", Action::CreateCustomer(new)).await;
    assert!(matches!(created.outcome, Outcome::Answered { status: 201, .. }), "{:?}", created.outcome);
    Shop { runtime, database, config, _directory: directory }
}

async fn submit(handle: &Handle, key: &str, operation: &'static str, action: Action) -> Submitted {
    try_submit(handle, key, operation, action).await.unwrap()
}

async fn try_submit(
    handle: &Handle,
    key: &str,
    operation: &'static str,
    action: Action,
) -> Result<Submitted, SubmitError> {
    let command = ClientCommand {
        tenant: tenant(),
        credential: None,
        key: Key::parse(key).unwrap(),
        operation,
        fingerprint: [5; 32],
        api_version: "1".to_owned(),
        action,
    };
    handle.submit_and_watch(Submission::Client(Box::new(command))).await
}

pub async fn pay(handle: &Handle, key: &str) -> Submitted {
    let asked = CreatePayment {
        money: Money::new(1999, Currency::from_code("USD").unwrap()),
        gateway: "stripe".to_owned(),
        payment_method: "pm_card_visa".to_owned(),
        capture_method: CaptureMethod::Automatic,
        return_url: None,
        reference: key.to_owned(),
        on_duplicate: OnDuplicate::Reject,
        description: None,
        metadata: BTreeMap::new(),
    };
    let action = Action::CreatePayment { customer: CustomerRef::Id(customer()), asked };
    submit(handle, key, "POST /v1/payments", action).await
}

/// Waits for the answer of a payment; its status and, so that tests need no JSON, whether it speaks of success.
pub async fn outcome_of(submitted: Submitted) -> (u16, bool) {
    let watch = submitted.watch.unwrap_or_else(|| panic!("nothing to wait for: {:?}", submitted.outcome));
    let (status, body) = watch.answer(PATIENCE).await.expect("an answer in time");
    (status, String::from_utf8_lossy(&body).to_lowercase().contains("succeeded"))
}

#[tokio::test]
async fn a_payment_is_charged_and_everybody_who_waits_is_answered() {
    let setup = set_up("").await;
    let handle = setup.shop.runtime.handle();
    let first = pay(&handle, "order-1").await;
    assert!(matches!(first.outcome, Outcome::Accepted { .. }), "{:?}", first.outcome);
    assert_eq!(outcome_of(first).await, (201, true));
    let again = pay(&handle, "order-1").await;
    assert!(matches!(again.outcome, Outcome::Replayed(_)), "{:?}", again.outcome);
    assert!(again.watch.is_none());
    assert_eq!((setup.gateway.charges(), setup.gateway.requests()), (1, vec!["create".into(), "confirm".into()]));
    setup.shop.runtime.stop().await.unwrap();
}

#[tokio::test]
async fn a_hundred_payments_share_a_few_places_and_joiners_get_the_same_answer() {
    let setup = set_up("in_flight_max = 3\n").await;
    let handle = setup.shop.runtime.handle();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..200 {
        let handle = handle.clone();
        waiting.spawn(async move {
            let submitted = pay(&handle, &format!("order-{}", number / 2)).await;
            match &submitted.outcome {
                Outcome::Replayed(_) => (201, true),
                _ => outcome_of(submitted).await,
            }
        });
    }
    while let Some(outcome) = waiting.join_next().await {
        assert_eq!(outcome.unwrap(), (201, true));
    }
    assert_eq!((setup.gateway.charges(), setup.gateway.intents()), (100, 100));
    setup.shop.runtime.stop().await.unwrap();
}

#[tokio::test]
async fn lost_answers_are_read_back_and_never_charged_twice() {
    for (kind, fault) in [
        ("create", Fault::LoseAnswer),
        ("create", Fault::ServerError),
        ("confirm", Fault::LoseAnswer),
        ("confirm", Fault::ServerError),
        ("confirm", Fault::Drop),
        ("confirm", Fault::Unauthorised),
    ] {
        let setup = set_up("").await;
        setup.gateway.fault(kind, fault);
        let answer = outcome_of(pay(&setup.shop.runtime.handle(), "order-1").await).await;
        assert_eq!(answer, (201, true), "{kind} {fault:?}");
        assert_eq!(setup.gateway.charges(), 1, "{kind} {fault:?}: {:?}", setup.gateway.requests());
        assert_eq!(setup.gateway.intents(), 1, "{kind} {fault:?}: {:?}", setup.gateway.requests());
        setup.shop.runtime.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_waited_gets_a_place_however_much_is_new() {
    let setup = set_up("in_flight_max = 1\n").await;
    setup.gateway.fault("confirm", Fault::Unauthorised);
    let first = pay(&setup.shop.runtime.handle(), "first").await;
    wait_until(|| setup.gateway.requests().len() >= 2).await;
    let mut flood = tokio::task::JoinSet::new();
    for number in 0..8 {
        let handle = setup.shop.runtime.handle();
        flood.spawn(async move {
            for turn in 0.. {
                pay(&handle, &format!("order-{number}-{turn}")).await;
            }
        });
    }
    assert_eq!(outcome_of(first).await, (201, true), "it is tried again");
    flood.shutdown().await;
    setup.shop.runtime.stop().await.unwrap();
}

#[tokio::test]
async fn a_search_goes_on_without_filters_where_a_peer_refuses_them() {
    let setup = set_up("").await;
    let handle = setup.shop.runtime.handle();
    // Six others, so that there are pages.
    for number in 0..6 {
        outcome_of(pay(&handle, &format!("other-{number}")).await).await;
    }
    setup.gateway.fault("create", Fault::ServerError);
    setup.gateway.fault("list", Fault::RefuseFilters);
    assert_eq!(outcome_of(pay(&handle, "order-1").await).await, (201, true));
    assert_eq!((setup.gateway.charges(), setup.gateway.intents()), (7, 7));
    let requests = setup.gateway.requests();
    assert!(requests.contains(&"list-all".to_owned()), "{requests:?}");
    setup.shop.runtime.stop().await.unwrap();
}

#[tokio::test]
async fn a_gateway_that_does_not_answer_is_left_alone_until_a_probe_succeeds() {
    let setup = set_up("").await;
    let handle = setup.shop.runtime.handle();
    setup.gateway.set_down(true);
    let submitted = pay(&handle, "order-1").await;
    wait_until(|| !handle.readiness().degraded.is_empty()).await;
    let [(gateway, complaint)] = &handle.readiness().degraded[..] else { panic!("one is down") };
    assert_eq!(
        (gateway.as_str(), complaint.code, &complaint.operations[..]),
        ("stripe", "unanswered", &["payments"][..])
    );
    assert!(handle.readiness().takes_commands);
    // A failing probe keeps it open.
    let probes = || setup.gateway.requests().iter().filter(|kind| *kind == "list-all").count();
    wait_until(|| probes() >= 2).await;
    setup.gateway.set_down(false);
    assert_eq!(outcome_of(submitted).await, (201, true));
    assert_eq!(setup.gateway.charges(), 1);
    assert_eq!(handle.readiness().degraded, []);
    setup.shop.runtime.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_under_way_is_taken_up_by_the_next_start() {
    let setup = set_up("").await;
    setup.gateway.set_down(true);
    let submitted = pay(&setup.shop.runtime.handle(), "order-1").await;
    wait_until(|| !setup.gateway.requests().is_empty()).await;
    setup.shop.runtime.wind_down(Duration::ZERO).await;
    assert_eq!(submitted.watch.unwrap().answer(PATIENCE).await, None, "whoever waits is let go");
    let handle = setup.shop.runtime.handle();
    setup.shop.runtime.stop().await.unwrap();
    assert!(matches!(
        handle.submit(Submission::CreateTenant(Box::new(other_tenant()))).await,
        Err(SubmitError::Closed)
    ));
    assert!(!handle.readiness().takes_commands);

    setup.gateway.set_down(false);
    let runtime = start(&setup.shop.config, &setup.shop.database, BREAKERS);
    let again = pay(&runtime.handle(), "order-1").await;
    if !matches!(again.outcome, Outcome::Replayed(_)) {
        assert_eq!(outcome_of(again).await, (201, true));
    }
    assert_eq!((setup.gateway.charges(), setup.gateway.intents()), (1, 1));
    runtime.stop().await.unwrap();
}

fn other_tenant() -> Tenant {
    Tenant {
        id: TenantId::from_bytes([9; 16]),
        name: "other".to_owned(),
        mode: Mode::Live,
        fingerprint_secret: [0; 32],
        gateway_key_secret: [0; 32],
        created_at: Timestamp::from_seconds(1),
    }
}

#[tokio::test]
async fn reads_see_what_was_committed_and_survive_a_panic() {
    let setup = set_up("").await;
    let handle = setup.shop.runtime.handle();
    for _ in 0..3 {
        let panicked: Result<(), ReadError> = handle.read(|_| panic!("a bug in a query")).await;
        assert!(matches!(panicked, Err(ReadError::GivenUp)));
    }
    let tenants = handle.read(|reader| reader.scan(&Scan::forward(&TENANTS, Vec::new(), 10))).await.unwrap();
    assert_eq!(tenants.len(), 1);
    setup.shop.runtime.stop().await.unwrap();
}

/// Looks again until it is so.
async fn wait_until(is_so: impl Fn() -> bool) {
    let looks = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looks).await.expect("it becomes so in time");
}
