//! The Python environment: Stripe's official client, localstripe, reladiff, Beancount, schemathesis, and receivers of webhooks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::ensure_made;
use crate::repository::{Repository, check, output, succeeds};

const REQUIREMENTS: &str = "xtask/peers/requirements.txt";

/// Makes the environment match the requirements and returns its Python.
pub(super) fn ensure(repository: &Repository, folder: &Path) -> Result<PathBuf> {
    let venv = folder.join("venv");
    let python = venv.join("bin").join("python");
    let is_there = succeeds(repository.command(&python).arg("--version"));
    ensure_made(&folder.join("venv.stamp"), &wanted(repository)?, is_there, || {
        println!("preparing the Python peers of the tests in {}", venv.display());
        create(repository, &venv, &python)
    })?;
    Ok(python)
}

/// The requirements word for word, and the interpreter.
fn wanted(repository: &Repository) -> Result<String> {
    let path = repository.root.join(REQUIREMENTS);
    let requirements = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let version = output(repository.command("python3").arg("--version")).context("python3 is needed for the peers")?;
    Ok(format!("{version}{requirements}"))
}

fn create(repository: &Repository, venv: &Path, python: &Path) -> Result<()> {
    check(repository.command("python3").args(["-m", "venv", "--clear"]).arg(venv))
        .context("create a virtual environment")?;
    let mut pip = repository.command(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]);
    check(&mut pip).with_context(|| format!("install {REQUIREMENTS} from the package index"))
}
