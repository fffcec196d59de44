//! Migrations beside others: one that is the victim of a deadlock begins anew.

use crate::support::Place;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;

/// The lock of migrations.
const LOCK: i64 = 0x5175_6974;

/// A session that does what it is told, step by step.
struct Session(Child);

impl Session {
    fn start(client: &mut Command) -> Self {
        let started = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        Self(started.expect("psql starts"))
    }

    fn tell(&mut self, statements: &str) {
        let stdin = self.0.stdin.as_mut().expect("piped");
        writeln!(stdin, "{statements}").expect("psql listens");
    }

    /// Closes it, when it has done everything it was told.
    fn end(mut self) {
        drop(self.0.stdin.take());
        let said =
            BufReader::new(self.0.stdout.take().expect("piped")).lines().map_while(Result::ok).collect::<Vec<_>>();
        assert!(self.0.wait().expect("it ends").success(), "{said:?}");
    }
}

#[test]
fn a_migration_that_is_the_victim_of_a_deadlock_begins_anew() {
    let Some(place) = Place::new("a migration in a deadlock") else { return };
    // Whoever looks for a deadlock, and finds one, is its victim: the migration looks long before the other does.
    place.sql(&format!("ALTER DATABASE {} SET deadlock_timeout = '5s'", place.database));
    let mut psql = place.server.client("psql");
    psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--dbname", &place.database]);
    let mut other = Session::start(&mut psql);
    other.tell("SET deadlock_timeout = '60s'; BEGIN; CREATE SCHEMA quittance;");
    while place.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()",
    ) == "0"
    {}
    thread::scope(|scope| {
        let migrating = scope.spawn(|| drop(place.writer()));
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'quittance' AND wait_event_type = 'Lock' \
            AND datname = current_database()";
        while place.sql(waiting) == "0" {}
        other.tell(&format!("SELECT pg_advisory_xact_lock({LOCK}); ROLLBACK;"));
        migrating.join().expect("it is migrated");
    });
    other.end();
    assert!(place.deadlocks() > 0, "there was none");
    assert_eq!(place.sql("SELECT max(version) FROM quittance.schema_version"), "1");
    assert_eq!(place.sql("SELECT count(*) FROM quittance.books"), "0");
}
