//! The engine's clock: its mark in the store, and what follows when an era ends.

use super::Engine;
use crate::clocks::{Change, Reading, Watched, at_start, next_era};
use quittance_core::effect::Era;
use quittance_core::time::Timestamp;
use quittance_store::records::{ClockMark, Corrupt, Entity};
use quittance_store::store::{Change as Write, Loaded, Read, Store, StoreError, TakeOver, Work};
use quittance_store::tables::EFFECTS;

/// How often the clock is written down, in milliseconds: a mark that is older than it was away from tells the less.
const MARK_MS: i64 = 10_000;

impl Engine {
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
                    self.take_over_effects(reading.wall)?;
                }
                Ok(Some(change))
            }
            None if reading.steady_ms - watched.written_ms < MARK_MS => Ok(None),
            None => {
                watched.written_ms = reading.steady_ms;
                match keep(self.store.as_mut(), &reading.mark(self.era)) {
                    // An old mark makes the next start doubt more, and no less.
                    Err(StoreError::Full { .. }) => Ok(None),
                    other => other.map(|()| None),
                }
            }
        }
    }

    /// Goes on in the era that is stored, or begins a new one; says why.
    pub(super) fn start_clocks(&mut self, reading: &Reading) -> Result<Option<Change>, StoreError> {
        let Some(mark) = load(self.store.as_mut())? else {
            self.era = Era { number: 1, began_at: reading.wall, dated_since: 1, ahead_ms: 0 };
            self.keep_era(reading)?;
            return Ok(None);
        };
        self.era = mark.era;
        let change = at_start(&mark, reading);
        match change {
            Some(change) => self.enter_era(change, reading)?,
            None => self.keep_era(reading)?,
        }
        Ok(change)
    }

    fn enter_era(&mut self, change: Change, reading: &Reading) -> Result<(), StoreError> {
        self.era = next_era(&self.era, change, reading);
        self.keep_era(reading)
    }

    fn keep_era(&mut self, reading: &Reading) -> Result<(), StoreError> {
        let mark = reading.mark(self.era);
        keep(self.store.as_mut(), &mark)?;
        self.watched = Some(Watched::new(mark));
        Ok(())
    }

    /// Makes effects due that an earlier process held, or that a clock which ran ahead put off.
    pub(super) fn take_over_effects(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let (owner, due_at_max) = (self.store.writer_epoch(), now.plus_ms(self.longest_wait_ms()).0);
        self.store.take_over(&EFFECTS, &TakeOver { owner, now: now.0, due_at_max })
    }
}

fn load(store: &mut dyn Store) -> Result<Option<ClockMark>, StoreError> {
    let corrupt = |Corrupt { table, column, what }| {
        let place = format!("{table}, column {column}");
        StoreError::Corrupt { place, what }
    };
    let row = store.get_many(ClockMark::table(), &[vec![ClockMark::NAME.into()]])?.pop().flatten();
    row.map(|row| ClockMark::from_row(&row).map_err(corrupt)).transpose()
}

fn keep(store: &mut dyn Store, mark: &ClockMark) -> Result<(), StoreError> {
    store.transact("clock", &mut Keep(mark))
}

/// Writes a mark over the last one.
struct Keep<'a>(&'a ClockMark);

impl Work for Keep<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Write>, String> {
        Ok(vec![Write::Upsert { table: ClockMark::table(), row: self.0.to_row() }])
    }
}
