//! Old bytes: what they are dropped of stays what it was, and says that they are gone.

use crate::objects::{check_sound, paid};
use crate::webhooks::event;
use crate::world::{World, pay};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::rejection::Rejection;
use quittance_core::time::Timestamp;
use quittance_engine::recovery::begin_recovery;
use quittance_engine::submission::{Outcome, Prune, Submission, days_ago};
use quittance_store::records::{EventRow, InboxEntry, JournalEntry};

const DAY_MS: u64 = 24 * 3_600_000;

/// Everything that is older than so many days.
fn prune(world: &World, days: u32) -> Submission {
    let before = days_ago(days, world.now);
    let events = world.all::<InboxEntry>().into_iter().map(|entry| (entry.gateway, entry.event));
    Submission::Prune(Box::new(Prune {
        answers: world.all::<Command>().iter().map(|command| command.id).collect(),
        answered_before: before,
        events: events.collect(),
        received_before: before,
        told: world.all::<EventRow>().into_iter().map(|event| (event.tenant, event.id)).collect(),
        told_before: before,
    }))
}

/// A payment that is done, with its event, and one that is under way.
fn world() -> World {
    let mut world = paid();
    let intent = world.gateway.intents[0].clone();
    world.submit(event("evt_1", "payment_intent.succeeded", &intent));
    world
}

fn tombstones(world: &World) -> usize {
    let is_tombstone = |command: &Command| matches!(command.progress, Progress::Tombstone { .. });
    world.all::<Command>().into_iter().filter(is_tombstone).count()
}

fn pruned(world: &World) -> Vec<bool> {
    world.all::<InboxEntry>().iter().map(InboxEntry::is_pruned).collect()
}

#[test]
fn a_key_whose_answer_is_gone_says_that_it_was_used() {
    let mut world = world();
    world.now = world.now.plus_ms(91 * DAY_MS);
    let (records, payments) = (world.all::<JournalEntry>(), world.payments());
    let all = prune(&world, 90);
    assert!(matches!(world.submit(all.clone()), Outcome::Done));
    assert_eq!((tombstones(&world), pruned(&world)), (world.all::<Command>().len(), vec![true]));
    assert_eq!((world.all::<JournalEntry>(), world.payments()), (records, payments));
    let outcome = world.submit(pay("k", "o").into());
    let Outcome::Refused(Rejection::KeyExpired { command, subject }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((subject, true), (Some(world.payments()[0].id.to_string()), command == world.payments()[0].command));
    let mut other = pay("k", "o");
    other.fingerprint = 9;
    assert!(matches!(world.submit(other.into()), Outcome::Refused(Rejection::KeyReused)));
    let intent = world.gateway.intents[0].clone();
    let again = world.submit(event("evt_1", "payment_intent.succeeded", &intent));
    assert!(matches!(again, Outcome::Duplicate), "an event that comes again is known: {again:?}");
    let before = (world.all::<Command>(), world.all::<InboxEntry>());
    assert!(matches!(world.submit(all), Outcome::Done));
    assert_eq!((world.all::<Command>(), world.all::<InboxEntry>()), before, "there is nothing left to drop");
    check_sound(&mut world);
}

#[test]
fn what_is_young_or_under_way_stays_whatever_is_asked() {
    let mut world = world();
    world.submit(pay("open", "open").into());
    world.now = world.now.plus_ms(29 * DAY_MS);
    let mut all = prune(&world, 0);
    if let Submission::Prune(prune) = &mut all {
        (prune.answered_before, prune.received_before) = (Timestamp(i64::MAX), Timestamp(i64::MAX));
    }
    assert!(matches!(world.submit(all.clone()), Outcome::Done));
    assert_eq!((tombstones(&world), pruned(&world)), (0, vec![false]), "30 days are promised");
    world.now = world.now.plus_ms(2 * DAY_MS);
    assert!(matches!(world.submit(all), Outcome::Done));
    let open = world.all::<Command>().into_iter().filter(|command| command.progress == Progress::InProgress).count();
    assert_eq!((open, pruned(&world)), (1, vec![true]), "what has no answer keeps its question");
    check_sound(&mut world);
}

#[test]
fn what_was_told_goes_when_it_is_old_and_is_sent_no_more() {
    let mut world = world();
    let told = |world: &World| world.all::<EventRow>().iter().map(EventRow::is_pruned).collect::<Vec<_>>();
    let (count, all) = (told(&world).len(), prune(&world, 30));
    assert!(count > 1, "a payment is created and succeeds");
    world.now = world.now.plus_ms(29 * DAY_MS);
    assert!(matches!(world.submit(all), Outcome::Done));
    assert_eq!(told(&world), vec![false; count]);
    world.now = world.now.plus_ms(2 * DAY_MS);
    let all = prune(&world, 30);
    assert!(matches!(world.submit(all), Outcome::Done));
    assert_eq!(told(&world), vec![true; count]);
    check_sound(&mut world);
}

#[test]
fn nothing_is_dropped_while_a_gateway_recovers() {
    let mut world = world();
    world.now = world.now.plus_ms(91 * DAY_MS);
    begin_recovery(&mut world.database.writer(), world.now).expect("a database in memory can be written to");
    world.crash();
    let all = prune(&world, 90);
    let outcome = world.submit(all);
    assert!(matches!(outcome, Outcome::Conflict(_)), "{outcome:?}");
    assert_eq!((tombstones(&world), pruned(&world)), (0, vec![false]));
}
