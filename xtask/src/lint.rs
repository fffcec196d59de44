//! `cargo xtask lint`: every check that does not run the product.

use anyhow::Result;

use crate::repository::{Repository, check};
use crate::steps::Steps;
use crate::{deny, tidy};

/// Runs all checks and reports all that fail.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    let mut steps = Steps::new("lint");
    steps.run("fmt", || check(repository.cargo().args(["fmt", "--all", "--check"])));
    steps.run("clippy", || {
        let mut clippy = repository.cargo();
        clippy.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
        check(&mut clippy)
    });
    steps.run("tidy", || tidy::run(repository));
    steps.run("doc", || {
        let mut doc = repository.cargo();
        doc.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        check(&mut doc)
    });
    steps.run("deny", || deny::run(repository));
    steps.finish()
}
