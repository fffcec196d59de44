//! stripe-mock, Stripe's own stateless server, built from the Go module proxy where Go is installed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::ensure_made;
use crate::repository::{Repository, check_within, succeeds};

/// Its OpenAPI document is of the release `basil`, like the version that the connectors pin.
const STRIPE_MOCK: &str = "github.com/stripe/stripe-mock@v0.195.0";

/// Long enough for a slow machine to compile it. A proxy that takes the connection and is silent must not hold up tests
/// that can do without.
const LIMIT: Duration = Duration::from_secs(300);

/// Builds it unless it is there, and returns the executable.
pub(super) fn ensure_stripe_mock(repository: &Repository, folder: &Path) -> Result<PathBuf> {
    let folder = folder.join("go");
    let binaries = folder.join("bin");
    let program = binaries.join("stripe-mock");
    ensure_made(&folder.with_extension("stamp"), STRIPE_MOCK, program.is_file(), || {
        println!("preparing stripe-mock in {}", folder.display());
        install(repository, &folder, &binaries)
    })?;
    Ok(program)
}

fn install(repository: &Repository, folder: &Path, binaries: &Path) -> Result<()> {
    anyhow::ensure!(succeeds(repository.command("go").arg("version")), "Go is not installed");
    let mut go = repository.command("go");
    // Compiled packages go to the user's cache, as those of every Go program; without paths in them they are of use to
    // every copy of the repository.
    go.args(["install", "-trimpath", STRIPE_MOCK]).env("GOPATH", folder).env("GOBIN", binaries);
    // Downloaded modules can be deleted like anything else in the target folder, and no other Go is downloaded.
    go.env("GOFLAGS", "-modcacherw").env("GOTOOLCHAIN", "local");
    check_within(LIMIT, &mut go).with_context(|| format!("build {STRIPE_MOCK} from the Go module proxy"))
}
