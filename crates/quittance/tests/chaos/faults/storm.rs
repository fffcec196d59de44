//! Storms: many faults of every kind, one after the other, as a seed decides. Does not own the single faults.

use super::{ORDERS, SEED_VARIABLE, world};
use crate::demo::dice::Dice;
use crate::surroundings::number;
use crate::world::{SERVERS, World};
use quittance_server::clock::Stopwatch;
use std::time::Duration;

/// Faults of a short storm, which belongs to every change, and of a long one.
const SHORT: usize = 4;
const LONG: usize = 20;

/// Long storms, where nothing else is said.
const ROUNDS: u64 = 5;

/// One fault. Servers are named by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    KillServer(usize),
    FreezeServer(usize),
    ExchangeServer(usize),
    EndConnections,
    KillConnection,
    RestartDatabase,
    KillDatabase,
}

impl Fault {
    fn draw(dice: &mut Dice) -> Self {
        let server = usize::try_from(dice.roll(SERVERS as u64)).unwrap_or(0);
        dice.pick(&[
            Self::KillServer(server),
            Self::KillServer(server),
            Self::FreezeServer(server),
            Self::ExchangeServer(server),
            Self::EndConnections,
            Self::KillConnection,
            Self::RestartDatabase,
            Self::KillDatabase,
        ])
    }

    fn strike(self, world: &mut World) {
        match self {
            Self::KillServer(at) => world.kill_server(at),
            Self::FreezeServer(at) => world.freeze_server(at),
            Self::ExchangeServer(at) => world.exchange_server(at),
            Self::EndConnections => world.end_connections(),
            Self::KillConnection => world.kill_connection(),
            Self::RestartDatabase => world.restart_database(),
            Self::KillDatabase => world.kill_database(),
        }
    }
}

/// What a seed decides: the faults, each with the orders before it.
fn plan(seed: u64, count: usize) -> Vec<(u64, Fault)> {
    let mut dice = Dice::new(seed, 0);
    (0..count).map(|_| (dice.between(3, 2 * ORDERS), Fault::draw(&mut dice))).collect()
}

/// Carries a plan out. Nothing where there is no PostgreSQL.
fn storm(seed: u64, count: usize) -> Option<()> {
    let plan = plan(seed, count);
    println!("{SEED_VARIABLE}={seed}: {plan:?}");
    let mut world = world("storms of faults, on PostgreSQL", seed)?;
    world.begin();
    for (orders, fault) in plan {
        world.progress(orders);
        fault.strike(&mut world);
    }
    world.progress(ORDERS);
    world.judge();
    Some(())
}

#[test]
fn a_seed_is_a_plan() {
    assert_eq!(plan(7, LONG), plan(7, LONG));
    assert_ne!(plan(7, LONG), plan(8, LONG));
}

#[test]
fn a_short_storm_loses_nothing() {
    let _ = storm(super::seed(), SHORT);
}

/// `cargo xtask soak`: long storms, each with the next seed, or the one that is named.
#[test]
fn soak_storms() {
    if number("QUITTANCE_SOAK").is_none() {
        return;
    }
    if let Some(seed) = number(SEED_VARIABLE) {
        let _ = storm(seed, LONG);
        return;
    }
    let (since, limit) = (Stopwatch::start(), number("QUITTANCE_SOAK_SECONDS").map(Duration::from_secs));
    let rounds = number("QUITTANCE_SOAK_ROUNDS").unwrap_or(if limit.is_some() { u64::MAX } else { ROUNDS });
    for seed in 1..=rounds {
        if storm(seed, LONG).is_none() || limit.is_some_and(|limit| since.elapsed() > limit) {
            return;
        }
    }
}
