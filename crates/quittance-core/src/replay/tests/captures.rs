//! What a client asks of a payment under way, and how much of what was held is taken.

use super::*;
use crate::journal::StepAsked;
use crate::ledger::Balance;

fn asked(asked: StepAsked) -> Record {
    Record::StepAsked { command: CommandId::from_bytes([3; 16]), effect: effect(), payment: payment(), asked }
}

fn capture(amount: i64) -> Record {
    asked(StepAsked::Capture { amount })
}

fn authorised() -> Record {
    advanced(State::Pending, Status::RequiresCapture, None)
}

fn capturing() -> Record {
    let intended = moved(State::Intended, Status::Processing, None);
    Record::EffectAdvanced(Advanced { source: Source::Client, step: Step::Capture, generation: 2, ..intended })
}

/// The end of a capture that posts these.
fn captured(source: Source, postings: Vec<Posting>) -> Record {
    let ended = moved(State::Succeeded, Status::Succeeded, Some(Closing::Posted));
    Record::EffectAdvanced(Advanced { source, step: Step::Capture, generation: 2, postings, ..ended })
}

fn after_asking(amount: i64, end: Record) -> Result<Replay, ReplayError> {
    replay([authorised(), capture(amount), capturing(), ticket(Step::Capture, 2), end])
}

fn unapplied(replay: &Replay) -> Balance {
    replay.balances.0[&(Account::Unapplied, money(0).currency)]
}

#[test]
fn a_part_is_taken_and_the_rest_let_go() {
    let replay = after_asking(300, captured(Source::Send, postings(300))).expect("possible");
    assert_eq!(unapplied(&replay), Balance { credits: 300, ..Balance::default() });
    let replayed = &replay.payments[&payment()];
    assert_eq!((replayed.captured_amount, replayed.asked_amount), (300, Some(300)));
    assert!(replay.holds.is_empty());
}

#[test]
fn all_of_it_may_be_taken_too() {
    let replay = after_asking(500, captured(Source::Send, postings(500))).expect("possible");
    assert_eq!((unapplied(&replay).credits, replay.payments[&payment()].captured_amount), (500, 500));
}

#[test]
fn what_is_posted_is_what_was_asked_for() {
    let other = Err(ReplayError::OtherCapture(hold()));
    for amount in [299, 301, 500] {
        assert_eq!(after_asking(300, captured(Source::Send, postings(amount))).map(drop), other);
    }
    let unasked = replay([authorised(), captured(Source::Read, postings(300))]);
    assert_eq!(unasked.map(drop), Err(ReplayError::OtherPostings(hold())), "nobody asked for a part");
    let elsewhere = transfer(Account::Bank("main".into()), Account::Unapplied, 300, money(0).currency);
    let other_accounts = after_asking(300, captured(Source::Send, elsewhere));
    assert_eq!(other_accounts.map(drop), Err(ReplayError::OtherPostings(hold())));
}

#[test]
fn a_person_says_how_much_was_taken_but_never_more_than_was_held() {
    let review = || {
        let review = moved(State::Review, Status::Review, None);
        Record::EffectAdvanced(Advanced { step: Step::Capture, ..review })
    };
    let resolved = |amount| {
        let resolved = captured(person(), postings(amount));
        replay([authorised(), capture(300), capturing(), ticket(Step::Capture, 2), review(), resolved])
    };
    assert_eq!(resolved(200).expect("possible").payments[&payment()].captured_amount, 200);
    assert_eq!(resolved(501).map(drop), Err(ReplayError::OtherPostings(hold())));
}

#[test]
fn a_hold_is_let_go_whole() {
    let part = Advanced { postings: postings(300), ..moved(State::Failed, Status::Failed, Some(Closing::Voided)) };
    let ended = after_asking(300, Record::EffectAdvanced(Advanced { step: Step::Capture, ..part }));
    assert_eq!(ended.map(drop), Err(ReplayError::OtherPostings(hold())));
}

#[test]
fn a_capture_is_asked_of_what_is_authorised() {
    assert_eq!(refused([capture(300)]), named("is asked to be captured, but is processing"));
    assert_eq!(refused([authorised(), capture(0)]), named("is asked to be captured by 0"));
    assert_eq!(refused([authorised(), capture(501)]), named("is asked to be captured by 501"));
    assert!(replay([authorised(), capture(1)]).is_ok());
    let unasked = refused([authorised(), ticket(Step::Capture, 2)]);
    assert_eq!(unasked, format!("{} is sent to be captured, but nobody asked for it", effect()));
}

#[test]
fn a_refused_capture_is_over_until_it_is_asked_for_again() {
    let begin = [authorised(), capture(300), capturing(), ticket(Step::Capture, 2), authorised()];
    let replayed = replay(begin.clone()).expect("possible");
    assert_eq!(replayed.payments[&payment()].asked_amount, None);
    assert!(replay(begin.clone().into_iter().chain([capture(500)])).is_ok());
    assert!(replay(begin.into_iter().chain([ticket(Step::Capture, 3)])).is_err());
}

#[test]
fn only_what_is_not_over_is_given_up() {
    let cancel = || asked(StepAsked::Cancel { reason: None });
    let canceled = advanced(State::Canceled, Status::Canceled, Some(Closing::Voided));
    assert!(replay([authorised(), cancel(), canceled]).is_ok());
    assert_eq!(refused([succeeded(), cancel()]), named("is asked to be canceled, but is succeeded"));
    let foreign = Record::StepAsked {
        command: CommandId::from_bytes([3; 16]),
        effect: EffectId::from_bytes([9; 16]),
        payment: payment(),
        asked: StepAsked::Cancel { reason: None },
    };
    assert_eq!(refused([foreign]), named("is given what belongs to another"));
}
