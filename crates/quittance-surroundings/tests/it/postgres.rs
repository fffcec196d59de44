//! PostgreSQL, started, killed, restarted and followed. Does not test PostgreSQL: only what tests rely on.

use quittance_surroundings::Postgres;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;

/// Each look is an answered question, so only a broken promise takes long.
const LOOKS_MAX: u32 = 1000;

#[test]
fn a_server_is_fit_for_logical_replication_and_writes_ahead_unless_told_otherwise() {
    let Some(server) = Postgres::start_with("settings of PostgreSQL", &["work_mem=1MB"]) else { return };
    let setting = |name: &str| server.sql("postgres", &format!("SHOW {name}"));
    assert_eq!(["wal_level", "fsync", "work_mem"].map(setting), ["logical", "on", "1MB"]);
    // A client that is given a URL takes nothing from elsewhere.
    let mut psql = server.client("psql");
    psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", "SHOW listen_addresses"]);
    let output = psql.args(["--dbname", &server.url("template1")]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "127.0.0.1\n");
}

#[test]
fn tests_share_a_server_and_no_database() {
    let take = || {
        let server = Postgres::shared("a shared PostgreSQL")?;
        let database = server.fresh_database();
        server.sql(&database, "CREATE TABLE a AS SELECT 1 AS b");
        assert_eq!(server.sql(&database, "SELECT count(*), min(b) FROM a"), "1|1");
        Some((server.url(&database), database))
    };
    let taken: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    let Some((first, _)) = taken.first() else { return };
    let server = |url: &str| url.rsplit_once('/').unwrap().0.to_owned();
    assert!(taken.iter().all(|(url, _)| server(url) == server(first)));
    let mut names: Vec<_> = taken.iter().map(|(_, name)| name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 4);
}

#[test]
fn what_was_committed_outlives_a_kill() {
    let Some(mut server) = Postgres::start("a killed PostgreSQL") else { return };
    let url = server.url("postgres");
    server.sql("postgres", "CREATE TABLE a AS SELECT 1 AS b");
    // Its session is at work when it is killed, and would commit if it were left to end.
    let mut busy = server.client("psql");
    let command =
        "BEGIN; INSERT INTO a VALUES (2); SELECT 'busy'; SELECT count(*) FROM generate_series(1, 10000000000); COMMIT";
    let commands = command.split("; ").flat_map(|command| ["--command", command]);
    busy.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", "postgres"]).args(commands);
    let mut busy = busy.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(busy.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "busy\n");
    server.kill();
    assert!(!busy.wait().unwrap().success(), "its session ended with it");
    server.restart();
    assert_eq!(server.sql("postgres", "SELECT * FROM a"), "1");
    assert_eq!(server.url("postgres"), url);
    assert!(server.log().iter().any(|line| line.contains("was not properly shut down")), "{:#?}", server.log());
    server.restart();
    assert_eq!(server.sql("postgres", "SELECT * FROM a"), "1", "a restart kills what runs");
    server.restart_immediately();
    assert_eq!(server.sql("postgres", "SELECT * FROM a"), "1", "an immediate restart recovers");
}

#[test]
fn a_replica_follows_is_held_back_and_takes_over() {
    let Some(mut primary) = Postgres::start_with("a replica of PostgreSQL", &["max_connections=150"]) else { return };
    primary.sql("postgres", "CREATE TABLE a AS SELECT 1 AS b");
    let replica = primary.replica(&[]);
    let is_paused = "SELECT pg_get_wal_replay_pause_state()";
    let read = || replica.sql("postgres", "SELECT count(*) FROM a");
    assert_eq!(read(), "1");
    replica.sql("postgres", "SELECT pg_wal_replay_pause()");
    until("it is held back", || replica.sql("postgres", is_paused) == "paused");
    primary.sql("postgres", "INSERT INTO a VALUES (2)");
    let written = primary.sql("postgres", "SELECT pg_current_wal_flush_lsn()");
    let received = format!("SELECT pg_last_wal_receive_lsn() >= '{written}'");
    until("it has received the row", || replica.sql("postgres", &received) == "t");
    assert_eq!(read(), "1", "it is held back");
    replica.sql("postgres", "SELECT pg_wal_replay_resume()");
    until("it has the row", || read() == "2");
    primary.kill();
    assert_eq!(replica.sql("postgres", "SELECT pg_promote()"), "t");
    replica.sql("postgres", "INSERT INTO a VALUES (3)");
    assert_eq!(read(), "3");
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    assert!((0..LOOKS_MAX).any(|_| is_so()), "never: {what}");
}
