//! Prepares the programs by other hands that the tests start, under `target/peers`, without touching the system; a few
//! are only looked for.
//!
//! Each is prepared once: a stamp beside it holds, word for word, what it was made from, so whatever changes that makes
//! it anew. Does not own how tests find them (`quittance-surroundings`), nor packages of the operating system.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::repository::Repository;

mod go;
mod installed;
mod node;
pub(crate) mod postgres;
mod promtool;
mod python;

/// A peer, and how it is prepared.
pub(crate) struct Peer {
    /// For people.
    pub(crate) name: &'static str,
    /// The variable that tells the tests where it is.
    pub(crate) variable: &'static str,
    /// Whether it may be missing even where nothing may.
    pub(crate) is_optional: bool,
    /// Makes it match what is wanted, in the folder of peers, and says where it is.
    ensure: fn(&Repository, &Path) -> Result<PathBuf>,
}

const PEERS: &[Peer] = &[
    Peer { name: "the Python peers", variable: "QUITTANCE_PYTHON", is_optional: false, ensure: python::ensure },
    Peer {
        name: "stripe-stateful-mock",
        variable: "QUITTANCE_STATEFUL_MOCK",
        is_optional: false,
        ensure: node::ensure_stateful_mock,
    },
    Peer { name: "PostgreSQL", variable: "QUITTANCE_POSTGRES", is_optional: false, ensure: postgres::ensure },
    Peer { name: "hledger", variable: "QUITTANCE_HLEDGER", is_optional: false, ensure: installed::hledger },
    Peer { name: "Redis", variable: "QUITTANCE_REDIS", is_optional: false, ensure: installed::redis },
    Peer { name: "Chromium", variable: "QUITTANCE_BROWSER", is_optional: false, ensure: installed::chromium },
    Peer { name: "promtool", variable: "QUITTANCE_PROMTOOL", is_optional: true, ensure: promtool::ensure },
    // Go is in few places where this is worked on, and nothing else here needs it.
    Peer { name: "stripe-mock", variable: "QUITTANCE_STRIPE_MOCK", is_optional: true, ensure: go::ensure_stripe_mock },
];

/// The folder of everything that tests need and that is not built by cargo.
pub(crate) fn folder(repository: &Repository) -> PathBuf {
    repository.target.join("peers")
}

/// Prepares every peer, all at once, and says where each is or why it is not there. Does nothing for those that match
/// already; safe to interrupt and to run twice at once.
pub(crate) fn ensure(repository: &Repository) -> Result<Vec<(&'static Peer, Result<PathBuf>)>> {
    let folder = folder(repository);
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let lock = fs::File::create(folder.join("lock")).context("create the lock of the peers' folder")?;
    lock.lock().context("lock the peers' folder")?;
    Ok(thread::scope(|scope| {
        let folder = &folder;
        let start = |peer: &'static Peer| (peer, scope.spawn(move || (peer.ensure)(repository, folder)));
        let started: Vec<_> = PEERS.iter().map(start).collect();
        let panicked = |_| Err(anyhow!("its preparation panicked"));
        started.into_iter().map(|(peer, thread)| (peer, thread.join().unwrap_or_else(panicked))).collect()
    }))
}

/// Makes something unless its stamp says that it is there as wanted. The stamp goes first and comes last, so that what
/// was interrupted half-way is made anew.
fn ensure_made(stamp: &Path, wanted: &str, is_there: bool, make: impl FnOnce() -> Result<()>) -> Result<()> {
    let found = fs::read_to_string(stamp).ok();
    if is_there && found.as_deref() == Some(wanted) {
        return Ok(());
    }
    if found.is_some() {
        fs::remove_file(stamp).with_context(|| format!("remove {}", stamp.display()))?;
    }
    make()?;
    fs::write(stamp, wanted).with_context(|| format!("write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn what_matches_its_stamp_is_not_made_again() {
        let stamp = std::env::temp_dir().join(format!("quittance-stamp-{}", std::process::id()));
        let made = Cell::new(0);
        let ensure = |wanted: &str, is_there: bool, is_made: bool| {
            ensure_made(&stamp, wanted, is_there, || {
                made.set(made.get() + 1);
                if is_made { Ok(()) } else { Err(anyhow!("interrupted")) }
            })
            .is_ok()
        };
        assert!(ensure("1", false, true) && ensure("1", true, true));
        assert_eq!(made.get(), 1);
        assert!(ensure("1", false, true), "it was deleted");
        assert!(!ensure("2", true, false), "something else is wanted, and it is left half-made");
        assert!(ensure("1", true, true), "what was wanted before is no longer there");
        assert_eq!(made.get(), 4);
        fs::remove_file(stamp).unwrap();
    }
}
