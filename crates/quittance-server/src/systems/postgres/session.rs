//! One connection, and one transaction on it that sees one moment. Does not know what is asked.
//!
//! It blocks the thread that asks. Whatever fails ends the connection, so that nothing is ever read of another moment
//! unnoticed: what is asked next begins a new one. What a writer may try and see refused is in [`attempt`].

mod attempt;

use super::failure::Place;
use crate::systems::SystemError;
use futures_util::{FutureExt, Stream, StreamExt};
use quittance_connectors::sql::postgres::copy::{Lines, RowTooLong};
use quittance_connectors::sql::postgres::session::{MOMENT, Moment, VERSION_MIN, settings, write_settings};
use quittance_postgres::address::Address;
use quittance_postgres::tls;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, CopyOutStream, Error, SimpleQueryMessage};

/// A row of an answer, as text.
pub(super) type Row = Vec<Option<String>>;

/// How much longer than a statement may take we wait for its failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it may take to connect, to all addresses of all hosts together.
const CONNECT_MAX: Duration = Duration::from_secs(60);

/// What a session is limited by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How far a replica may be behind, in seconds.
    pub(super) lag_max_s: u64,
    /// How long one statement may take, in seconds.
    pub(super) statement_timeout_s: u64,
    /// Whether its transactions write; they see no one moment then.
    pub(super) writes: bool,
}

/// A connection, opened when it is needed.
pub(super) struct Session {
    system: String,
    address: Address,
    limits: Limits,
    runtime: Runtime,
    connection: Option<Connection>,
    moment: Option<Moment>,
}

/// What asks, and what carries it.
struct Connection {
    client: Client,
    carrier: JoinHandle<()>,
}

impl Session {
    /// A session that nobody has used yet.
    ///
    /// # Errors
    ///
    /// When this machine gives no more files.
    pub(super) fn new(system: &str, address: Address, limits: Limits) -> Result<Self, SystemError> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(|error| {
            SystemError::outside(format!("no connection to the system `{system}` can be prepared"), "").because(error)
        })?;
        Ok(Self { system: system.to_owned(), address, limits, runtime, connection: None, moment: None })
    }

    /// Name of the system.
    pub(super) fn system(&self) -> &str {
        &self.system
    }

    /// Whether its transactions write.
    pub(super) const fn writes(&self) -> bool {
        self.limits.writes
    }

    /// What is said of a failure.
    pub(super) fn place(&self) -> Place<'_> {
        Place { system: &self.system, address: &self.address.shown }
    }

    /// The moment of which everything is read, which begins now if none has.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, is too old, or a replica that is too far behind.
    pub(super) fn moment(&mut self) -> Result<Moment, SystemError> {
        if let Some(moment) = &self.moment {
            return Ok(moment.clone());
        }
        self.connect()?;
        let settings = if self.limits.writes { write_settings } else { settings };
        let begin = format!("{}; {MOMENT}", settings(self.limits.statement_timeout_s));
        let begun = self.ask(&begin).map_err(|error| self.beginning(error));
        let moment = begun.and_then(|rows| {
            let read = rows.first().and_then(|row| Moment::read(row));
            let moment = read.ok_or_else(|| self.place().nonsense("it does not say what it is"))?;
            self.check(&moment)?;
            Ok(moment)
        });
        self.kept(moment).inspect(|moment| self.moment = Some(moment.clone()))
    }

    /// The rows of a short answer.
    ///
    /// # Errors
    ///
    /// As [`Session::moment`], and when the statement fails.
    pub(super) fn rows(&mut self, statement: &str) -> Result<Vec<Row>, SystemError> {
        self.moment()?;
        let rows = self.ask(statement);
        self.kept(rows)
    }

    /// The rows of a query, as lines of `COPY`, one at a time and none kept. What `visit` breaks ends the moment.
    ///
    /// # Errors
    ///
    /// As [`Session::rows`], those of `visit`, and when the connection ends before the rows do.
    pub(super) fn copy(
        &mut self,
        query: &str,
        mut visit: impl FnMut(&str) -> Result<ControlFlow<()>, SystemError>,
    ) -> Result<(), SystemError> {
        self.moment()?;
        let limit = self.patience();
        let statement = format!("COPY ({query}) TO STDOUT");
        let client = &self.connection.as_ref().expect("a moment has a connection").client;
        let outcome = self.runtime.block_on(async {
            let stream = within(limit, client.copy_out(statement.as_str())).await?.map_err(Stop::Statement)?;
            drain(stream, limit, &mut visit).await
        });
        let result = match outcome {
            Ok(()) => Ok(()),
            Err(Stop::Wanted) => {
                self.end();
                Ok(())
            }
            Err(Stop::Silence) => Err(self.place().silent()),
            Err(Stop::Statement(error)) => Err(self.place().reading(error)),
            Err(Stop::Row(error)) => Err(error),
            Err(Stop::TooLong(error)) => Err(SystemError::configuration(
                format!("the system `{}`: {error}", self.system),
                "compare fewer columns",
            )),
            Err(Stop::NoText) => {
                let what = format!("the system `{}` holds what is no text in UTF-8", self.system);
                Err(SystemError::configuration(what, "compare a view that converts it, or leave the column out"))
            }
        };
        self.kept(result)
    }

    /// Ends the moment, and keeps the connection.
    ///
    /// # Errors
    ///
    /// When it cannot be reached any more.
    pub(super) fn refresh(&mut self) -> Result<(), SystemError> {
        if self.moment.take().is_some() {
            let ended = self.ask("ROLLBACK");
            self.kept(ended)?;
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), SystemError> {
        if self.connection.as_ref().is_some_and(|connection| !connection.client.is_closed()) {
            return Ok(());
        }
        self.end();
        let tls = tls::connector(&self.address.trust).map_err(|problem| {
            let what = format!("the system `{}` cannot be reached encrypted: {problem}", self.system);
            SystemError::configuration(what, "name a file with the certificates of authorities by sslrootcert=FILE")
        })?;
        let config = &self.address.config;
        let connected = self.runtime.block_on(async {
            let (client, connection) = within(CONNECT_MAX, config.connect(tls)).await?.map_err(Stop::Statement)?;
            // What ends it is told to whoever asks; here there is nobody to tell.
            Ok(Connection { client, carrier: tokio::spawn(connection.map(drop)) })
        });
        self.connection = Some(match connected {
            Ok(connection) => connection,
            Err(Stop::Statement(error)) => return Err(self.place().connecting(error)),
            Err(_) => return Err(self.place().silent()),
        });
        Ok(())
    }

    fn check(&self, moment: &Moment) -> Result<(), SystemError> {
        if moment.version < VERSION_MIN {
            let what = format!("the system `{}` is PostgreSQL {}", self.system, moment.version / 10_000);
            return Err(SystemError::outside(what, "14 is the oldest that is read"));
        }
        let limit_s = self.limits.lag_max_s;
        let lag = moment.lag_s().map_or("for it cannot tell how long".to_owned(), |lag_s| format!("{lag_s} s"));
        if moment.lag_s().is_some_and(|lag_s| lag_s <= limit_s) {
            return Ok(());
        }
        let what = format!(
            "the system `{}` at {} is a replica that is {lag} behind its primary, and lag_max_s allows {limit_s} s",
            self.system, self.address.shown
        );
        Err(SystemError::outside(what, "wait until it has caught up, raise lag_max_s, or read the primary").lagging())
    }

    fn ask(&self, statements: &str) -> Result<Vec<Row>, SystemError> {
        let connection = self.connection.as_ref().ok_or_else(|| self.place().silent())?;
        let answered = self.runtime.block_on(within(self.patience(), connection.client.simple_query(statements)));
        match answered {
            Ok(Ok(messages)) => Ok(messages.iter().filter_map(row).collect()),
            Ok(Err(error)) => Err(self.place().reading(error)),
            Err(_) => Err(self.place().silent()),
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.limits.statement_timeout_s) + PATIENCE
    }

    fn kept<T>(&mut self, result: Result<T, SystemError>) -> Result<T, SystemError> {
        result.inspect_err(|_| self.end())
    }

    /// Lets go of the connection now, not when it is next waited for: the server would go on with what it was asked.
    fn end(&mut self) {
        self.moment = None;
        if let Some(connection) = self.connection.take() {
            connection.carrier.abort();
            // It was told to stop, and says that it did.
            let _ = self.runtime.block_on(connection.carrier);
        }
    }
}

/// Why rows end before their end.
enum Stop {
    Wanted,
    Silence,
    NoText,
    TooLong(RowTooLong),
    Statement(Error),
    Row(SystemError),
}

impl From<RowTooLong> for Stop {
    fn from(error: RowTooLong) -> Self {
        Self::TooLong(error)
    }
}

async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Result<T, Stop> {
    tokio::time::timeout(limit, future).await.map_err(|_| Stop::Silence)
}

async fn drain(
    stream: CopyOutStream,
    limit: Duration,
    visit: &mut impl FnMut(&str) -> Result<ControlFlow<()>, SystemError>,
) -> Result<(), Stop> {
    let mut stream = pin!(stream);
    let mut lines = Lines::default();
    while let Some(bytes) = next(&mut stream, limit).await? {
        let bytes = bytes.map_err(Stop::Statement)?;
        lines.feed(&bytes, |line| {
            let line = std::str::from_utf8(line).map_err(|_| Stop::NoText)?;
            match visit(line).map_err(Stop::Row)? {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(Stop::Wanted),
            }
        })?;
    }
    if lines.is_whole() { Ok(()) } else { Err(Stop::Silence) }
}

/// A timer is set only where there is something to wait for.
async fn next<S: Stream + Unpin>(stream: &mut S, limit: Duration) -> Result<Option<S::Item>, Stop> {
    match stream.next().now_or_never() {
        Some(item) => Ok(item),
        None => within(limit, stream.next()).await,
    }
}

fn row(message: &SimpleQueryMessage) -> Option<Row> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
}
