//! Webhooks that stopped: events that a gateway lists, and that it never sent.
//!
//! An event is judged a while after it was found in the gateway's log: until then its webhook may be on its way. One or two
//! that never come are lost; a row of them, with no webhook after it, means that none comes any more. A type that goes on missing
//! while others come is one that somebody has unsubscribed from: that is no fault for ever.

use crate::time::Timestamp;
use std::collections::BTreeMap;

/// So many events in a row without a webhook are a silence.
pub const MISSED_MIN: u64 = 3;

/// A type that has been missed for so long while others came is not asked for any more: a week.
pub const FORGOTTEN_MS: u64 = 7 * 86_400_000;

/// Types of events that are told apart.
pub const TYPES_MAX: usize = 64;

/// What all further types are called.
pub const OTHER: &str = "other";

/// What is known of the webhooks of a gateway. Times are of our clock.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Heard {
    whole: Tally,
    types: BTreeMap<String, Tally>,
}

/// Events that no webhook brought, since one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Tally {
    /// When a webhook came last.
    arrived_at: Option<Timestamp>,
    missed: u64,
    /// When the first of those was found.
    since: Option<Timestamp>,
    /// When the last of them was.
    until: Option<Timestamp>,
}

/// That webhooks stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Types of which none comes, where others do; empty where none comes at all.
    pub types: Vec<String>,
    /// Events that were missed.
    pub count: u64,
    /// When the first of them was found.
    pub since: Timestamp,
}

impl Heard {
    /// A webhook brought an event of this type at this time. Types that have been missed for a week by then are forgotten.
    pub fn arrived(&mut self, kind: &str, at: Timestamp) {
        self.whole.arrived(at);
        let kind = self.named(kind);
        self.types.entry(kind).or_default().arrived(at);
        self.types.retain(|_, tally| tally.since.is_none_or(|since| at.ms_since(since) < FORGOTTEN_MS));
    }

    /// Whether enough was seen to say that webhooks come, or that they do not.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.whole.arrived_at.is_some() || self.whole.missed >= MISSED_MIN
    }

    /// No webhook brought an event of this type that was found in the log at this time. Gives the type, as it is told apart.
    pub fn missed(&mut self, kind: &str, found_at: Timestamp) -> String {
        self.whole.missed(found_at);
        let kind = self.named(kind);
        self.types.entry(kind.clone()).or_default().missed(found_at);
        kind
    }

    /// Whether webhooks have stopped: all of them, or those of types that came before. A type of which none ever came is one
    /// that nobody asked the gateway to send.
    #[must_use]
    pub fn silence(&self) -> Option<Silence> {
        let silence = |types, tally: &Tally| Some(Silence { types, count: tally.missed, since: tally.since? });
        if self.whole.missed >= MISSED_MIN {
            return silence(Vec::new(), &self.whole);
        }
        let is_silent = |tally: &Tally| tally.arrived_at.is_some() && tally.missed >= MISSED_MIN;
        let silent = self.types.iter().filter(|(_, tally)| is_silent(tally));
        silent.filter_map(|(kind, tally)| silence(vec![kind.clone()], tally)).reduce(|one, other| Silence {
            types: [one.types, other.types].concat(),
            count: one.count + other.count,
            since: one.since.min(other.since),
        })
    }

    fn named(&self, kind: &str) -> String {
        let is_room = self.types.len() < TYPES_MAX || self.types.contains_key(kind);
        if is_room { kind } else { OTHER }.to_owned()
    }
}

impl Tally {
    fn arrived(&mut self, at: Timestamp) {
        self.arrived_at = self.arrived_at.max(Some(at));
        if self.until.is_none_or(|until| until <= at) {
            (self.missed, self.since, self.until) = (0, None, None);
        }
    }

    fn missed(&mut self, found_at: Timestamp) {
        // Webhooks came after it: it was lost, and they have not stopped.
        if self.arrived_at.is_some_and(|arrived_at| arrived_at >= found_at) {
            return;
        }
        self.missed += 1;
        self.since = Some(self.since.map_or(found_at, |since| since.min(found_at)));
        self.until = self.until.max(Some(found_at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said after these: a type and a time, and whether a webhook brought it.
    fn said(events: &[(&str, i64, bool)]) -> Option<(Vec<String>, u64, i64)> {
        let mut heard = Heard::default();
        for (kind, at, is_brought) in events {
            if *is_brought {
                heard.arrived(kind, Timestamp(*at));
            } else {
                heard.missed(kind, Timestamp(*at));
            }
        }
        heard.silence().map(|silence| (silence.types, silence.count, silence.since.0))
    }

    #[test]
    fn a_row_of_events_without_a_webhook_is_a_silence_until_one_comes() {
        let none = || Some((Vec::new(), 3, 5));
        for (what, events, expected) in [
            ("nothing", &[][..], None),
            ("two are lost", &[("a", 5, false), ("b", 6, false)], None),
            ("three are a silence", &[("a", 5, false), ("b", 6, false), ("a", 7, false)], none()),
            ("in whatever order", &[("b", 7, false), ("a", 5, false), ("a", 6, false)], none()),
            ("one comes", &[("a", 5, false), ("b", 6, false), ("a", 7, false), ("c", 8, true)], None),
            ("one had come after them", &[("c", 8, true), ("a", 5, false), ("b", 6, false), ("a", 7, false)], None),
            ("one had come before", &[("c", 1, true), ("a", 5, false), ("b", 6, false), ("a", 7, false)], none()),
        ] {
            assert_eq!(said(events), expected, "{what}");
        }
    }

    #[test]
    fn a_type_that_came_before_and_does_not_any_more_is_silent_and_one_that_never_came_is_not() {
        let came = [("a", 1, true), ("b", 9, true)];
        let missed = [("a", 5, false), ("a", 6, false), ("a", 7, false)];
        let never = [("c", 2, false), ("c", 3, false), ("c", 4, false)];
        let silent = Some((vec!["a".to_owned()], 3, 5));
        assert_eq!(said(&[&came[..], &missed, &never].concat()), silent);
        assert_eq!(said(&[&came[..], &missed, &[("a", 10, true)]].concat()), None);
        let two = [("b", 11, false), ("b", 12, false), ("b", 13, false), ("d", 14, true)];
        let both = Some((vec!["a".to_owned(), "b".to_owned()], 6, 5));
        assert_eq!(said(&[&came[..], &missed, &two].concat()), both);
    }

    #[test]
    fn a_type_that_is_missed_for_a_week_while_others_come_is_forgotten_until_it_comes_again() {
        const WEEK: i64 = FORGOTTEN_MS as i64 * 1_000;
        let silent = [("a", 1, true), ("a", 5, false), ("a", 6, false), ("a", 7, false)];
        let after =
            |more: &[(&str, i64, bool)]| said(&[&silent[..], more].concat()).map(|(types, count, _)| (types, count));
        let only_a = Some((vec!["a".to_owned()], 3));
        assert_eq!(after(&[("b", WEEK + 4, true)]), only_a, "not yet a week");
        assert_eq!(after(&[("b", WEEK + 5, true)]), None);
        let again = |at| [("a", at, false), ("a", at + 1, false), ("a", at + 2, false), ("b", at + 3, true)];
        assert_eq!(after(&[&[("b", WEEK + 5, true)][..], &again(WEEK + 6)].concat()), None, "nobody asked for it");
        let resumed = [("b", WEEK + 5, true), ("a", WEEK + 6, true)];
        assert_eq!(after(&[&resumed[..], &again(WEEK + 7)].concat()), only_a, "somebody asks for it again");
        // Where no other comes, nobody knows that it is meant so.
        assert_eq!(after(&[("a", 2 * WEEK, false)]), Some((Vec::new(), 4)));
    }

    #[test]
    fn what_is_known_takes_a_webhook_or_a_row_without_one() {
        let mut heard = Heard::default();
        for at in 1..=MISSED_MIN {
            assert!(!heard.is_known(), "{at}");
            heard.missed("a", Timestamp(at as i64));
        }
        assert!(heard.is_known() && heard.silence().is_some());
        let mut heard = Heard::default();
        heard.arrived("a", Timestamp(1));
        assert!(heard.is_known());
    }

    #[test]
    fn types_are_told_apart_up_to_a_number() {
        let mut heard = Heard::default();
        let names: Vec<String> = (0..TYPES_MAX + 5).map(|one| heard.missed(&format!("t{one}"), Timestamp(1))).collect();
        assert_eq!((names[TYPES_MAX - 1].as_str(), names[TYPES_MAX].as_str()), ("t63", OTHER));
        assert_eq!(heard.missed("t1", Timestamp(2)), "t1");
        assert!(heard.types.len() <= TYPES_MAX + 1);
    }
}
