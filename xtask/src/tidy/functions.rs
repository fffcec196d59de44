//! Functions have at most seventy lines, from `fn` to the closing brace. Tests are exempt: a story may be long.

use super::scan::{Source, body_or_end, closing, occurrences};
use super::{Rule, Violation};

/// What a person reads without losing the beginning; the limit that TigerBeetle keeps.
const LINES_MAX: usize = 70;

/// Reports functions that are too long.
pub(crate) fn check(source: &Source<'_>, found: &mut Vec<Violation>) {
    for start in occurrences(&source.code, "fn") {
        let Some(name) = name_after(&source.code[start + 2..]) else {
            continue;
        };
        if source.is_test(start) {
            continue;
        }
        let Some(open) = body_or_end(&source.code, start) else {
            continue;
        };
        if source.code.as_bytes()[open] != b'{' {
            continue;
        }
        let first = source.line(start);
        let length = source.line(closing(&source.code, open)) + 1 - first;
        if length > LINES_MAX {
            found.push(Violation {
                path: source.path.to_owned(),
                line: first,
                rule: Rule::FunctionLength,
                message: format!(
                    "`{name}` has {length} lines, at most {LINES_MAX} are allowed: keep the branching here and move arithmetic \
                     into pure functions"
                ),
            });
        }
    }
}

/// The name of a function; none after the `fn` of a pointer type or of a macro's pattern.
fn name_after(code: &str) -> Option<&str> {
    let code = code.strip_prefix([' ', '\n'])?.trim_start();
    let end = code.find(|letter: char| letter != '_' && !letter.is_alphanumeric())?;
    (end > 0).then(|| &code[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        check(&Source::new("src/lib.rs", text), &mut found);
        found.into_iter().map(|violation| (violation.line, violation.message)).collect()
    }

    fn function(signature: &str, lines: usize) -> String {
        format!("{signature} {{\n{}}}\n", "    step('{', \"}\"); // }\n".repeat(lines - 2))
    }

    #[test]
    fn seventy_lines_pass_and_one_more_fails() {
        assert!(check_text(&function("fn a()", 70)).is_empty());
        let found = check_text(&function("//! x\n\npub async fn long<'a>(x: &'a [u8; 4]) -> [u8; 2]", 71));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, 3);
        assert!(found[0].1.starts_with("`long` has 71 lines, at most 70"));
    }

    #[test]
    fn what_is_no_function_has_no_length() {
        let lines = "    x: u8,\n".repeat(90);
        assert!(check_text(&format!("struct A {{\n    run: fn(u8) -> u8,\n{lines}}}\n")).is_empty());
        assert!(check_text(&format!("trait A {{\n    fn run(&self);\n}}\nstruct B {{\n{lines}}}\n")).is_empty());
    }

    #[test]
    fn tests_may_be_long() {
        assert!(check_text(&format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function("fn story()", 200))).is_empty());
    }
}
