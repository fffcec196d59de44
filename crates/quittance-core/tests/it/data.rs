//! Where the tests get data from: vectors and published lists that a machine may not have.

use quittance_surroundings::data_file;

/// The money vectors, parsed; none, and a reported skip, where they are not to be had.
pub fn money_vectors(test: &str) -> Option<serde_json::Value> {
    let text = published(test, "vectors/money.json")?;
    Some(serde_json::from_str(&text).expect("the vectors are JSON"))
}

/// Reads a file of the third-party data; a reported skip where it is not to be had.
pub fn published(test: &str, file: &str) -> Option<String> {
    let path = data_file(&format!("quittance-core {test}"), file)?;
    Some(std::fs::read_to_string(path).expect("the published file is readable"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "test data lies outside the repository, and no configuration is read here"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
