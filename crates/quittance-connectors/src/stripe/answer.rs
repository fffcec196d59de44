//! What a delivery tells us, as a fact.
//!
//! The rules are those of the answer table in the contract of exactly-once effects (Stripe v1). One addition: a 4xx
//! counts as Stripe's word only if its body is Stripe's error object. A page made by a proxy on the way is a lost
//! answer, because nobody who could know has said that nothing happened.

use quittance_core::fact::{Fact, Loss, ObjectKind, Sighting};
use serde_json::Value;

use super::decline::decline;
use super::object::{carried_intent, kind as kind_of, read};
use crate::connector::Seen;
use crate::json::{self, short_text};
use crate::message::{Delivery, Response};

mod page;

pub(super) use page::{decode_endpoints, decode_events, decode_page};

/// What a request wanted: some statuses mean different things to a read and to a write.
#[derive(Clone, Copy)]
enum Want {
    Read(ObjectKind),
    Write(ObjectKind),
    List,
}

/// Reads the delivery of a write about an object of this kind.
///
/// Never [`Fact::Absent`]: a 404 to a write is a refusal of the request. A charge is released by a refund, so that a
/// refund is a readable answer where a charge is written to.
pub(super) fn decode_write(kind: ObjectKind, delivery: &Delivery) -> Fact {
    let Some(response) = delivery.success() else {
        return unsuccessful(delivery, Want::Write(kind));
    };
    seen(response, |object| match (kind, kind_of(object)) {
        (ObjectKind::Charge, Some(ObjectKind::Refund)) => ObjectKind::Refund,
        _ => kind,
    })
}

/// Reads the delivery of a read of one object.
///
/// A 404 is [`Fact::Absent`]. A 402 is [`Loss::Unclear`], since a read cannot be declined.
pub(super) fn decode_read(kind: ObjectKind, delivery: &Delivery) -> Fact {
    match delivery.success() {
        Some(response) => seen(response, |_| kind),
        None => unsuccessful(delivery, Want::Read(kind)),
    }
}

/// What a delivery without a 2xx says.
fn unsuccessful(delivery: &Delivery, want: Want) -> Fact {
    match delivery {
        Delivery::NotSent { .. } => Fact::NotSent,
        Delivery::Lost { loss, .. } => Fact::Lost(*loss),
        Delivery::Answered(response) => answered(response, want),
    }
}

/// What an answer other than 2xx says.
fn answered(response: &Response, want: Want) -> Fact {
    match response.status {
        400..=404 | 409 | 429 => match error_object(response) {
            Some(error) => refusal(response, &error, want),
            None => Fact::Lost(Loss::Unclear),
        },
        500 => Fact::Lost(Loss::ServerError),
        501..=599 => Fact::Lost(Loss::Unavailable),
        _ => Fact::Lost(Loss::Unclear),
    }
}

/// What a 4xx in Stripe's own words says.
fn refusal(response: &Response, error: &Value, want: Want) -> Fact {
    match (response.status, want) {
        (401 | 403, _) => Fact::Unauthorised,
        (409, _) => Fact::InUse,
        (429, _) => Fact::Throttled { retry_after_ms: response.retry_after_ms() },
        (402, Want::Write(_)) => Fact::Declined { decline: decline(error), sighting: carried(error, want) },
        (402, Want::Read(_) | Want::List) => Fact::Lost(Loss::Unclear),
        (404, Want::Read(_)) => Fact::Absent,
        _ if error["type"] == "idempotency_error" => Fact::KeyMismatch,
        _ => Fact::Refused {
            code: short_text(&error["code"])
                .or_else(|| short_text(&error["type"]))
                .unwrap_or_else(|| "unspecified".to_owned()),
            is_replayed: is_replayed(response),
            sighting: carried(error, want),
        },
    }
}

/// The object as an error shows it: only payment intents are shown, and to a refund one would be another's object.
fn carried(error: &Value, want: Want) -> Option<Sighting> {
    match want {
        Want::Read(ObjectKind::Payment) | Want::Write(ObjectKind::Payment) => carried_intent(error),
        Want::Read(_) | Want::Write(_) | Want::List => None,
    }
}

/// What a 2xx with one object says.
fn seen(response: &Response, kind: impl Fn(&Value) -> ObjectKind) -> Fact {
    let seen = json::body(response).and_then(|object| read(kind(&object), &object));
    match seen {
        Some(Seen::Object(sighting)) => Fact::Seen(sighting),
        Some(Seen::Dispute(dispute)) => Fact::SeenDispute(dispute),
        None => Fact::Lost(Loss::Unreadable),
    }
}

/// Stripe's error object, if the body carries one.
fn error_object(response: &Response) -> Option<Value> {
    json::body(response)?.get_mut("error").filter(|error| error.is_object()).map(Value::take)
}

fn is_replayed(response: &Response) -> bool {
    response.header("Idempotent-Replayed").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
