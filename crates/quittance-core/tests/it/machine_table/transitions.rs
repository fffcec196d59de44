//! Published transitions, followed: an effect that has seen the one state sees the other.

use quittance_core::dispute::DisputeStatus;
use quittance_core::effect::{Advance, State, Step, Stimulus};
use quittance_core::fact::{Decline, Fact, ObjectStatus};
use quittance_core::time::Timestamp;

use super::scenes::{Scene, dispute};
use super::words::{MACHINES, Machine, Word};

/// Follows one transition and checks where the effect stands then.
pub fn follow(machine: &Machine, from: &str, how: &str, to: &str) {
    let words = |word: &str| machine.words.iter().filter(|known| known.word == word).copied().collect::<Vec<_>>();
    let (from, to) = (words(from), words(to));
    assert!(!from.is_empty() && !to.is_empty(), "{how}: a state that is not covered");
    for (from, to) in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))) {
        let named = format!("{}: {} -> {how} -> {}", machine.name, from.title(), to.title());
        let scene = match machine.name {
            "payment_intent" => intent(machine, from, how, to),
            "dispute" => defended(from, how, to),
            _ => seen(machine, from, to),
        };
        assert_eq!(scene.books.effect.state, expected(machine, from, how, to), "{named}");
        if machine.name != "dispute" {
            scene.books.check().unwrap_or_else(|error| panic!("{named}: {error}"));
        }
    }
}

/// Where the effect has to stand, by what the states say of money.
fn expected(machine: &Machine, from: &Word, how: &str, to: &Word) -> State {
    if machine.name == "dispute" {
        let is_ours = how.starts_with("evidence submitted");
        let can_still = DisputeStatus::from_word(to.word).takes_evidence();
        return match (is_ours, can_still) {
            (true, _) => State::Succeeded,
            (false, true) => State::Intended,
            (false, false) => State::Failed,
        };
    }
    match to.status {
        // What had succeeded stays proven; what went back is a correction.
        _ if from.status == "succeeded" => State::Succeeded,
        "succeeded" => State::Succeeded,
        "failed" => State::Failed,
        // Canceled under a confirm that we sent: the attempt has failed.
        "canceled" if how.starts_with("confirm") => State::Failed,
        "canceled" => State::Canceled,
        "requires_payment_method" => State::Failed,
        // Something has to be confirmed, for the first time or once more.
        "requires_confirmation" => State::Intended,
        _ => State::Pending,
    }
}

fn status(word: &Word) -> ObjectStatus {
    match word.word {
        "requires_payment_method" => ObjectStatus::RequiresPaymentMethod,
        "requires_confirmation" => ObjectStatus::RequiresConfirmation,
        "requires_action" => ObjectStatus::RequiresAction,
        "processing" => ObjectStatus::Processing,
        "requires_capture" => ObjectStatus::RequiresCapture,
        "succeeded" => ObjectStatus::Succeeded,
        "canceled" => ObjectStatus::Canceled,
        other => panic!("{other} is no state of an intent"),
    }
}

fn intent(machine: &Machine, from: &Word, how: &str, to: &Word) -> Scene {
    let is_inert = matches!(from.word, "requires_payment_method" | "requires_confirmation");
    let mut scene = match is_inert {
        true => machine.begun().created(status(from)),
        false => machine.begun().confirmed(status(from)),
    };
    if how.starts_with("cancel") {
        assert!(scene.books.cancel(Timestamp(9)), "{how}");
        return scene.answered(Step::Cancel, status(to));
    }
    if how.starts_with("capture") {
        assert!(scene.books.capture(scene.books.payment.money.amount, Timestamp(9)), "{how}");
        return scene.answered(Step::Capture, status(to));
    }
    if how.ends_with("declined") {
        scene.books.issue(Step::Confirm, Timestamp(9));
        let decline = Decline { code: "card_declined".into(), is_retryable: false };
        let sighting = Some(scene.sighting(status(to)));
        scene.learn(Stimulus::Answered(Fact::Declined { decline, sighting }));
        return scene;
    }
    if how.starts_with("confirm") {
        return scene.answered(Step::Confirm, status(to));
    }
    scene.learn(machine.read(to));
    scene
}

fn seen(machine: &Machine, from: &Word, to: &Word) -> Scene {
    let mut scene = machine.waiting();
    scene.learn(machine.read(from));
    if scene.books.effect.state != State::Succeeded {
        scene.learn(machine.read(to));
        return scene;
    }
    let outcome = scene.clone().advance(machine.event(to));
    assert!(matches!(outcome, Advance::Returned(_)), "a correction, not {outcome:?}");
    scene.learn(machine.event(to));
    scene
}

/// Evidence that was handed in is counted; other turns of a dispute say whether any can be handed in.
fn defended(from: &Word, how: &str, to: &Word) -> Scene {
    let machine = MACHINES.into_iter().find(|machine| machine.name == "dispute").expect("it is listed");
    let handed_in = machine.succeeded();
    for word in [from, to] {
        let mut after = handed_in.clone();
        assert_eq!(after.advance(machine.event(word)), Advance::Unchanged, "{how}");
    }
    let mut scene = machine.begun();
    scene.advance(machine.read(from));
    if how.starts_with("evidence submitted") {
        assert_eq!(scene.books.effect.state, State::Intended, "{} takes evidence", from.word);
        quittance_core::effect::ticket(&mut scene.books.effect, Timestamp(9));
        scene.advance(Stimulus::Answered(Fact::SeenDispute(Box::new(dispute(to.word, 1)))));
        return scene;
    }
    // Whoever asks again after the turn begins with a look at it.
    let mut scene = machine.begun();
    scene.advance(machine.read(to));
    scene
}
