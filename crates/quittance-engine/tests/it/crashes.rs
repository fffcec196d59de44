//! Crash points: the process dies between any two commits, and the ledger's state says how to go on.

use crate::gateway::Gateway;
use crate::world::{World, learned, pay};
use quittance_core::payment::Status;
use quittance_core::tenant::Tenant;
use quittance_engine::submission::{Outcome, Submission};
use quittance_engine::verify::verify;
use quittance_store::records::{Entity, Ticket};

#[test]
fn c3_a_ticket_without_a_send_is_replayed_with_the_same_key_and_bytes() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.crash();
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
}

#[test]
fn c8_an_object_whose_id_was_not_committed_is_found_by_the_same_request() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    let request = world.jobs[0].clone();
    learned(&mut world.gateway, request, Gateway::serve);
    world.crash();
    world.settle();
    assert_eq!(world.gateway.intents.len(), 1, "the replay returned the stored answer");
    assert_eq!(world.gateway.seen[0], world.gateway.seen[1], "the same key and the same bytes");
    assert_eq!(world.gateway.charged().len(), 1);
}

#[test]
fn c5_a_charge_whose_answer_was_not_committed_is_read_back() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    let confirm = world.jobs[0].clone();
    learned(&mut world.gateway, confirm, Gateway::serve);
    world.crash();
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
    assert_eq!(world.payments()[0].status, Status::Succeeded);
}

#[test]
fn a_500_stored_for_a_create_is_looked_up_and_not_replayed_for_ever() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::store_error);
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
}

#[test]
fn a_500_stored_for_a_confirm_gets_a_new_key_after_a_read() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    world.work(Gateway::store_error);
    assert_eq!(world.payments()[0].status, Status::Unknown);
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
    let keys: std::collections::BTreeSet<&String> = world.gateway.seen.iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), world.gateway.seen.len(), "no key of the confirm is used twice");
}

#[test]
fn an_answer_that_is_handed_over_twice_is_not_the_answer_to_the_next_request() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    let create = world.jobs.remove(0);
    let answer = learned(&mut world.gateway, create, Gateway::serve);
    assert!(matches!(world.submit(Submission::Learned(Box::new(answer.clone()))), Outcome::Applied { .. }));
    assert_eq!(world.jobs.len(), 1, "the confirm is under way, under the same lease");
    let again = world.submit(Submission::Learned(Box::new(answer)));
    assert!(matches!(again, Outcome::Fenced), "{again:?}");
    world.settle();
    assert_eq!((world.gateway.charged().len(), world.payments()[0].status), (1, Status::Succeeded));
}

#[test]
fn a_worker_that_comes_back_after_its_lease_is_fenced() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    let zombie = world.jobs.remove(0);
    world.now = world.now.plus_ms(40_000);
    world.poll();
    world.settle();
    let charged = world.gateway.charged();
    let late = learned(&mut world.gateway, zombie, Gateway::serve);
    let outcome = world.submit(Submission::Learned(Box::new(late)));
    assert!(matches!(outcome, Outcome::Fenced), "{outcome:?}");
    assert_eq!(world.gateway.charged(), charged, "the replay under the same key charged nothing more");
}

#[test]
fn a_decline_after_a_lost_confirm_is_reported_only_when_the_object_is_fenced() {
    let mut world = World::new();
    let mut declining = pay("k", "o");
    declining.method = "pm_card_chargeDeclined".into();
    world.submit(declining.into());
    world.work(Gateway::serve);
    world.work(Gateway::lose);
    world.settle();
    assert_eq!(world.payments()[0].status, Status::Failed);
    assert_eq!(world.gateway.intents[0]["status"], "canceled");
}

#[test]
fn a_crash_while_an_old_object_is_fenced_leaves_rows_that_agree_with_the_journal() {
    let mut world = World::new();
    let mut declining = pay("k1", "o");
    declining.method = "pm_card_chargeDeclined".into();
    world.submit(declining.into());
    world.settle();
    let mut dearer = pay("k2", "o");
    dearer.amount = 2_500;
    world.submit(dearer.into());
    world.crash();
    world.poll();
    let report = verify(&mut world.database.reader(), &mut |_| {}).expect("readable");
    assert!(report.findings.is_empty(), "{report:?}");
    world.settle();
    assert_eq!(world.gateway.charged().len(), 1);
}

#[test]
fn c14_the_secret_of_the_gateway_keys_is_rotated_while_an_answer_is_lost() {
    for lost in [0, 1] {
        let mut world = World::new();
        world.submit(pay("k", "o").into());
        for _ in 0..lost {
            world.work(Gateway::serve);
        }
        world.work(Gateway::serve_and_lose);
        let keys = world.all::<Ticket>();
        let tenant = world.all::<Tenant>().remove(0);
        world.database.forge(Tenant::table(), Tenant { gateway_key_secret: [9; 32], ..tenant }.to_row());
        world.crash();
        world.settle();
        // What was sent is sent again under the key that was stored with it; only what is new has a key of the new secret.
        assert_eq!((world.gateway.intents.len(), world.gateway.charged().len()), (1, 1));
        let mut replayed = world.all::<Ticket>().into_iter().filter(|ticket| ticket.send_no > 1);
        let is_stored = |ticket: Ticket| keys.iter().any(|known| known.gateway_key == ticket.gateway_key);
        assert!(replayed.all(is_stored));
    }
}
