//! Silence: changes that nobody was told of. It is heard by what a comparison finds, never by an event.
//!
//! Whoever keeps a copy of somebody's records learns of changes by events. A difference that came since the pair was last
//! compared, and that no event announced, is a change that nobody told of; a few of them mean that the events have stopped.

use crate::time::Timestamp;

/// So many changes that no event announced are a silence. One or two may be records that somebody changed by hand.
pub const UNANNOUNCED_MIN: u64 = 3;

/// A disagreement that a comparison confirmed. Times are of our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// When the newest event about it was received, if any was.
    pub event_at: Option<Timestamp>,
    /// When the run began that found it first.
    pub first_seen_at: Timestamp,
}

/// Changes that nobody was told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// How many.
    pub count: u64,
    /// Up to when all was told, or agreed: by the clock of the system that changed, where it has one.
    pub since: Timestamp,
    /// When the last run began that found nothing of it, by our clock.
    pub after: Timestamp,
}

/// The run before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// When it began, by our clock.
    pub started_at: Timestamp,
    /// Up to when what it read was complete, by the other system's own clock where that has one.
    pub as_of: Timestamp,
}

/// Judges a run by what it found that the run `before` had not, or, while a silence is `known`, that was found since that began.
/// What is found by the very first run may be of any age, and says nothing. It ends when too little is left of it, because it
/// was repaired or because events came.
#[must_use]
pub fn judge(confirmed: &[Confirmed], before: Option<Before>, known: Option<Silence>) -> Option<Silence> {
    let began = Silence { count: 0, ..known.or_else(|| before.map(Silence::after))? };
    let is_unannounced = |one: &&Confirmed| {
        one.first_seen_at > began.after && one.event_at.is_none_or(|event_at| event_at < began.after)
    };
    let count = confirmed.iter().filter(is_unannounced).count() as u64;
    (count >= UNANNOUNCED_MIN).then_some(Silence { count, ..began })
}

impl Silence {
    const fn after(before: Before) -> Self {
        Self { count: 0, since: before.as_of, after: before.started_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(at: i64) -> Option<Before> {
        Some(Before { started_at: Timestamp(at), as_of: Timestamp(at + 5) })
    }

    fn found(many: usize, event_at: Option<i64>, first_seen_at: i64) -> Vec<Confirmed> {
        vec![Confirmed { event_at: event_at.map(Timestamp), first_seen_at: Timestamp(first_seen_at) }; many]
    }

    #[test]
    fn changes_without_an_event_are_a_silence_since_the_run_before_and_those_with_one_are_not() {
        for (what, confirmed, before, expected) in [
            ("nothing differs", found(0, None, 0), run(100), None),
            ("two are no silence", found(2, None, 150), run(100), None),
            ("three are", found(3, None, 150), run(100), Some((3, 105))),
            ("the newest event is of before the change", found(5, Some(50), 150), run(100), Some((5, 105))),
            ("an event announced each", found(5, Some(120), 150), run(100), None),
            ("they were there before", found(5, None, 90), run(100), None),
            ("never compared before", found(5, None, 150), None, None),
        ] {
            let judged = judge(&confirmed, before, None).map(|silence| (silence.count, silence.since.0));
            assert_eq!(judged, expected, "{what}");
        }
        let mixed = [found(2, None, 150), found(9, Some(150), 150)].concat();
        assert_eq!(judge(&mixed, run(100), None), None, "events come: two by hand are no silence");
    }

    #[test]
    fn a_silence_lasts_since_it_began_and_ends_when_nothing_is_left_of_it() {
        let first = judge(&found(4, Some(50), 150), run(100), None);
        assert_eq!(first, Some(Silence { count: 4, since: Timestamp(105), after: Timestamp(100) }));
        let old = found(7, None, 20);
        let still = [old.clone(), found(4, Some(50), 150)].concat();
        assert_eq!(judge(&still, run(160), first), first, "what differed before it began is no part of it");
        let more = [still, found(2, None, 190)].concat();
        assert_eq!(judge(&more, run(160), first).map(|one| (one.count, one.since.0)), Some((6, 105)));
        assert_eq!(judge(&old, run(200), first), None, "repaired");
        assert_eq!(judge(&found(4, Some(170), 150), run(200), first), None, "the events came after all");
    }
}
