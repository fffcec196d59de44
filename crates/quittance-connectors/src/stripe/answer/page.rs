//! Pages of lists: objects of one kind, and events.
//!
//! A page whose frame is not readable, an element without an id, and a page that claims to have a successor while
//! naming nothing to continue after, are [`Loss::Unreadable`]. Any other element that cannot be read is told by its id. A page that goes on where it was asked to begin cannot
//! be told from here: whoever follows the pages has to compare.

use quittance_core::fact::{Fact, Loss, ObjectKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Want, unsuccessful};
use crate::connector::{EndpointsFact, EventsFact, ListFact, Seen, Unreadable, WebhookEndpoint};
use crate::event::Event;
use crate::json::{self, TEXT_BYTES_MAX, short_text};
use crate::message::{Delivery, MAX_ANSWER_BYTES, Response};
use crate::stripe::object::{effect_id, read};
use crate::stripe::webhook::decode_event;

/// Reads the delivery of one page of objects.
pub(in crate::stripe) fn decode_page(kind: ObjectKind, delivery: &Delivery) -> ListFact {
    match delivery.success() {
        Some(response) => objects(kind, response).unwrap_or(ListFact::Failed(Fact::Lost(Loss::Unreadable))),
        None => ListFact::Failed(unsuccessful(delivery, Want::List)),
    }
}

/// Reads the delivery of one page of events, each with its bytes as they were listed.
pub(in crate::stripe) fn decode_events(delivery: &Delivery) -> EventsFact {
    match delivery.success() {
        Some(response) => events(response).unwrap_or(EventsFact::Failed(Fact::Lost(Loss::Unreadable))),
        None => EventsFact::Failed(unsuccessful(delivery, Want::List)),
    }
}

/// Reads the delivery of one page of webhook endpoints. What cannot be read is not known.
pub(in crate::stripe) fn decode_endpoints(delivery: &Delivery) -> EndpointsFact {
    delivery.success().and_then(endpoints).unwrap_or(EndpointsFact::Unknown)
}

/// What a 2xx with webhook endpoints says.
fn endpoints(response: &Response) -> Option<EndpointsFact> {
    let list = json::body(response)?;
    let has_more = list["has_more"].as_bool()?;
    let (mut endpoints, mut last_id) = (Vec::new(), None);
    for endpoint in list["data"].as_array()? {
        last_id = Some(short_text(&endpoint["id"])?);
        let (url, status) = (endpoint["url"].as_str()?, endpoint["status"].as_str()?);
        endpoints.push(WebhookEndpoint { url: url.to_owned(), is_enabled: status != "disabled" });
    }
    Some(EndpointsFact::Page { endpoints, next: next(has_more, last_id)? })
}

/// What a 2xx with a list says; nothing if it is not a list.
fn objects(kind: ObjectKind, response: &Response) -> Option<ListFact> {
    let list = json::body(response)?;
    let has_more = list["has_more"].as_bool()?;
    let (mut sightings, mut disputes, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    let mut last_id = None;
    for object in list["data"].as_array()? {
        let id = short_text(&object["id"])?;
        match read(kind, object) {
            Some(Seen::Object(sighting)) => sightings.push(sighting),
            Some(Seen::Dispute(dispute)) => disputes.push(*dispute),
            None => unreadable.push(Unreadable { id: id.clone(), effect_id: effect_id(object), reference: None }),
        }
        last_id = Some(id);
    }
    Some(ListFact::Page { sightings, disputes, unreadable, next: next(has_more, last_id)? })
}

/// Where the page after this one starts. The outer option says whether the page makes sense.
fn next(has_more: bool, last_id: Option<String>) -> Option<Option<String>> {
    if has_more { last_id.map(Some) } else { Some(None) }
}

/// A list of events, whose bytes are kept.
#[derive(Deserialize)]
struct EventList<'a> {
    has_more: bool,
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

/// What an event has to have, so that it can be told which of them cannot be read.
#[derive(Deserialize)]
struct Named {
    id: String,
}

/// What a 2xx with events says.
fn events(response: &Response) -> Option<EventsFact> {
    let body = Some(&response.body).filter(|body| body.len() <= MAX_ANSWER_BYTES)?;
    let list: EventList<'_> = serde_json::from_slice(body).ok()?;
    let (mut events, mut unreadable) = (Vec::new(), Vec::new());
    let mut last_id = None;
    for element in list.data {
        let id = named(element)?;
        match listed(element) {
            Some(event) => events.push(event),
            None => unreadable.push(id.clone()),
        }
        last_id = Some(id);
    }
    Some(EventsFact::Page { events, unreadable, next: next(list.has_more, last_id)? })
}

fn named(element: &RawValue) -> Option<String> {
    let named: Named = serde_json::from_str(element.get()).ok()?;
    (1..=TEXT_BYTES_MAX).contains(&named.id.len()).then_some(named.id)
}

fn listed(element: &RawValue) -> Option<(Event, Vec<u8>)> {
    let body = element.get().as_bytes();
    decode_event(body).ok().map(|event| (event, body.to_vec()))
}
