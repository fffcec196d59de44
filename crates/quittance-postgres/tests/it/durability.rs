//! What a server may lose of what it acknowledges is told, with real replicas beside it.

use crate::support::options;
use quittance_postgres::{PostgresDatabase, Risk};
use quittance_surroundings::Postgres;
use std::process::{Child, Stdio};

fn risks(url: &str) -> Vec<Risk> {
    PostgresDatabase::risks(url, &options()).unwrap()
}

fn codes(url: &str) -> Vec<&'static str> {
    risks(url).iter().map(|risk| risk.code).collect()
}

/// Returns when a question has this answer.
fn await_answer(server: &Postgres, question: &str, answer: &str) {
    while server.sql("postgres", question) != answer {
        std::thread::yield_now();
    }
}

const FOLLOWERS: &str = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";

#[test]
fn standbys_that_no_commit_waits_for_are_told_whoever_asks() {
    let Some(server) = Postgres::start("quittance-postgres: standbys that no commit waits for") else { return };
    let name = server.fresh_database();
    let url = server.url(&name);
    server.sql(&name, "CREATE ROLE weak LOGIN");
    let weak = url.replace("postgres@", "weak@");
    assert_eq!((codes(&url), codes(&weak)), (vec![], vec![]));

    let replica = server.replica(&[]);
    await_answer(&server, FOLLOWERS, "1");
    assert_eq!(codes(&url), ["asynchronous_standbys"]);
    assert_eq!(codes(&weak), ["asynchronous_standbys"], "a role that is told no details is told of it");
    let risk = risks(&url).remove(0);
    assert!(risk.what.contains("(1 attached, 0 more expected)"), "{}", risk.what);
    assert!(risk.what.contains("lost when it is promoted"), "{}", risk.what);
    assert!(risk.remedy.contains("synchronous_standby_names") && !risk.is_grave, "{}", risk.remedy);

    server.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'");
    server.sql("postgres", "SELECT pg_reload_conf()");
    await_answer(&server, "SHOW synchronous_standby_names", "ANY 1 (*)");
    assert_eq!(codes(&url), [""; 0], "a commit waits for it now");
    server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
    server.sql("postgres", "SELECT pg_reload_conf()");
    await_answer(&server, "SHOW synchronous_standby_names", "");
    drop(replica);
    await_answer(&server, FOLLOWERS, "0");
    assert_eq!(codes(&url), [""; 0], "nobody follows any more, and nobody is waited for");

    server.sql("postgres", "SELECT pg_create_physical_replication_slot('standby', true)");
    let risk = risks(&url).remove(0);
    assert!(risk.what.contains("(0 attached, 1 more expected)"), "{}", risk.what);
}

/// A reader of the log, ended with this.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn whoever_reads_changes_out_of_the_log_is_no_standby() {
    let Some(server) = Postgres::start("quittance-postgres: readers of the log") else { return };
    let name = server.fresh_database();
    server.sql(&name, "CREATE PUBLICATION changes FOR ALL TABLES");
    server.sql(&name, "SELECT pg_create_logical_replication_slot('reader', 'pgoutput')");
    let mut reads = server.client("pg_recvlogical");
    reads.args(["--dbname", &name, "--slot", "reader", "--start", "--no-loop", "--file", "-"]);
    reads.args(["-o", "proto_version=1", "-o", "publication_names=changes"]);
    let _follower = Follower(reads.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    await_answer(&server, FOLLOWERS, "1");
    assert_eq!(codes(&server.url(&name)), [""; 0]);
}

#[test]
fn settings_that_lose_what_was_acknowledged_are_told() {
    let settings = ["fsync=off", "full_page_writes=off"];
    let Some(server) = Postgres::start_with("quittance-postgres: settings that lose commits", &settings) else {
        return;
    };
    let name = server.fresh_database();
    server.sql(&name, &format!("ALTER DATABASE {name} SET synchronous_commit = local"));
    let found = risks(&server.url(&name));
    let told: Vec<_> = found.iter().map(|risk| (risk.code, risk.is_grave)).collect();
    assert_eq!(told, [("fsync_off", true), ("full_page_writes_off", true), ("synchronous_commit_lowered", false)]);
    assert!(found[2].what.contains("synchronous_commit is local"), "{}", found[2].what);
}
