//! What a file is: its header, its length, its name, and for the root of a crate the paragraph of what the crate never does.

use super::scan::{Source, occurrences};
use super::{Rule, Violation};

/// Above this a file needs an entry, with a reason, in the list of exceptions.
const LINES_WITHOUT_REASON_MAX: usize = 600;
/// Above this there is no excuse.
const LINES_MAX: usize = 1000;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "managers"];

/// Reports on one Rust file.
pub(crate) fn check(source: &Source<'_>, found: &mut Vec<Violation>) {
    let mut report = |line: usize, rule: Rule, message: String| {
        found.push(Violation { path: source.path.to_owned(), line, rule, message });
    };
    if !source.text.starts_with("//!") {
        report(
            1,
            Rule::Header,
            "begins without `//!`: the first line says what the file owns and what it does not".to_owned(),
        );
    }
    if let Some((rule, message)) = length(source) {
        report(1, rule, message);
    }
    if let Some(name) = source.path.split(['/', '.']).find(|part| EMPTY_NAMES.contains(part)) {
        report(1, Rule::ModuleName, empty_name(name));
    }
    for name in EMPTY_NAMES {
        for start in occurrences(&source.code, &format!("mod {name}")) {
            report(source.line(start), Rule::ModuleName, empty_name(name));
        }
    }
    if source.path.starts_with("crates/") && source.path.ends_with("/src/lib.rs") && !says_never(source.text) {
        report(
            1,
            Rule::Absence,
            "no bold sentence in the header says what this crate never does: add `//! **It never …**`".to_owned(),
        );
    }
}

fn length(source: &Source<'_>) -> Option<(Rule, String)> {
    if source.is_test_file() {
        return None;
    }
    let lines = source.lines_outside_tests();
    if lines > LINES_MAX {
        return Some((
            Rule::FileTooLong,
            format!("has {lines} lines outside tests, at most {LINES_MAX} are allowed: split it by what its parts own"),
        ));
    }
    (lines > LINES_WITHOUT_REASON_MAX).then(|| {
        let message = format!(
            "has {lines} lines outside tests, more than {LINES_WITHOUT_REASON_MAX} need a reason: split it, or list it with the \
             reason in xtask/tidy-exceptions.txt"
        );
        (Rule::FileLength, message)
    })
}

fn empty_name(name: &str) -> String {
    format!("`{name}` says nothing about what is inside: name the module after the idea that it owns")
}

/// Whether a bold passage of the header speaks of an absence.
fn says_never(text: &str) -> bool {
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let header = header.join(" ");
    let bold = header.split("**").skip(1).step_by(2);
    bold.into_iter().any(|passage| {
        let passage = passage.to_lowercase();
        ["never", "no", "nothing", "not"].iter().any(|word| !occurrences(&passage, word).is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<Rule> {
        let mut found = Vec::new();
        check(&Source::new(path, text), &mut found);
        found.into_iter().map(|violation| violation.rule).collect()
    }

    #[test]
    fn the_first_line_is_a_header() {
        assert!(rules("xtask/src/a.rs", "//! Owns a.\n").is_empty());
        assert_eq!(rules("xtask/src/a.rs", "use b;\n//! Owns a.\n"), [Rule::Header]);
    }

    #[test]
    fn lengths_have_two_limits() {
        let text = |lines: usize| format!("//! Long.\n{}", "fn a() {}\n".repeat(lines - 1));
        assert!(rules("xtask/src/a.rs", &text(600)).is_empty());
        assert_eq!(rules("xtask/src/a.rs", &text(601)), [Rule::FileLength]);
        assert_eq!(rules("xtask/src/a.rs", &text(1001)), [Rule::FileTooLong]);
        assert!(rules("crates/a/tests/it/a.rs", &text(1001)).is_empty());
        let with_tests = format!("//! Short.\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn a() {}\n".repeat(900));
        assert!(rules("xtask/src/a.rs", &with_tests).is_empty());
    }

    #[test]
    fn empty_names_fail() {
        assert_eq!(rules("xtask/src/utils.rs", "//! A.\n"), [Rule::ModuleName]);
        assert_eq!(rules("crates/a/tests/common/mod.rs", "//! A.\n"), [Rule::ModuleName]);
        assert_eq!(rules("xtask/src/a.rs", "//! A.\nmod helpers {}\n"), [Rule::ModuleName]);
        assert!(rules("xtask/src/commonplace.rs", "//! A.\nmod managers_of_money;\n").is_empty());
    }

    #[test]
    fn the_root_of_a_crate_says_what_it_never_does() {
        assert!(rules("crates/a/src/lib.rs", "//! Owns a.\n//!\n//! **It opens\n//! no socket.**\n").is_empty());
        assert_eq!(rules("crates/a/src/lib.rs", "//! Owns a, never b.\n"), [Rule::Absence]);
        assert_eq!(rules("crates/a/src/lib.rs", "//! **Owns** a, never **b**.\n"), [Rule::Absence]);
    }
}
