//! The engine's clock: its mark in the store, and what follows when an era ends.
//!
//! Where several processes share the books they share an era, too, and go by the clock of the database: each compares it
//! with a clock of its own machine that nobody sets, and whoever sees it jump ends the era for all. A batch that was
//! decided in an era that has ended is decided again.

use super::Engine;
use crate::clocks::{AHEAD_MS_HEARD, Change, Reading, Watched, at_start, is_of_now, next_era};
use crate::pause::Paused;
use crate::submission::Submission;
use quittance_core::effect::Era;
use quittance_core::time::Timestamp;
use quittance_store::records::{ClockMark, Corrupt, Entity};
use quittance_store::store::{Change as Write, Loaded, Owners, Read, Store, StoreError, TakeOver, Work};
use quittance_store::tables::{CLOCKS, EFFECTS};
use quittance_store::value::Value;

/// The row of the era is not what it was: an era has ended, or a brake was pulled or released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) era: Era,
    pub(crate) version: i64,
}

/// How often the clock is written down, in milliseconds: a mark that is older than it was away from tells the less.
const MARK_MS: i64 = 10_000;

/// How often the clock of the database is asked, in milliseconds.
const ASK_MS: i64 = 1_000;

impl Engine {
    /// What time it is, and what has ended the era, if anything has: as [`Engine::read_clocks`], with the engine's own
    /// clock, which follows that of the database where several share it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be asked, or the end of an era not be written down: nothing may be decided
    /// then.
    ///
    /// # Panics
    ///
    /// Without a clock; [`Engine::with_clock`] gives one.
    pub fn time(&mut self) -> Result<(Timestamp, Option<Change>), StoreError> {
        let mut reading = self.clock_mut().reading();
        if self.is_shared() && reading.steady_ms.saturating_sub(self.asked_ms) >= ASK_MS {
            reading = self.ask()?;
        }
        let change = self.read_clocks(&reading)?;
        Ok((reading.wall, change.or(self.untold.take())))
    }

    fn clock_mut(&mut self) -> &mut dyn crate::ports::Clock {
        self.clock.as_mut().expect("an engine that tells the time was given a clock").as_mut()
    }

    /// Whether others may write to the store, too.
    pub(super) fn is_shared(&self) -> bool {
        self.store.owners() == Owners::Shared
    }

    /// Follows the clock of the database, where it has one.
    pub(super) fn ask(&mut self) -> Result<Reading, StoreError> {
        let time = self.store.time()?;
        let clock = self.clock_mut();
        if let Some(time) = time {
            clock.follow(Timestamp(time));
        }
        let reading = clock.reading();
        self.asked_ms = reading.steady_ms;
        Ok(reading)
    }

    /// Goes by the brakes that somebody pulled or released, and in the era that another process began. The time, as it is then.
    pub(super) fn adopt(&mut self, moved: Moved, now: Timestamp) -> Result<Timestamp, StoreError> {
        // It may have ended with a server and its last commits: then nothing is sent until that is found out. Where that cannot
        // be read nothing is decided, and the era is still to be taken over.
        self.paused = Paused::load(self.store.as_mut())?;
        self.era_version = moved.version;
        let Moved { era, .. } = moved;
        if era == self.era {
            return Ok(now);
        }
        self.era = era;
        self.ahead_ms_max = u64::MAX;
        if self.clock.is_none() {
            return Ok(now);
        }
        // What it saw may be a jump that this process has not seen yet, and must not date anything before it has.
        let reading = self.ask()?;
        self.untold = self.read_clocks(&reading)?.or(self.untold.take());
        Ok(reading.wall)
    }

    /// Looks whether the clock is still believed. To be called with the reading whose wall time the next call is given.
    /// Says what has ended the era, if it has ended: what is under way is doubted from here on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when that could not be written down: nothing may be decided any more.
    pub fn read_clocks(&mut self, reading: &Reading) -> Result<Option<Change>, StoreError> {
        let Some(watched) = &mut self.watched else { return Ok(None) };
        match watched.look(reading) {
            Some(change) => {
                self.enter_era(change, reading)?;
                if let Change::Back(_) | Change::Machine = change {
                    // What it wrote may be due in a year.
                    self.take_over_objects(reading.wall)?;
                    self.take_over_deliveries(reading.wall)?;
                    self.take_over_effects(reading.wall)?;
                }
                Ok(Some(change))
            }
            None if reading.steady_ms - watched.written_ms < MARK_MS => Ok(None),
            None => {
                watched.written_ms = reading.steady_ms;
                match self.keep_mark(reading) {
                    // An old mark makes the next start doubt more, and no less.
                    Err(StoreError::Full { .. }) => Ok(None),
                    other => other.map(|()| None),
                }
            }
        }
    }

    /// What gateways say of now bounds how far our clock may be ahead, until it is set again. Nobody writes that down: the
    /// next process doubts more, until it hears something itself.
    pub(super) fn hear(&mut self, now: Timestamp, submissions: &[Submission]) {
        let tells = |submission: &Submission| match submission {
            Submission::Webhook(event) => is_of_now(event.event.created_seconds, now),
            _ => false,
        };
        if submissions.iter().any(tells) {
            self.ahead_ms_max = AHEAD_MS_HEARD;
        }
    }

    /// Ends the era in which commits were lost: for the books nobody was here since then.
    pub(super) fn end_era_of_loss(&mut self, since: Timestamp, reading: &Reading) -> Result<(), StoreError> {
        self.enter_era(Change::Away(reading.wall.ms_since(since)), reading)
    }

    /// Goes on in the era that is stored, or begins a new one; says why.
    pub(super) fn start_clocks(&mut self, reading: &Reading) -> Result<Option<Change>, StoreError> {
        let reading = if self.is_shared() && self.clock.is_some() { &self.ask()? } else { reading };
        let Some(shared) = load(self.store.as_mut(), ClockMark::ERA)? else {
            let era = Era { number: 1, began_at: reading.wall, dated_since: 1, ahead_ms: 0 };
            self.commit_era(reading, &mut |stored| stored.unwrap_or(era))?;
            return Ok(None);
        };
        self.era = shared.era;
        let own = if self.is_shared() { load(self.store.as_mut(), &reading.boot)? } else { Some(shared) };
        // Of a machine that nobody wrote of before it is not known what its clock does.
        let change = own.map_or(Some(Change::Machine), |own| at_start(&own, reading));
        match change {
            Some(change) => self.enter_era(change, reading)?,
            None => {
                self.keep_mark(reading)?;
                self.watched = Some(Watched::new(reading.mark(self.era)));
            }
        }
        Ok(change)
    }

    fn enter_era(&mut self, change: Change, reading: &Reading) -> Result<(), StoreError> {
        let mine = self.era;
        self.commit_era(reading, &mut |stored| {
            let stored = stored.unwrap_or(mine);
            // What somebody else ended it for may be the same jump: then it is not taken back twice.
            let is_taken_back = stored.number != mine.number && matches!(change, Change::Back(_));
            let next = next_era(&stored, change, reading);
            Era { ahead_ms: if is_taken_back { stored.ahead_ms } else { next.ahead_ms }, ..next }
        })
    }

    /// Writes down the era that follows from the one that is stored, and goes on in it.
    fn commit_era(&mut self, reading: &Reading, follow: &mut dyn FnMut(Option<Era>) -> Era) -> Result<(), StoreError> {
        let mut work = Follow { reading, follow, era: self.era };
        self.store.transact("era", &mut work)?;
        if self.is_shared() {
            // The one that this one follows may be another's, and of that nobody here has heard.
            self.paused = Paused::load(self.store.as_mut())?;
        }
        self.era = work.era;
        self.ahead_ms_max = u64::MAX;
        if self.is_shared() {
            self.keep_mark(reading)?;
        }
        self.watched = Some(Watched::new(reading.mark(self.era)));
        Ok(())
    }

    /// Writes down what the clock says: beside the era where it is the only one, else in a row of this machine.
    fn keep_mark(&mut self, reading: &Reading) -> Result<(), StoreError> {
        let mut mark = reading.mark(self.era);
        if self.is_shared() {
            mark.name.clone_from(&reading.boot);
        }
        self.store.transact("clock", &mut Keep(&mark))
    }

    /// Makes effects due that an earlier process held, or that a clock which ran ahead put off.
    pub(super) fn take_over_effects(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let (owner, due_at_max) = (self.store.writer_epoch(), now.plus_ms(self.longest_wait_ms()).0);
        self.store.take_over(&EFFECTS, &TakeOver { owner, now: now.0, due_at_max })
    }
}

fn load(store: &mut dyn Store, name: &str) -> Result<Option<ClockMark>, StoreError> {
    let corrupt = |Corrupt { table, column, what }| {
        let place = format!("{table}, column {column}");
        StoreError::Corrupt { place, what }
    };
    let row = store.get_many(&CLOCKS, &[ClockMark::key(name)])?.pop().flatten();
    row.map(|row| ClockMark::from_row(&row).map_err(corrupt)).transpose()
}

/// The read of the row that says which era it is.
pub(crate) fn era_read() -> Read {
    Read::Row { table: &CLOCKS, key: ClockMark::key(ClockMark::ERA) }
}

/// The era that is stored, as far as a transaction has read it.
pub(crate) fn stored_era(loaded: &Loaded) -> Result<Option<Era>, String> {
    let row = loaded.row(&CLOCKS, &ClockMark::key(ClockMark::ERA)).flatten();
    let mark = row.map(ClockMark::from_row).transpose();
    mark.map(|mark| mark.map(|mark| mark.era)).map_err(|corrupt| corrupt.to_string())
}

/// How often the row of the era was written, as far as a transaction has read it: when an era ends, and when a brake is
/// pulled or released.
pub(crate) fn era_version(loaded: &Loaded) -> Option<i64> {
    let row = loaded.row(&CLOCKS, &ClockMark::key(ClockMark::ERA)).flatten();
    row.and_then(|row| match row[CLOCKS.position("version")] {
        Value::Integer(version) => Some(version),
        _ => None,
    })
}

/// Writes a mark over the last one.
struct Keep<'a>(&'a ClockMark);

impl Work for Keep<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Write>, String> {
        Ok(vec![Write::Upsert { table: &CLOCKS, row: self.0.to_row() }])
    }
}

/// Replaces the era that is stored by the one that follows.
struct Follow<'a> {
    reading: &'a Reading,
    follow: &'a mut dyn FnMut(Option<Era>) -> Era,
    era: Era,
}

impl Work for Follow<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        vec![era_read()]
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Write>, String> {
        self.era = (self.follow)(stored_era(loaded)?);
        let mut row = self.reading.mark(self.era).to_row();
        let version = CLOCKS.position("version");
        let stored = loaded.row(&CLOCKS, &ClockMark::key(ClockMark::ERA)).flatten();
        let Some(&Value::Integer(expected_version)) = stored.map(|row| &row[version]) else {
            return Ok(vec![Write::Insert { table: &CLOCKS, row }]);
        };
        row[version] = (expected_version + 1).into();
        Ok(vec![Write::Update { table: &CLOCKS, row, expected_version }])
    }
}
