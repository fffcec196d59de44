//! What the auditor sees while a world goes on: requests, webhooks, writers and histories that are not right.

use crate::auditor::{broken, plan, put, told};
use quittance_connectors::message::{Method, Request};
use quittance_core::effect::{Source, State, Step};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{CustomerId, EffectId, PaymentId, TenantId};
use quittance_core::journal::{Advanced, Record};
use quittance_core::time::Timestamp;
use quittance_engine::submission::{EffectRef, Job, Plan as JobPlan};
use quittance_sim::gateway::Gateway;
use quittance_sim::plan::{Fault, Plan, Point, Profile, Trouble, WebhookBlow};
use quittance_sim::world::World;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Entity, JournalEntry, Lane, Ticket, journal};
use quittance_store::store::{Reader, Scan};
use std::collections::BTreeSet;

fn write(body: &str) -> Request {
    Request {
        method: Method::Post,
        target: "/v1/charges".into(),
        body: body.as_bytes().to_vec(),
        idempotency_key: Some("key".into()),
        api_version: String::new(),
    }
}

fn ticket(job: &Job, request: &Request) -> Ticket {
    Ticket {
        book: job.effect.book,
        effect: job.effect.effect,
        step: Step::Execute,
        generation: 0,
        send_no: 1,
        gateway_key: "key".into(),
        reference: None,
        request_digest: request.digest(),
        request: request.encode(),
        lease_epoch: 1,
        issued_at: Timestamp(0),
        deadline: Timestamp(0),
    }
}

#[test]
fn a_request_without_a_ticket_is_seen() {
    let request = write("amount=500");
    let (book, effect) = (CustomerId::from_bytes([1; 16]), EffectId::from_bytes([2; 16]));
    let job = Job {
        effect: EffectRef { book, effect, payment: PaymentId::from_bytes([3; 16]), epoch: 1 },
        tenant: TenantId::from_bytes([4; 16]),
        gateway: "charges".into(),
        kind: ObjectKind::Charge,
        lane: Lane::Read,
        plan: JobPlan::Send(request.clone()),
        deadline: Timestamp(0),
    };
    let database = MemoryDatabase::new();
    let rules = told(|auditor| auditor.leaves(&mut database.reader(), &job, &request));
    assert_eq!(rules, ["no_ticket"]);
    // One ticket is good for one send.
    put(&database, &[ticket(&job, &request)]);
    let rules = told(|auditor| auditor.leaves(&mut database.reader(), &job, &request));
    assert!(rules.is_empty());
    let rules = told(|auditor| (0..2).for_each(|_| auditor.leaves(&mut database.reader(), &job, &request)));
    assert_eq!(rules, ["no_ticket"]);
}

#[test]
fn one_key_with_two_bodies_is_seen() {
    let mut gateway = Gateway::new(Profile::Charges, 0);
    let mut serve = |body: &str| {
        gateway.serve(&write(body), 1_000, None);
        told(|auditor| auditor.at_gateway(0, &gateway))
    };
    assert!(serve("amount=500&currency=usd&source=pm_card").is_empty());
    assert!(serve("amount=500&currency=usd&source=pm_card").is_empty());
    assert_eq!(serve("amount=501&currency=usd&source=pm_card"), ["key_mismatch"]);
}

/// The rules that are broken when such a record is written behind the last one of the payment's effect.
fn with_last(change: impl Fn(&mut Advanced)) -> BTreeSet<&'static str> {
    broken(|database, _| {
        let rows = database.reader().scan(&Scan::forward(JournalEntry::table(), Vec::new(), 1_000)).expect("readable");
        let entries = rows.iter().map(|row| JournalEntry::from_row(row).expect("sound"));
        let moves = entries.filter_map(|entry| match journal::decode(entry.kind, &entry.body) {
            Ok(Record::EffectAdvanced(advanced)) => Some((entry, advanced)),
            _ => None,
        });
        let (entry, mut advanced) = moves.collect::<Vec<_>>().pop().expect("the payment succeeded");
        assert_eq!(advanced.state, State::Succeeded);
        let after = |seq, advanced: &Advanced| {
            let body = journal::encode(&Record::EffectAdvanced(advanced.clone()));
            JournalEntry { seq, body, ..entry.clone() }
        };
        change(&mut advanced);
        put(database, &[after(1_000, &advanced), after(1_001, &advanced)]);
    })
}

#[test]
fn a_refund_of_more_than_is_left_is_seen() {
    let broken = broken(|database, _| {
        let rows = database.reader().scan(&Scan::forward(JournalEntry::table(), Vec::new(), 1_000)).expect("readable");
        let entries = rows.iter().map(|row| JournalEntry::from_row(row).expect("sound"));
        let mut accepted = entries.filter_map(|entry| match journal::decode(entry.kind, &entry.body) {
            Ok(Record::RefundAccepted(accepted)) => Some((entry, accepted)),
            _ => None,
        });
        let (entry, mut accepted) = accepted.next_back().expect("a refund was accepted");
        // 200 of 500 are given back already, or were.
        accepted.money.amount = 501;
        let body = journal::encode(&Record::RefundAccepted(accepted));
        put(database, &[JournalEntry { seq: 1_000, body, ..entry }]);
    });
    assert!(broken.contains("refund_left"), "{broken:?}");
}

#[test]
fn a_success_that_is_taken_back_is_seen() {
    let broken = with_last(|advanced| advanced.state = State::Failed);
    assert!(broken.contains("regression") && broken.contains("verify"), "{broken:?}");
}

#[test]
fn an_event_that_moves_an_effect_twice_is_seen() {
    let broken = with_last(|advanced| advanced.source = Source::Webhook("evt_1".into()));
    assert!(broken.contains("webhook_twice") && !broken.contains("regression"), "{broken:?}");
}

#[test]
fn a_payment_that_no_brake_held_back_is_seen() {
    let held = Plan { parked_above: Some(499), ..plan(Profile::Charges) };
    // People approve most of what they are asked about.
    let broken: BTreeSet<_> =
        (0..8).flat_map(|seed| World::new(&Plan { seed, ..held.clone() }, false).live().broken).collect();
    assert_eq!(broken, BTreeSet::new());
    let broken = World::new(&plan(Profile::Charges), false).with_limit(499).live().broken;
    assert_eq!(broken, ["unapproved"].into());
}

/// The rules that are broken in a world with this fault.
fn with_fault(seed: u64, what: Trouble, sabotage: impl Fn(World) -> World) -> BTreeSet<&'static str> {
    let plan = Plan { seed, faults: vec![Fault { at_ms: 500, what }], ..plan(Profile::Charges) };
    sabotage(World::new(&plan, false)).live().broken
}

#[test]
fn a_webhook_with_a_guessed_signature_is_seen_where_it_is_taken() {
    let forge = || Trouble::Webhooks { gateway: 0, blow: WebhookBlow::Forge, count: 1 };
    // A gateway whose clock is too far off is believed nothing.
    let broken: BTreeSet<_> = (0..8).flat_map(|seed| with_fault(seed, forge(), World::with_guessed_secret)).collect();
    assert_eq!(broken, ["forged"].into());
    let broken: BTreeSet<_> = (0..8).flat_map(|seed| with_fault(seed, forge(), |world| world)).collect();
    assert_eq!(broken, BTreeSet::new());
}

#[test]
fn a_process_that_writes_after_the_next_one_is_seen() {
    let crash = || Trouble::Crash { point: Point::BeforeJobs, pass: 1, away_ms: 300, does_boot: false };
    // Not every process that dies comes back.
    let broken: BTreeSet<_> = (0..30).flat_map(|seed| with_fault(seed, crash(), World::with_old_writers)).collect();
    assert_eq!(broken, ["old_writer"].into());
    let broken: BTreeSet<_> = (0..30).flat_map(|seed| with_fault(seed, crash(), |world| world)).collect();
    assert_eq!(broken, BTreeSet::new());
}
