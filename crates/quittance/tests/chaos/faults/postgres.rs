//! PostgreSQL whose connections are ended, whose processes are killed, and that is restarted without ado. Does not own what
//! must hold afterwards (`audit`).

use super::{ORDERS, seed, world};
use crate::world::World;
use std::process::Command;

impl World {
    /// Every connection to the books is ended by an administrator.
    pub(crate) fn end_connections(&mut self) {
        self.tell("pg_terminate_backend of every connection");
        let ours = format!("datname = '{}' AND pid <> pg_backend_pid()", self.database);
        self.postgres()
            .sql("postgres", &format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {ours}"));
    }

    /// `kill -9` of a process that serves a connection: PostgreSQL ends all others and recovers from its log.
    pub(crate) fn kill_connection(&mut self) {
        self.tell("kill -9 of a process of PostgreSQL");
        let ours = format!("datname = '{}' AND pid <> pg_backend_pid()", self.database);
        let ids = self.postgres().sql("postgres", &format!("SELECT pid FROM pg_stat_activity WHERE {ours} LIMIT 1"));
        assert!(!ids.is_empty(), "nobody is connected");
        let killed = Command::new("kill").args(["-9", &ids]).status().expect("kill runs");
        assert!(killed.success(), "kill -9 {ids}: {killed}");
    }

    /// PostgreSQL ends at once, without writing anything back, and is started again.
    pub(crate) fn restart_database(&mut self) {
        self.tell("an immediate restart of PostgreSQL");
        self.postgres_mut().restart_immediately();
    }

    /// All of PostgreSQL is killed, and started again.
    pub(crate) fn kill_database(&mut self) {
        self.tell("kill -9 of PostgreSQL");
        self.postgres_mut().restart();
    }
}

#[test]
fn connections_that_are_ended_and_killed_lose_nothing() {
    let Some(mut world) = world("connections to PostgreSQL that are ended", seed()) else { return };
    world.begin();
    for _ in 0..3 {
        world.progress(ORDERS);
        world.end_connections();
    }
    world.progress(ORDERS);
    world.kill_connection();
    world.progress(ORDERS);
    world.judge();
}

#[test]
fn a_database_that_is_restarted_without_ado_loses_nothing() {
    let Some(mut world) = world("an immediate restart of PostgreSQL", seed()) else { return };
    world.begin();
    for _ in 0..2 {
        world.progress(ORDERS);
        world.restart_database();
    }
    world.progress(ORDERS);
    world.kill_database();
    world.progress(ORDERS);
    world.judge();
}
