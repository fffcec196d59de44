//! A deterministic simulation: the real core, engine, connectors and memory store, among gateways, networks, disks, clocks,
//! clients and people that fail; and an auditor who knows what must be true all the same.
//!
//! **It never reads a clock, draws a number that its seed does not decide, opens a socket, starts a thread inside a world, or
//! ships.**
//!
//! # Goals
//!
//! To find the bugs that no list of scenarios names. One seed is one [`plan::Plan`], one plan is one [`world::World`], and a
//! world that fails is a bug report that anybody can live again. `docs/simulation.md` tells how.
//!
//! # What counts as a failure
//!
//! A rule of the [`auditor`] that is broken; a panic; damaged data; a world that does not end. In particular: a second success
//! for a reference, a second refund, more given back than came; an answer that changes, is lost, or turns out false; a key that
//! two requests share; a request that leaves without its ticket; a webhook that is applied twice, or that nobody signed; an
//! effect that has no end once faults have ended; books that are not sound, or do not come to what the gateways' books do,
//! unless people were told by a discrepancy that is open.
//!
//! # What does not
//!
//! What no gateway of the contract does: a request that takes effect later than its gateway's quiescence (ten minutes after a
//! lost answer, a day after a 500), a key that is forgotten within a day, a message that a network doubles where there are no
//! keys, a person who says what is not so. Nor what the product does not see: a clock that is wrong when its machine is
//! started anew.
//!
//! # What remains undetermined
//!
//! Nothing inside a world: one thread, one agenda, one generator, ordered maps. Outside: which of several failing seeds a run
//! with several threads meets before it stops, and the workload itself, which gives a seed another meaning when it is changed;
//! plans that are worth keeping are kept as data.

pub mod agenda;
pub mod auditor;
pub mod batch;
pub mod clock;
pub mod coverage;
pub mod dice;
pub mod gateway;
pub mod matrix;
#[cfg(quittance_mutations)]
pub mod mutations;
pub mod plan;
mod process;
pub mod shrink;
pub mod store;
pub mod story;
pub mod workload;
pub mod world;

use auditor::Failure;
use plan::Plan;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::{Outcome, World};

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps what a panic says instead of printing it: worlds that panic are failures like others.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANIC.with(|last| *last.borrow_mut() = Some(panic.to_string()));
    }));
}

/// Lives the world of a plan. What panics has failed.
#[must_use]
pub fn simulate(plan: &Plan, is_told: bool) -> Outcome {
    PANIC.with(|last| last.borrow_mut().take());
    catch_unwind(AssertUnwindSafe(|| World::new(plan, is_told).live())).unwrap_or_else(|_| {
        let what = PANIC.with(|last| last.borrow_mut().take()).unwrap_or_else(|| "a panic".to_owned());
        let failure = Some(Failure { rule: "panic", what });
        let broken = ["panic"].into();
        Outcome { failure, broken, ..Outcome::default() }
    })
}
