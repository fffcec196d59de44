//! Programs that Debian has: hledger, Redis and Chromium. They are only looked for.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::repository::{Repository, succeeds, variable};

/// The executable of hledger.
pub(super) fn hledger(repository: &Repository, _: &Path) -> Result<PathBuf> {
    found(repository, "hledger", "QUITTANCE_HLEDGER")
}

/// The executable of Redis's server.
pub(super) fn redis(repository: &Repository, _: &Path) -> Result<PathBuf> {
    found(repository, "redis-server", "QUITTANCE_REDIS")
}

/// The executable of Chromium.
pub(super) fn chromium(repository: &Repository, _: &Path) -> Result<PathBuf> {
    found(repository, "chromium", "QUITTANCE_BROWSER")
}

/// The executable on the path, or the one that is named.
fn found(repository: &Repository, name: &str, named: &str) -> Result<PathBuf> {
    let named = variable(named).map(PathBuf::from);
    let found = named.or_else(|| on_path(name, &variable("PATH")?));
    let found = found.with_context(|| format!("{name} is not on the path"))?;
    anyhow::ensure!(
        succeeds(repository.command(&found).arg("--version")),
        "{} does not say its version",
        found.display()
    );
    Ok(found)
}

fn on_path(name: &str, path: &str) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(name)).find(|program| program.is_file())
}
