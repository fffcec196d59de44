//! The store crate's integration tests: the memory store before the conformance suite.

mod memory;
