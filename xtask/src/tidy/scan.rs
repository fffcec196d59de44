//! Cuts Rust source into code, comments and string literals, without parsing it: enough to look for words in the right place
//! and to find where a brace closes. Knows nested comments, raw strings, character literals and lifetimes.

use std::ops::Range;

/// A Rust file and its three masks. Each mask has the length and the lines of the text, with blanks where it shows nothing.
pub(crate) struct Source<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    pub(crate) code: String,
    pub(crate) comments: String,
    pub(crate) strings: String,
    /// Byte ranges of the items under `#[cfg(test)]`.
    tests: Vec<Range<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Code,
    Comment,
    Literal,
}

impl<'a> Source<'a> {
    pub(crate) fn new(path: &'a str, text: &'a str) -> Self {
        let classes = classify(text.as_bytes());
        let code = mask(text, &classes, Class::Code);
        let tests = test_items(&code);
        Self {
            path,
            text,
            comments: mask(text, &classes, Class::Comment),
            strings: mask(text, &classes, Class::Literal),
            code,
            tests,
        }
    }

    /// Whether the whole file is only compiled for tests.
    pub(crate) fn is_test_file(&self) -> bool {
        let mut folders = self.path.split('/');
        let name = folders.next_back().unwrap_or_default();
        name == "tests.rs" || folders.any(|folder| folder == "tests" || folder == "benches")
    }

    /// Whether the byte at this offset is only compiled for tests.
    pub(crate) fn is_test(&self, offset: usize) -> bool {
        self.is_test_file() || self.tests.iter().any(|range| range.contains(&offset))
    }

    /// Lines that are not inside an item under `#[cfg(test)]`.
    pub(crate) fn lines_outside_tests(&self) -> usize {
        let inside: usize = self.tests.iter().map(|range| self.text[range.clone()].lines().count()).sum();
        self.text.lines().count().saturating_sub(inside)
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        line_of(self.text, offset)
    }
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
}

/// Offsets at which `word` stands on its own: not as a part of a longer name.
pub(crate) fn occurrences(text: &str, word: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let starts_name = word.bytes().next().is_some_and(is_name);
    let ends_name = word.bytes().next_back().is_some_and(is_name);
    text.match_indices(word)
        .map(|(start, _)| start)
        .filter(|start| !starts_name || *start == 0 || !is_name(bytes[start - 1]))
        .filter(|start| !ends_name || bytes.get(start + word.len()).is_none_or(|next| !is_name(*next)))
        .collect()
}

/// Where the bracket that opens at `open` is closed, in masked code; the end of the text when it never is.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return offset;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Where the item that begins at `start` opens its body, or ends without one: a `{` or `;` outside all brackets.
pub(crate) fn body_or_end(code: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' | b';' if depth == 0 => return Some(offset),
            _ => {}
        }
    }
    None
}

fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn classify(bytes: &[u8]) -> Vec<Class> {
    let mut classes = vec![Class::Code; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let (class, end) = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => (Class::Comment, line_end(bytes, at)),
            b'/' if bytes.get(at + 1) == Some(&b'*') => (Class::Comment, block_end(bytes, at)),
            b'"' => (Class::Literal, quoted_end(bytes, at, b'"')),
            b'r' if starts_raw(bytes, at) => (Class::Literal, raw_end(bytes, at)),
            b'\'' if starts_character(bytes, at) => (Class::Literal, quoted_end(bytes, at, b'\'')),
            _ => (Class::Code, at + 1),
        };
        classes[at..end].fill(class);
        at = end;
    }
    classes
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn block_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn quoted_end(bytes: &[u8], open: usize, quote: u8) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `r"`, `r#"`, `br"`, `cr#"`, but neither `r#type` nor a name that ends in r.
fn starts_raw(bytes: &[u8], at: usize) -> bool {
    let prefix = match at.checked_sub(1).map(|before| bytes[before]) {
        Some(b'b' | b'c') => at - 1,
        _ => at,
    };
    let part_of_name = prefix > 0 && is_name(bytes[prefix - 1]);
    let after = bytes[at + 1..].iter().find(|byte| **byte != b'#');
    !part_of_name && after == Some(&b'"')
}

fn raw_end(bytes: &[u8], at: usize) -> usize {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let body = at + hashes + 2;
    let length = bytes[body..].windows(close.len()).position(|window| window == close);
    length.map_or(bytes.len(), |length| body + length + close.len())
}

/// A quote opens a character when it is escaped or closed after one character; otherwise it begins a lifetime.
fn starts_character(bytes: &[u8], at: usize) -> bool {
    let Some(first) = bytes.get(at + 1) else {
        return false;
    };
    let width = match first {
        b'\\' => return true,
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    };
    bytes.get(at + 1 + width) == Some(&b'\'')
}

fn mask(text: &str, classes: &[Class], shown: Class) -> String {
    let show = |(byte, class): (u8, &Class)| {
        if *class == shown || byte == b'\n' { byte } else { b' ' }
    };
    let bytes: Vec<u8> = text.bytes().zip(classes).map(show).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for attribute in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (start, _) in code.match_indices(attribute) {
            let after = closing(code, start + 1);
            let Some(body) = body_or_end(code, after + 1) else {
                continue;
            };
            let end = if code.as_bytes()[body] == b'{' { closing(code, body) } else { body };
            items.push(start..(end + 1).min(code.len()));
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str) {
        let source = Source::new("src/lib.rs", text);
        assert_eq!(source.code, code);
        assert_eq!(source.comments.len(), text.len());
    }

    #[test]
    fn strings_and_comments_are_not_code() {
        check("a /* b /* c */ d */ e", "a                   e");
        check("f(\"}\\\"{\") // {", "f(      )     ");
        check("r#\"a\"b\"# c", "         c");
        check("r#type + bar\"x\"", "r#type + bar   ");
        check("br\"\\\" x", "b     x");
    }

    #[test]
    fn lifetimes_are_code_and_characters_are_not() {
        check("fn a<'b>(c: &'b str) -> char { '{' }", "fn a<'b>(c: &'b str) -> char {     }");
        check(r"'\'' x '\u{7d}' y", "     x          y");
        check("'é' z", "     z");
        check("b'\"' z", "b    z");
    }

    #[test]
    fn an_unfinished_literal_ends_with_the_file() {
        check("a \"b", "a   ");
        check("a /* b", "a     ");
        check("a \"b\\", "a    ");
    }

    #[test]
    fn test_items_are_known() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod more;\n";
        let source = Source::new("src/lib.rs", text);
        let is_test = |part: &str| source.is_test(text.find(part).unwrap());
        assert!(!is_test("fn a"));
        assert!(is_test("fn b"));
        assert!(!is_test("fn c"));
        assert!(is_test("more"));
        assert_eq!(source.lines_outside_tests(), 2);
    }

    #[test]
    fn test_files_are_known_by_their_path() {
        for (path, expected) in [
            ("crates/a/tests/it/main.rs", true),
            ("crates/a/src/book/tests.rs", true),
            ("crates/a/src/tests_of_others.rs", false),
            ("crates/a/src/lib.rs", false),
        ] {
            assert_eq!(Source::new(path, "").is_test_file(), expected, "{path}");
        }
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(occurrences("f64 af64 f64x (f64)", "f64"), [0, 15]);
        assert_eq!(occurrences("std::fs::read std::fsx", "std::fs"), [0]);
    }
}
