//! Domain values as the JSON that clients see: fixed members in a fixed order.
//!
//! The same views serve the frozen answers of commands and the answers of reads. Nothing is decided here, and nothing
//! but the value goes in: the same value always gives the same bytes.

mod event;

pub(crate) use event::{DeliveryView, EndpointView, event_type, kind_of_type};
pub use event::{EVENT_MEDIA_TYPE, schema_urn};

use crate::problem::{self, Problem};
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use quittance_core::brake::Limit;
use quittance_core::customer::Customer;
use quittance_core::dispute::Dispute;
use quittance_core::id::{CommandId, CorrelationId};
use quittance_core::payment::{Payment, Status};
use quittance_core::refund::Refund;
use quittance_core::time::Timestamp;
use quittance_engine::ports::{Answer, Event, Render};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The API version that answers are rendered in.
pub const API_VERSION: &str = "v1";

/// Renders the answers of commands; there is one API version so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Renderer;

impl Render for Renderer {
    fn render(&self, answer: &Answer<'_>, _api_version: &str) -> (u16, Vec<u8>) {
        match answer {
            Answer::CustomerCreated(customer) => (201, bytes(&CustomerView::of(customer))),
            Answer::Payment(payment) if payment.status == Status::Failed => problem::declined(payment),
            Answer::Payment(payment) => (201, bytes(&PaymentView::of(payment))),
            Answer::ExistingPayment(payment) => (200, bytes(&PaymentView::of(payment))),
            Answer::Refund(refund) => (201, bytes(&RefundView::of(refund))),
            Answer::ExistingRefund(refund) => (200, bytes(&RefundView::of(refund))),
            Answer::Evidence(dispute) => (201, bytes(&DisputeView::of(dispute))),
            Answer::ExistingDispute(dispute) => (200, bytes(&DisputeView::of(dispute))),
            Answer::EndpointCreated(endpoint) => (201, bytes(&EndpointView::with_secret(endpoint))),
            Answer::SecretRotated(endpoint) => (200, bytes(&EndpointView::with_secret(endpoint))),
            Answer::Rejected(rejection) => Problem::from(*rejection).render(),
        }
    }

    fn event(&self, event: &Event<'_>) -> Vec<u8> {
        event::render(event)
    }
}

/// A payment, as clients see it.
#[derive(Serialize)]
pub struct PaymentView<'a> {
    id: String,
    object: &'static str,
    status: &'static str,
    amount: i64,
    currency: &'static str,
    customer: String,
    gateway: &'a str,
    gateway_id: Option<&'a str>,
    reference: &'a str,
    captured_amount: i64,
    refunded_amount: i64,
    refunding_amount: i64,
    disputed_amount: i64,
    returned_amount: i64,
    capture_method: &'static str,
    return_url: Option<&'a str>,
    payment_method: &'a str,
    next_action: Option<&'a RawValue>,
    parked_by: Option<&'static str>,
    decline: Option<DeclineView<'a>>,
    description: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    command_id: String,
    correlation_id: String,
    created_at: String,
}

#[derive(Serialize)]
struct DeclineView<'a> {
    code: &'a str,
    retryable: bool,
}

impl<'a> PaymentView<'a> {
    /// The view of a payment.
    #[must_use]
    pub fn of(payment: &'a Payment) -> Self {
        Self {
            id: payment.id.to_string(),
            object: "payment",
            status: payment.status.name(),
            amount: payment.money.amount,
            currency: payment.money.currency.code(),
            customer: payment.book.to_string(),
            gateway: &payment.gateway,
            gateway_id: payment.gateway_object.as_deref(),
            reference: &payment.reference,
            captured_amount: payment.captured_amount,
            refunded_amount: payment.refunded_amount,
            refunding_amount: payment.refunding_amount,
            disputed_amount: payment.disputed_amount,
            returned_amount: payment.returned_amount,
            capture_method: payment.capture_method.name(),
            return_url: payment.return_url.as_deref(),
            payment_method: &payment.payment_method,
            // The gateway's own JSON, byte for byte; what is no JSON is left out rather than quoted.
            next_action: payment.next_action.as_deref().and_then(|text| serde_json::from_str(text).ok()),
            parked_by: payment.parked_by.map(Limit::name),
            decline: payment
                .decline
                .as_ref()
                .map(|decline| DeclineView { code: &decline.code, retryable: decline.is_retryable }),
            description: payment.description.as_deref(),
            metadata: &payment.metadata,
            command_id: payment.command.to_string(),
            correlation_id: correlation_id(payment.command),
            created_at: time(payment.created_at),
        }
    }
}

/// A refund, as clients see it.
#[derive(Serialize)]
pub struct RefundView<'a> {
    id: String,
    object: &'static str,
    status: &'static str,
    amount: i64,
    currency: &'static str,
    payment: String,
    customer: String,
    gateway: &'a str,
    gateway_id: Option<&'a str>,
    reference: Option<&'a str>,
    reason: Option<&'a str>,
    failure_code: Option<&'a str>,
    parked_by: Option<&'static str>,
    command_id: String,
    correlation_id: String,
    created_at: String,
}

impl<'a> RefundView<'a> {
    /// The view of a refund.
    #[must_use]
    pub fn of(refund: &'a Refund) -> Self {
        Self {
            id: refund.id.to_string(),
            object: "refund",
            status: refund.status.name(),
            amount: refund.money.amount,
            currency: refund.money.currency.code(),
            payment: refund.payment.to_string(),
            customer: refund.book.to_string(),
            gateway: &refund.gateway,
            gateway_id: refund.gateway_object.as_deref(),
            reference: refund.reference.as_deref(),
            reason: refund.reason.as_deref(),
            failure_code: refund.failure_code.as_deref(),
            parked_by: refund.parked_by.map(Limit::name),
            command_id: refund.command.to_string(),
            correlation_id: correlation_id(refund.command),
            created_at: time(refund.created_at),
        }
    }
}

/// A dispute, as clients see it.
#[derive(Serialize)]
pub struct DisputeView<'a> {
    id: String,
    object: &'static str,
    status: &'a str,
    amount: i64,
    currency: &'static str,
    payment: String,
    customer: String,
    gateway: &'a str,
    gateway_id: &'a str,
    reason: &'a str,
    evidence_due_by: Option<String>,
    takes_evidence: bool,
    submissions: u32,
    withdrawn_amount: i64,
    written_off: bool,
    created_at: String,
}

impl<'a> DisputeView<'a> {
    /// The view of a dispute.
    #[must_use]
    pub fn of(dispute: &'a Dispute) -> Self {
        Self {
            id: dispute.id.to_string(),
            object: "dispute",
            status: dispute.status.name(),
            amount: dispute.money.amount,
            currency: dispute.money.currency.code(),
            payment: dispute.payment.to_string(),
            customer: dispute.book.to_string(),
            gateway: &dispute.gateway,
            gateway_id: &dispute.object_id,
            reason: &dispute.reason,
            evidence_due_by: dispute.evidence_due_by.map(time),
            takes_evidence: dispute.status.takes_evidence(),
            submissions: dispute.submissions,
            withdrawn_amount: dispute.withdrawn_amount,
            written_off: dispute.is_written_off,
            created_at: time(dispute.created_at),
        }
    }
}

/// A customer, as clients see it.
#[derive(Serialize)]
pub struct CustomerView<'a> {
    id: String,
    object: &'static str,
    external_id: Option<&'a str>,
    name: Option<&'a str>,
    email: Option<&'a str>,
    currency: Option<&'static str>,
    timezone: Option<&'a str>,
    gateway_ids: &'a BTreeMap<String, String>,
    metadata: &'a BTreeMap<String, String>,
    created_at: String,
}

impl<'a> CustomerView<'a> {
    /// The view of a customer.
    #[must_use]
    pub fn of(customer: &'a Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            object: "customer",
            external_id: customer.external_id.as_deref(),
            name: customer.name.as_deref(),
            email: customer.email.as_deref(),
            currency: customer.currency.map(quittance_core::currency::Currency::code),
            timezone: customer.timezone.as_deref(),
            gateway_ids: &customer.gateway_ids,
            metadata: &customer.metadata,
            created_at: time(customer.created_at),
        }
    }
}

/// One page of a list.
#[derive(Serialize)]
pub struct ListView<T> {
    /// The items.
    pub data: Vec<T>,
    /// Whether there may be more.
    pub has_more: bool,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

impl<T> ListView<T> {
    /// The same page of other views.
    pub(crate) fn map<V>(self, view: impl FnMut(T) -> V) -> ListView<V> {
        let Self { data, has_more, next_cursor } = self;
        ListView { data: data.into_iter().map(view).collect(), has_more, next_cursor }
    }
}

/// The correlation id that a command starts.
#[must_use]
pub fn correlation_id(command: CommandId) -> String {
    CorrelationId::from_uuid(command.uuid()).to_string()
}

/// RFC 3339 in UTC, to the microsecond.
#[must_use]
pub fn time(at: Timestamp) -> String {
    // Times are read from a clock, so years of five digits mean damaged data; they are shown as what they are.
    match jiff::Timestamp::from_microsecond(at.0) {
        Ok(at) => at.to_string(),
        Err(_) => format!("{} µs", at.0),
    }
}

/// Where a resource is served, by its id.
#[must_use]
pub fn resource_path(id: &str) -> Option<String> {
    let collection = match id.split_once('_')?.0 {
        "pay" => "payments",
        "rfd" => "refunds",
        "dsp" => "disputes",
        "cus" => "customers",
        "cmd" => "commands",
        "evt" => "events",
        "whe" => "webhook_endpoints",
        _ => return None,
    };
    Some(format!("/v1/{collection}/{id}"))
}

/// The JSON of a view.
pub(crate) fn bytes<T: Serialize>(view: &T) -> Vec<u8> {
    serde_json::to_vec(view).expect("views are structs of texts, integers and maps of texts")
}

/// A response with these bytes.
pub(crate) fn response(status: u16, media_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// 200 with a view.
pub(crate) fn ok<T: Serialize>(view: &T) -> Response {
    response(200, "application/json", bytes(view))
}
