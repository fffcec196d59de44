//! The row of a pair: read, and changed in one transaction.

use crate::api::rows;
use crate::clock;
use quittance_core::time::Timestamp;
use quittance_store::records::{Entity, PairState};
use quittance_store::store::{Change, Loaded, Read, Reader, Store, StoreError, Work};
use quittance_store::value::Key;

/// The rows of pairs, as far as they are there.
pub(crate) fn states<'p>(
    reader: &mut dyn Reader,
    pairs: impl Iterator<Item = &'p str>,
) -> Result<Vec<PairState>, StoreError> {
    let keys: Vec<Key> = pairs.map(|pair| vec![pair.into()]).collect();
    rows::many(reader, &keys)
}

/// The time by the clock that all who write to the store share.
pub(crate) fn time(store: &mut dyn Store) -> Result<Timestamp, StoreError> {
    Ok(store.time()?.map_or_else(clock::now, Timestamp))
}

/// Changes the row of a pair, which is made where there is none. `change` may be asked several times; what it says last counts.
pub(crate) fn update<T>(
    store: &mut dyn Store,
    pair: &str,
    change: impl FnMut(&mut PairState) -> T,
) -> Result<T, StoreError> {
    let mut work = Changing { pair, change, said: None };
    store.transact("changing the state of a pair", &mut work)?;
    work.said.ok_or_else(|| StoreError::Aborted {
        name: "changing the state of a pair",
        reason: "nothing was decided".to_owned(),
    })
}

/// Names the row of a pair to a transaction.
pub(super) fn read(pair: &str) -> Read {
    Read::Row { table: PairState::table(), key: vec![pair.into()] }
}

/// The row of a pair as a transaction has read it.
pub(super) fn loaded(pair: &str, loaded: &Loaded) -> Result<PairState, String> {
    let row = loaded.row(PairState::table(), &vec![pair.into()]).flatten();
    let new = || PairState { pair: pair.to_owned(), ..PairState::default() };
    row.map_or_else(|| Ok(new()), |row| PairState::from_row(row).map_err(|error| error.to_string()))
}

struct Changing<'p, T, C> {
    pair: &'p str,
    change: C,
    said: Option<T>,
}

impl<T, C: FnMut(&mut PairState) -> T> Work for Changing<'_, T, C> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        vec![read(self.pair)]
    }

    fn decide(&mut self, rows: &Loaded) -> Result<Vec<Change>, String> {
        let before = loaded(self.pair, rows)?;
        let mut state = before.clone();
        self.said = Some((self.change)(&mut state));
        let is_same = state == before;
        Ok(if is_same { Vec::new() } else { vec![Change::Upsert { table: PairState::table(), row: state.to_row() }] })
    }
}
