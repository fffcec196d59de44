//! promtool: the one on the path, or out of Debian's package, which is only unpacked: installed, it would start a server.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::ensure_made;
use crate::repository::{Repository, check, succeeds, variable};

const NAME: &str = "promtool";

/// The package that has it.
const PACKAGE: &str = "prometheus";

/// The executable that is named, the one on the path, or one of our own.
pub(super) fn ensure(repository: &Repository, peers: &Path) -> Result<PathBuf> {
    let named = variable("QUITTANCE_PROMTOOL").map(PathBuf::from);
    let found = named.or_else(|| on_path(&variable("PATH")?));
    let found = found.map_or_else(|| unpacked(repository, peers), Ok)?;
    let works = succeeds(repository.command(&found).arg("--version"));
    ensure!(works, "{} does not say its version", found.display());
    Ok(found)
}

fn on_path(path: &str) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(NAME)).find(|program| program.is_file())
}

fn unpacked(repository: &Repository, peers: &Path) -> Result<PathBuf> {
    let folder = peers.join(NAME);
    let program = folder.join("usr/bin").join(NAME);
    ensure_made(&peers.join(format!("{NAME}.stamp")), PACKAGE, program.is_file(), || {
        std::fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        let script = format!("apt-get --quiet download {PACKAGE} && dpkg -x {PACKAGE}_*.deb . && rm {PACKAGE}_*.deb");
        check(repository.command("sh").args(["-c", &script]).current_dir(&folder)).context("get Debian's package")
    })?;
    Ok(program)
}
