//! A webhook body, read as far as the inbox needs.
//!
//! Events are rendered under the endpoint's or the account's API version and never change, so as little as possible
//! is taken from them: who, what, and which of our requests caused it.

use quittance_core::fact::Sighting;
use serde::Deserialize;
use serde_json::Value;

use crate::stripe::TEXT_BYTES_MAX;
use crate::stripe::object::{short_text, sighting};

/// Longest webhook body that is read, in bytes.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// One event, as a hint at what to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event's id (`evt_…`), unique within (gateway, account).
    pub id: String,
    /// Its type (`payment_intent.succeeded`); any word is accepted.
    pub kind: String,
    /// The API version under which its object was rendered, if stated.
    pub api_version: Option<String>,
    /// When it was created, in seconds since the epoch. Never decides an order.
    pub created_seconds: i64,
    /// The connected account that it is about (`acct_…`), on platforms.
    pub account: Option<String>,
    /// Whether it is about live money.
    pub livemode: Option<bool>,
    /// Id of the object that it is about.
    pub object_id: Option<String>,
    /// The object as it was when the event was made, where it is a readable payment intent. Rendered under
    /// `api_version`, so `latest_charge` and the error digest must not be compared with those of a read.
    pub sighting: Option<Sighting>,
    /// `Idempotency-Key` of the API request that caused it, if one did.
    pub request_idempotency_key: Option<String>,
}

/// Why a body is not an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Longer than [`MAX_EVENT_BYTES`].
    #[error("event of {bytes} bytes is longer than {MAX_EVENT_BYTES}")]
    TooLong {
        /// How long it was.
        bytes: usize,
    },
    /// Not JSON, or without an id, a type and a creation time in seconds.
    #[error("webhook body is not an event")]
    NotAnEvent(#[source] serde_json::Error),
    /// The id or the type is empty or longer than 255 bytes.
    #[error("event has no usable {member}")]
    BadText {
        /// Which of the two.
        member: &'static str,
    },
}

/// The members read: the first three are demanded, the rest is taken where it has the expected form.
#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    #[serde(default)]
    api_version: Value,
    #[serde(default)]
    account: Value,
    #[serde(default)]
    livemode: Value,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    request: Value,
}

/// Reads a webhook body whose signature was verified.
///
/// Types that this version does not know, and objects that it cannot read, are tolerated: they leave `sighting` empty.
///
/// # Errors
/// [`EventError`] when the body is too long, no event, or names itself unusably; it will not become readable later.
pub fn decode_event(body: &[u8]) -> Result<Event, EventError> {
    if body.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLong { bytes: body.len() });
    }
    let envelope: Envelope = serde_json::from_slice(body).map_err(EventError::NotAnEvent)?;
    let object = &envelope.data["object"];
    let is_intent = object["object"] == "payment_intent";
    Ok(Event {
        id: usable(envelope.id, "id")?,
        kind: usable(envelope.kind, "type")?,
        api_version: short_text(&envelope.api_version),
        created_seconds: envelope.created,
        account: short_text(&envelope.account),
        livemode: envelope.livemode.as_bool(),
        object_id: short_text(&object["id"]),
        sighting: if is_intent { sighting(object) } else { None },
        request_idempotency_key: short_text(&envelope.request["idempotency_key"]),
    })
}

fn usable(text: String, member: &'static str) -> Result<String, EventError> {
    if (1..=TEXT_BYTES_MAX).contains(&text.len()) { Ok(text) } else { Err(EventError::BadText { member }) }
}
