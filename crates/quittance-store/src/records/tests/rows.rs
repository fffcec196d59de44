//! Rows come back as they went.

use super::effects::effects;
use super::*;
use crate::records::{FindingAction, FindingState, PairFinding};
use crate::value::Value;
use quittance_core::customer::Customer;
use quittance_core::dispute::{Dispute, DisputeStatus, Evidence, Stage};
use quittance_core::effect::{Era, Step};
use quittance_core::fact::ObjectKind;
use quittance_core::id::ApiKeyId;
use quittance_core::id::{DiscrepancyId, RunId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::Closing;
use quittance_core::pair::digest::{Digest, RecordHash};
use quittance_core::pair::proof::Proof;
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_core::refund::{Refund, RefundStatus};
use quittance_core::tenant::{ApiKey, Mode, Scope, Tenant};
use std::fmt::Debug;

pub(super) fn check<E: Entity + PartialEq + Debug>(entity: E) {
    assert_eq!(E::from_row(&entity.to_row()), Ok(entity));
}

fn metadata() -> BTreeMap<String, String> {
    BTreeMap::from([("plan".to_owned(), "größe".to_owned()), (String::new(), String::new())])
}

fn customer() -> Customer {
    Customer {
        id: CustomerId::from_bytes(bytes(4)),
        tenant: TenantId::from_bytes(bytes(9)),
        external_id: Some("acme".into()),
        name: None,
        email: Some("a@example.com".into()),
        currency: Some(usd()),
        timezone: None,
        gateway_ids: BTreeMap::from([("stripe".into(), "cus_1".into())]),
        metadata: metadata(),
        created_at: Timestamp(1),
    }
}

fn payment() -> Payment {
    Payment {
        id: payment_id(),
        book: CustomerId::from_bytes(bytes(4)),
        tenant: TenantId::from_bytes(bytes(9)),
        command: command_id(),
        effect: effect_id(),
        money: Money::new(1999, usd()),
        gateway: "stripe".into(),
        payment_method: "pm_card_visa".into(),
        capture_method: CaptureMethod::Manual,
        return_url: Some("https://example.com/done".into()),
        reference: "order-1".into(),
        status: Status::Failed,
        captured_amount: 5,
        refunded_amount: 4,
        refunding_amount: 3,
        disputed_amount: 2,
        returned_amount: 1,
        parked_by: None,
        gateway_object: Some("pi_1".into()),
        object_kind: ObjectKind::Charge,
        decline: Some(decline()),
        next_action: None,
        description: Some("an order".into()),
        metadata: metadata(),
        created_at: Timestamp(2),
    }
}

fn refund() -> Refund {
    Refund {
        id: refund_id(),
        book: CustomerId::from_bytes(bytes(4)),
        tenant: TenantId::from_bytes(bytes(9)),
        payment: payment_id(),
        command: command_id(),
        effect: effect_id(),
        money: Money::new(700, usd()),
        gateway: "stripe".into(),
        reference: Some("return-1".into()),
        reason: Some("duplicate".into()),
        status: RefundStatus::RequiresAction,
        parked_by: Some(Limit::RefundedAmountPerDay),
        gateway_object: Some("re_1".into()),
        failure_code: Some("lost_or_stolen_card".into()),
        created_at: Timestamp(3),
    }
}

fn dispute() -> Dispute {
    Dispute {
        id: dispute_id(),
        book: CustomerId::from_bytes(bytes(4)),
        tenant: TenantId::from_bytes(bytes(9)),
        payment: payment_id(),
        gateway: "stripe".into(),
        object_id: "dp_1".into(),
        status: DisputeStatus::Unrecognised("in_arbitration".into()),
        money: Money::new(700, usd()),
        reason: "fraudulent".into(),
        evidence_due_by: Some(Timestamp(9)),
        submissions: 2,
        withdrawn_amount: 700,
        is_written_off: true,
        created_at: Timestamp(4),
    }
}

fn command(progress: Progress) -> Command {
    Command {
        id: command_id(),
        tenant: TenantId::from_bytes(bytes(9)),
        key: "key-1".into(),
        operation: "POST /v1/payments".into(),
        fingerprint: [1; 32],
        fingerprint_version: 1,
        progress,
        subject: Some("pay_x".into()),
        credential: Some(ApiKeyId::from_bytes(bytes(8))),
        api_version: "1".into(),
        received_at: Timestamp(1),
    }
}

#[test]
fn rows_come_back_as_they_went() {
    check(customer());
    check(payment());
    check(Payment { parked_by: Some(Limit::PaymentAmount), ..payment() });
    effects().into_iter().for_each(|(_, effect)| check(effect));
    check(command(Progress::InProgress));
    check(command(Progress::Completed { status: 201, body: b"{}".to_vec(), at: Timestamp(5) }));
    check(command(Progress::Tombstone { at: Timestamp(5) }));
    check(KeyEntry { tenant: customer().tenant, key_digest: [5; 16], command: payment().command });
    check(Book { records: 7, head: [3; 32], balances: balances(), ..Book::new(customer().id, customer().tenant) });
    let intent = IntentEntry {
        book: customer().id,
        intent: IntentEntry::of_reference("r"),
        holder: Holder::Payment(payment_id()),
    };
    check(IntentEntry {
        intent: IntentEntry::of_refund(payment_id(), "r"),
        holder: Holder::Refund(refund_id()),
        ..intent.clone()
    });
    check(IntentEntry {
        intent: IntentEntry::of_evidence(dispute_id(), Stage::Inquiry),
        holder: Holder::Evidence(effect_id()),
        ..intent.clone()
    });
    check(intent);
    check(ClosedHold { book: customer().id, hold: HoldId::from_bytes(bytes(1)), closing: Closing::Voided, seq: 4 });
}

#[test]
fn rows_of_money_that_goes_back_come_back_as_they_went() {
    check(refund());
    check(Refund { reference: None, reason: None, gateway_object: None, failure_code: None, ..refund() });
    check(dispute());
    check(Dispute { status: DisputeStatus::Won, evidence_due_by: None, is_written_off: false, ..dispute() });
    let open = Dispute { status: DisputeStatus::NeedsResponse, ..dispute() };
    let until = Dispute::table().position("answerable_until");
    assert_eq!((&open.to_row()[until], &dispute().to_row()[until]), (&Value::Integer(9), &Value::Null));
    check(open);
    check(Evidence {
        book: customer().id,
        effect: effect_id(),
        tenant: customer().tenant,
        dispute: dispute_id(),
        stage: Stage::Chargeback,
        command: command_id(),
        texts: metadata(),
        created_at: Timestamp(5),
    });
    let digest = |count, sum| Digest { count, sum };
    let proof = Proof {
        left: digest(3, u128::MAX),
        right: digest(2, 1),
        equal: digest(2, 1),
        left_uncounted: 0,
        right_uncounted: 4,
    };
    let run = RunId::from_bytes([7; 16]);
    check(Run {
        id: run,
        pair: "subscriptions".into(),
        started_at: Timestamp(1),
        ended_at: Timestamp(2),
        method: "blake3-128".into(),
        left_as_of: None,
        right_as_of: Some(Timestamp(1)),
        drifts: 1,
        drifts_digest: [3; 32],
        proof,
    });
    check(Drift {
        run,
        seq: 0,
        kind: "different".into(),
        key: "sub_1".into(),
        standing: "confirmed".into(),
        first_seen_at: Timestamp(1),
        left_hashes: vec![RecordHash(1), RecordHash(u128::MAX)],
        right_hashes: Vec::new(),
        told: "[]".into(),
        content: [4; 32],
    });
    let finding = PairFinding {
        pair: "subscriptions".into(),
        digest: [1; 32],
        id: DiscrepancyId::from_bytes([9; 16]),
        kind: "different".into(),
        key: "sub_1".into(),
        state: FindingState::Ignored,
        first_seen_at: Timestamp(1),
        opened_at: Timestamp(2),
        last_seen_at: Timestamp(3),
        closed_at: None,
        judged_at: Timestamp(3),
        run,
        repair: Some((run, 2)),
        content: [4; 32],
        told: "[]".into(),
        ignored_by: Some("key_1".into()),
        ignored_reason: Some("as agreed".into()),
    };
    check(PairFinding {
        state: FindingState::Resolved,
        closed_at: Some(Timestamp(4)),
        repair: None,
        ignored_by: None,
        ignored_reason: None,
        ..finding.clone()
    });
    check(finding);
    check(FindingAction {
        tenant: customer().tenant,
        key: [5; 32],
        fingerprint: [6; 32],
        finding: DiscrepancyId::from_bytes([9; 16]),
        action: "resolve".into(),
        by: "key_1".into(),
        at: Timestamp(7),
        run: Some(run),
        reason: "the left is right".into(),
    });
    check(BookedMovement { gateway: "stripe".into(), movement: "txn_1".into(), book: customer().id, seq: 4 });
}

#[test]
fn rows_of_operators_gateways_and_inbox_come_back_as_they_went() {
    check(Tenant {
        id: customer().tenant,
        name: "acme".into(),
        mode: Mode::Test,
        fingerprint_secret: [1; 32],
        gateway_key_secret: [2; 32],
        created_at: Timestamp(1),
    });
    check(ApiKey {
        id: ApiKeyId::from_bytes(bytes(8)),
        tenant: customer().tenant,
        digest: [4; 32],
        name: "ci".into(),
        scope: Scope::Write,
        created_at: Timestamp(1),
        revoked_at: None,
        ends_at: Some(Timestamp(7)),
        last_used_at: Some(Timestamp(5)),
    });
    check(Ticket {
        book: customer().id,
        effect: payment().effect,
        step: Step::Create,
        generation: 0,
        send_no: 1,
        gateway_key: "b1x".into(),
        reference: Some("b1x".into()),
        request_digest: [6; 32],
        request: vec![1, 2, 3],
        lease_epoch: 2,
        issued_at: Timestamp(1),
        deadline: Timestamp(2),
    });
    let paused = Switch {
        name: Switch::EVERYTHING.into(),
        is_paused: true,
        reason: Some("the gateway charges double".into()),
        by: "operator".into(),
        changed_at: Timestamp(1),
    };
    let counter = Counter { tenant: customer().tenant, name: Meter::RefundedOfDay(usd()).to_string(), tally: tally() };
    assert_eq!(counter.key(), Counter::place(customer().tenant, Meter::RefundedOfDay(usd())));
    check(counter);
    check(Switch { name: "stripe".into(), is_paused: false, reason: None, ..paused.clone() });
    check(paused);
    let era = Era { number: 3, began_at: Timestamp(4), dated_since: 2, ahead_ms: 5 };
    check(ClockMark { name: "wall".into(), wall: Timestamp(5), boot: "b".into(), steady_ms: 6, era });
}

#[test]
fn a_row_that_contradicts_itself_is_refused() {
    let mut row = command(Progress::InProgress).to_row();
    row[Command::table().position("state")] = "completed".into();
    let corrupt = Command::from_row(&row).expect_err("no answer beside it");
    assert_eq!((corrupt.table, corrupt.column), ("commands", "state"));
    let mut row = payment().to_row();
    row[Payment::table().position("status")] = "paid".into();
    assert!(Payment::from_row(&row).is_err());
    row.pop();
    assert!(Payment::from_row(&row).is_err());
    let damaged = |column: &str, value: Value| {
        let mut row = dispute().to_row();
        row[Dispute::table().position(column)] = value;
        Dispute::from_row(&row).expect_err("damaged").column
    };
    assert_eq!(damaged("is_written_off", 2.into()), "is_written_off");
    assert_eq!(damaged("submissions", (-1).into()), "submissions");
}
