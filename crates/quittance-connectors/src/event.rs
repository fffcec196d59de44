//! An event of a gateway, read as far as the inbox needs: a hint at what to fetch.
//!
//! Events are rendered when they are made and never change, so as little as possible is taken from them: who, what, and
//! which of our requests caused it.

use quittance_core::fact::ObjectKind;
use quittance_core::id::EffectId;

use crate::connector::Seen;

/// Longest webhook body that is read, in bytes.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// One event.
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
    /// What kind of object that is, where it is one that we know how to read; also where this one cannot be.
    pub object_kind: Option<ObjectKind>,
    /// Our effect id, where the object carries one; also where it cannot be read.
    pub effect_id: Option<EffectId>,
    /// The object as it was when the event was made, where it can be read. Rendered under
    /// `api_version`, so `latest_charge` and the error digest must not be compared with those of a read.
    pub seen: Option<Seen>,
    /// The key of the API request that caused it, if one did.
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
    /// This gateway sends no events.
    #[error("this gateway sends no events")]
    NoEvents,
}
