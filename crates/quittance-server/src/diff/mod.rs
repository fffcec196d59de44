//! Comparing two systems, as a run: read, compare, wait, look again, report.
//!
//! Owns the order of the steps, the threads and the temporary files. What a record is and when two are equal is
//! [`quittance_core::pair`]'s to say; how systems are read is [`crate::systems`]'. **Neither side is ever written.**

mod again;
mod agreed;
mod collect;
mod error;
mod events;
mod findings;
mod history;
mod key_types;
mod look;
mod only;
mod outcome;
mod plan;
mod ranges;
mod spool;
mod told;

pub use agreed::{Agreement, Entry, Places, known_as};
pub use collect::Source;
pub use error::DiffError;
pub use events::{EventLog, EventSeen};
pub(crate) use findings::{Repaired, Turn, repaired, repaired_reads};
pub(crate) use history::check;
pub use history::{BrokenRun, History, verify};
pub(crate) use only::{readings, typed};
pub use outcome::{Method, Outcome, Reported};
pub(crate) use plan::{declared, one_side};
pub use spool::{Pile, PileReader, Spool};
pub use told::{Told, When, key_of, standing_word, tell};
pub(crate) use told::{statement, whole_json};

use crate::config::{Pair as PairConfig, Strategy};
use crate::systems::Reading;
use look::{Limits, Look};
use outcome::First;
use quittance_core::pair::Pair;
use quittance_core::pair::digest::{Digest, Hasher};
use quittance_core::pair::settle::{Place, settle};
use std::sync::Arc;

/// How a run is done.
pub struct Settings<'w> {
    /// Hash key of the run, drawn for it.
    pub hash_key: [u8; 32],
    /// Compare the records of this key alone.
    pub only: Option<String>,
    /// Waits between the first look and the second: the settle time.
    pub wait: &'w mut dyn FnMut(),
}

/// Compares two opened systems.
///
/// # Errors
///
/// [`DiffError`]; there is no result then.
pub fn diff<'s>(
    name: &str,
    config: &PairConfig,
    left: &mut Source<'s>,
    right: &mut Source<'s>,
    settings: Settings<'_>,
) -> Result<Outcome, DiffError> {
    let describe = |source: &mut Source<'_>| source.system.describe(source.object).map_err(|error| source.error(error));
    let (left_known, right_known) = (describe(left)?, describe(right)?);
    let pair = plan::plan(name, config, &left_known, &right_known).map_err(|error| DiffError::Pair {
        pair: name.to_owned(),
        what: error.what,
        remedy: error.remedy,
    })?;
    let hasher = Hasher::new(settings.hash_key);
    let (method, mut look) = match &settings.only {
        Some(key) => (Method::Keys, only::look(&pair, left, right, key, (&left_known, &right_known), &hasher, config)?),
        None => first_look(&pair, config, left, right, &settings.hash_key)?,
    };
    let agreement = look.agreement.take().map(Arc::new);
    // Shares of what only differs, or of one record, would say nothing of the others.
    let is_whole = method == Method::Keys && settings.only.is_none();
    let counted = is_whole.then(|| std::mem::take(&mut look.counted));
    let first = First::of(&look);
    if look.findings.is_empty() {
        let outcome = Outcome::new(pair, method, look.tally, first, Vec::new(), (look.left, look.right));
        return Ok(Outcome { agreement, counted, ..outcome });
    }
    (settings.wait)();
    for source in [&mut *left, &mut *right] {
        source.system.refresh().map_err(|error| source.error(error))?;
    }
    // Where sums were compared, all of it is more than what was read.
    let whole = |reading: Reading, all: Digest| Reading { rows: reading.rows.max(all.count), ..reading };
    let whole = (whole(look.left, look.tally.left), whole(look.right, look.tally.right));
    let again = again::read_again(&pair, left, right, &look.findings, whole)?;
    let places = look.findings.iter().map(Place::of).collect();
    let second = look::compare(&pair, again.left, again.right, &hasher, (Limits::At(&places), None))?;
    let settled = settle(look.findings, second.findings);
    let outcome = Outcome::new(pair, method, look.tally, first, settled, (look.left, look.right));
    Ok(Outcome { deleted: again.deleted, agreement, counted, ..outcome })
}

fn first_look<'s>(
    pair: &Pair,
    config: &PairConfig,
    left: &mut Source<'s>,
    right: &mut Source<'s>,
    hash_key: &[u8; 32],
) -> Result<(Method, Look), DiffError> {
    let merged: Vec<usize> = (0..config.fields.len()).filter(|at| config.fields[*at].is_merged()).collect();
    let is_dated = pair.left.modified.is_some() && pair.right.modified.is_some();
    let needs_every_row = !config.counts.is_empty() || is_dated || !merged.is_empty();
    if config.strategy == Strategy::Checksums && needs_every_row {
        return Err(DiffError::Pair {
            pair: pair.name.clone(),
            what: "`counts`, and updated_at on both sides, need every record, and checksums read only some".to_owned(),
            remedy: "set strategy = \"keys\", or remove `counts` and one updated_at".to_owned(),
        });
    }
    if config.strategy == Strategy::Checksums || config.strategy == Strategy::Auto && !needs_every_row {
        match ranges::look(pair, left, right, hash_key, config.differences_max)? {
            Ok((method, look)) => return Ok((Method::Checksums(method), look)),
            Err(reason) if config.strategy == Strategy::Checksums => {
                return Err(DiffError::Pair {
                    pair: pair.name.clone(),
                    what: format!("it cannot be compared by checksums: {reason}"),
                    remedy: "set strategy = \"auto\" or \"keys\"".to_owned(),
                });
            }
            Err(reason) => tracing::debug!(pair = pair.name, reason, "compared by keys"),
        }
    }
    let look = look::look(pair, left, right, &Hasher::new(*hash_key), (Limits::Most(config.differences_max), merged))?;
    Ok((Method::Keys, look))
}
