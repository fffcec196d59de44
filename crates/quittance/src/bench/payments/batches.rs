//! Batches of payments, one after the other on each connection: through the engine, or by the limit program.

use super::asked::{self, Series};
use super::limit::{self, Limit};
use super::place::Place;
use super::recorder::Recorder;
use super::worker::{Arguments, Told, Turns};
use anyhow::{Context, Result};
use quittance_core::id::TenantId;
use quittance_core::tenant::Tenant;
use quittance_engine::Engine;
use quittance_engine::engine::BATCH_MAX;
use quittance_engine::submission::Submission;
use quittance_server::clock;
use quittance_store::records::Entity;
use quittance_store::store::{Change, Scan};
use quittance_store::tables::TENANTS;
use std::sync::Barrier;
use std::thread;

/// Work in batches.
pub(super) struct Batches {
    source: Source,
    lanes: Vec<Lane>,
}

/// Where batches come from.
enum Source {
    /// They are asked for in the name of this tenant.
    Asked(TenantId),
    /// They are decided beforehand, and only written.
    Recorded(Box<Recorder>),
}

/// One connection, and what it does next.
struct Lane {
    writer: Writer,
    series: Series,
    next: u64,
    prepared: Vec<Batch>,
}

enum Writer {
    Engine(Box<Engine>),
    Limit(Box<dyn Limit>),
}

enum Batch {
    Asked(Vec<Submission>),
    Rows(Vec<Change>),
}

impl Batches {
    /// The engine. All connections use all books.
    pub(super) fn of_engine(arguments: &Arguments, place: &Place) -> Result<Self> {
        let tenant = match arguments.number {
            0 => asked::open_books(&mut start(place)?, arguments.books)?,
            _ => find_tenant(place)?,
        };
        let lanes: Result<Vec<Lane>> = (0..u64::from(arguments.connections))
            .map(|connection| {
                let number = arguments.number * u64::from(arguments.connections) + connection;
                let series = Series { number, books: arguments.books, parts: 1, part: 0 };
                Ok(Lane::new(Writer::Engine(Box::new(start(place)?)), series))
            })
            .collect();
        Ok(Self { source: Source::Asked(tenant), lanes: lanes? })
    }

    /// The limit program. Each connection has books of its own: its rows are decided before they are written, so nobody
    /// else may write to them meanwhile.
    pub(super) fn of_limit(arguments: &Arguments, place: &Place) -> Result<Self> {
        let (recorder, opening) = Recorder::new(arguments.books)?;
        limit::open(place)?.write(&opening)?;
        let parts = u64::from(arguments.connections);
        let lanes: Result<Vec<Lane>> = (0..parts)
            .map(|part| {
                let series = Series { number: part, books: arguments.books, parts, part };
                Ok(Lane::new(Writer::Limit(limit::open(place)?), series))
            })
            .collect();
        Ok(Self { source: Source::Recorded(Box::new(recorder)), lanes: lanes? })
    }
}

impl Turns for Batches {
    fn prepare(&mut self, count: u64) -> Result<()> {
        let Self { source, lanes } = self;
        for lane in lanes {
            for _ in 0..count {
                let batch = source.next(lane)?;
                lane.prepared.push(batch);
            }
        }
        Ok(())
    }

    fn go(&mut self) -> Result<Told> {
        let start = Barrier::new(self.lanes.len());
        let calls: Result<Vec<Vec<u64>>> = thread::scope(|scope| {
            let start = &start;
            let run = |lane: &'_ mut Lane| {
                start.wait();
                lane.run()
            };
            let running: Vec<_> = self.lanes.iter_mut().map(|lane| scope.spawn(move || run(lane))).collect();
            let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
            ended.map(|ended| ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        let calls = calls?;
        let took_us = calls.iter().map(|calls| calls.iter().sum()).max().unwrap_or(0);
        Ok(Told { calls_us: calls.concat(), took_us, ..Told::default() })
    }
}

impl Source {
    fn next(&mut self, lane: &mut Lane) -> Result<Batch> {
        let payments = lane.next..lane.next + BATCH_MAX as u64;
        lane.next = payments.end;
        Ok(match self {
            Self::Asked(tenant) => Batch::Asked(payments.map(|at| lane.series.submission(*tenant, at)).collect()),
            Self::Recorded(recorder) => Batch::Rows(recorder.record(&lane.series, payments)?),
        })
    }
}

impl Lane {
    const fn new(writer: Writer, series: Series) -> Self {
        Self { writer, series, next: 0, prepared: Vec::new() }
    }

    /// Does what is prepared, and tells how long each batch took.
    fn run(&mut self) -> Result<Vec<u64>> {
        let batches = std::mem::take(&mut self.prepared);
        batches.into_iter().map(|batch| self.writer.timed(batch)).collect()
    }
}

impl Writer {
    fn timed(&mut self, batch: Batch) -> Result<u64> {
        let started = clock::monotonic();
        let elapsed = || {
            let took = clock::monotonic().saturating_duration_since(started);
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
        };
        match (self, batch) {
            (Self::Engine(engine), Batch::Asked(submissions)) => {
                asked::step(engine, submissions)?;
                Ok(elapsed())
            }
            (Self::Limit(limit), Batch::Rows(changes)) => {
                limit.write(&changes)?;
                // Before the rows are given back: they were not made here either.
                Ok(elapsed())
            }
            (Self::Engine(_), Batch::Rows(_)) | (Self::Limit(_), Batch::Asked(_)) => {
                unreachable!("sources and writers are made in pairs")
            }
        }
    }
}

fn start(place: &Place) -> Result<Engine> {
    let mut engine = asked::engine(place.open_for_writing()?);
    engine.start(&clock::reading())?;
    Ok(engine)
}

fn find_tenant(place: &Place) -> Result<TenantId> {
    let named = Scan { index: Some(&TENANTS.indexes[0]), ..Scan::forward(&TENANTS, vec![asked::TENANT.into()], 1) };
    let row = place.open_reader()?.scan(&named)?.pop().context("the first worker made no tenant")?;
    Ok(Tenant::from_row(&row)?.id)
}
