//! Values as bytes: keys that sort, and fields that are compared without being decoded.
//!
//! Both encodings are one-to-one. They live in memory and in files of one run, never longer: nothing stored depends on
//! them.

use super::number::Number;
use super::value::{Type, Value};
use crate::time::Timestamp;

const ABSENT: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
/// A whole number of 64 bits: eight bytes, biased so that they sort as the numbers do.
const INTEGER: u8 = 4;
const NUMBER: u8 = 5;
const TEXT: u8 = 6;
const UNTYPED: u8 = 7;
const TIMESTAMP: u8 = 8;
const DATE: u8 = 9;
const BYTES: u8 = 10;
const JSON: u8 = 11;

/// Appends a key: each of its values in turn. Says whether it is whole; with a part that is nothing there is no key,
/// and nothing is appended.
///
/// Whole numbers, texts (by bytes) and moments sort as they are. Undeclared text is a key like text, because the other
/// side of a match has the same text or none.
#[must_use]
pub fn encode_key<'a>(parts: impl Iterator<Item = &'a Value<'a>>, out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    for part in parts {
        match part {
            Value::Absent | Value::Null => {
                out.truncate(begin);
                return false;
            }
            Value::Untyped(text) => tagged_key(TEXT, text.as_bytes(), out),
            Value::Text(text) => tagged_key(TEXT, text.as_bytes(), out),
            Value::Date(text) => tagged_key(DATE, text.as_bytes(), out),
            Value::Json(text) => tagged_key(JSON, text.as_bytes(), out),
            Value::Bytes(bytes) => tagged_key(BYTES, bytes, out),
            Value::Number(number) if number.to_integer().is_none() => {
                tagged_key(NUMBER, number.as_str().as_bytes(), out)
            }
            Value::Number(_) | Value::Boolean(_) | Value::Timestamp(_) => encode_value(part, out),
        }
    }
    true
}

/// A zero ends a part and is doubled inside it, so that `("a", "b")` and `("ab", "")` differ and shorter sorts first.
fn tagged_key(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(0xff);
        }
    }
    out.extend([0, 0]);
}

/// Reads a key back into its parts.
///
/// # Panics
///
/// When the bytes were not made by [`encode_key`].
#[must_use]
pub fn decode_key(mut bytes: &[u8]) -> Vec<Value<'static>> {
    let mut parts = Vec::new();
    while let Some((&tag, rest)) = bytes.split_first() {
        if matches!(tag, FALSE | TRUE | INTEGER | TIMESTAMP) {
            let value = decode_value(&mut bytes);
            parts.push(value.into_owned());
            continue;
        }
        let (content, after) = untangled(rest);
        parts.push(from_parts(tag, &content).into_owned());
        bytes = after;
    }
    parts
}

/// The types of a key's parts, without taking its values out. Undeclared text counts as text, as which it is matched.
///
/// # Panics
///
/// When the bytes were not made by [`encode_key`].
pub fn key_types(mut bytes: &[u8]) -> impl Iterator<Item = Type> {
    std::iter::from_fn(move || {
        let (&tag, rest) = bytes.split_first()?;
        let length = match tag {
            FALSE | TRUE => 0,
            INTEGER | TIMESTAMP => 8,
            _ => tagged_length(rest),
        };
        bytes = &rest[length..];
        Some(match tag {
            FALSE | TRUE => Type::Boolean,
            INTEGER | NUMBER => Type::Number,
            TIMESTAMP => Type::Timestamp,
            DATE => Type::Date,
            BYTES => Type::Bytes,
            JSON => Type::Json,
            _ => Type::Text,
        })
    })
}

/// How long a part is that ends with two zeros; one that is followed by 255 belongs to it.
fn tagged_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match (bytes[at], bytes[at + 1]) {
            (0, 0) => return at + 2,
            (0, _) => at += 2,
            _ => at += 1,
        }
    }
}

fn untangled(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        match (bytes[at], bytes.get(at + 1)) {
            (0, Some(0)) => return (content, &bytes[at + 2..]),
            (0, _) => at += 2,
            _ => {
                at += 1;
                content.push(bytes[at - 1]);
                continue;
            }
        }
        content.push(0);
    }
}

/// Appends one value, with its length, so that values can follow each other.
pub fn encode_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Absent => out.push(ABSENT),
        Value::Null => out.push(NULL),
        Value::Boolean(it) => out.push(if *it { TRUE } else { FALSE }),
        Value::Number(number) => match number.to_integer() {
            Some(integer) => fixed(INTEGER, integer, out),
            None => sized(NUMBER, number.as_str().as_bytes(), out),
        },
        Value::Text(text) => sized(TEXT, text.as_bytes(), out),
        Value::Untyped(text) => sized(UNTYPED, text.as_bytes(), out),
        Value::Timestamp(at) => fixed(TIMESTAMP, at.0, out),
        Value::Date(text) => sized(DATE, text.as_bytes(), out),
        Value::Bytes(bytes) => sized(BYTES, bytes, out),
        Value::Json(text) => sized(JSON, text.as_bytes(), out),
    }
}

fn fixed(tag: u8, number: i64, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend((number.cast_unsigned() ^ (1 << 63)).to_be_bytes());
}

fn sized(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    // A value of more than 4 GiB is refused long before it comes here: a row has a limit.
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}

/// Takes one value off the front.
///
/// # Panics
///
/// When the bytes were not made by [`encode_value`].
#[must_use]
pub fn decode_value<'a>(bytes: &mut &'a [u8]) -> Value<'a> {
    let tag = bytes[0];
    let all: &'a [u8] = &bytes[1..];
    let length = match tag {
        ABSENT | NULL | FALSE | TRUE => 0,
        INTEGER | TIMESTAMP => 8,
        _ => 4 + u32::from_le_bytes([all[0], all[1], all[2], all[3]]) as usize,
    };
    *bytes = &all[length..];
    let content = &all[..length];
    match tag {
        INTEGER | TIMESTAMP | ABSENT | NULL | FALSE | TRUE => from_fixed(tag, content),
        _ => from_parts(tag, &content[4..]),
    }
}

fn from_fixed(tag: u8, content: &[u8]) -> Value<'static> {
    let number = || {
        let bytes: [u8; 8] = content.try_into().expect("its tag says eight bytes");
        (u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed()
    };
    match tag {
        ABSENT => Value::Absent,
        NULL => Value::Null,
        FALSE | TRUE => Value::Boolean(tag == TRUE),
        INTEGER => Value::integer(number()),
        _ => Value::Timestamp(Timestamp(number())),
    }
}

fn from_parts(tag: u8, content: &[u8]) -> Value<'_> {
    if tag == BYTES {
        return Value::Bytes(content.into());
    }
    let text = std::str::from_utf8(content).expect("it was encoded from text");
    match tag {
        NUMBER => Value::Number(Number::trusted(text)),
        TEXT => Value::Text(text.into()),
        UNTYPED => Value::Untyped(text.into()),
        DATE => Value::Date(text.into()),
        JSON => Value::Json(text.into()),
        _ => panic!("no value has the tag {tag}"),
    }
}
