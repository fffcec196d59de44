//! A writer's connection: opened, found again when it was lost, and what became of a commit whose answer was lost with it.

use crate::address::Address;
use crate::errors::{At, Trouble};
use crate::facts::{self, Backend};
use crate::link::{Ask, Link};
use crate::migrations;
use crate::options::Options;
use crate::reader::Statements;
use crate::store::PURPOSE;
use crate::transaction::Transaction;
use crate::values::Parameter;
use crate::writer::{Verdict, Writer};
use quittance_store::store::StoreError;
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// One writer on one connection.
pub(crate) struct Lane {
    address: Address,
    pub(crate) place: String,
    link: Option<Link>,
    /// Who served the connection last.
    backend: Backend,
    pub(crate) writer: Writer,
    /// Whether rows of queues may name it as their owner.
    pub(crate) may_hold: bool,
    pub(crate) options: Options,
    statements: Statements,
}

impl Lane {
    /// Connects, brings the schema up to date and enrols as a new writer.
    ///
    /// # Errors
    ///
    /// As [`crate::PostgresDatabase::open_for_writing`].
    pub(crate) fn open(address: Address, options: Options, operation: &'static str) -> Result<Self, StoreError> {
        let place = address.shown.clone();
        let at = At { operation, place: &place };
        let failed = |trouble| at.given_up(trouble);
        let (mut link, backend) = connect(&address, &options, at)?;
        migrations::prepare(&mut link, at).map_err(failed)?;
        let writer = Writer::enrol(&mut link, at).map_err(failed)?;
        let (statements, may_hold) = (Statements::new(), false);
        Ok(Self { address, place, link: Some(link), backend, writer, may_hold, options, statements })
    }

    /// Sees to it that there is a connection, and that nothing is in doubt.
    ///
    /// # Errors
    ///
    /// As [`Lane::find_out`].
    pub(crate) fn settle(&mut self, operation: &'static str) -> Result<(), StoreError> {
        let is_there = self.link.as_ref().is_some_and(|link| !link.is_closed());
        if is_there && !self.writer.is_in_doubt() {
            return Ok(());
        }
        self.find_out(operation).map(drop)
    }

    /// Enrols as a new writer, under an epoch greater than `epoch`.
    ///
    /// # Errors
    ///
    /// What the failure means; the writer is the old one then.
    pub(crate) fn enrol_above(&mut self, operation: &'static str, epoch: i64) -> Result<(), StoreError> {
        const RAISE: &str = "SELECT setval('writer_epochs', greatest(nextval('writer_epochs'), $1::bigint))";
        let at = At { operation, place: &self.place };
        let lost = || StoreError::Unreachable { place: at.place.to_owned(), reason: "it was lost".to_owned() };
        let link = self.link.as_mut().ok_or_else(lost)?;
        let raise = Ask { sql: RAISE.to_owned(), parameters: vec![Parameter::Integer(epoch)], table: None };
        let enrolled = link.ask(at, &[raise]).and_then(|_| Writer::enrol(link, at));
        self.writer = enrolled.map_err(|trouble| at.given_up(trouble))?;
        Ok(())
    }

    /// Enrols as a new writer over what the database has now, after it went back.
    ///
    /// # Errors
    ///
    /// What the failure means, when the database is not found in time; the writer is the old one then.
    pub(crate) fn begin_anew(&mut self, operation: &'static str) -> Result<(), StoreError> {
        let began = now();
        loop {
            let at = At { operation, place: &self.place };
            let enrolled = connect(&self.address, &self.options, at).and_then(|(mut link, backend)| {
                let writer = Writer::enrol(&mut link, at).map_err(|trouble| at.given_up(trouble))?;
                Ok((link, backend, writer))
            });
            match enrolled {
                Ok((link, backend, writer)) => {
                    (self.link, self.backend, self.writer) = (Some(link), backend, writer);
                    return Ok(());
                }
                Err(error) if now() - began > self.options.doubt_for => return Err(error),
                Err(_) => Link::rest(PAUSE),
            }
        }
    }

    /// Runs a transaction on the connection.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreachable`] when there is no connection.
    pub(crate) fn transaction(
        &mut self,
        operation: &'static str,
        body: impl FnOnce(&mut Transaction<'_>) -> Result<(), Trouble>,
    ) -> Result<Result<(), Trouble>, StoreError> {
        let at = At { operation, place: &self.place };
        let lost = || StoreError::Unreachable { place: at.place.to_owned(), reason: "it was lost".to_owned() };
        let link = self.link.as_mut().ok_or_else(lost)?;
        Ok(body(&mut Transaction::new(link, &mut self.writer, &self.statements, at)))
    }

    /// Reads outside of a transaction, and once more where the connection was lost.
    ///
    /// # Errors
    ///
    /// As [`Lane::find_out`], and what the reading fails with.
    pub(crate) fn read<T>(
        &mut self,
        operation: &'static str,
        ask: impl Fn(&mut Link, &Statements, At<'_>) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let mut last = Trouble::Lost("it was lost".to_owned());
        for _ in 0..2 {
            self.settle(operation)?;
            let at = At { operation, place: &self.place };
            let Some(link) = self.link.as_mut() else { break };
            match ask(link, &self.statements, at) {
                Err(trouble @ Trouble::Lost(_)) => {
                    last = trouble;
                    self.link = None;
                }
                done => return done.map_err(|trouble| at.given_up(trouble)),
            }
        }
        Err(At { operation, place: &self.place }.given_up(last))
    }

    /// Connects anew and finds out whether the transaction whose answer was lost was committed; false where there was none.
    ///
    /// # Errors
    ///
    /// - [`StoreError::CommitUnknown`] when the database is not found in time, and a commit was under way;
    /// - [`StoreError::WentBack`] when what is found there has less than was acknowledged;
    /// - [`StoreError::NewerSchema`] when a newer version has migrated meanwhile, and this one may go on no longer;
    /// - what connecting fails with, when nothing was under way.
    pub(crate) fn find_out(&mut self, operation: &'static str) -> Result<bool, StoreError> {
        self.link = None;
        let limit = if self.writer.is_in_doubt() { self.options.doubt_for } else { self.options.reconnect_for };
        let began = now();
        loop {
            let error = match self.resume(operation) {
                Ok(verdict) => return Ok(verdict == Verdict::Committed),
                Err(error @ (StoreError::WentBack { .. } | StoreError::NewerSchema { .. })) => return Err(error),
                Err(error) => error,
            };
            if now() - began > limit {
                tracing::error!(operation, %error, "the database was not found again");
                let is_in_doubt = self.writer.is_in_doubt();
                return Err(if is_in_doubt { StoreError::CommitUnknown { name: operation } } else { error });
            }
            Link::rest(PAUSE);
        }
    }

    fn resume(&mut self, operation: &'static str) -> Result<Verdict, StoreError> {
        let at = At { operation, place: &self.place };
        let (mut link, backend) = connect(&self.address, &self.options, at)?;
        // Meanwhile a newer version may have brought the schema to where this one must not write any more.
        migrations::identify(&mut link, at).map_err(|trouble| at.given_up(trouble))?;
        // The server may not have noticed yet that nobody is there any more, and would keep the locks.
        end(&mut link, &self.backend, at).map_err(|trouble| at.given_up(trouble))?;
        let verdict = self.writer.resume(&mut link, at).map_err(|trouble| at.given_up(trouble))?;
        if backend.server != self.backend.server {
            tracing::warn!(operation, "another server was found, or the same started anew");
            Link::rest(self.options.regroup_for);
        }
        (self.link, self.backend) = (Some(link), backend);
        Ok(verdict)
    }
}

impl Drop for Lane {
    /// A writer that is in no doubt and holds nothing leaves no row. Where that fails the row stays, as that of one that was
    /// killed does.
    fn drop(&mut self) {
        let (at, retire) = (At { operation: "closing the database", place: &self.place }, self.writer.retire());
        if let Some(link) = self.link.as_mut().filter(|link| !link.is_closed())
            && !self.writer.is_in_doubt()
            && !self.may_hold
        {
            drop(link.ask(at, &[retire]));
        }
    }
}

fn connect(address: &Address, options: &Options, at: At<'_>) -> Result<(Link, Backend), StoreError> {
    let mut link = Link::connect(address, options.statement_timeout, at)?;
    let backend = facts::settle(&mut link, PURPOSE, options, at).map_err(|trouble| at.given_up(trouble))?;
    Ok((link, backend))
}

/// Ends whoever served a connection that was lost, if that is still there, and waits a moment until it is gone and its locks
/// with it.
fn end(link: &mut Link, backend: &Backend, at: At<'_>) -> Result<(), Trouble> {
    const END: &str = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity \
        WHERE pid = $1::bigint AND backend_start::text = $2 AND pid <> pg_backend_pid()";
    let parameters = vec![Parameter::Integer(backend.pid.into()), Parameter::Text(Cow::Borrowed(&backend.began_at))];
    link.ask(at, &[Ask { sql: END.to_owned(), parameters, table: None }]).map(drop)
}

#[expect(
    clippy::disallowed_methods,
    reason = "spans are measured: how long a database is sought, or a writer away; nothing is dated by it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
