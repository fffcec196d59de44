//! Every status of the published state machines, and that unknown words are kept.

use quittance_connectors::connector::Seen;
use quittance_core::dispute::{DisputeStatus, Turn};
use quittance_core::fact::{ObjectKind, ObjectStatus};
use serde_json::json;

use crate::data::{object, read, test_data, with};

/// A status in Stripe's word, and the name of ours that an object in it is read as.
type Word = (&'static str, &'static str);

/// Every status of each kind of object, and the name of its published machine.
const STATUSES: [(ObjectKind, &str, &[Word]); 4] = [
    (
        ObjectKind::Payment,
        "payment_intent",
        &[
            ("requires_payment_method", "requires_payment_method"),
            ("requires_confirmation", "requires_confirmation"),
            ("requires_action", "requires_action"),
            ("processing", "processing"),
            ("requires_capture", "requires_capture"),
            ("succeeded", "succeeded"),
            ("canceled", "canceled"),
        ],
    ),
    (ObjectKind::Charge, "charge", &[("pending", "processing"), ("succeeded", "succeeded"), ("failed", "failed")]),
    (
        ObjectKind::Refund,
        "refund",
        &[
            ("pending", "processing"),
            ("requires_action", "requires_action"),
            ("succeeded", "succeeded"),
            ("failed", "failed"),
            ("canceled", "canceled"),
        ],
    ),
    (
        ObjectKind::Dispute,
        "dispute",
        &[
            ("warning_needs_response", "warning_needs_response"),
            ("warning_under_review", "warning_under_review"),
            ("warning_closed", "warning_closed"),
            ("needs_response", "needs_response"),
            ("under_review", "under_review"),
            ("won", "won"),
            ("lost", "lost"),
            ("prevented", "prevented"),
        ],
    ),
];

/// Our name of the status that an object with this word has, and whether it was recognised.
fn status(kind: ObjectKind, word: &str) -> (String, bool) {
    match read(kind, &with(object(kind), json!({"status": word}))) {
        Some(Seen::Object(sighting)) => {
            (sighting.status.name().to_owned(), !matches!(sighting.status, ObjectStatus::Unrecognised(_)))
        }
        Some(Seen::Dispute(dispute)) => {
            (dispute.status.name().to_owned(), !matches!(dispute.status, DisputeStatus::Unrecognised(_)))
        }
        None => panic!("a {} that is {word} cannot be read", kind.name()),
    }
}

#[test]
fn every_status_is_read() {
    for (kind, _, words) in STATUSES {
        for (word, expected) in words {
            assert_eq!(status(kind, word), ((*expected).to_owned(), true), "{} {word}", kind.name());
        }
    }
}

#[test]
fn no_other_word_is_guessed_at() {
    for (kind, _, words) in STATUSES {
        for word in ["requires_source", "Succeeded", "succeeded ", "paid", "a_word_of_tomorrow"] {
            assert_eq!(status(kind, word), (word.to_owned(), false), "{}", kind.name());
        }
        let known = |word: &str| words.iter().any(|(known, _)| *known == word);
        for (_, _, foreign) in STATUSES {
            for (word, _) in foreign.iter().filter(|(word, _)| !known(word)) {
                assert!(!status(kind, word).1, "{} {word}", kind.name());
            }
        }
    }
}

#[test]
fn the_published_machines_have_these_statuses_and_no_others() {
    let Some(machines) = test_data("stripe/state-machines.json") else {
        return;
    };
    for (_, machine, words) in STATUSES {
        let states = machines[machine]["states"].as_array().expect("states are a list");
        let published: Vec<_> = states.iter().filter_map(|state| state.as_str()).collect();
        let read: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        assert_eq!(published, read, "{machine}");
    }
}

#[test]
fn a_dispute_goes_on_by_the_published_ways_and_never_back() {
    let Some(machines) = test_data("stripe/state-machines.json") else {
        return;
    };
    let transitions = machines["dispute"]["transitions"].as_array().expect("transitions are a list");
    assert!(!transitions.is_empty());
    for transition in transitions {
        let status = |at: usize| DisputeStatus::from_word(transition[at].as_str().expect("a word"));
        let (from, to) = (status(0), status(2));
        assert_eq!((to.turn_from(&from), from.turn_from(&to)), (Turn::Onward, Turn::Backward), "{transition}");
    }
}
