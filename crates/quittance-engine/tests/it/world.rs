//! A small world around an engine on the memory store: its clock, its ids, its jobs, its gateway.

use crate::gateway::Gateway;
use quittance_connectors::connector::{Connector, ListFact, Search};
use quittance_connectors::message::{Delivery, Request};
use quittance_connectors::stripe::Stripe;
use quittance_core::currency::Currency;
use quittance_core::decide::{AskRefund, CreatePayment, OnDuplicate, Resolution};
use quittance_core::effect::{PersonsWord, Policy, Source, Stimulus};
use quittance_core::fact::Fact;
use quittance_core::id::{CommandId, TenantId};
use quittance_core::idempotency::Key;
use quittance_core::money::Money;
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_core::tenant::{Mode, Tenant};
use quittance_core::time::Timestamp;
use quittance_engine::brakes::Brakes;
use quittance_engine::clocks::{Change, Reading};
use quittance_engine::condition::Condition;
use quittance_engine::engine::{Engine, Step};
use quittance_engine::gateways::{self, Gateways, Leases};
use quittance_engine::looks::Looks;
use quittance_engine::ports::{Answer, Event, Ids, Render};
use quittance_engine::room::{Permits, Room};
use quittance_engine::submission::{
    Action, ClientCommand, CustomerRef, EffectRef, Job, LearnedFact, Listed, Look, LookPlan, Looked, NewCustomer,
    Outcome, Plan, Submission, Swept,
};
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Discrepancy, DiscrepancyKind, Entity, GatewayObject, Sweep};
use quittance_store::store::{Reader, Scan, Store};
use quittance_store::tables::{JOURNAL, PAYMENTS};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Ids and dice that come out the same every time.
pub struct Counter {
    next: u128,
}

impl Ids for Counter {
    fn uuid(&mut self, _: Timestamp) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    fn dice(&mut self) -> u64 {
        self.next as u64
    }
}

/// Renders answers as short texts, so that tests can read them.
pub struct Plain;

impl Render for Plain {
    fn render(&self, answer: &Answer<'_>, _: &str) -> (u16, Vec<u8>) {
        let payment = |payment: &Payment| format!("{} {}", payment.id, payment.status.name());
        let (status, text) = match answer {
            Answer::CustomerCreated(customer) => (201, customer.id.to_string()),
            Answer::Payment(paid) if paid.decline.is_some() => (402, payment(paid)),
            Answer::Payment(paid) => (201, payment(paid)),
            Answer::ExistingPayment(paid) => (200, payment(paid)),
            Answer::Refund(refund) => (201, format!("{} {}", refund.id, refund.status.name())),
            Answer::ExistingRefund(refund) => (200, format!("{} {}", refund.id, refund.status.name())),
            Answer::Evidence(dispute) => (201, format!("{} {}", dispute.id, dispute.status.name())),
            Answer::ExistingDispute(dispute) => (200, format!("{} {}", dispute.id, dispute.status.name())),
            Answer::EndpointCreated(endpoint) => (201, endpoint.id.to_string()),
            Answer::SecretRotated(endpoint) => (200, endpoint.id.to_string()),
            Answer::Rejected(rejection) => (409, rejection.code().to_owned()),
        };
        (status, text.into_bytes())
    }

    fn event(&self, event: &Event<'_>) -> Vec<u8> {
        format!("{} {} {}", event.kind.name(), event.resource.id(), event.seq).into_bytes()
    }
}

pub struct World {
    pub database: MemoryDatabase,
    pub engine: Engine,
    pub gateway: Gateway,
    pub now: Timestamp,
    pub jobs: Vec<Job>,
    pub looks: Vec<Look>,
    pub permits: usize,
    /// What the gateway's answers do to what may begin; without one only the permits count.
    pub condition: Option<Condition>,
    pub answers: BTreeMap<CommandId, (u16, String)>,
    pub alarms: Vec<&'static str>,
    /// By how much the wall clock is ahead of the steady one; what a test adds was set.
    pub set_ahead_ms: i64,
    /// What has ended an era of the clock.
    pub changes: Vec<Change>,
    /// Whether the engine was given a clock, and tells the time.
    pub has_own_clock: bool,
    /// Which start of the machine it is.
    pub boot: u32,
    processes: u128,
    brakes: Brakes,
}

pub fn tenant() -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(0x7e))
}

pub fn engine_of(database: &MemoryDatabase, processes: u128, connector: Arc<dyn Connector>, policy: Policy) -> Engine {
    let gateway = gateways::Gateway {
        mode: None,
        connector,
        looks: Looks::default(),
        policy,
        timeout_ms: 2_000,
        in_flight_max: 8,
        backlog_age_max_ms: Some(600_000),
    };
    let gateways = Gateways(BTreeMap::from([("stripe".to_owned(), gateway)]));
    let ids = Counter { next: processes << 64 };
    let (store, ids) = (Box::new(database.writer()), Box::new(ids));
    Engine::new(store, ids, Box::new(Plain), gateways, Leases::default())
}

pub fn engine(store: Box<dyn Store>, processes: u128, mode: Option<Mode>, brakes: &Brakes) -> Engine {
    let gateway = gateways::Gateway {
        mode,
        connector: Arc::new(Stripe::default()),
        looks: Looks::default(),
        policy: Policy { backoff_base_ms: 10, backoff_max_ms: 100, pending_poll_ms: 1_000, ..Policy::default() },
        timeout_ms: 2_000,
        in_flight_max: 8,
        backlog_age_max_ms: Some(600_000),
    };
    let gateways = Gateways(BTreeMap::from([("stripe".to_owned(), gateway)]));
    let ids = Counter { next: processes << 64 };
    Engine::new(store, Box::new(ids), Box::new(Plain), gateways, Leases::default()).with_brakes(brakes.clone())
}

impl World {
    pub fn new() -> Self {
        Self::with_brakes(Brakes::default())
    }

    /// The same, where tenants have limits.
    pub fn with_brakes(brakes: Brakes) -> Self {
        let database = MemoryDatabase::new();
        let mut world = Self {
            engine: engine(Box::new(database.writer()), 1, None, &brakes),
            brakes,
            database,
            gateway: Gateway::default(),
            now: Timestamp::from_seconds(1_800_000_000),
            jobs: Vec::new(),
            looks: Vec::new(),
            permits: 100,
            condition: None,
            answers: BTreeMap::new(),
            alarms: Vec::new(),
            set_ahead_ms: 0,
            changes: Vec::new(),
            has_own_clock: false,
            boot: 1,
            processes: 1,
        };
        world.start();
        let created_at = world.now;
        let tenant = Tenant {
            id: tenant(),
            name: "acme".into(),
            mode: Mode::Test,
            fingerprint_secret: [1; 32],
            gateway_key_secret: [2; 32],
            created_at,
        };
        let outcome = world.submit(Submission::CreateTenant(Box::new(tenant)));
        assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
        let outcome = world.submit(customer("alice"));
        assert!(matches!(outcome, Outcome::Answered { status: 201, .. }), "{outcome:?}");
        world
    }

    /// What the clocks say.
    pub fn reading(&self) -> Reading {
        let steady_ms = self.now.0 / 1_000 - self.set_ahead_ms;
        Reading { wall: self.now, boot: format!("boot-{}", self.boot), steady_ms }
    }

    /// Sets the wall clock ahead, or back where that is below zero.
    pub fn set_clock(&mut self, by_ms: i64) {
        self.now = Timestamp(self.now.0 + by_ms * 1_000);
        self.set_ahead_ms += by_ms;
    }

    /// Has the engine look at the clocks, as a server does before whatever it does.
    pub fn read_clocks(&mut self) {
        if self.has_own_clock {
            let (now, change) = self.engine.time().expect("the store works");
            self.now = now;
            self.changes.extend(change);
            return;
        }
        let reading = self.reading();
        self.changes.extend(self.engine.read_clocks(&reading).expect("the store works"));
    }

    fn permits(&mut self) -> Permits {
        let room = match &mut self.condition {
            Some(condition) => condition.room(self.permits, self.permits, self.now),
            None => Room::of_places(self.permits),
        };
        Permits(BTreeMap::from([("stripe".to_owned(), room)]))
    }

    pub fn submit(&mut self, submission: Submission) -> Outcome {
        self.submit_all(vec![submission]).remove(0)
    }

    pub fn submit_all(&mut self, submissions: Vec<Submission>) -> Vec<Outcome> {
        self.read_clocks();
        let mut permits = self.permits();
        let step = self.engine.step(self.now, submissions, &mut permits).expect("the store works");
        self.take(step)
    }

    pub fn poll(&mut self) {
        self.read_clocks();
        let mut permits = self.permits();
        let step = self.engine.poll(self.now, &mut permits).expect("the store works");
        self.take(step);
    }

    fn take(&mut self, step: Step) -> Vec<Outcome> {
        if let Some(condition) = &mut self.condition {
            step.jobs.iter().for_each(|job| condition.begin(job.lane, self.now));
            step.looks.iter().for_each(|look| condition.begin(look.lane, self.now));
        }
        self.jobs.extend(step.jobs);
        self.looks.extend(step.looks);
        for outcome in &step.outcomes {
            match outcome {
                Outcome::Applied { answered, alarm } => {
                    self.alarms.extend(alarm);
                    for (command, status, body) in answered {
                        let text = String::from_utf8(body.clone()).expect("text");
                        self.answers.insert(*command, (*status, text));
                    }
                }
                Outcome::Failed(failure) => panic!("not stored: {failure:?}"),
                _ => {}
            }
        }
        step.outcomes
    }

    /// The process dies with its jobs; another starts on the same store.
    pub fn crash(&mut self) {
        self.jobs.clear();
        self.looks.clear();
        self.run_on(Box::new(self.database.writer()));
    }

    /// From now on another process works, on this store.
    pub fn run_on(&mut self, store: Box<dyn Store>) {
        self.processes += 1;
        self.engine = engine(store, self.processes, None, &self.brakes);
        self.start();
    }

    /// Starts the engine on what is stored.
    pub fn start(&mut self) {
        let started = self.engine.start(&self.reading()).expect("the store works");
        self.changes.extend(started.doubt);
    }

    /// From now on the gateway's credentials are of this mode.
    pub fn set_gateway_mode(&mut self, mode: Mode) {
        self.processes += 1;
        self.engine = engine(Box::new(self.database.writer()), self.processes, Some(mode), &self.brakes);
    }

    /// From now on no gateway is configured.
    pub fn forget_gateways(&mut self) {
        self.forget_gateways_under(Leases::default());
    }

    /// The same, under such leases.
    pub fn forget_gateways_under(&mut self, leases: Leases) {
        let ids = Box::new(Counter { next: 9 << 64 });
        let store = Box::new(self.database.writer());
        self.engine = Engine::new(store, ids, Box::new(Plain), Gateways::default(), leases);
    }

    /// How many records the journals have.
    pub fn records(&self) -> usize {
        self.database.reader().scan(&Scan::forward(&JOURNAL, Vec::new(), 100_000)).expect("readable").len()
    }

    /// Carries the oldest job out at the gateway as `deliver` says, and submits what it taught.
    pub fn work(&mut self, deliver: impl Fn(&mut Gateway, &Request) -> Delivery) -> Outcome {
        let job = self.jobs.remove(0);
        let lane = job.lane;
        let fact = learned(&mut self.gateway, job, deliver);
        if let (Some(condition), Stimulus::Answered(fact) | Stimulus::Read(fact) | Stimulus::FindFailed(fact)) =
            (&mut self.condition, &fact.stimulus)
        {
            condition.report(lane, fact, self.now);
        }
        self.submit(Submission::Learned(Box::new(fact)))
    }

    /// Carries the oldest look out as `deliver` says, and submits what it showed.
    pub fn look(&mut self, deliver: impl Fn(&mut Gateway, &Request) -> Delivery) -> Outcome {
        let look = self.looks.remove(0);
        let lane = look.lane;
        let looked = shown(&mut self.gateway, look, deliver);
        if let Some(condition) = &mut self.condition {
            condition.report(lane, &looked.fact, self.now);
        }
        self.submit(Submission::Looked(Box::new(looked)))
    }

    /// Looks at whatever is due, honestly, until nothing is; says how often.
    pub fn look_around(&mut self) -> usize {
        let mut count = 0;
        loop {
            self.poll();
            assert!(self.jobs.is_empty(), "payments are settled");
            if self.looks.is_empty() {
                return count;
            }
            while !self.looks.is_empty() {
                self.look(Gateway::serve);
                count += 1;
            }
        }
    }

    /// Lets so much time pass, looking around on the way as a server would.
    pub fn pass_hours(&mut self, hours: u64) -> usize {
        (0..hours * 4)
            .map(|_| {
                self.now = self.now.plus_ms(15 * 60_000);
                self.look_around()
            })
            .sum()
    }

    /// Everything of a table.
    pub fn all<E: Entity>(&self) -> Vec<E> {
        let rows = self.database.reader().scan(&Scan::forward(E::table(), Vec::new(), 10_000)).expect("readable");
        rows.iter().map(|row| E::from_row(row).expect("sound")).collect()
    }

    /// The row of an object.
    pub fn object(&self, id: &str) -> GatewayObject {
        self.all::<GatewayObject>().into_iter().find(|row| row.object == id).unwrap_or_else(|| panic!("no row of {id}"))
    }

    /// The discrepancies that are open: kind and object.
    pub fn open(&self) -> Vec<(DiscrepancyKind, String)> {
        let open = self.all::<Discrepancy>().into_iter().filter(|one| one.closed_at.is_none());
        open.map(|one| (one.kind, one.object)).collect()
    }

    /// Works honestly until no job is left.
    pub fn work_all(&mut self) {
        while !self.jobs.is_empty() {
            self.work(Gateway::serve);
        }
    }

    /// Works and polls honestly until nothing is open.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            while !self.jobs.is_empty() {
                self.work(Gateway::serve);
            }
            let waits = |payment: &Payment| payment.status.is_terminal() || payment.status == Status::RequiresCapture;
            if self.payments().iter().all(waits) {
                return;
            }
            self.now = self.now.plus_ms(1_000);
            self.poll();
        }
        panic!("payments stay open: {:?}", self.payments());
    }

    pub fn payments(&self) -> Vec<Payment> {
        let rows = self.database.reader().scan(&Scan::forward(&PAYMENTS, Vec::new(), 10_000)).expect("readable");
        rows.iter().map(|row| Payment::from_row(row).expect("sound")).collect()
    }
}

/// What a job teaches when its requests are delivered like this.
pub fn learned(gateway: &mut Gateway, job: Job, deliver: impl Fn(&mut Gateway, &Request) -> Delivery) -> LearnedFact {
    let (stripe, kind) = (Stripe::default(), job.kind);
    let (source, stimulus) = match &job.plan {
        Plan::Send(request) => {
            (Source::Send, Stimulus::Answered(stripe.decode_write(kind, &deliver(gateway, request))))
        }
        Plan::Read(request) => (Source::Read, Stimulus::Read(stripe.decode_read(kind, &deliver(gateway, request)))),
        Plan::Find(wanted) => {
            let parent = wanted.parent.as_ref().map(|(kind, id)| (*kind, id.as_str()));
            let search = Search { kind, parent, customer: None, reference: None, created_from: None };
            let stimulus = match stripe.decode_page(kind, &deliver(gateway, &stripe.page(&search, None))) {
                ListFact::Failed(fact) => Stimulus::FindFailed(fact),
                ListFact::Page { next: Some(_), .. } => Stimulus::FindFailed(Fact::Absent),
                ListFact::Page { sightings, .. } => {
                    let ours = sightings.into_iter().find(|seen| seen.effect_id == Some(job.effect.effect));
                    Stimulus::Found(ours)
                }
            };
            (Source::Find, stimulus)
        }
    };
    LearnedFact { effect: job.effect, source, stimulus }
}

/// What a look shows when its request is delivered like this.
pub fn shown(gateway: &mut Gateway, look: Look, deliver: impl Fn(&mut Gateway, &Request) -> Delivery) -> Looked {
    let stripe = Stripe::default();
    let (is_cancel, fact) = match &look.plan {
        LookPlan::Read(request) => (false, stripe.decode_read(look.kind, &deliver(gateway, request))),
        LookPlan::Cancel(request) => (true, stripe.decode_write(look.kind, &deliver(gateway, request))),
    };
    Looked { object: look.object, is_cancel, fact }
}

/// A command of a client without a credential.
/// A sweep comes to a page of objects.
pub fn swept_page(listed: Listed) -> Submission {
    let sweep = Sweep::new(listed.gateway.clone(), listed.kind.name().to_owned());
    Submission::Swept(Box::new(Swept { upon: None, sweep, listed: Some(listed), gap: None, log: None }))
}

pub fn command(key: &str, fingerprint: u8, operation: &'static str, action: Action) -> Submission {
    Submission::Client(Box::new(ClientCommand {
        tenant: tenant(),
        credential: None,
        key: Key::parse(key).expect("a key"),
        operation,
        fingerprint: [fingerprint; 32],
        api_version: "1".into(),
        action,
    }))
}

pub fn customer(name: &str) -> Submission {
    let new = NewCustomer { external_id: Some(name.to_owned()), ..NewCustomer::default() };
    command(&format!("customer-{name}"), 0, "POST /v1/customers", Action::CreateCustomer(new))
}

/// A person's decision on the newest payment, with evidence.
pub fn decide(world: &World, key: &str, resolution: Resolution) -> Submission {
    let effect = newest(world);
    let word = PersonsWord { by: "key_1".into(), evidence: "statement 7".into(), reason: "seen at the bank".into() };
    command(key, 0, "POST /v1/effects/{id}/resolve", Action::Resolve { effect, resolution, word })
}

/// A step of the newest payment, or money of it back.
pub fn capture(world: &World, key: &str, amount: Option<i64>) -> Submission {
    command(key, 0, "POST /v1/payments/{id}/capture", Action::Capture { payment: newest(world), amount })
}

/// So much of the newest payment back, under this reference.
pub fn refund(world: &World, key: &str, reference: &str, amount: i64) -> Submission {
    let asked = AskRefund {
        amount: Some(amount),
        currency: None,
        reference: Some(reference.to_owned()),
        expected_refunded_amount: None,
        reason: None,
    };
    command(key, 0, "POST /v1/refunds", Action::Refund { payment: newest(world), asked })
}

fn newest(world: &World) -> EffectRef {
    let payment = world.payments().pop().expect("there is one");
    EffectRef { book: payment.book, effect: payment.effect, payment: payment.id, epoch: 0 }
}

/// A payment of alice, under this key and reference, for this amount and card.
#[derive(Clone)]
pub struct Pay {
    pub key: String,
    pub reference: String,
    pub amount: i64,
    pub method: String,
    pub fingerprint: u8,
    pub customer: String,
    pub on_duplicate: OnDuplicate,
    pub capture_method: CaptureMethod,
}

pub fn pay(key: &str, reference: &str) -> Pay {
    Pay {
        key: key.into(),
        reference: reference.into(),
        amount: 1_999,
        method: "pm_card_visa".into(),
        fingerprint: 0,
        customer: "alice".into(),
        on_duplicate: OnDuplicate::Reject,
        capture_method: CaptureMethod::Automatic,
    }
}

impl From<Pay> for Submission {
    fn from(pay: Pay) -> Self {
        let asked = CreatePayment {
            money: Money::new(pay.amount, Currency::from_code("USD").expect("known currency")),
            gateway: "stripe".into(),
            payment_method: pay.method,
            capture_method: pay.capture_method,
            return_url: None,
            reference: pay.reference,
            on_duplicate: pay.on_duplicate,
            description: None,
            metadata: BTreeMap::new(),
        };
        let customer = CustomerRef::External(pay.customer);
        command(&pay.key, pay.fingerprint, "POST /v1/payments", Action::CreatePayment { customer, asked })
    }
}
