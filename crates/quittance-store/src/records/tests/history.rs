//! Journal records of every kind, with every word that their fields can have.

use super::*;
use quittance_core::effect::{PersonsWord, Source, State, Step};
use quittance_core::journal::{
    Advanced, Closing, Corrected, Correction, DisputeSeen, EvidenceAdvanced, Record, RefundAccepted, RefundAdvanced,
    StepAsked,
};
use quittance_core::payment::Status;
use quittance_core::refund::RefundStatus;

pub(super) fn records() -> Vec<(&'static str, Record)> {
    [of_payments(), of_refunds(), of_corrections(), of_steps(), of_disputes()].concat()
}

fn of_payments() -> Vec<(&'static str, Record)> {
    let (effect, payment) = (effect_id(), payment_id());
    let hold = HoldId::from_bytes(bytes(1));
    let accepted = Record::PaymentAccepted {
        payment,
        command: command_id(),
        effect,
        hold,
        money: Money::new(1999, usd()),
        gateway: "stripe".into(),
        reference: "order-1".into(),
        postings: postings(),
    };
    let ticket = Record::TicketIssued {
        effect,
        step: Step::Confirm,
        generation: 1,
        send_no: 2,
        gateway_key: "b1abc".into(),
        request_digest: [7; 32],
        lease_epoch: 5,
    };
    let advanced = Advanced {
        effect,
        payment,
        source: Source::Webhook("evt_1".into()),
        saw: "seen:succeeded".into(),
        state: State::Succeeded,
        step: Step::Confirm,
        generation: 1,
        object: Some("pi_1".into()),
        status: Status::Succeeded,
        decline: None,
        closing: Some((hold, Closing::Posted)),
        postings: postings(),
    };
    let failed = Advanced {
        source: Source::Send,
        saw: "declined:insufficient_funds".into(),
        state: State::Failed,
        status: Status::Failed,
        decline: Some(decline()),
        closing: Some((hold, Closing::Voided)),
        ..advanced.clone()
    };
    let word = PersonsWord { by: "key_1".into(), evidence: "statement 7".into(), reason: "seen at the bank".into() };
    let resolved = Advanced { source: Source::Person(word), saw: "resolved:failed".into(), ..failed.clone() };
    let asked = Advanced { source: Source::Client, saw: "asked:cancel".into(), ..failed.clone() };
    let swept = Advanced { source: Source::Sweep, state: State::NotExecuted, closing: None, ..failed.clone() };
    let parked = Advanced { source: Source::Brake(Limit::RetryShare), state: State::Review, ..swept.clone() };
    let kept = Record::ObservationKept {
        effect,
        source: Source::Read,
        saw: "absent".into(),
        because: "the lease was lost".into(),
    };
    vec![
        ("journal.book_opened", Record::BookOpened { tenant: TenantId::from_bytes(bytes(9)) }),
        ("journal.payment_accepted", accepted),
        ("journal.ticket_issued", ticket),
        ("journal.effect_advanced.posted", Record::EffectAdvanced(advanced)),
        ("journal.effect_advanced.voided", Record::EffectAdvanced(failed)),
        ("journal.effect_advanced.resolved", Record::EffectAdvanced(resolved)),
        ("journal.effect_advanced.by_client", Record::EffectAdvanced(asked)),
        ("journal.effect_advanced.by_sweep", Record::EffectAdvanced(swept)),
        ("journal.effect_advanced.parked", Record::EffectAdvanced(parked)),
        ("journal.observation_kept", kept),
    ]
}

fn of_refunds() -> Vec<(&'static str, Record)> {
    let hold = HoldId::from_bytes(bytes(12));
    let accepted = RefundAccepted {
        refund: refund_id(),
        payment: payment_id(),
        command: command_id(),
        effect: effect_id(),
        hold,
        money: Money::new(1999, usd()),
        gateway: "stripe".into(),
        reference: Some("return-1".into()),
        postings: postings(),
    };
    let unnamed = RefundAccepted { reference: None, ..accepted.clone() };
    let pending = RefundAdvanced {
        effect: effect_id(),
        refund: refund_id(),
        source: Source::Find,
        saw: "seen:requires_action".into(),
        state: State::Pending,
        generation: 2,
        object: Some("re_1".into()),
        status: RefundStatus::RequiresAction,
        failure_code: None,
        closing: None,
        postings: Vec::new(),
    };
    let failed = RefundAdvanced {
        saw: "seen:failed".into(),
        state: State::Failed,
        status: RefundStatus::Failed,
        failure_code: Some("lost_or_stolen_card".into()),
        closing: Some((hold, Closing::Voided)),
        postings: postings(),
        ..pending.clone()
    };
    vec![
        ("journal.refund_accepted", Record::RefundAccepted(accepted)),
        ("journal.refund_accepted.unnamed", Record::RefundAccepted(unnamed)),
        ("journal.refund_advanced.pending", Record::RefundAdvanced(pending)),
        ("journal.refund_advanced.voided", Record::RefundAdvanced(failed)),
    ]
}

fn of_corrections() -> Vec<(&'static str, Record)> {
    let names = [
        "journal.corrected.payment_returned",
        "journal.corrected.refund_returned",
        "journal.corrected.payment_received",
        "journal.corrected.refund_paid",
    ];
    let corrected = |correction| Corrected {
        effect: effect_id(),
        payment: payment_id(),
        correction,
        movement: "txn_1".into(),
        source: Source::Webhook("evt_2".into()),
        saw: "seen:failed".into(),
        postings: postings(),
    };
    names.into_iter().zip(Correction::ALL.map(|correction| Record::Corrected(corrected(correction)))).collect()
}

fn of_steps() -> Vec<(&'static str, Record)> {
    let asked = |asked| Record::StepAsked { command: command_id(), effect: effect_id(), payment: payment_id(), asked };
    vec![
        ("journal.step_asked.capture", asked(StepAsked::Capture { amount: 700 })),
        ("journal.step_asked.cancel", asked(StepAsked::Cancel { reason: Some("abandoned".into()) })),
        ("journal.step_asked.cancel.no_reason", asked(StepAsked::Cancel { reason: None })),
    ]
}

fn of_disputes() -> Vec<(&'static str, Record)> {
    let opened = DisputeSeen {
        dispute: dispute_id(),
        payment: payment_id(),
        object: "dp_1".into(),
        status: "warning_needs_response".into(),
        money: Money::new(1999, usd()),
        source: Source::Read,
        movement: None,
        postings: Vec::new(),
    };
    let withdrawn = DisputeSeen {
        status: "needs_response".into(),
        movement: Some("txn_2".into()),
        postings: transfer(Account::Disputed("stripe".into()), Account::GatewayClearing("stripe".into()), 1999, usd()),
        ..opened.clone()
    };
    let accepted =
        Record::EvidenceAccepted { command: command_id(), effect: effect_id(), dispute: dispute_id(), digest: [6; 32] };
    let advanced = EvidenceAdvanced {
        effect: effect_id(),
        dispute: dispute_id(),
        source: Source::Recovery,
        saw: "lease_lost".into(),
        state: State::Unknown,
        generation: 1,
    };
    vec![
        ("journal.dispute_seen", Record::DisputeSeen(opened)),
        ("journal.dispute_seen.withdrawn", Record::DisputeSeen(withdrawn)),
        ("journal.evidence_accepted", accepted),
        ("journal.evidence_advanced", Record::EvidenceAdvanced(advanced)),
    ]
}
