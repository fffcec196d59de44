//! The reading half of a transaction: rounds of reads until the work names nothing new. The same for every store.

use crate::store::{Loaded, READ_ROUNDS_MAX, Read, StoreError, Work};

/// Reads rows from a store and puts them.
pub type Fetch<'a> = dyn FnMut(Vec<Read>, &mut Loaded) -> Result<(), StoreError> + 'a;

/// Asks `work` what to read and has `fetch` put the answers, until everything it names is loaded. `fetch` gets only
/// reads that are not answered yet; one read may be among them twice.
///
/// # Errors
///
/// Those of `fetch`; [`StoreError::Aborted`] when the work still names new rows after [`READ_ROUNDS_MAX`] rounds.
///
/// # Panics
///
/// When a read does not fit the declaration of its table.
pub fn load(name: &'static str, work: &mut dyn Work, fetch: &mut Fetch<'_>) -> Result<Loaded, StoreError> {
    load_more(name, work, Loaded::default(), fetch)
}

/// As [`load`], where some rows are loaded already.
///
/// # Errors
///
/// As [`load`].
///
/// # Panics
///
/// As [`load`].
pub fn load_more(
    name: &'static str,
    work: &mut dyn Work,
    mut loaded: Loaded,
    fetch: &mut Fetch<'_>,
) -> Result<Loaded, StoreError> {
    for _ in 0..READ_ROUNDS_MAX {
        let missing = missing_reads(work, &loaded);
        if missing.is_empty() {
            return Ok(loaded);
        }
        fetch(missing, &mut loaded)?;
    }
    if missing_reads(work, &loaded).is_empty() {
        return Ok(loaded);
    }
    Err(StoreError::Aborted { name, reason: format!("names new rows to read after {READ_ROUNDS_MAX} rounds") })
}

fn missing_reads(work: &mut dyn Work, loaded: &Loaded) -> Vec<Read> {
    let mut reads = work.reads(loaded);
    reads.retain(|read| !loaded.has(read));
    reads.iter().for_each(Read::assert_shape);
    reads
}
