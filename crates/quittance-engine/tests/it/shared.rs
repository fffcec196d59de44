//! Processes that share the books: one era, one clock, brakes for all, and leases that run out by themselves.

mod hiccups;
mod losses;

use crate::gateway::Gateway;
use crate::world::{World, engine, pay, refund};
use quittance_core::effect::{Effect, State, Subject};
use quittance_core::time::Timestamp;
use quittance_engine::brakes::Brakes;
use quittance_engine::clocks::{Change, Reading};
use quittance_engine::engine::Engine;
use quittance_engine::ports::Clock;
use quittance_engine::room::{Permits, Room};
use quittance_engine::submission::{Outcome, Submission, Swept};
use quittance_engine::verify::verify;
use quittance_store::records::{ClockMark, Sweep, Switch};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The clock of one machine: its own wall clock counts for nothing, its steady clock for everything.
struct Machine {
    name: &'static str,
    steady_ms: Arc<AtomicI64>,
    followed: (Timestamp, i64),
}

impl Clock for Machine {
    fn reading(&mut self) -> Reading {
        let steady_ms = self.steady_ms.load(Ordering::Relaxed);
        let (time, heard_ms) = self.followed;
        Reading { wall: Timestamp(time.0 + (steady_ms - heard_ms) * 1_000), boot: self.name.into(), steady_ms }
    }

    fn follow(&mut self, time: Timestamp) {
        self.followed = (time, self.steady_ms.load(Ordering::Relaxed));
    }
}

/// A world whose process shares its books with another one, on another machine.
struct Pair {
    world: World,
    other: Engine,
    /// What the database says, and how much time has passed on every machine.
    time: Arc<AtomicI64>,
    steady_ms: Arc<AtomicI64>,
}

impl Pair {
    fn new() -> Self {
        let mut world = World::new();
        let time = Arc::new(AtomicI64::new(world.now.0));
        let steady_ms = Arc::new(AtomicI64::new(5_000));
        let process = |number, name| {
            let store = Box::new(world.database.shared_writer(&time));
            let clock = Machine { name, steady_ms: Arc::clone(&steady_ms), followed: (Timestamp(0), 0) };
            let mut engine = engine(store, number, None, &Brakes::default()).with_clock(Box::new(clock));
            let nonsense = Reading { wall: Timestamp(0), boot: name.into(), steady_ms: 5_000 };
            let started = engine.start(&nonsense).expect("the store works");
            assert_eq!(started.doubt, Some(Change::Machine));
            engine
        };
        let (first, other) = (process(101, "here"), process(102, "there"));
        world.engine = first;
        world.has_own_clock = true;
        let mut pair = Self { world, other, time, steady_ms };
        pair.pass(0);
        pair
    }

    /// So much time passes, everywhere.
    fn pass(&mut self, by_ms: i64) {
        self.time.fetch_add(by_ms * 1_000, Ordering::Relaxed);
        self.steady_ms.fetch_add(by_ms, Ordering::Relaxed);
        self.world.now = Timestamp(self.time.load(Ordering::Relaxed));
    }

    /// The clock of the database is set.
    fn set_clock(&mut self, by_ms: i64) {
        self.time.fetch_add(by_ms * 1_000, Ordering::Relaxed);
        self.world.now = Timestamp(self.time.load(Ordering::Relaxed));
    }

    /// The other process goes on, and this one rests.
    fn swap(&mut self) {
        std::mem::swap(&mut self.world.engine, &mut self.other);
    }

    /// The process that goes on looks what time it is.
    fn look(&mut self) {
        let now = self.world.now;
        self.world.read_clocks();
        assert_eq!(now, self.world.now, "the clock of the database");
    }

    /// Steps without looking at the clock before, as a process does that looked a moment ago.
    fn submit(&mut self, submission: Submission) -> Outcome {
        let mut permits = Permits(BTreeMap::from([("stripe".to_owned(), Room::of_places(100))]));
        let mut step = self.world.engine.step(self.world.now, vec![submission], &mut permits).expect("the store works");
        self.world.jobs.extend(step.jobs);
        step.outcomes.remove(0)
    }

    fn poll(&mut self) {
        let mut permits = Permits(BTreeMap::from([("stripe".to_owned(), Room::of_places(100))]));
        let step = self.world.engine.poll(self.world.now, &mut permits).expect("the store works");
        self.world.jobs.extend(step.jobs);
        self.world.looks.extend(step.looks);
    }

    fn era(&self) -> u32 {
        let marks = self.world.all::<ClockMark>();
        marks.iter().find(|mark| mark.name == ClockMark::ERA).expect("there is an era").era.number
    }

    fn effect(&self) -> Effect {
        self.world.all::<Effect>().pop().expect("there is one")
    }

    fn check(&self) {
        let report = verify(&mut self.world.database.reader(), &mut |_| {}).expect("readable");
        assert!(report.findings.is_empty(), "{report:?}");
    }
}

#[test]
fn whoever_joins_from_another_machine_begins_an_era_that_all_go_on_in() {
    let mut pair = Pair::new();
    let era = pair.era();
    // The first process has not heard of it.
    assert!(matches!(pair.submit(pay("k", "o").into()), Outcome::Accepted { .. }));
    assert_eq!((pair.effect().era, pair.era()), (era, era));
    assert_eq!(pair.world.jobs.len(), 1, "what was decided again began once");
    pair.swap();
    assert!(matches!(pair.submit(pay("k2", "o2").into()), Outcome::Accepted { .. }));
    assert_eq!(pair.era(), era, "nobody begins another");
    pair.world.settle();
    assert_eq!(pair.world.gateway.charged().len(), 2);
    pair.check();
}

#[test]
fn a_process_that_comes_back_to_its_machine_goes_on_in_the_same_era() {
    let mut pair = Pair::new();
    let era = pair.era();
    pair.pass(MINUTE_MS / 2);
    pair.look();
    let store = Box::new(pair.world.database.shared_writer(&pair.time));
    let clock = Machine { name: "there", steady_ms: Arc::clone(&pair.steady_ms), followed: (Timestamp(0), 0) };
    let mut back = engine(store, 103, None, &Brakes::default()).with_clock(Box::new(clock));
    let started = back.start(&Reading { wall: Timestamp(0), boot: "there".into(), steady_ms: 0 });
    assert_eq!((started.expect("the store works").doubt, pair.era()), (None, era));
}

#[test]
fn a_jump_of_the_databases_clock_ends_the_era_for_all_before_anything_is_dated_by_it() {
    for by_ms in [12 * HOUR_MS, -12 * HOUR_MS] {
        let mut pair = Pair::new();
        pair.world.submit(pay("k", "o").into());
        pair.world.settle();
        pair.world.submit(refund(&pair.world, "r", "r", 700));
        // Carried out, and the answer lost.
        pair.world.work(Gateway::serve_and_lose);
        pair.world.jobs.clear();
        pair.world.changes.clear();
        let era = pair.era();
        pair.swap();
        pair.look();
        pair.set_clock(by_ms);
        pair.pass(2_000);
        pair.swap();
        pair.look();
        assert_eq!(pair.era(), era + 1, "{by_ms}");
        // The other one asked a moment ago, and believes what it heard. It must not decide by it.
        pair.swap();
        pair.pass(500);
        let before = pair.era();
        let stale = Timestamp(pair.world.now.0 - by_ms * 1_000);
        let mut permits = Permits(BTreeMap::from([("stripe".to_owned(), Room::of_places(100))]));
        let step = pair.world.engine.step(stale, vec![pay("k2", "o2").into()], &mut permits).expect("the store works");
        assert!(matches!(step.outcomes[..], [Outcome::Accepted { .. }]), "{:?}", step.outcomes);
        let paid = pair.effect();
        assert!(paid.era > before, "it saw the jump itself: {} after {before}", paid.era);
        assert!(paid.created_at >= Timestamp(pair.world.now.0 - 1_000_000), "dated by the new clock");
        pair.world.jobs.extend(step.jobs);
        pair.look();
        let jump = by_ms.unsigned_abs();
        let seen = if by_ms > 0 { Change::Ahead(jump) } else { Change::Back(jump) };
        assert_eq!(pair.world.changes, [seen, seen]);
        // What is unknown is found out about, and done once.
        for _ in 0..60 * 4 {
            pair.pass(15 * MINUTE_MS);
            pair.look();
            pair.poll();
            pair.world.work_all();
            while !pair.world.looks.is_empty() {
                pair.world.look(Gateway::serve);
            }
        }
        assert_eq!(pair.world.gateway.refunds().count(), 1, "{by_ms}");
        let refunds = |effect: &Effect| matches!(effect.subject, Subject::Refund(_));
        let refunded = pair.world.all::<Effect>().into_iter().find(refunds).expect("there is one");
        assert_eq!(refunded.state, State::Succeeded, "{by_ms}");
        pair.check();
    }
}

#[test]
fn a_pause_by_one_holds_the_other_back() {
    let mut pair = Pair::new();
    let (reason, by, changed_at) = (None, "operator".to_owned(), pair.world.now);
    let switch = Switch { name: Switch::EVERYTHING.into(), is_paused: true, reason, by, changed_at };
    assert!(matches!(pair.submit(Submission::SetSwitch(Box::new(switch.clone()))), Outcome::Done));
    pair.swap();
    pair.poll();
    assert!(pair.world.engine.paused().holds_back("stripe"));
    assert!(matches!(pair.submit(pay("k", "o").into()), Outcome::Accepted { .. }));
    assert_eq!(pair.world.jobs.len(), 0);
    let resumed = Switch { is_paused: false, ..switch };
    pair.swap();
    assert!(matches!(pair.submit(Submission::SetSwitch(Box::new(resumed))), Outcome::Done));
    pair.swap();
    pair.poll();
    assert_eq!(pair.world.jobs.len(), 1);
}

/// Neither has it looked since, nor has the lane of its process that looks for it.
#[test]
fn a_pause_by_one_holds_back_whoever_decides_after_it() {
    let mut pair = Pair::new();
    let before = pair.other.outlook();
    let (reason, by, changed_at) = (None, "operator".to_owned(), pair.world.now);
    let switch = Switch { name: Switch::EVERYTHING.into(), is_paused: true, reason, by, changed_at };
    assert!(matches!(pair.submit(Submission::SetSwitch(Box::new(switch))), Outcome::Done));
    pair.swap();
    for key in ["first", "second"] {
        pair.world.engine.follow(before.clone()).expect("the store works");
        assert!(matches!(pair.submit(pay(key, key).into()), Outcome::Accepted { .. }));
        assert_eq!(pair.world.jobs.len(), 0, "{key}");
    }
    pair.check();
}

#[test]
fn whoever_slept_past_its_lease_is_fenced_and_what_it_saw_is_kept() {
    let mut pair = Pair::new();
    pair.submit(pay("k", "o").into());
    let asleep = pair.world.jobs.remove(0);
    pair.swap();
    pair.poll();
    assert!(pair.world.jobs.is_empty(), "the lease of another is respected");
    pair.pass(31_000);
    pair.look();
    pair.poll();
    assert_eq!(pair.world.jobs.len(), 1, "it has run out");
    pair.world.settle();
    let journal = pair.world.records();
    pair.swap();
    pair.world.jobs = vec![asleep];
    assert!(matches!(pair.world.work(Gateway::serve), Outcome::Fenced));
    assert_eq!(pair.world.records(), journal + 1, "what it saw is kept");
    assert_eq!(pair.world.gateway.charged().len(), 1);
    pair.check();
}

#[test]
fn of_two_who_follow_one_list_the_second_writes_nothing_over() {
    let mut pair = Pair::new();
    let begun = Sweep::new("stripe".into(), Sweep::EVENTS.into());
    let swept = |upon: &Sweep, cursor| {
        let sweep = Sweep { cursor: Some(cursor), ..begun.clone() };
        let swept = Swept { upon: Some(upon.clone()), sweep: sweep.clone(), listed: None, gap: None, log: None };
        (sweep, Submission::Swept(Box::new(swept)))
    };
    let (first, submission) = swept(&begun, 10);
    assert!(matches!(pair.submit(submission), Outcome::Applied { .. }));
    pair.swap();
    let (_, late) = swept(&begun, 7);
    assert!(matches!(pair.submit(late), Outcome::Conflict(_)));
    assert_eq!(pair.world.all::<Sweep>(), std::slice::from_ref(&first));
    let (second, next) = swept(&first, 20);
    assert!(matches!(pair.submit(next), Outcome::Applied { .. }));
    assert_eq!(pair.world.all::<Sweep>(), [second]);
}

#[test]
fn commits_that_were_lost_hold_everybody_back_before_anything_is_decided() {
    let mut pair = Pair::new();
    let since = pair.world.now;
    pair.pass(MINUTE_MS);
    let era = pair.era();
    pair.world.engine.recover_from_loss(since).expect("the store works");
    assert_eq!(pair.era(), era + 1);
    // The other process has not looked since, and hears of it with the first thing that it decides.
    pair.swap();
    assert!(!pair.world.engine.paused().is_recovering("stripe"));
    assert!(matches!(pair.submit(pay("k", "o").into()), Outcome::Accepted { .. }));
    assert!(pair.world.engine.paused().is_recovering("stripe"));
    pair.poll();
    assert!(pair.world.jobs.is_empty(), "{:?}", pair.world.jobs);
    for sweep in pair.world.all::<Sweep>() {
        assert_eq!(sweep.cursor, Some(since.seconds() - 3_600), "{sweep:?}");
    }
    // Whoever lost less, and says so later, changes nothing.
    let switches = pair.world.all::<Switch>();
    pair.world.engine.recover_from_loss(Timestamp(since.0 - 1)).expect("the store works");
    assert_eq!(pair.world.all::<Switch>(), switches);
    let recovery = switches.iter().find(|switch| switch.recovers() == Some("stripe")).expect("it recovers").clone();
    pair.submit(Submission::SetSwitch(Box::new(Switch { is_paused: false, ..recovery })));
    pair.world.settle();
    assert_eq!(pair.world.gateway.charged().len(), 1);
    pair.check();
}
