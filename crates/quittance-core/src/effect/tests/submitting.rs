//! Evidence: handed in once, and the dispute itself says whether it was.

use super::*;
use crate::dispute::{DisputeSighting, DisputeStatus};

fn evidence(state: State) -> Effect {
    Effect {
        subject: Subject::Dispute(DisputeId::from_bytes([7; 16])),
        object_id: Some("dp_1".into()),
        submissions_before: Some(0),
        last_sent_at: Some(Timestamp(0)),
        ..effect(state, Step::Submit)
    }
}

fn dispute(status: DisputeStatus, submissions: u32) -> Box<DisputeSighting> {
    Box::new(DisputeSighting {
        object_id: "dp_1".into(),
        charge: "ch_1".into(),
        payment_object: None,
        status,
        money: money(),
        reason: "fraudulent".into(),
        evidence_due_by: None,
        submissions,
        movements: Vec::new(),
    })
}

fn read(status: DisputeStatus, submissions: u32) -> Stimulus {
    Stimulus::Read(Fact::SeenDispute(dispute(status, submissions)))
}

#[test]
fn the_dispute_is_read_before_anything_is_sent() {
    let policy = Policy::default();
    let mut fresh = Effect { submissions_before: None, ..evidence(State::Intended) };
    assert_eq!(next_move(&fresh, &policy, Timestamp(0)), Move::Read);
    advance(&mut fresh, read(DisputeStatus::NeedsResponse, 2), &policy, Timestamp(1), 7);
    assert_eq!((fresh.state, fresh.submissions_before), (State::Intended, Some(2)));
    assert_eq!(next_move(&fresh, &policy, Timestamp(1)), Move::Send(Step::Submit));
}

#[test]
fn what_the_dispute_counts_is_what_was_handed_in() {
    let seen = |submissions| answer(Fact::SeenDispute(dispute(DisputeStatus::UnderReview, submissions)));
    check(evidence(State::Sending), seen(1), "succeeded submit 0: succeeded");
    check(evidence(State::Sending), seen(0), "unknown submit 0: moved");
    check(evidence(State::Unknown), read(DisputeStatus::Lost, 1), "succeeded submit 0: succeeded");
    check(evidence(State::Unknown), read(DisputeStatus::NeedsResponse, 0), "intended submit 1: moved");
    check(evidence(State::Unknown), read(DisputeStatus::Lost, 0), "failed submit 0: failed");
}

#[test]
fn an_answer_that_the_dispute_never_shows_ends_with_a_person() {
    let policy = Policy::default();
    let mut sent = evidence(State::Sending);
    let mut rounds = 0;
    while !sent.state.is_terminal() {
        let hollow = answer(Fact::SeenDispute(dispute(DisputeStatus::NeedsResponse, 0)));
        advance(&mut sent, hollow, &policy, Timestamp(0), 7);
        if !sent.state.is_terminal() {
            advance(&mut sent, read(DisputeStatus::NeedsResponse, 0), &policy, Timestamp(0), 7);
            ticket(&mut sent, Timestamp(0));
        }
        rounds += 1;
        assert!(rounds <= policy.tries_max + 1, "it never ends");
    }
    assert_eq!(sent.state, State::Review);
}

#[test]
fn a_word_that_is_not_known_is_not_guessed_at() {
    let new = || DisputeStatus::Unrecognised("new".into());
    check(evidence(State::Unknown), read(new(), 0), "unknown submit 0: moved");
    check(Effect { submissions_before: None, ..evidence(State::Intended) }, read(new(), 0), "intended submit 0: moved");
    check(evidence(State::Unknown), read(new(), 1), "succeeded submit 0: succeeded");
}

#[test]
fn a_refusal_ends_it_once_nothing_sent_before_can_arrive() {
    let policy = Policy::default();
    check(evidence(State::Sending), answer(refused(false)), "failed submit 0: failed");
    let mut second = Effect { generation: 1, ..evidence(State::Sending) };
    advance(&mut second, answer(refused(false)), &policy, Timestamp(1), 7);
    assert_eq!((second.state, second.due_at), (State::Unknown, Some(Timestamp(1))));
    let not_handed_in = || read(DisputeStatus::NeedsResponse, 0);
    advance(&mut second, not_handed_in(), &policy, Timestamp(2), 7);
    assert_eq!(second.state, State::Unknown, "the first may still arrive");
    let settled_at = Timestamp(0).plus_ms(safe_wait_ms(policy.payments.quiescence_ms));
    advance(&mut second, not_handed_in(), &policy, settled_at, 7);
    assert_eq!(second.state, State::Failed);
}
