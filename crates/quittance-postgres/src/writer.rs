//! A writer's own row, which says how many of its transactions were committed and by which connection it writes.
//!
//! Every transaction that changes anything counts itself there, and only while the row names its connection. So after an
//! answer was lost, whoever connects anew takes the row over: the old connection can commit no more, and the count says
//! for ever whether it had. It says so on whichever server is asked, also on a replica that became the primary: there the
//! row is as old as the rest of the data.
//!
//! While a session lives it holds a lock on its epoch, which ends with it, however it ends: by that others see who is gone
//! (`gone`).

use crate::errors::{At, Trouble};
use crate::link::{Ask, Link};
use crate::values::Parameter;
use quittance_store::store::StoreError;
use std::borrow::Cow;
use tokio_postgres::Row;

/// A writer, as its row and this process know it.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub(crate) epoch: i64,
    identity: String,
    session: i64,
    /// Transactions known to be committed.
    commits: i64,
    /// When it was enrolled, by the clock of the database; microseconds.
    opened_at: i64,
    /// Whether one more may be.
    is_in_doubt: bool,
}

/// What became of a commit whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It happened.
    Committed,
    /// It did not, and never will; or there was none.
    NotCommitted,
}

/// What marks the locks of writers among all others of the database, in the upper half of their keys: "Quit" in ASCII.
pub(crate) const LOCK_CLASS: i64 = 0x5175_6974;

/// Shared, so that a new session of the same writer never waits for the old one to end.
const ENROL: &str = "WITH mine AS (INSERT INTO writers (epoch, identity, session, commits, opened_at, committed_at) \
    VALUES (nextval('writer_epochs'), gen_random_uuid(), 1, 0, clock_timestamp(), clock_timestamp()) \
    RETURNING epoch, identity, opened_at) \
    SELECT mine.epoch, identity::text, (extract(epoch FROM opened_at) * 1000000)::bigint, \
    pg_advisory_lock_shared(($1::bigint << 32) + mine.epoch % 4294967296) FROM mine";

/// Rows of writers who have been gone for so long that nobody can be in doubt about a commit of theirs any more.
const FORGET: &str = "DELETE FROM writers WHERE gone_at < clock_timestamp() - interval '7 days'";

/// A writer whose session this is forgets itself.
const RETIRE: &str = "DELETE FROM writers WHERE epoch = $1 AND session = $2";

const COUNT: &str = "WITH mine AS (UPDATE writers SET commits = commits + 1, committed_at = clock_timestamp() \
    WHERE epoch = $1 AND session = $2 RETURNING 1) SELECT 1 / count(*) FROM mine";

const RESUME: &str = "WITH mine AS (UPDATE writers SET session = session + 1, gone_at = NULL \
    WHERE epoch = $1 AND identity::text = $2 RETURNING epoch, session, commits, committed_at) \
    SELECT session, commits, (extract(epoch FROM committed_at) * 1000000)::bigint, \
    pg_advisory_lock_shared(($3::bigint << 32) + mine.epoch % 4294967296) FROM mine";

impl Writer {
    /// A new writer, under the next epoch.
    ///
    /// # Errors
    ///
    /// What the failure means.
    pub(crate) fn enrol(link: &mut Link, at: At<'_>) -> Result<Self, Trouble> {
        let enrol = Ask { parameters: vec![Parameter::Integer(LOCK_CLASS)], ..about_writers(ENROL) };
        let rows = link.ask(at, &[about_writers(FORGET), enrol])?;
        let row = rows.last().and_then(|rows| rows.first());
        let read = row.and_then(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?, row.try_get(2).ok()?)));
        let (epoch, identity, opened_at) = read.ok_or_else(|| Trouble::Lost("no writer was enrolled".to_owned()))?;
        Ok(Self { epoch, identity, session: 1, commits: 0, opened_at, is_in_doubt: false })
    }

    /// What a transaction counts itself with, right before it commits.
    pub(crate) fn count(&self) -> Ask<'static> {
        let parameters = vec![Parameter::Integer(self.epoch), Parameter::Integer(self.session)];
        Ask { sql: COUNT.to_owned(), parameters, table: None }
    }

    /// What takes the row away of a writer that is not in doubt and holds nothing: nobody will ask about it.
    pub(crate) fn retire(&self) -> Ask<'static> {
        let parameters = vec![Parameter::Integer(self.epoch), Parameter::Integer(self.session)];
        Ask { parameters, ..about_writers(RETIRE) }
    }

    /// A transaction that counted itself was committed.
    pub(crate) fn committed(&mut self) {
        self.commits += 1;
    }

    /// The answer to a commit was lost.
    pub(crate) fn doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// Whether the answer to a commit was lost and not found since.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    /// Takes the row over for a new connection. What the old one had under way is over when this returns.
    ///
    /// # Errors
    ///
    /// What the failure means; [`StoreError::WentBack`] when the database has less than it had acknowledged.
    pub(crate) fn resume(&mut self, link: &mut Link, at: At<'_>) -> Result<Verdict, Trouble> {
        let identity = Parameter::Text(Cow::Owned(self.identity.clone()));
        let parameters = vec![Parameter::Integer(self.epoch), identity, Parameter::Integer(LOCK_CLASS)];
        let rows = link.ask(at, &[Ask { parameters, ..about_writers(RESUME) }])?;
        let row = rows.first().and_then(|rows| rows.first());
        let numbers = |row: &Row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?, row.try_get(2).ok()?));
        let (epoch, known) = (self.epoch, self.commits);
        let went_back = |what, since| StoreError::WentBack { place: at.place.to_owned(), what, since };
        let Some((session, commits, committed_at)): Option<(i64, i64, i64)> = row.and_then(numbers) else {
            let what = format!("it does not know writer {epoch}, who committed {known} transactions");
            return Err(went_back(what, self.opened_at).into());
        };
        let verdict = match commits - known {
            0 => Verdict::NotCommitted,
            1 if self.is_in_doubt => Verdict::Committed,
            _ => {
                let what = format!("it has {commits} transactions of writer {epoch}, who committed {known}");
                return Err(went_back(what, committed_at).into());
            }
        };
        (self.session, self.commits, self.is_in_doubt) = (session, commits, false);
        Ok(verdict)
    }
}

fn about_writers(sql: &str) -> Ask<'static> {
    Ask { sql: sql.to_owned(), parameters: Vec::new(), table: Some("writers") }
}
