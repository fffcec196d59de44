//! Canonical JSON (RFC 8785) where it is looked into without being parsed.

/// The elements of an array in canonical text, each as it is written; none where it is no array.
#[must_use]
pub fn elements(text: &str) -> Option<Vec<&str>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let (mut found, mut begin, mut depth) = (Vec::new(), 0, 0_usize);
    let (mut is_text, mut is_escaped) = (false, false);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                found.push(&inner[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if !inner.is_empty() {
        found.push(&inner[begin..]);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::elements;

    #[test]
    fn commas_within_elements_are_theirs() {
        for (text, expected) in [
            ("[]", Some(vec![])),
            ("[1]", Some(vec!["1"])),
            (
                r#"["a,b","c\",\"d",[1,2],{"e":[3,4],"f":"]"}]"#,
                Some(vec![r#""a,b""#, r#""c\",\"d""#, "[1,2]", r#"{"e":[3,4],"f":"]"}"#]),
            ),
            ("{}", None),
            ("[]]", None),
        ] {
            assert_eq!(elements(text), expected, "{text}");
        }
    }
}
