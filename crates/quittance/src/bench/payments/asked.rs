//! What is asked of every contestant: books to open, and payments of them, always the same.

use anyhow::{Context, Result, ensure};
use quittance_connectors::stripe::Stripe;
use quittance_core::currency::Currency;
use quittance_core::decide::{CreatePayment, OnDuplicate};
use quittance_core::effect::Policy;
use quittance_core::id::{CustomerId, TenantId};
use quittance_core::idempotency::{Key, digest16};
use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;
use quittance_core::tenant::{Mode, Tenant};
use quittance_engine::engine::{BATCH_MAX, Engine};
use quittance_engine::gateways::{Gateway, Gateways, Leases};
use quittance_engine::looks::Looks;
use quittance_engine::room::Permits;
use quittance_engine::submission::{Action, ClientCommand, CustomerRef, NewCustomer, Outcome, Submission};
use quittance_server::clock;
use quittance_server::ids::{self, SystemIds};
use quittance_server::render::{API_VERSION, Renderer};
use quittance_store::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// The tenant whose payments they are.
pub(super) const TENANT: &str = "bench";

/// The gateway, at which nothing begins.
pub(super) const GATEWAY: &str = "bench";

/// Amount of every payment, in cents.
const AMOUNT: i64 = 1_999;

/// A series of payments that no other worker asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series {
    /// Its number, which no other has.
    pub(super) number: u64,
    /// How many books there are.
    pub(super) books: u64,
    /// Of so many equal parts of the books…
    pub(super) parts: u64,
    /// …it uses the one of this number.
    pub(super) part: u64,
}

impl Series {
    /// The book of a payment: all are used, in no order.
    fn book(&self, payment: u64) -> CustomerId {
        let part = (self.books / self.parts).max(1);
        customer((mixed(payment.wrapping_mul(31).wrapping_add(self.number)) % part) * self.parts + self.part)
    }

    /// The client's name for a payment.
    fn reference(&self, payment: u64) -> String {
        format!("order-{:03}-{payment:010}", self.number)
    }

    /// A payment, as the engine is asked for it.
    pub(super) fn submission(&self, tenant: TenantId, payment: u64) -> Submission {
        let reference = self.reference(payment);
        let digest = digest16(reference.as_bytes());
        let asked = CreatePayment {
            money: Money::new(AMOUNT, euro()),
            gateway: GATEWAY.to_owned(),
            payment_method: "pm_card_visa".to_owned(),
            capture_method: CaptureMethod::Automatic,
            return_url: None,
            on_duplicate: OnDuplicate::Reject,
            description: None,
            metadata: BTreeMap::new(),
            reference: reference.clone(),
        };
        Submission::Client(Box::new(ClientCommand {
            tenant,
            credential: None,
            key: Key::parse(&reference).expect("a reference is a key"),
            operation: "POST /v1/payments",
            fingerprint: [digest, digest].concat().try_into().expect("two halves"),
            api_version: API_VERSION.to_owned(),
            action: Action::CreatePayment { customer: CustomerRef::Id(self.book(payment)), asked },
        }))
    }

    /// A payment, as it is asked for over HTTP: its key, and the body.
    pub(super) fn request(&self, payment: u64) -> (String, String) {
        let (reference, customer) = (self.reference(payment), self.book(payment));
        let body = format!(
            "{{\"customer\":\"{customer}\",\"amount\":{AMOUNT},\"currency\":\"EUR\",\"gateway\":\"{GATEWAY}\",\
             \"payment_method\":\"pm_card_visa\",\"reference\":\"{reference}\"}}"
        );
        (reference, body)
    }
}

fn euro() -> Currency {
    Currency::from_code("EUR").expect("a currency")
}

/// An engine over a store, which knows the gateway and brakes nothing.
pub(super) fn engine(store: Box<dyn Store>) -> Engine {
    let gateway = Gateway {
        mode: Some(Mode::Test),
        connector: Arc::new(Stripe::default()),
        policy: Policy::default(),
        looks: Looks::default(),
        timeout_ms: 20_000,
        in_flight_max: 32,
        backlog_age_max_ms: None,
    };
    let gateways = Gateways(BTreeMap::from([(GATEWAY.to_owned(), gateway)]));
    Engine::new(store, Box::<SystemIds>::default(), Box::new(Renderer), gateways, Leases::default())
}

/// Makes the tenant and its books.
pub(super) fn open_books(engine: &mut Engine, books: u64) -> Result<TenantId> {
    let now = clock::now();
    let tenant = TenantId::from_bytes(ids::random());
    let made = Tenant {
        id: tenant,
        name: TENANT.to_owned(),
        mode: Mode::Test,
        fingerprint_secret: ids::random(),
        gateway_key_secret: ids::random(),
        created_at: now,
    };
    step(engine, vec![Submission::CreateTenant(Box::new(made))])?;
    let numbers: Vec<u64> = (0..books).collect();
    for chunk in numbers.chunks(BATCH_MAX) {
        step(engine, chunk.iter().map(|number| open_book(tenant, *number)).collect())?;
    }
    Ok(tenant)
}

/// Has submissions decided and stored. What is accepted begins nowhere: there is no room.
pub(super) fn step(engine: &mut Engine, submissions: Vec<Submission>) -> Result<()> {
    let step = engine.step(clock::now(), submissions, &mut Permits::default()).context("the engine cannot go on")?;
    for outcome in &step.outcomes {
        let is_good = match outcome {
            Outcome::Accepted { .. } | Outcome::Done => true,
            Outcome::Answered { status, .. } => *status < 300,
            _ => false,
        };
        ensure!(is_good, "a command ended as {outcome:?}");
    }
    Ok(())
}

fn open_book(tenant: TenantId, number: u64) -> Submission {
    let key = format!("customer-{number:010}");
    Submission::Client(Box::new(ClientCommand {
        tenant,
        credential: None,
        operation: "POST /v1/customers",
        fingerprint: [0; 32],
        api_version: API_VERSION.to_owned(),
        action: Action::CreateCustomer(NewCustomer {
            id: Some(customer(number)),
            gateway_ids: BTreeMap::from([(GATEWAY.to_owned(), format!("cus_{number:014}"))]),
            ..NewCustomer::default()
        }),
        key: Key::parse(&key).expect("a key"),
    }))
}

/// The customer of a number: an id of version 7 (RFC 9562), one made in each millisecond.
fn customer(number: u64) -> CustomerId {
    const BEGAN_MS: u128 = 1_700_000_000_000;
    let time = (BEGAN_MS + u128::from(number)) << 80;
    let low = u128::from(mixed(number) >> 2);
    CustomerId::from_uuid(Uuid::from_u128(time | 0x7 << 76 | 0b10 << 62 | low))
}

/// Another number for each number, without an order (SplitMix64, Steele and others 2014).
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
