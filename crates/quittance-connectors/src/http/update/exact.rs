//! Numbers that are another decimal once they were read as JSON is: longer than a double holds. Does not own what is done then.

use quittance_core::record::number::Number;
use serde_json::Value as Json;

/// The first number of a text in JSON that reading it, and writing it again, would change.
pub(super) fn first_inexact(text: &[u8]) -> Option<String> {
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => after_text(after),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
                let number = String::from_utf8_lossy(&rest[..length]);
                if !is_exact(&number) {
                    return Some(number.into_owned());
                }
                &rest[length..]
            }
            _ => after,
        };
    }
    None
}

/// What follows a text, of which the quotation mark that begins it is left out.
fn after_text(text: &[u8]) -> &[u8] {
    let mut is_escaped = false;
    let end = text.iter().position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(&[], |end| &text[end + 1..])
}

fn is_exact(number: &str) -> bool {
    let Ok(json) = serde_json::from_str::<Json>(number) else { return false };
    let again = json.to_string();
    Number::parse(&again).is_some_and(|again| Some(again) == Number::parse(number))
}

#[cfg(test)]
mod tests {
    use super::first_inexact;

    #[test]
    fn a_number_that_reading_changes_is_found_and_a_text_is_none() {
        for text in [
            "{}",
            r#"{"a": 1, "b": [-2.50, 1e3, 0.1], "c": 18446744073709551615}"#,
            r#"{"a": "0.12345678901234567890123", "b\"0.12345678901234567890123": true}"#,
            r#"{"a": "\\", "b": 19.99}"#,
        ] {
            assert_eq!(first_inexact(text.as_bytes()), None, "{text}");
        }
        for (text, number) in [
            (r#"{"a": 0.12345678901234567890123}"#, "0.12345678901234567890123"),
            (r#"{"a": "\\", "b": [1, 123456789012345678901234567890]}"#, "123456789012345678901234567890"),
            (r#"[1e999]"#, "1e999"),
        ] {
            assert_eq!(first_inexact(text.as_bytes()).as_deref(), Some(number), "{text}");
        }
    }
}
