//! A primary that is lost and a replica that takes its place: with synchronous replication nothing is lost; without it, what
//! is lost is seen, and what was charged is found. Does not own what must hold afterwards (`audit`).

use super::{ORDERS, postgres, seed};
use crate::demo::dice::Dice;
use crate::surroundings::{span, until};
use crate::world::{SERVERS, World};
use quittance_surroundings::Postgres;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Longest wait for a replica to follow, and for servers to notice.
const NOTICE_S_MAX: u64 = 90;

/// A world on a primary with a replica. Servers are given both addresses, the replica's first.
fn world(subject: &str) -> Option<(World, Postgres)> {
    let primary = postgres(subject, &["fsync=off"])?;
    let replica = primary.replica(&[]);
    let database = primary.fresh_database();
    let hosts = format!("{},{}", replica.socket(), primary.socket());
    let url = primary.url(&database).replace(&primary.socket().to_string(), &hosts);
    wait_for("the replica has the database", || {
        replica.sql("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname = '{database}'")) == "1"
    });
    Some((World::open_at(Some(primary), database, url, seed()), replica))
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    until(span(NOTICE_S_MAX), || is_so().then_some(())).unwrap_or_else(|_| panic!("never: {what}"));
}

impl World {
    /// From now on a commit is acknowledged only when the replica has it.
    fn replicate_synchronously(&self) {
        self.postgres().sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.postgres().sql("postgres", "SELECT pg_reload_conf()");
        let state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        wait_for("the replica is synchronous", || self.postgres().sql("postgres", state) == "1");
    }

    fn fail_over(&mut self, replica: &Postgres) {
        self.tell("kill -9 of the primary, and the replica takes its place");
        self.postgres_mut().kill();
        assert_eq!(replica.sql("postgres", "SELECT pg_promote()"), "t");
    }

    /// Objects that took money at a gateway and are behind no payment that succeeded, by what we say.
    fn unclaimed(&self) -> BTreeSet<String> {
        let rows = self.wait(self.load.api.list("/v1/payments?status=succeeded", &mut Dice::new(0, 4)));
        let paid: BTreeSet<&str> = rows.iter().filter_map(|row| row["gateway_id"].as_str()).collect();
        let charges = self.gateways.iter().flat_map(|gateway| self.wait(gateway.charges()));
        let taken = charges.filter(|charge| charge.taken_amount > 0).map(|charge| charge.intent);
        taken.filter(|object| !paid.contains(object.as_str())).collect()
    }

    /// Objects that are unclaimed and that nobody is told of, each with the traces of the payments that we think it is of.
    fn untold(&self) -> BTreeMap<String, Vec<Value>> {
        let mut untold = BTreeMap::new();
        let told = self.told_of();
        for object in self.unclaimed().difference(&told) {
            let payments = self.wait(self.load.api.list("/v1/payments", &mut Dice::new(0, 7)));
            let its = payments.iter().filter(|payment| payment["gateway_id"] == object.as_str());
            let trace = |payment: &Value| {
                let path = format!("/v1/trace/{}", payment["id"].as_str().unwrap_or_default());
                self.wait(self.load.api.read_patiently(&path, &mut Dice::new(0, 8)))
            };
            untold.insert(object.clone(), its.map(trace).collect());
        }
        untold
    }

    /// Objects that people are told of: as orphans, or, where an earlier attempt on the same object is known and had failed, as
    /// that attempt, which is in review now.
    fn told_of(&self) -> BTreeSet<String> {
        let payments = self.wait(self.load.api.list("/v1/payments?status=review", &mut Dice::new(0, 6)));
        let rows = self.wait(self.load.api.list("/v1/discrepancies?status=open", &mut Dice::new(0, 5)));
        let orphans = rows.iter().filter(|row| row["kind"] == "orphaned_object");
        orphans.chain(&payments).filter_map(|row| row["gateway_id"].as_str().map(str::to_owned)).collect()
    }
}

#[test]
fn a_synchronous_replica_that_takes_over_has_all_that_was_acknowledged() {
    let Some((mut world, replica)) = world("a synchronous replica that takes over") else { return };
    world.replicate_synchronously();
    world.begin();
    world.progress(ORDERS);
    // What was committed is there and cannot be seen there yet: whoever reads at the replica reads what is old.
    world.tell("the replica applies nothing for a while");
    replica.sql("postgres", "SELECT pg_wal_replay_pause()");
    world.progress(ORDERS);
    replica.sql("postgres", "SELECT pg_wal_replay_resume()");
    world.progress(ORDERS);
    world.fail_over(&replica);
    world.progress(ORDERS);
    world.judge();
}

#[test]
fn what_an_asynchronous_replica_lacks_is_seen_and_found() {
    let Some((mut world, replica)) = world("an asynchronous replica that takes over") else { return };
    world.begin();
    world.progress(ORDERS);
    world.tell("the replica receives nothing any more");
    replica.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
    replica.sql("postgres", "SELECT pg_reload_conf()");
    wait_for("the replica is left behind", || {
        replica.sql("postgres", "SELECT count(*) FROM pg_stat_wal_receiver") == "0"
    });
    world.progress(ORDERS);
    // Whoever asked for what is lost would be charged again, which is why such replicas are warned of.
    world.end_load();
    world.fail_over(&replica);
    for at in 0..SERVERS {
        let status = world.servers[at].wait();
        let words = world.servers[at].last_words();
        assert!(!status.success() && words.contains("went back"), "server {at}: {status}\n{words}");
    }
    world.tell("every server has seen that the database went back, and ended; they are started again");
    for at in 0..SERVERS {
        world.start_again(at);
    }
    until(span(NOTICE_S_MAX), || world.unclaimed().is_subset(&world.told_of()).then_some(()))
        .unwrap_or_else(|_| panic!("nobody is told of {:#?}", world.untold()));
    assert!(!world.unclaimed().is_empty(), "nothing was lost, so that nothing is proven");
    world.look_for_deaths();
}
