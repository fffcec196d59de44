//! Documents that tests generate: compared with what is in the repository, rewritten where `UPDATE` is set.

use std::fs;
use std::path::Path;

use crate::data::variable;

/// Compares a text with a file of the repository's `docs`, or writes it there.
pub fn check(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
    if variable("UPDATE").is_some() {
        fs::write(&path, text).expect("the document can be written");
        return;
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    let differs = stored.lines().zip(text.lines()).position(|(stored, made)| stored != made);
    if stored != text {
        let line = differs.unwrap_or_else(|| stored.lines().count().min(text.lines().count()));
        let at = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
        panic!(
            "docs/{file} differs from line {} on (UPDATE=1 rewrites it):\n  stored: {}\n  now:    {}",
            line + 1,
            at(&stored),
            at(text)
        );
    }
}
