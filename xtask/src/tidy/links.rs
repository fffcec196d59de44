//! Relative links in Markdown lead to files that are in the repository. Addresses on the net and places within a page are not
//! followed.

use std::ops::Range;

use super::scan::line_of;
use super::{Rule, Violation};

/// Reports links of one page that lead nowhere; `paths` are all files of the repository.
pub(crate) fn check(path: &str, text: &str, paths: &[String], found: &mut Vec<Violation>) {
    let prose = without_code(text);
    for range in targets(&prose) {
        let target = &prose[range.clone()];
        let Some(wanted) = resolve(path, target) else {
            continue;
        };
        let folder = format!("{wanted}/");
        let exists = wanted.is_empty() || paths.iter().any(|path| *path == wanted || path.starts_with(&folder));
        if !exists {
            found.push(Violation {
                path: path.to_owned(),
                line: line_of(&prose, range.start),
                rule: Rule::Link,
                message: format!(
                    "`{target}` leads to `{wanted}`, which is not in the repository: correct or remove the link"
                ),
            });
        }
    }
}

/// The text with blanks in place of fenced blocks and code spans, in which nothing is a link.
fn without_code(text: &str) -> String {
    let mut prose = String::with_capacity(text.len());
    let mut fenced = false;
    for line in text.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        let mut in_span = false;
        for letter in line.chars() {
            if letter == '`' {
                in_span = !in_span;
            }
            let hidden = is_fence || fenced || in_span || letter == '`';
            if hidden && letter != '\n' {
                prose.extend(std::iter::repeat_n(' ', letter.len_utf8()));
            } else {
                prose.push(letter);
            }
        }
        fenced ^= is_fence;
    }
    prose
}

/// Where the targets of `[text](target)`, `![text](target "title")` and `[name]: target` stand.
fn targets(prose: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for marker in ["](", "]: "] {
        for (at, _) in prose.match_indices(marker) {
            let line_start = prose[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let is_definition = prose[line_start..at].trim_start().starts_with('[');
            if marker == "]: " && !is_definition {
                continue;
            }
            let start = at + marker.len();
            let end = prose[start..].find([')', ' ', '\n']).map_or(prose.len(), |length| start + length);
            ranges.push(start..end);
        }
    }
    ranges
}

/// The path within the repository that a link of the page at `path` leads to; none when it leads out of it.
fn resolve(path: &str, target: &str) -> Option<String> {
    let target = target.trim_start_matches('<').trim_end_matches('>');
    let file = target.split('#').next().unwrap_or_default();
    let is_elsewhere = file.contains("://") || file.starts_with("mailto:") || file.starts_with("//");
    if file.is_empty() || is_elsewhere {
        return None;
    }
    let mut parts: Vec<&str> = match file.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => path.split('/').collect(),
    };
    parts.pop();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => return Some(file.to_owned()),
            ".." => {}
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(path: &str, text: &str) -> Vec<usize> {
        let paths = ["README.md", "docs/GUIDE.md", "docs/images/flow.svg"].map(str::to_owned);
        let mut found = Vec::new();
        check(path, text, &paths, &mut found);
        found.into_iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn links_lead_to_files_and_folders() {
        assert!(dead("README.md", "[a](docs/GUIDE.md) [b](docs/) [c](./docs/GUIDE.md#top) [d](#here)\n").is_empty());
        assert!(dead("docs/GUIDE.md", "[a](../README.md) ![b](images/flow.svg \"Flow\") [c](/README.md)\n").is_empty());
        assert!(dead("README.md", "[a](https://example.com/x) <mailto:a@example.com>\n").is_empty());
    }

    #[test]
    fn dead_links_are_found() {
        assert_eq!(dead("README.md", "x\n[a](docs/GONE.md) and [b](GUIDE.md#x)\n"), [2, 2]);
        assert_eq!(dead("README.md", "[a][b]\n\n[b]: docs/GONE.md\n"), [3]);
        assert_eq!(dead("README.md", "[a](../../etc/passwd)\n"), [1]);
    }

    #[test]
    fn code_has_no_links() {
        assert!(dead("README.md", "`[a](b.md)`\n```rust\n[a](b.md)\n```\n").is_empty());
        assert_eq!(dead("README.md", "```text\n```\n\u{00e9}\n[a](b.md)\n"), [4]);
    }
}
