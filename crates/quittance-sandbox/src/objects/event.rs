//! Owns: the event's members and JSON. Does not own: its delivery.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// The version that events are rendered at: what stripe-python 16.1.0 pins.
pub(crate) const API_VERSION: &str = "2026-10-28.endive";

/// The API request that caused an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Origin {
    pub(crate) id: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) kind: &'static str,
    /// A snapshot: later changes of the object do not change it.
    pub(crate) object: Box<RawValue>,
    pub(crate) origin: Origin,
    pub(crate) pending_webhooks: AtomicU32,
}

impl Event {
    /// Every webhook arrived, or none was needed.
    pub(crate) fn is_delivered(&self) -> bool {
        self.pending_webhooks.load(Ordering::Relaxed) == 0
    }
}

#[derive(serde::Serialize)]
struct Data<'a> {
    object: &'a RawValue,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "event")?;
        map.serialize_entry("api_version", API_VERSION)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("data", &Data { object: &self.object })?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("pending_webhooks", &self.pending_webhooks.load(Ordering::Relaxed))?;
        map.serialize_entry("request", &self.origin)?;
        map.serialize_entry("type", self.kind)?;
        map.end()
    }
}
