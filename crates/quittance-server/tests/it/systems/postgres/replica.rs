//! Replicas: how far behind they may be.

use super::{integer, read, refused, side, system};
use quittance_server::config::Secret;
use quittance_server::systems::postgres::Postgres;
use quittance_server::systems::{Blame, System, Wanted};
use quittance_surroundings::Postgres as Server;

/// Each look is an answered question, so only a broken promise takes long.
const LOOKS_MAX: u32 = 1000;

#[test]
fn a_replica_is_read_unless_it_is_too_far_behind() {
    let Some(primary) = Server::start("a replica of PostgreSQL that is read") else { return };
    primary.sql("postgres", "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)");
    let replica = primary.replica(&[]);
    let strict = || Postgres::new("app", &Secret::new(replica.url("postgres")), 0, 60).unwrap();
    let side = side(1, &["id"]);
    let written = |statement: &str| {
        primary.sql("postgres", statement);
        primary.sql("postgres", "SELECT pg_current_wal_flush_lsn()")
    };
    let follows = |function: &str, lsn: &str| {
        until(function, || replica.sql("postgres", &format!("SELECT {function}() >= '{lsn}'")) == "t");
    };

    let lsn = written("INSERT INTO a VALUES (2)");
    follows("pg_last_wal_replay_lsn", &lsn);
    // Nothing was committed since, however long ago that is: it has all there is.
    assert_eq!(read(&mut strict(), "a", &side, &Wanted::All), [[integer(1)], [integer(2)]]);

    replica.sql("postgres", "SELECT pg_wal_replay_pause()");
    until("paused", || replica.sql("postgres", "SELECT pg_get_wal_replay_pause_state()") == "paused");
    let lsn = written("INSERT INTO a VALUES (3)");
    follows("pg_last_wal_receive_lsn", &lsn);
    let error = strict().describe("a").unwrap_err();
    refused(&error, Blame::Outside, "s behind its primary, and lag_max_s allows 0 s", "raise lag_max_s");
    let mut patient = Postgres::new("app", &Secret::new(replica.url("postgres")), 86_400, 60).unwrap();
    let all = &Wanted::All;
    let (rows, reading) = super::try_read(&mut patient, "a", &side, all).unwrap();
    let now = super::try_read(&mut system(&primary.url("postgres")), "a", &side, all).unwrap().1.as_of.unwrap();
    assert_eq!(rows.len(), 2, "what it has not replayed is not there");
    assert!(reading.as_of.unwrap() < now, "and it does not claim to be complete up to now");

    replica.sql("postgres", "SELECT pg_wal_replay_resume()");
    follows("pg_last_wal_replay_lsn", &lsn);
    assert_eq!(read(&mut strict(), "a", &side, all).len(), 3);
    patient.refresh().unwrap();
    assert_eq!(read(&mut patient, "a", &side, all).len(), 3);
}

#[test]
fn a_replica_that_lost_its_primary_does_not_say_that_it_has_everything() {
    let Some(mut primary) = Server::start("a replica of PostgreSQL that is alone") else { return };
    primary.sql("postgres", "CREATE TABLE a (id int PRIMARY KEY)");
    let replica = primary.replica(&[]);
    let lsn = {
        primary.sql("postgres", "INSERT INTO a VALUES (1)");
        primary.sql("postgres", "SELECT pg_current_wal_flush_lsn()")
    };
    until("it follows", || replica.sql("postgres", &format!("SELECT pg_last_wal_replay_lsn() >= '{lsn}'")) == "t");
    primary.kill();
    until("it is alone", || replica.sql("postgres", "SELECT count(*) FROM pg_stat_wal_receiver") == "0");
    let mut strict = Postgres::new("app", &Secret::new(replica.url("postgres")), 0, 60).unwrap();
    refused(&strict.describe("a").unwrap_err(), Blame::Outside, "behind its primary", "read the primary");
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    assert!((0..LOOKS_MAX).any(|_| is_so()), "never: {what}");
}
