//! The persisted form of a request, with its version.
//!
//! Version 1: `01`, method (`00` GET, `01` POST), then target, version header, key and body, each as a length
//! (LEB128) and its bytes. The key's length is stored plus one, so that 0 means "no key". Sample bytes stay in
//! `tests/it/message.rs` for ever: a release must be able to replay what an older one persisted.

use super::{Method, Request};

/// Longest persisted request that is read back, in bytes.
pub const MAX_REQUEST_BYTES: usize = 1024 * 1024;

const VERSION: u8 = 1;

/// Why persisted bytes are not a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_REQUEST_BYTES`].
    #[error("persisted request of {bytes} bytes is longer than {MAX_REQUEST_BYTES}")]
    TooLong {
        /// How long it was.
        bytes: usize,
    },
    /// Written by a release that this one does not know.
    #[error("persisted request has unknown version {version}")]
    UnknownVersion {
        /// The version found.
        version: u8,
    },
    /// The bytes end too early, name no method, or are not text where text belongs.
    #[error("persisted request is damaged in its {part}")]
    Damaged {
        /// The part that could not be read.
        part: &'static str,
    },
    /// Bytes follow the body.
    #[error("persisted request is followed by {bytes} more bytes")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

pub(super) fn encode(request: &Request) -> Vec<u8> {
    let mut bytes = vec![VERSION, method_byte(request.method)];
    put_part(&mut bytes, request.target.as_bytes());
    put_part(&mut bytes, request.api_version.as_bytes());
    match &request.idempotency_key {
        None => put_length(&mut bytes, 0),
        Some(key) => {
            put_length(&mut bytes, key.len() + 1);
            bytes.extend_from_slice(key.as_bytes());
        }
    }
    put_part(&mut bytes, &request.body);
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<Request, DecodeError> {
    if bytes.len() > MAX_REQUEST_BYTES {
        return Err(DecodeError::TooLong { bytes: bytes.len() });
    }
    let mut reader = Reader { rest: bytes };
    let version = reader.byte("version")?;
    if version != VERSION {
        return Err(DecodeError::UnknownVersion { version });
    }
    let method = match reader.byte("method")? {
        0 => Method::Get,
        1 => Method::Post,
        _ => return Err(DecodeError::Damaged { part: "method" }),
    };
    let target = reader.text("target")?;
    let api_version = reader.text("version header")?;
    let idempotency_key = reader.optional_text("idempotency key")?;
    let body = reader.part("body")?.to_vec();
    match reader.rest.len() {
        0 => Ok(Request { method, target, body, idempotency_key, api_version }),
        bytes => Err(DecodeError::Trailing { bytes }),
    }
}

const fn method_byte(method: Method) -> u8 {
    match method {
        Method::Get => 0,
        Method::Post => 1,
    }
}

/// Appends a part with its length before it, so that no two lists of parts give the same bytes.
pub(crate) fn put_part(bytes: &mut Vec<u8>, part: &[u8]) {
    put_length(bytes, part.len());
    bytes.extend_from_slice(part);
}

fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn byte(&mut self, part: &'static str) -> Result<u8, DecodeError> {
        let (first, rest) = self.rest.split_first().ok_or(DecodeError::Damaged { part })?;
        self.rest = rest;
        Ok(*first)
    }

    fn length(&mut self, part: &'static str) -> Result<usize, DecodeError> {
        // Three groups of seven bits hold every length up to MAX_REQUEST_BYTES; a longer form is damage.
        let mut length = 0;
        for shift in [0, 7, 14] {
            let byte = self.byte(part)?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(length);
            }
        }
        Err(DecodeError::Damaged { part })
    }

    fn take(&mut self, length: usize, part: &'static str) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Damaged { part })?;
        self.rest = rest;
        Ok(taken)
    }

    fn part(&mut self, part: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.length(part)?;
        self.take(length, part)
    }

    fn text(&mut self, part: &'static str) -> Result<String, DecodeError> {
        text(self.part(part)?, part)
    }

    fn optional_text(&mut self, part: &'static str) -> Result<Option<String>, DecodeError> {
        match self.length(part)?.checked_sub(1) {
            None => Ok(None),
            Some(length) => text(self.take(length, part)?, part).map(Some),
        }
    }
}

fn text(bytes: &[u8], part: &'static str) -> Result<String, DecodeError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| DecodeError::Damaged { part })
}
