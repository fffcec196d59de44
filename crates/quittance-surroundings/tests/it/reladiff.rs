//! reladiff, which compares two tables of a PostgreSQL server in Python. Does not own what it is held against.

use quittance_surroundings::{Peer, Postgres};
use std::process::Command;

const TABLES: &str = "\
CREATE TABLE ours (id bigint PRIMARY KEY, status text, amount numeric, updated_at timestamptz, email text);
INSERT INTO ours SELECT id, 'active', id / 100.0, timestamptz '2026-01-01Z' + id * interval '1 min', id || '@example.org'
    FROM generate_series(1, 1000) AS id;
CREATE TABLE theirs (LIKE ours INCLUDING ALL);
INSERT INTO theirs SELECT * FROM ours;";

#[test]
fn reladiff_finds_the_one_row_that_differs() {
    let subject = "reladiff on PostgreSQL";
    let Some(python) = Peer::Python.find(subject) else { return };
    let Some(server) = Postgres::shared(subject) else { return };
    let database = server.fresh_database();
    server.sql(&database, TABLES);
    let differences = || {
        let mut reladiff = Command::new(&python);
        reladiff.args([
            "-m",
            "reladiff",
            &server.url(&database),
            "ours",
            "theirs",
            "--algorithm",
            "joindiff",
            "--json",
        ]);
        reladiff.args(["-k", "id", "-c", "status", "-c", "amount", "-c", "updated_at", "-c", "email"]);
        // It breaks lines where a terminal of this width would.
        let output = reladiff.env("COLUMNS", "1000").output().unwrap();
        // Its errors, too, end with a status of success.
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaint.is_empty(), "{complaint}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(differences(), "");
    server.sql(&database, "UPDATE theirs SET status = 'canceled' WHERE id = 500");
    let found = differences();
    let lines: Vec<_> = found.lines().collect();
    let [ours, theirs] = lines[..] else { panic!("{found}") };
    // It puts the columns that are no key in any order.
    assert!(ours.starts_with(r#"["-", ["500", "#) && ours.contains(r#""active""#), "{found}");
    assert!(theirs.starts_with(r#"["+", ["500", "#) && theirs.contains(r#""canceled""#), "{found}");
}
