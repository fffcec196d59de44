//! The faults, each a case of its own.

mod disk;
mod network;
mod patroni;
mod postgres;
mod replication;
mod schema;
mod servers;
mod sockets;
mod storm;

use crate::surroundings::number;
use crate::world::World;
use quittance_surroundings::Postgres;

/// Orders before the first fault, between two, and after the last.
const ORDERS: u64 = 6;

/// Where the environment says nothing.
const SEED: u64 = 1;

/// The variable that runs a case again as it was.
const SEED_VARIABLE: &str = "QUITTANCE_CHAOS_SEED";

fn seed() -> u64 {
    number(SEED_VARIABLE).unwrap_or(SEED)
}

fn postgres(subject: &str, settings: &[&str]) -> Option<Postgres> {
    Postgres::start_with(subject, settings)
}

/// A world on a PostgreSQL server of its own; nothing where there is no PostgreSQL. It does not wait for the disk: what is
/// killed are processes, and what they wrote outlives them.
fn world(subject: &str, seed: u64) -> Option<World> {
    Some(World::open(postgres(subject, &["fsync=off"])?, seed))
}
