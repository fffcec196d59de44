//! What a delivery tells us, as a fact.
//!
//! A refusal counts as the rail's word only in the rail's own shape, `{"code", "message"}`: a page that a proxy made on
//! the way is a lost answer, because nobody who could know has said that nothing happened.

use quittance_core::fact::{Fact, Loss, ObjectKind};
use serde_json::Value;

use super::transfer::{Names, names, sighting};
use crate::connector::{ListFact, Unreadable};
use crate::json::{self, short_text};
use crate::message::{Delivery, Response};

/// The code of a 404 that is about the transfer. The rail answers unknown addresses with another.
const NOT_FOUND: &str = "transfer_not_found";

/// What a request wanted: a 404 means something to the read of one transfer alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Transfer,
    Else,
}

pub(super) fn decode_write(kind: ObjectKind, delivery: &Delivery) -> Fact {
    match delivery.success() {
        Some(response) => seen(kind, response),
        None => unsuccessful(delivery, Want::Else),
    }
}

pub(super) fn decode_read(kind: ObjectKind, delivery: &Delivery) -> Fact {
    match delivery.success() {
        Some(response) => seen(kind, response),
        None => unsuccessful(delivery, Want::Transfer),
    }
}

pub(super) fn decode_page(kind: ObjectKind, delivery: &Delivery) -> ListFact {
    match delivery.success() {
        Some(response) => page(kind, response).unwrap_or(ListFact::Failed(UNREADABLE)),
        None => ListFact::Failed(unsuccessful(delivery, Want::Else)),
    }
}

pub(super) fn decode_probe(delivery: &Delivery) -> Fact {
    match delivery.success() {
        Some(response) if json::body(response).is_some_and(|status| status["status"] == "ok") => Fact::Absent,
        Some(_) => UNREADABLE,
        None => unsuccessful(delivery, Want::Else),
    }
}

/// What the answer to something says that the rail does not know, and that is never asked.
pub(super) fn unasked(delivery: &Delivery) -> Fact {
    if delivery.success().is_some() { UNREADABLE } else { unsuccessful(delivery, Want::Else) }
}

const UNREADABLE: Fact = Fact::Lost(Loss::Unreadable);

/// What a 2xx with one transfer says. Transfers are all there is: nothing else is ever seen.
fn seen(kind: ObjectKind, response: &Response) -> Fact {
    let transfer = json::body(response).filter(|_| kind == ObjectKind::Charge);
    transfer.and_then(|transfer| sighting(&transfer)).map_or(UNREADABLE, Fact::Seen)
}

/// What a 2xx with a list says; nothing if it is not a list of transfers, each with its names, or does not say whether
/// it goes on: such a list would prove an absence that is none.
fn page(kind: ObjectKind, response: &Response) -> Option<ListFact> {
    let list = json::body(response).filter(|_| kind == ObjectKind::Charge)?;
    let (mut sightings, mut unreadable) = (Vec::new(), Vec::new());
    for transfer in list["transfers"].as_array()? {
        let Names { id, reference } = names(transfer)?;
        match sighting(transfer) {
            Some(sighting) => sightings.push(sighting),
            None => unreadable.push(Unreadable { id, effect_id: None, reference: Some(reference) }),
        }
    }
    Some(ListFact::Page { sightings, disputes: Vec::new(), unreadable, next: next(list.get("next")?)? })
}

/// Where the page after this one starts. The outer option says whether that can be read.
fn next(value: &Value) -> Option<Option<String>> {
    if value.is_null() { Some(None) } else { short_text(value).map(Some) }
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
        500 => Fact::Lost(Loss::ServerError),
        501..=599 => Fact::Lost(Loss::Unavailable),
        status => refusal_code(response).map_or(Fact::Lost(Loss::Unclear), |code| match status {
            401 | 403 => Fact::Unauthorised,
            429 => Fact::Throttled { retry_after_ms: response.retry_after_ms() },
            404 if want == Want::Transfer && code == NOT_FOUND => Fact::Absent,
            400 | 404 | 413 | 422 => Fact::Refused { code, is_replayed: false, sighting: None },
            _ => Fact::Lost(Loss::Unclear),
        }),
    }
}

/// The code of a refusal, if the body is one.
fn refusal_code(response: &Response) -> Option<String> {
    let refusal = json::body(response)?;
    refusal["message"].as_str()?;
    short_text(&refusal["code"])
}
