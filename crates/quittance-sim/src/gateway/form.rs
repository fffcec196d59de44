//! Bodies and queries as gateways read them: `name=value` pairs, percent-encoded.

use std::collections::BTreeMap;

/// Names and values.
pub(super) type Fields = BTreeMap<String, String>;

/// Reads a form; what is no pair is left out.
pub(super) fn parse(text: &str) -> Fields {
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (plain(name), plain(value))).collect()
}

/// The metadata of a form.
pub(super) fn metadata(fields: &Fields) -> Fields {
    let name = |name: &str| name.strip_prefix("metadata[")?.strip_suffix(']').map(str::to_owned);
    fields.iter().filter_map(|(field, value)| Some((name(field)?, value.clone()))).collect()
}

/// A whole number of a form.
pub(super) fn integer(fields: &Fields, name: &str) -> Option<i64> {
    fields.get(name)?.parse().ok()
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
