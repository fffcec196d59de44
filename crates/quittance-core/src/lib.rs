//! Pure domain of Quittance.
//!
//! Money, the journal, idempotency, and the machines that decide what happens to a payment. A command and the rows it
//! names go in; records, row changes, effects and an answer come out, as values.
//!
//! **Core never does I/O, never reads a clock, never draws a random number, and knows no JSON, no SQL and no HTTP.**
//! Times, ids and secrets are arguments. Whoever holds a decision chooses what to do with it: the executor writes it,
//! a simulator checks it, a test prints it.

pub mod account;
pub mod alert;
pub mod allocate;
pub mod brake;
pub mod currency;
pub mod customer;
pub mod decide;
pub mod dispute;
pub mod effect;
pub mod event;
pub mod fact;
pub mod finder;
pub mod id;
pub mod idempotency;
pub mod journal;
pub mod ledger;
pub mod money;
pub mod mutation;
pub mod pair;
pub mod pan;
pub mod payment;
pub mod propose;
pub mod record;
pub mod refund;
pub mod rejection;
pub mod replay;
pub mod rounding;
pub mod tenant;
pub mod time;
