//! What tests find around them: programs by other hands, data that is not in the repository, and a place to say what
//! was left out without them.
//!
//! Tests are told by environment variables, which `cargo xtask test` sets (the table is at the head of
//! `xtask/src/test.rs`), and by nothing else. Does not own setting anything up, nor what is tested.
//!
//! **It never ships, never installs anything, and never knows what is judged**: it depends on no other crate, so that
//! even the tests of the sandbox may use it.

mod data;
mod folder;
mod fuzz;
mod log;
mod peer;
mod ports;
mod postgres;
mod redis;
mod server;
mod skip;
mod user;

pub use data::data_file;
pub use fuzz::Fuzz;
pub use peer::Peer;
pub use postgres::Postgres;
pub use redis::Redis;
pub use server::Server;
pub use skip::skip;

/// An environment variable, when it is set to something.
#[expect(clippy::disallowed_methods, reason = "the one place where tests read what is around them")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
