//! The Node packages: stripe-stateful-mock, what drives and judges a browser (playwright-core, axe-core), and the compiler of
//! TypeScript for the examples, pinned by a lock file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::ensure_made;
use crate::repository::{Repository, check, output};

const SOURCES: &str = "xtask/peers/node";
const MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];

/// Makes the packages match the lock file and returns the `node_modules` that hold them.
pub(super) fn ensure_stateful_mock(repository: &Repository, folder: &Path) -> Result<PathBuf> {
    let folder = folder.join("node");
    let modules = folder.join("node_modules");
    let is_there =
        ["stripe-stateful-mock", "playwright-core", "axe-core"].iter().all(|name| modules.join(name).is_dir());
    ensure_made(&folder.with_extension("stamp"), &wanted(repository)?, is_there, || {
        println!("preparing the Node peers of the tests in {}", folder.display());
        install(repository, &folder)
    })?;
    Ok(modules)
}

/// The manifests word for word, and the interpreter.
fn wanted(repository: &Repository) -> Result<String> {
    let mut wanted = output(repository.command("node").arg("--version")).context("node is needed for the peer")?;
    for name in MANIFESTS {
        let path = repository.root.join(SOURCES).join(name);
        wanted += &fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    }
    Ok(wanted)
}

fn install(repository: &Repository, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    for name in MANIFESTS {
        let path = repository.root.join(SOURCES).join(name);
        fs::copy(&path, folder.join(name)).with_context(|| format!("copy {}", path.display()))?;
    }
    let mut npm = repository.command("npm");
    npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    // What the cache holds is not asked for: the lock file has its digest. A dead registry would be tried for 70 s.
    npm.args(["--prefer-offline", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=10000"]);
    check(&mut npm).with_context(|| format!("install {SOURCES} from the package registry"))
}
