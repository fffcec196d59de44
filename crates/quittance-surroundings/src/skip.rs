//! The list of what tests left out. Does not own what is made of it: `cargo xtask test` prints it, and judges.

use std::fs::File;
use std::io::Write;

use crate::variable;

/// Says what a test leaves out, why, and how to have it: on the terminal, and as a line of the file that
/// `QUITTANCE_SKIPS` names.
///
/// # Panics
/// When the file is named and does not take the line: what is left out must not be forgotten.
pub fn skip(line: &str) {
    println!("skipped: {line}");
    let Some(path) = variable("QUITTANCE_SKIPS") else { return };
    let file = File::options().create(true).append(true).open(&path);
    // One write: tests append at once, and lines must not mix.
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    if let Err(error) = written {
        panic!("cannot note in {} that this is left out: {line}: {error}", path.display());
    }
}
