//! Stripe, API v1: payments by payment intents or by charges, refunds, disputes, and webhooks.
//!
//! Owns the wire form of every request, the reading of every answer, and the checking of webhook deliveries. Does not
//! own strategy: when to confirm, replay, read back or cancel is the effect machine's business.

use quittance_core::effect::{Capability, Subject};
use quittance_core::fact::{Fact, ObjectKind};
use quittance_core::money::Money;

use crate::connector::{Ask, Connector, EndpointsFact, EventsFact, ListFact, Search, Unsayable};
use crate::event::{Event, EventError};
use crate::message::{Delivery, Headers, Request};

mod answer;
mod capability;
mod decline;
pub mod listing;
mod object;
mod request;
pub mod surface;
pub mod update;
pub mod webhook;

/// The API version under which requests are made and answers are read, unless configured otherwise.
///
/// `2025-03-31.basil` renders `latest_charge` on a payment intent (since `2022-11-15`) and no longer its invoice.
pub const API_VERSION: &str = "2025-03-31.basil";

/// How payments are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// By payment intents: an inert object first, which is then confirmed.
    #[default]
    PaymentIntents,
    /// By charges, in one request, as before 2019.
    Charges,
}

impl Flow {
    /// Every flow.
    pub const ALL: [Self; 2] = [Self::PaymentIntents, Self::Charges];

    /// The word for it in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentIntents => "payment_intents",
            Self::Charges => "charges",
        }
    }

    /// The flow of that word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flow| flow.name() == name)
    }

    /// What kind of object its payments are.
    const fn kind(self) -> ObjectKind {
        match self {
            Self::PaymentIntents => ObjectKind::Payment,
            Self::Charges => ObjectKind::Charge,
        }
    }
}

/// Stripe's dialect, every request under one pinned API version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stripe {
    /// Value of the `Stripe-Version` header.
    pub api_version: &'static str,
    /// How new payments are made. Objects of either flow are read and acted on whatever it is.
    pub flow: Flow,
}

impl Default for Stripe {
    /// Pins [`API_VERSION`], and pays by payment intents.
    fn default() -> Self {
        Self { api_version: API_VERSION, flow: Flow::default() }
    }
}

impl Connector for Stripe {
    fn headers(&self) -> Headers {
        Headers {
            key: Some("idempotency-key"),
            version: Some("stripe-version"),
            content_type: "application/x-www-form-urlencoded",
        }
    }

    fn capability(&self, subject: Subject) -> Option<Capability> {
        Some(capability::row(self.flow, subject))
    }

    fn check_amount(&self, money: Money) -> Result<(), Unsayable> {
        request::wire_amount(money).map(drop)
    }

    fn captures_later(&self) -> bool {
        true
    }

    fn evidence_names(&self) -> &'static [&'static str] {
        &request::EVIDENCE_NAMES
    }

    fn write(&self, ask: &Ask<'_>) -> Result<Request, Unsayable> {
        self.write_request(ask)
    }

    fn read(&self, kind: ObjectKind, object_id: &str) -> Request {
        self.read_request(kind, object_id)
    }

    fn page(&self, search: &Search<'_>, after: Option<&str>) -> Request {
        self.page_request(search, after)
    }

    fn events(&self, created_from: i64, after: Option<&str>, limit: usize) -> Option<Request> {
        Some(self.events_request(created_from, after, limit))
    }

    fn endpoints(&self, after: Option<&str>) -> Option<Request> {
        Some(self.endpoints_request(after))
    }

    fn probe(&self) -> Request {
        self.probe_request()
    }

    fn decode_write(&self, kind: ObjectKind, delivery: &Delivery) -> Fact {
        answer::decode_write(kind, delivery)
    }

    fn decode_read(&self, kind: ObjectKind, delivery: &Delivery) -> Fact {
        answer::decode_read(kind, delivery)
    }

    fn decode_page(&self, kind: ObjectKind, delivery: &Delivery) -> ListFact {
        answer::decode_page(kind, delivery)
    }

    fn decode_events(&self, delivery: &Delivery) -> EventsFact {
        answer::decode_events(delivery)
    }

    fn decode_endpoints(&self, delivery: &Delivery) -> EndpointsFact {
        answer::decode_endpoints(delivery)
    }

    fn decode_probe(&self, delivery: &Delivery) -> Fact {
        match answer::decode_page(self.flow.kind(), delivery) {
            ListFact::Page { .. } => Fact::Absent,
            ListFact::Failed(fact) => fact,
        }
    }

    fn decode_event(&self, body: &[u8]) -> Result<Event, EventError> {
        webhook::decode_event(body)
    }
}
