//! Tests of the server as its users see it.

#![expect(clippy::unwrap_used, reason = "tests: what fails to start or to answer is a failed test")]

mod api;
mod config;
mod diff;
mod find;
mod fuzz;
mod gateway;
mod init;
mod lossy;
mod runtime;
mod serve;
mod stops;
mod storms;
mod stripe_mock;
mod systems;
mod transport;
mod wire;
