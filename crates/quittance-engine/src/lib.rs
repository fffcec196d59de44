//! The engine: commands in, one transaction, answers and work for the gateways out.
//!
//! [`Engine::step`] decides a batch of [`Submission`]s over loaded rows and commits everything they imply at once;
//! [`Engine::poll`] takes effects that are due. Both return [`Job`]s: requests to send or objects to read, whose tickets
//! are already committed. Whoever runs the engine owns sockets, clocks and threads, carries jobs out, and submits what
//! it learned as the next command.
//!
//! **The engine never speaks HTTP, never writes SQL, never reads a clock or draws a number by itself, and needs no async
//! runtime**, so that a simulator can step it. What it needs from outside comes through the named ports of [`ports`].

pub mod backlog;
mod batch;
pub mod brakes;
pub mod breaker;
pub mod bucket;
pub mod budget;
pub mod clocks;
pub mod condition;
mod due;
pub mod engine;
mod events;
pub mod gateways;
mod handlers;
pub mod looks;
pub mod pause;
mod places;
pub mod ports;
pub mod queue;
pub mod recovery;
pub mod room;
pub mod submission;
pub mod sweeps;
pub mod trace;
pub mod verify;
mod working_set;

pub use engine::Engine;
pub use gateways::{Gateway, Gateways};
pub use submission::{Action, ClientCommand, Job, Outcome, Plan, Submission};
