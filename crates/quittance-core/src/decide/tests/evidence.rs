//! Answering a dispute: once for each stage, in time, and proven by the dispute itself.

use super::disputes::{Disputed, seen};
use super::*;
use crate::dispute::{DisputeSighting, Stage};
use crate::effect::{Effect, PersonsWord, Subject};
use crate::fact::Fact;

fn texts() -> BTreeMap<String, String> {
    BTreeMap::from([("uncategorized_text".to_owned(), "it was delivered".to_owned())])
}

fn submit(
    disputed: &Disputed,
    previous: Option<&PreviousEvidence>,
    number: u128,
    now: Timestamp,
) -> Result<NewEvidence, Rejection> {
    let ids = NewEvidenceIds { command: ids(number).command, effect: ids(number).effect };
    submit_evidence(texts(), disputed.dispute(), previous, Class::P, ids, now)
}

fn opened(status: &str) -> Disputed {
    let mut disputed = Disputed::new();
    disputed.sees(&seen(status, &[]));
    disputed
}

fn look(submissions: u32, status: &str) -> Fact {
    Fact::SeenDispute(Box::new(DisputeSighting { submissions, ..seen(status, &[]) }))
}

fn learn(disputed: &mut Disputed, effect: &mut Effect, stimulus: Stimulus) -> Learned {
    if matches!(stimulus, Stimulus::Answered(_)) {
        ticket(effect, Timestamp(6));
    }
    let lesson = Lesson { source: Source::Send, stimulus, now: Timestamp(7), dice: 0 };
    let learned = learn_evidence(effect, disputed.dispute().id, lesson, &Policy::default());
    disputed.book.journal.extend(learned.records.clone());
    learned
}

#[test]
fn an_answer_that_was_lost_is_found_at_the_dispute() {
    let mut disputed = opened("needs_response");
    let NewEvidence { mut effect, evidence, record } = submit(&disputed, None, 50, Timestamp(6)).expect("taken");
    disputed.book.journal.push(record);
    assert_eq!((evidence.stage, effect.object_id.as_deref()), (Stage::Chargeback, Some("dp_1")));
    assert_eq!(effect.subject, Subject::Dispute(disputed.dispute().id));
    learn(&mut disputed, &mut effect, Stimulus::Read(look(0, "needs_response")));
    let lost = learn(&mut disputed, &mut effect, Stimulus::Answered(Fact::Lost(Loss::Timeout)));
    assert_eq!((lost.is_answered, effect.state), (false, State::Unknown));
    let found = learn(&mut disputed, &mut effect, Stimulus::Read(look(1, "under_review")));
    assert_eq!((found.is_answered, found.step_refused, effect.state), (true, None, State::Succeeded));
    disputed.check_replay();
}

#[test]
fn a_stage_is_answered_once_unless_nothing_was_handed_in() {
    let mut disputed = opened("warning_needs_response");
    let first = submit(&disputed, None, 50, Timestamp(6)).expect("taken");
    assert_eq!(first.evidence.stage, Stage::Inquiry);
    let mut previous = PreviousEvidence { effect: first.effect, command: first.evidence.command };
    let refused = submit(&disputed, Some(&previous), 60, Timestamp(6)).err();
    let dispute = disputed.dispute().id;
    assert_eq!(refused, Some(Rejection::DuplicateEvidence { command: previous.command, dispute }));
    learn(&mut disputed, &mut previous.effect, Stimulus::Read(look(0, "warning_closed")));
    assert_eq!(previous.effect.state, State::Failed);
    assert!(submit(&disputed, Some(&previous), 60, Timestamp(6)).is_ok());
}

#[test]
fn evidence_is_taken_while_it_is_waited_for() {
    for (status, is_taken) in [
        ("warning_needs_response", true),
        ("warning_under_review", false),
        ("warning_closed", false),
        ("needs_response", true),
        ("under_review", false),
        ("won", false),
        ("lost", false),
        ("prevented", false),
        ("in_arbitration", false),
    ] {
        let disputed = opened(status);
        let refused = submit(&disputed, None, 50, Timestamp(6)).err();
        let status = disputed.dispute().status.clone();
        assert_eq!(refused, (!is_taken).then_some(Rejection::EvidenceNotTaken { status }), "{is_taken}");
    }
    let disputed = opened("needs_response");
    assert!(submit(&disputed, None, 50, Timestamp::from_seconds(100)).is_ok());
    let late = submit(&disputed, None, 50, Timestamp(100_000_001)).err();
    assert_eq!(late, Some(Rejection::EvidenceTooLate));
}

#[test]
fn what_the_gateway_refuses_is_refused_and_what_nobody_can_tell_a_person_decides() {
    let mut disputed = opened("needs_response");
    let new = submit(&disputed, None, 50, Timestamp(6)).expect("taken");
    disputed.book.journal.push(new.record);
    let mut effect = new.effect;
    learn(&mut disputed, &mut effect, Stimulus::Read(look(0, "needs_response")));
    let mut refused = effect.clone();
    let code = Fact::Refused { code: "dispute_evidence".into(), is_replayed: false, sighting: None };
    let mut aside = opened("needs_response");
    let learned = learn(&mut aside, &mut refused, Stimulus::Answered(code));
    assert_eq!((learned.is_answered, learned.step_refused.as_deref()), (true, Some("dispute_evidence")));

    let asks = learn(&mut disputed, &mut effect, Stimulus::Answered(Fact::KeyMismatch));
    assert_eq!((asks.is_answered, asks.alarm.is_some(), effect.state), (false, true, State::Review));
    let word = PersonsWord { by: "key_1".into(), evidence: "dashboard".into(), reason: "seen there".into() };
    let dispute = disputed.dispute().id;
    let resolved = resolve_evidence(&mut effect, dispute, (Resolution::Succeeded, word.clone())).expect("in review");
    disputed.book.journal.extend(resolved.records);
    assert_eq!(effect.state, State::Succeeded);
    let again = resolve_evidence(&mut effect, dispute, (Resolution::Failed, word));
    assert!(matches!(again, Err(Rejection::NotInReview)));
    disputed.check_replay();
}
