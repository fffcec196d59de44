//! Records that the database refuses do not keep the others from being written.

use super::{FOUR, change, integer, refusals, side, text, touching, try_write, typed, write};
use crate::systems::postgres::{Database, refused};
use quittance_core::record::value::{Type, Value};
use quittance_server::systems::Blame;
use quittance_server::systems::write::{Triggers, Write, WriteOptions, Writer, Written};

#[test]
fn only_the_guilty_are_refused() {
    let Some(database) = Database::with(
        "refused writes to PostgreSQL",
        "CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents VALUES (1);
        CREATE TABLE a (id int PRIMARY KEY, v int DEFAULT 0 CHECK (v <> 13), u int UNIQUE DEFERRABLE INITIALLY DEFERRED,
            p int REFERENCES parents DEFERRABLE INITIALLY DEFERRED, r int NOT NULL DEFAULT 0);
        INSERT INTO a (id, u) SELECT n, n FROM generate_series(1, 300) AS n",
    ) else {
        return;
    };
    let side = side(1, &["id", "v", "u", "p", "r"]);
    let to = |id: i64, column: usize, value: Value<'static>| Write {
        set: vec![(column, value)],
        ..change(id, integer(0), integer(0))
    };
    let mut writes: Vec<Write> = (1..=300).map(|id| to(id, 1, integer(id + 1000))).collect();
    writes[6] = to(7, 1, integer(13));
    writes[149] = to(150, 2, integer(1));
    writes[150] = to(151, 3, integer(2));
    writes[200] = to(201, 4, Value::Null);
    writes[250] = to(251, 1, text("twelve"));
    writes[299] = to(300, 1, typed("99999999999", Type::Number));
    let written = database.writer().write("a", &side, &writes).unwrap();
    let refusals = refusals(&written);
    let wanted = [
        (6, "23514: ", "check"),
        (149, "23505: ", "unique"),
        (150, "23503: ", "foreign key"),
        (200, "23502: ", "null"),
        (250, "22P02: ", "twelve"),
        (299, "22003: ", "out of range"),
    ];
    assert_eq!(refusals.len(), wanted.len(), "{refusals:?}");
    for ((at, why), (wanted, code, word)) in refusals.iter().zip(wanted) {
        assert_eq!(*at, wanted);
        assert!(why.starts_with(code) && why.contains(word), "{why}");
    }
    assert!(
        written.iter().enumerate().all(|(at, it)| *it == Written::Done || wanted.iter().any(|wanted| wanted.0 == at))
    );
    assert_eq!(database.sql("SELECT count(*) FROM a WHERE v = id + 1000"), "294");
    assert_eq!(database.sql("SELECT count(*) FROM a WHERE v = 0 AND u = id AND p IS NULL"), "6");
}

#[test]
fn a_record_that_moved_is_moved_even_where_what_was_to_be_set_is_refused() {
    let Some(database) = Database::with("refused and moved in PostgreSQL", FOUR) else { return };
    let nul = change(1, text("old"), text("a\0b"));
    let writes =
        [nul.clone(), Write { identity: vec![integer(2)], ..nul.clone() }, Write { identity: vec![integer(3)], ..nul }];
    let written = write(&mut database.writer(), &writes);
    assert_eq!(written[1..], [Written::Moved { now: vec![text("other")] }, Written::Gone]);
    assert!(refusals(&written)[0].1.contains("NUL"), "{written:?}");
}

const TRIGGERS: &str = "CREATE TABLE audit (id int, at text); CREATE TABLE a (id int PRIMARY KEY, v text);
    INSERT INTO a SELECT n, 'old' FROM generate_series(1, 5) AS n;
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO audit VALUES (NEW.id, TG_WHEN);
        IF TG_WHEN = 'BEFORE' THEN
            IF NEW.id = 2 THEN NEW.v := 'rewritten'; END IF;
            IF NEW.id = 3 THEN RAISE EXCEPTION 'not on my watch'; END IF;
            IF NEW.id = 4 THEN RETURN NULL; END IF;
        ELSIF NEW.id = 5 AND NEW.v = 'new' THEN
            UPDATE a SET v = 'rewritten after' WHERE id = 5;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER before BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION watch();
    CREATE TRIGGER after AFTER UPDATE ON a FOR EACH ROW EXECUTE FUNCTION watch()";

#[test]
fn triggers_fire_as_for_everybody_and_what_they_do_is_told() {
    // They name the table of the audit without its schema, as triggers do.
    let Some(database) = Database::with("triggers of PostgreSQL", TRIGGERS) else { return };
    let writes: Vec<Write> = (1..=5).map(|id| change(id, text("old"), text("new"))).collect();
    let written = write(&mut database.writer(), &writes);
    assert_eq!(written[..2], [Written::Done, Written::Altered { now: vec![text("rewritten")] }]);
    assert_eq!(written[4], Written::Altered { now: vec![text("rewritten after")] });
    let refusals = refusals(&written);
    assert_eq!(refusals[0], (2, "P0001: not on my watch"));
    assert!(refusals[1].0 == 3 && refusals[1].1.contains("a trigger, a rule or a policy"), "{refusals:?}");
    let audited = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM (SELECT DISTINCT id FROM audit) AS audited";
    // Of what raised, nothing is left; who keeps a record as it is without a word did what else it does.
    assert_eq!(database.sql(audited), "1 2 4 5");
}

#[test]
fn triggers_are_skipped_where_that_is_allowed() {
    let Some(database) = Database::with("skipped triggers of PostgreSQL", TRIGGERS) else { return };
    let writes: Vec<Write> = (1..=5).map(|id| change(id, text("old"), text("new"))).collect();
    let options = WriteOptions { triggers: Triggers::Skip, ..WriteOptions::default() };
    let (role, mut asker) = database.writer_of_asker(options.clone());
    database.sql(&format!("GRANT SELECT, UPDATE ON a TO {role}"));
    refused(
        &try_write(&mut asker, &writes).unwrap_err(),
        Blame::Configuration,
        "does not let triggers be skipped",
        "fire",
    );
    assert!(write(&mut database.writer_with(options), &writes).iter().all(|written| *written == Written::Done));
    assert_eq!(database.sql("SELECT count(*) FROM audit"), "0");
}

#[test]
fn one_identity_of_several_records_is_refused() {
    let Some(database) = Database::with(
        "ambiguous writes to PostgreSQL",
        "CREATE TABLE a (id int, v text); INSERT INTO a VALUES (1, 'old'), (1, 'other'), (2, 'old')",
    ) else {
        return;
    };
    let writes = [change(1, text("old"), text("new")), change(2, text("old"), text("new"))];
    let written = write(&mut database.writer(), &writes);
    assert_eq!(refusals(&written), [(0, "several records have this identity")]);
    assert_eq!(written[1], Written::Done);
}

#[test]
fn what_cannot_be_written_is_told_before_anything_is() {
    let Some(database) = Database::with(
        "what cannot be written in PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, v text, twice int GENERATED ALWAYS AS (id * 2) STORED, n int, j jsonb,
            made int GENERATED ALWAYS AS IDENTITY);
        INSERT INTO a (id, v) VALUES (1, 'old'); CREATE VIEW counted AS SELECT v, count(*) AS id FROM a GROUP BY v;
        CREATE VIEW plain AS SELECT id, v, upper(v) AS loud FROM a; CREATE MATERIALIZED VIEW stale AS SELECT id, v FROM a",
    ) else {
        return;
    };
    let mut writer = database.writer();
    let mut told = |object: &str, column: &str, what: &str, remedy: &str| {
        let error =
            writer.write(object, &side(1, &["id", column]), &[change(1, text("old"), text("new"))]).unwrap_err();
        refused(&error, Blame::Configuration, what, remedy);
    };
    told("a", "vv", "no column `vv` in `a`", "did you mean `v`");
    told("b", "v", "no table or view `b`", "");
    told("a", "twice", "PostgreSQL makes `twice`", "leave it out");
    told("a", "made", "PostgreSQL makes `made`", "leave it out");
    told("a", "j->/x", "a part of `j`", "whole columns");
    let error = writer.write(
        "a",
        &side(1, &["id", "v"]),
        &[Write { set: vec![(0, integer(9))], ..change(1, text("old"), text("x")) }],
    );
    refused(&error.unwrap_err(), Blame::Configuration, "`id` tells the records of `a`", "leave it out");
    let mut told = |object: &str, column: &str, what: &str, remedy: &str| {
        let error =
            writer.write(object, &side(1, &["id", column]), &[change(1, text("old"), text("new"))]).unwrap_err();
        refused(&error, Blame::Configuration, what, remedy);
    };
    told("counted", "v", "`v` in `counted`", "the table that the view is of");
    told("stale", "v", "`v` in `stale`", "the table that the view is of");
    told("plain", "loud", "`loud` in `plain`", "the table that the view is of");
    let written = writer.write("plain", &side(1, &["id", "v"]), &[change(1, text("old"), text("new"))]).unwrap();
    assert_eq!(written, [Written::Done], "a plain view is written through");
    let error =
        writer.write("a", &side(0, &["id", "v"]), &[Write { identity: vec![], ..change(1, text("new"), text("x")) }]);
    refused(&error.unwrap_err(), Blame::Configuration, "nothing tells the records of `a`", "primary key");
    for (column, what) in [("n", "holds no times"), ("nowhere", "no column `nowhere`")] {
        let error =
            try_write(&mut database.writer_with(touching(column)), &[change(1, text("new"), text("x"))]).unwrap_err();
        refused(&error, Blame::Configuration, what, "");
    }
    assert_eq!(database.sql("SELECT v FROM a"), "new");
}
