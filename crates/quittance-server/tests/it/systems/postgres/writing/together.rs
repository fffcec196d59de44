//! Records that are changed all together, or not at all.

use super::{FOUR, change, text, typed, writer_at};
use crate::systems::postgres::writing::lost::{Lost, before};
use crate::systems::postgres::{Database, refused, side};
use quittance_core::record::value::{Type, Value};
use quittance_server::systems::Blame;
use quittance_server::systems::write::{Together, Write, WriteOptions, Writer, Written};

fn write_all(database: &Database, writes: &[Write]) -> Together {
    database.writer().write_all("a", &side(1, &["id", "v"]), writes).unwrap()
}

fn many(database: &Database) -> Vec<Write> {
    database.sql("INSERT INTO a SELECT n, 'old' FROM generate_series(1, 1200) AS n");
    (1..=1_200).map(|id| change(id, text("old"), text("new"))).collect()
}

#[test]
fn all_records_are_changed_or_none() {
    let Some(database) = Database::with("writing all or nothing to PostgreSQL", FOUR) else { return };
    let (first, moved) = (change(1, text("old"), text("new")), change(2, text("old"), text("new")));
    let already = change(4, text("old"), text("new"));
    let told = write_all(&database, &[first.clone(), moved, already.clone(), change(9, text("a"), text("b"))]);
    let other = Written::Moved { now: vec![text("other")] };
    assert_eq!((told.is_made, told.each), (false, vec![Written::Done, other, Written::Already, Written::Gone]));
    assert_eq!(database.sql("SELECT v FROM a WHERE id = 1"), "old");
    let told = write_all(&database, &[first.clone(), already.clone()]);
    assert_eq!((told.is_made, told.each), (true, vec![Written::Done, Written::Already]));
    assert_eq!(write_all(&database, &[first, already]).each, [Written::Already, Written::Already]);
    assert!(write_all(&database, &[]).is_made);
}

#[test]
fn one_that_is_refused_or_rewritten_keeps_all_from_being_changed() {
    for (then, words) in
        [("RAISE 'not you'; RETURN NEW", "not you"), ("NEW.v = 'NEW'; RETURN NEW", ""), ("RETURN NULL", "trigger")]
    {
        let Some(database) = Database::with(
            "all or nothing beside a trigger in PostgreSQL",
            &format!(
                "CREATE TABLE a (id int PRIMARY KEY, v text);
                 CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {then}; END $$;
                 CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW WHEN (NEW.id IN (3, 777)) EXECUTE FUNCTION f()"
            ),
        ) else {
            return;
        };
        let told = write_all(&database, &many(&database));
        let not_done: Vec<usize> = (0..1_200).filter(|at| told.each[*at] != Written::Done).collect();
        assert_eq!((told.is_made, not_done), (false, vec![2, 776]), "{then}");
        match &told.each[776] {
            Written::Refused { why } => assert!(why.contains(words), "{why}"),
            other => assert_eq!(*other, Written::Altered { now: vec![text("NEW")] }),
        }
        assert_eq!(database.sql("SELECT count(*) FROM a WHERE v = 'old'"), "1200");
    }
}

#[test]
fn what_is_only_checked_at_the_end_is_checked_before_it() {
    let Some(database) = Database::with(
        "all or nothing beside what is deferred in PostgreSQL",
        "CREATE TABLE p (id text PRIMARY KEY); INSERT INTO p VALUES ('old');
         CREATE TABLE a (id int PRIMARY KEY, v text REFERENCES p DEFERRABLE INITIALLY DEFERRED,
            UNIQUE (v) DEFERRABLE INITIALLY DEFERRED);
         INSERT INTO p VALUES ('other'); INSERT INTO a VALUES (1, 'old'), (2, 'other')",
    ) else {
        return;
    };
    let told = write_all(&database, &[change(1, text("old"), text("new"))]);
    let is_told = matches!(&told.each[0], Written::Refused { why } if why.contains("foreign key"));
    assert!(!told.is_made && is_told, "{told:?}");
    // Two that change places agree at the end, and only there.
    let swap = [change(1, text("old"), text("other")), change(2, text("other"), text("old"))];
    assert!(write_all(&database, &swap).is_made);
    assert_eq!(database.sql("SELECT v FROM a ORDER BY id"), "other\nold");
}

#[test]
fn a_lost_commit_of_many_is_found_out() {
    for (lost, commits) in [(Lost::Answer, 1), (Lost::Question, 1), (Lost::Answer, 2)] {
        let Some(database) =
            Database::with("a lost commit of many in PostgreSQL", "CREATE TABLE a (id int PRIMARY KEY, v text)")
        else {
            return;
        };
        let writes = many(&database);
        let (through, _) = before(database.server.socket(), lost, commits);
        let url =
            database.server.url(&database.name).replace(&database.server.socket().to_string(), &through.to_string());
        let mut writer = writer_at(&url, WriteOptions::default());
        let side = side(1, &["id", "v"]);
        let told = writer.write_all("a", &side, &writes);
        if commits == 1 {
            let told = told.unwrap();
            assert!(told.is_made && told.each.iter().all(|one| *one == Written::Done), "{lost:?}");
        } else {
            refused(&told.unwrap_err(), Blame::Outside, "is not known", "the same again");
            assert!(writer.write_all("a", &side, &writes).unwrap().each.iter().all(|one| *one == Written::Already));
        }
        assert_eq!(database.sql("SELECT count(*) FROM a WHERE v = 'new'"), "1200");
    }
}

#[test]
fn what_a_column_cannot_hold_is_known_before_anything_is_written() {
    let Some(database) = Database::with(
        "faults of values in PostgreSQL",
        "CREATE TYPE mood AS ENUM ('sad', 'fine');
         CREATE TABLE a (id int PRIMARY KEY, s varchar(3), n numeric(5, 2), e mood, i smallint NOT NULL, c char(2), u uuid);
         INSERT INTO a SELECT n, 'a', 1, 'sad', 1, 'x', NULL FROM generate_series(1, 700) AS n",
    ) else {
        return;
    };
    let number = |text| typed(text, Type::Number);
    for (column, from, good, bad, words) in [
        ("s", text("a"), text("abc"), text("abcd"), "less of it"),
        ("n", number("1"), number("-999.99"), number("1.234"), "less of it"),
        ("n", number("1"), number("2"), number("1000"), "overflow"),
        ("e", text("sad"), text("fine"), text("glad"), "mood"),
        ("i", number("1"), number("2"), number("70000"), "out of range"),
        ("i", number("1"), number("2"), Value::Null, "NOT NULL"),
        ("c", text("x"), text("xy"), text("xyz"), "less of it"),
        ("u", Value::Null, text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), text("zero"), "uuid"),
    ] {
        let writes: Vec<Write> = (1..=700)
            .map(|id| change(id, from.clone(), if [9, 650].contains(&id) { bad.clone() } else { good.clone() }))
            .collect();
        let mut writer = database.writer();
        let side = side(1, &["id", column]);
        let faults = writer.faults("a", &side, &writes).unwrap();
        let found: Vec<usize> = (0..700).filter(|at| faults[*at].is_some()).collect();
        assert_eq!(found, [8, 649], "{column}");
        let what = &faults[649].as_ref().expect("it is one").what;
        assert!(what.contains(words), "{column}: {what}");
        assert!(!writer.write_all("a", &side, &writes).unwrap().is_made, "{column}: nor can it be written");
    }
}
