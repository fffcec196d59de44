//! Others who change and lock records at the same time.

use super::{change, refusals, side, text, try_write, write, writer_at};
use crate::systems::postgres::{Database, refused};
use quittance_server::systems::Blame;
use quittance_server::systems::write::{Stand, Write, WriteOptions, Writer, Written};
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

const MANY: &str =
    "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT n, 'old' FROM generate_series(1, 20) AS n";

/// Somebody with a transaction of their own.
struct Other {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Other {
    fn of(database: &Database) -> Self {
        let mut client: Command = database.server.client("psql");
        client.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", &database.name]);
        let mut child = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    /// Runs statements, and returns when they are done.
    fn run(&mut self, statements: &str) {
        self.begin(&format!("{statements}; SELECT 'done'"));
        self.done();
    }

    /// Runs statements that may take long; the last has to select `done`.
    fn begin(&mut self, statements: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{statements};").unwrap();
    }

    fn done(&mut self) {
        let mut line = String::new();
        while line.trim() != "done" {
            line.clear();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "it ended");
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn a_record_that_somebody_holds_is_refused_and_the_others_are_written() {
    let Some(database) = Database::with("locked records of PostgreSQL", MANY) else { return };
    let mut other = Other::of(&database);
    other.run("BEGIN; UPDATE a SET v = 'theirs' WHERE id IN (7, 12)");
    let writes: Vec<Write> = (1..=20).map(|id| change(id, text("old"), text("new"))).collect();
    let written = write(&mut database.writer(), &writes);
    assert_eq!(refusals(&written), [(6, "locked by another transaction"), (11, "locked by another transaction")]);
    assert_eq!(written.iter().filter(|written| **written == Written::Done).count(), 18);
    other.run("COMMIT");
    let written = write(&mut database.writer(), &writes);
    assert_eq!(written[6], Written::Moved { now: vec![text("theirs")] });
    assert_eq!(written[0], Written::Already);
}

#[test]
fn how_a_record_stands_that_somebody_holds_is_not_known_yet() {
    let Some(database) = Database::with("records of PostgreSQL that somebody may commit", MANY) else { return };
    let mut other = Other::of(&database);
    other.run("BEGIN; UPDATE a SET v = 'new' WHERE id IN (7, 12); DELETE FROM a WHERE id = 3");
    let writes: Vec<Write> = (1..=21).map(|id| change(id, text("old"), text("new"))).collect();
    let (mut writer, side) = (database.writer(), side(1, &["id", "v"]));
    let stands = writer.stand_still("a", &side, &writes).unwrap();
    let unknown: Vec<usize> = (0..21).filter(|at| stands[*at].is_none()).collect();
    assert_eq!(unknown, [2, 6, 11]);
    assert_eq!((&stands[0], &stands[20]), (&Some(Stand::AsExpected), &Some(Stand::Gone)));
    other.run("COMMIT");
    let stands = writer.stand_still("a", &side, &writes).unwrap();
    assert_eq!((&stands[6], &stands[2]), (&Some(Stand::Already), &Some(Stand::Gone)));
    assert!(stands.iter().all(Option::is_some));
    // Nothing stays locked.
    other.run("BEGIN; SELECT FROM a FOR UPDATE NOWAIT; COMMIT");
}

#[test]
fn what_is_not_to_be_committed_is_taken_back() {
    let Some(database) = Database::with("commits of PostgreSQL that are not to be", MANY) else { return };
    let (side, writes) = (side(1, &["id", "v"]), [change(1, text("old"), text("new"))]);
    let mut writer = database.writer();
    writer.ask_before_commit(Box::new(|| Some("somebody else has the lease".to_owned())));
    let error = writer.write("a", &side, &writes).map(drop).unwrap_err();
    refused(&error, Blame::Outside, "taken back before its commit: somebody else has the lease", "decided anew");
    let error = writer.write_all("a", &side, &writes).map(drop).unwrap_err();
    refused(&error, Blame::Outside, "taken back before its commit", "decided anew");
    assert_eq!(database.sql("SELECT v FROM a WHERE id = 1"), "old");
    writer.ask_before_commit(Box::new(|| None));
    assert_eq!(write(&mut writer, &writes), [Written::Done]);
}

#[test]
fn a_record_that_changes_while_it_is_waited_for_is_moved() {
    let Some(database) = Database::with("records of PostgreSQL that change meanwhile", MANY) else { return };
    let mut other = Other::of(&database);
    other.run("BEGIN; UPDATE a SET v = 'theirs' WHERE id = 7; DELETE FROM a WHERE id = 8");
    // It commits as soon as the writer waits for it, which only the server knows.
    other.begin(
        "DO $$ BEGIN LOOP
            PERFORM pg_stat_clear_snapshot();
            EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)));
        END LOOP; END $$; COMMIT; SELECT 'done'",
    );
    let writes: Vec<Write> = (1..=20).map(|id| change(id, text("old"), text("new"))).collect();
    let written = write(&mut database.writer(), &writes);
    other.done();
    assert_eq!(written[6], Written::Moved { now: vec![text("theirs")] });
    assert_eq!(written[7], Written::Gone);
    assert_eq!(written.iter().filter(|written| **written == Written::Done).count(), 18);
    assert_eq!(database.sql("SELECT v FROM a WHERE id = 7"), "theirs");
}

#[test]
fn a_table_that_somebody_holds_is_told_and_nothing_is_written() {
    let Some(database) = Database::with("locked tables of PostgreSQL", MANY) else { return };
    let mut writer = database.writer();
    assert_eq!(write(&mut writer, &[change(1, text("old"), text("new"))]), [Written::Done]);
    let mut other = Other::of(&database);
    other.run("BEGIN; LOCK TABLE a IN SHARE MODE");
    let error = try_write(&mut writer, &[change(2, text("old"), text("new"))]).unwrap_err();
    refused(&error, Blame::Outside, "lets nothing be written", "nothing was changed");
    other.run("COMMIT");
    assert_eq!(write(&mut writer, &[change(2, text("old"), text("new"))]), [Written::Done], "it goes on afterwards");
}

#[test]
fn two_writers_of_the_same_records_in_opposite_order_come_to_an_end() {
    let Some(database) = Database::with("writers of PostgreSQL in each other's way", MANY) else { return };
    let url = database.server.url(&database.name);
    // One record a statement, so that locks are taken in the order of the writes.
    let statements = |ids: &mut dyn Iterator<Item = i64>, to: &'static str| -> Vec<Write> {
        ids.map(|id| Write { set: vec![(1, text(to))], ..change(id, text("old"), text(to)) }).collect()
    };
    database.sql(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    let run = |writes: Vec<Write>| {
        let url = url.clone();
        std::thread::spawn(move || {
            writer_at(&url, WriteOptions::default()).write("a", &side(1, &["id", "v"]), &writes).unwrap()
        })
    };
    let up = run(statements(&mut (1..=20), "up"));
    let down = run(statements(&mut (1..=20).rev(), "down"));
    let (up, mut down) = (up.join().unwrap(), down.join().unwrap());
    down.reverse();
    for (id, (up, down)) in (1..).zip(up.iter().zip(&down)) {
        let found = database.sql(&format!("SELECT v FROM a WHERE id = {id}"));
        let (winner, loser, won) = if *up == Written::Done { (up, down, "up") } else { (down, up, "down") };
        assert_eq!((winner, found.as_str()), (&Written::Done, won), "{id}");
        assert_eq!(*loser, Written::Moved { now: vec![text(won)] }, "{id}");
    }
}
