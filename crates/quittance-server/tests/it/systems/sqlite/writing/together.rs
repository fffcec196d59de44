//! Rows that are changed all together, or not at all.

use super::{FOUR, File, change, keyed, text};
use quittance_core::record::value::Value;
use quittance_server::systems::write::{Together, Write, Writer, Written};

fn write_all(file: &File, writes: &[Write]) -> Together {
    file.writer().write_all("a", &keyed(1, &["id", "v"]), writes).unwrap()
}

fn rows(file: &File) -> String {
    file.stored("SELECT id, v FROM a ORDER BY id")
}

#[test]
fn all_rows_are_changed_or_none() {
    let file = File::new("wal", FOUR);
    let (first, moved) = (change(1, text("old"), text("new")), change(2, text("old"), text("new")));
    let already = change(4, text("old"), text("new"));
    let before = rows(&file);
    let told = write_all(&file, &[first.clone(), moved, already.clone(), change(9, text("a"), text("b"))]);
    assert!(!told.is_made && rows(&file) == before, "{told:?}");
    let other = Written::Moved { now: vec![text("other")] };
    assert_eq!(told.each, [Written::Done, other, Written::Already, Written::Gone]);
    let told = write_all(&file, &[first.clone(), already.clone()]);
    assert_eq!((told.is_made, told.each), (true, vec![Written::Done, Written::Already]));
    assert_eq!(write_all(&file, &[first, already]).each, [Written::Already, Written::Already]);
}

#[test]
fn a_trigger_that_refuses_or_rewrites_one_row_keeps_all_from_being_changed() {
    for (mode, words) in [("ABORT", "not you"), ("ROLLBACK", "not you"), ("FAIL", "not you"), ("", "altered")] {
        let then = match mode {
            "" => "UPDATE a SET v = 'NEW' WHERE id = NEW.id".to_owned(),
            mode => format!("SELECT RAISE({mode}, 'not you')"),
        };
        let file = File::new(
            "wal",
            &format!(
                "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT);
                 WITH RECURSIVE n AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM n WHERE id < 1200)
                 INSERT INTO a SELECT id, 'old' FROM n;
                 CREATE TRIGGER t AFTER UPDATE ON a WHEN NEW.id IN (3, 777) BEGIN {then}; END"
            ),
        );
        let writes: Vec<Write> = (1..=1_200).map(|id| change(id, text("old"), text("new"))).collect();
        let told = write_all(&file, &writes);
        let not_done: Vec<usize> = (0..1_200).filter(|at| told.each[*at] != Written::Done).collect();
        assert_eq!((told.is_made, not_done), (false, vec![2, 776]), "{mode}");
        match &told.each[776] {
            Written::Refused { why } => assert_eq!(why, words),
            other => assert_eq!(*other, Written::Altered { now: vec![text("NEW")] }),
        }
        assert_eq!(file.stored("SELECT count(*) FROM a WHERE v = 'old'"), "1200");
    }
}

#[test]
fn what_is_only_checked_at_the_end_takes_all_of_it_back() {
    let file = File::new(
        "wal",
        "CREATE TABLE p (id TEXT PRIMARY KEY); INSERT INTO p VALUES ('old');
         CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO a VALUES (1, 'old'), (2, NULL)",
    );
    let told = write_all(&file, &[change(1, text("old"), text("new")), change(2, Value::Null, text("old"))]);
    assert!(!told.is_made && told.each.iter().all(|one| matches!(one, Written::Refused { .. })), "{told:?}");
    assert_eq!(rows(&file), "1|'old'\n2|null");
}

#[test]
fn what_a_column_cannot_hold_is_known_before_anything_is_written() {
    let file = File::new(
        "wal",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, v REAL NOT NULL) STRICT; INSERT INTO a VALUES (1, 5), (2, 6), (3, 7)",
    );
    let writes = [
        change(1, Value::integer(5), Value::Null),
        change(
            2,
            Value::integer(6),
            Value::text("0.12345678901234567890123").read_as(quittance_core::record::value::Type::Number).unwrap(),
        ),
        change(3, Value::integer(7), Value::integer(8)),
    ];
    let faults = file.writer().faults("a", &keyed(1, &["id", "v"]), &writes).unwrap();
    let what: Vec<&str> = faults.iter().map(|fault| fault.as_ref().map_or("", |fault| fault.what.as_str())).collect();
    assert!(what[0].contains("NOT NULL") && what[1].contains("cannot hold 0.123") && what[2].is_empty(), "{what:?}");
}
