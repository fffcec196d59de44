//! An event, from a webhook's body or from the log of events, read as far as the inbox needs.
//!
//! Events are rendered under the endpoint's or the account's API version and never change, so as little as possible
//! is taken from them: who, what, and which of our requests caused it.

use serde::Deserialize;
use serde_json::Value;

use crate::event::{Event, EventError, MAX_EVENT_BYTES};
use crate::json::{TEXT_BYTES_MAX, short_text};
use crate::stripe::object::{effect_id, kind, read};

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

/// Reads an event. Its object is read by what it says of itself.
///
/// Types that this version does not know, and objects that it cannot read, are tolerated: they leave `seen` empty. What
/// kind of object it is, and whose, is said all the same.
pub(in crate::stripe) fn decode_event(body: &[u8]) -> Result<Event, EventError> {
    if body.len() > MAX_EVENT_BYTES {
        return Err(EventError::TooLong { bytes: body.len() });
    }
    let envelope: Envelope = serde_json::from_slice(body).map_err(EventError::NotAnEvent)?;
    let object = &envelope.data["object"];
    let object_kind = kind(object);
    Ok(Event {
        id: usable(envelope.id, "id")?,
        kind: usable(envelope.kind, "type")?,
        api_version: short_text(&envelope.api_version),
        created_seconds: envelope.created,
        account: short_text(&envelope.account),
        livemode: envelope.livemode.as_bool(),
        object_id: short_text(&object["id"]),
        object_kind,
        effect_id: effect_id(object),
        seen: object_kind.and_then(|kind| read(kind, object)),
        request_idempotency_key: short_text(&envelope.request["idempotency_key"]),
    })
}

fn usable(text: String, member: &'static str) -> Result<String, EventError> {
    if (1..=TEXT_BYTES_MAX).contains(&text.len()) { Ok(text) } else { Err(EventError::BadText { member }) }
}
