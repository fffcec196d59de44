//! Every parser against mutated inputs: nothing panics, nothing takes for ever, and what is refused has a stable code.
//!
//! `cargo xtask fuzz --minutes N` goes on for longer. A seed of a corpus is a file below `fuzz/corpus`; what once broke a
//! parser is put there.

mod files;
mod messages;
mod requests;

use quittance_surroundings::Fuzz;
use std::path::Path;

/// A target with the corpus of its name.
fn target(name: &'static str, words: &'static [&'static str]) -> Fuzz {
    Fuzz::new(name, words).corpus(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/corpus").join(name))
}
