//! The list of exceptions: one line each, `path rule reason`. It may only shrink, so an entry that excuses nothing fails too.

use super::{Rule, Violation};

/// Where the list is.
pub(crate) const LIST: &str = "xtask/tidy-exceptions.txt";

struct Entry<'a> {
    line: usize,
    path: &'a str,
    rule: &'a str,
    used: bool,
}

/// Takes away what the list excuses, and adds what is wrong with the list itself.
pub(crate) fn apply(list: &str, found: Vec<Violation>) -> Vec<Violation> {
    let mut remaining = Vec::new();
    let mut entries = Vec::new();
    for (index, line) in list.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(path), Some(rule), Some(_)) => entries.push(Entry { line: index + 1, path, rule, used: false }),
            _ => {
                remaining.push(complaint(index + 1, "an entry is `path rule reason`: say why it is needed".to_owned()))
            }
        }
    }
    for violation in found {
        let excuse =
            entries.iter_mut().find(|entry| entry.path == violation.path && entry.rule == violation.rule.name());
        match excuse {
            Some(entry) if violation.rule.is_excusable() => entry.used = true,
            _ => remaining.push(violation),
        }
    }
    for entry in entries.iter().filter(|entry| !entry.used) {
        let message = format!("`{} {}` excuses nothing any more: remove the entry", entry.path, entry.rule);
        remaining.push(complaint(entry.line, message));
    }
    remaining
}

fn complaint(line: usize, message: String) -> Violation {
    Violation { path: LIST.to_owned(), line, rule: Rule::Exception, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, rule: Rule) -> Violation {
        Violation { path: path.to_owned(), line: 7, rule, message: "is wrong".to_owned() }
    }

    fn check(list: &str, found: Vec<Violation>) -> Vec<String> {
        apply(list, found).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_entry_excuses_its_rule_in_its_file() {
        let list = "# reasons\n\na.rs function-length one table of all states\n";
        assert!(check(list, vec![broken("a.rs", Rule::FunctionLength)]).is_empty());
        let found = check(list, vec![broken("a.rs", Rule::FunctionLength), broken("b.rs", Rule::FunctionLength)]);
        assert_eq!(found, ["b.rs:7: function-length: is wrong"]);
    }

    #[test]
    fn an_entry_that_is_not_needed_fails() {
        let found = check("a.rs link an old page\n", vec![]);
        assert_eq!(
            found,
            ["xtask/tidy-exceptions.txt:1: exception: `a.rs link` excuses nothing any more: remove the entry"]
        );
    }

    #[test]
    fn an_entry_without_a_reason_fails() {
        let found = check("a.rs link\n", vec![broken("a.rs", Rule::Link)]);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("say why"), "{found:?}");
    }

    #[test]
    fn some_rules_have_no_exceptions() {
        let found = check("a.rs file-too-long it grew\n", vec![broken("a.rs", Rule::FileTooLong)]);
        assert_eq!(found.len(), 2);
    }
}
