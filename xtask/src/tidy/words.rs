//! Words that do not stay in the repository: marks of unfinished work, and paths that exist on one machine only.
//!
//! The words are put together from parts here, so that this file does not contain what it looks for.

use super::scan::{Source, line_of, occurrences};
use super::{Rule, Violation};

/// Marks of unfinished work in comments and prose. In `backticks` they are spoken of, not used.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// Macros that stand for missing work or for looking around.
const MACROS: &[&str] = &["todo!", "unimplemented!", "dbg!"];
/// Beginnings of paths that other machines do not have.
const MACHINE_PATHS: &[&str] = &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];
/// A folder that is no part of the repository.
const OUTSIDE: &str = concat!("shared", "/design");
/// Files in which people write; recorded data may contain anything.
const PROSE: &[&str] = &["md", "toml", "sh", "py", "js", "css", "html", "sql", "yml", "yaml"];

/// Reports words in a Rust file.
pub(crate) fn check_rust(source: &Source<'_>, found: &mut Vec<Violation>) {
    marks(source.path, &source.comments, found);
    for name in MACROS {
        for start in occurrences(&source.code, name) {
            let message = format!("`{name}` stands for work that is not done: do it, or return an error that says so");
            found.push(violation(source.path, source.line(start), Rule::Word, message));
        }
    }
    machine_paths(source.path, source.text, found);
}

/// Reports words in a file of any other kind.
pub(crate) fn check_text(path: &str, text: &str, found: &mut Vec<Violation>) {
    let is_prose = path.rsplit_once('.').is_some_and(|(_, ending)| PROSE.contains(&ending)) || path.starts_with(".ci/");
    if is_prose {
        marks(path, text, found);
    }
    machine_paths(path, text, found);
}

fn marks(path: &str, text: &str, found: &mut Vec<Violation>) {
    for (index, line) in text.lines().enumerate() {
        let spoken: String = line.split('`').step_by(2).collect();
        for mark in MARKS {
            if !occurrences(&spoken, mark).is_empty() {
                let message = format!("`{mark}`: finish it, or describe the limit as it is");
                found.push(violation(path, index + 1, Rule::Word, message));
            }
        }
    }
}

fn machine_paths(path: &str, text: &str, found: &mut Vec<Violation>) {
    for prefix in MACHINE_PATHS {
        for (start, _) in text.match_indices(prefix) {
            let before = text[..start].chars().next_back();
            // In the middle of a longer path or of an address it is just a name.
            if before.is_some_and(|letter| letter.is_alphanumeric() || "._-/~$}".contains(letter)) {
                continue;
            }
            let message =
                format!("`{prefix}…` exists on one machine only: use a path relative to the repository, or a variable");
            found.push(violation(path, line_of(text, start), Rule::MachinePath, message));
        }
    }
    for (start, _) in text.match_indices(OUTSIDE) {
        let message = format!("`{OUTSIDE}` is no part of the repository: say here what the reader needs to know");
        found.push(violation(path, line_of(text, start), Rule::MachinePath, message));
    }
}

fn violation(path: &str, line: usize, rule: Rule, message: String) -> Violation {
    Violation { path: path.to_owned(), line, rule, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: &str) -> Vec<(usize, Rule)> {
        let mut found = Vec::new();
        check_rust(&Source::new("src/lib.rs", text), &mut found);
        found.into_iter().map(|violation| (violation.line, violation.rule)).collect()
    }

    fn prose(path: &str, text: &str) -> Vec<(usize, Rule)> {
        let mut found = Vec::new();
        check_text(path, text, &mut found);
        found.into_iter().map(|violation| (violation.line, violation.rule)).collect()
    }

    #[test]
    fn marks_are_found_in_comments_and_prose() {
        let mark = MARKS[0];
        assert_eq!(rust(&format!("//! A.\n// {mark}: later\n")), [(2, Rule::Word)]);
        assert!(rust(&format!("//! No `{mark}` stays.\nconst A: &str = \"{mark}\";\n")).is_empty());
        assert_eq!(prose("README.md", &format!("# A\n\n{mark} later\n")), [(3, Rule::Word)]);
        assert!(prose("data.csv", &format!("{},1\n", MARKS[2])).is_empty());
    }

    #[test]
    fn macros_of_missing_work_are_found_in_code() {
        assert_eq!(rust("//! A.\nfn a() { todo!() }\n"), [(2, Rule::Word)]);
        assert!(rust("//! Never dbg!(x).\nfn my_dbg() {}\n").is_empty());
    }

    #[test]
    fn machine_paths_are_found_where_they_begin() {
        let home = MACHINE_PATHS[0];
        assert_eq!(prose("a.txt", &format!("x\nin {home}me/file\n")), [(2, Rule::MachinePath)]);
        assert_eq!(prose("a.txt", &format!("{home}me\n")), [(1, Rule::MachinePath)]);
        assert!(prose("a.txt", &format!("https://example.com{home}page\n")).is_empty());
        assert!(prose("a.txt", &format!("https://example.org/a{home}page\n")).is_empty());
        assert_eq!(rust(&format!("//! See {OUTSIDE}/style.md\n")), [(1, Rule::MachinePath)]);
    }
}
