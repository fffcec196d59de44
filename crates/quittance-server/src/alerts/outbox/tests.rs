//! Messages from one look to the next, over a store in memory that two processes share.

use super::*;
use crate::alerts::observe;
use quittance_core::alert::{Alarm, Cause, Kind, Severity};
use quittance_store::memory::{MemoryDatabase, MemoryStore};

const HOUR: i64 = 3_600_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp(1_700_000_000_000_000 + micros)
}

fn rules() -> Rules {
    Rules {
        channel: "ops".into(),
        kinds: Kind::ALL.to_vec(),
        severity_min: Severity::Info,
        subjects: Vec::new(),
        delay_ms: 0,
        repeat_ms: None,
        gap_ms: 0,
    }
}

fn say(store: &mut dyn Store, subject: &str, is_firing: bool, now: Timestamp) {
    let alarm = Alarm {
        kind: Kind::Drift,
        subject: subject.into(),
        severity: Severity::Warning,
        what: "records differ".into(),
        count: 1,
        amounts: Vec::new(),
        since: now,
        link: None,
    };
    let firing = if is_firing { vec![alarm] } else { Vec::new() };
    observe(store, subject, &[Kind::Drift], &firing, now).expect("memory");
}

/// Plans what is due and takes it.
fn look(store: &mut dyn Store, id: u8, now: Timestamp) -> Option<Notice> {
    let book = Book::read(store).expect("memory");
    plan(store, &rules(), &book, NoticeId::from_bytes([id; 16]), now).expect("memory");
    let newest = Book::read(store).expect("memory").newest.remove("ops")?;
    take(store, &newest, now).expect("memory")
}

fn told(notice: &Notice) -> Vec<(&str, Cause)> {
    notice.message.lines.iter().map(|line| (line.subject.as_str(), line.cause)).collect()
}

fn refused() -> Result<(), Refused> {
    Err(Refused { error: "it answered 500".into(), wait_ms: None })
}

fn store() -> MemoryStore {
    MemoryDatabase::new().writer()
}

#[test]
fn what_becomes_due_while_a_message_is_under_way_is_in_the_next_one() {
    let mut store = store();
    ["a", "b"].iter().for_each(|subject| say(&mut store, subject, true, at(0)));
    let first = look(&mut store, 1, at(0)).expect("two alerts are due");
    assert_eq!(told(&first), [("a", Cause::Fires), ("b", Cause::Fires)]);
    say(&mut store, "c", true, at(1));
    assert_eq!(look(&mut store, 2, at(1)), None, "one is under way");
    assert_eq!(settle(&mut store, &first, &Ok(()), at(2)).expect("memory"), Some(NoticeState::Sent));
    let second = look(&mut store, 3, at(3)).expect("one alert is due");
    assert_eq!((told(&second), second.seq), (vec![("c", Cause::Fires)], 2));
    settle(&mut store, &second, &Ok(()), at(4)).expect("memory");
    say(&mut store, "a", false, at(5));
    let third = look(&mut store, 4, at(5)).expect("one is over");
    assert_eq!(told(&third), [("a", Cause::Resolved)]);
    let head = Book::read(&mut store).expect("memory").channel("ops");
    assert_eq!((head.newest, head.sent, head.failing_since), (3, 2, None));
}

#[test]
fn who_dies_after_taking_a_message_has_it_sent_again_under_the_same_id() {
    let mut store = store();
    say(&mut store, "a", true, at(0));
    let first = look(&mut store, 1, at(0)).expect("it is due");
    let lease = i64::try_from(LEASE_MS * 1_000).expect("it is short");
    assert_eq!(look(&mut store, 2, at(lease - 1)), None);
    let second = look(&mut store, 3, at(lease)).expect("its lease has ended");
    assert_eq!((second.id, second.seq, second.attempts), (first.id, first.seq, 2));
    // The first one was only slow. That it failed is not its to say any more; that it was sent is.
    assert_eq!(settle(&mut store, &first, &refused(), at(lease + 1)).expect("memory"), None);
    assert_eq!(settle(&mut store, &first, &Ok(()), at(lease + 2)).expect("memory"), Some(NoticeState::Sent));
    assert_eq!(settle(&mut store, &second, &Ok(()), at(lease + 3)).expect("memory"), None, "it is settled");
}

#[test]
fn a_refused_message_waits_longer_and_longer_and_what_it_said_is_told_anew() {
    let mut store = store();
    say(&mut store, "a", true, at(0));
    let mut now = 0;
    let mut attempts = 0;
    let given_up = loop {
        let notice = look(&mut store, 1, at(now)).expect("it is due");
        attempts += 1;
        if settle(&mut store, &notice, &refused(), at(now)).expect("memory") == Some(NoticeState::GivenUp) {
            break notice;
        }
        let book = Book::read(&mut store).expect("memory");
        assert!(book.channel("ops").failing_since.is_some());
        let waiting = &book.newest["ops"];
        assert_eq!(look(&mut store, 9, Timestamp(waiting.due_at.0 - 1)), None);
        now = waiting.due_at.0 - at(0).0;
    };
    assert!((45..70).contains(&attempts), "{attempts} attempts in a day");
    assert!(now >= 24 * HOUR);
    let next = look(&mut store, 2, at(now + 1)).expect("it is told anew");
    assert_eq!((told(&next), next.seq), (vec![("a", Cause::StillFires)], given_up.seq + 1));
    assert_ne!(next.id, given_up.id);
    settle(&mut store, &next, &Ok(()), at(now + 2)).expect("memory");
    let head = Book::read(&mut store).expect("memory").channel("ops");
    assert_eq!((head.sent, head.given_up, head.failing_since), (1, 1, None));
}

#[test]
fn a_channel_may_ask_to_be_left_alone_but_not_for_ever() {
    for (asked_ms, waited_ms) in [(0, 5_000), (90_000, 90_000), (u64::MAX, WAIT_MS_MAX)] {
        let mut store = store();
        say(&mut store, "a", true, at(0));
        let notice = look(&mut store, 1, at(0)).expect("it is due");
        let refused = Err(Refused { error: "it answered 429".into(), wait_ms: Some(asked_ms) });
        settle(&mut store, &notice, &refused, at(0)).expect("memory");
        let book = Book::read(&mut store).expect("memory");
        assert_eq!(book.newest["ops"].due_at, at(0).plus_ms(waited_ms), "{asked_ms}");
    }
}

#[test]
fn two_who_look_at_once_write_one_message() {
    let mut store = store();
    say(&mut store, "a", true, at(0));
    let book = Book::read(&mut store).expect("memory");
    let id = |id| NoticeId::from_bytes([id; 16]);
    assert!(plan(&mut store, &rules(), &book, id(1), at(0)).expect("memory"));
    assert!(!plan(&mut store, &rules(), &book, id(2), at(0)).expect("memory"), "it saw what was before");
    let newest = Book::read(&mut store).expect("memory").newest["ops"].clone();
    assert!(take(&mut store, &newest, at(0)).expect("memory").is_some());
    assert!(take(&mut store, &newest, at(0)).expect("memory").is_none(), "somebody has it");
}

#[test]
fn a_clock_that_is_set_back_strands_no_message() {
    let mut store = store();
    say(&mut store, "a", true, at(1_000 * HOUR));
    let notice = look(&mut store, 1, at(1_000 * HOUR)).expect("it is due");
    settle(&mut store, &notice, &refused(), at(1_000 * HOUR)).expect("memory");
    let again = look(&mut store, 1, at(0)).expect("nobody waits for a thousand hours");
    assert_eq!(again.id, notice.id);
}
