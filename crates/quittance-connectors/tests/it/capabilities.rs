//! What Stripe says it offers, by flow.

use quittance_connectors::connector::Connector;
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::effect::{Class, Policy, Subject};
use quittance_core::id::{DisputeId, RefundId};

use crate::data::money;

const REFUND: Subject = Subject::Refund(RefundId::from_bytes([1; 16]));
const DISPUTE: Subject = Subject::Dispute(DisputeId::from_bytes([1; 16]));

fn stripe(flow: Flow) -> Stripe {
    Stripe { flow, ..Stripe::default() }
}

#[test]
fn intents_are_two_phase_and_everything_else_is_found_by_its_key_or_a_list() {
    let class = |flow, subject| stripe(flow).capability(subject).map(|row| row.class());
    assert_eq!(class(Flow::PaymentIntents, Subject::Payment), Some(Class::P));
    assert_eq!(class(Flow::Charges, Subject::Payment), Some(Class::A));
    for flow in Flow::ALL {
        assert_eq!(class(flow, REFUND), Some(Class::A));
        assert_eq!(class(flow, DISPUTE), Some(Class::A));
    }
}

#[test]
fn the_spans_are_those_of_the_default_policy() {
    let policy = Policy::default();
    assert_eq!(Stripe::default().capability(Subject::Payment), Some(policy.payments));
    assert_eq!(Stripe::default().capability(REFUND), Some(policy.refunds));
    let charges = stripe(Flow::Charges).capability(Subject::Payment).expect("charges");
    assert_eq!(charges.key_window_ms(), 23 * 3_600_000);
    assert_eq!((charges.quiescence_ms, charges.quiescence_after_error_ms), (600_000, 86_400_000));
}

#[test]
fn flows_have_words() {
    assert_eq!(Flow::default(), Flow::PaymentIntents);
    assert_eq!(Flow::ALL.map(Flow::name), ["payment_intents", "charges"]);
    for flow in Flow::ALL {
        assert_eq!(Flow::from_name(flow.name()), Some(flow));
    }
    assert_eq!(Flow::from_name("Charges"), None);
}

#[test]
fn amounts_that_cannot_be_written_are_told_apart() {
    let check = |amount, code| Stripe::default().check_amount(money(amount, code)).map_err(|error| error.to_string());
    assert_eq!(check(1999, "USD"), Ok(()));
    assert_eq!(check(501, "MGA"), Err("5.01 MGA: amount has more decimals than the other side can hold".to_owned()));
    assert_eq!(check(1234, "KWD"), Err("1.234 KWD: amount is not a multiple of 10 in the gateway's units".to_owned()));
    assert!(Stripe::default().captures_later());
}
