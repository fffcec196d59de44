//! Events about objects that cannot be read: the object is looked at, and given to a person when it stays so.

use crate::gateway::Gateway;
use crate::objects::paid;
use crate::webhooks::event;
use crate::world::World;
use quittance_core::dispute::Dispute;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::records::{DiscrepancyKind, Disposition, GatewayObject, InboxEntry, ObjectState};
use serde_json::{Value, json};

fn disposition(world: &World, event: &str) -> Disposition {
    let inbox: Vec<InboxEntry> = world.all();
    inbox.into_iter().find(|entry| entry.event == event).expect("it is stored").disposition
}

/// A paid payment that was disputed, and the gateway's word of it.
fn disputed() -> (World, Value) {
    let mut world = paid();
    world.gateway.dispute("needs_response");
    world.gateway.move_disputed("txn_1", -1_999, 1_500);
    let dispute = world.gateway.disputes[0].clone();
    (world, dispute)
}

fn opened(object: &Value) -> Submission {
    event("evt_1", "charge.dispute.created", object)
}

/// Changes of a dispute that make it unreadable: each lacks something without which its money cannot be booked.
fn unreadable(dispute: &Value) -> Vec<Value> {
    // In the currency of the account's balance; Stripe writes ISK with two digits, which have to be 00.
    let fraction = json!([{"id": "txn_1", "amount": -276_155, "currency": "isk", "fee": 0, "created": 1_800_000_000}]);
    let unknown = json!([{"id": "txn_1", "amount": -1, "currency": "zzz", "fee": 0, "created": 1_800_000_000}]);
    let changes =
        [("balance_transactions", fraction), ("balance_transactions", unknown), ("evidence_details", json!({}))];
    changes
        .into_iter()
        .map(|(name, value)| {
            let mut changed = dispute.clone();
            changed[name] = value;
            changed
        })
        .collect()
}

#[test]
fn a_dispute_that_an_event_shows_unreadably_is_read_and_booked() {
    let (_, dispute) = disputed();
    for shown in unreadable(&dispute) {
        let (mut world, _) = disputed();
        let outcome = world.submit(opened(&shown));
        assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
        assert_eq!(disposition(&world, "evt_1"), Disposition::Fetch);
        world.look_around();
        assert_eq!(world.all::<Dispute>().len(), 1, "{shown}");
        assert_eq!((world.payments()[0].disputed_amount, world.open()), (1_999, Vec::new()), "{shown}");
    }
}

#[test]
fn a_dispute_that_stays_unreadable_is_given_to_a_person() {
    let (_, dispute) = disputed();
    for shown in unreadable(&dispute) {
        let (mut world, _) = disputed();
        world.gateway.disputes[0] = shown.clone();
        world.submit(opened(&shown));
        assert_eq!(world.object("dp_1").state, ObjectState::Unread);
        world.pass_hours(48);
        assert_eq!(world.object("dp_1").state, ObjectState::Quarantined, "{shown}");
        assert_eq!(world.open(), [(DiscrepancyKind::Quarantined, "dp_1".to_owned())], "{shown}");
        assert_eq!(world.alarms, ["quarantined"], "{shown}");
    }
}

#[test]
fn a_payment_of_somebody_else_that_cannot_be_read_is_no_business_of_ours() {
    let mut world = paid();
    let mut foreign = world.gateway.intents[0].clone();
    (foreign["id"], foreign["currency"], foreign["metadata"]) = ("pi_9".into(), "zzz".into(), json!({}));
    world.submit(event("evt_1", "payment_intent.succeeded", &foreign));
    assert_eq!(disposition(&world, "evt_1"), Disposition::Ignored);
    // What carries an effect's id says that it is ours.
    let mut ours = world.gateway.intents[0].clone();
    (ours["id"], ours["currency"]) = ("pi_10".into(), "zzz".into());
    world.gateway.others.push(ours.clone());
    world.submit(event("evt_2", "payment_intent.succeeded", &ours));
    world.pass_hours(48);
    assert_eq!(world.open(), [(DiscrepancyKind::Quarantined, "pi_10".to_owned())]);
    assert!(world.all::<GatewayObject>().iter().all(|row| row.object != "pi_9"));
}

#[test]
fn an_unreadable_dispute_is_made_known_by_one_event_and_read_by_one_look() {
    let (mut world, dispute) = disputed();
    let shown = unreadable(&dispute).remove(0);
    let again = event("evt_2", "charge.dispute.funds_withdrawn", &shown);
    world.submit_all(vec![opened(&shown), again]);
    world.poll();
    assert_eq!(world.looks.iter().filter(|look| look.object.object == "dp_1").count(), 1);
    while !world.looks.is_empty() {
        world.look(Gateway::serve);
    }
    assert_eq!(world.all::<Dispute>().len(), 1);
}
