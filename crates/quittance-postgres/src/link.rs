//! One connection, blocking: what is asked is sent at once, however many statements it is, and the answers are waited for
//! together. Does not know transactions.

use crate::address::Address;
use crate::errors::{At, Trouble};
use crate::tls;
use crate::values::Parameter;
use quittance_store::store::StoreError;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

/// How long it may take to connect, to all addresses of all hosts together.
const CONNECT_MAX: Duration = Duration::from_secs(60);

/// How much longer than a statement may take its answer is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Statements kept prepared; more are forgotten and prepared again.
const STATEMENTS_MAX: usize = 512;

/// Statements sent before the first answer is waited for.
const SENT_MAX: usize = 256;

/// One statement with its parameters.
pub(crate) struct Ask<'a> {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Parameter<'a>>,
    /// The table it is about, for errors.
    pub(crate) table: Option<&'static str>,
}

impl Ask<'_> {
    /// A statement without parameters that is about no table.
    pub(crate) fn control(sql: &str) -> Self {
        Self { sql: sql.to_owned(), parameters: Vec::new(), table: None }
    }
}

/// A connection.
pub(crate) struct Link {
    runtime: Runtime,
    client: Client,
    carrier: JoinHandle<()>,
    statements: HashMap<String, Statement>,
    answer_max: Duration,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreachable`] where it may pass, [`StoreError::Unsuitable`] where somebody has to act.
    pub(crate) fn connect(address: &Address, statement_timeout: Duration, at: At<'_>) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::Failed { operation: at.operation, source: Box::new(error) };
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(failed)?;
        let tls = tls::connector(&address.trust).map_err(|problem| {
            at.unsuitable(&problem, "name a file with the certificates of authorities by sslrootcert=FILE")
        })?;
        let connected = runtime.block_on(async {
            let connected = tokio::time::timeout(CONNECT_MAX, address.config.connect(tls)).await;
            // What ends it is told to whoever asks; here there is nobody to tell.
            connected.map(|it| it.map(|(client, link)| (client, tokio::spawn(async { drop(link.await) }))))
        });
        let silent =
            |_| StoreError::Unreachable { place: at.place.to_owned(), reason: "it does not answer".to_owned() };
        let (client, carrier) = connected.map_err(silent)?.map_err(|error| at.connecting(&error))?;
        let answer_max = statement_timeout + PATIENCE;
        Ok(Self { runtime, client, carrier, statements: HashMap::new(), answer_max })
    }

    /// Whether it is known to be gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Sends statements and returns the rows of each, in order. Those behind one that fails have failed with it.
    ///
    /// # Errors
    ///
    /// What the first failure means.
    pub(crate) fn ask(&mut self, at: At<'_>, asks: &[Ask<'_>]) -> Result<Vec<Vec<Row>>, Trouble> {
        self.prepare(at, asks)?;
        let mut rows = Vec::with_capacity(asks.len());
        for part in asks.chunks(SENT_MAX) {
            let (client, statements) = (&self.client, &self.statements);
            let sent = part.iter().map(|ask| {
                let parameters: Vec<&(dyn ToSql + Sync)> = ask.parameters.iter().map(Parameter::as_sql).collect();
                let statement = &statements[&ask.sql];
                async move { client.query(statement, &parameters).await }
            });
            let answers = wait(&self.runtime, self.answer_max, sent)?;
            for (ask, answer) in part.iter().zip(answers) {
                rows.push(answer.map_err(|error| at.asking(ask.table, error))?);
            }
        }
        Ok(rows)
    }

    /// Runs statements without parameters that are no part of the daily work.
    ///
    /// # Errors
    ///
    /// What the failure means.
    pub(crate) fn run(&mut self, at: At<'_>, statements: &str) -> Result<(), Trouble> {
        let run = wait(&self.runtime, self.answer_max, std::iter::once(self.client.batch_execute(statements)));
        run?.into_iter().try_for_each(|done| done.map_err(|error| at.asking(None, error)))
    }

    /// Sleeps, where what is waited for gives no sign.
    pub(crate) fn rest(duration: Duration) {
        // A condition that nobody signals: the thread has nothing else to do.
        let (_open, closed) = std::sync::mpsc::sync_channel::<()>(0);
        let _ = closed.recv_timeout(duration);
    }

    fn prepare(&mut self, at: At<'_>, asks: &[Ask<'_>]) -> Result<(), Trouble> {
        if self.statements.len() + asks.len() > STATEMENTS_MAX {
            self.statements.clear();
        }
        let mut missing: Vec<&Ask<'_>> = asks.iter().filter(|ask| !self.statements.contains_key(&ask.sql)).collect();
        missing.sort_by_key(|ask| &ask.sql);
        missing.dedup_by_key(|ask| &ask.sql);
        if missing.is_empty() {
            return Ok(());
        }
        let prepared = missing.iter().map(|ask| self.client.prepare(&ask.sql));
        let prepared = wait(&self.runtime, self.answer_max, prepared)?;
        for (ask, statement) in missing.iter().zip(prepared) {
            let statement = statement.map_err(|error| at.asking(ask.table, error))?;
            self.statements.insert(ask.sql.clone(), statement);
        }
        Ok(())
    }
}

impl Drop for Link {
    /// Lets go of the connection now, so that the server ends what it was doing.
    fn drop(&mut self) {
        self.carrier.abort();
        // It was told to stop, and says that it did.
        let _ = self.runtime.block_on(&mut self.carrier);
    }
}

/// Waits for all of some futures, each of which is begun in order before any is waited for.
fn wait<T>(
    runtime: &Runtime,
    limit: Duration,
    futures: impl Iterator<Item = impl Future<Output = Result<T, Error>>>,
) -> Result<Vec<Result<T, Error>>, Trouble> {
    let mut running: Vec<Pin<Box<_>>> = futures.map(Box::pin).collect();
    let mut answers: Vec<Option<Result<T, Error>>> = running.iter().map(|_| None).collect();
    let all = poll_fn(move |context| {
        for (future, answer) in running.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *answer = Some(ready);
            }
        }
        match answers.iter().all(Option::is_some) {
            true => Poll::Ready(std::mem::take(&mut answers).into_iter().flatten().collect()),
            false => Poll::Pending,
        }
    });
    let silent = |_| Trouble::Lost("it does not answer any more".to_owned());
    runtime.block_on(async { tokio::time::timeout(limit, all).await }).map_err(silent)
}
