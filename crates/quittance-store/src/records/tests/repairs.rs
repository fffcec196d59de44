//! Repairs and their journal as rows and bytes.

use super::rows::check;
use crate::records::codec::CodecError;
use crate::records::{
    Repair, RepairCause, RepairEntry, RepairHead, RepairNews, RepairPlan, RepairRun, RepairState, chain_repair,
    decode_news, decode_plan, encode_news, encode_plan,
};
use quittance_core::id::RunId;
use quittance_core::record::number::Number;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;

fn run() -> RunId {
    RunId::from_bytes([7; 16])
}

/// A plan with a value of every kind.
fn plan() -> RepairPlan {
    let expected = [
        Value::Absent,
        Value::Null,
        Value::Boolean(true),
        Value::Number(Number::parse("-12.5").expect("a number")),
        Value::text("active"),
        Value::Untyped("7".into()),
        Value::Timestamp(Timestamp(-1)),
        Value::Date("2026-01-31".into()),
        Value::Bytes(vec![0, 255].into()),
        Value::Json("[1]".into()),
    ];
    RepairPlan {
        system: "app".into(),
        object: "accounts".into(),
        side: "left".into(),
        key: "sub_1".into(),
        identity: vec![("id".into(), Value::integer(1))],
        expected: expected.into_iter().enumerate().map(|(at, value)| (format!("c{at}"), value)).collect(),
        set: vec![("status".into(), Value::text("cancelled"))],
        takes_away: true,
    }
}

fn news() -> [RepairNews; 3] {
    let (run, by) = (run(), "operator".to_owned());
    let said = Some("a trigger".to_owned());
    [
        RepairNews::Began {
            run,
            cause: "undo".into(),
            undoes: Some(RunId::from_bytes([8; 16])),
            by: by.clone(),
            repairs: 2,
        },
        RepairNews::Planned { run, from: 0, repairs: vec![(RepairState::AwaitingApproval, encode_plan(&plan()))] },
        RepairNews::Settled {
            run,
            by,
            outcomes: vec![(0, RepairState::Repaired, None), (1, RepairState::Altered, said)],
        },
    ]
}

/// The bytes of each format, under its name.
pub(super) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let [began, planned, settled] = news().map(|news| encode_news(&news));
    vec![
        ("repair_plan", encode_plan(&plan())),
        ("repair_began", began),
        ("repair_planned", planned),
        ("repair_settled", settled),
    ]
}

pub(super) fn is_body(name: &str) -> bool {
    bodies().iter().any(|(known, _)| *known == name)
}

fn read(name: &str, bytes: &[u8]) -> Result<Option<RepairNews>, CodecError> {
    match name {
        "repair_began" => decode_news(1, bytes).map(Some),
        "repair_planned" => decode_news(2, bytes).map(Some),
        "repair_settled" => decode_news(3, bytes).map(Some),
        _ => decode_plan(bytes).map(|_| None),
    }
}

pub(super) fn is_damaged(name: &str, bytes: &[u8]) -> bool {
    read(name, bytes).is_err()
}

/// That stored bytes say what they said.
pub(super) fn check_bodies(stored: impl Fn(&str) -> Vec<u8>) {
    assert_eq!(decode_plan(&stored("repair_plan")), Ok(plan()));
    for (name, news) in ["repair_began", "repair_planned", "repair_settled"].into_iter().zip(news()) {
        assert_eq!(read(name, &stored(name)), Ok(Some(news)), "{name}");
    }
}

#[test]
fn rows_of_repairs_come_back_as_they_went() {
    check(RepairRun {
        id: run(),
        pair: "subscriptions".into(),
        cause: RepairCause::Undo,
        undoes: Some(RunId::from_bytes([8; 16])),
        by: "operator".into(),
        started_at: Timestamp(1),
        repairs: 2,
    });
    for state in RepairState::ALL {
        let detail = (state == RepairState::Refused).then(|| "23514".to_owned());
        let pair = "subscriptions".to_owned();
        check(Repair {
            run: run(),
            no: 3,
            pair,
            record: [9; 32],
            state,
            changed_at: Timestamp(2),
            plan: vec![1],
            detail,
        });
    }
    check(RepairHead { pair: "subscriptions".into(), seq: 4, hash: [5; 32] });
}

#[test]
fn an_entry_is_chained_over_all_that_it_says() {
    let entry = RepairEntry {
        pair: "subscriptions".into(),
        seq: 2,
        kind: 3,
        at: Timestamp(4),
        body: vec![1, 2],
        prev_hash: [6; 32],
        hash: [0; 32],
    };
    let hash = chain_repair(&entry);
    let changed = [
        RepairEntry { pair: "subscription".into(), ..entry.clone() },
        RepairEntry { seq: 3, ..entry.clone() },
        RepairEntry { kind: 2, ..entry.clone() },
        RepairEntry { at: Timestamp(5), ..entry.clone() },
        RepairEntry { body: vec![1], ..entry.clone() },
        RepairEntry { prev_hash: [7; 32], ..entry.clone() },
    ];
    changed.iter().for_each(|changed| assert_ne!(chain_repair(changed), hash, "{changed:?}"));
    check(RepairEntry { hash, ..entry });
}
