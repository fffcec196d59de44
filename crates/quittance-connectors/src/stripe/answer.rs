//! What a delivery tells us, as a fact.
//!
//! The rules are those of the answer table in the contract of exactly-once effects (Stripe v1). One addition: a 4xx
//! counts as Stripe's word only if its body is Stripe's error object. A page made by a proxy on the way is a lost
//! answer, because nobody who could know has said that nothing happened.

use quittance_core::fact::{Fact, Loss, Sighting};
use quittance_core::id::EffectId;
use serde_json::Value;

use super::decline::decline;
use super::object::{effect_id, short_text, sighting};
use crate::message::{Delivery, MAX_ANSWER_BYTES, Response};

/// What one delivery of a list request told us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListFact {
    /// A whole page.
    Page {
        /// The objects that could be read, in the page's order.
        sightings: Vec<Sighting>,
        /// The objects that could not (a currency that we do not know, say): they exist, so a sweep has to report
        /// them.
        unreadable: Vec<Unreadable>,
        /// Whether there is a page after this one.
        has_more: bool,
        /// Id of the page's last object, readable or not: what the next page starts after. None on an empty page.
        last_id: Option<String>,
    },
    /// No page; the fact says why and is never [`Fact::Seen`], [`Fact::Absent`] or [`Fact::Declined`].
    Failed(Fact),
}

/// An object of a list that is there and cannot be read as a payment intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The gateway's id of it.
    pub id: String,
    /// Our effect id, where its metadata carries one. Without one it is somebody else's, since we write ours into
    /// every object that we make.
    pub effect_id: Option<EffectId>,
}

/// What a request wanted: some statuses mean different things to a read and to a write.
#[derive(Clone, Copy)]
enum Intent {
    Read,
    Write,
    List,
}

/// Reads the delivery of a create, confirm or cancel.
///
/// Never [`Fact::Absent`]: a 404 to a write is a refusal of the request.
#[must_use]
pub fn decode_write(delivery: &Delivery) -> Fact {
    success(delivery).map_or_else(|| unsuccessful(delivery, Intent::Write), seen)
}

/// Reads the delivery of a read of one object.
///
/// A 404 is [`Fact::Absent`]. A 402 is [`Loss::Unclear`], since a read cannot be declined.
#[must_use]
pub fn decode_read(delivery: &Delivery) -> Fact {
    success(delivery).map_or_else(|| unsuccessful(delivery, Intent::Read), seen)
}

/// Reads the delivery of one page of a list.
///
/// A page whose frame is not readable, an element without an id, and a page that claims to have a successor while
/// naming no object to continue after, are [`Loss::Unreadable`].
#[must_use]
pub fn decode_list(delivery: &Delivery) -> ListFact {
    match success(delivery) {
        Some(response) => page(response).unwrap_or(ListFact::Failed(Fact::Lost(Loss::Unreadable))),
        None => ListFact::Failed(unsuccessful(delivery, Intent::List)),
    }
}

/// The answer, if it is a 2xx.
fn success(delivery: &Delivery) -> Option<&Response> {
    match delivery {
        Delivery::Answered(response) if (200..=299).contains(&response.status) => Some(response),
        Delivery::Answered(_) | Delivery::NotSent { .. } | Delivery::Lost { .. } => None,
    }
}

/// What a delivery without a 2xx says.
fn unsuccessful(delivery: &Delivery, intent: Intent) -> Fact {
    match delivery {
        Delivery::NotSent { .. } => Fact::NotSent,
        Delivery::Lost { loss, .. } => Fact::Lost(*loss),
        Delivery::Answered(response) => answered(response, intent),
    }
}

/// What an answer other than 2xx says.
fn answered(response: &Response, intent: Intent) -> Fact {
    match response.status {
        400..=404 | 409 | 429 => match error_object(response) {
            Some(error) => refusal(response, &error, intent),
            None => Fact::Lost(Loss::Unclear),
        },
        500 => Fact::Lost(Loss::ServerError),
        501..=599 => Fact::Lost(Loss::Unavailable),
        _ => Fact::Lost(Loss::Unclear),
    }
}

/// What a 4xx in Stripe's own words says.
fn refusal(response: &Response, error: &Value, intent: Intent) -> Fact {
    match (response.status, intent) {
        (401 | 403, _) => Fact::Unauthorised,
        (409, _) => Fact::InUse,
        (429, _) => Fact::Throttled { retry_after_ms: retry_after_ms(response) },
        (402, Intent::Write) => {
            Fact::Declined { decline: decline(error), sighting: sighting(&error["payment_intent"]) }
        }
        (402, Intent::Read | Intent::List) => Fact::Lost(Loss::Unclear),
        (404, Intent::Read) => Fact::Absent,
        _ if error["type"] == "idempotency_error" => Fact::KeyMismatch,
        _ => Fact::Refused {
            code: short_text(&error["code"])
                .or_else(|| short_text(&error["type"]))
                .unwrap_or_else(|| "unspecified".to_owned()),
            is_replayed: is_replayed(response),
            sighting: sighting(&error["payment_intent"]),
        },
    }
}

/// What a 2xx with one object says.
fn seen(response: &Response) -> Fact {
    match json(response).as_ref().and_then(sighting) {
        Some(sighting) => Fact::Seen(sighting),
        None => Fact::Lost(Loss::Unreadable),
    }
}

/// What a 2xx with a list says; nothing if it is not a list.
fn page(response: &Response) -> Option<ListFact> {
    let list = json(response)?;
    let has_more = list["has_more"].as_bool()?;
    let mut sightings = Vec::new();
    let mut unreadable = Vec::new();
    let mut last_id = None;
    for object in list["data"].as_array()? {
        let id = short_text(&object["id"])?;
        match sighting(object) {
            Some(sighting) => sightings.push(sighting),
            None => unreadable.push(Unreadable { id: id.clone(), effect_id: effect_id(object) }),
        }
        last_id = Some(id);
    }
    let is_endless = has_more && last_id.is_none();
    (!is_endless).then_some(ListFact::Page { sightings, unreadable, has_more, last_id })
}

/// Stripe's error object, if the body carries one.
fn error_object(response: &Response) -> Option<Value> {
    json(response)?.get_mut("error").filter(|error| error.is_object()).map(Value::take)
}

fn json(response: &Response) -> Option<Value> {
    if response.body.len() > MAX_ANSWER_BYTES {
        return None;
    }
    serde_json::from_slice(&response.body).ok()
}

fn is_replayed(response: &Response) -> bool {
    response.header("Idempotent-Replayed").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// `Retry-After` where it is a number of seconds. A date (RFC 9110, section 10.2.3) would need a clock: ignored.
fn retry_after_ms(response: &Response) -> Option<u64> {
    let value = response.header("Retry-After")?;
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u64 = is_number.then(|| value.parse().ok())??;
    Some(seconds.saturating_mul(1000))
}
