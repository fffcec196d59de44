//! How a sweep follows a list of a gateway, newest first: where it begins, where it goes on, and when it is complete.
//!
//! The cursor moves only when a sweep has come to the end of its list, and every sweep looks back over what the last one
//! may not have seen yet. Pure: the pages are somebody else's business.

use crate::submission::EventGap;
use quittance_core::time::Timestamp;
use quittance_store::records::Sweep;

/// How far a sweep looks back behind the last one, in seconds: for clocks that disagree, and for what is listed late.
pub const OVERLAP_S: i64 = 15 * 60;

/// How long a gateway keeps its events: Stripe 30 days (API reference, "List all events").
const RETENTION_MS: u64 = 30 * 86_400_000;

/// The next page leads back to where the list was already: it would be followed for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page of the list leads back to itself")]
pub struct Stuck;

/// Begins a sweep of the log of events, unless one is under way that goes on. Says so when the log does not reach back to
/// the last one.
pub fn begin_events(sweep: &mut Sweep, now: Timestamp) -> Option<EventGap> {
    if sweep.resume_after.is_some() {
        return None;
    }
    let gap_ms = sweep.completed_at.map_or(0, |at| now.ms_since(at));
    begin(sweep, now);
    (gap_ms > RETENTION_MS).then(|| {
        let days = gap_ms / 86_400_000;
        EventGap::Open { detail: format!("nothing was looked at for {days} days, and events are kept for 30") }
    })
}

/// Begins a sweep of a list of objects, unless one is under way that goes on.
pub fn begin_objects(sweep: &mut Sweep, now: Timestamp) {
    if sweep.resume_after.is_none() {
        begin(sweep, now);
        if sweep.is_full {
            sweep.created_from = None;
        }
    }
}

fn begin(sweep: &mut Sweep, now: Timestamp) {
    let from = sweep.cursor.unwrap_or_else(|| now.seconds());
    sweep.created_from = Some(from - OVERLAP_S);
    sweep.newest = Some(now.seconds());
    sweep.started_at = Some(now);
}

/// Follows a page: `newest` is when the newest thing on it was made, `next` where the page after it begins. Says whether
/// the sweep is complete.
///
/// # Errors
///
/// [`Stuck`]; the sweep begins anew the next time.
pub fn follow(sweep: &mut Sweep, newest: Option<i64>, next: Option<String>, now: Timestamp) -> Result<bool, Stuck> {
    if sweep.resume_after.is_none() {
        // Whatever is made from now on is newer than the first page, by the gateway's own clock.
        sweep.newest = [sweep.newest, newest].into_iter().flatten().min();
    }
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
        assert_eq!(begin_events(&mut sweep, at(0)), None);
        assert_eq!(sweep.created_from, Some(at(0).seconds() - OVERLAP_S));
        assert_eq!(follow(&mut sweep, Some(at(-5).seconds()), Some("evt_9".into()), at(1)), Ok(false));
        assert_eq!((sweep.cursor, sweep.completed_at), (None, None));
        // Another run, perhaps of another process, goes on where this one was.
        begin_events(&mut sweep, at(60));
        assert_eq!(sweep.started_at, Some(at(0)));
        assert_eq!(follow(&mut sweep, Some(at(-90).seconds()), None, at(61)), Ok(true));
        assert_eq!((sweep.cursor, sweep.completed_at), (Some(at(-5).seconds()), Some(at(61))));
        begin_events(&mut sweep, at(120));
        assert_eq!(sweep.created_from, Some(at(-5).seconds() - OVERLAP_S), "the overlap");
    }

    #[test]
    fn an_idle_list_does_not_hold_the_cursor_and_a_fast_clock_does_not_drive_it() {
        let mut sweep = fresh();
        begin_events(&mut sweep, at(0));
        follow(&mut sweep, None, None, at(1)).expect("the end");
        assert_eq!(sweep.cursor, Some(at(0).seconds()));
        begin_events(&mut sweep, at(60));
        follow(&mut sweep, Some(at(9_999).seconds()), None, at(61)).expect("the end");
        assert_eq!(sweep.cursor, Some(at(60).seconds()));
        begin_events(&mut sweep, at(120));
        follow(&mut sweep, Some(at(-500).seconds()), None, at(121)).expect("the end");
        assert_eq!(sweep.cursor, Some(at(60).seconds()), "never back");
    }

    #[test]
    fn a_page_that_leads_to_itself_fails() {
        let mut sweep = fresh();
        begin_events(&mut sweep, at(0));
        follow(&mut sweep, None, Some("evt_9".into()), at(1)).expect("a page");
        assert_eq!(follow(&mut sweep, None, Some("evt_9".into()), at(2)), Err(Stuck));
        assert_eq!((sweep.cursor, sweep.completed_at, sweep.resume_after), (None, None, None));
    }

    #[test]
    fn a_gap_that_is_longer_than_the_log_is_said() {
        let mut sweep = fresh();
        begin_events(&mut sweep, at(0));
        follow(&mut sweep, None, None, at(0)).expect("the end");
        assert_eq!(begin_events(&mut sweep.clone(), at(30 * 86_400)), None);
        let gap = begin_events(&mut sweep, at(31 * 86_400));
        assert!(matches!(gap, Some(EventGap::Open { ref detail }) if detail.contains("31 days")), "{gap:?}");
    }

    #[test]
    fn a_full_sweep_of_objects_has_no_beginning() {
        let mut sweep = Sweep { is_full: true, cursor: Some(1), ..fresh() };
        begin_objects(&mut sweep, at(0));
        assert_eq!(sweep.created_from, None);
        follow(&mut sweep, None, None, at(1)).expect("the end");
        assert!(!sweep.is_full);
        begin_objects(&mut sweep, at(60));
        assert_eq!(sweep.created_from, Some(at(0).seconds() - OVERLAP_S));
    }
}
