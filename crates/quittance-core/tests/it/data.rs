//! Where the tests get data from: vectors and published lists that a machine may not have.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// The money vectors, parsed; none, and a reported skip, where they are not to be had.
pub fn money_vectors(test: &str) -> Option<serde_json::Value> {
    let text = published(test, "vectors/money.json")?;
    Some(serde_json::from_str(&text).expect("the vectors are JSON"))
}

/// Reads a file below the folder that `QUITTANCE_TEST_DATA` names; reports a skipped test when it is not there.
pub fn published(test: &str, file: &str) -> Option<String> {
    let Some(folder) = variable("QUITTANCE_TEST_DATA") else {
        skip(test, "QUITTANCE_TEST_DATA is not set");
        return None;
    };
    let text = fs::read_to_string(Path::new(&folder).join(file)).ok();
    if text.is_none() {
        skip(test, &format!("{file} is not in the folder QUITTANCE_TEST_DATA names"));
    }
    text
}

/// Says that a test did not run, on the terminal and in the file `QUITTANCE_SKIPS` names, if it does.
fn skip(test: &str, reason: &str) {
    let line = format!("skipped: quittance-core {test}: {reason}");
    println!("{line}");
    if let Some(path) = variable("QUITTANCE_SKIPS") {
        let mut skips = OpenOptions::new().create(true).append(true).open(path).expect("the file of skips opens");
        writeln!(skips, "{line}").expect("the file of skips takes a line");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "test data lies outside the repository, and no configuration is read here"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
