//! Payments, accepted by the real engine and written by a limit program, each in a process of its own.
//!
//! The process that measures (`batch`, `command`) starts the contestants as workers (`contest`, `worker`) and has them
//! take turns. What is asked (`asked`) is the same for all. The limit program writes the rows that the engine would have
//! written for it: those are recorded beforehand (`recorder`), so they cannot come apart from what the engine does.

mod asked;
pub(super) mod batch;
mod batches;
mod client;
pub(super) mod command;
pub(super) mod connections;
mod contest;
mod http_limit;
mod limit;
mod place;
mod recorder;
mod server;
pub(super) mod worker;
