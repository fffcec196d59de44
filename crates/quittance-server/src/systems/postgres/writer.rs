//! Changing records of a PostgreSQL database: all of one call in one transaction, and read back after its end. Does not
//! own statements, nor what their answers mean: those are in the connectors.

mod batch;
mod faults;
mod target;
mod together;

use super::address;
use super::failure::Verdict;
use super::session::{Limits, Session};
use super::tables::{Tables, reader};
use crate::config::{Secret, Triggers};
use crate::systems::SystemError;
use crate::systems::write::{
    Fault, Narrow, Stand, Together, Veto, WRITES_MAX, Write, WriteOptions, Writer, Written, after, key, stand, vetoed,
};
use batch::{Batch, Outcome};
use quittance_connectors::sql::postgres::catalog::Table;
use quittance_connectors::sql::postgres::session::SKIP_TRIGGERS;
use quittance_connectors::sql::postgres::write::{Target, Update};
use quittance_connectors::sql::postgres::{Reader, lookup};
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use tokio_postgres::error::{DbError, SqlState};

/// How often a transaction begins again that was in another's way.
const TRIES_MAX: usize = 5;

/// A PostgreSQL database whose records are changed. It is reached when it is first needed, by an address of its own.
pub struct PostgresWriter {
    session: Session,
    tables: Tables,
    targets: BTreeMap<String, Target>,
    options: WriteOptions,
    veto: Option<Veto>,
}

/// Why a transaction did not come to its end.
enum Failure {
    /// Nothing was written, and nothing will be.
    System(SystemError),
    /// It was in another's way, nothing was written, and it may begin again.
    Conflict(SystemError),
    /// The connection ended while it was being committed.
    Unknown(SystemError),
}

impl From<SystemError> for Failure {
    fn from(error: SystemError) -> Self {
        Self::System(error)
    }
}

/// What one call is about.
struct Job<'a> {
    table: Table,
    target: Target,
    reader: Reader,
    narrow: Narrow,
    side: &'a Side,
    writes: &'a [Write],
    /// The identities of the writes as they are read; none for what no record has.
    keys: Vec<Option<Vec<u8>>>,
}

type Row = Vec<Value<'static>>;

impl PostgresWriter {
    /// A writer of a database under the name of its system, at `postgres://user:password@host/database`. One statement
    /// may take `statement_timeout_s` seconds.
    ///
    /// # Errors
    ///
    /// When the address cannot be read. It is not repeated.
    pub fn new(
        system: &str,
        url: &Secret,
        statement_timeout_s: u64,
        options: WriteOptions,
    ) -> Result<Self, SystemError> {
        let limits = Limits { lag_max_s: 0, statement_timeout_s, writes: true };
        let session = Session::new(system, address(system, url)?, limits)?;
        Ok(Self { session, tables: Tables::default(), targets: BTreeMap::new(), options, veto: None })
    }

    fn job<'a>(&mut self, object: &str, side: &'a Side, writes: &'a [Write]) -> Result<Job<'a>, SystemError> {
        let narrow = Narrow::new(self.session.system(), object, side, writes)?;
        let role = self.session.moment()?.role;
        let table = self.tables.described(&mut self.session, object)?.clone();
        let reader = reader(self.session.system(), &role, object, &table, &narrow.side)?;
        if !self.targets.contains_key(object) {
            self.targets.insert(object.to_owned(), target::target(&mut self.session, &table)?);
        }
        let target = self.targets[object].clone();
        let asked =
            target::Asked { system: self.session.system(), role: &role, object, table: &table, target: &target };
        asked.check(side, writes, self.options.updated_at.as_deref())?;
        let keys = writes.iter().map(|write| identity(&table, side, write)).collect();
        Ok(Job { table, target, reader, narrow, side, writes, keys })
    }

    /// One transaction, from its beginning to its commit.
    fn transaction(&mut self, job: &Job<'_>) -> Result<Vec<Outcome>, Failure> {
        self.begin()?;
        let outcomes = self.applied(job)?;
        vetoed(self.session.system(), self.veto.as_ref())?;
        match self.session.commit() {
            Ok(Ok(())) => Ok(outcomes),
            Ok(Err(refusal)) => Err(refused(&self.session, &refusal)),
            Err(error) => Err(Failure::Unknown(error)),
        }
    }

    fn begin(&mut self) -> Result<(), SystemError> {
        self.session.moment()?;
        if self.options.triggers == Triggers::Skip {
            self.session.attempt(SKIP_TRIGGERS)?.map_err(|refusal| self.no_skipping(&refusal))?;
        }
        Ok(())
    }

    /// Changes the records of a call within its transaction.
    fn applied(&mut self, job: &Job<'_>) -> Result<Vec<Outcome>, Failure> {
        let mut batch = Batch { session: &mut self.session, job, outcomes: vec![Outcome::Open; job.writes.len()] };
        for ((expected, set), members) in &groups(job.writes) {
            let touched = self.options.updated_at.as_deref();
            let update = Update::new((&job.table, &job.target), job.side, expected, set, touched);
            let update = update.ok_or_else(|| batch.session.place().nonsense("its columns changed meanwhile"))?;
            batch.group(&update, members)?;
        }
        Ok(batch.outcomes)
    }

    /// Tries until nobody is in the way.
    fn committed(&mut self, job: &Job<'_>) -> Result<Vec<Outcome>, Failure> {
        let mut tries = 1;
        loop {
            match self.transaction(job) {
                Err(Failure::Conflict(_)) if tries < TRIES_MAX => tries += 1,
                outcome => return outcome,
            }
            self.session.refresh()?;
        }
    }

    /// Reads what the records hold that were written.
    fn watched(&mut self, job: &Job<'_>, outcomes: &[Outcome]) -> Result<Vec<Written>, SystemError> {
        let written = self.read_back(job, outcomes)?;
        self.session.refresh()?;
        Ok(written)
    }

    /// The same, in whatever transaction it is.
    fn read_back(&mut self, job: &Job<'_>, outcomes: &[Outcome]) -> Result<Vec<Written>, SystemError> {
        let applied = |at: &usize| matches!(outcomes[*at], Outcome::Applied);
        let applied: Vec<usize> = (0..outcomes.len()).filter(applied).collect();
        let rows = if applied.is_empty() { BTreeMap::new() } else { rows(&mut self.session, job, &applied)? };
        let written = outcomes.iter().enumerate().map(|(at, outcome)| match outcome {
            Outcome::Said(written) => written.clone(),
            Outcome::Applied | Outcome::Open => {
                let row = job.keys[at].as_ref().and_then(|key| rows.get(key)?.first());
                after(&job.writes[at], row.map(Vec::as_slice), &job.narrow)
            }
        });
        Ok(written.collect())
    }

    /// How the records stand, in whatever transaction it is.
    fn stands(&mut self, job: &Job<'_>) -> Result<Vec<Stand>, SystemError> {
        let all: Vec<usize> = (0..job.writes.len()).collect();
        let found = rows(&mut self.session, job, &all)?;
        let of = |at: &usize| job.keys[*at].as_ref().and_then(|key| found.get(key)).map_or(&[][..], Vec::as_slice);
        Ok(all.iter().map(|at| stand(&job.writes[*at], of(at), &job.narrow)).collect())
    }

    /// Locks the records until the end of the transaction, as far as nobody holds them; those that somebody does.
    fn held(&mut self, job: &Job<'_>) -> Result<Vec<usize>, SystemError> {
        let update = Update::new((&job.table, &job.target), job.side, &[], &[], None);
        let update = update.ok_or_else(|| self.session.place().nonsense("its columns changed meanwhile"))?;
        let mut batch = Batch { session: &mut self.session, job, outcomes: vec![Outcome::Open; job.writes.len()] };
        batch.held(&update).map_err(|failure| match failure {
            Failure::System(error) | Failure::Conflict(error) | Failure::Unknown(error) => error,
        })
    }

    fn no_skipping(&self, refusal: &DbError) -> SystemError {
        let what =
            format!("the system `{}` does not let triggers be skipped: {}", self.session.system(), refusal.message());
        let remedy = "write triggers = \"fire\", or let the role: GRANT SET ON PARAMETER session_replication_role TO …";
        SystemError::configuration(what, remedy)
    }
}

impl Writer for PostgresWriter {
    fn stand(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} records at once, at most {WRITES_MAX}", writes.len());
        let job = self.job(object, side, writes)?;
        let stands = self.stands(&job)?;
        self.session.refresh()?;
        Ok(stands)
    }

    fn stand_still(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Option<Stand>>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} records at once, at most {WRITES_MAX}", writes.len());
        let job = self.job(object, side, writes)?;
        let held = self.held(&job)?;
        // What was committed before the locks were had is seen.
        let stands = self.stands(&job)?;
        self.session.refresh()?;
        let of = |(at, stand)| (!held.contains(&at) || stand == Stand::Gone).then_some(stand);
        Ok(stands.into_iter().enumerate().map(of).collect())
    }

    fn ask_before_commit(&mut self, veto: Veto) {
        self.veto = Some(veto);
    }

    fn write(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} writes at once, at most {WRITES_MAX}", writes.len());
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let job = self.job(object, side, writes)?;
        let first = self.committed(&job);
        let is_again = matches!(first, Err(Failure::Unknown(_)));
        let outcome = match first {
            // What was written is found out by doing it again: it holds what it was to hold, or what it held. Where that
            // fails, it is known no better; and perhaps it is the lost transaction that holds records, and it may come to
            // its end yet.
            Err(Failure::Unknown(error)) => match self.committed(&job) {
                Ok(outcomes) if !outcomes.iter().any(Outcome::is_held) => Ok(outcomes),
                _ => Err(Failure::Unknown(error)),
            },
            outcome => outcome,
        };
        let outcomes = outcome.map_err(|failure| {
            // What is left of it is taken back; where that fails, the end of the connection did.
            let _ = self.session.refresh();
            match failure {
                Failure::System(error) | Failure::Conflict(error) => error,
                Failure::Unknown(error) => self.unknown(error),
            }
        })?;
        let watched = self.watched(&job, &outcomes);
        // What was so already when it was done again was done by the first time.
        // And what holds something else then may have been written by the first, and changed since.
        let done = |written| match written {
            Written::Already if is_again => Written::Done,
            Written::Moved { now } if is_again => Written::Perhaps { now },
            written => written,
        };
        let watched = watched.or_else(|_| self.watched(&job, &outcomes));
        watched.map(|written| written.into_iter().map(done).collect()).map_err(|error| {
            let what =
                format!("what was written to the system `{}` cannot be read back: {error}", self.session.system());
            SystemError::outside(what, "do the same again, which finds out").because(error)
        })
    }

    fn write_all(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Together, SystemError> {
        self.together(object, side, writes)
    }

    fn faults(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Option<Fault>>, SystemError> {
        self.find_faults(object, side, writes)
    }
}

impl PostgresWriter {
    fn unknown(&self, error: SystemError) -> SystemError {
        let what = format!("whether the system `{}` was written is not known: {error}", self.session.system());
        SystemError::outside(what, "do the same again, which finds out").because(error)
    }
}

/// Writes that expect and set the same columns.
fn groups(writes: &[Write]) -> BTreeMap<(Vec<usize>, Vec<usize>), Vec<usize>> {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, write) in writes.iter().enumerate() {
        let columns = |named: &[(usize, Value<'static>)]| named.iter().map(|(column, _)| *column).collect::<Vec<_>>();
        groups.entry((columns(&write.expected), columns(&write.set))).or_default().push(at);
    }
    groups
}

fn identity(table: &Table, side: &Side, write: &Write) -> Option<Vec<u8>> {
    let typed = |(value, at): (&Value<'static>, &usize)| {
        let (_, column) = table.column(&side.columns[*at].name)?;
        Some(value.read_as(column.kind.value_type()).unwrap_or_else(|| value.clone()))
    };
    let typed: Vec<_> = write.identity.iter().zip(&side.identity).map(typed).collect::<Option<_>>()?;
    key(typed.iter())
}

/// What records hold, by their identities.
fn rows(session: &mut Session, job: &Job<'_>, members: &[usize]) -> Result<BTreeMap<Vec<u8>, Vec<Row>>, SystemError> {
    let identities: Vec<Vec<Value<'static>>> = members.iter().map(|at| job.writes[*at].identity.clone()).collect();
    let mut rows: BTreeMap<Vec<u8>, Vec<Row>> =
        members.iter().filter_map(|at| Some((job.keys[*at].clone()?, Vec::new()))).collect();
    let select = format!("SELECT {} FROM {}", job.reader.selected(), job.table.quoted());
    let query = match lookup(&job.table, job.side, &job.side.identity, &identities) {
        Some(condition) => format!("{select} WHERE {condition}"),
        None => select,
    };
    let system = session.system().to_owned();
    session.copy(&query, |line| {
        let row = job.reader.row(line).map_err(|error| {
            let what = format!("the system `{system}`: {error}");
            SystemError::configuration(what, "leave the column out: what it holds cannot be read")
        })?;
        if let Some(found) = job.narrow.key(&row).and_then(|key| rows.get_mut(&key)) {
            found.push(row.into_iter().map(Value::into_owned).collect());
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

/// What a refusal is to a transaction as a whole.
fn refused(session: &Session, refusal: &DbError) -> Failure {
    let error = session.place().refusing(refusal);
    match Verdict::of(refusal) {
        Verdict::Conflict => Failure::Conflict(error),
        _ if *refusal.code() == SqlState::READ_ONLY_SQL_TRANSACTION => {
            Failure::System(SystemError::configuration(error.what, "name a database that can be written in write_url"))
        }
        _ => Failure::System(error),
    }
}
