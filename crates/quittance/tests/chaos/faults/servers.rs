//! Servers that are killed, frozen, and ended in order. Does not own what must hold afterwards (`audit`).

use super::{ORDERS, seed, world};
use crate::world::{SERVERS, World};

impl World {
    /// `kill -9`, and a new one on the same books.
    pub(crate) fn kill_server(&mut self, at: usize) {
        self.tell(&format!("kill -9 of server {at}"));
        self.servers[at].kill();
        self.start_again(at);
    }

    /// It stands still for longer than its lease, whatever it was doing, and goes on as if nothing had been.
    pub(crate) fn freeze_server(&mut self, at: usize) {
        self.tell(&format!("server {at} stands still"));
        self.servers[at].signal("STOP");
        self.outlast_leases();
        self.servers[at].signal("CONT");
    }

    /// It is told to end, does so in order, and is started again.
    pub(crate) fn exchange_server(&mut self, at: usize) {
        self.tell(&format!("server {at} is exchanged"));
        self.servers[at].signal("TERM");
        let status = self.servers[at].wait();
        assert!(status.success(), "server {at} does not end in order: {status}\n{}", self.servers[at].last_words());
        self.start_again(at);
    }
}

#[test]
fn servers_that_are_killed_lose_nothing() {
    let Some(mut world) = world("servers that are killed, on PostgreSQL", seed()) else { return };
    world.begin();
    for at in 0..SERVERS {
        world.progress(ORDERS);
        world.kill_server(at);
    }
    world.progress(ORDERS);
    world.judge();
}

#[test]
fn a_server_that_stands_still_for_longer_than_its_lease_is_fenced() {
    let Some(mut world) = world("servers that stand still, on PostgreSQL", seed()) else { return };
    world.begin();
    world.progress(ORDERS);
    world.freeze_server(1);
    world.progress(ORDERS);
    world.judge();
}

#[test]
fn servers_are_exchanged_under_load() {
    let Some(mut world) = world("servers that are exchanged, on PostgreSQL", seed()) else { return };
    world.begin();
    for at in 0..SERVERS {
        world.progress(ORDERS);
        world.exchange_server(at);
    }
    world.progress(ORDERS);
    world.judge();
}
