//! Every status has a kind, and every change is told once.

use crate::brake::Limit;
use crate::currency::Currency;
use crate::dispute::{Dispute, DisputeStatus};
use crate::event::{Kind, Object, of_customer, of_dispute, of_payment, of_refund};
use crate::fact::{Decline, ObjectKind};
use crate::id::{CommandId, CustomerId, DisputeId, EffectId, PaymentId, RefundId, TenantId};
use crate::money::Money;
use crate::payment::{CaptureMethod, Payment, Status};
use crate::refund::{Refund, RefundStatus};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

fn money() -> Money {
    Money::new(1_000, Currency::from_code("USD").expect("known currency"))
}

fn payment(status: Status) -> Payment {
    Payment {
        id: PaymentId::from_bytes([1; 16]),
        book: CustomerId::from_bytes([2; 16]),
        tenant: TenantId::from_bytes([3; 16]),
        command: CommandId::from_bytes([4; 16]),
        effect: EffectId::from_bytes([5; 16]),
        money: money(),
        gateway: "stripe".into(),
        payment_method: "pm_1".into(),
        capture_method: CaptureMethod::Automatic,
        return_url: None,
        reference: "order-1".into(),
        status,
        captured_amount: 0,
        refunded_amount: 0,
        refunding_amount: 0,
        disputed_amount: 0,
        returned_amount: 0,
        parked_by: None,
        gateway_object: None,
        object_kind: ObjectKind::Payment,
        decline: None,
        next_action: None,
        description: None,
        metadata: BTreeMap::new(),
        created_at: Timestamp(0),
    }
}

fn refund(status: RefundStatus) -> Refund {
    Refund {
        id: RefundId::from_bytes([1; 16]),
        book: CustomerId::from_bytes([2; 16]),
        tenant: TenantId::from_bytes([3; 16]),
        payment: PaymentId::from_bytes([1; 16]),
        command: CommandId::from_bytes([4; 16]),
        effect: EffectId::from_bytes([5; 16]),
        money: money(),
        gateway: "stripe".into(),
        reference: None,
        reason: None,
        status,
        parked_by: None,
        gateway_object: None,
        failure_code: None,
        created_at: Timestamp(0),
    }
}

fn dispute(status: DisputeStatus) -> Dispute {
    Dispute {
        id: DisputeId::from_bytes([1; 16]),
        book: CustomerId::from_bytes([2; 16]),
        tenant: TenantId::from_bytes([3; 16]),
        payment: PaymentId::from_bytes([1; 16]),
        gateway: "stripe".into(),
        object_id: "dp_1".into(),
        status,
        money: money(),
        reason: "fraudulent".into(),
        evidence_due_by: None,
        submissions: 0,
        withdrawn_amount: 0,
        is_written_off: false,
        created_at: Timestamp(0),
    }
}

fn named(kind: Option<Kind>) -> Option<&'static str> {
    kind.map(Kind::name)
}

#[test]
fn every_kind_has_a_name_of_its_own_and_an_object() {
    let names: BTreeSet<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
    assert_eq!(names.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
        assert!(kind.name().starts_with(kind.object().name()));
    }
    assert_eq!(Kind::from_name("payment"), None);
    assert_eq!(Object::ALL.map(Object::name), ["customer", "payment", "refund", "dispute"]);
}

#[test]
fn each_status_that_is_reached_is_told_under_its_name() {
    for to in Status::ALL {
        let expected = format!("payment.{}", to.name());
        for from in Status::ALL.into_iter().filter(|from| *from != to) {
            assert_eq!(named(of_payment(Some(&payment(from)), &payment(to))), Some(expected.as_str()));
        }
        let new = if to == Status::Processing { "payment.created" } else { &expected };
        assert_eq!(named(of_payment(None, &payment(to))), Some(new));
        assert_eq!(of_payment(Some(&payment(to)), &payment(to)), None);
    }
    for to in RefundStatus::ALL {
        let expected = format!("refund.{}", to.name());
        for from in RefundStatus::ALL.into_iter().filter(|from| *from != to) {
            assert_eq!(named(of_refund(Some(&refund(from)), &refund(to))), Some(expected.as_str()));
        }
        let new = if to == RefundStatus::Pending { "refund.created" } else { &expected };
        assert_eq!(named(of_refund(None, &refund(to))), Some(new));
        assert_eq!(of_refund(Some(&refund(to)), &refund(to)), None);
    }
    for to in DisputeStatus::KNOWN {
        let expected = format!("dispute.{}", to.name());
        for from in DisputeStatus::KNOWN.into_iter().filter(|from| *from != to) {
            assert_eq!(named(of_dispute(Some(&dispute(from)), &dispute(to.clone()))), Some(expected.as_str()));
        }
        let new = if to.takes_evidence() { "dispute.created" } else { &expected };
        assert_eq!(named(of_dispute(None, &dispute(to.clone()))), Some(new));
        assert_eq!(of_dispute(Some(&dispute(to.clone())), &dispute(to)), None);
    }
    assert_eq!(named(of_customer(true)), Some("customer.created"));
    assert_eq!(of_customer(false), None);
}

#[test]
fn a_status_that_is_not_known_is_an_update() {
    let strange = dispute(DisputeStatus::Unrecognised("reopened".into()));
    assert_eq!(named(of_dispute(Some(&dispute(DisputeStatus::Lost)), &strange)), Some("dispute.updated"));
    assert_eq!(named(of_dispute(None, &strange)), Some("dispute.updated"));
}

#[test]
fn what_clients_see_beside_the_status_is_an_update() {
    let changes: [fn(&mut Payment); 8] = [
        |payment| payment.captured_amount = 1,
        |payment| payment.refunded_amount = 1,
        |payment| payment.refunding_amount = 1,
        |payment| payment.disputed_amount = 1,
        |payment| payment.returned_amount = 1,
        |payment| payment.parked_by = Some(Limit::ALL[0]),
        |payment| payment.next_action = Some("{}".into()),
        |payment| payment.decline = Some(Decline { code: "x".into(), is_retryable: true }),
    ];
    for change in changes {
        let (before, mut after) = (payment(Status::Succeeded), payment(Status::Succeeded));
        change(&mut after);
        assert_eq!(named(of_payment(Some(&before), &after)), Some("payment.updated"));
    }
    let changes: [fn(&mut Refund); 2] = [
        |refund| refund.parked_by = Some(Limit::ALL[0]),
        |refund| refund.failure_code = Some("lost_or_stolen_card".into()),
    ];
    for change in changes {
        let (before, mut after) = (refund(RefundStatus::Failed), refund(RefundStatus::Failed));
        change(&mut after);
        assert_eq!(named(of_refund(Some(&before), &after)), Some("refund.updated"));
    }
    let changes: [fn(&mut Dispute); 6] = [
        |dispute| dispute.money.amount = 1,
        |dispute| dispute.reason = "general".into(),
        |dispute| dispute.evidence_due_by = Some(Timestamp(1)),
        |dispute| dispute.submissions = 1,
        |dispute| dispute.withdrawn_amount = 1,
        |dispute| dispute.is_written_off = true,
    ];
    for change in changes {
        let (before, mut after) = (dispute(DisputeStatus::Lost), dispute(DisputeStatus::Lost));
        change(&mut after);
        assert_eq!(named(of_dispute(Some(&before), &after)), Some("dispute.updated"));
    }
}

#[test]
fn the_gateways_id_alone_is_not_told() {
    let (before, mut after) = (payment(Status::Processing), payment(Status::Processing));
    after.gateway_object = Some("pi_1".into());
    assert_eq!(of_payment(Some(&before), &after), None);
}
