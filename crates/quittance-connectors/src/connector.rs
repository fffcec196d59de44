//! What a gateway's dialect has to say: requests for what the effect machine wants, facts for what came back.
//!
//! One implementation for each kind of gateway. It holds no credential and no state, so that the same value serves the
//! engine, which makes requests inside a decision, and the runtime, which reads answers. `docs/connectors.md` is the guide.

use std::collections::BTreeMap;
use std::fmt;

use quittance_core::dispute::DisputeSighting;
use quittance_core::effect::{Capability, Subject};
use quittance_core::fact::{Fact, ObjectKind, Sighting};
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;

use crate::event::{Event, EventError};
use crate::message::{Delivery, Headers, Request};

/// What a payment's first request says: it makes an inert object where the gateway is two-phase, and pays elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct PaymentParameters<'a> {
    /// The effect that wants it; travels in the metadata where there is any.
    pub effect_id: EffectId,
    /// The payment it is for.
    pub payment_id: PaymentId,
    /// What to collect, in our minor units; above 0.
    pub money: Money,
    /// The gateway's token for how it is paid.
    pub payment_method: &'a str,
    /// The gateway's id of the customer, if known.
    pub customer: Option<&'a str>,
    /// When what is authorised is taken.
    pub capture_method: CaptureMethod,
    /// Where the customer comes back to after authenticating.
    pub return_url: Option<&'a str>,
    /// Free text for the gateway's own pages.
    pub description: Option<&'a str>,
    /// The client's own reference of the payment; travels in the metadata where there is any.
    pub payment_reference: &'a str,
    /// The client's metadata; names of ours in it are left out.
    pub metadata: &'a BTreeMap<String, String>,
    /// The key of this very request: our own reference, for gateways that know neither keys nor metadata.
    pub reference: &'a str,
}

/// What a refund says.
#[derive(Clone, Copy, Debug)]
pub struct RefundParameters<'a> {
    /// The effect that wants it.
    pub effect_id: EffectId,
    /// The gateway's object that is given back, and what kind of object it is.
    pub object: (ObjectKind, &'a str),
    /// How much, in our minor units; above 0.
    pub money: Money,
    /// Why, in the gateway's words.
    pub reason: Option<&'a str>,
    /// What is written into the refund's metadata, besides the effect.
    pub metadata: &'a BTreeMap<String, String>,
    /// The key of this very request.
    pub reference: &'a str,
}

/// What the effect machine wants of a gateway.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// To make a payment's object, or the payment.
    Payment(PaymentParameters<'a>),
    /// To confirm an object, naming the method where it is another than the attached one.
    Confirm {
        /// The object.
        object_id: &'a str,
        /// The method, where it has to be named.
        payment_method: Option<&'a str>,
        /// Where the customer comes back to after authenticating.
        return_url: Option<&'a str>,
    },
    /// To take so much of what is authorised.
    Capture {
        /// The object.
        object: (ObjectKind, &'a str),
        /// How much.
        money: Money,
        /// Whether that is all that was authorised.
        is_whole: bool,
    },
    /// To give an object up.
    Cancel {
        /// The object.
        object: (ObjectKind, &'a str),
    },
    /// To give money back.
    Refund(RefundParameters<'a>),
    /// To hand in evidence for a dispute, for good.
    Evidence {
        /// The dispute.
        object_id: &'a str,
        /// The evidence: the gateway's names of its members, with their texts.
        evidence: &'a BTreeMap<String, String>,
    },
}

/// What a connector cannot say in its gateway's dialect. The text is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsayable(pub String);

/// Where an object of ours would be listed.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// What kind of object it is.
    pub kind: ObjectKind,
    /// The gateway's object it belongs to, for a refund.
    pub parent: Option<(ObjectKind, &'a str)>,
    /// The gateway's id of the customer, if known.
    pub customer: Option<&'a str>,
    /// The key of the request that may have made it.
    pub reference: Option<&'a str>,
    /// Objects made at or after this second.
    pub created_from: Option<i64>,
}

/// What one delivery of a page of objects told us.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one for each page: moving it is nothing beside the request")]
pub enum ListFact {
    /// A whole page.
    Page {
        /// The objects that could be read, in the page's order; none where disputes were asked for.
        sightings: Vec<Sighting>,
        /// The disputes that could be read, in the page's order; none where anything else was asked for.
        disputes: Vec<DisputeSighting>,
        /// The objects that could not (a currency that we do not know, say): they exist, so a sweep has to report
        /// them.
        unreadable: Vec<Unreadable>,
        /// Where the page after this one starts; none after the last.
        next: Option<String>,
    },
    /// No page; the fact says why and is never one of a seen object.
    Failed(Fact),
}

/// An object of a list that is there and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The gateway's id of it.
    pub id: String,
    /// Our effect id, where its metadata carries one.
    pub effect_id: Option<EffectId>,
    /// The key we sent as our own reference, where the gateway carries that instead. With neither it is somebody else's.
    pub reference: Option<String>,
}

/// Most events that a page of a gateway's log is asked for.
pub const EVENTS_PAGE_MAX: usize = 100;

/// What one delivery of a page of events told us.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one for each page: moving it is nothing beside the request")]
pub enum EventsFact {
    /// A whole page, newest first.
    Page {
        /// The events, each with the bytes it stands for.
        events: Vec<(Event, Vec<u8>)>,
        /// The ids of those that could not be read: each could be the only trace of anything, so a sweep has to report
        /// them.
        unreadable: Vec<String>,
        /// Where the page after this one starts; none after the last.
        next: Option<String>,
    },
    /// No page; the fact says why.
    Failed(Fact),
}

/// What an event or a look shows of any object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly always an object, and read one by one")]
pub enum Seen {
    /// A payment, a charge or a refund.
    Object(Sighting),
    /// A dispute.
    Dispute(Box<DisputeSighting>),
}

impl Seen {
    /// What kind of object it is.
    #[must_use]
    pub const fn kind(&self) -> ObjectKind {
        match self {
            Self::Object(sighting) => sighting.kind,
            Self::Dispute(_) => ObjectKind::Dispute,
        }
    }

    /// The gateway's id of it.
    #[must_use]
    pub fn object_id(&self) -> &str {
        match self {
            Self::Object(sighting) => &sighting.object_id,
            Self::Dispute(dispute) => &dispute.object_id,
        }
    }
}

/// A page of the endpoints that a gateway sends webhooks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointsFact {
    /// A page.
    Page {
        /// Its endpoints.
        endpoints: Vec<WebhookEndpoint>,
        /// Where the page after it begins.
        next: Option<String>,
    },
    /// Nothing is known: our credential may not ask, or no page came.
    Unknown,
}

/// An endpoint that a gateway sends webhooks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// Where.
    pub url: String,
    /// Whether it does send there.
    pub is_enabled: bool,
}

/// One dialect.
pub trait Connector: fmt::Debug + Send + Sync {
    /// The headers of every request.
    fn headers(&self) -> Headers;

    /// What the gateway offers for payments, refunds or the defence of disputes; nothing where it offers none.
    fn capability(&self, subject: Subject) -> Option<Capability>;

    /// Whether the gateway can express an amount.
    ///
    /// # Errors
    ///
    /// [`Unsayable`], with the reason.
    fn check_amount(&self, money: Money) -> Result<(), Unsayable>;

    /// Whether payments may be captured later.
    fn captures_later(&self) -> bool;

    /// The members of which evidence for a dispute may consist; none where the gateway takes none.
    fn evidence_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// The request that carries out what is asked; it has no idempotency key yet.
    ///
    /// # Errors
    ///
    /// [`Unsayable`]; what was accepted before is never that.
    fn write(&self, ask: &Ask<'_>) -> Result<Request, Unsayable>;

    /// The request that reads one object.
    fn read(&self, kind: ObjectKind, object_id: &str) -> Request;

    /// The request for one page of the list in which an object would be; `after` is where the page before says it goes on.
    fn page(&self, search: &Search<'_>, after: Option<&str>) -> Request;

    /// The request for one page of the gateway's own log of events, newest first, of at most so many of them (1 to
    /// [`EVENTS_PAGE_MAX`]); nothing where it keeps none.
    fn events(&self, created_from: i64, after: Option<&str>, limit: usize) -> Option<Request>;

    /// The request for one page of the endpoints that the gateway sends webhooks to; nothing where it lists none.
    fn endpoints(&self, _after: Option<&str>) -> Option<Request> {
        None
    }

    /// A harmless read that tells whether the gateway is there and takes our credentials.
    fn probe(&self) -> Request;

    /// Reads the delivery of a write about an object of this kind. Never [`Fact::Absent`].
    fn decode_write(&self, kind: ObjectKind, delivery: &Delivery) -> Fact;

    /// Reads the delivery of a read of one object of this kind. A 404 is [`Fact::Absent`].
    fn decode_read(&self, kind: ObjectKind, delivery: &Delivery) -> Fact;

    /// Reads the delivery of one page of objects of this kind.
    fn decode_page(&self, kind: ObjectKind, delivery: &Delivery) -> ListFact;

    /// Reads the delivery of one page of events.
    fn decode_events(&self, delivery: &Delivery) -> EventsFact;

    /// Reads the delivery of one page of endpoints.
    fn decode_endpoints(&self, _delivery: &Delivery) -> EndpointsFact {
        EndpointsFact::Unknown
    }

    /// Reads the delivery of the probe: [`Fact::Absent`] where the gateway is there.
    fn decode_probe(&self, delivery: &Delivery) -> Fact;

    /// Reads the body of a verified webhook.
    ///
    /// # Errors
    ///
    /// [`EventError`] when it will not become readable later.
    fn decode_event(&self, body: &[u8]) -> Result<Event, EventError>;
}
