//! Breakers, rates and retry budgets at work: what is held back waits where it is, and reading back goes on.

use crate::gateway::Gateway;
use crate::objects::{paid, refunded};
use crate::placing::twin;
use crate::world::{World, pay};
use quittance_connectors::message::{Delivery, Request, Response};
use quittance_core::effect::Step;
use quittance_core::fact::{Fact, Loss};
use quittance_core::payment::Status;
use quittance_engine::condition::{Condition, Limits, Rates};
use quittance_engine::submission::{LookPlan, Plan};
use quittance_engine::{breaker, budget};
use quittance_store::records::{Lane, ObjectState, Operation};
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::EFFECTS;
use quittance_store::value::Row;

/// How often due work is looked for.
const POLL_MS: u64 = 250;

fn limits() -> Limits {
    let breaker = breaker::Limits { window: 4, failures_max: 3, cool_down_ms: 1_000 };
    Limits { breaker, rates: Rates::default(), retries: budget::Limits { percent: 10, per_second_min: 2 } }
}

fn world(limits: Limits) -> World {
    let mut world = World::new();
    world.condition = Some(Condition::new(limits, world.now));
    world
}

fn answer(status: u16) -> Delivery {
    let body = br#"{"error": {"type": "api_error", "message": "no"}}"#.to_vec();
    Delivery::Answered(Response { status, headers: Vec::new(), body })
}

fn effects(world: &World) -> Vec<Row> {
    world.database.reader().scan(&Scan::forward(&EFFECTS, Vec::new(), 10_000)).expect("readable")
}

fn accept(world: &mut World, numbers: std::ops::Range<usize>) {
    let payments = numbers.map(|number| pay(&format!("k{number}"), &format!("o{number}")).into()).collect();
    world.submit_all(payments);
}

fn succeeded(world: &World) -> usize {
    world.payments().iter().filter(|payment| payment.status == Status::Succeeded).count()
}

/// Goes on for a while: carries every job out as `deliver` says, and probes when it is time. How many of each there were.
fn run(
    world: &mut World,
    span_ms: u64,
    deliver: impl Fn(&mut Gateway, &Request) -> Delivery,
    probe: &Fact,
) -> (usize, usize) {
    let mut delivered = (0, 0);
    for _ in 0..span_ms / POLL_MS {
        world.poll();
        while !world.jobs.is_empty() {
            world.work(&deliver);
            delivered.0 += 1;
        }
        let (now, condition) = (world.now, world.condition.as_mut().expect("it has one"));
        if condition.take_probe(now) {
            delivered.1 += 1;
            condition.probed(probe, now);
        }
        world.now = world.now.plus_ms(POLL_MS);
    }
    delivered
}

#[test]
fn what_is_unknown_is_read_back_past_hundreds_of_sends_that_are_held_back() {
    let mut world = world(limits());
    accept(&mut world, 0..1);
    world.work(Gateway::serve);
    accept(&mut world, 1..4);
    // From now on nothing else begins, so that the breaker opens on these.
    world.permits = 0;
    (0..4).for_each(|_| drop(world.work(Gateway::serve_and_lose)));
    accept(&mut world, 4..400);
    let held_back = effects(&world);
    world.permits = 50;
    world.poll();
    let [read] = world.jobs.as_slice() else { panic!("one read, not {:?}", world.jobs.len()) };
    assert!(matches!(read.plan, Plan::Read(_)), "{read:?}");
    let changed = effects(&world).iter().zip(&held_back).filter(|(now, before)| now != before).count();
    assert_eq!(changed, 1, "what is held back is not even touched");
    world.work(Gateway::serve);
    assert_eq!((succeeded(&world), world.gateway.charged().len()), (1, 1), "it had been charged");
    run(&mut world, 120_000, Gateway::serve, &Fact::Absent);
    assert_eq!((succeeded(&world), world.gateway.charged().len(), world.gateway.intents.len()), (400, 400, 400));
}

#[test]
fn a_rate_is_kept_and_whoever_came_first_leaves_first() {
    let rates = Rates { per_second: Some(40), per_second_per_endpoint: Some(25) };
    let mut world = world(Limits { rates, ..limits() });
    let (mut times, mut lost_at, mut found_at) = (Vec::new(), None, None);
    // Five seconds of a hundred payments each.
    for tick in 0..500_usize {
        accept(&mut world, tick..tick + 1);
        if tick % 5 == 0 {
            world.poll();
        }
        while let Some(job) = world.jobs.first() {
            times.push(world.now.0);
            match &job.plan {
                Plan::Send(request) if tick >= 200 && lost_at.is_none() && request.target.ends_with("/confirm") => {
                    lost_at = Some(tick);
                    world.work(Gateway::serve_and_lose);
                }
                Plan::Read(_) => {
                    found_at.get_or_insert(tick);
                    world.work(Gateway::serve);
                }
                _ => drop(world.work(Gateway::serve)),
            }
        }
        world.now = world.now.plus_ms(10);
    }
    let most =
        times.iter().map(|from| times.iter().filter(|at| (*from..*from + 1_000_000).contains(*at)).count()).max();
    assert!(most <= Some(40), "{most:?} in one second");
    assert!(times.len() > 5 * 25, "and used: {}", times.len());
    let payments = world.payments();
    let first_open = payments.iter().position(|payment| payment.status != Status::Succeeded).expect("some are open");
    let last_paid = payments.iter().rposition(|payment| payment.status == Status::Succeeded).expect("some are paid");
    // One batch of creates may be between its two steps, and the lost one is found out beside the queue.
    assert!(last_paid <= first_open + 12, "{first_open} is open and {last_paid} paid");
    let (lost_at, found_at) = (lost_at.expect("one was lost"), found_at.expect("and read"));
    assert!(found_at <= lost_at + 10, "lost at {lost_at}, read at {found_at}: reads have room of their own");
    let unpaid = 500 - succeeded(&world);
    run(&mut world, 180_000, Gateway::serve, &Fact::Absent);
    assert_eq!((succeeded(&world), world.gateway.charged().len()), (500, 500), "{unpaid} had waited");
}

#[test]
fn a_storm_of_429_is_not_answered_with_a_storm() {
    let mut world = world(limits());
    accept(&mut world, 0..300);
    let (sent, _) = run(&mut world, 60_000, |_, _| answer(429), &Fact::Absent);
    // Each once, what was saved up, and two in a second.
    assert!((300 + 100..=300 + 20 + 120).contains(&sent), "{sent} requests for 300 payments");
    assert_eq!(world.gateway.seen.len(), 0);
    accept(&mut world, 300..310);
    run(&mut world, 1_000, Gateway::serve, &Fact::Absent);
    assert!(succeeded(&world) >= 10, "first sends do not wait for retries");
    run(&mut world, 300_000, Gateway::serve, &Fact::Absent);
    assert_eq!((succeeded(&world), world.gateway.charged().len()), (310, 310));
    assert_eq!(world.alarms, [""; 0]);
}

#[test]
fn credentials_that_are_refused_for_hours_cost_a_probe_now_and_then() {
    let mut world = world(limits());
    world.permits = 20;
    accept(&mut world, 0..200);
    let (sent, probes) = run(&mut world, 3_600_000, |_, _| answer(401), &Fact::Unauthorised);
    // What was under way before the first answer: the step's and the first poll's.
    assert!(sent < 2 * 20, "{sent} requests were refused");
    assert!((60..=66).contains(&probes), "{probes} probes in an hour");
    let condition = world.condition.as_mut().expect("it has one");
    assert!(condition.is_unauthorised());
    let retries = condition.retries_left(world.now);
    assert_eq!(retries, 20 + sent, "nothing was burnt");
    assert!(world.payments().iter().all(|payment| payment.status == Status::Processing));
    run(&mut world, 120_000, Gateway::serve, &Fact::Absent);
    assert_eq!((succeeded(&world), world.gateway.charged().len(), world.gateway.intents.len()), (200, 200, 200));
    assert!(!world.condition.as_ref().is_some_and(Condition::is_unauthorised));
}

#[test]
fn a_gateway_whose_reads_answer_and_whose_writes_do_not_is_tried_ever_more_rarely() {
    let mut world = world(limits());
    world.permits = 20;
    accept(&mut world, 0..150);
    let writes_fail = |gateway: &mut Gateway, request: &Request| match request.idempotency_key {
        Some(_) => gateway.lose(request),
        None => gateway.serve(request),
    };
    let (sent, probes) = run(&mut world, 600_000, writes_fail, &Fact::Absent);
    assert!((14..=16).contains(&probes), "{probes} probes in ten minutes");
    assert!(sent <= 2 * 20 + 5 * probes, "{sent} requests, five after each probe");
    run(&mut world, 600_000, Gateway::serve, &Fact::Absent);
    assert_eq!((succeeded(&world), world.gateway.charged().len()), (150, 150));
}

/// Two objects that are due to be looked at, one of which may be at a time.
fn to_be_looked_at(limits: Limits) -> World {
    let mut world = refunded();
    world.now = world.now.plus_ms(3_600_000);
    world.permits = 4;
    world.condition = Some(Condition::new(limits, world.now));
    world.poll();
    assert_eq!(world.looks.len(), 1);
    world
}

#[test]
fn looks_stop_where_nothing_may_be_read_and_go_on_after_a_probe() {
    let breaker = breaker::Limits { failures_max: 1, ..limits().breaker };
    let lost = |_: &mut Gateway, _: &Request| Delivery::Lost { loss: Loss::Timeout, reason: "model".into() };
    let refused = |_: &mut Gateway, _: &Request| answer(401);
    for deliver in [lost, refused] {
        let mut world = to_be_looked_at(Limits { breaker, ..limits() });
        world.look(deliver);
        world.poll();
        assert_eq!(world.looks.len(), 0, "another one is due");
        world.now = world.now.plus_ms(breaker.cool_down_ms);
        let (now, condition) = (world.now, world.condition.as_mut().expect("it has one"));
        assert!(condition.take_probe(now));
        condition.probed(&Fact::Absent, now);
        world.poll();
        assert_eq!(world.looks.len(), 1);
    }
}

#[test]
fn looks_take_from_the_rate_of_reads() {
    let rates = Rates { per_second: Some(4), per_second_per_endpoint: None };
    let mut world = to_be_looked_at(Limits { rates, ..limits() });
    world.poll();
    assert_eq!(world.looks.len(), 1, "one of four requests in a second is a read");
    world.now = world.now.plus_ms(1_000);
    world.poll();
    assert_eq!(world.looks.len(), 2);
}

#[test]
fn a_stray_is_canceled_only_where_payments_may_be_sent() {
    let mut world = paid();
    twin(&mut world, "requires_confirmation");
    let mut condition = Condition::new(limits(), world.now);
    let send = Lane::Send { operation: Operation::Payments, step: Step::Confirm, is_again: false };
    (0..3).for_each(|_| condition.report(send, &Fact::Lost(Loss::Timeout), world.now));
    world.condition = Some(condition);
    assert_eq!(world.look_around(), 1, "it is read");
    world.now = world.now.plus_ms(60_000);
    assert_eq!((world.look_around(), world.object("pi_twin").state), (0, ObjectState::Stray));
    let (now, condition) = (world.now, world.condition.as_mut().expect("it has one"));
    assert!(condition.take_probe(now));
    condition.probed(&Fact::Absent, now);
    world.now = world.now.plus_ms(60_000);
    world.poll();
    assert!(matches!(world.looks[0].plan, LookPlan::Cancel(_)), "{:?}", world.looks);
    world.look(Gateway::serve);
    assert_eq!(world.gateway.intents[1]["status"], "canceled");
}
