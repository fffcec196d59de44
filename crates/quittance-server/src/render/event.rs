//! Events as they are sent, and endpoints and deliveries as clients see them.
//!
//! An event is a CloudEvent 1.0 in structured mode. Its bytes are made once, in the transaction that makes the change, and
//! are the same in every delivery and every read.

use super::{CustomerView, DisputeView, PaymentView, RefundView, bytes, correlation_id, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quittance_core::event::{Attempt, Delivery, EndedBy, Endpoint, EndpointState, Kind, Kinds, Object};
use quittance_core::id::CommandId;
use quittance_engine::ports::{Event, Resource};
use serde::Serialize;

/// The media type of an event.
pub const EVENT_MEDIA_TYPE: &str = "application/cloudevents+json";

/// What the type of each event begins with, and ends with: the version of what it says.
const TYPE_PREFIX: &str = "dev.quittance.";
const TYPE_SUFFIX: &str = ".v1";

/// The type of events of a kind (`dev.quittance.payment.succeeded.v1`).
pub(crate) fn event_type(kind: Kind) -> String {
    format!("{TYPE_PREFIX}{}{TYPE_SUFFIX}", kind.name())
}

/// The kind of events of a type.
pub(crate) fn kind_of_type(text: &str) -> Option<Kind> {
    Kind::from_name(text.strip_prefix(TYPE_PREFIX)?.strip_suffix(TYPE_SUFFIX)?)
}

/// The name of the schema of what events about an object carry.
#[must_use]
pub fn schema_urn(object: Object) -> String {
    format!("urn:quittance:schema:{}:v1", object.name())
}

#[derive(Serialize)]
struct EventView<'a, T> {
    specversion: &'static str,
    id: String,
    source: String,
    r#type: String,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    dataschema: String,
    partitionkey: String,
    sequence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<String>,
    data: T,
}

/// The bytes of an event.
pub(super) fn render(event: &Event<'_>) -> Vec<u8> {
    match event.resource {
        Resource::Customer(customer) => envelope(event, None, CustomerView::of(customer)),
        Resource::Payment(payment) => envelope(event, Some(payment.command), PaymentView::of(payment)),
        Resource::Refund(refund) => envelope(event, Some(refund.command), RefundView::of(refund)),
        Resource::Dispute(dispute) => envelope(event, None, DisputeView::of(dispute)),
    }
}

fn envelope<T: Serialize>(event: &Event<'_>, command: Option<CommandId>, data: T) -> Vec<u8> {
    bytes(&EventView {
        specversion: "1.0",
        id: event.id.to_string(),
        source: format!("urn:quittance:tenant:{}", event.resource.tenant()),
        r#type: event_type(event.kind),
        subject: &event.resource.id(),
        time: time(event.at),
        datacontenttype: "application/json",
        dataschema: schema_urn(event.kind.object()),
        partitionkey: event.resource.book().to_string(),
        // Texts of one length, so that their order is the order of what happened to the customer.
        sequence: format!("{:016}.{:04}", event.seq, event.place),
        correlationid: command.map(correlation_id),
        data,
    })
}

/// An endpoint, as clients see it.
#[derive(Serialize)]
pub(crate) struct EndpointView<'a> {
    id: String,
    object: &'static str,
    url: &'a str,
    description: Option<&'a str>,
    types: Vec<String>,
    status: &'static str,
    disabled: Option<DisabledView<'a>>,
    failing_since: Option<String>,
    /// Until when the secret before this one signs, too.
    old_secret_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    created_at: String,
}

#[derive(Serialize)]
struct DisabledView<'a> {
    at: String,
    by: &'a str,
    reason: &'a str,
}

impl<'a> EndpointView<'a> {
    /// The view of an endpoint, without its secret.
    pub(crate) fn of(endpoint: &'a Endpoint) -> Self {
        let (status, disabled) = match &endpoint.state {
            EndpointState::Enabled => ("enabled", None),
            EndpointState::Disabled { at, why } => {
                let (by, reason) = match why {
                    EndedBy::Person { by, reason } => (by.as_str(), reason.as_str()),
                    EndedBy::Gone => ("quittance", "the endpoint answered 410"),
                    EndedBy::Failing => ("quittance", "every attempt of five days failed"),
                };
                ("disabled", Some(DisabledView { at: time(*at), by, reason }))
            }
        };
        Self {
            id: endpoint.id.to_string(),
            object: "webhook_endpoint",
            url: &endpoint.url,
            description: endpoint.description.as_deref(),
            types: match &endpoint.kinds {
                Kinds::All => vec!["*".to_owned()],
                Kinds::These(kinds) => kinds.iter().map(|kind| event_type(*kind)).collect(),
            },
            status,
            disabled,
            failing_since: endpoint.failing_since.map(time),
            old_secret_until: endpoint.secrets.iter().find_map(|secret| secret.until).map(time),
            secret: None,
            created_at: time(endpoint.created_at),
        }
    }

    /// The same with the newest secret: for the answer that tells it once.
    pub(super) fn with_secret(endpoint: &'a Endpoint) -> Self {
        let secret = endpoint.secrets.first().map(|secret| format!("whsec_{}", STANDARD.encode(secret.bytes)));
        Self { secret, ..Self::of(endpoint) }
    }
}

/// A delivery, as clients see it.
#[derive(Serialize)]
pub(crate) struct DeliveryView {
    object: &'static str,
    event: String,
    endpoint: String,
    status: &'static str,
    tries: u32,
    next_attempt_at: Option<String>,
    attempts: Vec<AttemptView>,
    replayed: Option<ReplayedView>,
    created_at: String,
}

#[derive(Serialize)]
struct AttemptView {
    at: String,
    took_ms: u64,
    response_status: Option<u16>,
    error: Option<String>,
}

#[derive(Serialize)]
struct ReplayedView {
    at: String,
    by: String,
    reason: String,
}

impl DeliveryView {
    /// The view of a delivery.
    pub(crate) fn of(delivery: Delivery) -> Self {
        let attempt = |Attempt { at, took_ms, status, error }| AttemptView {
            at: time(at),
            took_ms,
            response_status: status,
            error,
        };
        Self {
            object: "delivery",
            event: delivery.event.to_string(),
            endpoint: delivery.endpoint.to_string(),
            status: delivery.state.name(),
            tries: delivery.tries,
            // While it is sent this is when it is sent again if nobody says what became of it.
            next_attempt_at: delivery.due_at.map(time),
            attempts: delivery.attempts.into_iter().map(attempt).collect(),
            replayed: delivery.replayed.map(|replayed| ReplayedView {
                at: time(replayed.at),
                by: replayed.by,
                reason: replayed.reason,
            }),
            created_at: time(delivery.created_at),
        }
    }
}
