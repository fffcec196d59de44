//! Any id leads to the same story, in order; another tenant's leads nowhere.

use super::{Trace, trace};
use crate::verify::sample::{self, Sample};
use quittance_core::id::{CorrelationId, HoldId, TenantId};
use quittance_store::store::StoreError;
use quittance_store::tables::{JOURNAL, PAYMENTS};
use quittance_store::value::Value;

fn told(id: &str, tenant: Option<TenantId>) -> Option<Trace> {
    trace(&mut Sample::new().store().reader(), tenant, id).expect("readable")
}

fn check(id: &str, recognised_as: &str) {
    let trace = told(id, None).unwrap_or_else(|| panic!("{id} leads nowhere"));
    assert_eq!(trace.recognised_as, recognised_as, "{id}");
    assert_eq!(trace.stories.len(), 1);
    assert_eq!(trace.stories[0].subject, sample::payment().to_string());
    assert_eq!(told(id, Some(sample::tenant())).as_ref(), Some(&trace), "{id}");
    assert_eq!(told(id, Some(TenantId::from_bytes([9; 16]))), None, "{id}");
}

#[test]
fn every_id_leads_to_the_payment() {
    check(&sample::payment().to_string(), "payment");
    check(&sample::command().to_string(), "command");
    check(&CorrelationId::from_uuid(sample::command().uuid()).to_string(), "command");
    check(&sample::effect().to_string(), "effect");
    check(&sample::customer().to_string(), "customer");
    check(&HoldId::from_uuid(sample::payment().uuid()).to_string(), "hold");
    check("pi_1", "gateway object");
    check("evt_1", "gateway event");
    check("order-1", "reference");
    check("first-try", "idempotency key");
    check("anna", "customer");
}

#[test]
fn unknown_ids_lead_nowhere() {
    for id in ["", "nothing", "pi_2", "pay_00000000000000000000000000", &"x".repeat(256)] {
        assert_eq!(told(id, None), None, "{id}");
    }
}

#[test]
fn the_story_is_told_in_order() {
    let trace = told("order-1", None).expect("known");
    let events: Vec<String> = trace
        .lines()
        .map(|(_, line)| format!("{} {} {}", line.at.seconds() - 1_700_000_000, line.actor, line.event))
        .collect();
    assert_eq!(
        events,
        [
            "1 client request_received",
            "1 engine payment_accepted",
            "2 engine ticket_issued",
            "3 gateway effect_advanced",
            "4 engine ticket_issued",
            "5 gateway effect_advanced",
            "5 engine answer_given",
            "6 gateway webhook_received",
        ]
    );
    let texts: Vec<String> = trace.lines().map(|(_, line)| line.text()).collect();
    assert!(texts[0].contains("idempotency_key=first-try") && texts[0].contains("fingerprint=0707070707070707"));
    let accepted = "holds=gateway_clearing:stripe debit 1999 USD, unapplied credit 1999 USD";
    assert!(texts[1].contains(accepted), "{}", texts[1]);
    assert!(texts[4].contains("step=confirm generation=1 send=1 gateway_key=key-confirm"), "{}", texts[4]);
    assert!(texts[5].contains("saw=seen:succeeded status=succeeded"), "{}", texts[5]);
    assert!(texts[5].contains("posted=gateway_clearing:stripe debit 1999 USD"), "{}", texts[5]);
    assert_eq!(texts[6], "status=201 body_bytes=2");
    assert!(texts[7].contains("event=evt_1 type=payment_intent.succeeded object=pi_1 disposition=applied"));
}

#[test]
fn a_record_that_cannot_be_read_does_not_hide_the_others() {
    let mut sample = Sample::new();
    sample.edit(&JOURNAL, 0, "body", |row, column| row[column] = Value::Bytes(vec![255]));
    let trace = trace(&mut sample.store().reader(), None, "order-1").expect("readable").expect("known");
    assert_eq!(trace.lines().count(), 8);
}

#[test]
fn a_damaged_row_is_an_error_that_names_its_table() {
    let mut sample = Sample::new();
    sample.edit(&PAYMENTS, 0, "status", |row, column| row[column] = "x".into());
    let error = trace(&mut sample.store().reader(), None, "order-1").expect_err("damaged");
    assert!(matches!(error, StoreError::Corrupt { ref place, .. } if place == "payments"), "{error}");
}
