//! What every dialect in JSON needs to read an answer: its body, and texts that are short enough to be kept.

use serde_json::Value;

use crate::message::{MAX_ANSWER_BYTES, Response};

/// Longest id, reference or code that is accepted from a gateway, in bytes; Stripe documents 255 for ids.
pub(crate) const TEXT_BYTES_MAX: usize = 255;

/// The body of an answer, if it is JSON.
pub(crate) fn body(response: &Response) -> Option<Value> {
    if response.body.len() > MAX_ANSWER_BYTES {
        return None;
    }
    serde_json::from_slice(&response.body).ok()
}

/// A string that is neither empty nor too long to be an id or a code.
pub(crate) fn short_text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| (1..=TEXT_BYTES_MAX).contains(&text.len())).map(str::to_owned)
}
