//! Effects to requests, answers to facts, webhooks verified.
//!
//! A connector knows how one gateway speaks, and is a [`connector::Connector`]. It turns what the effect machine wants
//! into the exact bytes of a [`message::Request`], and what a transport brought back into a
//! [`quittance_core::fact::Fact`]: a statement of what was seen. [`key::gateway_key`] computes the idempotency key
//! under which a request travels, [`event::Event`] is what a gateway sends unasked, and [`stripe::webhook`] checks
//! whether it was really Stripe. For systems that are only compared, [`sql`] says statements and reads their answers,
//! [`stripe::listing`] and [`http`] read whole lists, [`stripe::update`] and [`http::update`] change what a repair may, and [`record`]
//! makes canonical values of JSON.
//!
//! **Connectors never open a socket, never read a clock, never hold a thread, a credential or any other state, and
//! never judge.** The same `429` means "not executed" on a first send and nothing at all on a replay; a connector
//! says "throttled" and leaves the rest to the machine. Where an answer is not readable as the gateway's own, the
//! fact is "lost", never a guess.

pub mod alert;
pub mod connector;
pub mod event;
mod form;
pub mod http;
mod json;
pub mod key;
pub mod message;
pub mod rail;
pub mod record;
pub mod sql;
pub mod stripe;
