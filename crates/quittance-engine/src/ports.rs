//! What the engine needs from outside: values in, values out.

use crate::clocks::Reading;
use quittance_core::customer::Customer;
use quittance_core::dispute::Dispute;
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
    /// Refused by the rules.
    Rejected(&'a Rejection),
}
