//! The embedded store's integration tests.

#![expect(clippy::unwrap_used, reason = "tests: what fails to open or to write is a failed test")]
#![expect(clippy::disallowed_methods, reason = "the environment tells a child process what it is")]

mod conformance;
mod crash;
mod damage;
mod opening;
mod schema;
mod space;
mod support;
