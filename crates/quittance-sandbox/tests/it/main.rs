//! Owns: the tests that speak HTTP with a running sandbox. Does not own: tests of its parts, which
//! sit beside them.

mod faults;
mod idempotency;
mod late_clients;
mod late_effects;
mod lifecycle;
mod lists;
mod peers;
mod shop;
mod webhooks;
