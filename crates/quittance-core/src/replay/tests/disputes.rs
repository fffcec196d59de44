//! Disputes: what is withdrawn and reinstated, and the evidence that answers them.

use super::refunds::{self, refund, refund_accepted, sent};
use super::*;
use crate::journal::{DisputeSeen, EvidenceAdvanced};
use crate::refund::RefundStatus;

fn dispute(number: u8) -> DisputeId {
    DisputeId::from_bytes([number; 16])
}

fn evidence() -> EffectId {
    EffectId::from_bytes([31; 16])
}

fn disputed() -> Account {
    Account::Disputed("stripe".into())
}

fn clearing() -> Account {
    Account::GatewayClearing("stripe".into())
}

fn between(debit: Account, credit: Account, amount: i64) -> Vec<Posting> {
    transfer(debit, credit, amount, money(0).currency)
}

fn seen(status: &str) -> DisputeSeen {
    DisputeSeen {
        dispute: dispute(30),
        payment: payment(),
        object: "dp_1".into(),
        status: status.into(),
        money: money(500),
        source: Source::Sweep,
        movement: None,
        postings: Vec::new(),
    }
}

fn opened() -> Record {
    Record::DisputeSeen(seen("needs_response"))
}

fn moves(status: &str, movement: &str, postings: Vec<Posting>) -> Record {
    Record::DisputeSeen(DisputeSeen { movement: Some(movement.into()), postings, ..seen(status) })
}

fn withdrawn(amount: i64) -> Record {
    moves("needs_response", "txn_1", between(disputed(), clearing(), amount))
}

fn reinstated(amount: i64) -> Record {
    moves("won", "txn_2", between(clearing(), disputed(), amount))
}

fn written_off(amount: i64) -> Record {
    let postings = between(Account::DisputeLoss, disputed(), amount);
    Record::DisputeSeen(DisputeSeen { postings, ..seen("lost") })
}

fn after(records: impl IntoIterator<Item = Record>) -> Result<Replay, ReplayError> {
    replay([succeeded()].into_iter().chain(records))
}

/// What the dispute and its payment count as withdrawn, and what the dispute counts as lost.
fn amounts(records: impl IntoIterator<Item = Record>) -> (i64, i64, i64) {
    let replay = after(records).expect("possible");
    let dispute = &replay.disputes[&dispute(30)];
    (dispute.withdrawn_amount, replay.payments[&payment()].disputed_amount, dispute.lost_amount)
}

#[test]
fn money_moves_when_the_gateway_moves_it_not_by_a_status() {
    assert_eq!(amounts([opened()]), (0, 0, 0));
    assert_eq!(amounts([opened(), withdrawn(500)]), (500, 500, 0));
    assert_eq!(amounts([opened(), withdrawn(500), Record::DisputeSeen(seen("lost"))]), (500, 500, 0));
    assert_eq!(amounts([withdrawn(500), reinstated(500)]), (0, 0, 0));
    let replay = after([opened(), withdrawn(500), reinstated(200)]).expect("possible");
    let replayed = &replay.disputes[&dispute(30)];
    assert_eq!((replayed.status.as_str(), replayed.withdrawn_amount), ("won", 300));
    assert_eq!((replayed.object.as_str(), replayed.gateway.as_str()), ("dp_1", "stripe"));
    assert_eq!(replay.movements.len(), 2);
}

#[test]
fn a_fee_is_not_withdrawn_from_the_payment() {
    let fee = between(Account::GatewayFees("stripe".into()), clearing(), 15);
    let both = [between(disputed(), clearing(), 500), fee].concat();
    assert_eq!(amounts([moves("needs_response", "txn_1", both)]), (500, 500, 0));
}

#[test]
fn what_is_written_off_stays_withdrawn_until_it_is_reinstated() {
    assert_eq!(amounts([withdrawn(500), written_off(500)]), (500, 500, 500));
    let late = moves("won", "txn_2", between(clearing(), Account::DisputeLoss, 500));
    assert_eq!(amounts([withdrawn(500), written_off(500), late]), (0, 0, 0));
}

#[test]
fn what_is_withdrawn_is_not_refunded_too() {
    let refunded = after([withdrawn(400), refund_accepted(20, 101)]);
    assert_eq!(refunded.map(drop), Err(ReplayError::TooMuch(refund(20))));
    assert!(after([withdrawn(400), refund_accepted(20, 100)]).is_ok());
}

#[test]
fn a_movement_of_a_dispute_is_booked_once() {
    let twice = after([withdrawn(500), withdrawn(500)]);
    assert_eq!(twice.map(drop), Err(ReplayError::BookedTwice("txn_1".into())));
    let unnamed = DisputeSeen { postings: between(disputed(), clearing(), 500), ..seen("needs_response") };
    let unmoved = after([Record::DisputeSeen(unnamed)]);
    assert_eq!(unmoved.map(drop), Err(ReplayError::Unmoved(dispute(30))));
}

#[test]
fn nothing_is_reinstated_that_was_not_withdrawn() {
    let more = Err(ReplayError::Reinstated(dispute(30)));
    assert_eq!(after([opened(), reinstated(1)]).map(drop), more);
    assert_eq!(after([withdrawn(500), reinstated(501)]).map(drop), more);
    let found = between(disputed(), Account::DisputeLoss, 1);
    let never_lost = Record::DisputeSeen(DisputeSeen { postings: found, ..seen("won") });
    assert_eq!(after([withdrawn(500), never_lost]).map(drop), more);
}

#[test]
fn a_dispute_is_of_one_payment_and_one_object() {
    let foreign = |other: DisputeSeen| {
        let error = after([opened(), Record::DisputeSeen(other.clone())]).expect_err("impossible");
        assert_eq!(error, ReplayError::Foreign(other.dispute.to_string()));
    };
    foreign(DisputeSeen { object: "dp_2".into(), ..seen("lost") });
    foreign(DisputeSeen { dispute: dispute(32), ..seen("lost") });
    let mut eur = seen("lost");
    eur.money.currency = Currency::from_code("EUR").expect("known currency");
    foreign(eur);
    let elsewhere = between(Account::Disputed("bank".into()), clearing(), 500);
    foreign(DisputeSeen { movement: Some("txn_1".into()), postings: elsewhere, ..seen("lost") });
    let unheard = DisputeSeen { payment: PaymentId::from_bytes([9; 16]), ..seen("lost") };
    assert!(matches!(after([Record::DisputeSeen(unheard)]), Err(ReplayError::Unheard(_))));
    let second = DisputeSeen { dispute: dispute(32), object: "dp_2".into(), ..seen("needs_response") };
    assert!(after([opened(), Record::DisputeSeen(second)]).is_ok());
}

#[test]
fn what_is_withdrawn_in_another_currency_is_the_disputes_alone() {
    let eur = Currency::from_code("EUR").expect("known currency");
    let mut other = DisputeSeen { movement: Some("txn_1".into()), ..seen("needs_response") };
    other.money.currency = eur;
    other.postings = transfer(disputed(), clearing(), 450, eur);
    assert_eq!(amounts([Record::DisputeSeen(other)]), (450, 0, 0));
}

fn accepted_evidence(id: DisputeId) -> Record {
    let command = CommandId::from_bytes([5; 16]);
    Record::EvidenceAccepted { command, effect: evidence(), dispute: id, digest: [1; 32] }
}

fn evidence_moves(state: State) -> EvidenceAdvanced {
    EvidenceAdvanced {
        effect: evidence(),
        dispute: dispute(30),
        source: Source::Send,
        saw: "seen:under_review".into(),
        state,
        generation: 0,
    }
}

#[test]
fn evidence_is_an_effect_of_its_dispute() {
    let end = || Record::EvidenceAdvanced(evidence_moves(State::Succeeded));
    let replay = after([opened(), accepted_evidence(dispute(30)), end()]).expect("possible");
    let effect = &replay.effects[&evidence()];
    assert_eq!((effect.payment, effect.state, effect.step), (payment(), State::Succeeded, Step::Submit));
    let unheard = after([accepted_evidence(dispute(30))]);
    assert!(matches!(unheard, Err(ReplayError::Unheard(_))), "{unheard:?}");
    let twice = after([opened(), accepted_evidence(dispute(30)), accepted_evidence(dispute(30))]);
    assert!(matches!(twice, Err(ReplayError::Twice(_))), "{twice:?}");
    let second = DisputeSeen { dispute: dispute(32), object: "dp_2".into(), ..seen("needs_response") };
    let anothers = after([opened(), Record::DisputeSeen(second), accepted_evidence(dispute(32)), end()]);
    assert_eq!(anothers.map(drop), Err(ReplayError::Foreign(dispute(30).to_string())));
    let undone = Record::EvidenceAdvanced(evidence_moves(State::Pending));
    let undone = after([opened(), accepted_evidence(dispute(30)), end(), undone]);
    assert!(matches!(undone, Err(ReplayError::Undecided { .. })), "{undone:?}");
}

#[test]
fn a_refund_is_not_begun_once_its_money_is_withdrawn() {
    let lost = || Record::RefundAdvanced(refunds::moves(20, State::Unknown, RefundStatus::Unknown));
    let absent = || Record::RefundAdvanced(refunds::moves(20, State::NotExecuted, RefundStatus::Pending));
    let accepted = || refund_accepted(20, 200);
    assert!(after([accepted(), withdrawn(300), sent(20)]).is_ok(), "there is as much left");
    assert!(after([accepted(), sent(20), lost(), withdrawn(301), sent(20)]).is_ok(), "it may have been begun before");
    let too_much = Err(ReplayError::TooMuch(refund(20)));
    assert_eq!(after([accepted(), withdrawn(301), sent(20)]).map(drop), too_much);
    let Record::TicketIssued { effect, step, send_no, gateway_key, request_digest, lease_epoch, .. } = sent(20) else {
        panic!("a ticket");
    };
    let afresh =
        Record::TicketIssued { effect, step, generation: 1, send_no, gateway_key, request_digest, lease_epoch };
    assert!(after([accepted(), sent(20), lost(), absent(), withdrawn(300), afresh.clone()]).is_ok());
    assert_eq!(after([accepted(), sent(20), lost(), absent(), withdrawn(301), afresh]).map(drop), too_much);
}
