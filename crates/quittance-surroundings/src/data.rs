//! Third-party data that is not in the repository. Does not own what it says.

use std::path::{Path, PathBuf};

use crate::skip::skip;
use crate::variable;

/// A file below the folder that `QUITTANCE_TEST_DATA` names, or below `../shared/data` when nothing is named. Without
/// it, it is noted that `subject` (a crate, or a test of one) was left out.
#[must_use]
pub fn data_file(subject: &str, path: &str) -> Option<PathBuf> {
    let folder = match variable("QUITTANCE_TEST_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let file = folder.join(path);
    if file.is_file() {
        return Some(file);
    }
    skip(&format!("{subject}: there is no third-party {path}; set QUITTANCE_TEST_DATA to a folder that has it"));
    None
}
