//! Rechecking: every chain of repairs is followed, and what follows from it is compared with what is stored.

use super::journal::rows_of;
use crate::api::rows;
use crate::data::Data;
use quittance_core::id::RunId;
use quittance_store::records::{RepairEntry, RepairHead, RepairNews, RepairState, chain_repair, decode_news};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{REPAIR_HEADS, REPAIR_JOURNAL};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Entries that are read at once.
const PAGE: usize = 100;

/// A chain that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenChain {
    /// The pair.
    pub pair: String,
    /// What does not come out.
    pub what: String,
}

/// What a chain says of repairs: by run and number, the state and a digest of the plan.
type Followed = BTreeMap<(RunId, i64), (RepairState, [u8; 32])>;

/// Rechecks the repairs of every pair; gives how many repairs there are, and the pairs whose chain does not hold.
///
/// # Errors
///
/// [`StoreError`] when they cannot be read; a directory without any is no error.
pub fn verify(data: &Data) -> Result<(u64, Vec<BrokenChain>), StoreError> {
    let mut reader = match data.runs().open_reader() {
        Err(StoreError::Missing { .. }) => return Ok((0, Vec::new())),
        opened => opened?,
    };
    let heads = rows::page::<RepairHead>(reader.as_mut(), &Scan::forward(&REPAIR_HEADS, Vec::new(), 10_000))?;
    let (mut checked, mut broken) = (0, Vec::new());
    for head in heads {
        match follow(reader.as_mut(), &head)? {
            Ok(followed) => {
                checked += followed.len() as u64;
                broken.extend(compare(reader.as_mut(), &head.pair, &followed)?);
            }
            Err(what) => broken.push(BrokenChain { pair: head.pair, what }),
        }
    }
    Ok((checked, broken))
}

fn follow(reader: &mut dyn Reader, head: &RepairHead) -> Result<Result<Followed, String>, StoreError> {
    let (mut followed, mut seq, mut hash) = (Followed::new(), 0_i64, [0; 32]);
    loop {
        let mut scan = Scan::forward(&REPAIR_JOURNAL, vec![head.pair.as_str().into()], PAGE);
        scan.after = (seq > 0).then(|| vec![seq.into()]);
        let page = rows::page::<RepairEntry>(reader, &scan)?;
        for entry in &page {
            if entry.seq != seq + 1 || entry.prev_hash != hash || chain_repair(entry) != entry.hash {
                return Ok(Err(format!("entry {} does not follow the one before it", entry.seq)));
            }
            match decode_news(entry.kind, &entry.body) {
                Ok(news) => take(&mut followed, news),
                Err(error) => return Ok(Err(format!("entry {}: {error}", entry.seq))),
            }
            (seq, hash) = (entry.seq, entry.hash);
        }
        if page.len() < PAGE {
            break;
        }
    }
    let is_whole = seq == head.seq && hash == head.hash;
    Ok(if is_whole { Ok(followed) } else { Err(format!("it ends with entry {seq}, and entry {} is known", head.seq)) })
}

fn take(followed: &mut Followed, news: RepairNews) {
    match news {
        RepairNews::Began { .. } => {}
        RepairNews::Planned { run, from, repairs } => {
            let digested = repairs.iter().map(|(state, plan)| (*state, digest(plan)));
            followed.extend((from..).zip(digested).map(|(no, repair)| ((run, no), repair)));
        }
        RepairNews::Settled { run, outcomes, .. } => {
            for (no, state, _) in outcomes {
                if let Some(repair) = followed.get_mut(&(run, no)) {
                    repair.0 = state;
                }
            }
        }
    }
}

fn digest(plan: &[u8]) -> [u8; 32] {
    Sha256::digest(plan).into()
}

fn compare(reader: &mut dyn Reader, pair: &str, followed: &Followed) -> Result<Vec<BrokenChain>, StoreError> {
    let mut broken = Vec::new();
    let mut runs: Vec<RunId> = followed.keys().map(|(run, _)| *run).collect();
    runs.dedup();
    for run in runs {
        let stored = rows_of(reader, run)?;
        let stored: BTreeMap<i64, (RepairState, [u8; 32])> =
            stored.iter().map(|row| (row.no, (row.state, digest(&row.plan)))).collect();
        let said: BTreeMap<i64, (RepairState, [u8; 32])> =
            followed.range((run, i64::MIN)..=(run, i64::MAX)).map(|((_, no), repair)| (*no, *repair)).collect();
        if stored != said {
            let what = format!("the repairs of {run} are not what was written down of them");
            broken.push(BrokenChain { pair: pair.to_owned(), what });
        }
    }
    Ok(broken)
}
