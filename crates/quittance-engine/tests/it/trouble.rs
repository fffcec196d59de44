//! Objects that are missing or cannot be read, gateways that do not answer, and what operators do about it.

use crate::gateway::Gateway;
use crate::objects::{check_sound, paid, refunded};
use crate::webhooks::event;
use crate::world::{World, pay, swept_page};
use quittance_connectors::message::{Delivery, Response};
use quittance_core::effect::PersonsWord;
use quittance_core::fact::{Loss, ObjectKind};
use quittance_core::payment::Status;
use quittance_engine::submission::{EventGap, EventLog, Listed, Outcome, Replay, Requeue, Submission, Swept};
use quittance_store::records::{
    Discrepancy, DiscrepancyKind, Disposition, EventSource, GatewayObject, InboxEntry, ObjectState, Sweep,
};

const HOUR_MS: u64 = 3_600_000;

fn answered(status: u16, body: &str) -> Delivery {
    Delivery::Answered(Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

fn word() -> PersonsWord {
    PersonsWord { by: "key_1".into(), evidence: String::new(), reason: "the gateway was fixed".into() }
}

fn requeue(object: &str) -> Submission {
    let (gateway, object) = ("stripe".to_owned(), object.to_owned());
    Submission::Requeue(Box::new(Requeue { gateway, object, word: word() }))
}

#[test]
fn a_success_whose_object_is_gone_stays_and_is_said() {
    let mut world = paid();
    let intents = std::mem::take(&mut world.gateway.intents);
    let writes = world.gateway.seen.len();
    world.pass_hours(1);
    assert_eq!(world.open(), [(DiscrepancyKind::MissingAtGateway, "pi_1".to_owned())]);
    assert_eq!(world.object("pi_1").state, ObjectState::Missing);
    assert_eq!((world.payments()[0].status, world.payments()[0].captured_amount), (Status::Succeeded, 1_999));
    let opened_at = world.all::<Discrepancy>()[0].opened_at;
    world.pass_hours(25);
    let again = world.all::<Discrepancy>().remove(0);
    assert_eq!(again.opened_at, opened_at);
    assert!(again.last_seen_at > opened_at);
    assert_eq!((world.alarms.len(), world.gateway.seen.len()), (1, writes), "one alarm, and nothing is charged again");
    // It comes back, and the discrepancy is over.
    world.gateway.intents = intents;
    world.pass_hours(25);
    assert_eq!(world.open(), []);
    assert_eq!(world.object("pi_1").state, ObjectState::Ours);
    check_sound(&mut world);
}

#[test]
fn a_failed_payment_whose_object_is_gone_is_no_discrepancy() {
    let mut world = World::new();
    let mut declining = pay("k", "o");
    declining.method = "pm_card_chargeDeclined".into();
    world.submit(declining.into());
    world.settle();
    world.gateway.intents.clear();
    world.pass_hours(1);
    assert_eq!((world.object("pi_1").state, world.open()), (ObjectState::Missing, Vec::new()));
}

/// Answers every look at this object like that for so many hours.
fn trouble(world: &mut World, object: &str, hours: u64, deliver: impl Fn(&mut Gateway) -> Delivery) {
    for _ in 0..hours * 60 {
        world.now = world.now.plus_ms(60_000);
        world.poll();
        while let Some(look) = world.looks.first() {
            let is_it = look.object.object == object;
            match is_it {
                true => world.look(|gateway, _| deliver(gateway)),
                false => world.look(Gateway::serve),
            };
        }
    }
}

#[test]
fn one_unreadable_object_is_quarantined_and_the_queue_goes_on() {
    let mut world = refunded();
    trouble(&mut world, "re_2", 23, |_| answered(200, "<html>"));
    assert_eq!(world.object("re_2").state, ObjectState::Ours, "not before a day is over");
    trouble(&mut world, "re_2", 30, |_| answered(200, "{}"));
    assert_eq!(world.object("re_2").state, ObjectState::Quarantined);
    assert_eq!(world.open(), [(DiscrepancyKind::Quarantined, "re_2".to_owned())]);
    assert_eq!(world.alarms, ["quarantined"], "one alert");
    assert!(world.object("pi_1").last_read_at.is_some(), "the others went on");
    assert_eq!(world.object("re_2").due_at, None, "it is left alone");
}

#[test]
fn an_object_that_is_asked_for_again_is_read_and_says_who_asked() {
    let mut world = refunded();
    trouble(&mut world, "re_2", 53, |_| answered(200, "[]"));
    assert_eq!(world.object("re_2").state, ObjectState::Quarantined);
    let outcome = world.submit(requeue("re_2"));
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    world.look_around();
    assert_eq!((world.object("re_2").state, world.open()), (ObjectState::Ours, Vec::new()));
    let audit: Vec<InboxEntry> = world.all();
    let entry = audit.iter().find(|entry| entry.source == EventSource::Operator).expect("an audit entry");
    assert_eq!((entry.kind.as_str(), entry.object.as_deref()), ("quittance.requeue", Some("re_2")));
    assert!(String::from_utf8_lossy(&entry.body).contains("by: key_1\nreason: the gateway was fixed"));
    let outcome = world.submit(requeue("pi_nobody"));
    assert!(matches!(outcome, Outcome::Conflict(_)), "{outcome:?}");
    check_sound(&mut world);
}

#[test]
fn outages_limits_and_bad_credentials_never_count() {
    for status in [429, 401, 500, 503] {
        let mut world = refunded();
        trouble(&mut world, "re_2", 40, |_| answered(status, "{}"));
        let row = world.object("re_2");
        assert_eq!((row.state, row.tries, world.open()), (ObjectState::Ours, 0, Vec::new()), "{status}");
        assert!(row.due_at.is_some_and(|due_at| due_at <= world.now.plus_ms(HOUR_MS)), "{status}");
    }
    let mut world = refunded();
    trouble(&mut world, "re_2", 40, |_| Delivery::Lost { loss: Loss::Timeout, reason: "model".into() });
    assert_eq!((world.object("re_2").tries, world.open()), (0, Vec::new()));
}

#[test]
fn looks_that_a_dead_process_left_are_taken_up() {
    let mut world = refunded();
    world.now = world.now.plus_ms(HOUR_MS);
    world.poll();
    assert!(!world.looks.is_empty());
    world.crash();
    assert!(world.look_around() > 0, "at once, not when the lease has ended");
}

#[test]
fn nothing_is_looked_at_without_permits() {
    let mut world = refunded();
    world.now = world.now.plus_ms(HOUR_MS);
    world.permits = 0;
    world.poll();
    assert!(world.looks.is_empty());
}

#[test]
fn a_stored_event_is_applied_again_without_a_second_effect() {
    let mut world = paid();
    let intent = world.gateway.intents[0].clone();
    world.submit(event("evt_1", "payment_intent.succeeded", &intent));
    let Submission::Webhook(stored) = event("evt_1", "payment_intent.succeeded", &intent) else { panic!("an event") };
    let before = world.payments();
    let replay = Replay { gateway: "stripe".into(), event: stored.event.clone(), word: word() };
    let outcome = world.submit(Submission::Replay(Box::new(replay)));
    assert!(matches!(outcome, Outcome::Applied { ref answered, alarm: None } if answered.is_empty()), "{outcome:?}");
    assert_eq!(world.payments(), before);
    let entries: Vec<InboxEntry> = world.all();
    let entry = entries.iter().find(|entry| entry.event == "evt_1").expect("stored");
    assert_eq!((entry.disposition, entry.secret.as_deref()), (Disposition::Applied, Some("env:SECRET")));
    let unknown = Replay { gateway: "other".into(), event: stored.event, word: word() };
    assert!(matches!(world.submit(Submission::Replay(Box::new(unknown))), Outcome::Conflict(_)));
    check_sound(&mut world);
}

#[test]
fn a_gap_in_the_log_of_events_is_open_until_everything_was_looked_at() {
    let mut world = paid();
    let sweep = Sweep::new("stripe".into(), Sweep::EVENTS.into());
    let swept =
        |gap| Submission::Swept(Box::new(Swept { upon: None, sweep: sweep.clone(), listed: None, gap, log: None }));
    world.submit(swept(Some(EventGap::Open { detail: "31 days".into() })));
    assert_eq!(world.open(), [(DiscrepancyKind::EventRetentionGap, Discrepancy::EVENTS.to_owned())]);
    world.submit(swept(None));
    assert_eq!(world.open().len(), 1);
    world.submit(swept(Some(EventGap::Closed)));
    assert_eq!(world.open(), []);
    assert_eq!(world.all::<Sweep>(), [sweep]);
}

#[test]
fn a_log_that_cannot_be_read_is_open_until_it_can() {
    let mut world = paid();
    let sweep = Sweep::new("stripe".into(), Sweep::EVENTS.into());
    let swept =
        |log| Submission::Swept(Box::new(Swept { upon: None, sweep: sweep.clone(), listed: None, gap: None, log }));
    world.submit(swept(Some(EventLog::Unreadable { detail: "evt_1 cannot be read".into() })));
    assert_eq!(world.open(), [(DiscrepancyKind::EventsUnreadable, Discrepancy::EVENTS.to_owned())]);
    world.submit(swept(None));
    assert_eq!(world.open().len(), 1);
    world.submit(swept(Some(EventLog::Readable)));
    assert_eq!(world.open(), []);
}

#[test]
fn a_full_sweep_looks_at_what_is_known_too() {
    let mut world = paid();
    world.pass_hours(24 * 6);
    assert_eq!(world.object("pi_1").due_at, None);
    let listed = |is_full| {
        let (gateway, objects) = ("stripe".to_owned(), vec!["pi_1".to_owned()]);
        swept_page(Listed { gateway, kind: ObjectKind::Payment, objects, is_full })
    };
    world.submit(listed(false));
    assert_eq!(world.look_around(), 0);
    world.submit(listed(true));
    assert_eq!(world.look_around(), 1);
    assert_eq!(world.all::<GatewayObject>().len(), 2, "the payment and its charge");
}
