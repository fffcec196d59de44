//! The beginning of a world: gateways, a tenant, customers, the first process. Nothing fails before it is there.

use super::{Event, Way, World, clients::Clients, network::Network};
use crate::agenda::Agenda;
use crate::auditor::Auditor;
use crate::clock::Clock;
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::gateway::Gateway;
use crate::plan::{Plan, Profile};
use crate::process::ports::{Numbers, Words};
use crate::store::SimStore;
use quittance_connectors::connector::Connector;
use quittance_connectors::rail::Rail;
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::brake::{Limits, OverLimit};
use quittance_core::currency::Currency;
use quittance_core::effect::{Class, Policy, Subject};
use quittance_core::id::{CustomerId, RefundId, TenantId};
use quittance_core::tenant::{Mode, Tenant};
use quittance_engine::brakes::Brakes;
use quittance_engine::engine::Engine;
use quittance_engine::gateways::{self, Gateways, Leases};
use quittance_engine::looks::Looks;
use quittance_engine::room::Permits;
use quittance_engine::submission::{Action, ClientCommand, NewCustomer, Outcome, Submission};
use quittance_store::memory::MemoryDatabase;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// How long a request may take, in milliseconds.
pub(crate) const TIMEOUT_MS: u64 = 5_000;

/// Customers of a world.
pub(crate) const CUSTOMERS: u32 = 3;

/// How long after the last thing that was planned everything is left to itself, in milliseconds.
const CALM_AFTER_MS: u64 = 10 * 60_000;

/// The tenant of every world.
pub(crate) fn tenant() -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(0x7e))
}

/// The customer of this number.
pub(crate) fn customer(number: u32) -> CustomerId {
    CustomerId::from_uuid(Uuid::from_u128(0xc000 + u128::from(number)))
}

/// The dialect of a gateway.
pub(crate) fn connector(profile: Profile) -> Arc<dyn Connector> {
    match profile {
        Profile::Intents => Arc::new(Stripe::default()),
        Profile::Rail => Arc::new(Rail),
        _ => Arc::new(Stripe { flow: Flow::Charges, ..Stripe::default() }),
    }
}

fn configured(profile: Profile) -> gateways::Gateway {
    let connector = connector(profile);
    let class = match profile {
        Profile::Keyless | Profile::Rail => Class::B,
        Profile::Unlisted => Class::C,
        Profile::Bare => Class::D,
        Profile::Intents | Profile::Charges => Class::A,
    };
    let default = Policy::default();
    let refund = Subject::Refund(RefundId::from_bytes([0; 16]));
    let payments = connector.capability(Subject::Payment).unwrap_or(default.payments).limited_to(class);
    let refunds = connector.capability(refund).unwrap_or(default.refunds).limited_to(class);
    gateways::Gateway {
        mode: None,
        connector,
        // Spans that only cost time are shorter than in production.
        policy: Policy { payments, refunds, capture_expiry_ms: 48 * 3_600_000, ..default },
        looks: Looks::default(),
        timeout_ms: TIMEOUT_MS,
        in_flight_max: 8,
        backlog_age_max_ms: Some(3_600_000),
    }
}

impl World {
    /// The world of a plan. With `is_told` it can be read afterwards.
    #[must_use]
    pub fn new(plan: &Plan, is_told: bool) -> Self {
        let gateways: Vec<Gateway> = plan.gateways.iter().map(|profile| Gateway::new(*profile, plan.seed)).collect();
        let ways = gateways.iter().map(|gateway| Way { secrets: gateway.secrets.clone(), ..Way::default() }).collect();
        let mut world = Self {
            clock: Clock::default(),
            agenda: Agenda::default(),
            dice: Dice::new(plan.seed, 1),
            database: MemoryDatabase::new(),
            disk: Arc::default(),
            process: None,
            processes: 0,
            stalled_until: 0,
            gateways,
            ways,
            network: Network {
                connectors: plan.gateways.iter().map(|profile| connector(*profile)).collect(),
                ..Network::default()
            },
            clients: Clients::default(),
            auditor: Auditor::new(plan.parked_above),
            coverage: Coverage::default(),
            tale: is_told.then(Vec::new),
            hash: plan.seed,
            next_absence: (2_000, false),
            sweep_every_ms: 0,
            is_off: false,
            is_calm: false,
            backup: None,
            found: Vec::new(),
            settled_since: None,
            is_over: false,
            plan: plan.clone(),
        };
        world.found();
        world.schedule_plan();
        world
    }

    fn schedule_plan(&mut self) {
        let operations: Vec<u64> = self.plan.operations.iter().map(|operation| operation.at_ms).collect();
        let faults: Vec<u64> = self.plan.faults.iter().map(|fault| fault.at_ms).collect();
        let last = operations.iter().chain(&faults).copied().max().unwrap_or(0);
        operations.into_iter().enumerate().for_each(|(at, ms)| self.agenda.plan(ms, Event::Begin(at)));
        faults.into_iter().enumerate().for_each(|(at, ms)| self.agenda.plan(ms, Event::Fault(at)));
        // Sweeps are most of what an idle process does: there are about ten of each gateway, however long the world is.
        self.sweep_every_ms = (last / 10).clamp(10 * 60_000, 4 * 3_600_000);
        self.agenda.plan(last + CALM_AFTER_MS, Event::Calm);
        self.agenda.plan(30 * 60_000, Event::Round);
    }

    /// Makes the tenant and its customers, and starts the first process.
    fn found(&mut self) {
        self.start_process();
        let created_at = self.clock.wall();
        let tenant = Tenant {
            id: tenant(),
            name: "acme".into(),
            mode: Mode::Test,
            fingerprint_secret: [1; 32],
            gateway_key_secret: [2; 32],
            created_at,
        };
        let mut founding = vec![Submission::CreateTenant(Box::new(tenant))];
        founding.extend((0..CUSTOMERS).map(new_customer));
        let process = self.process.as_mut().expect("the first start has nothing to fail at");
        for submission in founding {
            let step = process.engine.step(created_at, vec![submission], &mut Permits::default());
            let outcomes = step.expect("nothing fails yet").outcomes;
            let is_made = matches!(outcomes[..], [Outcome::Done | Outcome::Answered { status: 201, .. }]);
            assert!(is_made, "a world begins with its customers: {outcomes:?}");
        }
    }

    /// A new engine on what is stored.
    pub(crate) fn new_engine(&mut self) -> Engine {
        let store = SimStore::open(&self.database, &self.disk);
        let number = self.processes;
        let dice = Dice::new(self.plan.seed, 1_000 + u64::from(number));
        let ids = Numbers { next: u128::from(number) << 64, dice };
        let named = self.plan.gateways.iter().map(|profile| (profile.name().to_owned(), configured(*profile)));
        let gateways = Gateways(named.collect::<BTreeMap<_, _>>());
        let engine = Engine::new(Box::new(store), Box::new(ids), Box::new(Words), gateways, Leases::default());
        engine.with_brakes(brakes(self.plan.parked_above))
    }
}

fn brakes(parked_above: Option<i64>) -> Brakes {
    let currencies = ["USD", "EUR", "JPY"].into_iter().filter_map(|code| Currency::from_code(code).ok());
    let payment_amount_max = currencies.zip(parked_above.into_iter().cycle()).collect();
    let general = Limits { payment_amount_max, over_limit: OverLimit::Park, ..Limits::default() };
    Brakes { general, ..Brakes::default() }
}

fn new_customer(number: u32) -> Submission {
    let new = NewCustomer { id: Some(customer(number)), ..NewCustomer::default() };
    Submission::Client(Box::new(ClientCommand {
        tenant: tenant(),
        credential: None,
        key: super::clients::key(&format!("customer-{number}")),
        operation: "POST /v1/customers",
        fingerprint: [9; 32],
        api_version: "1".into(),
        action: Action::CreateCustomer(new),
    }))
}
