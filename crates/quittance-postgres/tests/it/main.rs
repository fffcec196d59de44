//! The production store's integration tests, on real servers.

#![expect(clippy::unwrap_used, reason = "tests: what fails to open or to write is a failed test")]
#![expect(clippy::disallowed_methods, reason = "the environment asks for golden files to be written anew")]

mod concurrent;
mod conformance;
mod durability;
mod gone;
mod locking;
mod lost;
mod migrating;
mod proxy;
mod refused;
mod schema;
mod support;
