//! Effects: parked, approved, proven not to be carried out.

use super::*;
use crate::brake::Limit;

fn by_person(state: State, status: Status, closing: Option<Closing>) -> Record {
    Record::EffectAdvanced(Advanced { source: person(), ..moved(state, status, closing) })
}

/// A history of which nothing was ever sent.
fn unsent(records: impl IntoIterator<Item = Record>) -> Result<Replay, ReplayError> {
    let mut replay = Replay::default();
    let opened = Record::BookOpened { tenant: TenantId::from_bytes([4; 16]) };
    [opened, accepted(postings(500))].into_iter().chain(records).try_for_each(|record| replay.apply(&record))?;
    Ok(replay)
}

fn review() -> Record {
    advanced(State::Review, Status::Review, None)
}

#[test]
fn what_a_brake_held_back_begins_by_a_persons_word() {
    let approved = || by_person(State::Intended, Status::Processing, None);
    let replay = unsent([review(), approved(), ticket(Step::Create, 1)]).expect("possible");
    assert_eq!(replay.effects[&effect()].state, State::Sending);
    let undecided = format!("{} was review and becomes intended", effect());
    let by_itself = unsent([review(), advanced(State::Intended, Status::Processing, None)]);
    assert_eq!(by_itself.expect_err("nobody approved").to_string(), undecided);
    assert_eq!(refused([review(), approved()]), undecided, "something was sent before");
}

fn from(source: Source, state: State, status: Status, closing: Option<Closing>) -> Record {
    Record::EffectAdvanced(Advanced { source, ..moved(state, status, closing) })
}

fn parked() -> Record {
    from(Source::Brake(Limit::PaymentAmount), State::Review, Status::Review, None)
}

#[test]
fn what_a_brake_holds_back_was_never_sent_and_nothing_else_is() {
    let replayed = |records: Vec<Record>| {
        let replay = unsent(records).expect("possible");
        replay.payments.values().next().expect("there is one").parked_by
    };
    assert_eq!(replayed(vec![parked()]), Some(Limit::PaymentAmount));
    assert_eq!(replayed(vec![parked(), by_person(State::Intended, Status::Processing, None)]), None);
    assert_eq!(refused([parked()]), format!("{} was sending and becomes review", effect()));
    let brake = Source::Brake(Limit::PaymentAmount);
    let ended = unsent([from(brake, State::Failed, Status::Failed, Some(Closing::Voided))]);
    assert_eq!(
        ended.expect_err("a brake ends nothing").to_string(),
        format!("{} was intended and becomes failed", effect())
    );
}

#[test]
fn what_was_never_sent_may_be_given_up_by_its_client() {
    let canceled = || from(Source::Client, State::Canceled, Status::Canceled, Some(Closing::Voided));
    assert!(unsent([parked(), canceled()]).is_ok());
    assert_eq!(refused([review(), canceled()]), format!("{} was review and becomes canceled", effect()));
    let sent = unsent([parked(), ticket(Step::Create, 1)]);
    assert!(sent.is_err(), "nobody approved");
}

#[test]
fn what_is_in_review_ends_by_a_persons_word_alone() {
    assert!(replay([review(), by_person(State::Failed, Status::Failed, Some(Closing::Voided))]).is_ok());
    assert_eq!(refused([review(), failed()]), format!("{} was review and becomes failed", effect()));
    assert_eq!(refused([review(), succeeded()]), format!("{} was review and becomes succeeded", effect()));
}

#[test]
fn what_was_not_executed_is_sent_again_in_a_new_generation() {
    let absent = || advanced(State::NotExecuted, Status::Processing, None);
    let replay = replay([absent(), ticket(Step::Create, 2)]).expect("possible");
    assert_eq!((replay.effects[&effect()].state, replay.effects[&effect()].generation), (State::Sending, 2));
    assert_eq!(
        refused([absent(), ticket(Step::Create, 1)]),
        format!("{} was sent again where a new generation was due", effect())
    );
    let ended = advanced(State::NotExecuted, Status::Failed, Some(Closing::Voided));
    assert_eq!(refused([ended]), named("is failed, but its effect is not_executed"));
}

#[test]
fn an_effect_has_the_steps_of_its_kind() {
    assert_eq!(refused([ticket(Step::Submit, 1)]), format!("{} has no step submit", effect()));
    assert!(unsent([ticket(Step::Execute, 0)]).is_ok());
}

#[test]
fn one_request_that_does_it_all_makes_an_object_of_its_own() {
    let replay = unsent([ticket(Step::Execute, 0)]).expect("possible");
    assert!(replay.effects[&effect()].is_fresh);
}

#[test]
fn an_effect_has_the_object_of_its_last_record() {
    let replay = replay([advanced(State::Pending, Status::Processing, None)]).expect("possible");
    assert_eq!(replay.effects[&effect()].object.as_deref(), Some("pi_1"));
}

/// Where one request does it all, in this state and generation.
fn executing(state: State, generation: u32) -> Record {
    let status = if state == State::Unknown { Status::Unknown } else { Status::Processing };
    let (step, object) = (Step::Execute, None);
    Record::EffectAdvanced(Advanced { step, generation, object, ..moved(state, status, None) })
}

#[test]
fn what_may_have_been_carried_out_is_sent_under_a_new_key_only_once_it_is_proven_not_to_be() {
    let sent = |generation| ticket(Step::Execute, generation);
    let unproven =
        format!("{} was sent under a new key, and nothing proved that the last one was not carried out", effect());
    let refused = |records: Vec<Record>| unsent(records).map(drop).map_err(|error| error.to_string());
    for state in [State::Unknown, State::Intended] {
        assert_eq!(refused(vec![sent(0), executing(state, 0), sent(1)]), Err(unproven.clone()), "{state:?}");
    }
    assert_eq!(refused(vec![sent(1)]), Err(unproven.clone()), "nothing was sent before");
    assert_eq!(refused(vec![sent(0), sent(1)]), Err(unproven.clone()));
    let absent = || executing(State::NotExecuted, 0);
    assert_eq!(refused(vec![sent(0), executing(State::Unknown, 0), absent(), sent(1)]), Ok(()));
    assert_eq!(refused(vec![sent(0), absent(), sent(2)]), Err(unproven.clone()), "one that nobody knows was left out");
    let second_lost = || vec![sent(0), absent(), sent(1), executing(State::Unknown, 1)];
    assert_eq!(refused([second_lost(), vec![sent(1)]].concat()), Ok(()), "a replay has the same key");
    assert_eq!(refused([second_lost(), vec![sent(2)]].concat()), Err(unproven.clone()));
    assert_eq!(refused([second_lost(), vec![sent(0)]].concat()), Err(unproven));
}
