//! Owns: the proof that the comparison can fail: each kind of damage to good evidence is found.

use super::{Verdict, judge};
use crate::demo::evidence::{Answer, Charge, Evidence, Payment, Presence, Promise, Proof};

/// Three orders: two paid, one declined and then paid, on the same gateway object.
fn good() -> Evidence {
    let payment = |id: &str, status: &str, amount, currency: &str, object: &str| Payment {
        id: id.to_owned(),
        status: status.to_owned(),
        kept_amount: if status == "succeeded" { amount } else { 0 },
        currency: currency.to_owned(),
        gateway_id: Some(object.to_owned()),
    };
    let charge = |id: &str, intent: &str, order: &str, taken_amount, currency: &str| Charge {
        id: id.to_owned(),
        intent: intent.to_owned(),
        order: Some(order.to_owned()),
        taken_amount,
        kept_amount: taken_amount,
        currency: currency.to_owned(),
    };
    let answer = Answer { status: 201, body: b"{}".to_vec() };
    let promise =
        Promise { key: "k1".to_owned(), told: answer.clone(), repeated: Some(answer), presence: Presence::Found };
    Evidence {
        payments: vec![
            payment("pay_1", "succeeded", 1_000, "USD", "pi_1"),
            payment("pay_2", "succeeded", 500, "JPY", "pi_2"),
            payment("pay_3", "failed", 700, "USD", "pi_3"),
            payment("pay_4", "succeeded", 700, "USD", "pi_3"),
        ],
        charges: vec![
            charge("ch_1", "pi_1", "order-1", 1_000, "USD"),
            charge("ch_2", "pi_2", "order-2", 500, "JPY"),
            charge("ch_3", "pi_3", "order-3", 0, "USD"),
            charge("ch_4", "pi_3", "order-3", 700, "USD"),
        ],
        gateway_totals: [("USD".to_owned(), 1_700), ("JPY".to_owned(), 500)].into(),
        ledger_totals: [("USD".to_owned(), 1_700), ("JPY".to_owned(), 500)].into(),
        promises: vec![promise],
        proof: Proof { is_sound: true, records: 8, text: String::new() },
        ..Evidence::default()
    }
}

fn check(damage: impl FnOnce(&mut Evidence)) -> Verdict {
    let mut evidence = good();
    damage(&mut evidence);
    let verdict = judge(&evidence);
    assert!(!verdict.is_good(), "{verdict:#?}");
    assert!(!verdict.findings.is_empty(), "{verdict:#?}");
    verdict
}

#[test]
fn good_evidence_passes() {
    let verdict = judge(&good());
    assert!(verdict.is_good(), "{verdict:#?}");
    assert_eq!((verdict.with_status("succeeded"), verdict.with_status("failed")), (3, 1));
    assert_eq!((verdict.orders_charged, verdict.acknowledged), (3, 1));
}

#[test]
fn a_missing_charge_is_found() {
    let verdict = check(|evidence| {
        evidence.charges.remove(1);
        evidence.gateway_totals.remove("JPY");
    });
    assert_eq!((verdict.unexplained_amount, verdict.gateway_matches), (500, false));
}

#[test]
fn a_charge_that_nobody_asked_for_is_found() {
    let verdict = check(|evidence| {
        let stray = Charge { intent: "pi_9".to_owned(), order: None, ..evidence.charges[0].clone() };
        evidence.charges.push(stray);
    });
    assert_eq!((verdict.unexplained_amount, verdict.duplicate_charges), (1_000, 0));
    assert!(!verdict.gateway_matches);
}

#[test]
fn a_doubled_charge_is_found_though_it_is_another_object() {
    let verdict = check(|evidence| {
        let twin = Charge { id: "ch_9".to_owned(), intent: "pi_9".to_owned(), ..evidence.charges[1].clone() };
        evidence.charges.push(twin);
    });
    assert_eq!((verdict.duplicate_charges, verdict.unexplained_amount), (1, 500));
}

#[test]
fn a_doubled_charge_is_found_though_we_booked_both() {
    let verdict = check(|evidence| {
        evidence.charges.push(Charge { intent: "pi_9".to_owned(), ..evidence.charges[1].clone() });
        evidence.payments.push(Payment { gateway_id: Some("pi_9".to_owned()), ..evidence.payments[1].clone() });
        for totals in [&mut evidence.gateway_totals, &mut evidence.ledger_totals] {
            totals.insert("JPY".to_owned(), 1_000);
        }
    });
    assert_eq!((verdict.duplicate_charges, verdict.unexplained_amount), (1, 0));
}

#[test]
fn another_amount_or_currency_is_found() {
    let verdict = check(|evidence| evidence.charges[0].kept_amount = 999);
    assert_eq!(verdict.unexplained_amount, 1);
    let verdict = check(|evidence| evidence.charges[0].currency = "EUR".to_owned());
    assert_eq!(verdict.unexplained_amount, 2_000);
}

#[test]
fn differences_do_not_cancel_out() {
    let verdict = check(|evidence| {
        evidence.charges[0].kept_amount = 999;
        evidence.charges[3].kept_amount = 701;
    });
    assert_eq!(verdict.unexplained_amount, 2);
}

#[test]
fn a_ledger_that_disagrees_with_its_own_payments_is_found() {
    let verdict = check(|evidence| {
        evidence.ledger_totals.insert("USD".to_owned(), 1_650);
    });
    assert_eq!((verdict.unexplained_amount, verdict.gateway_matches), (50, false));
}

#[test]
fn a_payment_reported_as_over_that_was_charged_is_found() {
    for status in ["failed", "canceled"] {
        let verdict = check(|evidence| evidence.payments[1].status = status.to_owned());
        assert_eq!(verdict.unexplained_amount, 500);
    }
}

#[test]
fn what_is_left_open_is_found() {
    for status in ["processing", "unknown", "review", "requires_action"] {
        let mut evidence = good();
        evidence.payments[2].status = status.to_owned();
        assert!(!judge(&evidence).is_good(), "{status}");
    }
}

#[test]
fn a_lost_or_changed_answer_is_found() {
    let promise = |change: fn(&mut Promise)| check(|evidence| change(&mut evidence.promises[0])).lost_commands;
    assert_eq!(promise(|promise| promise.presence = Presence::Missing), 1);
    assert_eq!(promise(|promise| promise.repeated = None), 1);
    assert_eq!(promise(|promise| promise.told.body = b"{ }".to_vec()), 1);
    assert_eq!(promise(|promise| promise.told.status = 200), 1);
}

#[test]
fn books_that_do_not_prove_sound_are_found() {
    assert!(!check(|evidence| evidence.proof.is_sound = false).books_balanced);
    check(|evidence| evidence.gateway_violations.push("pi_1 has 2 successful charges".to_owned()));
    check(|evidence| evidence.surprises.push("a good card was declined".to_owned()));
}
