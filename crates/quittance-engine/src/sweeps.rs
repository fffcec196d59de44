//! How a sweep follows a list of a gateway, newest first: where it begins, where it goes on, and when it is complete.
//!
//! The cursor moves only when a sweep has come to the end of its list, and every sweep looks back over what the last one
//! may not have seen yet. The log of events moves it by what is on it, since our own clock may be wrong and nothing then
//! happen for a day; until something is on it, every sweep looks as far back as the first one did. Pure: the pages are
//! somebody else's business.

use crate::submission::EventGap;
use quittance_core::mutation::{self, Mutation};
use quittance_core::time::Timestamp;
use quittance_store::records::Sweep;

/// How far a sweep looks back behind the last one, in seconds: for clocks that disagree, and for what is listed late.
pub const OVERLAP_S: i64 = 15 * 60;

/// How long a gateway keeps its events: Stripe 30 days (API reference, "List all events").
const RETENTION_MS: u64 = 30 * 86_400_000;

/// How far a sweep looks back whose cursor lies ahead of the clock, in seconds: nobody knows how long it did.
const SET_BACK_S: i64 = 86_400;

/// How far a sweep of a log of events looks back of which nothing was ever seen, in seconds: our clock may be ahead, and
/// things may have happened while nobody was here yet.
const FIRST_S: i64 = 86_400;

/// What is to be said of a sweep that begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// The log does not reach back to where it was looked at last.
    pub gap: Option<EventGap>,
    /// How far the cursor lay ahead of the clock, in seconds, where it did: the clock was set back.
    pub ahead_s: Option<i64>,
}

/// The next page leads back to where the list was already: it would be followed for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page of the list leads back to itself")]
pub struct Stuck;

/// Begins a sweep of the log of events, unless one is under way that goes on. `ahead_ms` is how far ahead of the gateway's
/// clock ours may be, as the stored era has it: a first sweep looks back so much further, or what happened since would be
/// behind it for ever.
pub fn begin_events(sweep: &mut Sweep, now: Timestamp, ahead_ms: u64) -> Beginning {
    if sweep.resume_after.is_some() {
        return Beginning::default();
    }
    let gap_ms = sweep.completed_at.map_or(0, |at| now.ms_since(at));
    let first_s = i64::try_from(ahead_ms / 1_000).unwrap_or(i64::MAX).saturating_add(FIRST_S);
    let ahead_s = begin(sweep, now, first_s);
    let gap = (gap_ms > RETENTION_MS).then(|| {
        let days = gap_ms / 86_400_000;
        EventGap::Open { detail: format!("nothing was looked at for {days} days, and events are kept for 30") }
    });
    Beginning { gap, ahead_s }
}

/// Begins a sweep of a list of objects, unless one is under way that goes on.
pub fn begin_objects(sweep: &mut Sweep, now: Timestamp) -> Beginning {
    if sweep.resume_after.is_some() {
        return Beginning::default();
    }
    let ahead_s = begin(sweep, now, 0);
    if sweep.is_full {
        sweep.created_from = None;
    }
    Beginning { gap: None, ahead_s }
}

fn begin(sweep: &mut Sweep, now: Timestamp, first_s: i64) -> Option<i64> {
    let ahead_s = sweep.cursor.map(|cursor| cursor - now.seconds()).filter(|ahead| *ahead > 0);
    if ahead_s.is_some() {
        sweep.cursor = Some(now.seconds() - SET_BACK_S);
    }
    let first = now.seconds().saturating_sub(first_s).saturating_sub(OVERLAP_S).max(0);
    sweep.created_from = Some(match (sweep.cursor, sweep.created_from) {
        (Some(cursor), _) => cursor - OVERLAP_S,
        // Nothing was seen of the list, so nothing since its first sweep began is known to be behind us.
        (None, Some(began)) => began.min(first),
        (None, None) => first,
    });
    sweep.newest = Some(now.seconds());
    sweep.started_at = Some(now);
    ahead_s
}

/// Follows a page of the log of events: `newest` is when the newest event on it was made, `next` where the page after it
/// begins. Says whether the sweep is complete.
///
/// # Errors
///
/// [`Stuck`]; the sweep begins anew the next time.
pub fn follow_events(
    sweep: &mut Sweep,
    newest: Option<i64>,
    next: Option<String>,
    now: Timestamp,
) -> Result<bool, Stuck> {
    if sweep.resume_after.is_none() {
        // Whatever is made from now on is newer than the first page, by the gateway's own clock. Where there is nothing,
        // nothing is known of that clock, and the next sweep looks from the same second on.
        sweep.newest = match newest {
            Some(newest) => sweep.newest.map(|began| began.min(newest)),
            None => sweep.cursor,
        };
    }
    follow(sweep, next, now)
}

/// The same for a page of a list of objects, which follows our own clock.
///
/// # Errors
///
/// [`Stuck`]; the sweep begins anew the next time.
pub fn follow_objects(sweep: &mut Sweep, next: Option<String>, now: Timestamp) -> Result<bool, Stuck> {
    follow(sweep, next, now)
}

fn follow(sweep: &mut Sweep, next: Option<String>, now: Timestamp) -> Result<bool, Stuck> {
    let next = next.filter(|_| !mutation::is(Mutation::SweepCutShort));
    match next {
        None => {
            sweep.cursor = sweep.newest.max(sweep.cursor);
            sweep.completed_at = Some(now);
            sweep.resume_after = None;
            sweep.is_full = false;
            Ok(true)
        }
        Some(next) if sweep.resume_after.as_ref() == Some(&next) => {
            sweep.resume_after = None;
            Err(Stuck)
        }
        Some(next) => {
            sweep.resume_after = Some(next);
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn fresh() -> Sweep {
        Sweep::new("stripe".into(), Sweep::EVENTS.into())
    }

    #[test]
    fn the_cursor_moves_only_at_the_end_of_the_list() {
        let mut sweep = fresh();
        assert_eq!(begin_events(&mut sweep, at(0), 0), Beginning::default());
        assert_eq!(sweep.created_from, Some(at(0).seconds() - FIRST_S - OVERLAP_S));
        assert_eq!(follow_events(&mut sweep, Some(at(-5).seconds()), Some("evt_9".into()), at(1)), Ok(false));
        assert_eq!((sweep.cursor, sweep.completed_at), (None, None));
        // Another run, perhaps of another process, goes on where this one was.
        begin_events(&mut sweep, at(60), 0);
        assert_eq!(sweep.started_at, Some(at(0)));
        assert_eq!(follow_events(&mut sweep, Some(at(-90).seconds()), None, at(61)), Ok(true));
        assert_eq!((sweep.cursor, sweep.completed_at), (Some(at(-5).seconds()), Some(at(61))));
        begin_events(&mut sweep, at(120), 0);
        assert_eq!(sweep.created_from, Some(at(-5).seconds() - OVERLAP_S), "the overlap");
    }

    #[test]
    fn what_is_on_the_list_moves_the_cursor_and_a_fast_clock_does_not() {
        let mut sweep = fresh();
        begin_events(&mut sweep, at(0), 0);
        follow_events(&mut sweep, None, None, at(1)).expect("the end");
        assert_eq!((sweep.cursor, sweep.completed_at), (None, Some(at(1))), "an empty list says nothing");
        begin_events(&mut sweep, at(60), 0);
        follow_events(&mut sweep, Some(at(9_999).seconds()), None, at(61)).expect("the end");
        assert_eq!(sweep.cursor, Some(at(60).seconds()));
        begin_events(&mut sweep, at(120), 0);
        follow_events(&mut sweep, Some(at(-500).seconds()), None, at(121)).expect("the end");
        assert_eq!(sweep.cursor, Some(at(60).seconds()), "never back");
        begin_events(&mut sweep, at(180), 0);
        follow_events(&mut sweep, None, None, at(181)).expect("the end");
        assert_eq!(sweep.cursor, Some(at(60).seconds()), "an empty list says nothing");
    }

    #[test]
    fn a_page_that_leads_to_itself_fails() {
        let mut sweep = fresh();
        begin_events(&mut sweep, at(0), 0);
        follow_events(&mut sweep, None, Some("evt_9".into()), at(1)).expect("a page");
        assert_eq!(follow_events(&mut sweep, None, Some("evt_9".into()), at(2)), Err(Stuck));
        assert_eq!((sweep.cursor, sweep.completed_at, sweep.resume_after), (None, None, None));
    }

    #[test]
    fn a_gap_that_is_longer_than_the_log_is_said() {
        let mut sweep = fresh();
        begin_events(&mut sweep, at(0), 0);
        follow_events(&mut sweep, None, None, at(0)).expect("the end");
        assert_eq!(begin_events(&mut sweep.clone(), at(30 * 86_400), 0), Beginning::default());
        let gap = begin_events(&mut sweep, at(31 * 86_400), 0).gap;
        assert!(matches!(gap, Some(EventGap::Open { ref detail }) if detail.contains("31 days")), "{gap:?}");
    }

    #[test]
    fn a_full_sweep_of_objects_has_no_beginning() {
        let mut sweep = Sweep { is_full: true, cursor: Some(1), ..fresh() };
        begin_objects(&mut sweep, at(0));
        assert_eq!(sweep.created_from, None);
        follow_objects(&mut sweep, None, at(1)).expect("the end");
        assert!(!sweep.is_full);
        begin_objects(&mut sweep, at(60));
        assert_eq!(sweep.created_from, Some(at(0).seconds() - OVERLAP_S));
    }

    #[test]
    fn a_clock_that_is_ahead_while_nothing_happens_hides_no_event() {
        let mut sweep = fresh();
        begin_events(&mut sweep, at(0), 0);
        follow_events(&mut sweep, Some(at(0).seconds()), None, at(0)).expect("the end");
        begin_events(&mut sweep, at(86_400), 0);
        follow_events(&mut sweep, None, None, at(86_400)).expect("the end");
        for minute in 1..5 {
            assert_eq!(begin_events(&mut sweep, at(60 * minute), 0), Beginning::default());
            assert_eq!(sweep.created_from, Some(at(0).seconds() - OVERLAP_S), "what happened since is in it");
            follow_events(&mut sweep, None, None, at(60 * minute)).expect("the end");
        }
    }

    #[test]
    fn what_happened_before_the_first_sweep_was_complete_is_seen() {
        const DAY_S: i64 = 86_400;
        for (what, sweeps, next) in [
            ("it never began", &[][..], at(3_600)),
            ("it began, and nobody was here for two days", &[(at(0), false)], at(2 * DAY_S)),
            ("nothing was there, and nobody was here for two days", &[(at(0), true), (at(60), true)], at(2 * DAY_S)),
            ("our clock was five hours ahead, and is right", &[(at(5 * 3_600), true)], at(60)),
            ("our clock was a day ahead, and is right", &[(at(DAY_S + 7_200), true), (at(2 * DAY_S), true)], at(3_600)),
            ("our clock is a day ahead", &[(at(60), true), (at(DAY_S + 7_200), true)], at(DAY_S + 7_260)),
        ] {
            let mut sweep = fresh();
            for (began_at, is_complete) in sweeps {
                begin_events(&mut sweep, *began_at, 0);
                if *is_complete {
                    follow_events(&mut sweep, None, None, *began_at).expect("the end");
                }
            }
            assert_eq!(begin_events(&mut sweep, next, 0), Beginning::default(), "{what}");
            assert!(sweep.created_from < Some(at(0).seconds()), "{what}: {sweep:?}");
        }
    }

    #[test]
    fn a_first_sweep_under_a_clock_that_was_set_ahead_looks_back_behind_what_it_hides() {
        const AHEAD_S: i64 = 26 * 3_600;
        let mut sweep = fresh();
        begin_events(&mut sweep, at(AHEAD_S + 60), 26 * 3_600_000);
        follow_events(&mut sweep, None, None, at(AHEAD_S + 60)).expect("the end");
        assert_eq!(sweep.created_from, Some(at(60).seconds() - FIRST_S - OVERLAP_S));
        // The clock is right again a day and a half later.
        begin_events(&mut sweep, at(37 * 3_600), 0);
        assert_eq!(sweep.created_from, Some(at(60).seconds() - FIRST_S - OVERLAP_S));
        begin_events(&mut fresh(), at(0), u64::MAX);
    }

    #[test]
    fn a_first_sweep_of_objects_looks_back_no_further_than_any_other() {
        let mut sweep = fresh();
        begin_objects(&mut sweep, at(0));
        assert_eq!(sweep.created_from, Some(at(0).seconds() - OVERLAP_S));
    }

    #[test]
    fn a_cursor_ahead_of_the_clock_is_said_and_given_up() {
        let begins: [fn(&mut Sweep, Timestamp) -> Beginning; 2] =
            [|sweep, now| begin_events(sweep, now, 0), begin_objects];
        for begin in begins {
            let mut sweep = Sweep { cursor: Some(at(86_400).seconds()), ..fresh() };
            assert_eq!(begin(&mut sweep, at(0)), Beginning { gap: None, ahead_s: Some(86_400) });
            assert!(sweep.created_from < Some(at(-86_400).seconds()), "{sweep:?}");
            follow_objects(&mut sweep, None, at(1)).expect("the end");
            assert_eq!(begin(&mut sweep, at(60)), Beginning::default(), "once");
        }
    }
}
