//! Proposals for a made-up application beside made-up subscriptions, with some drift between them.

mod laws;
mod tables;
mod world;
