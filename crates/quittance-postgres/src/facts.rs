//! What a server is, and whether it is fit; the settings of a connection. Does not own the schema.

use crate::errors::{At, POOLER, POOLER_REMEDY, Trouble};
use crate::link::{Ask, Link};
use crate::options::Options;
use quittance_store::store::StoreError;
use std::time::Duration;
use tokio_postgres::Config;

/// The oldest server that is used: 15.
const VERSION_MIN: i32 = 150_000;

/// A setting of our own that only a connection without anybody in between has.
const DIRECT: &str = "quittance.direct";

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reading; a replica will do.
    Reading,
    /// Writing.
    Writing,
}

/// Asks for what tells a pooler: the options of a connection, which poolers drop or refuse.
pub(crate) fn mark(config: &mut Config, options: &Options) {
    let given = config.get_options().map(str::to_owned).unwrap_or_default();
    config.application_name(&options.application_name).options(format!("{given} -c {DIRECT}=yes").trim_start());
}

/// What is asked of a server before anything else.
const FACTS: &str = "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), \
    current_setting('server_encoding'), coalesce(current_setting('quittance.direct', true), ''), \
    current_setting('server_version'), pg_backend_pid(), \
    (SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()), \
    pg_postmaster_start_time()::text";

/// Who serves a connection, so that it can be told to end by another one.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub(crate) pid: i32,
    pub(crate) began_at: String,
    /// Which start of which server it belongs to.
    pub(crate) server: String,
}

/// Looks whether a server is fit, and makes the settings of a connection.
///
/// # Errors
///
/// [`StoreError::Unsuitable`] with what would be right.
pub(crate) fn settle(link: &mut Link, purpose: Purpose, options: &Options, at: At<'_>) -> Result<Backend, Trouble> {
    let facts = link.ask(at, &[Ask::control(FACTS)])?;
    let Some(fact) = facts.first().and_then(|rows| rows.first()) else {
        return Err(Trouble::Lost("it does not say what it is".to_owned()));
    };
    let unread = |error: tokio_postgres::Error| at.unsuitable(&error.to_string(), "it has to be PostgreSQL itself");
    let (version, is_replica): (i32, bool) = (fact.try_get(0).map_err(unread)?, fact.try_get(1).map_err(unread)?);
    let (encoding, direct): (&str, &str) = (fact.try_get(2).map_err(unread)?, fact.try_get(3).map_err(unread)?);
    if direct != "yes" {
        return Err(at.unsuitable(POOLER, POOLER_REMEDY).into());
    }
    check(version, fact.try_get(4).map_err(unread)?, encoding, at)?;
    if is_replica && purpose == Purpose::Writing {
        let what = "it is a replica, which can only be read";
        let remedy = "name the primary; with several hosts in the address the one that can be written to is found";
        return Err(at.unsuitable(what, remedy).into());
    }
    link.run(at, &settings(purpose, options))?;
    let began_at: Option<String> = fact.try_get(6).map_err(unread)?;
    let server: Option<String> = fact.try_get(7).map_err(unread)?;
    Ok(Backend {
        pid: fact.try_get(5).map_err(unread)?,
        began_at: began_at.unwrap_or_default(),
        server: server.unwrap_or_default(),
    })
}

fn check(version: i32, shown: &str, encoding: &str, at: At<'_>) -> Result<(), StoreError> {
    if version < VERSION_MIN {
        return Err(
            at.unsuitable(&format!("it is PostgreSQL {shown}"), "15 is the oldest that is used: upgrade the server")
        );
    }
    if encoding != "UTF8" {
        let what = format!("it keeps text as {encoding}, which does not hold every letter");
        return Err(at.unsuitable(&what, "create the database with ENCODING 'UTF8' TEMPLATE template0"));
    }
    Ok(())
}

/// The settings of a connection, whatever the role or the database says otherwise.
///
/// `synchronous_commit` is never less than `on`: that is what makes an answer a promise. Statements go through an index,
/// always, and are planned once: each is written for one, and a table that was small when its plan was made may be large
/// when it is used.
fn settings(purpose: Purpose, options: &Options) -> String {
    let [lock, statement, idle] =
        [options.lock_timeout, options.statement_timeout, options.idle_timeout].map(milliseconds);
    let access = if purpose == Purpose::Reading { "on" } else { "off" };
    format!(
        "SET search_path = quittance, pg_temp;
        SELECT set_config('synchronous_commit', 'on', false)
            WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
        SET default_transaction_isolation = 'read committed';
        SET default_transaction_deferrable = off;
        SELECT set_config('default_transaction_read_only', 'on', false) WHERE '{access}'::boolean;
        SET lock_timeout = {lock};
        SET statement_timeout = {statement};
        SET idle_in_transaction_session_timeout = {idle};
        SET client_encoding = 'UTF8';
        SET bytea_output = 'hex';
        SET row_security = off;
        SET jit = off;
        SET plan_cache_mode = force_generic_plan;
        SET enable_seqscan = off;
        SET enable_bitmapscan = off;
        SET enable_hashjoin = off;
        SET enable_mergejoin = off;
        SET enable_sort = off;"
    )
}

fn milliseconds(duration: Duration) -> u128 {
    duration.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    /// Whatever the role and the database say, a connection has the settings that the store relies on.
    #[test]
    fn settings_are_ours_not_those_of_the_role() {
        let Some(server) = quittance_surroundings::Postgres::shared("quittance-postgres: settings of a connection")
        else {
            return;
        };
        let name = server.fresh_database();
        for (given, expected) in
            [("off", "on"), ("local", "on"), ("remote_write", "on"), ("remote_apply", "remote_apply")]
        {
            let database = format!("ALTER DATABASE {name} SET");
            server.sql(&name, &format!("{database} synchronous_commit = {given}; {database} search_path = public"));
            server.sql(&name, &format!("{database} default_transaction_isolation = serializable"));
            let options = Options::default();
            let mut address = Address::parse(&server.url(&name)).unwrap();
            mark(&mut address.config, &options);
            let mut link = Link::connect(&address, options.statement_timeout, AT).unwrap();
            settle(&mut link, Purpose::Writing, &options, AT).unwrap();
            let mut show = |setting: &str| {
                let rows = link.ask(AT, &[Ask::control(&format!("SELECT current_setting('{setting}')"))]).unwrap();
                rows[0][0].get::<_, String>(0)
            };
            assert_eq!(show("synchronous_commit"), expected);
            assert_eq!(show("search_path"), "quittance, pg_temp");
            assert_eq!(show("default_transaction_isolation"), "read committed");
            assert_eq!((show("lock_timeout"), show("statement_timeout")), ("5s".to_owned(), "30s".to_owned()));
            assert_eq!(show("idle_in_transaction_session_timeout"), "1min");
            assert_eq!(show("application_name"), "quittance");
        }
    }

    const AT: At<'_> = At { operation: "test", place: "h:5432/d" };

    #[test]
    fn old_servers_and_other_encodings_are_refused_by_name() {
        let said = check(140_011, "14.11", "UTF8", AT).unwrap_err().to_string();
        assert_eq!(said, "the database at h:5432/d cannot be used: it is PostgreSQL 14.11");
        let said = check(150_000, "15.0", "SQL_ASCII", AT).unwrap_err().to_string();
        assert!(said.contains("it keeps text as SQL_ASCII"), "{said}");
        check(150_000, "15.0", "UTF8", AT).unwrap();
    }
}
