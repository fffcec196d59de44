//! Problem documents (RFC 9457): every refusal and failure that leaves the API.
//!
//! Owns the document's members and their order. The codes are data in [`catalogue`]. A problem never repeats a value of
//! the request, and never says what went on inside.

mod brake;
pub mod catalogue;

use crate::json::{Refused, Wrong};
use crate::render::{self, PaymentView, resource_path};
use axum::response::{IntoResponse, Response};
use brake::BrakeView;
use catalogue::Kind;
use http::header::{self, HeaderName, HeaderValue};
use quittance_core::brake::Over;
use quittance_core::id::{CommandId, CorrelationId};
use quittance_core::payment::Payment;
use quittance_core::rejection::Rejection;
use quittance_engine::submission::Failure;
use serde::Serialize;

/// Media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What an idempotency key is.
const ABOUT_KEYS: &str =
    "<https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07>; rel=\"describedby\"";

/// One problem, on its way out.
#[derive(Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: Box<str>,
    command: Option<CommandId>,
    resource: Option<Box<str>>,
    errors: Vec<Mistake>,
    headers: Vec<(HeaderName, String)>,
    brake: Option<Box<BrakeView>>,
}

/// One mistake in a request.
#[derive(Clone, Debug, Serialize)]
pub struct Mistake {
    /// JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// Query parameter, header or part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// What is wrong, and what would be right.
    detail: String,
}

/// The document, in the order of its members.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Mistake]>::is_empty")]
    errors: &'a [Mistake],
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brake: Option<&'a BrakeView>,
}

impl Problem {
    /// A problem of a kind; `detail` is a sentence about this one, without values of the request.
    pub fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into().into_boxed_str();
        Self { kind, detail, command: None, resource: None, errors: Vec::new(), headers: Vec::new(), brake: None }
    }

    /// One mistake in a query parameter, a header or the path.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(&catalogue::INVALID_PARAMETER, "a parameter cannot be used");
        problem.errors.push(Mistake { pointer: None, parameter: Some(name.to_owned()), detail: detail.into() });
        problem
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Asks the client to come back.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, seconds.to_string())
    }

    /// Names the limit, and when it lifts where it does.
    fn braked(self, over: &Over) -> Self {
        let problem = Self { brake: Some(Box::new(BrakeView::of(over))), ..self };
        match over.retry_after_s {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        }
    }

    /// The key is missing.
    pub(crate) fn key_missing() -> Self {
        Self::new(&catalogue::KEY_MISSING, "this request changes something and needs a key")
            .with_header(header::LINK, ABOUT_KEYS)
    }

    /// The problem's kind.
    #[must_use]
    pub const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The headers that its answer carries.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (HeaderName, &str)> {
        self.headers.iter().map(|(name, text)| (name.clone(), text.as_str()))
    }

    /// What is to be said to people beside the title: the sentence about this one, and each mistake.
    pub(crate) fn said(&self) -> Vec<String> {
        let mistakes = self.errors.iter().map(|mistake| {
            let place = mistake.parameter.as_ref().or(mistake.pointer.as_ref());
            format!("{}: {}", place.map_or("request", String::as_str), mistake.detail)
        });
        std::iter::once(self.detail.to_string()).chain(mistakes).collect()
    }

    /// The members of a body that are wrong.
    pub(crate) fn invalid_body(wrongs: Vec<Wrong>) -> Self {
        let count = wrongs.len();
        let detail = if count == 1 { "one thing is wrong".to_owned() } else { format!("{count} things are wrong") };
        Self { errors: wrongs.into_iter().map(Mistake::from).collect(), ..Self::new(&catalogue::INVALID_BODY, detail) }
    }

    /// A problem of another kind with one member of the body named.
    pub(crate) fn at(kind: &'static Kind, pointer: &str, detail: impl Into<String>) -> Self {
        let wrong = Wrong::new(pointer, detail);
        Self { errors: vec![wrong.into()], ..Self::new(kind, "one thing is wrong") }
    }

    /// Something outside the body looks like a card number.
    pub(crate) fn card_number_in(parameter: &str) -> Self {
        let detail = "looks like a payment card number".to_owned();
        let mistake = Mistake { pointer: None, parameter: Some(parameter.to_owned()), detail };
        Self { errors: vec![mistake], ..Self::new(&catalogue::CARD_NUMBER, "its value is not repeated here") }
    }

    /// Failed inside; the text goes to the log alone.
    pub(crate) fn internal(why: &dyn std::fmt::Display) -> Self {
        tracing::error!(%why, "a request failed inside");
        Self::new(&catalogue::INTERNAL, "the failure was logged")
    }

    /// Status and body.
    #[must_use]
    pub fn render(&self) -> (u16, Vec<u8>) {
        (self.kind.status, render::bytes(&self.document(None)))
    }

    fn document<'a>(&'a self, payment: Option<PaymentView<'a>>) -> Document<'a> {
        Document {
            r#type: format!("urn:quittance:problem:{}", self.kind.code),
            title: self.kind.title,
            status: self.kind.status,
            detail: &self.detail,
            code: self.kind.code,
            retryable: self.kind.is_retryable && self.brake.as_ref().is_none_or(|brake| brake.is_lifted_by_time),
            command_id: self.command.map(|command| command.to_string()),
            correlation_id: self.command.map(|command| CorrelationId::from_uuid(command.uuid()).to_string()),
            resource: self.resource.as_deref(),
            errors: &self.errors,
            payment,
            brake: self.brake.as_deref(),
        }
    }
}

/// Status and body of a payment that was declined.
pub(crate) fn declined(payment: &Payment) -> (u16, Vec<u8>) {
    let code = payment.decline.as_ref().map_or("unknown", |decline| decline.code.as_str());
    let problem = Problem {
        command: Some(payment.command),
        resource: resource_path(&payment.id.to_string()).map(String::into_boxed_str),
        ..Problem::new(&catalogue::PAYMENT_DECLINED, format!("the gateway refused it: {code}"))
    };
    (problem.kind.status, render::bytes(&problem.document(Some(PaymentView::of(payment)))))
}

impl From<Wrong> for Mistake {
    fn from(wrong: Wrong) -> Self {
        Self { pointer: Some(wrong.pointer), parameter: None, detail: wrong.detail }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed(wrongs) => Self::invalid_body(wrongs),
            Refused::CardNumber(places) => Self {
                errors: places.into_iter().map(Mistake::from).collect(),
                ..Self::new(&catalogue::CARD_NUMBER, "its value is not repeated here")
            },
        }
    }
}

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        let kind = match rejection {
            Rejection::KeyReused => &catalogue::KEY_REUSED,
            Rejection::KeyExpired { .. } => &catalogue::KEY_EXPIRED,
            Rejection::DuplicateIntent { .. } => &catalogue::DUPLICATE_INTENT,
            Rejection::CustomerNotFound => &catalogue::CUSTOMER_NOT_FOUND,
            Rejection::CustomerExists { .. } => &catalogue::CUSTOMER_EXISTS,
            Rejection::GatewayNotFound => &catalogue::GATEWAY_NOT_FOUND,
            Rejection::AmountNotRepresentable { .. } => &catalogue::AMOUNT_NOT_REPRESENTABLE,
            Rejection::OverLimit(_) => &catalogue::BRAKE,
            Rejection::OwnRequest => &catalogue::OWN_REQUEST,
            Rejection::NeverSent => &catalogue::NEVER_SENT,
            Rejection::NotParked => &catalogue::NOT_PARKED,
            Rejection::NotInReview => &catalogue::NOT_IN_REVIEW,
            Rejection::ReceivedAmountDiffers { .. } => &catalogue::RECEIVED_AMOUNT_DIFFERS,
            Rejection::ResolvedAmount { .. } => &catalogue::RESOLVED_AMOUNT,
            Rejection::HoldIsGone => &catalogue::HOLD_IS_GONE,
            Rejection::PaymentNotFound => &catalogue::NOT_FOUND,
            Rejection::NotOffered { .. } => &catalogue::NOT_OFFERED,
            Rejection::NotCapturable { .. } => &catalogue::NOT_CAPTURABLE,
            Rejection::CaptureTooLarge { .. } => &catalogue::CAPTURE_TOO_LARGE,
            Rejection::NotCancelable { .. } => &catalogue::NOT_CANCELABLE,
            Rejection::NotRefundable { .. } => &catalogue::NOT_REFUNDABLE,
            Rejection::RefundCurrency { .. } => &catalogue::REFUND_CURRENCY,
            Rejection::RefundTooLarge { .. } => &catalogue::REFUND_TOO_LARGE,
            Rejection::RefundedAmountDiffers { .. } => &catalogue::REFUNDED_AMOUNT_DIFFERS,
            Rejection::DuplicateRefund { .. } => &catalogue::DUPLICATE_REFUND,
            Rejection::DuplicateEvidence { .. } => &catalogue::DUPLICATE_EVIDENCE,
            Rejection::EvidenceNotTaken { .. } => &catalogue::EVIDENCE_NOT_TAKEN,
            Rejection::EvidenceTooLate => &catalogue::EVIDENCE_TOO_LATE,
            Rejection::RefusedByGateway { .. } => &catalogue::REFUSED_BY_GATEWAY,
            Rejection::EndpointNotFound => &catalogue::NOT_FOUND,
            Rejection::TooManyEndpoints { .. } => &catalogue::TOO_MANY_ENDPOINTS,
            Rejection::BookFull => &catalogue::BOOK_FULL,
        };
        let (command, subject) = match rejection {
            Rejection::KeyExpired { command, subject } => (Some(*command), subject.clone()),
            Rejection::DuplicateIntent { command, payment } => (Some(*command), Some(payment.to_string())),
            Rejection::DuplicateRefund { command, refund } => (Some(*command), Some(refund.to_string())),
            Rejection::DuplicateEvidence { command, dispute } => (Some(*command), Some(dispute.to_string())),
            _ => (None, None),
        };
        let resource = subject.and_then(|subject| resource_path(&subject)).map(String::into_boxed_str);
        let problem = Self { command, resource, ..Self::new(kind, rejection.to_string()) };
        match rejection {
            Rejection::OverLimit(over) => problem.braked(over),
            _ => problem,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::StoreFull => Self::new(&catalogue::STORAGE_FULL, "free some space").retry_after(30),
            Failure::StoreUnavailable(why) => {
                tracing::error!(%why, "the store cannot be written to");
                Self::new(&catalogue::STORAGE_UNAVAILABLE, "the failure was logged").retry_after(5)
            }
            Failure::Damaged(why) => Self::internal(&why),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, body) = self.render();
        let mut response = render::response(status, MEDIA_TYPE, body);
        for (name, text) in self.headers {
            // Values are numbers, fixed texts and paths made of ids.
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
