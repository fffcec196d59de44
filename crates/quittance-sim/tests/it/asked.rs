//! The auditor knows what was asked for: books that agree with every gateway about something else are wrong.

use crate::auditor::{broken, change, plan, told};
use quittance_core::id::{CustomerId, EffectId, PaymentId, TenantId};
use quittance_core::idempotency::Key;
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_engine::submission::{Action, ClientCommand, EffectRef};
use quittance_sim::gateway::Gateway;
use quittance_sim::plan::{Plan, Profile};
use quittance_sim::world::World;
use std::collections::BTreeSet;

fn with_payment(forge: impl FnMut(&mut Payment)) -> BTreeSet<&'static str> {
    broken(|database, _| change(database, forge))
}

fn with_gateway(forge: impl FnOnce(&mut Gateway)) -> BTreeSet<&'static str> {
    broken(|_, gateways| forge(&mut gateways[0]))
}

#[test]
fn a_payment_that_nobody_asked_for_is_seen() {
    let broken = with_payment(|payment| payment.money.amount += 1);
    assert!(broken.contains("not_asked"), "{broken:?}");
    let broken = with_payment(|payment| payment.gateway = "rail".into());
    assert!(broken.contains("not_asked"), "{broken:?}");
}

#[test]
fn an_answer_about_another_order_is_seen() {
    let broken = with_payment(|payment| payment.reference = "order-9".into());
    assert!(broken.is_superset(&["answer_false", "not_asked"].into()), "{broken:?}");
}

#[test]
fn a_refund_that_nobody_asked_for_is_seen() {
    let broken = broken(|database, _| change(database, |refund: &mut Refund| refund.money.amount += 1));
    assert!(broken.is_superset(&["answer_false", "not_asked"].into()), "{broken:?}");
}

#[test]
fn a_charge_of_another_amount_or_currency_is_seen() {
    let broken = with_gateway(|gateway| gateway.books.charges[0].amount += 1);
    assert_eq!(broken, ["not_asked"].into());
    let broken = with_gateway(|gateway| gateway.books.charges[0].captured -= 1);
    assert!(broken.contains("not_asked"), "{broken:?}");
    let broken = with_gateway(|gateway| gateway.books.charges[0].currency = "eur".into());
    assert!(broken.contains("not_asked"), "{broken:?}");
}

/// The sums of a customer are the same, whichever of the charges was given back.
#[test]
fn a_refund_of_another_charge_is_seen() {
    let broken = with_gateway(|gateway| {
        let books = &mut gateway.books;
        let mut other = books.charges[0].clone();
        (other.id, other.is_captured) = ("ch_other".into(), false);
        books.charges.push(other);
        books.refunds[0].charge = "ch_other".into();
    });
    assert_eq!(broken, ["not_asked"].into());
}

#[test]
fn a_refund_that_did_not_go_though_its_client_heard_so_is_seen() {
    // Some clients hear that it has gone, others that it is on its way.
    let forged = |seed| {
        let plan = Plan { seed, ..plan(Profile::Charges) };
        let fail = |gateways: &mut [Gateway]| gateways[0].books.refunds[0].status = "failed";
        World::new(&plan, false).live_with(|_, gateways| fail(gateways)).broken
    };
    let broken: BTreeSet<_> = (0..8).flat_map(forged).collect();
    assert!(broken.contains("answer_false"), "{broken:?}");
}

/// A command under the key `k`.
fn capture(amount: i64) -> ClientCommand {
    let payment = EffectRef {
        book: CustomerId::from_bytes([1; 16]),
        effect: EffectId::from_bytes([2; 16]),
        payment: PaymentId::from_bytes([3; 16]),
        epoch: 0,
    };
    ClientCommand {
        tenant: TenantId::from_bytes([4; 16]),
        credential: None,
        key: Key::parse("k").expect("a key"),
        operation: "POST /v1/payments/{id}/capture",
        fingerprint: [amount.to_le_bytes()[0]; 32],
        api_version: "1".into(),
        action: Action::Capture { payment, amount: Some(amount) },
    }
}

#[test]
fn a_key_that_is_refused_as_reused_and_was_not_is_seen() {
    let falsely = told(|auditor| {
        auditor.asks(&capture(1));
        auditor.asks(&capture(1));
        auditor.refused_as_reused("k");
    });
    assert_eq!(falsely, ["refused_falsely"]);
    let rightly = told(|auditor| {
        auditor.asks(&capture(1));
        auditor.asks(&capture(2));
        auditor.refused_as_reused("k");
    });
    assert!(rightly.is_empty());
}
