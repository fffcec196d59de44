//! Who among the writers is gone: whose session is over and was not taken up again for a while.
//!
//! Only seen here, and only remembered by whoever looks. What follows from it (the end of their leases) is decided in a
//! transaction over their rows. Does not own what makes that harmless where somebody is not gone after all: the fences are.

use crate::errors::{At, Trouble};
use crate::link::{Ask, Link};
use crate::plan;
use crate::values::Parameter;
use crate::writer::LOCK_CLASS;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A session of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Session {
    epoch: i64,
    number: i64,
}

/// Sessions that are over, and since when that is seen here.
#[derive(Debug, Default)]
pub(crate) struct Absent(BTreeMap<Session, Instant>);

/// Those that hold no lock; few rows, for what was noted is left out.
const ABSENT: &str = "SELECT epoch, session FROM writers WHERE epoch <> $1 AND gone_at IS NULL \
    AND epoch % 4294967296 <> ALL (ARRAY(SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
    AND granted AND classid::bigint = $2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))";

/// Notes that they are gone, unless one has come back or somebody else has noted it.
const NOTE: &str = "WITH absent AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS absent (epoch, session)) \
    UPDATE writers AS w SET gone_at = clock_timestamp() FROM absent \
    WHERE w.epoch = absent.epoch AND w.session = absent.session AND w.gone_at IS NULL RETURNING w.epoch";

impl Absent {
    /// Takes in whose session is over now, and says whose has been for so long.
    pub(crate) fn see(&mut self, absent: &[Session], now: Instant, gone_after: Duration) -> Vec<Session> {
        self.0.retain(|session, _| absent.contains(session));
        for session in absent {
            self.0.entry(*session).or_insert(now);
        }
        let gone = self.0.iter().filter(|(_, since)| now.saturating_duration_since(**since) >= gone_after);
        gone.map(|(session, _)| *session).collect()
    }
}

/// Sessions of all writers but this one that are over, and of which nobody has noted it.
///
/// # Errors
///
/// What the failure means.
pub(crate) fn absent(link: &mut Link, at: At<'_>, but: i64) -> Result<Vec<Session>, Trouble> {
    let parameters = vec![Parameter::Integer(but), Parameter::Integer(LOCK_CLASS)];
    let rows = link.ask(at, &[Ask { sql: ABSENT.to_owned(), parameters, table: Some("writers") }])?;
    let session =
        |row: &tokio_postgres::Row| Some(Session { epoch: row.try_get(0).ok()?, number: row.try_get(1).ok()? });
    Ok(rows.iter().flatten().filter_map(session).collect())
}

/// The statement that notes that sessions are over for good, and gives the epochs of the writers whose leases end by it.
pub(crate) fn note(gone: &[Session]) -> Ask<'static> {
    let parameters = vec![
        plan::integers(gone.iter().map(|session| session.epoch)),
        plan::integers(gone.iter().map(|session| session.number)),
    ];
    Ask { sql: NOTE.to_owned(), parameters, table: Some("writers") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any moment will do; only spans from it are looked at")]
    fn whoever_is_back_in_time_was_never_gone() {
        const GONE_AFTER: Duration = Duration::from_secs(2);
        let began = Instant::now();
        let (one, other) = (Session { epoch: 7, number: 1 }, Session { epoch: 9, number: 3 });
        let mut absent = Absent::default();
        let mut see = |ms, sessions: &[Session]| absent.see(sessions, began + Duration::from_millis(ms), GONE_AFTER);
        assert_eq!(see(0, &[one]), []);
        assert_eq!(see(1_000, &[one, other]), []);
        assert_eq!(see(1_500, &[other]), [], "it is back");
        assert_eq!(see(2_500, &[one, other]), []);
        assert_eq!(see(3_000, &[one, other]), [other]);
        assert_eq!(see(4_500, &[one, Session { number: 4, ..other }]), [one], "another session, another span");
        assert_eq!(see(5_000, &[]), []);
    }
}
