//! What rows, keys, changes and scans must look like. Every store asks here, so that all of them refuse the same
//! mistakes in the same words.
//!
//! A wrong shape is a mistake in the source, never in data, and therefore panics.

use crate::schema::{Column, Index, Kind, Nullability, Queue, Rows, Table, Uniqueness};
use crate::store::{Change, Claim, Read, Scan, Share};
use crate::value::{Key, Row, Value};

/// The column that [`Change::Update`] compares and claims raise.
pub const VERSION: &str = "version";
/// The column that says when a row of a queue is due.
pub const DUE_AT: &str = "due_at";
/// The column that says which writer epoch holds a row of a queue; 0 for none.
pub const LEASE_OWNER: &str = "lease_owner";
/// The column that counts the leases of a row of a queue.
pub const LEASE_EPOCH: &str = "lease_epoch";

impl Table {
    /// Positions of the columns that order an index (or the primary key, without one): the index's columns, then those
    /// of the primary key that the index does not hold already.
    #[must_use]
    pub fn order(&self, index: Option<&Index>) -> Vec<usize> {
        let indexed = index.map_or(&[][..], |index| index.columns);
        let mut order: Vec<usize> = indexed.iter().map(|column| self.position(column)).collect();
        for key_column in 0..self.key_columns {
            if !order.contains(&key_column) {
                order.push(key_column);
            }
        }
        order
    }

    /// Whether each of its rows belongs to a book, whose key its own begins with: such rows are written under the book's lock.
    #[must_use]
    pub fn belongs_to_book(&self) -> bool {
        self.columns[0].name == "book"
    }

    /// The columns whose values name a lane of a queue.
    ///
    /// # Panics
    ///
    /// When the table is not a queue.
    #[must_use]
    pub fn lane(&self) -> &'static [&'static str] {
        match self.queue {
            Queue::Claimed { lane } => lane,
            Queue::No => panic!("table {} is not declared as a queue", self.name),
        }
    }

    /// The index through which rows of a queue are claimed: the first over its lane and then `due_at`.
    ///
    /// # Panics
    ///
    /// When the table is not a queue or declares no such index.
    #[must_use]
    pub fn due_index(&self) -> &'static Index {
        let columns = [self.lane(), &[DUE_AT]].concat();
        self.indexes
            .iter()
            .find(|index| index.columns == columns)
            .unwrap_or_else(|| panic!("queue {} declares no index over {columns:?}", self.name))
    }

    /// Checks that a row has a value of the right kind in every column.
    ///
    /// # Panics
    ///
    /// When it has not.
    pub fn assert_row(&self, row: &Row) {
        let (columns, values) = (self.columns.len(), row.len());
        assert!(columns == values, "table {} has {columns} columns, the row {values} values", self.name);
        for (position, value) in row.iter().enumerate() {
            self.assert_value(position, value);
        }
    }

    /// Checks that a key has a value of the right kind for every column of the primary key.
    ///
    /// # Panics
    ///
    /// When it has not.
    pub fn assert_key(&self, key: &Key) {
        let (columns, values) = (self.key_columns, key.len());
        assert!(columns == values, "the key of {} has {columns} columns, not {values}", self.name);
        self.assert_values(0..columns, key);
    }

    fn assert_values(&self, positions: impl IntoIterator<Item = usize>, values: &[Value]) {
        for (position, value) in positions.into_iter().zip(values) {
            assert!(*value != Value::Null, "{}.{} is compared with null", self.name, self.columns[position].name);
            self.assert_value(position, value);
        }
    }

    fn assert_value(&self, position: usize, value: &Value) {
        let column = &self.columns[position];
        assert!(
            column.can_hold(value),
            "{}.{} is declared {:?} {:?} and cannot hold {value:?}",
            self.name,
            column.name,
            column.nullability,
            column.kind
        );
    }
}

impl Column {
    /// Whether a value may stand in it.
    #[must_use]
    pub const fn can_hold(&self, value: &Value) -> bool {
        match value {
            Value::Null => matches!(self.nullability, Nullability::Optional),
            Value::Integer(_) => matches!(self.kind, Kind::Integer),
            Value::Text(_) => matches!(self.kind, Kind::Text),
            Value::Bytes(_) => matches!(self.kind, Kind::Bytes),
        }
    }
}

impl Read {
    /// The table it reads.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        match self {
            Self::Row { table, .. } | Self::Unique { table, .. } => table,
        }
    }

    /// Checks the key or the values of a unique index against the declaration.
    ///
    /// # Panics
    ///
    /// When they do not fit, or the index is no constraint.
    pub fn assert_shape(&self) {
        match self {
            Self::Row { table, key } => table.assert_key(key),
            Self::Unique { table, index, values } => {
                assert!(index.uniqueness == Uniqueness::Unique, "index {} is not unique", index.name);
                let (columns, count) = (index.columns.len(), values.len());
                assert!(columns == count, "index {} has {columns} columns, not {count}", index.name);
                table.assert_values(table.order(Some(index)), values);
            }
        }
    }
}

impl Change {
    /// The table it writes to.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        match self {
            Self::Insert { table, .. } | Self::Upsert { table, .. } | Self::Update { table, .. } => table,
        }
    }

    /// The row it writes.
    #[must_use]
    pub fn row(&self) -> &Row {
        match self {
            Self::Insert { row, .. } | Self::Upsert { row, .. } | Self::Update { row, .. } => row,
        }
    }

    /// Checks the row and the verb against the declaration, and that an update raises the version.
    ///
    /// # Panics
    ///
    /// When it does not fit.
    pub fn assert_shape(&self) {
        let table = self.table();
        table.assert_row(self.row());
        let is_allowed = match self {
            Self::Insert { .. } => true,
            // The same row, sealed anew.
            Self::Upsert { .. } => table.rows != Rows::Fixed || table.sealed().next().is_some(),
            Self::Update { .. } => matches!(table.rows, Rows::Versioned | Rows::Glanced),
        };
        assert!(is_allowed, "rows of {} are declared {:?}, and one is to be written over", table.name, table.rows);
        if let Self::Update { row, expected_version, .. } = self {
            let version = &row[table.position(VERSION)];
            assert!(
                *version > Value::Integer(*expected_version),
                "an update of {} leaves version {expected_version} at {version:?}",
                table.name
            );
        }
    }
}

impl Claim {
    /// Checks the lanes against the declaration.
    ///
    /// # Panics
    ///
    /// When the table is not a queue, or a lane is of another shape than its columns.
    pub fn assert_shape(&self, table: &Table) {
        let columns = table.lane();
        for Share { lane, .. } in &self.shares {
            let (wanted, count) = (columns.len(), lane.len());
            assert!(wanted == count, "a lane of {} has {wanted} columns, not {count}", table.name);
            table.assert_values(columns.iter().map(|column| table.position(column)), lane);
        }
    }
}

impl Scan {
    /// The values of a row that, as [`Scan::after`], continue behind it: those of the order that follow the prefix.
    #[must_use]
    pub fn position_of(&self, row: &Row) -> Vec<Value> {
        let order = self.table.order(self.index);
        order[self.prefix.len()..].iter().map(|&position| row[position].clone()).collect()
    }

    /// Checks prefix and bounds against the declaration.
    ///
    /// # Panics
    ///
    /// When they do not fit the order, or a bound is empty.
    pub fn assert_shape(&self) {
        let order = self.table.order(self.index);
        let place = self.index.map_or(self.table.name, |index| index.name);
        let (columns, fixed) = (order.len(), self.prefix.len());
        assert!(fixed <= columns, "a prefix of {fixed} values for the {columns} columns that order {place}");
        self.table.assert_values(order.iter().copied(), &self.prefix);
        for bound in [&self.after, &self.until].into_iter().flatten() {
            let (left, count) = (columns - fixed, bound.len());
            assert!((1..=left).contains(&count), "a bound of {count} values for the {left} columns left in {place}");
            self.table.assert_values(order[fixed..].iter().copied(), bound);
        }
    }
}
