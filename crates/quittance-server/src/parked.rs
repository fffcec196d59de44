//! How much brakes hold back: counted in the store, so that it is right after a restart.

use quittance_core::brake::Limit;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::EFFECTS;

/// Effects that are counted for each limit; where there are as many there may be more.
const COUNTED_MAX: usize = 1_000;

/// How many effects wait for approval, by the limit that stopped them, over all tenants.
pub(crate) fn count(reader: &mut dyn Reader) -> Result<Vec<(Limit, usize)>, StoreError> {
    let by_limit = Limit::ALL.into_iter().map(|limit| {
        let scan = Scan::forward(&EFFECTS, vec![limit.name().into()], COUNTED_MAX);
        let found = reader.scan(&Scan { index: Some(&EFFECTS.indexes[2]), ..scan })?;
        Ok((limit, found.len()))
    });
    by_limit.collect()
}
