//! Numbered migrations, and whether a database is one of ours.
//!
//! `migrations/0001.sql` is the schema as the declarations had it at first. A change of the declarations after a
//! release is a new file here, never an edit of an old one.

use crate::errors::At;
use quittance_store::store::StoreError;
use rusqlite::{Connection, OptionalExtension};

/// All migrations; the first is version 1.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001.sql")];

/// Marks a database file as ours: "Quit" in ASCII.
const APPLICATION_ID: i64 = 0x5175_6974;

/// Tables of this crate's own, created together with the mark.
const FOUNDATION: &str = "
    CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY) STRICT;
    CREATE TABLE writer (
        singleton INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
        epoch INTEGER NOT NULL,
        commits_settled INTEGER NOT NULL
    ) STRICT;
    INSERT INTO writer (singleton, epoch, commits_settled) VALUES (1, 0, 0);
";

/// What a database file holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Nothing yet.
    Empty,
    /// Our data, under this version of the schema.
    Schema(i64),
}

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Looks at a database without changing it.
///
/// # Errors
///
/// `Corrupt` when it is another application's or no database; `NewerSchema`.
pub(crate) fn identify(connection: &Connection, at: At<'_>) -> Result<Contents, StoreError> {
    let application = pragma(connection, "application_id", at)?;
    if application == 0 && pragma(connection, "schema_version", at)? == 0 {
        return Ok(Contents::Empty);
    }
    if application != APPLICATION_ID {
        let what = format!("an SQLite database of another application (its id is {application}), not quittance data");
        return Err(at.corrupt(what));
    }
    let version = "SELECT max(version) FROM schema_version";
    let version: Option<i64> = connection.query_row(version, [], |row| row.get(0)).map_err(|e| at.sqlite(e))?;
    match version {
        None => Err(at.corrupt("no schema version is recorded".to_owned())),
        Some(found) if found > known() => Err(StoreError::NewerSchema { found, known: known() }),
        Some(found) => Ok(Contents::Schema(found)),
    }
}

/// Brings the schema up to date and raises the writer epoch, all in one transaction; returns the epoch.
///
/// # Errors
///
/// Those of [`identify`] and of writing.
pub(crate) fn prepare(connection: &mut Connection, at: At<'_>) -> Result<i64, StoreError> {
    let contents = identify(connection, at)?;
    migrate(connection, contents).map_err(|error| at.sqlite(error))?.ok_or_else(|| {
        // The foundation is written in one transaction, so only damage can take the row away.
        at.corrupt("the record of the writer epoch is missing".to_owned())
    })
}

fn migrate(connection: &mut Connection, contents: Contents) -> rusqlite::Result<Option<i64>> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let applied = match contents {
        Contents::Empty => {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.execute_batch(FOUNDATION)?;
            0
        }
        Contents::Schema(version) => version,
    };
    for (version, migration) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > applied) {
        transaction.execute_batch(migration)?;
        transaction.execute("INSERT INTO schema_version (version) VALUES (?1)", [version])?;
    }
    let raise = "UPDATE writer SET epoch = epoch + 1 WHERE singleton = 1 RETURNING epoch";
    let epoch = transaction.query_row(raise, [], |row| row.get(0)).optional()?;
    transaction.commit()?;
    Ok(epoch)
}

fn pragma(connection: &Connection, name: &str, at: At<'_>) -> Result<i64, StoreError> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|error| at.sqlite(error))
}

#[cfg(test)]
mod tests {
    use quittance_store::tables::SCHEMA_VERSION;

    #[test]
    fn the_newest_migration_has_the_number_of_the_declarations() {
        assert_eq!(super::known(), SCHEMA_VERSION);
    }
}
