//! The store's closed set of verbs, and how they fail.

mod copy;
mod error;
mod loaded;
mod lookup;

use crate::schema::{Index, Table};
use crate::value::{Key, Row, Value};
pub use copy::{Batch, Load, Snapshot};
pub use error::StoreError;
pub use loaded::Loaded;
pub use lookup::Lookup;

/// Reads; a reader sees some committed state, never a part of a transaction.
pub trait Reader: Send {
    /// Fetches rows by primary key, in the order of `keys`; none where no row has that key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError>;

    /// Fetches one page of a primary key or a declared index, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError>;
}

/// The one writer of a store (a lane, where there are several).
pub trait Store: Reader {
    /// Runs one transaction: reads what `work` names until it names nothing new, lets it decide, writes all of its
    /// changes or none. The name feeds metrics and errors. When this returns `Ok` the changes are durable.
    ///
    /// `work` may be asked more than once: every call of `decide` starts over from the rows it is given.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing was written, except under [`StoreError::CommitUnknown`], where the caller must read again
    /// before anything else.
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError>;

    /// Takes due rows of lanes of a queue: of each as many as its share allows, the oldest first, each with `due_at` set
    /// to the end of the lease, `lease_owner` to the claimer, and `lease_epoch` raised by one. Returns the rows as they
    /// are after that, share by share. A row whose lease ended is simply due again. All of it is one transaction, durable
    /// when it returns.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError>;

    /// Makes rows of a queue due at `takeover.now`, in all lanes, with nobody holding them, and returns how many:
    ///
    /// - rows that other owners hold. Only an exclusive store knows that those are dead; where others write too
    ///   ([`Owners::Shared`]), such rows stay and their leases run out.
    /// - rows due after `takeover.due_at_max`, whoever holds them or nobody: a clock that ran ahead wrote them, and must
    ///   not strand work for a year.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError>;

    /// Makes rows of all queues due at `now`, with nobody holding them, whose owners are known to be gone since they took
    /// them, and returns how many. To be called again and again where others write too ([`Owners::Shared`]); a store that
    /// cannot tell who is gone leaves their leases to run out.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    fn release_gone(&mut self, _now: i64) -> Result<usize, StoreError> {
        Ok(0)
    }

    /// Who else may write.
    fn owners(&self) -> Owners;

    /// What time it is by the clock of the database, where it has one that all who write to it share; microseconds. None
    /// where the process's own clock is the only one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be asked.
    fn time(&mut self) -> Result<Option<i64>, StoreError>;

    /// Fills an empty store: all rows and changes of `load`, or nothing. The name feeds errors. The writer epoch is raised
    /// above that of `load` with them.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotEmpty`] when any table has a row; [`StoreError::Conflict`] when a row is there twice;
    /// [`StoreError::Aborted`] with an error of `load`; others. Nothing was written, except under
    /// [`StoreError::CommitUnknown`].
    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError>;

    /// Goes on as a new writer over what is there, after [`StoreError::WentBack`]. Does nothing where that cannot be.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; it can be tried again then.
    fn begin_anew(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Number of this opening for writing: rises by one each time, so that a lease names the process that took it.
    fn writer_epoch(&self) -> i64;
}

/// Whether a store knows that nobody else writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// It is locked by its writer: leases of other owners are leases of the dead.
    Exclusive,
    /// Other processes may write too: leases run out by themselves, or end with their owner ([`Store::release_gone`]).
    Shared,
}

/// What one transaction is to do.
pub trait Work {
    /// Names rows to read, given what is loaded so far. Asked again after each round until it names nothing that is not
    /// loaded; at most [`READ_ROUNDS_MAX`] rounds.
    fn reads(&mut self, loaded: &Loaded) -> Vec<Read>;

    /// Decides over what is loaded. An empty list writes nothing.
    ///
    /// # Errors
    ///
    /// An error of the caller's own, which aborts the transaction and comes back as [`StoreError::Aborted`].
    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String>;

    /// What it would rather do about rows that another transaction holds.
    fn patience(&self) -> Patience {
        Patience::Wait
    }
}

/// What is done about rows that another transaction holds, where several run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// They are waited for.
    Wait,
    /// A book that is held, and what belongs to it, is [busy](Loaded::is_busy): nothing of it may be decided now.
    Skip,
}

/// Rounds of reading before a transaction is refused as a mistake in the source.
pub const READ_ROUNDS_MAX: usize = 6;

/// One row to read.
#[derive(Clone, Debug)]
pub enum Read {
    /// By primary key.
    Row {
        /// The table.
        table: &'static Table,
        /// Its key.
        key: Key,
    },
    /// Through a unique index.
    Unique {
        /// The table.
        table: &'static Table,
        /// One of its unique indexes.
        index: &'static Index,
        /// The index's values.
        values: Vec<Value>,
    },
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A row that must not exist yet, by key or by any unique index; else [`StoreError::Conflict`].
    Insert {
        /// The table.
        table: &'static Table,
        /// The whole row.
        row: Row,
    },
    /// A row written whatever was there.
    Upsert {
        /// The table.
        table: &'static Table,
        /// The whole row.
        row: Row,
    },
    /// A row that must exist with this value in its column `version`; else [`StoreError::Stale`]. The new row carries
    /// the next version.
    Update {
        /// The table.
        table: &'static Table,
        /// The whole new row.
        row: Row,
        /// Version of the row being replaced.
        expected_version: i64,
    },
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Table {}

/// One page of an index or a primary key.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The table.
    pub table: &'static Table,
    /// The index, or none for the primary key. The full order is the index's columns, then those of the primary key
    /// that it does not hold already ([`Table::order`]).
    pub index: Option<&'static Index>,
    /// Values the leading columns of the order must equal.
    pub prefix: Vec<Value>,
    /// Exclusive bound where the page begins, over the columns of the order that follow the prefix; may be shorter than
    /// the order, and then bounds its leading columns only. [`Scan::position_of`] makes one of the last row of a page.
    pub after: Option<Vec<Value>>,
    /// Exclusive bound where the page ends at the latest, of the same shape.
    pub until: Option<Vec<Value>>,
    /// Which way to read; backward reads from the greatest.
    pub direction: Direction,
    /// Rows at most.
    pub limit: usize,
}

impl Scan {
    /// A forward page over the primary key.
    #[must_use]
    pub fn forward(table: &'static Table, prefix: Vec<Value>, limit: usize) -> Self {
        Self { table, index: None, prefix, after: None, until: None, direction: Direction::Forward, limit }
    }
}

/// Direction of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Forward,
    /// Greatest first.
    Backward,
}

/// How rows of a queue are taken.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What is taken of which lanes; a lane is named once.
    pub shares: Vec<Share>,
    /// Rows due at this time or before; microseconds.
    pub now: i64,
    /// Who takes them: a writer epoch.
    pub owner: i64,
    /// When the lease ends; microseconds.
    pub leased_until: i64,
}

/// What is taken of one lane.
#[derive(Clone, Debug)]
pub struct Share {
    /// The values of the queue's lane columns.
    pub lane: Vec<Value>,
    /// Rows at most.
    pub limit: usize,
}

/// What a new owner of a queue takes over.
#[derive(Clone, Copy, Debug)]
pub struct TakeOver {
    /// Whose leases stay: a writer epoch.
    pub owner: i64,
    /// When the rows are due that are taken over; microseconds.
    pub now: i64,
    /// The latest time at which a row written by a right clock can be due, not before `now`; microseconds.
    pub due_at_max: i64,
}
