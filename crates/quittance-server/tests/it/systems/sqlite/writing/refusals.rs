//! What SQLite refuses, what its triggers do, and what cannot be written at all.

use super::{FOUR, File, change, keyed, text, touching, try_write, write};
use crate::systems::check_error;
use quittance_core::record::value::Value;
use quittance_server::systems::Blame;
use quittance_server::systems::sqlite::{PATIENCE, SqliteWriter};
use quittance_server::systems::write::{Triggers, Write, WriteOptions, Writer, Written};
use std::path::Path;
use std::time::Duration;

fn refusals(written: &[Written]) -> Vec<(usize, &str)> {
    let refused = written.iter().enumerate().filter_map(|(at, written)| match written {
        Written::Refused { why } => Some((at, why.as_str())),
        _ => None,
    });
    refused.collect()
}

#[test]
fn only_the_guilty_are_refused() {
    let file = File::new(
        "wal",
        "CREATE TABLE parents (id INTEGER PRIMARY KEY); INSERT INTO parents VALUES (1);
        CREATE TABLE a (id INTEGER PRIMARY KEY, v INTEGER NOT NULL CHECK (v <> 13), u INTEGER UNIQUE ON CONFLICT REPLACE,
            p INTEGER REFERENCES parents);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO a SELECT i, 0, i, NULL FROM n",
    );
    let number = Value::integer;
    let to = |id: i64, column: usize, value: Value<'static>| Write {
        set: vec![(column, value)],
        ..change(id, number(0), number(0))
    };
    let mut writes: Vec<Write> = (1..=20).map(|id| to(id, 1, number(id + 1000))).collect();
    writes[2] = to(3, 1, number(13));
    writes[6] = to(7, 2, number(1));
    writes[10] = to(11, 3, number(2));
    writes[15] = to(16, 1, Value::Null);
    let written = file.writer().write("a", &keyed(1, &["id", "v", "u", "p"]), &writes).unwrap();
    let wanted = [
        (2, "CHECK constraint failed"),
        (6, "UNIQUE constraint failed: a.u"),
        (10, "FOREIGN KEY constraint failed"),
        (15, "NOT NULL constraint failed: a.v"),
    ];
    let refusals = refusals(&written);
    assert_eq!(refusals.len(), wanted.len(), "{refusals:?}");
    assert!(
        refusals.iter().zip(wanted).all(|(it, wanted)| it.0 == wanted.0 && it.1.contains(wanted.1)),
        "{refusals:?}"
    );
    assert_eq!(file.stored("SELECT count(*), count(*) FILTER (WHERE v = id + 1000) FROM a"), "20|16");
}

#[test]
fn what_is_only_checked_at_the_end_refuses_no_other() {
    let file = File::new(
        "wal",
        "CREATE TABLE parents (id INTEGER PRIMARY KEY); INSERT INTO parents VALUES (1);
        CREATE TABLE a (id INTEGER PRIMARY KEY, v INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO a VALUES (1, NULL), (2, NULL), (3, NULL)",
    );
    let writes: Vec<Write> =
        [1, 2, 1].into_iter().zip(1..).map(|(to, id)| change(id, Value::Null, Value::integer(to))).collect();
    let written = write(&mut file.writer(), "v", &writes);
    assert_eq!(refusals(&written), [(1, "FOREIGN KEY constraint failed")]);
    assert_eq!(file.stored("SELECT v FROM a"), "1\nnull\n1");
}

#[test]
fn triggers_fire_as_for_everybody_and_what_they_do_is_told() {
    let file = File::new(
        "wal",
        "CREATE TABLE audit (id INTEGER); CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT);
        INSERT INTO a VALUES (1, 'old'), (2, 'old'), (3, 'old'), (4, 'old'), (5, 'old'), (6, 'old'), (7, 'old');
        CREATE TRIGGER noted AFTER UPDATE ON a BEGIN INSERT INTO audit VALUES (NEW.id); END;
        CREATE TRIGGER rewritten AFTER UPDATE ON a WHEN NEW.id = 2 AND NEW.v = 'new' BEGIN UPDATE a SET v = 'rewritten' WHERE id = 2; END;
        CREATE TRIGGER raised BEFORE UPDATE ON a WHEN NEW.id = 3 BEGIN SELECT RAISE(ABORT, 'not on my watch'); END;
        CREATE TRIGGER ignored BEFORE UPDATE ON a WHEN NEW.id = 4 BEGIN SELECT RAISE(IGNORE); END;
        CREATE TRIGGER rolled BEFORE UPDATE ON a WHEN NEW.id = 5 BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END;
        CREATE TRIGGER failed AFTER UPDATE ON a WHEN NEW.id = 6 BEGIN SELECT RAISE(FAIL, 'too late'); END",
    );
    let writes: Vec<Write> = (1..=7).map(|id| change(id, text("old"), text("new"))).collect();
    let written = write(&mut file.writer(), "v", &writes);
    assert_eq!(written[..2], [Written::Done, Written::Altered { now: vec![text("rewritten")] }]);
    let wanted =
        [(2, "not on my watch"), (3, "a trigger keeps it from being changed"), (4, "all of it"), (5, "too late")];
    assert_eq!(refusals(&written), wanted);
    assert_eq!(written[6], Written::Done);
    assert_eq!(file.stored("SELECT v FROM a WHERE id IN (3, 4, 5, 6)"), "'old'\n'old'\n'old'\n'old'");
    assert_eq!(file.stored("SELECT DISTINCT id FROM audit ORDER BY id"), "1\n2\n7", "what was taken back left nothing");
}

#[test]
fn one_identity_of_several_rows_is_refused() {
    let file = File::new(
        "wal",
        "CREATE TABLE a (id TEXT, v TEXT); INSERT INTO a VALUES ('1', 'old'), ('1', 'x'), ('2', 'old')",
    );
    let written =
        write(&mut file.writer(), "v", &[change(1, text("old"), text("new")), change(2, text("old"), text("new"))]);
    assert_eq!(refusals(&written), [(0, "several records have this identity")]);
    assert_eq!(written[1], Written::Done);
}

#[test]
fn what_cannot_be_written_is_told_before_anything_is() {
    let file = File::new(
        "wal",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT, twice INTEGER GENERATED ALWAYS AS (id * 2), at DATETIME, odd DATETIME);
        INSERT INTO a (id, v, odd) VALUES (1, 'old', 'yesterday'); CREATE VIEW seen AS SELECT id, v FROM a",
    );
    let mut writer = file.writer();
    let change = [change(1, text("old"), text("new"))];
    let mut told = |object: &str, column: &str, words: &[&str]| {
        check_error(writer.write(object, &keyed(1, &["id", column]), &change), Blame::Configuration, words);
    };
    told("a", "vv", &["no column `vv` in `a`", "did you mean `v`"]);
    told("b", "v", &["no table or view `b`"]);
    told("a", "twice", &["SQLite makes `twice`", "leave it out"]);
    told("a", "v|/x", &["a part of `v`", "whole columns"]);
    told("seen", "v", &["`seen` of the system `app` cannot be written", "the table"]);
    for (column, words) in [("at", "cannot be told"), ("odd", "cannot be told"), ("nowhere", "no column `nowhere`")] {
        check_error(try_write(&mut file.writer_with(touching(column)), "v", &change), Blame::Configuration, &[words]);
    }
    let open = |path: &Path, options| SqliteWriter::open("app", path, PATIENCE, options);
    let skip = WriteOptions { triggers: Triggers::Skip, ..WriteOptions::default() };
    check_error(open(&file.path(), skip), Blame::Configuration, &["cannot be skipped", "fire"]);
    let nowhere = file.folder.path().join("ap.db");
    check_error(
        open(&nowhere, WriteOptions::default()),
        Blame::Configuration,
        &["there is no file", "did you mean `app.db`"],
    );
    assert!(!nowhere.exists(), "nothing is created");
    assert_eq!(file.stored("SELECT v FROM a"), "'old'");
}

#[test]
fn a_file_that_somebody_holds_is_told_and_nothing_is_written() {
    let file = File::new("delete", FOUR);
    let mut writer = SqliteWriter::open("app", &file.path(), Duration::ZERO, WriteOptions::default()).unwrap();
    let change = [change(1, text("old"), text("new"))];
    file.writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    check_error(try_write(&mut writer, "v", &change), Blame::Outside, &["locked by another process"]);
    file.writer.execute_batch("COMMIT").unwrap();
    // A reader lets the transaction begin, and not end.
    file.writer.execute_batch("BEGIN; SELECT * FROM a").unwrap();
    check_error(try_write(&mut writer, "v", &change), Blame::Outside, &["locked by another process"]);
    assert_eq!(file.stored("SELECT v FROM a WHERE id = 1"), "'old'");
    file.writer.execute_batch("UPDATE a SET v = 'theirs' WHERE id = 1; COMMIT").unwrap();
    assert_eq!(write(&mut writer, "v", &change), [Written::Moved { now: vec![text("theirs")] }]);
}
