//! The gateway's own state machines as a table: what each of their words means to an effect that is about such an object.
//!
//! `cargo xtask test -- --table machines` runs it and shows it; it is compared with `docs/gateway-states.md`.

mod scenes;
mod transitions;
mod words;

use quittance_core::effect::{Advance, Source, State};
use quittance_core::time::Timestamp;
use serde_json::Value;
use std::fmt::Write;
use words::{MACHINES, Machine, Word};

use crate::{data, golden};

const INTRODUCTION: &str = "\
# What a gateway's states mean to an effect

Stripe publishes which states its objects have and how they follow each other. These tables say what each of them means to
an *effect*, which is one thing that Quittance does at the gateway, when it sees its object in that state: while it waits
for the object (a read of it, or an event about it), and after it counts as succeeded or as failed.

A read is believed. An event is a hint to read again, except that a success is final whenever it is seen. What has ended
stays ended: money that goes back afterwards is a correction, booked by itself and once, and so is a refund that goes through
after it had failed. What an event says of an ended effect is read from the gateway first. Money that comes after a payment
had failed is for a person. A word that is not known is kept in the journal, reported to a person's attention, and never
guessed at.

This page is made by a test (`UPDATE=1 cargo test -p quittance-core machine_table` rewrites it), which also follows every
published transition.
";

#[test]
fn machines() {
    let mut text = String::from(INTRODUCTION);
    for machine in MACHINES {
        write!(text, "\n## {}\n\n{}\n\n", machine.title, machine.about).expect("a text takes more");
        text += "| state | read as | last | read while it waits | event while it waits | seen after success | seen after failure |\n";
        text += "| --- | --- | --- | --- | --- | --- | --- |\n";
        for word in machine.words {
            let cells = row(&machine, word);
            writeln!(text, "| {} | {} |", word.title(), cells.join(" | ")).expect("a text takes more");
        }
    }
    println!("{text}");
    golden::check("gateway-states.md", &text);
}

fn row(machine: &Machine, word: &Word) -> [String; 6] {
    let last = if machine.is_last(word) { "yes" } else { "no" };
    [
        machine.read_as(word),
        last.into(),
        machine.waiting().after(machine.read(word)),
        machine.waiting().after(machine.event(word)),
        machine.succeeded().after(machine.event(word)),
        machine.failed().after(machine.event(word)),
    ]
}

fn published() -> Option<Value> {
    let text = data::published("machine_table", "stripe/state-machines.json")?;
    Some(serde_json::from_str(&text).expect("the machines are JSON"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// Every published state has its rows, and no row is of a state that is not published; the last ones agree.
#[test]
fn every_published_state_is_covered() {
    let Some(published) = published() else { return };
    for machine in MACHINES {
        let states = texts(&published[machine.name]["states"]);
        let mut ours: Vec<_> = machine.words.iter().map(|word| word.word).filter(|word| *word != words::NEW).collect();
        ours.dedup();
        assert_eq!(ours, states, "{}", machine.name);
        let corrected = texts(&published[machine.name]["terminal_unless_corrected"]);
        let last = [texts(&published[machine.name]["terminal"]), corrected].concat();
        for word in machine.words.iter().filter(|word| word.is_plain()) {
            assert_eq!(machine.is_last(word), last.contains(&word.word), "{} {}", machine.name, word.word);
        }
    }
}

/// Every published transition is followed from a state that the effect has seen to one that it understands.
#[test]
fn every_published_transition_is_followed() {
    let Some(published) = published() else { return };
    for machine in MACHINES {
        let transitions = published[machine.name]["transitions"].as_array().expect("transitions are a list");
        assert!(!transitions.is_empty());
        for transition in transitions {
            let [from, how, to] = [0, 1, 2].map(|at| transition[at].as_str().expect("three texts"));
            transitions::follow(&machine, from, how, to);
        }
    }
}

/// An unknown word is kept and reported, wherever it is seen, and moves nothing to an end.
#[test]
fn a_word_that_is_not_known_is_kept_and_reported() {
    let new = Word::plain(words::NEW);
    for machine in MACHINES.iter().filter(|machine| machine.name != "dispute") {
        for scene in [machine.waiting(), machine.succeeded(), machine.failed()] {
            for stimulus in [machine.event(&new), machine.read(&new)] {
                let (mut books, was) = (scene.books.clone(), scene.books.effect.state);
                let learned = books.learn(Source::Sweep, stimulus, Timestamp(9));
                assert!(learned.alarm.is_some(), "{} {was:?}", machine.name);
                assert_eq!(learned.records.len(), 1, "{} {was:?}", machine.name);
                assert_eq!(books.effect.state.is_terminal(), was.is_terminal(), "{}", machine.name);
            }
        }
    }
}

/// However often, a word that is not known never becomes a crash; a person looks in the end.
#[test]
fn a_word_that_stays_unknown_ends_with_a_person() {
    for machine in MACHINES {
        let mut scene = machine.waiting();
        let mut reads = 0;
        while !scene.books.effect.state.is_terminal() {
            let outcome = scene.advance(machine.read(&Word::plain(words::NEW)));
            assert!(matches!(outcome, Advance::Moved | Advance::Review(_)), "{outcome:?}");
            reads += 1;
            assert!(reads <= scene.books.policy.tries_max + 1, "{} never ends", machine.name);
        }
        assert_eq!(scene.books.effect.state, State::Review, "{}", machine.name);
    }
}
