//! Any id leads to the same story, in order; another tenant's leads nowhere.

use super::{Line, Trace, trace};
use crate::verify::sample::{self, Sample, refunded};
use quittance_core::decide::refund_hold_of;
use quittance_core::id::{CorrelationId, HoldId, TenantId};
use quittance_core::time::Timestamp;
use quittance_store::records::{Disposition, EventSource, InboxEntry};
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

fn told_of_refunds(id: &str, tenant: Option<TenantId>) -> Option<Trace> {
    let mut sample = Sample::refunded();
    sample.add(&charge_event());
    trace(&mut sample.store().reader(), tenant, id).expect("readable")
}

/// An event of the charge behind the payment's object, which itself has no place of its own.
fn charge_event() -> InboxEntry {
    let body = r#"{"id": "evt_9", "type": "charge.succeeded", "created": 1, "data": {"object": {
        "id": "ch_1", "object": "charge", "status": "succeeded", "captured": true, "amount": 1999,
        "amount_captured": 1999, "currency": "usd", "payment_intent": "pi_1"}}}"#;
    InboxEntry {
        gateway: "stripe".into(),
        event: "evt_9".into(),
        kind: "charge.succeeded".into(),
        object: Some("ch_1".into()),
        book: None,
        disposition: Disposition::Fetch,
        source: EventSource::Sweep,
        endpoint: None,
        secret: None,
        verified_at: None,
        received_at: Timestamp::from_seconds(1_700_000_100),
        body: body.into(),
    }
}

#[test]
fn every_id_of_what_followed_leads_to_the_payment() {
    let (returned, pending) = (refunded::RETURNED, refunded::PENDING);
    for (id, recognised_as) in [
        (returned.refund().to_string(), "refund"),
        (pending.refund().to_string(), "refund"),
        (refunded::dispute().to_string(), "dispute"),
        (returned.effect().to_string(), "effect"),
        (returned.command().to_string(), "command"),
        (CorrelationId::from_uuid(returned.command().uuid()).to_string(), "command"),
        (refund_hold_of(returned.refund()).to_string(), "hold"),
        ("re_1".into(), "gateway object"),
        ("re_2".into(), "gateway object"),
        ("dp_1".into(), "gateway object"),
        ("ch_1".into(), "gateway object"),
        ("evt_2".into(), "gateway event"),
        ("evt_9".into(), "gateway event"),
        ("refund-1".into(), "reference"),
        ("returning".into(), "idempotency key"),
    ] {
        let trace = told_of_refunds(&id, Some(sample::tenant())).unwrap_or_else(|| panic!("{id} leads nowhere"));
        assert_eq!(trace.recognised_as, recognised_as, "{id}");
        let subjects: Vec<&str> = trace.stories.iter().map(|story| story.subject.as_str()).collect();
        assert_eq!(subjects, [sample::payment().to_string()], "{id}");
        assert_eq!(told_of_refunds(&id, Some(TenantId::from_bytes([9; 16]))), None, "{id}");
    }
}

#[test]
fn the_story_of_a_payment_goes_on_with_its_refunds_and_its_dispute() {
    let trace = told_of_refunds("order-1", None).expect("known");
    let lines: Vec<&Line> = trace.lines().map(|(_, line)| line).skip(8).collect();
    let events: Vec<(&str, &str)> = lines.iter().map(|line| (line.actor, line.event)).collect();
    assert_eq!(
        events,
        [
            ("client", "request_received"),
            ("engine", "refund_accepted"),
            ("engine", "ticket_issued"),
            ("gateway", "refund_advanced"),
            ("engine", "answer_given"),
            ("engine", "answer_given"),
            ("gateway", "webhook_received"),
            ("gateway", "corrected"),
            ("client", "request_received"),
            ("engine", "refund_accepted"),
            ("engine", "ticket_issued"),
            ("gateway", "refund_advanced"),
            ("gateway", "dispute_seen"),
            ("client", "request_received"),
            ("client", "evidence_accepted"),
        ]
    );
    let texts: Vec<String> = lines.iter().map(|line| line.text()).collect();
    let (returned, pending) = (refunded::RETURNED.refund(), refunded::PENDING.refund());
    assert!(texts[1].contains(&format!("refund={returned}")) && texts[1].contains("amount=500"), "{}", texts[1]);
    assert!(texts[1].contains("reference=refund-1"), "{}", texts[1]);
    assert!(texts[3].contains("status=succeeded") && texts[3].contains("object=re_1"), "{}", texts[3]);
    assert!(texts[3].contains("posted=gateway_clearing:stripe credit 500 USD"), "{}", texts[3]);
    assert!(texts[6].contains("type=refund.failed object=re_1"), "{}", texts[6]);
    let corrected = "correction=refund_returned source=webhook:evt_2 saw=seen:failed movement=txn_1";
    assert!(texts[7].contains(corrected), "{}", texts[7]);
    assert!(texts[9].contains(&format!("refund={pending}")), "{}", texts[9]);
    assert!(
        texts[12].contains("status=needs_response amount=1999 currency=USD object=dp_1 movement=txn_2"),
        "{}",
        texts[12]
    );
}

#[test]
fn the_story_of_a_payment_tells_who_asked_for_its_captures() {
    let trace = trace(&mut Sample::captured().store().reader(), None, "order-1").expect("readable").expect("known");
    let asked: Vec<String> = trace
        .lines()
        .filter(|(_, line)| matches!(line.event, "step_asked" | "answer_given" | "request_received"))
        .map(|(_, line)| line.text())
        .collect();
    assert!(asked[2].contains("operation=POST /v1/payments/{id}/capture"), "{}", asked[2]);
    assert!(asked[3].contains("asked=capture amount=1999"), "{}", asked[3]);
    assert!(asked[4].starts_with("status=402"), "{}", asked[4]);
    assert!(asked[6].contains("asked=capture amount=1500"), "{}", asked[6]);
    assert!(asked[7].starts_with("status=200"), "{}", asked[7]);
    assert_eq!(asked.len(), 8);
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
    assert_eq!(texts[6], format!("status=201 body_bytes=2 command={}", sample::command()));
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
