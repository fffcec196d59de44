//! The bytes of answers, as a text that is kept: a change here changes what clients have been promised.

use super::snapshot;
use quittance_core::currency::Currency;
use quittance_core::customer::Customer;
use quittance_core::dispute::{Dispute, DisputeStatus};
use quittance_core::fact::{Decline, ObjectKind};
use quittance_core::id::{CommandId, CustomerId, DisputeId, EffectId, PaymentId, RefundId, TenantId};
use quittance_core::money::Money;
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_core::refund::{Refund, RefundStatus};
use quittance_core::rejection::Rejection;
use quittance_core::time::Timestamp;
use quittance_engine::ports::{Answer, Render};
use quittance_server::render::{API_VERSION, Renderer};
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn payment(status: Status) -> Payment {
    Payment {
        id: PaymentId::from_bytes([1; 16]),
        book: CustomerId::from_bytes([2; 16]),
        tenant: TenantId::from_bytes([3; 16]),
        command: CommandId::from_bytes([4; 16]),
        effect: EffectId::from_bytes([5; 16]),
        money: Money::new(1999, Currency::from_code("USD").expect("known")),
        gateway: "stripe".to_owned(),
        payment_method: "pm_1".to_owned(),
        reference: "order-1".to_owned(),
        status,
        captured_amount: if status == Status::Succeeded { 1999 } else { 0 },
        refunded_amount: 0,
        refunding_amount: 0,
        disputed_amount: 0,
        returned_amount: 0,
        capture_method: CaptureMethod::Automatic,
        return_url: None,
        object_kind: ObjectKind::Payment,
        parked_by: None,
        gateway_object: Some("pi_1".to_owned()),
        decline: None,
        next_action: None,
        description: Some("\"Brot\" & Käse".to_owned()),
        metadata: BTreeMap::from([("order".to_owned(), "7".to_owned())]),
        created_at: Timestamp(1_700_000_000_123_456),
    }
}

fn refund(status: RefundStatus) -> Refund {
    let of = payment(Status::Succeeded);
    Refund {
        parked_by: None,
        id: RefundId::from_bytes([7; 16]),
        book: of.book,
        tenant: of.tenant,
        payment: of.id,
        command: CommandId::from_bytes([6; 16]),
        effect: EffectId::from_bytes([8; 16]),
        money: Money { amount: 500, ..of.money },
        gateway: of.gateway,
        reference: Some("back-1".to_owned()),
        reason: Some("duplicate".to_owned()),
        status,
        gateway_object: Some("re_1".to_owned()),
        failure_code: (status == RefundStatus::Failed).then(|| "returned".to_owned()),
        created_at: of.created_at,
    }
}

fn customer() -> Customer {
    Customer {
        id: CustomerId::from_bytes([2; 16]),
        tenant: TenantId::from_bytes([3; 16]),
        external_id: Some("alice".to_owned()),
        name: None,
        email: Some("alice@example.com".to_owned()),
        currency: Currency::from_code("EUR").ok(),
        timezone: Some("Europe/Berlin".to_owned()),
        gateway_ids: BTreeMap::from([("stripe".to_owned(), "cus_9".to_owned())]),
        metadata: BTreeMap::new(),
        created_at: Timestamp::from_seconds(1_700_000_000),
    }
}

fn dispute(status: DisputeStatus) -> Dispute {
    Dispute {
        id: DisputeId::from_bytes([7; 16]),
        book: CustomerId::from_bytes([2; 16]),
        tenant: TenantId::from_bytes([3; 16]),
        payment: PaymentId::from_bytes([1; 16]),
        gateway: "stripe".to_owned(),
        object_id: "dp_1".to_owned(),
        status,
        money: Money::new(1999, Currency::from_code("USD").expect("known")),
        reason: "fraudulent".to_owned(),
        evidence_due_by: Some(Timestamp::from_seconds(1_700_600_000)),
        submissions: 1,
        withdrawn_amount: 1999,
        is_written_off: false,
        created_at: Timestamp(1_700_000_000_123_456),
    }
}

fn rejections() -> Vec<Rejection> {
    let command = CommandId::from_bytes([6; 16]);
    vec![
        Rejection::KeyReused,
        Rejection::KeyExpired { command, subject: Some(PaymentId::from_bytes([1; 16]).to_string()) },
        Rejection::KeyExpired { command, subject: None },
        Rejection::DuplicateIntent { command, payment: PaymentId::from_bytes([1; 16]) },
        Rejection::CustomerNotFound,
        Rejection::CustomerExists { field: "external_id" },
        Rejection::GatewayNotFound,
        Rejection::AmountNotRepresentable { reason: "amount is not a multiple of 10 in the gateway's units".into() },
        Rejection::DuplicateEvidence { command, dispute: DisputeId::from_bytes([7; 16]) },
        Rejection::EvidenceNotTaken { status: DisputeStatus::Lost },
        Rejection::EvidenceTooLate,
        Rejection::BookFull,
        Rejection::NotOffered { operation: "refunds" },
        Rejection::NotCapturable { status: Status::Canceled },
        Rejection::CaptureTooLarge { authorised_amount: 1999 },
        Rejection::RefusedByGateway { gateway_code: "charge_expired_for_capture".into() },
        Rejection::NotCancelable { status: Status::Succeeded },
        Rejection::NotRefundable { status: Status::RequiresCapture },
        Rejection::RefundCurrency { currency: Currency::from_code("USD").expect("known") },
        Rejection::RefundTooLarge { refundable_amount: 1499 },
        Rejection::RefundedAmountDiffers { refunded_amount: 500 },
        Rejection::ReceivedAmountDiffers { received_amount: 500 },
        Rejection::ResolvedAmount { amount_min: 1, amount_max: 1999 },
        Rejection::DuplicateRefund { command, refund: RefundId::from_bytes([7; 16]) },
    ]
}

#[test]
fn answers_have_the_bytes_they_always_had() {
    let mut text = String::from("Answers of commands. Made by a test; UPDATE=1 rewrites it.\n");
    let mut show = |name: &str, answer: Answer<'_>| {
        let (status, body) = Renderer.render(&answer, API_VERSION);
        let body = String::from_utf8(body).expect("JSON is UTF-8");
        let _ = write!(text, "\n{name}\n{status} {body}\n");
    };
    show("a customer", Answer::CustomerCreated(&customer()));
    for status in [Status::Succeeded, Status::RequiresCapture, Status::Canceled] {
        show(status.name(), Answer::Payment(&payment(status)));
    }
    let next_action = Some(r#"{"type": "redirect_to_url", "z": 1, "a": 1.50}"#.to_owned());
    show("requires_action", Answer::Payment(&Payment { next_action, ..payment(Status::RequiresAction) }));
    let decline = Some(Decline { code: "insufficient_funds".to_owned(), is_retryable: true });
    let failed = Payment { decline, ..payment(Status::Failed) };
    show("failed", Answer::Payment(&failed));
    show("failed, without a reason", Answer::Payment(&payment(Status::Failed)));
    show("an existing payment", Answer::ExistingPayment(&payment(Status::Processing)));
    show("a dispute that was answered", Answer::Evidence(&dispute(DisputeStatus::UnderReview)));
    let odd = Dispute { evidence_due_by: None, ..dispute(DisputeStatus::Unrecognised("in_arbitration".to_owned())) };
    show("a dispute that a person decided about", Answer::ExistingDispute(&odd));
    for status in [RefundStatus::Pending, RefundStatus::Succeeded, RefundStatus::Failed] {
        show(&format!("a refund, {}", status.name()), Answer::Refund(&refund(status)));
    }
    let unnamed = Refund { reference: None, reason: None, ..refund(RefundStatus::Succeeded) };
    show("a refund that is there already, without a name", Answer::ExistingRefund(&unnamed));
    for rejection in rejections() {
        show(rejection.code(), Answer::Rejected(&rejection));
    }
    snapshot::check("crates/quittance-server/tests/it/api/snapshots/answers.txt", &text);
}
