//! Arrays in statements.

use super::quote::literal;

/// A literal array of texts that are values of `element_type`; none of them is NULL.
pub(super) fn array<'a>(elements: impl Iterator<Item = &'a str>, element_type: &str) -> String {
    let mut text = String::from("{");
    for element in elements {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        for letter in element.chars() {
            if matches!(letter, '"' | '\\') {
                text.push('\\');
            }
            text.push(letter);
        }
        text.push('"');
    }
    text.push('}');
    format!("{}::{element_type}[]", literal(&text))
}
