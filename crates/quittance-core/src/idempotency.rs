//! Idempotency: keys, fingerprints, and what a key that was seen before means.

use crate::id::{ApiKeyId, CommandId, TenantId};
use crate::mutation::{self, Mutation};
use crate::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 255;

/// Version of the fingerprint's recipe.
pub const FINGERPRINT_VERSION: i64 = 1;

/// A client's idempotency key: 1 to 255 bytes of visible ASCII without `"` and `\`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Why a header holds no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing in it.
    #[error("the key is empty")]
    Empty,
    /// More than 255 bytes.
    #[error("the key is longer than 255 bytes")]
    TooLong,
    /// A byte outside visible ASCII, or a quote or backslash.
    #[error("the key may hold visible ASCII only, without quotes and backslashes")]
    BadCharacter,
    /// A quote without its partner.
    #[error("the key has an unpaired quote")]
    UnpairedQuote,
}

impl Key {
    /// Reads a header's value: a structured field string (`"abc"`) or the bare form (`abc`); both mean `abc`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] names what is wrong.
    pub fn parse(header: &str) -> Result<Self, KeyError> {
        let text = header.trim_matches([' ', '\t']);
        let text = match (text.strip_prefix('"'), text.strip_suffix('"')) {
            (Some(_), Some(_)) if text.len() >= 2 => &text[1..text.len() - 1],
            (None, None) => text,
            _ => return Err(KeyError::UnpairedQuote),
        };
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.len() > KEY_BYTES_MAX {
            return Err(KeyError::TooLong);
        }
        if text.bytes().any(|b| !(0x21..=0x7e).contains(&b) || b == b'"' || b == b'\\') {
            return Err(KeyError::BadCharacter);
        }
        Ok(Self(text.to_owned()))
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Sixteen bytes that stand for the key in the narrow index; the whole key is compared wherever they match.
    #[must_use]
    pub fn digest(&self) -> [u8; 16] {
        digest16(self.0.as_bytes())
    }
}

/// The first sixteen bytes of SHA-256.
#[must_use]
pub fn digest16(bytes: &[u8]) -> [u8; 16] {
    let full: [u8; 32] = Sha256::digest(bytes).into();
    let mut short = [0; 16];
    short.copy_from_slice(&full[..16]);
    short
}

/// What a request asks for, in the parts that make two requests the same.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Route template (`/v1/payments/{id}`).
    pub route: &'a str,
    /// Path parameters, sorted by name.
    pub path: &'a [(&'a str, &'a str)],
    /// Query parameters, sorted.
    pub query: &'a [(&'a str, &'a str)],
    /// Media type of the body.
    pub media_type: &'a str,
    /// The body in canonical form (RFC 8785).
    pub canonical_body: &'a [u8],
}

/// HMAC-SHA256 over a request's shape, keyed per tenant: bodies can be guessed, and destroying the key erases.
#[must_use]
pub fn fingerprint(secret: &[u8; 32], shape: &Shape<'_>) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    let pairs = |pairs: &[(&str, &str)]| {
        let mut text = String::new();
        for (name, value) in pairs {
            // Lengths keep `a=b&c` apart from a value that contains the separators.
            text.push_str(&format!("{}:{name}={}:{value};", name.len(), value.len()));
        }
        text
    };
    let head = [shape.method, shape.route, &pairs(shape.path), &pairs(shape.query), shape.media_type];
    mac.update(b"fp1\n");
    for part in head {
        mac.update(part.as_bytes());
        mac.update(b"\n");
    }
    mac.update(shape.canonical_body);
    mac.finalize().into_bytes().into()
}

/// A client's command: what was asked, under which key, and the answer every retry gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its id; also the correlation id's number.
    pub id: CommandId,
    /// The tenant, within which the key is unique.
    pub tenant: TenantId,
    /// The client's key.
    pub key: String,
    /// Method and route template.
    pub operation: String,
    /// Fingerprint of the request.
    pub fingerprint: [u8; 32],
    /// Recipe of the fingerprint.
    pub fingerprint_version: i64,
    /// Where it stands.
    pub progress: Progress,
    /// The resource it made (`pay_…`).
    pub subject: Option<String>,
    /// The credential that sent it.
    pub credential: Option<ApiKeyId>,
    /// The API version its answer is rendered in.
    pub api_version: String,
    /// When it was accepted.
    pub received_at: Timestamp,
}

/// Where a command stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its outcome is open.
    InProgress,
    /// Its answer is frozen: every retry gets these bytes.
    Completed {
        /// HTTP status.
        status: u16,
        /// The body, byte for byte.
        body: Vec<u8>,
        /// When.
        at: Timestamp,
    },
    /// The answer was dropped after its retention; the key still stands for what it began.
    Tombstone {
        /// When it had been completed.
        at: Timestamp,
    },
}

/// What a key means now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Never seen: go ahead.
    Fresh,
    /// The same request, finished: the stored answer.
    Replay(&'a Command),
    /// The same request, still running: join it.
    InProgress(&'a Command),
    /// The same request, whose answer is gone.
    Expired(&'a Command),
    /// Another request under the same key.
    Reused,
}

/// Judges a request by what is stored under its key.
#[must_use]
pub fn verdict<'a>(stored: Option<&'a Command>, key: &Key, operation: &str, fingerprint: &[u8; 32]) -> Verdict<'a> {
    let Some(command) = stored else {
        return Verdict::Fresh;
    };
    let is_other = command.operation != operation || command.fingerprint != *fingerprint;
    if command.key != key.as_str() || is_other && !mutation::is(Mutation::FingerprintUncompared) {
        return Verdict::Reused;
    }
    match command.progress {
        Progress::InProgress => Verdict::InProgress(command),
        Progress::Completed { .. } => Verdict::Replay(command),
        Progress::Tombstone { .. } => Verdict::Expired(command),
    }
}
