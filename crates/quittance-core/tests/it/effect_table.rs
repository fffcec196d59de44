//! The effect machine as a table: what becomes of each effect, at each class of gateway, after each answer.
//!
//! The table is printed, compared with `docs/effects.md`, and every cell is held against rules that are written apart
//! from the machine (`rules`). `cargo xtask test -- --table effects` runs it and shows it.

mod cells;
mod columns;
mod rows;
mod rules;

use cells::Cell;
use columns::{Column, GROUPS, Group, Sent};
use rows::{Meaning, Row};
use std::fmt::Write;

use crate::{data, golden};

const INTRODUCTION: &str = "\
# What an answer does to an effect

An *effect* is one thing that Quittance does at a payment gateway: take money, capture or cancel what is authorised, give
money back, hand in evidence for a dispute. The network between the two may lose anything, at any time. These tables say,
for every answer that a request can get, where the effect stands afterwards and what is done next.

A cell reads `state → next`. The states:

| state | means |
| --- | --- |
| intended | nothing is known to have left; it may be sent |
| unknown | it may have been carried out, and is being found out; it is never reported as failed |
| pending | the gateway has it and has not finished, or waits for the customer or the client |
| succeeded, failed, canceled | the end, proven |
| review | a person decides, with evidence |

And what is done next: *send again*, since nothing of it was carried out, or *send* another request; *replay* the same bytes
under the same key; *read* the object by its id, now and then while it is pending; *find* it in a list, by our own
reference; *ask a person*.

The classes say what a gateway offers for finding out about a request whose answer was lost:

| class | offers |
| --- | --- |
| P | two phases: an inert object first, then an action on it, which succeeds at most once; the object can always be read |
| A | keys, and a list to find objects in by our reference |
| B | such a list, and no keys |
| C | keys, and no list that could be relied on; what is known by its id is read |
| D | neither; the same |

*First* is an answer while no earlier send is unaccounted for. *Replay* is the answer to the same request sent again under
its key, after the answer to an earlier send was lost: limits, credentials and validation come before the key is looked
up, so that what they say then is about the replay alone. *Again* is a request under a new key, after the object was read
and showed that the lost one had not run; it may still run late. B and D never send again what may have left, until B has
proven by searches that it is not there and cannot come any more.

This page is made by a test (`UPDATE=1 cargo test -p quittance-core effect_table` rewrites it), which also checks every
cell against rules of its own (`crates/quittance-core/tests/it/effect_table/rules.rs`).
";

#[test]
fn effects() {
    let mut text = String::from(INTRODUCTION);
    let mut broken = Vec::new();
    for group in GROUPS {
        write!(text, "\n{}", table(&group, &mut broken)).expect("a text takes more");
    }
    println!("{text}");
    assert!(broken.is_empty(), "cells that break a rule:\n{}", broken.join("\n"));
    golden::check("effects.md", &text);
}

/// One table; what breaks a rule is added to `broken`.
fn table(group: &Group, broken: &mut Vec<String>) -> String {
    let mut text = format!("## {}\n\n{}\n\n| answer |", group.title, group.about);
    for column in group.columns {
        write!(text, " {} |", column.title()).expect("a text takes more");
    }
    text += "\n| --- |";
    text += &" --- |".repeat(group.columns.len());
    for row in rows::of(group.sighted) {
        write!(text, "\n| {} |", row.name).expect("a text takes more");
        for column in group.columns {
            let cell = Cell::of(column, &row);
            write!(text, " {} |", cell.text()).expect("a text takes more");
            broken.extend(
                rules::broken_by(column, &row, &cell)
                    .into_iter()
                    .map(|rule| format!("{}, {}, {}: {}: {rule}", group.title, column.title(), row.name, cell.text())),
            );
        }
    }
    text + "\n"
}

/// Every answer of the published list is a row, and means there what it means here.
#[test]
fn every_published_answer_is_a_row() {
    let Some(text) = data::published("effect_table", "vectors/gateway-answers.json") else { return };
    let published: serde_json::Value = serde_json::from_str(&text).expect("the vectors are JSON");
    let published = published["rows"].as_array().expect("rows are a list");
    let mut found = 0;
    for answer in published {
        let name = (answer[0].as_str().expect("an answer has a name"), answer[1].as_bool());
        let rows: Vec<Row> = rows::all().filter(|row| row.published.contains(&name)).collect();
        assert!(!rows.is_empty(), "{name:?} is no row");
        for row in rows {
            let means = |word: &serde_json::Value| Meaning::from_word(word.as_str().expect("a word"));
            assert_eq!((row.first, row.replay), (means(&answer[2]), means(&answer[3])), "{name:?}");
        }
        found += 1;
    }
    let named: std::collections::BTreeSet<_> = rows::all().flat_map(|row| row.published).collect();
    assert_eq!(named.len(), found, "a row names an answer that is not published");
}

/// A class whose answers are shown together with another's is read the same way in every cell.
#[test]
fn classes_that_share_a_column_share_every_cell() {
    for group in GROUPS {
        for column in group.columns {
            for row in rows::of(group.sighted) {
                let shared = Cell::of(column, &row).text();
                for class in column.classes {
                    let alone = Column { classes: std::slice::from_ref(class), ..*column };
                    assert_eq!(Cell::of(&alone, &row).text(), shared, "{} {}", column.title(), row.name);
                }
            }
        }
    }
}

/// A replay exists where keys do, and a new key after a look exists where objects can be read.
#[test]
fn no_way_of_sending_again_is_left_out() {
    use quittance_core::effect::{Class, Step};
    for group in GROUPS {
        for column in group.columns.iter().filter(|column| column.sent == Sent::First) {
            for class in column.classes {
                let way = match (column.step, class) {
                    (Step::Create, _) | (Step::Execute, Class::A | Class::C) => Some(Sent::Replay),
                    (Step::Execute, _) => None,
                    _ => Some(Sent::Again),
                };
                let has = |sent| {
                    group
                        .columns
                        .iter()
                        .any(|other| other.sent == sent && other.step == column.step && other.classes.contains(class))
                };
                assert_eq!([Sent::Replay, Sent::Again].into_iter().find(|sent| has(*sent)), way, "{}", column.title());
            }
        }
    }
}
