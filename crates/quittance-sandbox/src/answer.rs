//! Owns: answers and Stripe's error envelope. Does not own: which error applies when.

use axum::body::Bytes;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::verdict::Trouble;

/// A finished answer, ready to be stored under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn ok(object: &impl Serialize) -> Self {
        Self { status: 200, body: to_bytes(object) }
    }

    pub(crate) fn created(object: &impl Serialize) -> Self {
        Self { status: 201, body: to_bytes(object) }
    }
}

/// JSON of values that cannot fail to be JSON: maps with string keys, strings and integers.
pub(crate) fn to_bytes(object: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(object).expect("string keys and integers are always JSON"))
}

pub(crate) fn to_raw(object: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(object).expect("string keys and integers are always JSON")
}

/// Stripe's error types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(crate) enum ErrorKind {
    #[serde(rename = "invalid_request_error")]
    InvalidRequest,
    #[serde(rename = "idempotency_error")]
    Idempotency,
    #[serde(rename = "card_error")]
    Card,
    #[serde(rename = "api_error")]
    Api,
}

/// One of Stripe's errors. The optional members are left out of the JSON when absent, as there.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) kind: ErrorKind,
    pub(crate) code: Option<&'static str>,
    pub(crate) decline_code: Option<&'static str>,
    pub(crate) message: Box<str>,
    pub(crate) param: Option<Box<str>>,
    pub(crate) charge: Option<Box<str>>,
    pub(crate) payment_method: Option<Box<RawValue>>,
    pub(crate) payment_intent: Option<Box<RawValue>>,
}

impl ApiError {
    pub(crate) fn new(status: u16, kind: ErrorKind, message: impl Into<Box<str>>) -> Self {
        Self {
            status,
            kind,
            code: None,
            decline_code: None,
            message: message.into(),
            param: None,
            charge: None,
            payment_method: None,
            payment_intent: None,
        }
    }

    /// A 400 without a code, as Stripe answers to much that is malformed.
    pub(crate) fn bad_request(message: impl Into<Box<str>>) -> Self {
        Self::new(400, ErrorKind::InvalidRequest, message)
    }

    /// A 400 with a code.
    pub(crate) fn invalid(code: &'static str, message: impl Into<Box<str>>) -> Self {
        Self::bad_request(message).code(code)
    }

    pub(crate) fn unauthenticated(message: &str) -> Self {
        Self::new(401, ErrorKind::InvalidRequest, message)
    }

    /// The 401 of a key that nobody knows.
    pub(crate) fn bad_key() -> Self {
        Self::unauthenticated("Invalid API Key provided.")
    }

    pub(crate) fn unknown_parameter(name: &str) -> Self {
        Self::invalid("parameter_unknown", format!("Received unknown parameter: {name}")).param(name)
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        Self::invalid("parameter_missing", format!("Missing required param: {name}.")).param(name)
    }

    /// `noun` is the object's name in Stripe's messages, `param` the parameter that named it.
    pub(crate) fn missing(noun: &str, id: &str, param: &str) -> Self {
        // Stripe: 404 when the object is named by the URL, 400 when by a parameter.
        let status = if matches!(param, "intent" | "id") { 404 } else { 400 };
        Self::new(status, ErrorKind::InvalidRequest, format!("No such {noun}: '{id}'"))
            .code("resource_missing")
            .param(param)
    }

    /// The answer of Stripe's stored 500s.
    pub(crate) fn internal() -> Self {
        Self::new(500, ErrorKind::Api, "Sorry! There was an error while talking to one of our backends.")
    }

    /// Stripe's words for what any gateway may have to say.
    pub(crate) fn about(trouble: Trouble) -> Self {
        match trouble {
            Trouble::RateLimited => {
                let message =
                    "Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.";
                Self::new(429, ErrorKind::InvalidRequest, message).code("rate_limit")
            }
            Trouble::Unavailable => Self::new(503, ErrorKind::Api, "The service is temporarily unavailable."),
            Trouble::BadKey => Self::bad_key(),
            Trouble::Internal => Self::internal(),
        }
    }

    pub(crate) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn param(mut self, param: &str) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(crate) fn intent(mut self, intent: Box<RawValue>) -> Self {
        self.payment_intent = Some(intent);
        self
    }

    pub(crate) fn answer(&self) -> Answer {
        Answer { status: self.status, body: to_bytes(&Envelope { error: self }) }
    }
}

#[derive(serde::Serialize)]
struct Envelope<'a> {
    error: &'a ApiError,
}

impl Serialize for ApiError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(charge) = &self.charge {
            map.serialize_entry("charge", charge)?;
        }
        if let Some(code) = self.code {
            map.serialize_entry("code", code)?;
            map.serialize_entry(
                "doc_url",
                &format_args!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")),
            )?;
        }
        if let Some(decline_code) = self.decline_code {
            map.serialize_entry("decline_code", decline_code)?;
        }
        map.serialize_entry("message", &self.message)?;
        if let Some(param) = &self.param {
            map.serialize_entry("param", param)?;
        }
        if let Some(intent) = &self.payment_intent {
            map.serialize_entry("payment_intent", intent)?;
        }
        if let Some(method) = &self.payment_method {
            map.serialize_entry("payment_method", method)?;
        }
        map.serialize_entry("type", &self.kind)?;
        map.end()
    }
}
