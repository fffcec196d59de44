//! hledger, which Debian has: it is only looked for.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::repository::{Repository, succeeds, variable};

const NAME: &str = "hledger";

/// The executable on the path, or the one that is named.
pub(super) fn ensure(repository: &Repository, _: &Path) -> Result<PathBuf> {
    let named = variable("QUITTANCE_HLEDGER").map(PathBuf::from);
    let found = named.or_else(|| on_path(&variable("PATH")?)).context("hledger is not on the path")?;
    anyhow::ensure!(
        succeeds(repository.command(&found).arg("--version")),
        "{} does not say its version",
        found.display()
    );
    Ok(found)
}

fn on_path(path: &str) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(NAME)).find(|program| program.is_file())
}
