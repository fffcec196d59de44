//! The writer: transactions and claims over one connection.

use crate::errors::At;
use crate::reader::{self, Statements};
use crate::rows::{self, Repeated};
use crate::sql::{self, TableSql};
use quittance_store::rounds;
use quittance_store::schema::Table;
use quittance_store::store::{
    Change, Claim, Load, Loaded, Owners, Read, Reader, Scan, Store, StoreError, TakeOver, Work,
};
use quittance_store::value::{Key, Row, Value};
use rusqlite::Connection;
use std::fs::File;
use std::path::PathBuf;

/// The one writer of a data directory; see [`crate::SqliteDatabase::open_for_writing`].
pub struct SqliteStore {
    pub(crate) connection: Connection,
    pub(crate) epoch: i64,
    directory: PathBuf,
    statements: Statements,
    last_commit: LastCommit,
    /// Held, never read; declared last, so that it is released after the connection has closed.
    _lock: File,
}

/// What is known of the last commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastCommit {
    /// It happened, or it did not.
    Settled,
    /// Reading or writing failed under it.
    Unknown,
}

impl SqliteStore {
    pub(crate) fn new(connection: Connection, lock: File, epoch: i64, directory: PathBuf) -> Self {
        let (statements, last_commit) = (Statements::new(), LastCommit::Settled);
        Self { connection, epoch, directory, statements, last_commit, _lock: lock }
    }

    /// Bounds the database file, in pages of 4 KiB, until the store is closed: what would need more fails with
    /// [`StoreError::Full`]. The file does not shrink.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when SQLite refuses.
    pub fn set_pages_max(&mut self, pages: u32) -> Result<(), StoreError> {
        let set = self.connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0));
        set.map(|_: i64| ()).map_err(|error| self.at("bounding the file").sqlite(error))
    }

    pub(crate) fn at(&self, operation: &'static str) -> At<'_> {
        At { operation, directory: &self.directory, table: None }
    }

    /// Runs `body` between BEGIN and COMMIT; whatever goes wrong, no transaction stays open.
    pub(crate) fn atomically<T>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.settle()?;
        self.begin(name)?;
        let ours = self.check_epoch(name);
        match ours.and_then(|()| body(self)).and_then(|outcome| self.commit(name).map(|()| outcome)) {
            Ok(outcome) => Ok(outcome),
            Err(error) => {
                if matches!(error, StoreError::CommitUnknown { .. }) {
                    self.last_commit = LastCommit::Unknown;
                }
                self.roll_back();
                Err(error)
            }
        }
    }

    fn begin(&self, name: &'static str) -> Result<(), StoreError> {
        // Open still only if a caller's work panicked and the panic was caught.
        self.roll_back();
        self.control("BEGIN IMMEDIATE").map_err(|error| self.at(name).sqlite(error))
    }

    /// The lock on the directory can be removed from under us; the epoch inside the data cannot.
    fn check_epoch(&self, name: &'static str) -> Result<(), StoreError> {
        let read = "SELECT epoch FROM writer WHERE singleton = 1";
        let newest: rusqlite::Result<i64> =
            self.connection.prepare_cached(read).and_then(|mut statement| statement.query_row([], |row| row.get(0)));
        match newest {
            Ok(epoch) if epoch == self.epoch => Ok(()),
            Ok(_) => Err(StoreError::Locked { path: self.directory.display().to_string() }),
            Err(error) => Err(self.at(name).sqlite(error)),
        }
    }

    fn commit(&self, name: &'static str) -> Result<(), StoreError> {
        self.control("COMMIT").map_err(|error| self.at(name).commit(error))
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // A rollback undoes in memory what never reached the log. Should it fail all the same, the next BEGIN
            // reports it, since a transaction is open.
            let _ = self.control("ROLLBACK");
        }
    }

    fn control(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Makes the outcome of a commit that failed in the middle the same for ever.
    ///
    /// The log may then end in a whole transaction that this connection does not count. It would reappear if the
    /// process died now. The next commit overwrites it, so one is made before anyone reads.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        if self.last_commit == LastCommit::Unknown {
            self.roll_back();
            let overwrite = "UPDATE writer SET commits_settled = commits_settled + 1 WHERE singleton = 1";
            self.control(overwrite).map_err(|error| self.at("settling the last commit").sqlite(error))?;
            self.last_commit = LastCommit::Settled;
        }
        Ok(())
    }

    fn fetch(&self, name: &'static str, reads: Vec<Read>, loaded: &mut Loaded) -> Result<(), StoreError> {
        let mut repeated = Repeated::new(&self.connection);
        for (_, reads) in by_table(reads, Read::table) {
            for read in reads {
                // One read may be among them twice.
                if loaded.has(&read) {
                    continue;
                }
                match read {
                    Read::Row { table, key } => {
                        let at = At { table: Some(table.name), ..self.at(name) };
                        let statement = repeated.prepare(&self.statements.of(table).get, at)?;
                        let row = rows::one(statement, table, &key, at)?;
                        loaded.put_row(table, key, row);
                    }
                    Read::Unique { table, index, values } => {
                        let row = rows::find(&self.connection, table, index, &values, self.at(name))?;
                        loaded.put_unique(table, index, values, row);
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes changes table by table, so that each statement is prepared once and each tree is at hand while it grows.
    pub(crate) fn write(&self, name: &'static str, changes: &[Change], loaded: &Loaded) -> Result<(), StoreError> {
        let mut repeated = Repeated::new(&self.connection);
        for (table, changes) in by_table(changes, |change| change.table()) {
            let at = At { table: Some(table.name), ..self.at(name) };
            let sql = self.statements.of(table);
            changes.into_iter().try_for_each(|change| write(&mut repeated, sql, change, loaded, at))?;
        }
        Ok(())
    }

    fn lease(&self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        const NAME: &str = "claiming rows";
        let sql = self.statements.of(table).queue(table);
        let lease: [Value; 2] = [claim.leased_until.into(), claim.owner.into()];
        let mut leased = Vec::new();
        for share in &claim.shares {
            let limit = i64::try_from(share.limit).unwrap_or(i64::MAX);
            // Two steps, since UPDATE … RETURNING promises no order and no longer shows since when a row was due.
            let bounds: [Value; 2] = [claim.now.into(), limit.into()];
            let asked = share.lane.iter().chain(&bounds);
            for key in rows::query(&self.connection, table, &sql.due, asked, self.at(NAME))? {
                let values = key.iter().chain(&lease);
                leased.extend(rows::query(&self.connection, table, &sql.lease, values, self.at(NAME))?);
            }
        }
        Ok(leased)
    }
}

impl Reader for SqliteStore {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.settle()?;
        // No transaction around it: nobody else writes.
        reader::get_many(&self.connection, table, self.statements.of(table), keys, self.at("reading rows"))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        scan.assert_shape();
        self.settle()?;
        rows::scan(&self.connection, scan, self.at("scanning rows"))
    }
}

impl Store for SqliteStore {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        self.atomically(name, |store| {
            let loaded = rounds::load(name, work, &mut |reads, loaded| store.fetch(name, reads, loaded))?;
            let changes = work.decide(&loaded).map_err(|reason| StoreError::Aborted { name, reason })?;
            changes.iter().for_each(Change::assert_shape);
            store.write(name, &changes, &loaded)
        })
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        claim.assert_shape(table);
        self.atomically("claiming rows", |store| store.lease(table, claim))
    }

    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError> {
        const NAME: &str = "taking over a queue";
        self.atomically(NAME, |store| {
            let sql = store.statements.of(table).queue(table);
            let TakeOver { owner, now, due_at_max } = *takeover;
            let taken = rows::execute(&store.connection, &sql.take_over, &[now, owner, due_at_max].map(Value::from));
            taken.map_err(|error| At { table: Some(table.name), ..store.at(NAME) }.sqlite(error))
        })
    }

    fn owners(&self) -> Owners {
        Owners::Exclusive
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.load_all(name, load)
    }

    fn writer_epoch(&self) -> i64 {
        self.epoch
    }
}

/// Groups what concerns tables, in the order in which the tables come first; inside a group everything keeps its order.
fn by_table<T>(all: impl IntoIterator<Item = T>, table: fn(&T) -> &'static Table) -> Vec<(&'static Table, Vec<T>)> {
    let mut groups: Vec<(&'static Table, Vec<T>)> = Vec::new();
    for one in all {
        let table = table(&one);
        match groups.iter_mut().find(|(known, _)| known.name == table.name) {
            Some((_, group)) => group.push(one),
            None => groups.push((table, vec![one])),
        }
    }
    groups
}

fn write<'a>(
    repeated: &mut Repeated<'a>,
    sql: &'a TableSql,
    change: &Change,
    loaded: &Loaded,
    at: At<'_>,
) -> Result<(), StoreError> {
    let row = change.row();
    let changed = match change {
        Change::Insert { .. } => rows::run(repeated.prepare(&sql.insert, at)?, row),
        Change::Upsert { .. } => rows::run(repeated.prepare(&sql.upsert, at)?, row),
        Change::Update { table, expected_version, .. } => {
            let expected = Value::Integer(*expected_version);
            let update = if moves(table, row, loaded) { &sql.update } else { &sql.update_in_place };
            rows::run(repeated.prepare(update, at)?, row.iter().chain([&expected]))
        }
    };
    match (change, changed.map_err(|error| at.sqlite(error))?) {
        (Change::Update { table, .. }, 0) => Err(StoreError::Stale { table: table.name }),
        _ => Ok(()),
    }
}

/// Whether the new row of a key has another place in an index than the one that was read, or nobody read one. SQLite
/// takes an entry out and puts it back wherever a statement names its columns.
fn moves(table: &'static Table, row: &Row, loaded: &Loaded) -> bool {
    let Some(Some(old)) = loaded.row(table, &table.key_of(row)) else { return true };
    sql::indexed(table).any(|at| old[at] != row[at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteDatabase;
    use quittance_store::tables::TENANTS;

    #[test]
    fn unknown_commit_is_settled_before_anything_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
        let settled = |store: &SqliteStore| -> i64 {
            store.connection.query_row("SELECT commits_settled FROM writer", [], |row| row.get(0)).unwrap()
        };
        assert_eq!(settled(&store), 0);
        store.last_commit = LastCommit::Unknown;
        store.get_many(&TENANTS, &[vec![[1].into()]]).unwrap();
        assert_eq!(settled(&store), 1);
        store.get_many(&TENANTS, &[vec![[1].into()]]).unwrap();
        assert_eq!(settled(&store), 1);
    }
}
