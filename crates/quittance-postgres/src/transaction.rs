//! One transaction on one connection: begun with its first statement, committed with its last ones, rolled back whatever
//! else happens. Does not know what is read or written.

use crate::errors::{At, Trouble};
use crate::link::{Ask, Link};
use crate::reader::Statements;
use crate::values;
use crate::writer::Writer;
use quittance_store::schema::Table;
use quittance_store::store::StoreError;
use quittance_store::value::{Key, Row, Value};
use std::collections::BTreeMap;

/// A transaction. What it has not committed is undone when it is dropped, also by a panic of whoever decides.
pub(crate) struct Transaction<'a> {
    link: &'a mut Link,
    writer: &'a mut Writer,
    pub(crate) statements: &'a Statements,
    pub(crate) at: At<'a>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    /// The commit is out, and its answer is not here.
    Committing,
    Ended,
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

impl<'a> Transaction<'a> {
    pub(crate) fn new(link: &'a mut Link, writer: &'a mut Writer, statements: &'a Statements, at: At<'a>) -> Self {
        Self { link, writer, statements, at, state: State::New }
    }

    /// Sends statements and returns the rows of each.
    ///
    /// # Errors
    ///
    /// What the first failure means; the transaction can only be dropped then.
    pub(crate) fn ask(&mut self, mut asks: Vec<Ask<'_>>) -> Result<Vec<Vec<tokio_postgres::Row>>, Trouble> {
        let is_first = self.state == State::New;
        if is_first {
            asks.insert(0, Ask::control(BEGIN));
        }
        self.state = State::Open;
        let mut rows = self.link.ask(self.at, &asks).inspect_err(|trouble| {
            // There is nobody left to be told.
            if matches!(trouble, Trouble::Lost(_)) {
                self.state = State::Ended;
            }
        })?;
        if is_first {
            rows.remove(0);
        }
        Ok(rows)
    }

    /// Writes, counts the transaction and commits it, all in one journey.
    ///
    /// # Errors
    ///
    /// What the first failure means: nothing was committed then, except perhaps under [`Trouble::Lost`].
    pub(crate) fn commit(&mut self, mut asks: Vec<Ask<'_>>) -> Result<(), Trouble> {
        if self.state == State::New {
            asks.insert(0, Ask::control(BEGIN));
        }
        asks.push(self.writer.count());
        asks.push(Ask::control("COMMIT"));
        self.state = State::Committing;
        let outcome = self.link.ask(self.at, &asks);
        match &outcome {
            Ok(_) => {
                self.state = State::Ended;
                self.writer.committed();
            }
            Err(Trouble::Lost(_)) => {}
            // One statement failed, so the commit behind it has undone everything.
            Err(_) => self.state = State::Open,
        }
        outcome.map(drop)
    }

    /// Reads what it has written so far.
    ///
    /// # Errors
    ///
    /// What the failure means; the transaction can only be dropped then.
    pub(crate) fn read<T>(
        &mut self,
        ask: impl FnOnce(&mut Link, &Statements, At<'_>) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        ask(self.link, self.statements, self.at).map_err(|trouble| self.at.given_up(trouble))
    }

    /// Ends a transaction that changed nothing.
    ///
    /// # Errors
    ///
    /// What the failure means.
    pub(crate) fn end(&mut self) -> Result<(), Trouble> {
        let is_open = std::mem::replace(&mut self.state, State::Ended) == State::Open;
        if is_open {
            self.link.ask(self.at, &[Ask::control("COMMIT")])?;
        }
        Ok(())
    }

    /// Rows by key through one of a table's statements that look keys up; those that are not there are left out.
    ///
    /// # Errors
    ///
    /// What the failure means.
    pub(crate) fn rows_of(
        &mut self,
        wanted: &[(&'static Table, String, &[Key])],
    ) -> Result<Vec<BTreeMap<Key, Row>>, Trouble> {
        let asks = wanted.iter().map(|(table, sql, keys)| {
            let keys: Vec<&[Value]> = keys.iter().map(Vec::as_slice).collect();
            let parameters = values::columns(table, 0..table.key_columns, &keys);
            Ask { sql: sql.clone(), parameters, table: Some(table.name) }
        });
        let found = self.ask(asks.collect())?;
        let decoded = wanted.iter().zip(found).map(|((table, _, _), rows)| {
            let decode = |row: &tokio_postgres::Row| decoded(table, row, 1, self.at);
            rows.iter().map(|row| decode(row).map(|row| (table.key_of(&row), row))).collect()
        });
        decoded.collect::<Result<_, StoreError>>().map_err(Trouble::Final)
    }
}

/// Reads a row whose columns begin at `first`.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when a column is of another kind than declared.
pub(crate) fn decoded(
    table: &'static Table,
    row: &tokio_postgres::Row,
    first: usize,
    at: At<'_>,
) -> Result<Row, StoreError> {
    let corrupt = |what| StoreError::Corrupt { place: format!("{} of the database at {}", table.name, at.place), what };
    values::decode(table, row, first).map_err(corrupt)
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        match self.state {
            State::New | State::Ended => {}
            State::Committing => self.writer.doubt(),
            // Where this fails the connection does not work, and the server ends the transaction with it.
            State::Open => drop(self.link.run(self.at, "ROLLBACK")),
        }
    }
}
