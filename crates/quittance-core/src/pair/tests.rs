//! Small pairs compared in memory: what is equal, what differs and how, under one rule and under several.

use super::compare::{Comparer, Finding, Kind};
use super::digest::{Digest, Hasher};
use super::join::{Meeting, join};
use super::row::{Encoder, Record, decode_identity, shown};
use super::run::Run;
use super::value_map::{Unmapped, ValueMap};
use super::{Column, Field, Pair, Side, Which};
use crate::record::number::Number;
use crate::record::value::Value;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Left and right rows: identity, second key, status.
type Row = (Option<&'static str>, Option<&'static str>, &'static str);

fn side() -> Side {
    let columns = vec![Column::plain("id"), Column::plain("customer"), Column::plain("status")];
    Side { columns, identity: vec![0, 1], rules: vec![vec![0], vec![1]], fields: vec![2], ..Side::default() }
}

fn pair() -> Pair {
    let mut map = ValueMap::new(Unmapped::Error);
    map.add("active", &["active".to_owned(), "trialing".to_owned()]).expect("new words");
    map.add("cancelled", &["canceled".to_owned()]).expect("new words");
    let fields = vec![Field { name: "status".to_owned(), values: Some(map) }];
    Pair { name: "test".to_owned(), left: side(), right: side(), fields }
}

fn values(row: &Row) -> [Value<'static>; 3] {
    let key = |key: Option<&'static str>| key.map_or(Value::Null, Value::text);
    [key(row.0), key(row.1), Value::text(row.2)]
}

/// What the driver of a comparison does, in memory: rule after rule, what is left over goes on.
fn compare(pair: &Pair, left: &[Row], right: &[Row]) -> (Vec<Finding>, super::compare::Tally) {
    let records = |which, rows: &[Row]| -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(pair, which);
        rows.iter()
            .map(|row| {
                let mut bytes = Vec::new();
                encoder.encode(&values(row), &mut bytes).expect("no transforms");
                bytes
            })
            .collect()
    };
    let (mut left, mut right) = (records(Which::Left, left), records(Which::Right, right));
    let mut comparer = Comparer::new(pair, Hasher::new([7; 32]));
    let mut findings = Vec::new();
    let rules = pair.left.rules.len();
    for rule in 0..rules {
        let (mut left_run, mut right_run) = (Run::new(rule), Run::new(rule));
        left.retain(|record| !left_run.push(Record::new(record)));
        right.retain(|record| !right_run.push(Record::new(record)));
        left_run.sort();
        right_run.sort();
        let mut rest = Vec::new();
        let joined: Result<(), super::compare::Incomparable> =
            join(rule, left_run.reader(), right_run.reader(), |meeting| {
                match meeting {
                    Meeting::Right(record) if rule + 1 < rules => rest.push(record.bytes().to_owned()),
                    meeting => findings.extend(comparer.meet(rule, meeting)?),
                }
                Ok(())
            });
        joined.expect("comparable");
        right.extend(rest);
    }
    findings.extend(left.iter().map(|record| comparer.alone(Which::Left, None, Record::new(record))));
    findings.extend(right.iter().map(|record| comparer.alone(Which::Right, None, Record::new(record))));
    (findings, comparer.tally().clone())
}

fn told(findings: &[Finding]) -> Vec<(Kind, String)> {
    let identities = |finding: &Finding| {
        let all = finding.left.iter().chain(&finding.right);
        all.map(|seen| shown(decode_identity(Record::new(&seen.record)).iter())).collect::<Vec<_>>().join(" ")
    };
    findings.iter().map(|finding| (finding.kind, identities(finding))).collect()
}

#[test]
fn records_meet_by_the_first_rule_that_has_a_key_and_crowds_are_not_guessed() {
    let left: [Row; 6] = [
        (Some("s1"), Some("c1"), "active"),
        (Some("s2"), Some("c2"), "active"),
        (None, Some("c3"), "cancelled"),
        (None, Some("c4"), "active"),
        (Some("gone"), Some("c5"), "active"),
        (None, None, "active"),
    ];
    let right: [Row; 6] = [
        (Some("s1"), Some("c1"), "trialing"),
        (Some("s2"), Some("c2"), "canceled"),
        (Some("s3"), Some("c3"), "canceled"),
        (Some("s4"), Some("c4"), "active"),
        (Some("s5"), Some("c4"), "active"),
        (Some("s6"), Some("c5"), "active"),
    ];
    let (findings, tally) = compare(&pair(), &left, &right);
    let expected = [
        (Kind::LeftOnly, "gone,c5"),
        (Kind::Different, "s2,c2 s2,c2"),
        (Kind::Ambiguous, "NULL,c4 s4,c4 s5,c4"),
        (Kind::RightOnly, "s6,c5"),
        (Kind::LeftOnly, "NULL,NULL"),
    ];
    assert_eq!(told(&findings), expected.map(|(kind, text)| (kind, text.to_owned())));
    assert_eq!((tally.equal.count, tally.left.count, tally.right.count), (2, 6, 6));
}

#[test]
fn a_word_without_a_meaning_differs_from_itself_and_is_noted() {
    let pair = pair();
    let mut encoder = Encoder::new(&pair, Which::Right);
    let mut bytes = Vec::new();
    encoder.encode(&values(&(Some("s1"), None, "paused")), &mut bytes).expect("no transforms");
    let stray = &encoder.strays()[0];
    assert_eq!((stray.value.to_string(), stray.records, stray.identity.as_str()), ("paused".to_owned(), 1, "s1,NULL"));
    let (findings, _) = compare(&pair, &[(Some("s1"), None, "paused")], &[(Some("s1"), None, "paused")]);
    assert_eq!(told(&findings), [(Kind::Different, "s1,NULL s1,NULL".to_owned())]);
}

fn row() -> impl Strategy<Value = Row> {
    let key = prop_oneof![3 => prop::sample::select(&["a", "b", "c", "d", "e"][..]).prop_map(Some), 1 => Just(None)];
    let other = prop::option::of(prop::sample::select(&["x", "y", "z"][..]));
    (key, other, prop::sample::select(&["active", "cancelled"][..]))
}

/// Records that have identities of their own: what is read twice under one is its later reading.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 0..12).prop_map(|rows| {
        let unique: BTreeMap<_, _> = rows.into_iter().map(|row| ((row.0, row.1), row)).collect();
        unique.into_values().collect()
    })
}

/// A pair without a map, so that both sides speak alike and can be exchanged.
fn plain_pair() -> Pair {
    let one_rule = Side { rules: vec![vec![0]], ..side() };
    let fields = vec![Field { name: "status".to_owned(), values: None }];
    Pair { name: "plain".to_owned(), left: one_rule.clone(), right: one_rule, fields }
}

proptest! {
    #[test]
    fn comparing_is_symmetric_and_knows_no_order(
        (left, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        right in rows(),
    ) {
        let pair = plain_pair();
        let (findings, tally) = compare(&pair, &left, &right);
        let (turned, turned_tally) = compare(&pair, &right, &left);
        let kinds = |findings: &[Finding], turn: bool| {
            let mut kinds: Vec<_> = findings.iter().map(|finding| {
                let kind = match (finding.kind, turn) {
                    (Kind::LeftOnly, true) => Kind::RightOnly,
                    (Kind::RightOnly, true) => Kind::LeftOnly,
                    (kind, _) => kind,
                };
                let (left, right) = (finding.left_count, finding.right_count);
                (kind, finding.key.clone(), if turn { (right, left) } else { (left, right) })
            }).collect();
            kinds.sort();
            kinds
        };
        prop_assert_eq!(kinds(&findings, false), kinds(&turned, true));
        prop_assert_eq!((tally.left, tally.right), (turned_tally.right, turned_tally.left));
        prop_assert_eq!(kinds(&findings, false), kinds(&compare(&pair, &shuffled, &right).0, false));
    }

    #[test]
    fn every_record_is_counted_once_and_digests_agree_without_the_findings(
        left in prop::collection::vec(row(), 0..12), right in prop::collection::vec(row(), 0..12)
    ) {
        let pair = pair();
        let right: Vec<Row> = right.into_iter()
            .map(|(id, customer, status)| (id, customer, if status == "cancelled" { "canceled" } else { status })).collect();
        let (findings, tally) = compare(&pair, &left, &right);
        let without = |mut digest: Digest, which: Which| {
            for finding in &findings {
                let (seen, count) = match which {
                    Which::Left => (&finding.left, finding.left_count),
                    Which::Right => (&finding.right, finding.right_count),
                };
                seen.iter().for_each(|seen| digest.remove(seen.hash));
                digest.count -= count - seen.len() as u64;
            }
            digest
        };
        let (left_rest, right_rest) = (without(tally.left, Which::Left), without(tally.right, Which::Right));
        prop_assert_eq!((left_rest, right_rest), (tally.equal, tally.equal));
    }

    #[test]
    fn numbers_are_equal_exactly_when_their_digits_are(one in -9_999_i64..9_999, places in 0_u8..4, zeros in 0_usize..3) {
        let number = Number::from_integer(one).scaled_down(places).expect("small");
        let mut text = number.as_str().to_owned();
        if text.contains('.') || zeros > 0 {
            if !text.contains('.') { text.push('.'); }
            text.push_str(&"0".repeat(zeros));
        }
        prop_assert_eq!(Number::parse(&text).map(Number::into_owned), Some(number));
    }
}
