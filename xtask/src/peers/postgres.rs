//! PostgreSQL, which is used where it is installed and never built: finds the newest fit for the tests. Does not own its
//! installation, which is a package of the operating system.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::repository::{Repository, output, variable};

/// The oldest that the product supports.
const MAJOR_MIN: u32 = 15;

/// What the tests start of it; a package of clients alone has only the last two.
const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_basebackup", "psql"];

/// Folders that hold one folder per version, what the name of each begins with, and where its programs are: Debian, Red
/// Hat, and Homebrew on both kinds of Mac.
const VERSIONED: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
];

/// Where it is installed from source.
const UNVERSIONED: [&str; 2] = ["/usr/local/pgsql/bin", "/opt/homebrew/bin"];

/// The folder of its programs: the one that is named, or else the first that is complete and not too old among those
/// that the user's `PATH` leads to, that `pg_config` names, and the usual ones with the newest first.
pub(crate) fn ensure(repository: &Repository, _: &Path) -> Result<PathBuf> {
    if let Some(named) = variable("QUITTANCE_POSTGRES") {
        let folder = repository.root.join(&named);
        return judge(repository, &folder).with_context(|| format!("QUITTANCE_POSTGRES names `{named}`"));
    }
    let mut refused = Vec::new();
    for folder in candidates(repository) {
        match judge(repository, &folder) {
            Ok(folder) => return Ok(folder),
            Err(error) => refused.push(format!("{error:#}")),
        }
    }
    if refused.is_empty() {
        bail!(
            "no server is on the PATH, where pg_config says, or in a usual folder; name its folder in QUITTANCE_POSTGRES"
        );
    }
    bail!("none found is complete and of version {MAJOR_MIN} or newer: {}", refused.join("; "))
}

/// Folders that have a server, each once.
fn candidates(repository: &Repository) -> Vec<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    // The server on the path may be a link; the programs that go with it are beside what it leads to.
    let on_path = std::env::split_paths(&path).filter_map(|folder| folder.join("postgres").canonicalize().ok());
    let mut folders: Vec<PathBuf> = on_path.filter_map(|server| server.parent().map(Path::to_path_buf)).collect();
    if let Ok(named) = output(repository.command("pg_config").arg("--bindir")) {
        folders.push(PathBuf::from(named.trim()));
    }
    for (parent, prefix, programs) in VERSIONED {
        let names = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names = names.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(prefix));
        folders.extend(newest_first(names.collect()).iter().map(|name| Path::new(parent).join(name).join(programs)));
    }
    folders.extend(UNVERSIONED.map(PathBuf::from));
    let mut seen = Vec::new();
    folders.retain(|folder| {
        let is_new = folder.join("postgres").is_file() && !seen.contains(folder);
        seen.push(folder.clone());
        is_new
    });
    folders
}

/// Names by the number in them, the highest first: `9.6` comes after `15`, and a name without a number last.
fn newest_first(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_key(|name| std::cmp::Reverse((major(name), name.clone())));
    names
}

/// The first whole number in a text.
fn major(text: &str) -> Option<u32> {
    text.split(|letter: char| !letter.is_ascii_digit()).find(|word| !word.is_empty())?.parse().ok()
}

/// The folder, when it has every program and is not too old.
fn judge(repository: &Repository, folder: &Path) -> Result<PathBuf> {
    let lacks: Vec<&str> = PROGRAMS.into_iter().filter(|program| !folder.join(program).is_file()).collect();
    if !lacks.is_empty() {
        bail!("{} lacks {}", folder.display(), lacks.join(", "));
    }
    let version = output(repository.command(OsStr::new(&folder.join("postgres"))).arg("--version"))?;
    match major(&version) {
        Some(MAJOR_MIN..) => Ok(folder.to_path_buf()),
        _ => bail!("{} has {}", folder.display(), version.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_by_number() {
        let names = ["9.6", "18", "15", "postgresql@17", "postgresql"].map(str::to_owned).to_vec();
        assert_eq!(newest_first(names), ["18", "postgresql@17", "15", "9.6", "postgresql"]);
    }

    #[test]
    fn the_version_is_read_whatever_else_is_said() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major("postgres"), None);
    }
}
