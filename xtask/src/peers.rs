//! Prepares the Python environment that holds the peers of the tests, under `target/peers`, without touching the system.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::repository::{Repository, check, output, succeeds};

const REQUIREMENTS: &str = "xtask/peers/requirements.txt";

/// The folder of everything that tests need and that is not built by cargo.
pub(crate) fn folder(repository: &Repository) -> PathBuf {
    repository.target.join("peers")
}

/// Makes the environment match the requirements and returns its Python. Does nothing when it matches already; safe to
/// interrupt and to run twice at once.
pub(crate) fn ensure_python(repository: &Repository) -> Result<PathBuf> {
    let folder = folder(repository);
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let lock = fs::File::create(folder.join("lock")).context("create the lock of the peers' folder")?;
    lock.lock().context("lock the peers' folder")?;

    let venv = folder.join("venv");
    let python = venv.join("bin").join("python");
    let stamp = folder.join("venv.stamp");
    let wanted = wanted_stamp(repository)?;
    if is_current(&stamp, &wanted) && succeeds(repository.command(&python).arg("--version")) {
        return Ok(python);
    }
    println!("preparing the Python peers of the tests in {}", venv.display());
    create(repository, &venv, &python)?;
    fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))?;
    Ok(python)
}

/// The requirements word for word and the interpreter: whatever changes either, renews the environment.
fn wanted_stamp(repository: &Repository) -> Result<String> {
    let path = repository.root.join(REQUIREMENTS);
    let requirements = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let version = output(repository.command("python3").arg("--version")).context("python3 is needed for the peers")?;
    Ok(format!("{version}{requirements}"))
}

fn is_current(stamp: &Path, wanted: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|found| found == wanted)
}

fn create(repository: &Repository, venv: &Path, python: &Path) -> Result<()> {
    check(repository.command("python3").args(["-m", "venv", "--clear"]).arg(venv))
        .context("create a virtual environment")?;
    let mut pip = repository.command(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]);
    check(&mut pip).with_context(|| format!("install {REQUIREMENTS} from the package index"))
}
