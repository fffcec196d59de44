//! Numbered migrations, and whether a schema is one of ours.
//!
//! `migrations/0001.sql` is the schema as the declarations had it at first. A change of the declarations after a release is
//! a new file here, never an edit of an old one. A migration that the binaries before it can live with says so by the
//! oldest that may go on, so that processes are exchanged one after another. Those that run see it with their next
//! connection.
//!
//! A migration that alters several tables beside writers can be the victim of a deadlock, which rolls all of it back; it is
//! tried again.

use crate::errors::{At, Trouble};
use crate::link::{Ask, Link};
use quittance_store::store::StoreError;
use tokio_postgres::Row;

/// A step of the schema.
struct Migration {
    sql: &'static str,
    /// The newest version that a binary has to know to use the schema as it is then.
    usable_from: i64,
}

/// All migrations; the first is version 1.
const MIGRATIONS: &[Migration] = &[Migration { sql: include_str!("../migrations/0001.sql"), usable_from: 1 }];

/// Tables of this crate's own, created together with the schema. A schema that is there already, and empty, was made for
/// a role that may make none.
const FOUNDATION: &str = "
    DO $$ BEGIN IF to_regnamespace('quittance') IS NULL THEN CREATE SCHEMA quittance; END IF; END $$;
    CREATE TABLE quittance.schema_version (
        version bigint NOT NULL PRIMARY KEY,
        usable_from bigint NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE SEQUENCE quittance.writer_epochs AS bigint;
    CREATE TABLE quittance.writers (
        epoch bigint NOT NULL PRIMARY KEY,
        identity uuid NOT NULL,
        session bigint NOT NULL,
        commits bigint NOT NULL,
        opened_at timestamptz NOT NULL,
        committed_at timestamptz NOT NULL,
        gone_at timestamptz
    ) WITH (fillfactor = 50);
";

/// Times a migration is begun before it fails.
const TRIES_MAX: usize = 5;

/// Locks migrations against each other: "Quit" in ASCII.
const LOCK: i64 = 0x5175_6974;

/// What a database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contents {
    /// Nothing of ours, and nothing in its place.
    Empty,
    /// Our data, under this version of the schema.
    Schema(i64),
}

const RELATIONS: &str = "SELECT count(*), count(*) FILTER (WHERE relname IN ('schema_version', 'writers', 'writer_epochs')) \
    FROM pg_class WHERE relnamespace = to_regnamespace('quittance')";

const VERSION: &str = "SELECT max(version), max(usable_from) FROM quittance.schema_version";

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Looks at a database without changing it.
///
/// # Errors
///
/// [`StoreError::Unsuitable`] when the schema is somebody else's; [`StoreError::NewerSchema`].
pub(crate) fn identify(link: &mut Link, at: At<'_>) -> Result<Contents, Trouble> {
    let (all, ours): (Option<i64>, Option<i64>) = pair(&link.ask(at, &[Ask::control(RELATIONS)])?);
    match (all.unwrap_or(0), ours.unwrap_or(0)) {
        (0, _) => return Ok(Contents::Empty),
        (_, 3) => {}
        (all, _) => {
            let what = format!("its schema `quittance` has {all} tables and indexes that are not ours");
            return Err(at.unsuitable(&what, FOREIGN_REMEDY).into());
        }
    }
    let (version, usable_from): (Option<i64>, Option<i64>) = pair(&link.ask(at, &[Ask::control(VERSION)])?);
    match (version, usable_from) {
        (Some(_), Some(needed)) if needed > known() => {
            Err(StoreError::NewerSchema { found: needed, known: known() }.into())
        }
        (Some(version), _) => Ok(Contents::Schema(version)),
        (None, _) => {
            let place = format!("quittance.schema_version of the database at {}", at.place);
            Err(StoreError::Corrupt { place, what: "no schema version is recorded".to_owned() }.into())
        }
    }
}

const FOREIGN_REMEDY: &str = "name another database, or rename that schema: Quittance has one of its own";

/// Brings the schema up to date. Processes that start together do it one after another, and all but the first find it done.
///
/// # Errors
///
/// Those of [`identify`], and of writing.
pub(crate) fn prepare(link: &mut Link, at: At<'_>) -> Result<(), Trouble> {
    // Looked at first without a lock, since almost always there is nothing to do.
    if identify(link, at)? >= Contents::Schema(known()) {
        return Ok(());
    }
    for _ in 1..TRIES_MAX {
        match prepare_once(link, at) {
            Err(Trouble::Contended(error)) => {
                tracing::warn!(%error, "others were in the way of a migration; it begins anew")
            }
            done => return done,
        }
    }
    prepare_once(link, at)
}

fn prepare_once(link: &mut Link, at: At<'_>) -> Result<(), Trouble> {
    let begin = format!(
        "BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})"
    );
    let migrated = link.run(at, &begin).and_then(|()| migrate(link, at)).and_then(|()| link.run(at, "COMMIT"));
    if migrated.is_err() {
        // Where this fails the connection does not work, and the server ends the transaction with it.
        drop(link.run(at, "ROLLBACK"));
    }
    migrated
}

fn migrate(link: &mut Link, at: At<'_>) -> Result<(), Trouble> {
    let applied = match identify(link, at)? {
        Contents::Empty => {
            link.run(at, FOUNDATION)?;
            0
        }
        Contents::Schema(version) => version,
    };
    for (version, migration) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > applied) {
        link.run(at, migration.sql)?;
        let usable_from = migration.usable_from;
        let record = "INSERT INTO quittance.schema_version (version, usable_from) VALUES";
        link.run(at, &format!("{record} ({version}, {usable_from})"))?;
    }
    Ok(())
}

fn pair(answers: &[Vec<Row>]) -> (Option<i64>, Option<i64>) {
    let row = answers.first().and_then(|rows| rows.first());
    let value = |at: usize| row.and_then(|row| row.try_get::<_, Option<i64>>(at).ok().flatten());
    (value(0), value(1))
}

#[cfg(test)]
mod tests {
    use quittance_store::tables::SCHEMA_VERSION;

    #[test]
    fn the_newest_migration_has_the_number_of_the_declarations() {
        assert_eq!(super::known(), SCHEMA_VERSION);
    }
}
