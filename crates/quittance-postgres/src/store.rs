//! A writer: transactions and claims over one connection, tried again where others were in the way, found again where it
//! was lost.

use crate::errors::{At, Trouble};
use crate::facts::Purpose;
use crate::gone::{self, Absent};
use crate::lane::{self, Lane};
use crate::link::Ask;
use crate::locks::{self, Unlocked};
use crate::plan::{self, Writing};
use crate::reader;
use crate::transaction::{Transaction, decoded};
use crate::values::Parameter;
use quittance_store::schema::{Queue, Table};
use quittance_store::shape::DUE_AT;
use quittance_store::store::{Change, Claim, Load, Loaded, Owners, Reader, Scan, Store, StoreError, TakeOver, Work};
use quittance_store::tables::ALL;
use quittance_store::value::{Key, Row, Value};

/// Times a transaction is begun anew before it fails.
const TRIES_MAX: usize = 12;

/// Tries after which rows are waited for in any order. Two that then wait for each other are told apart by the server,
/// which ends one of them.
const ORDERLY_TRIES: usize = 4;

/// A writer; see [`crate::PostgresDatabase::open_for_writing`]. Any number may write to one database.
pub struct PostgresStore {
    pub(crate) lane: Lane,
    absent: Absent,
}

impl PostgresStore {
    pub(crate) fn new(lane: Lane) -> Self {
        Self { lane, absent: Absent::default() }
    }

    /// Runs `body` in transactions, each of which it commits or ends itself, until one comes about.
    fn persist(
        &mut self,
        operation: &'static str,
        body: &mut dyn FnMut(&mut Transaction<'_>, usize) -> Result<(), Trouble>,
    ) -> Result<(), StoreError> {
        let mut last = None;
        for tried in 0..TRIES_MAX {
            self.lane.settle(operation)?;
            let trouble = match self.lane.transaction(operation, |transaction| body(transaction, tried))? {
                Ok(()) => return Ok(()),
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Final(error) => return Err(error),
                Trouble::Lost(reason) => {
                    tracing::warn!(operation, reason, "the connection to the database was lost");
                    if self.lane.find_out(operation)? {
                        return Ok(());
                    }
                    last = Some(Trouble::Lost(reason));
                }
                Trouble::Contended(_) | Trouble::Refused(_) => last = Some(trouble),
            }
        }
        let at = At { operation, place: &self.lane.place };
        Err(last.map_or(StoreError::CommitUnknown { name: operation }, |trouble| at.given_up(trouble)))
    }
}

/// What the last try of a transaction found.
#[derive(Default)]
struct Refused {
    over: Option<Loaded>,
    /// Whether it wrote rows of a queue, which may then be its own.
    touched_queue: bool,
}

impl Refused {
    /// One try of a transaction.
    fn attempt(&mut self, transaction: &mut Transaction<'_>, work: &mut dyn Work, tried: usize) -> Result<(), Trouble> {
        let name = transaction.at.operation;
        let loaded = locks::load(transaction, work, tried >= ORDERLY_TRIES).map_err(|unlocked| match unlocked {
            Unlocked::Trouble(trouble) => trouble,
            Unlocked::OutOfOrder => Trouble::Refused(locks::out_of_order(name)),
        })?;
        let decided = work.decide(&loaded).map_err(|reason| StoreError::Aborted { name, reason })?;
        decided.iter().for_each(Change::assert_shape);
        self.touched_queue |= decided.iter().any(|change| change.table().queue != Queue::No);
        if decided.is_empty() {
            return transaction.end();
        }
        // Where the same was refused over the same rows, nobody else is to blame: the changes say themselves what is
        // wrong, one by one.
        let is_same = self.over.as_ref() == Some(&loaded);
        let writing = if is_same { Writing::Singly } else { plan::writing(&decided, &loaded) };
        let written = transaction.commit(plan::asks(&decided, writing, transaction.statements));
        match written {
            Err(Trouble::Refused(error)) if is_same => Err(Trouble::Final(error)),
            Err(Trouble::Refused(error)) => {
                self.over = Some(loaded);
                Err(Trouble::Refused(error))
            }
            other => other,
        }
    }
}

impl Reader for PostgresStore {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.lane.read("reading rows", |link, statements, at| reader::get_many(link, statements, table, keys, at))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.lane.read("scanning rows", |link, _, at| reader::page(link, scan, at))
    }
}

impl Store for PostgresStore {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        let mut refused = Refused::default();
        let done = self.persist(name, &mut |transaction, tried| refused.attempt(transaction, work, tried));
        self.lane.may_hold |= refused.touched_queue;
        done
    }

    /// Where the answer to a claim was lost, what it took stays taken until the lease ends.
    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        claim.assert_shape(table);
        if claim.shares.is_empty() {
            return Ok(Vec::new());
        }
        self.lane.may_hold = true;
        let mut claimed: Vec<((i64, i64), Row)> = Vec::new();
        self.persist("claiming rows", &mut |transaction, _| {
            claimed.clear();
            let found = transaction.ask(vec![claim_of(table, claim, transaction)])?;
            for row in found.iter().flatten() {
                let order = (row.try_get::<_, i64>(0).unwrap_or(0), row.try_get::<_, i64>(1).unwrap_or(0));
                claimed.push((order, decoded(table, row, 2, transaction.at)?));
            }
            match claimed.is_empty() {
                true => transaction.end(),
                false => transaction.commit(Vec::new()),
            }
        })?;
        claimed.sort_by_cached_key(|(order, row)| {
            let rest = table.order(Some(table.due_index())).into_iter().filter(|at| table.columns[*at].name != DUE_AT);
            (*order, rest.map(|at| row[at].clone()).collect::<Vec<Value>>())
        });
        Ok(claimed.into_iter().map(|(_, row)| row).collect())
    }

    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError> {
        let mut count = 0;
        self.persist("taking over a queue", &mut |transaction, _| {
            let sql = transaction.statements.of(table).queue(table).take_over.clone();
            let parameters = [takeover.now, takeover.due_at_max].map(Parameter::Integer).into();
            let found = transaction.ask(vec![Ask { sql, parameters, table: None }])?;
            let row = found.iter().flatten().next();
            count = row.and_then(|row| row.try_get::<_, i64>(0).ok()).unwrap_or(0);
            if count == 0 { transaction.end() } else { transaction.commit(Vec::new()) }
        })?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// A session that is over ended its transactions with it, so that what its writer held is seen here.
    fn release_gone(&mut self, now: i64) -> Result<usize, StoreError> {
        const OPERATION: &str = "ending leases of the gone";
        let (epoch, gone_after) = (self.lane.writer.epoch, self.lane.options.gone_after);
        let absent = self.lane.read(OPERATION, |link, _, at| gone::absent(link, at, epoch))?;
        let gone = self.absent.see(&absent, lane::now(), gone_after);
        if gone.is_empty() {
            return Ok(0);
        }
        let mut count = 0;
        self.persist(OPERATION, &mut |transaction, _| {
            let noted = transaction.ask(vec![gone::note(&gone)])?;
            let owners: Vec<i64> = noted.iter().flatten().filter_map(|row| row.try_get(0).ok()).collect();
            if owners.is_empty() {
                return transaction.end();
            }
            // Statements of their own, so that they see all that was committed before those sessions ended.
            let queues = ALL.iter().filter(|table| table.queue != Queue::No);
            let release = |table: &&'static Table| {
                let sql = transaction.statements.of(table).queue(table).release.clone();
                let parameters = vec![Parameter::Integer(now), plan::integers(owners.iter().copied())];
                Ask { sql, parameters, table: Some(table.name) }
            };
            let asks: Vec<Ask<'_>> = queues.map(release).collect();
            let released = transaction.ask(asks)?;
            count = released.iter().flatten().filter_map(|row| row.try_get::<_, i64>(0).ok()).sum();
            transaction.commit(Vec::new())
        })?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn owners(&self) -> Owners {
        Owners::Shared
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        self.lane.read("asking for the time", |link, _, at| {
            let answer = link.ask(at, &[Ask::control(NOW)])?;
            let row = answer.iter().flatten().next();
            let time = row.and_then(|row| row.try_get::<_, i64>(0).ok());
            time.map(Some).ok_or_else(|| Trouble::Lost("it does not say what time it is".to_owned()))
        })
    }

    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.load_all(name, load)
    }

    fn begin_anew(&mut self) -> Result<(), StoreError> {
        self.lane.begin_anew("beginning anew")
    }

    fn writer_epoch(&self) -> i64 {
        self.lane.writer.epoch
    }
}

/// What a lane connects for.
pub(crate) const PURPOSE: Purpose = Purpose::Writing;

fn claim_of<'a>(table: &'static Table, claim: &'a Claim, transaction: &Transaction<'_>) -> Ask<'a> {
    let lanes = table.lane().iter().enumerate();
    let mut parameters: Vec<Parameter<'a>> = lanes
        .map(|(at, column)| plan::column(table, column, claim.shares.iter().map(move |share| &share.lane[at])))
        .collect();
    let limits = claim.shares.iter().map(|share| i64::try_from(share.limit).unwrap_or(i64::MAX));
    parameters.push(plan::integers(limits));
    parameters.extend([claim.now, claim.leased_until, claim.owner].map(Parameter::Integer));
    Ask { sql: transaction.statements.of(table).queue(table).claim.clone(), parameters, table: Some(table.name) }
}
