//! Filling an empty database in one transaction.
//!
//! With a rollback journal and not with the log: pages that were not there before need no copy to be taken back, so
//! they go straight into the file, and what is loaded is written once however much it is. Where somebody reads meanwhile,
//! the log has to stay; the load is the same, and takes several times its size on the disk until it is folded in.

use crate::database::BUSY_TIMEOUT;
use crate::rows;
use crate::store::SqliteStore;
use quittance_store::store::{Change, Load, Loaded, StoreError};
use quittance_store::tables;
use std::time::Duration;

impl SqliteStore {
    pub(crate) fn load_all(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        // Before anything is touched, and again inside.
        self.check_empty(name)?;
        self.settle()?;
        // Refused where somebody reads, at once: there is nothing to wait for.
        let _ = self.set_journal_mode("DELETE", Duration::ZERO);
        let loaded = self.atomically(name, |store| store.fill(name, load));
        // What is committed stays committed, and the next opening for writing sets this again: no failure of the load.
        let _ = self.set_journal_mode("WAL", BUSY_TIMEOUT);
        self.epoch = loaded?;
        Ok(())
    }

    fn fill(&mut self, name: &'static str, load: &mut dyn Load) -> Result<i64, StoreError> {
        self.check_empty(name)?;
        let aborted = |reason| StoreError::Aborted { name, reason };
        while let Some(batch) = load.next().map_err(aborted)? {
            let insert = |row| Change::Insert { table: batch.table, row };
            let changes: Vec<Change> = batch.rows.into_iter().map(insert).collect();
            changes.iter().for_each(Change::assert_shape);
            self.write(name, &changes, &Loaded::default())?;
        }
        let changes = load.conclude(self).map_err(aborted)?;
        changes.iter().for_each(Change::assert_shape);
        self.write(name, &changes, &Loaded::default())?;
        let raise = "UPDATE writer SET epoch = max(epoch, ?1) + 1 WHERE singleton = 1 RETURNING epoch";
        let raised = self.connection.query_row(raise, [load.writer_epoch()], |row| row.get(0));
        raised.map_err(|error| self.at(name).sqlite(error))
    }

    fn check_empty(&self, name: &'static str) -> Result<(), StoreError> {
        for table in tables::ALL {
            let any = format!("SELECT * FROM {} LIMIT 1", table.name);
            if !rows::query(&self.connection, table, &any, [], self.at(name))?.is_empty() {
                return Err(StoreError::NotEmpty { place: self.at(name).path(), table: table.name });
            }
        }
        Ok(())
    }

    fn set_journal_mode(&self, mode: &str, patience: Duration) -> rusqlite::Result<()> {
        self.connection.busy_timeout(patience)?;
        let set = self.connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()));
        self.connection.busy_timeout(BUSY_TIMEOUT)?;
        set
    }
}
