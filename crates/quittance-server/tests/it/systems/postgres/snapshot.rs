//! One moment: what everything is read of until it is refreshed.

use super::{Database, integer, read, side, text, try_read};
use quittance_server::systems::{Checksums, Range, System, Wanted};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

#[test]
fn everything_is_of_one_moment_until_it_is_refreshed() {
    let Some(database) = Database::with(
        "snapshots of PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, status text); INSERT INTO a VALUES (1, 'old'), (2, 'old')",
    ) else {
        return;
    };
    let mut system = database.system();
    let side = side(1, &["id", "status"]);
    let first = Wanted::Where { columns: vec![0], values: vec![vec![integer(1)], vec![integer(3)]] };
    let all = [Range { from: None, to: None }];
    let old = [[integer(1), text("old")], [integer(2), text("old")]];
    assert_eq!(read(&mut system, "a", &side, &Wanted::All), old);
    let sums = system.sums("a", &side, 0, &all, &[1; 32]).unwrap();
    database
        .sql("UPDATE a SET status = 'new' WHERE id = 1; INSERT INTO a VALUES (3, 'new'); DELETE FROM a WHERE id = 2");
    assert_eq!(read(&mut system, "a", &side, &first), old[..1]);
    assert_eq!(system.sums("a", &side, 0, &all, &[1; 32]).unwrap(), sums);
    let (_, before) = try_read(&mut system, "a", &side, &Wanted::All).unwrap();
    system.refresh().unwrap();
    let new = [[integer(1), text("new")], [integer(3), text("new")]];
    assert_eq!(read(&mut system, "a", &side, &first), new);
    assert_ne!(system.sums("a", &side, 0, &all, &[1; 32]).unwrap(), sums);
    let (_, after) = try_read(&mut system, "a", &side, &Wanted::All).unwrap();
    assert!(before.as_of.unwrap() < after.as_of.unwrap(), "{before:?} {after:?}");
    system.refresh().unwrap();
    system.refresh().unwrap();
}

#[test]
fn the_session_says_who_it_is_and_changes_nothing_for_others() {
    let Some(database) =
        Database::with("sessions of PostgreSQL", "CREATE VIEW a AS SELECT name AS id, setting FROM pg_settings")
    else {
        return;
    };
    // What is set for everybody would change how values look.
    let settings = [("TimeZone", "Asia/Tokyo"), ("DateStyle", "SQL, DMY"), ("statement_timeout", "5")];
    for (setting, value) in settings {
        database.sql(&format!("ALTER DATABASE {} SET {setting} = '{value}'", database.name));
    }
    let mut system = database.system();
    let rows = read(&mut system, "a", &side(1, &["id", "setting"]), &Wanted::All);
    let setting = |name: &str| rows.iter().find(|row| row[0] == text(name)).unwrap()[1].to_string();
    for (name, value) in [
        ("application_name", "quittance"),
        ("transaction_isolation", "repeatable read"),
        ("transaction_read_only", "on"),
        ("TimeZone", "UTC"),
        ("statement_timeout", "60000"),
        ("lock_timeout", "30000"),
        ("idle_in_transaction_session_timeout", "60000"),
        ("row_security", "off"),
    ] {
        assert_eq!(setting(name), value, "{name}");
    }
}

#[test]
fn b26_a_row_that_commits_after_a_later_one_is_not_lost() {
    let Some(database) =
        Database::with("late commits in PostgreSQL", "CREATE TABLE a (id int PRIMARY KEY, updated_at timestamptz)")
    else {
        return;
    };
    let mut slow = database.server.client("psql");
    slow.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", &database.name]);
    let mut slow = slow.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut tell, mut hear) = (slow.stdin.take().unwrap(), BufReader::new(slow.stdout.take().unwrap()));
    let mut ask = |statements: &str| {
        writeln!(tell, "{statements}; SELECT 'done';").unwrap();
        let mut line = String::new();
        hear.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n");
    };
    ask("BEGIN; INSERT INTO a VALUES (1, '2026-01-01 00:00:10Z')");
    database.sql("INSERT INTO a VALUES (2, '2026-01-01 00:00:11Z')");
    let mut system = database.system();
    let side = side(1, &["id"]);
    assert_eq!(read(&mut system, "a", &side, &Wanted::All), [[integer(2)]]);
    ask("COMMIT");
    assert_eq!(read(&mut system, "a", &side, &Wanted::All), [[integer(2)]], "it is still of one moment");
    system.refresh().unwrap();
    assert_eq!(read(&mut system, "a", &side, &Wanted::All), [[integer(1)], [integer(2)]]);
    drop(tell);
    assert!(slow.wait().unwrap().success());
}
