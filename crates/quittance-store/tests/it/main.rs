//! The store crate's integration tests: the memory store before the conformance suite, and the store that seals.

mod memory;
mod sealed;
