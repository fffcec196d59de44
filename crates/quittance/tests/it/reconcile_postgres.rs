//! Repairs of a table in a real PostgreSQL: whole, killed at any moment, and taken back.

use crate::reconcile::{check, configured, diff, reconcile};
use crate::support::{Home, is_soaking};
use quittance_server::clock::Stopwatch;
use quittance_surroundings::Postgres;
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

/// A table of 1,200 accounts in PostgreSQL, and an export that says something else of each.
struct Database {
    home: Home,
    server: &'static Postgres,
    name: String,
}

impl Database {
    fn open(subject: &str) -> Option<Self> {
        let server = Postgres::shared(subject)?;
        let (home, name) = (Home::new(), server.fresh_database());
        server.sql(
            &name,
            "CREATE TABLE accounts (id bigint PRIMARY KEY, subscription text UNIQUE, status text, plan varchar(20));",
        );
        server.sql(
            &name,
            "INSERT INTO accounts SELECT n, 'sub_' || n, 'active', 'basic' FROM generate_series(1, 1200) n",
        );
        let export = (1..=1_200).map(|n| format!("sub_{n},{},team\n", if n % 3 == 0 { "past_due" } else { "active" }));
        home.write("subscriptions.csv", &format!("id,status,plan\n{}", export.collect::<String>()));
        home.write("url", &server.url(&name));
        let url = home.path("url").display().to_string();
        let app = format!("kind = \"postgres\"\nurl = \"file:{url}\"\nwrite_url = \"file:{url}\"\n");
        home.write("quittance.toml", &configured(&home, &app, "repairs_max = 5000\n"));
        Some(Self { home, server, name })
    }

    fn sql(&self, statement: &str) -> String {
        self.server.sql(&self.name, statement)
    }

    /// What tells two states of the table apart.
    fn digest(&self) -> String {
        self.sql("SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM accounts a")
    }

    /// Asks until it is so.
    fn until(&self, question: &str) {
        for _ in 0..6_000 {
            if self.sql(question) == "t" {
                return;
            }
            std::thread::yield_now();
        }
        panic!("never: {question}");
    }

    /// How many accounts have what the export says.
    fn repaired(&self) -> u32 {
        self.sql("SELECT count(*) FROM accounts WHERE plan = 'team'").parse().expect("a count")
    }
}

#[test]
fn a_table_in_postgresql_is_repaired_and_given_back_what_it_had() {
    let Some(database) = Database::open("repairs in PostgreSQL") else { return };
    let home = &database.home;
    let before = database.digest();
    let json = check(&reconcile(home, &["--apply"]), 0, &[("repaired", json!(1_200))]);
    let late = database.sql("SELECT count(*) FROM accounts WHERE status = 'past_due'");
    assert_eq!((database.repaired(), late.as_str()), (1_200, "400"));
    check(&diff(home), 0, &[("equal", json!(1_200))]);
    let run = json["run_id"].as_str().expect("an id");
    check(&home.run(&["undo", run, "--apply", "--json"]), 0, &[("repaired", json!(1_200))]);
    assert_eq!(database.digest(), before);
}

#[test]
fn a_run_that_was_killed_is_finished_by_the_next_and_taken_back_whole() {
    let Some(database) = Database::open("repairs that are killed") else { return };
    let home = &database.home;
    let before = database.digest();
    // Slow enough to be killed in the middle of a batch.
    database.sql(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END';
         CREATE TRIGGER slow BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION wait();",
    );
    let mut killed = home.command(&["reconcile", "subscriptions", "--settle", "0s", "--apply"]);
    let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    database.until("SELECT count(*) > 0 FROM accounts WHERE plan = 'team'");
    killed.kill().expect("it is killed");
    killed.wait().expect("it ends");
    let begun = home.run(&["runs", "--json"]).json()["data"][0].clone();
    assert!(begun["planned"].as_u64().is_some_and(|planned| planned > 0), "{begun:#}");
    // The database may still be at what it was told last.
    database.until(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    // What was not written is not written for the sake of that run: it is decided anew.
    let json = check(&reconcile(home, &["--apply"]), 0, &[]);
    assert_eq!(json["finished"].as_array().map(Vec::len), begun["planned"].as_u64().map(|planned| planned as usize));
    assert_eq!(database.repaired(), 1_200);
    let runs = home.run(&["runs", "--json"]).json();
    let repaired = |at: usize| runs["data"][at]["repaired"].as_u64().expect("a count");
    assert_eq!(repaired(0) + repaired(1), 1_200, "{runs:#}");
    for at in 0..2 {
        let run = runs["data"][at]["run_id"].as_str().expect("an id");
        check(&home.run(&["undo", run, "--apply", "--json"]), 0, &[("repaired", json!(repaired(at)))]);
    }
    assert_eq!(database.digest(), before);
    assert_eq!(home.run(&["verify"]).code, 0);
}

/// Moments, spread evenly over a run, at which it is killed.
const KILLS: u32 = 6;
const KILLS_SOAK: u32 = 60;

impl Database {
    /// Runs a command and kills it after so long, if it has not ended by then; then waits until the database knows.
    fn killed(&self, words: &[&str], after: Duration) {
        let mut child = self.home.command(words);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        // Whatever it is doing then, if it has not ended: nobody ever sends.
        let (_never, moment) = mpsc::sync_channel::<()>(0);
        assert!(moment.recv_timeout(after).is_err());
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        self.until(
            "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }

    /// A run is killed after so long, and finished; then what was repaired is taken back, killed after so long as well.
    fn kill_both(&self, after: Duration, undo_after: Duration, [was, is]: [&str; 2]) {
        let home = &self.home;
        self.killed(&["reconcile", "subscriptions", "--settle", "0s", "--apply"], after);
        check(&reconcile(home, &["--apply"]), 0, &[]);
        assert_eq!(self.digest(), is, "killed after {after:?}");
        check(&diff(home), 0, &[("equal", json!(1_200))]);
        let standing = self.standing();
        let newest = standing.first().expect("something was repaired");
        self.killed(&["undo", newest, "--apply"], undo_after);
        for run in &standing {
            let undone = home.run(&["undo", run, "--apply", "--json"]);
            // 1: all of it had been taken back before it was killed.
            assert!(matches!(undone.code, 0 | 1), "{undone:?}");
        }
        assert_eq!(self.digest(), was, "killed after {after:?}, then taken back, killed after {undo_after:?}");
        let verified = home.run(&["verify", "--json"]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }

    /// The runs that have repaired something which nobody took back, the newest first.
    fn standing(&self) -> Vec<String> {
        let runs = self.home.run(&["runs", "--json"]).json();
        let data = runs["data"].as_array().cloned().unwrap_or_default();
        let stands = |run: &&Value| run["undoes"].is_null() && run["repaired"].as_u64().unwrap_or(0) > 0;
        data.iter().filter(stands).map(|run| run["run_id"].as_str().expect("an id").to_owned()).collect()
    }
}

/// Each time with a table and runs of its own: what was taken back is not repaired again.
fn kill_again_and_again(subject: &str, kills: u32) {
    let Some(database) = Database::open(subject) else { return };
    let (home, before) = (&database.home, database.digest());
    let since = Stopwatch::start();
    let run = check(&reconcile(home, &["--apply"]), 0, &[("repaired", json!(1_200))]);
    let (took, after) = (since.elapsed(), database.digest());
    let since = Stopwatch::start();
    let run = run["run_id"].as_str().expect("an id");
    check(&home.run(&["undo", run, "--apply", "--json"]), 0, &[("repaired", json!(1_200))]);
    let undo_took = since.elapsed();
    for kill in 1..=kills {
        let Some(database) = Database::open(subject) else { return };
        database.kill_both(took * kill / (kills + 1), undo_took * kill / (kills + 1), [&before, &after]);
    }
}

#[test]
fn repairs_that_are_killed_at_any_moment_are_made_once_and_taken_back_once() {
    kill_again_and_again("repairs that are killed at any moment", KILLS);
}

#[test]
fn soak_repairs_that_are_killed_at_any_moment() {
    if is_soaking() {
        kill_again_and_again("repairs that are killed at sixty moments", KILLS_SOAK);
    }
}
