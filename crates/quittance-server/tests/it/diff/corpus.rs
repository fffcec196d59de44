//! A labelled corpus: thousands of pairs of records, each made to be equal, or to differ in one way. What is found has to
//! be what was made: no miss, and nothing else.

use super::{File, compare, pair, told};
use std::collections::BTreeMap;

/// What was made of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Equal,
    OtherForm,
    BothNull,
    OneField,
    OneNull,
    OneDigit,
    OneMicrosecond,
    Deleted,
    Surplus,
    MovedBack,
    StillMoving,
}

const LABELS: [Label; 11] = [
    Label::Equal,
    Label::OtherForm,
    Label::BothNull,
    Label::OneField,
    Label::OneNull,
    Label::OneDigit,
    Label::OneMicrosecond,
    Label::Deleted,
    Label::Surplus,
    Label::MovedBack,
    Label::StillMoving,
];

impl Label {
    /// What has to be found of it; nothing where there is nothing.
    fn expected(self, id: u64) -> Option<String> {
        Some(match self {
            Self::Equal | Self::OtherForm | Self::BothNull => return None,
            Self::OneField | Self::OneNull | Self::OneDigit | Self::OneMicrosecond => format!("different {id}"),
            Self::Deleted => format!("left_only {id}"),
            Self::Surplus => format!("right_only {id}"),
            Self::MovedBack => format!("different {id} settled"),
            Self::StillMoving => format!("different {id} moving"),
        })
    }
}

struct Row {
    status: Option<String>,
    amount: Option<String>,
    at: Option<String>,
}

impl Row {
    fn plain(id: u64) -> Self {
        let text = |text: String| Some(text);
        Self {
            status: text(["active", "past_due", "cancelled"][(id % 3) as usize].to_owned()),
            amount: text(format!("{}.{}", id * 37 % 1_000, id % 9 + 1)),
            at: text(moment(id, id % 999 + 1)),
        }
    }
}

/// Left and right as they are read first.
fn made(id: u64, label: Label) -> (Option<Row>, Option<Row>) {
    let (mut left, mut right) = (Row::plain(id), Row::plain(id));
    match label {
        Label::Equal => {}
        Label::OtherForm => {
            right.amount = right.amount.map(|amount| format!("{amount}000"));
            right.at = right.at.map(|at| at.replace('T', " ").replace('Z', "+00:00"));
        }
        Label::BothNull => (left, right) = (none(), none()),
        Label::OneField | Label::MovedBack | Label::StillMoving => right.status = Some("trialing".to_owned()),
        Label::OneNull => right.amount = None,
        Label::OneDigit => right.amount = right.amount.map(|amount| format!("{amount}01")),
        Label::OneMicrosecond => right.at = Some(moment(id, id % 999 + 2)),
        Label::Deleted => return (Some(left), None),
        Label::Surplus => return (None, Some(right)),
    }
    (Some(left), Some(right))
}

fn moment(id: u64, microseconds: u64) -> String {
    format!("2026-03-{:02}T{:02}:00:00.{microseconds:06}Z", id % 28 + 1, id % 24)
}

const fn none() -> Row {
    Row { status: None, amount: None, at: None }
}

const SCHEMA: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, status TEXT, amount DECIMAL, at TIMESTAMP)";

fn insert(file: &File, id: u64, row: &Row) {
    let sql = "INSERT INTO t (id, status, amount, at) VALUES (?1, ?2, ?3, ?4)";
    file.writer.execute(sql, (id as i64, &row.status, &row.amount, &row.at)).expect("a row");
}

/// Made by the seed: the labels of so many records.
fn labels(seed: u64, count: u64) -> BTreeMap<u64, Label> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    // Most records agree, as they do in life.
    let mut label = || if next() % 4 == 0 { LABELS[(next() % LABELS.len() as u64) as usize] } else { Label::Equal };
    (0..count).map(|id| (id, label())).collect()
}

#[test]
fn what_is_found_is_what_was_made() {
    let pair = pair(
        "[pairs.p]\nleft = { system = \"a\", table = \"t\" }\nright = { system = \"b\", table = \"t\" }\n\
         match = [ { left = \"id\", right = \"id\" } ]\n\
         fields = [ { left = \"status\", right = \"status\" }, { left = \"amount\", right = \"amount\" }, \
         { left = \"at\", right = \"at\" } ]\n",
    );
    let (mut records, mut misses, mut inventions) = (0, 0, 0);
    for seed in 1..=5 {
        let (left, right) = (File::new(SCHEMA), File::new(SCHEMA));
        let labels = labels(seed, 2_000);
        for file in [&left, &right] {
            file.writer.execute_batch("BEGIN").expect("a transaction");
        }
        for (id, label) in &labels {
            let (one, other) = made(*id, *label);
            one.iter().for_each(|row| insert(&left, *id, row));
            other.iter().for_each(|row| insert(&right, *id, row));
        }
        for file in [&left, &right] {
            file.writer.execute_batch("COMMIT").expect("committed");
        }
        let meanwhile = || {
            for (id, label) in &labels {
                let status = match label {
                    Label::MovedBack => Row::plain(*id).status,
                    Label::StillMoving => Some("unpaid".to_owned()),
                    _ => continue,
                };
                let sql = "UPDATE t SET status = ?2 WHERE id = ?1";
                right.writer.execute(sql, (*id as i64, status)).expect("a row");
            }
        };
        let outcome = compare(&pair, &mut left.open(), &mut right.open(), meanwhile).expect("compared");
        let expected: Vec<String> = labels.iter().filter_map(|(id, label)| label.expected(*id)).collect();
        let mut found = told(&outcome);
        found.sort_by_key(|line| line.split(' ').nth(1).and_then(|id| id.parse::<u64>().ok()));
        records += labels.len();
        misses += expected.iter().filter(|line| !found.contains(line)).count();
        inventions += found.iter().filter(|line| !expected.contains(line)).count();
        assert_eq!(found, expected, "seed {seed}");
        let equal = labels.values().filter(|label| matches!(label, Label::Equal | Label::OtherForm | Label::BothNull));
        assert_eq!(outcome.equal, equal.count() as u64);
    }
    println!("{records} labelled records: {misses} missed, {inventions} invented");
}
