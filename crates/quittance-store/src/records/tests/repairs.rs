//! Repairs and their journal as rows and bytes.

use super::rows::check;
use crate::records::codec::CodecError;
use crate::records::{
    Agreed, Base, Repair, RepairBooks, RepairCause, RepairEntry, RepairHead, RepairNews, RepairPlan, RepairRun,
    RepairSource, RepairState, chain_repair, decode_agreed, decode_news, decode_plan, encode_agreed, encode_news,
    encode_plan,
};
use quittance_core::id::RunId;
use quittance_core::record::number::Number;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;

fn run() -> RunId {
    RunId::from_bytes([7; 16])
}

fn source() -> RepairSource {
    RepairSource { name: "corrections.csv".into(), sha256: [3; 32] }
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
        place: Some([4; 32]),
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
            source: Some(source()),
        },
        RepairNews::Planned { run, from: 0, repairs: vec![(RepairState::AwaitingApproval, encode_plan(&plan()))] },
        RepairNews::Settled {
            run,
            by,
            outcomes: vec![(0, RepairState::Repaired, None), (1, RepairState::Altered, said)],
        },
    ]
}

fn agreed() -> Vec<Agreed> {
    let agreed = |field: &str, value| Agreed { field: field.into(), value, run: run(), seen_at: Timestamp(5) };
    vec![agreed("plan", Value::text("team")), agreed("seats", Value::integer(7)), agreed("note", Value::Null)]
}

/// The bytes of each format, under its name.
pub(super) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let [began, planned, settled] = news().map(|news| encode_news(&news));
    vec![
        ("repair_plan", encode_plan(&plan())),
        ("repair_began", began),
        ("repair_planned", planned),
        ("repair_settled", settled),
        ("agreed", encode_agreed(&agreed())),
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
        "agreed" => decode_agreed(bytes).map(|_| None),
        _ => decode_plan(bytes).map(|_| None),
    }
}

pub(super) fn is_damaged(name: &str, bytes: &[u8]) -> bool {
    read(name, bytes).is_err()
}

/// That stored bytes say what they said.
pub(super) fn check_bodies(stored: impl Fn(&str) -> Vec<u8>) {
    assert_eq!(decode_plan(&stored("repair_plan")), Ok(plan()));
    assert_eq!(decode_agreed(&stored("agreed")), Ok(agreed()));
    for (name, news) in ["repair_began", "repair_planned", "repair_settled"].into_iter().zip(news()) {
        assert_eq!(read(name, &stored(name)), Ok(Some(news)), "{name}");
    }
}

#[test]
fn rows_of_repairs_come_back_as_they_went() {
    let run = RepairRun {
        id: run(),
        pair: "subscriptions".into(),
        cause: RepairCause::Undo,
        undoes: Some(RunId::from_bytes([8; 16])),
        by: "operator".into(),
        started_at: Timestamp(1),
        repairs: 2,
        source: None,
    };
    check(RepairRun { cause: RepairCause::Import, source: Some(source()), ..run.clone() });
    check(run);
    for state in RepairState::ALL {
        let detail = (state == RepairState::Refused).then(|| "23514".to_owned());
        let pair = "subscriptions".to_owned();
        check(Repair {
            run: RunId::from_bytes([7; 16]),
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
    let agreed = agreed();
    check(Base { pair: "subscriptions".into(), record: [3; 32], is_touched: true, agreed });
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

/// A journal of several runs: repaired, altered, taken back, and settled twice.
fn journal() -> Vec<RepairEntry> {
    let (first, second) = (RunId::from_bytes([1; 16]), RunId::from_bytes([2; 16]));
    let of = |id: i64, to: &str| {
        let identity = vec![("id".to_owned(), Value::integer(id))];
        let set = vec![("status".to_owned(), Value::Text(to.to_owned().into()))];
        RepairPlan { identity, set, ..plan() }
    };
    let planned = |id, to| (RepairState::Planned, encode_plan(&of(id, to)));
    let began = |run, cause: RepairCause, undoes, repairs| RepairNews::Began {
        run,
        cause: cause.name().to_owned(),
        undoes,
        by: "operator".to_owned(),
        repairs,
        source: (cause == RepairCause::Import).then(source),
    };
    let settled = |run, outcomes| RepairNews::Settled { run, by: "operator".to_owned(), outcomes };
    let said = Some("status = x".to_owned());
    let news = [
        began(first, RepairCause::Import, None, 4),
        RepairNews::Planned { run: first, from: 0, repairs: vec![planned(1, "a"), planned(2, "a")] },
        RepairNews::Planned { run: first, from: 2, repairs: vec![planned(3, "a"), planned(4, "a")] },
        settled(first, vec![(0, RepairState::Repaired, None), (1, RepairState::Altered, said)]),
        settled(first, vec![(2, RepairState::Abandoned, None), (3, RepairState::Repaired, None)]),
        // Who had written it says so after all.
        settled(first, vec![(2, RepairState::Repaired, None)]),
        began(second, RepairCause::Undo, Some(first), 1),
        RepairNews::Planned { run: second, from: 0, repairs: vec![planned(4, "before")] },
        settled(second, vec![(0, RepairState::Repaired, None)]),
        settled(first, vec![(3, RepairState::Undone, None)]),
    ];
    let mut entries: Vec<RepairEntry> = Vec::new();
    for (news, seq) in news.iter().zip(1..) {
        let prev_hash = entries.last().map_or([0; 32], |last| last.hash);
        let (pair, kind, at) = ("subscriptions".to_owned(), news.kind(), Timestamp(seq * 10));
        let entry = RepairEntry { pair, seq, kind, at, body: encode_news(news), prev_hash, hash: [0; 32] };
        entries.push(RepairEntry { hash: chain_repair(&entry), ..entry });
    }
    entries
}

fn replayed(entries: &[RepairEntry]) -> Result<RepairBooks, String> {
    let mut books = RepairBooks::new("subscriptions", true);
    entries.iter().try_for_each(|entry| books.apply(entry)).map(|()| books)
}

#[test]
fn books_follow_from_their_journal_in_one_piece_or_in_several() {
    let entries = journal();
    let whole = replayed(&entries).expect("it holds");
    for at in 0..=entries.len() {
        let mut books = replayed(&entries[..at]).expect("it holds");
        assert_eq!(books.seq, at as i64);
        let earlier = books.clone();
        entries[at..].iter().for_each(|entry| books.apply(entry).expect("it holds"));
        assert_eq!((&books, books.digest()), (&whole, whole.digest()));
        assert!(at == entries.len() || earlier.digest() != whole.digest());
    }
    let held = |books: &RepairBooks| -> Vec<(String, String)> {
        let mut held: Vec<_> = books
            .records
            .values()
            .filter(|said| said.by.is_some())
            .map(|said| {
                (said.identity[0].1.to_string(), said.holds.get("status").map_or("-".into(), ToString::to_string))
            })
            .collect();
        held.sort();
        held
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
    };
    assert_eq!(held(&replayed(&entries[..5]).expect("it holds")), pairs(&[("1", "a"), ("2", "-"), ("4", "a")]));
    assert_eq!(held(&whole), pairs(&[("1", "a"), ("2", "-"), ("3", "a"), ("4", "before")]));
    let states: Vec<_> = whole.repairs.values().map(|said| said.state.name()).collect();
    assert_eq!(states, ["repaired", "altered", "repaired", "undone", "repaired"]);
}

#[test]
fn any_byte_of_a_journal_that_is_another_is_named_with_its_entry() {
    let entries = journal();
    for at in 0..entries.len() {
        for bit in 0..8 {
            let length = entries[at].body.len();
            for place in 0..length + 64 {
                let mut changed = entries.clone();
                let entry = &mut changed[at];
                match place.checked_sub(length) {
                    None => entry.body[place] ^= 1 << bit,
                    Some(place @ 0..32) => entry.hash[place] ^= 1 << bit,
                    Some(place) => entry.prev_hash[place - 32] ^= 1 << bit,
                }
                let said = replayed(&changed).expect_err("it does not hold");
                assert!(said.starts_with(&format!("entry {}: ", at + 1)), "{said}");
            }
            let mut changed = entries.clone();
            changed[at].at.0 ^= 1 << bit;
            assert!(replayed(&changed).is_err());
            let mut changed = entries.clone();
            changed[at].kind ^= 1 << bit;
            assert!(replayed(&changed).is_err());
        }
        let mut changed = entries.clone();
        changed.remove(at);
        assert!(at + 1 == entries.len() || replayed(&changed).is_err(), "without entry {}", at + 1);
    }
}
