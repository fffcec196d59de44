//! Clocks that are set, machines that are started anew, and backups: what was sent is never sent twice because of them.

use crate::gateway::Gateway;
use crate::objects::paid;
use crate::searches::{charges, error_500};
use crate::webhooks::event_made;
use crate::world::{World, pay, refund};
use quittance_connectors::message::{Delivery, Response};
use quittance_core::effect::{Effect, Source, State, Stimulus, Subject};
use quittance_core::fact::ObjectKind;
use quittance_core::time::Timestamp;
use quittance_engine::clocks::Change;
use quittance_engine::submission::{Find, Job, LearnedFact, Plan, Submission};
use quittance_engine::verify::verify;
use quittance_store::records::{ClockMark, GatewayObject};
use serde_json::json;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const HOURS_MS: fn(i64) -> i64 = |hours| hours * 3_600_000;

/// A payment that succeeded, and a refund of it that was carried out and whose answer was lost.
fn refunded_and_lost(mut world: World) -> World {
    world.submit(refund(&world, "r", "r", 700));
    world.work(Gateway::serve_and_lose);
    world
}

fn refunds_at_gateway(world: &World) -> usize {
    world.gateway.refunds().count()
}

fn refund_effect(world: &World) -> Effect {
    let refunds = |effect: &Effect| matches!(effect.subject, Subject::Refund(_));
    world.all::<Effect>().into_iter().find(refunds).expect("there is one")
}

fn charge_effect(world: &World) -> Effect {
    world.all::<Effect>().pop().expect("there is one")
}

/// Works honestly for so many hours, a quarter of an hour at a time.
fn live(world: &mut World, hours: u64) {
    for _ in 0..hours * 4 {
        world.now = world.now.plus_ms(15 * MINUTE_MS);
        world.poll();
        while !world.jobs.is_empty() || !world.looks.is_empty() {
            world.work_all();
            while !world.looks.is_empty() {
                world.look(Gateway::serve);
            }
        }
    }
}

#[track_caller]
fn check_refunded_once(world: &mut World) {
    live(world, 60);
    assert_eq!(refunds_at_gateway(world), 1);
    assert_eq!(refund_effect(world).state, State::Succeeded, "{:?}", refund_effect(world));
    let report = verify(&mut world.database.reader(), &mut |_| {}).expect("readable");
    assert!(report.findings.is_empty(), "{report:?}");
}

#[test]
fn a_clock_that_was_right_again_after_a_day_off_sends_no_forgotten_key() {
    let mut world = paid();
    world.set_clock(HOURS_MS(12));
    world = refunded_and_lost(world);
    // Nobody is here for 25 hours, and the clock is set right meanwhile: 13 hours, it says, have passed.
    world.now = world.now.plus_ms(25 * HOUR_MS);
    world.set_clock(-HOURS_MS(12));
    world.gateway.forget_keys();
    world.crash();
    assert_eq!(world.changes, [Change::Ahead(12 * HOUR_MS), Change::Back(12 * HOUR_MS)]);
    world.poll();
    let [job] = &world.jobs[..] else { panic!("{:?}", world.jobs) };
    let Plan::Find(Find { created_from: None, .. }) = &job.plan else { panic!("{:?}", job.plan) };
    check_refunded_once(&mut world);
}

#[test]
fn a_clock_set_back_under_a_running_process_sends_no_forgotten_key() {
    let mut world = paid();
    world.set_clock(HOURS_MS(12));
    world = refunded_and_lost(world);
    world.jobs.clear();
    for _ in 0..25 {
        world.now = world.now.plus_ms(HOUR_MS);
        world.read_clocks();
    }
    world.set_clock(-HOURS_MS(12));
    world.gateway.forget_keys();
    check_refunded_once(&mut world);
    assert_eq!(world.changes, [Change::Ahead(12 * HOUR_MS), Change::Back(12 * HOUR_MS)]);
}

#[test]
fn a_machine_that_is_started_anew_doubts_how_long_it_was_away() {
    let mut world = refunded_and_lost(paid());
    world.boot += 1;
    world.gateway.forget_keys();
    world.now = world.now.plus_ms(MINUTE_MS);
    world.crash();
    assert_eq!(world.changes, [Change::Machine]);
    check_refunded_once(&mut world);
}

#[test]
fn a_process_that_is_back_within_a_minute_replays_under_the_same_key() {
    let mut world = refunded_and_lost(paid());
    world.now = world.now.plus_ms(MINUTE_MS / 2);
    world.crash();
    assert_eq!(world.changes, []);
    world.poll();
    assert!(matches!(&world.jobs[0].plan, Plan::Send(_)), "{:?}", world.jobs);
    check_refunded_once(&mut world);
}

/// A charge that the gateway answered with an error of its own, and what is asked once the clock is a day ahead.
#[test]
fn a_clock_set_ahead_proves_no_absence() {
    let mut world = charges();
    world.submit(pay("k", "o").into());
    world.work(|_, _| error_500());
    let sent = world.now;
    world.set_clock(HOURS_MS(25));
    let passed_ms = |world: &World| world.now.ms_since(sent) - 25 * HOUR_MS;
    loop {
        world.poll();
        while let Some(job) = world.jobs.pop() {
            if let Plan::Send(_) = &job.plan {
                assert!(passed_ms(&world) >= 24 * HOUR_MS, "sent again after {} ms", passed_ms(&world));
                assert_eq!(world.changes, [Change::Ahead(25 * HOUR_MS)]);
                return;
            }
            let fact = LearnedFact { effect: job.effect, source: Source::Find, stimulus: Stimulus::Found(None) };
            world.submit(Submission::Learned(Box::new(fact)));
        }
        world.now = world.now.plus_ms(15 * MINUTE_MS);
        assert!(passed_ms(&world) < 30 * HOUR_MS, "absence is proven in the end");
    }
}

#[test]
fn what_is_made_while_the_clock_is_ahead_is_searched_for_as_far_back_as_it_is() {
    let mut world = charges();
    let truth = world.now;
    world.set_clock(HOURS_MS(26));
    world.submit(pay("k", "o").into());
    world.work(|_, _| error_500());
    let Plan::Find(Find { created_from: Some(from), .. }) = &world.jobs[0].plan else { panic!("{:?}", world.jobs) };
    assert!(*from <= truth.seconds() - 3_600, "the gateway's clock is right, and may be an hour off: {from}");
}

/// From where it is searched after the clock was set ahead by a day and an event was heard of that was made at this second.
fn searched_from(made: impl Fn(&World) -> i64) -> (World, i64) {
    let mut world = charges();
    world.set_clock(HOURS_MS(26));
    world.read_clocks();
    let object = json!({"id": "ch_theirs", "object": "charge", "metadata": {}});
    world.submit(event_made("evt_1", "charge.updated", &object, made(&world)));
    world.submit(pay("k", "o").into());
    world.work(|_, _| error_500());
    let Plan::Find(Find { created_from: Some(from), .. }) = &world.jobs[0].plan else { panic!("{:?}", world.jobs) };
    let from = *from;
    (world, from)
}

#[test]
fn a_clock_that_was_set_right_is_no_longer_thought_to_be_ahead_once_a_gateway_tells() {
    let (world, from) = searched_from(|world| world.now.seconds() - 5);
    assert!(from >= world.now.seconds() - 4 * 3_600, "{from}");
    let (world, from) = searched_from(|world| world.now.seconds() - 26 * 3_600);
    assert!(
        from <= world.now.seconds() - 27 * 3_600,
        "what was made a day ago by our clock may have been made now: {from}"
    );
}

#[test]
fn a_clock_set_ahead_ends_no_looks_before_their_time() {
    check_looks_last(|_| {});
}

#[test]
fn that_the_clock_is_right_after_it_was_behind_ends_no_looks_either() {
    check_looks_last(|world| {
        let object = json!({"id": "ch_theirs", "object": "charge", "metadata": {}});
        world.submit(event_made("evt_1", "charge.updated", &object, world.now.seconds()));
    });
}

/// What is known since a clock that is then set ahead by a day is looked at until three days have passed.
fn check_looks_last(hear: impl Fn(&mut World)) {
    let mut world = paid();
    live(&mut world, 1);
    world.set_clock(HOURS_MS(26));
    world.read_clocks();
    hear(&mut world);
    live(&mut world, 60);
    let charge = world.all::<GatewayObject>().into_iter().find(|row| row.kind == ObjectKind::Charge);
    let last = charge.and_then(|row| Some(row.last_read_at?.ms_since(row.status_since?))).expect("it was looked at");
    assert!(last > (26 + 47) * HOUR_MS, "the last look comes on the third day: {last}");
    live(&mut world, 48);
    let watched = world.all::<GatewayObject>().into_iter().filter(|row| row.due_at.is_some());
    assert_eq!(watched.count(), 0, "nothing is looked at for ever");
}

#[test]
fn a_search_that_began_before_the_clock_was_set_back_proves_nothing() {
    let mut world = charges();
    world.submit(pay("k", "o").into());
    world.work(|_, _| error_500());
    let mut job = world.jobs.remove(0);
    world.set_clock(HOURS_MS(-25));
    let fact = |job: &Job| {
        let fact = LearnedFact { effect: job.effect, source: Source::Find, stimulus: Stimulus::Found(None) };
        Submission::Learned(Box::new(fact))
    };
    world.submit(fact(&job));
    assert_eq!(charge_effect(&world).state, State::Unknown);
    world.now = world.now.plus_ms(2 * HOUR_MS);
    world.poll();
    job = world.jobs.remove(0);
    assert!(matches!(job.plan, Plan::Find(_)), "{job:?}");
    world.submit(fact(&job));
    assert_eq!(charge_effect(&world).state, State::Unknown, "a day has to pass by the clock as it is now");
}

#[test]
fn a_clock_that_ran_ahead_strands_nothing_of_a_running_process() {
    let mut world = paid();
    world.set_clock(HOURS_MS(365 * 24));
    world.submit(refund(&world, "r", "r", 700));
    world.work(Gateway::lose);
    world.work(Gateway::lose);
    world.set_clock(-HOURS_MS(365 * 24));
    world.poll();
    assert_eq!(world.jobs.len(), 1, "{:?}", refund_effect(&world));
    let lost = world.engine.survey(world.now).expect("the store works")["stripe"].unknown_since;
    assert!(lost.is_some_and(|at| at <= world.now), "{lost:?}");
    check_refunded_once(&mut world);
}

#[test]
fn what_was_refused_before_the_clock_was_set_back_has_a_whole_window_for_its_key() {
    let mut world = paid();
    world.set_clock(HOURS_MS(365 * 24));
    world.submit(refund(&world, "r", "r", 700));
    let body = br#"{"error": {"type": "rate_limit_error", "code": "rate_limit"}}"#;
    let throttled = Response { status: 429, headers: Vec::new(), body: body.to_vec() };
    world.work(move |_, _| Delivery::Answered(throttled.clone()));
    assert_eq!(refund_effect(&world).state, State::Intended);
    world.set_clock(-HOURS_MS(365 * 24));
    world.poll();
    world.work(Gateway::serve_and_lose);
    let first = refund_effect(&world).first_sent_at.expect("it was sent");
    assert_eq!(first, world.now, "the gateway knows its key since now");
    check_refunded_once(&mut world);
}

/// The database as a backup has it: a refund was accepted and not yet sent. It was sent after that.
fn restored(hours: u64) -> World {
    let mut world = paid();
    world.permits = 0;
    world.submit(refund(&world, "r", "r", 700));
    let backup = world.database.backup();
    world.permits = 100;
    live(&mut world, 1);
    assert_eq!(refunds_at_gateway(&world), 1);
    world.now = world.now.plus_ms(hours * HOUR_MS);
    world.database = backup;
    world.gateway.forget_keys();
    world.crash();
    world
}

#[test]
fn a_refund_that_a_backup_does_not_know_of_is_searched_for_where_its_key_is_forgotten() {
    let mut world = restored(30);
    assert!(matches!(world.changes[..], [Change::Away(_)]), "{:?}", world.changes);
    world.poll();
    assert!(world.jobs.iter().all(|job| !matches!(job.plan, Plan::Send(_))), "{:?}", world.jobs);
    check_refunded_once(&mut world);
}

#[test]
fn what_waited_for_days_and_is_nowhere_to_be_found_is_sent_in_the_end() {
    let mut world = paid();
    world.permits = 0;
    world.submit(refund(&world, "r", "r", 700));
    world.now = world.now.plus_ms(30 * HOUR_MS);
    world.crash();
    world.permits = 100;
    check_refunded_once(&mut world);
}

#[test]
fn the_clock_is_written_down_now_and_then() {
    let mut world = paid();
    let mark = |world: &World| world.all::<ClockMark>().pop().expect("one row");
    let before = mark(&world);
    world.now = world.now.plus_ms(9_000);
    world.read_clocks();
    assert_eq!(mark(&world), before);
    world.now = world.now.plus_ms(2_000);
    world.read_clocks();
    assert_eq!(mark(&world).wall, world.now);
    assert_eq!(mark(&world).era, before.era);
    assert_eq!(before.era.began_at, Timestamp::from_seconds(1_800_000_000));
}
