//! What the engine needs from outside: values in, values out.

use crate::clocks::Reading;
use quittance_core::customer::Customer;
use quittance_core::dispute::Dispute;
use quittance_core::event::{Endpoint, Kind};
use quittance_core::id::{CustomerId, EventId, TenantId};
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_core::rejection::Rejection;
use quittance_core::time::Timestamp;
use uuid::Uuid;

/// The clocks of this machine.
pub trait Clock: Send {
    /// What they say now.
    fn reading(&mut self) -> Reading;

    /// From now on the wall clock is the one of the database, which says this: all who share the books go by it.
    fn follow(&mut self, time: Timestamp);
}

/// Draws time-ordered ids and random numbers.
pub trait Ids: Send {
    /// A new UUIDv7 for this time; never the same twice, and rising where the time does not.
    fn uuid(&mut self, now: Timestamp) -> Uuid;

    /// A random number, for jitter.
    fn dice(&mut self) -> u64;
}

/// Turns an answer into the bytes a client gets. Pure: the stored answer *is* what was sent.
pub trait Render: Send {
    /// HTTP status and body of an answer in an API version.
    fn render(&self, answer: &Answer<'_>, api_version: &str) -> (u16, Vec<u8>);

    /// The bytes of an event, as they are sent: the resource as the API shows it at this moment, in its envelope.
    fn event(&self, event: &Event<'_>) -> Vec<u8>;
}

/// Something that has changed, to be told.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: Kind,
    /// When.
    pub at: Timestamp,
    /// How many records the journal of the resource's book had then.
    pub seq: i64,
    /// Its place among the events of the same command, from 0.
    pub place: u32,
    /// What it is about.
    pub resource: Resource<'a>,
}

/// A resource, as clients see it.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// A customer.
    Customer(&'a Customer),
    /// A payment.
    Payment(&'a Payment),
    /// A refund.
    Refund(&'a Refund),
    /// A dispute.
    Dispute(&'a Dispute),
}

impl Resource<'_> {
    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        match self {
            Self::Customer(customer) => customer.tenant,
            Self::Payment(payment) => payment.tenant,
            Self::Refund(refund) => refund.tenant,
            Self::Dispute(dispute) => dispute.tenant,
        }
    }

    /// Its book: the id of its customer.
    #[must_use]
    pub const fn book(&self) -> CustomerId {
        match self {
            Self::Customer(customer) => customer.id,
            Self::Payment(payment) => payment.book,
            Self::Refund(refund) => refund.book,
            Self::Dispute(dispute) => dispute.book,
        }
    }

    /// Its id, as the API spells it.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Customer(customer) => customer.id.to_string(),
            Self::Payment(payment) => payment.id.to_string(),
            Self::Refund(refund) => refund.id.to_string(),
            Self::Dispute(dispute) => dispute.id.to_string(),
        }
    }
}

/// An answer to a client's command.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// A customer was created.
    CustomerCreated(&'a Customer),
    /// A payment came to an end, or to the client's turn.
    Payment(&'a Payment),
    /// The payment that already holds the reference.
    ExistingPayment(&'a Payment),
    /// A refund came to an end, or to somebody else's turn.
    Refund(&'a Refund),
    /// A refund that a person's decision brought to its end.
    ExistingRefund(&'a Refund),
    /// A dispute was answered: the evidence is with the gateway.
    Evidence(&'a Dispute),
    /// A dispute whose answer a person's decision brought to its end.
    ExistingDispute(&'a Dispute),
    /// An endpoint was made; the only time its secret is told.
    EndpointCreated(&'a Endpoint),
    /// An endpoint has a new secret; the only time it is told.
    SecretRotated(&'a Endpoint),
    /// Refused by the rules.
    Rejected(&'a Rejection),
}
