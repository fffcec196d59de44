//! A local payment rail, made up after what such rails have in common: payments alone, read back by our reference.
//!
//! Owns the wire form of its requests and the reading of its answers. Does not own strategy: the rail knows no keys, so
//! that a lost answer must be searched for before anything is sent again, and that is the effect machine's business.
//! The worked example of `docs/connectors.md`; whoever speaks to a rail of their own begins with a copy.

use quittance_core::effect::{Capability, Readback, Subject};
use quittance_core::fact::{Fact, ObjectKind};
use quittance_core::money::Money;

use crate::connector::{Ask, Connector, EventsFact, ListFact, Search, Unsayable};
use crate::event::{Event, EventError};
use crate::message::{Delivery, Headers, Request};

mod answer;
mod request;
mod transfer;

/// Largest amount of one transfer, in minor units.
pub const AMOUNT_MAX: i64 = 99_999_999_999;

const QUIESCENCE_MS: u64 = 10 * 60_000;

/// One request takes the money, and a second one takes it again. The list is never behind, so that what is not in it is
/// not there; an answer that was lost may still take effect for ten minutes, whatever lost it.
const TRANSFERS: Capability = Capability {
    is_two_phase: false,
    key: None,
    readback: Readback::List,
    do_events_carry_reference: false,
    quiescence_ms: QUIESCENCE_MS,
    quiescence_after_error_ms: QUIESCENCE_MS,
};

/// The rail's dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rail;

impl Connector for Rail {
    fn headers(&self) -> Headers {
        Headers { key: None, version: None, content_type: "application/json" }
    }

    fn capability(&self, subject: Subject) -> Option<Capability> {
        match subject {
            Subject::Payment => Some(TRANSFERS),
            Subject::Refund(_) | Subject::Dispute(_) => None,
        }
    }

    fn check_amount(&self, money: Money) -> Result<(), Unsayable> {
        request::check_amount(money)
    }

    fn captures_later(&self) -> bool {
        false
    }

    fn write(&self, ask: &Ask<'_>) -> Result<Request, Unsayable> {
        request::write(ask)
    }

    fn read(&self, _kind: ObjectKind, object_id: &str) -> Request {
        request::read(object_id)
    }

    fn page(&self, search: &Search<'_>, after: Option<&str>) -> Request {
        request::page(search.reference, after)
    }

    fn events(&self, _created_from: i64, _after: Option<&str>, _limit: usize) -> Option<Request> {
        None
    }

    fn probe(&self) -> Request {
        request::probe()
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
        EventsFact::Failed(answer::unasked(delivery))
    }

    fn decode_probe(&self, delivery: &Delivery) -> Fact {
        answer::decode_probe(delivery)
    }

    fn decode_event(&self, _body: &[u8]) -> Result<Event, EventError> {
        Err(EventError::NoEvents)
    }
}
