//! Statements that may be refused without the end of the transaction, and the end of one that wrote.

use super::{Row, Session, row, within};
use crate::systems::SystemError;
use crate::systems::postgres::failure::is_goodbye;
use std::error::Error as _;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

impl Session {
    /// The rows of statements, or why the database refuses one of them: the connection is kept then.
    ///
    /// # Errors
    ///
    /// As [`Session::moment`], and when the connection ends before the answer.
    pub(in crate::systems::postgres) fn attempt(
        &mut self,
        statements: &str,
    ) -> Result<Result<Vec<Row>, Box<DbError>>, SystemError> {
        self.moment()?;
        let client = &self.connection.as_ref().ok_or_else(|| self.place().silent())?.client;
        let answered = self.runtime.block_on(within(self.patience(), client.simple_query(statements)));
        let answered = match answered {
            Ok(Ok(messages)) => Ok(Ok(messages.iter().filter_map(row).collect())),
            Ok(Err(error)) => match error.as_db_error().filter(|refusal| !is_goodbye(refusal.code())) {
                Some(refusal) => Ok(Err(Box::new(refusal.clone()))),
                None => Err(self.place().reading(error)),
            },
            Err(_) => Err(self.place().silent()),
        };
        self.kept(answered)
    }

    /// Why a transaction cannot begin: one that writes does not, where nobody can.
    pub(super) fn beginning(&self, error: SystemError) -> SystemError {
        let code = error.source().and_then(|source| source.downcast_ref::<Error>()?.code());
        if !self.limits.writes || code != Some(&SqlState::FEATURE_NOT_SUPPORTED) {
            return error;
        }
        let what = format!("the system `{}` at {} is a replica, which nobody writes", self.system, self.address.shown);
        SystemError::configuration(what, "name the primary in write_url").because(error)
    }

    /// Commits what was written. Where it is refused, nothing of it was.
    ///
    /// # Errors
    ///
    /// When the connection ends before the answer: nobody knows then.
    pub(in crate::systems::postgres) fn commit(&mut self) -> Result<Result<(), Box<DbError>>, SystemError> {
        let committed = self.attempt("COMMIT")?;
        self.moment = None;
        Ok(committed.map(drop))
    }
}
