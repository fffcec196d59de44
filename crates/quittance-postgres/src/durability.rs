//! What a server's settings leave to be lost that it has acknowledged. Does not own what is done about it.

use crate::errors::At;
use crate::link::{Ask, Link};
use quittance_store::store::StoreError;
use tokio_postgres::Row;

/// Something that was acknowledged and can be lost all the same, by how the server is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// Stable word.
    pub code: &'static str,
    /// How it is set up, and what can be lost.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
    /// Whether a crash of one machine is enough.
    pub is_grave: bool,
}

/// What is asked of a server. Of those that follow it only the number is told to a role without `pg_read_all_stats`; those
/// that read changes out of the log, through a slot, can never take its place.
const FACTS: &str = "SELECT current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on', \
    btrim(current_setting('synchronous_standby_names')) <> '', \
    (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'), \
    (SELECT count(*) FROM pg_stat_replication AS r WHERE coalesce(r.state, 'streaming') IN ('streaming', 'catchup') \
        AND NOT EXISTS (SELECT 1 FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')), \
    (SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT temporary AND NOT active), \
    pg_is_in_recovery()";

/// How a server is set up, as far as it matters here.
#[derive(Clone, Debug)]
struct Facts {
    syncs: bool,
    writes_whole_pages: bool,
    waits_for_standbys: bool,
    /// What `synchronous_commit` is where a connection does not say otherwise.
    synchronous_commit: String,
    /// Standbys that follow.
    attached: i64,
    /// Standbys for which a slot is kept, and that do not follow now.
    expected: i64,
    is_replica: bool,
}

/// Asks a server what can be lost of what it acknowledges.
///
/// # Errors
///
/// [`StoreError::Unreachable`] when it cannot be asked.
pub(crate) fn risks(link: &mut Link, at: At<'_>) -> Result<Vec<Risk>, StoreError> {
    let rows = link.ask(at, &[Ask::control(FACTS)]).map_err(|trouble| at.given_up(trouble))?;
    let facts = rows.iter().flatten().next().and_then(Facts::read);
    let silent = || StoreError::Unreachable {
        place: at.place.to_owned(),
        reason: "it does not say how it keeps what it acknowledges".to_owned(),
    };
    facts.ok_or_else(silent).map(|facts| facts.risks())
}

impl Facts {
    fn read(row: &Row) -> Option<Self> {
        Some(Self {
            syncs: row.try_get(0).ok()?,
            writes_whole_pages: row.try_get(1).ok()?,
            waits_for_standbys: row.try_get(2).ok()?,
            synchronous_commit: row.try_get(3).ok()?,
            attached: row.try_get(4).ok()?,
            expected: row.try_get(5).ok()?,
            is_replica: row.try_get(6).ok()?,
        })
    }

    fn risks(&self) -> Vec<Risk> {
        let mut risks = Vec::new();
        if !self.syncs {
            let what = "fsync is off: a crash of its machine loses what it acknowledged, tickets of requests that were sent \
                among it, and may damage the rest";
            let remedy = "set fsync = on and reload the server; off is for tests";
            risks.push(Risk { code: "fsync_off", what: what.to_owned(), remedy, is_grave: true });
        }
        if !self.writes_whole_pages {
            let what = "full_page_writes is off: a crash of its machine may leave pages written in part, which cannot be repaired";
            let remedy =
                "set full_page_writes = on and reload the server, unless its file system never writes a page in part";
            risks.push(Risk { code: "full_page_writes_off", what: what.to_owned(), remedy, is_grave: true });
        }
        risks.extend(self.standbys());
        if !matches!(self.synchronous_commit.as_str(), "on" | "remote_apply") {
            let what = format!(
                "synchronous_commit is {} for this role or database: Quittance sets on for its own connections, and others \
                may lose what they write here",
                self.synchronous_commit
            );
            let remedy = "ALTER ROLE … RESET synchronous_commit, or ALTER DATABASE …";
            risks.push(Risk { code: "synchronous_commit_lowered", what, remedy, is_grave: false });
        }
        risks
    }

    fn standbys(&self) -> Option<Risk> {
        let (attached, expected) = (self.attached, self.expected);
        // A replica is read only; what follows it follows who is written to.
        if self.waits_for_standbys || self.is_replica || attached + expected == 0 {
            return None;
        }
        let what = format!(
            "standbys follow it ({attached} attached, {expected} more expected) and no commit waits for one \
            (synchronous_standby_names is empty): what a standby has not received is lost when it is promoted, and with it \
            tickets of requests that were sent"
        );
        let remedy = "set synchronous_standby_names, such as 'ANY 1 (*)', and reload the server";
        Some(Risk { code: "asynchronous_standbys", what, remedy, is_grave: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Facts {
        Facts {
            syncs: true,
            writes_whole_pages: true,
            waits_for_standbys: false,
            synchronous_commit: "on".to_owned(),
            attached: 0,
            expected: 0,
            is_replica: false,
        }
    }

    #[test]
    fn each_way_to_lose_what_was_acknowledged_has_a_word() {
        let codes = |facts: Facts| facts.risks().into_iter().map(|risk| (risk.code, risk.is_grave)).collect::<Vec<_>>();
        assert_eq!(codes(sound()), []);
        assert_eq!(codes(Facts { syncs: false, ..sound() }), [("fsync_off", true)]);
        assert_eq!(codes(Facts { writes_whole_pages: false, ..sound() }), [("full_page_writes_off", true)]);
        let asynchronous = [("asynchronous_standbys", false)];
        assert_eq!(codes(Facts { attached: 1, ..sound() }), asynchronous);
        assert_eq!(codes(Facts { expected: 1, ..sound() }), asynchronous);
        assert_eq!(codes(Facts { attached: 1, waits_for_standbys: true, ..sound() }), []);
        assert_eq!(codes(Facts { attached: 1, is_replica: true, ..sound() }), []);
        for lowered in ["off", "local", "remote_write"] {
            let facts = Facts { synchronous_commit: lowered.to_owned(), ..sound() };
            assert_eq!(codes(facts), [("synchronous_commit_lowered", false)]);
        }
        assert_eq!(codes(Facts { synchronous_commit: "remote_apply".to_owned(), ..sound() }), []);
    }
}
