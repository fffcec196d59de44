//! A primary that is lost in a cluster that is watched over by Patroni. Does not own what must hold afterwards (`audit`).

use super::{ORDERS, seed};
use crate::cluster::Cluster;
use crate::world::World;

#[test]
fn a_primary_that_patroni_replaces_loses_nothing() {
    let Some(mut cluster) = Cluster::start("a cluster that is watched over by Patroni") else { return };
    let (database, url) = cluster.database();
    let mut world = World::open_at(None, database, url, seed());
    world.begin();
    world.progress(ORDERS);
    world.tell("kill -9 of the primary and of its Patroni");
    cluster.kill_primary();
    world.progress(ORDERS);
    world.judge();
    drop(cluster);
}
