//! The production store's integration tests, on real servers.

#![expect(clippy::unwrap_used, reason = "tests: what fails to open or to write is a failed test")]

mod concurrent;
mod conformance;
mod lost;
mod proxy;
mod refused;
mod schema;
mod support;
