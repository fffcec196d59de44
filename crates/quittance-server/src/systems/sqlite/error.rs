//! What SQLite reports of a file, as what a person can do about it.

use crate::systems::{SystemError, names};
use rusqlite::ErrorCode;
use std::path::Path;

/// Most files of a folder that are looked at for one that was meant.
const FILES_MAX: usize = 1_000;

/// What is done by who writes.
pub(super) const WRITING: &str = "writing";

/// What would be right where it cannot be.
pub(super) const WRITABLE: &str = "let this user write the file and its folder";

/// What was being done, and where.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) system: &'a str,
    pub(super) path: &'a Path,
    pub(super) doing: &'static str,
}

impl At<'_> {
    /// Names the file, what was tried, and what would be right.
    pub(super) fn error(self, error: rusqlite::Error) -> SystemError {
        let place = format!("{} of the system `{}`", self.path.display(), self.system);
        let (what, remedy) = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => {
                (format!("{place} is not an SQLite database"), "name an SQLite 3 file that is not encrypted")
            }
            Some(ErrorCode::DatabaseCorrupt) => {
                (format!("{place} is damaged"), "run `PRAGMA integrity_check` on it, and restore a copy")
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                (format!("{place} stays locked by another process"), "try again when its long transaction has ended")
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly)
                if self.doing == WRITING =>
            {
                (format!("{place} cannot be written"), WRITABLE)
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                let remedy = "let this user read the file, and write to its folder if it has a write-ahead log; or read a \
                     copy";
                (format!("{place} cannot be opened"), remedy)
            }
            _ => (format!("{} {place} failed", self.doing), ""),
        };
        SystemError::outside(what, remedy).because(error)
    }

    /// Says that what is stored cannot be read.
    pub(super) fn unreadable(self, object: &str, column: &str, what: &str, remedy: &str) -> SystemError {
        let place = format!("column `{column}` of `{object}` of the system `{}`", self.system);
        SystemError::outside(format!("{place} holds {what}"), remedy)
    }
}

/// There is no file at the configured path.
pub(super) fn missing(system: &str, path: &Path) -> SystemError {
    if path.is_dir() {
        let what = format!("{} of the system `{system}` is a folder", path.display());
        return SystemError::configuration(what, "name the SQLite file in it");
    }
    let what = format!("there is no file {} for the system `{system}`", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = folder.read_dir() else {
        return SystemError::configuration(what, format!("there is no folder {} either", folder.display()));
    };
    let files = entries.take(FILES_MAX).flatten().filter(|entry| entry.path().is_file());
    let mut files: Vec<String> = files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    files.sort();
    let wanted = path.file_name().unwrap_or_default().to_string_lossy();
    let known: Vec<&str> = files.iter().map(String::as_str).collect();
    SystemError::configuration(what, names::remedy(&wanted, &known))
}
