//! The check of licences, banned crates and sources by `cargo-deny`, and how to get that program.
//!
//! Its fourth check, advisories, needs a database that is fetched with git from outside the registries; it is not run here.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::repository::{Repository, check, output, succeeds};

/// One version everywhere, because the meaning of `deny.toml` changes between versions.
const VERSION: &str = "0.20.2";

/// Checks the dependency tree against `deny.toml`.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    let program = ensure_program(repository)?;
    let mut deny = repository.command(program);
    deny.args(["--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]);
    check(&mut deny)
}

/// Takes `cargo-deny` from the path or from `target/tools`, or builds it there.
fn ensure_program(repository: &Repository) -> Result<PathBuf> {
    let tools = repository.target.join("tools");
    let candidates = [tools.join("bin").join("cargo-deny"), PathBuf::from("cargo-deny")];
    for candidate in candidates {
        let mut ask = repository.command(&candidate);
        if output(ask.arg("--version")).is_ok_and(|answer| is_wanted(&answer)) {
            return Ok(candidate);
        }
    }
    println!("cargo-deny {VERSION} is not on the path: building it into target/tools, once, in about a minute");
    install(repository, &tools)?;
    Ok(tools.join("bin").join("cargo-deny"))
}

fn is_wanted(answer: &str) -> bool {
    answer.trim() == format!("cargo-deny {VERSION}")
}

/// Builds for a short build, not for speed: the check itself takes seconds either way.
fn install(repository: &Repository, tools: &std::path::Path) -> Result<()> {
    let build = tools.join("build");
    let mut install = repository.cargo();
    install.args(["install", "cargo-deny", "--version", VERSION, "--locked", "--no-default-features", "--root"]);
    install.arg(tools).arg("--target-dir").arg(&build);
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    install.env("CARGO_PROFILE_RELEASE_LTO", "off");
    install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    install.env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    check(&mut install).context("get cargo-deny from crates.io")?;
    anyhow::ensure!(
        succeeds(repository.command(tools.join("bin").join("cargo-deny")).arg("--version")),
        "cargo-deny was installed into {} and does not start",
        tools.display()
    );
    std::fs::remove_dir_all(&build).with_context(|| format!("remove {}", build.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_is_taken() {
        assert!(is_wanted(&format!("cargo-deny {VERSION}\n")));
        assert!(!is_wanted("cargo-deny 0.14.2\n"));
    }
}
