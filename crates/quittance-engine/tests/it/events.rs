//! Events: one for each change, in the transaction that makes it, and a delivery for each endpoint that wants it.

mod endpoints;
mod sending;

use crate::gateway::Gateway;
use crate::world::{World, capture, command, customer, pay, refund, tenant};
use quittance_core::event::{Attempt, Delivery, DeliveryState, Endpoint, Endpoints, Kinds};
use quittance_core::id::EndpointId;
use quittance_core::payment::CaptureMethod;
use quittance_engine::gateways::Leases;
use quittance_engine::submission::{Action, Delivered, Dispatch, NewEndpoint, Outcome, Sendable, Sending, Submission};
use quittance_engine::verify::verify;
use quittance_store::records::EventRow;
use quittance_store::schema::Table;
use quittance_store::store::{Change, Loaded, Read, Store, Work};
use quittance_store::value::Row;

impl World {
    /// Kinds of the events of everything whose id begins like this, in order.
    fn told(&self, prefix: &str) -> Vec<&'static str> {
        let events = self.all::<EventRow>().into_iter().filter(|event| event.subject.starts_with(prefix));
        events.map(|event| event.kind.name()).collect()
    }

    fn deliveries(&self) -> Vec<Delivery> {
        self.all()
    }

    fn endpoint(&self, id: EndpointId) -> Endpoint {
        let endpoints: Vec<Endpoints> = self.all();
        endpoints.iter().find_map(|of| of.get(id)).expect("it is there").clone()
    }

    /// A new endpoint for these kinds.
    fn listen(&mut self, key: &str, kinds: Kinds) -> EndpointId {
        let outcome = self.submit(create(key, kinds));
        let Outcome::Answered { status: 201, body, .. } = outcome else { panic!("{outcome:?}") };
        String::from_utf8(body).expect("text").parse().expect("an id")
    }

    /// What is to be sent now.
    fn sending(&mut self) -> Sending {
        self.read_clocks();
        let room = Sendable { left: 100, each_max: 50, tenant_max: 100, ..Sendable::default() };
        self.engine.poll_deliveries(self.now, &room).expect("the store works")
    }

    /// From now on a process works whose leases are this short; it has no gateways.
    fn shorten_leases(&mut self, lease_ms: u64) {
        self.forget_gateways_under(Leases { lease_ms });
        self.start();
    }

    /// Puts a row in the place of the one that is there.
    fn overwrite(&mut self, table: &'static Table, row: Row) {
        self.database.writer().transact("damage", &mut Overwrite { table, row }).expect("the store works");
    }

    /// Says that an event was answered so.
    fn answered(&mut self, dispatch: &Dispatch, status: u16) -> Outcome {
        let attempt = Attempt { at: self.now, took_ms: 1, status: Some(status), error: None };
        let (delivery, url) = (dispatch.delivery, dispatch.url.clone());
        self.submit(Submission::Delivered(Box::new(Delivered { delivery, url, attempt: Some(attempt) })))
    }
}

/// A row that is written whatever was there.
struct Overwrite {
    table: &'static Table,
    row: Row,
}

impl Work for Overwrite {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
        Ok(vec![Change::Upsert { table: self.table, row: self.row.clone() }])
    }
}

fn create(key: &str, kinds: Kinds) -> Submission {
    let new = NewEndpoint { url: "https://example.com/".into(), description: None, kinds, secret: [7; 32] };
    command(key, 0, "POST /v1/webhook_endpoints", Action::CreateEndpoint(new))
}

#[test]
fn each_change_is_told_once_and_in_order() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.settle();
    assert_eq!(world.told("cus_"), ["customer.created"]);
    assert_eq!(world.told("pay_"), ["payment.created", "payment.succeeded"]);
    world.submit(refund(&world, "r", "again", 500));
    world.work_all();
    assert_eq!(world.told("rfd_"), ["refund.created", "refund.succeeded"]);
    assert_eq!(world.told("pay_")[2..], ["payment.updated", "payment.updated"], "being refunded, and refunded");
    let events: Vec<EventRow> = world.all();
    assert!(events.is_sorted_by_key(|event| event.seq), "in the order of the journal");
    assert_eq!(String::from_utf8_lossy(&events[0].body), format!("customer.created {} 1", events[0].subject));
    assert!(world.deliveries().is_empty(), "nobody listens");
    assert!(verify(&mut world.database.reader(), &mut |_| {}).expect("readable").is_sound());
}

#[test]
fn what_waits_for_the_client_and_what_is_declined_are_told() {
    let mut world = World::new();
    let mut declined = pay("k1", "o1");
    declined.method = "pm_card_chargeDeclined".into();
    world.submit(declined.into());
    world.settle();
    assert_eq!(world.told("pay_"), ["payment.created", "payment.failed"]);
    let mut manual = pay("k2", "o2");
    manual.capture_method = CaptureMethod::Manual;
    world.submit(manual.into());
    world.settle();
    world.submit(capture(&world, "c", None));
    world.settle();
    assert_eq!(world.told("pay_")[2..4], ["payment.created", "payment.requires_capture"]);
    assert_eq!(world.told("pay_").last(), Some(&"payment.succeeded"));
}

#[test]
fn nothing_is_told_of_what_is_refused_replayed_or_read() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.settle();
    let told = world.all::<EventRow>().len();
    world.submit(pay("k", "o").into());
    world.submit(pay("other", "o").into());
    world.submit(customer("alice"));
    world.pass_hours(30);
    assert_eq!(world.all::<EventRow>().len(), told);
}

#[test]
fn commands_of_one_batch_are_told_each_over_what_the_one_before_left() {
    let mut world = World::new();
    world.listen("e", Kinds::All);
    let mut bobs = pay("k2", "o2");
    bobs.customer = "bob".into();
    world.submit_all(vec![customer("bob"), pay("k1", "o1").into(), bobs.into()]);
    assert_eq!(world.told("cus_"), ["customer.created"; 2]);
    assert_eq!(world.told("pay_"), ["payment.created"; 2]);
    assert_eq!(world.deliveries().len(), 3, "what came before the endpoint is not sent to it");
    while !world.jobs.is_empty() {
        world.work(Gateway::serve);
    }
    assert_eq!(world.deliveries().len(), 5);
    let (events, deliveries) = (world.all::<EventRow>(), world.deliveries());
    assert!(deliveries.iter().all(|one| one.state == DeliveryState::Pending && one.tenant == tenant()));
    assert!(deliveries.iter().all(|one| events.iter().filter(|event| event.id == one.event).count() == 1));
}
