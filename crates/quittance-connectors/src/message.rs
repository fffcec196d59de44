//! What travels between us and a gateway, as plain values: requests, answers, and what became of a delivery.
//!
//! Owns the exact bytes of a request, its digest and its persisted form. Does not own connections, credentials or
//! time-outs: a transport adds the `Authorization` header when it sends, and reports a [`Delivery`].

use quittance_core::fact::Loss;
use sha2::{Digest, Sha256};

mod encoding;

pub(crate) use encoding::put_part;
pub use encoding::{DecodeError, MAX_REQUEST_BYTES};

/// Longest answer body that a transport reads, in bytes; beyond it the delivery is lost as unreadable.
///
/// A list page of 100 payment objects is some 300 KB; 4 MiB leaves room for metadata and expanded members.
pub const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// HTTP method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; may be repeated freely.
    Get,
    /// Writes; goes out under an idempotency key, where the gateway knows any.
    Post,
}

impl Method {
    /// The method's name on the wire (`GET`, `POST`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The headers of a dialect: the same for all of its requests, and never changed, since a replay goes out under them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Name of the one that carries the idempotency key of a write, in lower case; none where there are no keys.
    pub key: Option<&'static str>,
    /// Name of the one that carries the version of the API, in lower case; none where none is named.
    pub version: Option<&'static str>,
    /// The media type of the bodies.
    pub content_type: &'static str,
}

/// One request to a gateway, exactly as it is to be sent, without credentials.
///
/// The dialect's [`Headers`] say how key and version travel, and what a body is; an empty body goes out with length 0.
/// The request is persisted ([`Request::encode`]) before its first byte leaves, and a replay sends the persisted one: a release
/// that builds requests differently cannot change a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Path and query, percent-encoded (`/v1/payment_intents/pi_1`); never a scheme or a host.
    pub target: String,
    /// Body bytes; empty for reads.
    pub body: Vec<u8>,
    /// Value of the dialect's key header, set by the caller for writes ([`Request::with_key`]); none where it has no
    /// such header.
    pub idempotency_key: Option<String>,
    /// Value of the dialect's version header; empty where it has none.
    pub api_version: String,
}

impl Request {
    /// Returns the request under this idempotency key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// Returns the bytes that identify the request: a label, then method, target, version and body, each with its
    /// length.
    ///
    /// The idempotency key is left out because the ticket stores it beside the digest, and credentials are left out
    /// because rotating one must not change what was asked. The layout is fixed: stored digests depend on it.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = b"quittance-request-1\n".to_vec();
        for part in [self.method.as_str().as_bytes(), self.target.as_bytes(), self.api_version.as_bytes(), &self.body] {
            put_part(&mut bytes, part);
        }
        bytes
    }

    /// Returns the SHA-256 of [`Request::canonical_bytes`]: what a ticket stores to prove that a replay sends the
    /// same request.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.canonical_bytes()).into()
    }

    /// Returns the persisted form, version 1: everything in the request, the idempotency key too.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a persisted request back.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are of an unknown version, cut short, too long, or followed by anything.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        encoding::decode(bytes)
    }
}

/// A whole answer as a transport received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Header names and values in the order received; names in any case.
    pub headers: Vec<(String, String)>,
    /// Body bytes, at most [`MAX_ANSWER_BYTES`].
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// `Retry-After` where it is a number of seconds. A date (RFC 9110, section 10.2.3) would need a clock: ignored.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        let value = self.header("Retry-After")?;
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: u64 = is_number.then(|| value.parse().ok())??;
        Some(seconds.saturating_mul(1000))
    }
}

/// What became of one send.
///
/// The line between [`Delivery::NotSent`] and [`Delivery::Lost`] is the first byte of the request on the wire; a
/// transport that cannot tell says "lost".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A whole answer came.
    Answered(Response),
    /// No byte of the request left this machine: name not resolved, connection refused, TLS failed.
    NotSent {
        /// For people and logs; never branched on.
        reason: String,
    },
    /// Bytes left, or may have left, and no whole answer came.
    Lost {
        /// How.
        loss: Loss,
        /// For people and logs; never branched on.
        reason: String,
    },
}

impl Delivery {
    /// The answer, if it is a 2xx.
    pub(crate) fn success(&self) -> Option<&Response> {
        match self {
            Self::Answered(response) if (200..=299).contains(&response.status) => Some(response),
            Self::Answered(_) | Self::NotSent { .. } | Self::Lost { .. } => None,
        }
    }
}
