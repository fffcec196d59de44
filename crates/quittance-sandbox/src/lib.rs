//! A hostile, stateful gateway that speaks the subset of Stripe's v1 dialect that Quittance uses, and beside it a
//! made-up payment rail without idempotency keys.
//!
//! Owns: the objects of a made-up gateway account, its faults, its webhooks and its own books.
//! Does not own: anything of Quittance. It shares no code with what it judges, so that one
//! misunderstanding cannot hide on both sides of the wire.
//!
//! **The sandbox never shares billing code with what it judges: it depends on no other crate of this workspace, and
//! never moves real money.**

mod agenda;
mod answer;
mod authentication;
mod books;
mod clock;
mod config;
mod connection;
mod control;
mod control_billing;
mod control_money;
mod control_profile;
mod control_traffic;
mod dialect;
mod dice;
mod execution;
mod fault;
mod faults;
mod gateway;
mod idempotency;
mod late;
mod lock;
mod objects;
mod permissions;
mod profile;
mod rail;
mod serve;
mod shared;
mod signature;
mod traffic;
mod verdict;
mod visibility;
mod webhook_endpoints;
mod webhooks;
mod writing;

pub use config::{
    Config, FaultProfile, FaultRates, Fees, RestrictedKey, TransactionTiming, UnknownProfile, WebhookTarget,
};
pub use profile::Class;
pub use serve::Sandbox;
