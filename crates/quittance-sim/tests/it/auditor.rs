//! Worlds that are forged: the auditor has to see it, by the rule that is meant for it.

use quittance_core::effect::{Effect, State};
use quittance_core::id::CommandId;
use quittance_core::idempotency::{Command, Progress};
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_core::refund::RefundStatus;
use quittance_sim::auditor::Auditor;
use quittance_sim::gateway::Gateway;
use quittance_sim::plan::{Operation, Pay, Plan, Profile, What};
use quittance_sim::world::World;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Book, Entity, GatewayObject, ObjectState};
use quittance_store::store::{Reader, Scan};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A payment, and money of it back.
pub(crate) fn plan(profile: Profile) -> Plan {
    let pay = Pay {
        key: 0,
        customer: 0,
        order: 0,
        amount: 500,
        currency: "USD".into(),
        gateway: 0,
        method: "pm_card".into(),
        is_manual: false,
        takes_existing: false,
    };
    let at = |at_ms, what| Operation { at_ms, what, is_double: false, patience_ms: 5_000 };
    let refund = What::Refund { key: 1, order: 0, amount: Some(200), reference: 0 };
    let operations = vec![at(1_000, What::Pay(pay)), at(9_000, refund)];
    Plan { seed: 3, gateways: vec![profile], parked_above: None, operations, faults: Vec::new() }
}

/// The rules that are broken when such a world is forged like this.
pub(crate) fn broken(forge: impl FnOnce(&MemoryDatabase, &mut [Gateway])) -> BTreeSet<&'static str> {
    World::new(&plan(Profile::Charges), false).live_with(forge).broken
}

/// Writes every row of a kind over, changed.
pub(crate) fn change<E: Entity>(database: &MemoryDatabase, mut change: impl FnMut(&mut E)) {
    let rows = database.reader().scan(&Scan::forward(E::table(), Vec::new(), 100)).expect("readable");
    let changed = rows.iter().map(|row| {
        let mut entity = E::from_row(row).expect("sound");
        change(&mut entity);
        entity
    });
    put(database, &changed.collect::<Vec<E>>());
}

/// Writes rows past every rule, as damage does.
pub(crate) fn put<E: Entity>(database: &MemoryDatabase, entities: &[E]) {
    entities.iter().for_each(|entity| database.forge(E::table(), entity.to_row()));
}

#[test]
fn what_is_not_forged_is_right() {
    for profile in Profile::ALL {
        let outcome = World::new(&plan(profile), false).live();
        assert_eq!(outcome.failure, None, "{profile:?}");
    }
}

#[test]
fn a_second_charge_is_seen() {
    let broken = broken(|_, gateways| {
        let books = &mut gateways[0].books;
        let mut again = books.charges[0].clone();
        again.id = "ch_again".into();
        books.charges.push(again);
    });
    assert!(broken.is_superset(&["charged_twice", "ledger", "pair"].into()), "{broken:?}");
}

#[test]
fn a_charge_that_is_gone_is_seen() {
    let broken = broken(|_, gateways| gateways[0].books.charges.clear());
    assert!(broken.is_superset(&["answer_false", "ledger", "pair"].into()), "{broken:?}");
}

#[test]
fn a_second_refund_is_seen() {
    let broken = broken(|_, gateways| {
        let books = &mut gateways[0].books;
        books.refunds[0].status = "succeeded";
        let mut again = books.refunds[0].clone();
        again.id = "re_again".into();
        books.refunds.push(again);
    });
    assert!(broken.is_superset(&["refunded_twice", "ledger", "pair"].into()), "{broken:?}");
}

#[test]
fn an_effect_that_has_no_end_is_seen() {
    let broken = broken(|database, _| change::<Effect>(database, |effect| effect.state = State::Unknown));
    assert!(broken.contains("unexplained") && broken.contains("verify"), "{broken:?}");
}

/// Whatever else is under way at its gateway.
#[test]
fn an_effect_that_has_no_end_beside_one_that_goes_on_is_seen() {
    let broken = broken(|database, gateways| {
        change::<Effect>(database, |effect| effect.state = State::Unknown);
        gateways[0].books.refunds[0].status = "pending";
    });
    assert!(broken.contains("unexplained"), "{broken:?}");
}

#[test]
fn a_command_without_an_answer_is_seen() {
    let broken = broken(|database, _| change::<Command>(database, |command| command.progress = Progress::InProgress));
    assert!(broken.contains("unanswered"), "{broken:?}");
}

#[test]
fn an_object_that_still_waits_for_another_is_seen() {
    let broken = broken(|database, _| change::<GatewayObject>(database, |row| row.state = ObjectState::Parked));
    assert!(broken.contains("unexplained"), "{broken:?}");
}

#[test]
fn an_answer_that_is_no_longer_so_is_seen() {
    let failed = |payment: &mut Payment| payment.status = quittance_core::payment::Status::Failed;
    let broken = broken(|database, _| change(database, failed));
    assert!(broken.contains("answer_false"), "{broken:?}");
}

#[test]
fn more_given_back_than_came_is_seen() {
    let broken = broken(|database, _| {
        change::<Effect>(database, |effect| effect.is_paid = false);
        change::<Refund>(database, |refund| {
            refund.money.amount = 501;
            refund.status = RefundStatus::Succeeded;
        });
    });
    assert!(broken.contains("refund_sum"), "{broken:?}");
}

#[test]
fn money_on_another_account_than_its_own_is_seen() {
    use quittance_core::account::Account;
    let broken = broken(|database, _| {
        change::<Book>(database, |book| {
            let clearing =
                book.balances.0.iter().find(|((account, _), _)| matches!(account, Account::GatewayClearing(_)));
            if let Some(((_, currency), balance)) = clearing.map(|(place, balance)| (place.clone(), *balance)) {
                book.balances.0.insert((Account::GatewayFees("charges".into()), currency), balance);
            }
        });
    });
    assert!(broken.contains("disputes") && !broken.contains("ledger"), "{broken:?}");
}

#[test]
fn money_that_is_still_held_is_seen() {
    let broken = broken(|database, _| {
        change::<Book>(database, |book| book.balances.0.values_mut().for_each(|balance| balance.held_debits = 1));
    });
    assert!(broken.contains("held") && broken.contains("verify"), "{broken:?}");
}

/// The rules that an auditor without a world finds broken.
pub(crate) fn told(tell: impl FnOnce(&mut Auditor)) -> Vec<&'static str> {
    let mut auditor = Auditor::default();
    tell(&mut auditor);
    auditor.failures().iter().map(|failure| failure.rule).collect()
}

#[test]
fn one_key_is_one_request_one_command_and_one_answer() {
    let command = |number| CommandId::from_uuid(Uuid::from_u128(number));
    let twice = told(|auditor| {
        auditor.heard("k", [1; 32], 201, b"one");
        auditor.heard("k", [1; 32], 201, b"one");
    });
    assert!(twice.is_empty());
    let changed = told(|auditor| {
        auditor.heard("k", [1; 32], 201, b"one");
        auditor.heard("k", [1; 32], 201, b"two");
    });
    assert_eq!(changed, ["answer_changed"]);
    let shared = told(|auditor| {
        auditor.accepted("k", [1; 32], command(1));
        auditor.heard("k", [2; 32], 201, b"one");
    });
    assert_eq!(shared, ["key_shared"]);
    let commands = told(|auditor| {
        auditor.accepted("k", [1; 32], command(1));
        auditor.accepted("k", [1; 32], command(2));
    });
    assert_eq!(commands, ["two_commands"]);
}

#[test]
fn a_webhook_is_new_once() {
    let fine = told(|auditor| {
        auditor.acknowledged(0, "evt_1", true);
        auditor.acknowledged(0, "evt_1", false);
        auditor.acknowledged(1, "evt_1", true);
    });
    assert!(fine.is_empty());
    let twice = told(|auditor| {
        auditor.acknowledged(0, "evt_1", true);
        auditor.acknowledged(0, "evt_1", true);
    });
    assert_eq!(twice, ["webhook_twice"]);
}

#[test]
fn what_was_acknowledged_and_is_not_stored_is_lost() {
    let empty = MemoryDatabase::new();
    let answer = told(|auditor| {
        auditor.heard("k", [1; 32], 201, b"one");
        auditor.after_crash(&mut empty.reader(), &["charges"]);
    });
    assert_eq!(answer, ["acknowledged_lost"]);
    let webhook = told(|auditor| {
        auditor.acknowledged(0, "evt_1", true);
        auditor.after_crash(&mut empty.reader(), &["charges"]);
    });
    assert_eq!(webhook, ["acknowledged_lost"]);
}
