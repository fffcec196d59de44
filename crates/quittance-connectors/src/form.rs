//! Percent-encoding and form bodies, in the order in which they are written.

use std::fmt::Write as _;

/// Collects `name=value` pairs, in order.
#[derive(Default)]
pub(crate) struct Form {
    text: String,
}

impl Form {
    /// Appends a pair. The name is written as it stands and has to be plain; the value is encoded.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(name);
        self.text.push('=');
        push_encoded(&mut self.text, value);
    }

    /// Appends a pair if there is a value.
    pub(crate) fn add_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// Appends `name[key]=value`; the key may be anything.
    pub(crate) fn add_member(&mut self, name: &str, key: &str, value: &str) {
        self.add(&format!("{name}[{}]", encoded(key)), value);
    }

    /// Appends `metadata[key]=value`.
    pub(crate) fn add_metadata(&mut self, key: &str, value: &str) {
        self.add_member("metadata", key, value);
    }

    /// The pairs as text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// Encodes a text for use as one path segment, one query value or one form value.
pub(crate) fn encoded(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    push_encoded(&mut output, text);
    output
}

/// Everything but RFC 3986 "unreserved" becomes `%XX`; a space becomes `%20`, which both forms and paths allow.
fn push_encoded(output: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            output.push(char::from(byte));
        } else {
            write!(output, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
}
