//! Fields with `authority = "merge"`: which side changed since both agreed is known from the runs that are kept.

use crate::support::{Ended, Home, bare, end};
use rusqlite::Connection;
use serde_json::{Value, json};

/// Two files with the same three people in them.
struct Two {
    home: Home,
}

impl Two {
    fn open() -> Self {
        Self::matched_by("id")
    }

    fn matched_by(key: &str) -> Self {
        let home = Home::new();
        let place = home.path("").display().to_string();
        let place = place.trim_end_matches('/');
        let system = |name: &str| {
            format!("[systems.{name}]\nkind = \"sqlite\"\npath = \"{place}/{name}.db\"\nwritable = true\n")
        };
        let field = |name: &str, more: &str| {
            format!("[[pairs.people.fields]]\nleft = \"{name}\"\nright = \"{name}\"\nauthority = \"merge\"\n{more}")
        };
        home.write(
            "quittance.toml",
            &format!(
                "{}{}[pairs.people]\nleft = {{ system = \"app\", table = \"people\" }}\n\
                 right = {{ system = \"crm\", table = \"people\" }}\nmatch = [ {{ left = \"{key}\", right = \"{key}\" }} ]\n\
                 repairs_share_max = 1\n{}{}{}{}",
                system("app"),
                system("crm"),
                field("email", ""),
                field("name", "takes_away = []\n"),
                field("tags", "merge = \"set\"\n"),
                field("points", "merge = \"counter\"\n"),
            ),
        );
        let two = Self { home };
        for side in ["app", "crm"] {
            two.run_on(
                side,
                "CREATE TABLE people (id TEXT PRIMARY KEY, email TEXT, name TEXT, tags JSON, points INTEGER);
                 INSERT INTO people VALUES ('a', 'a@x', 'Anna', '[\"x\",\"y\"]', 10), ('b', 'b@x', 'Bo', '[]', 0),
                 ('c', 'c@x', 'Cy', '[]', 5), ('d', 'd@x', 'Di', '[]', 0), ('e', 'e@x', 'Ed', '[]', 0)",
            );
        }
        two
    }

    fn run_on(&self, side: &str, statements: &str) {
        let database = Connection::open(self.home.path(&format!("{side}.db"))).expect("a database");
        database.execute_batch(statements).expect("written");
    }

    fn person(&self, side: &str, id: &str) -> String {
        let database = Connection::open(self.home.path(&format!("{side}.db"))).expect("a database");
        let text = "SELECT email || ' ' || name || ' ' || tags || ' ' || points FROM people WHERE id = ?1";
        database.query_row(text, [id], |row| row.get(0)).expect("a row")
    }

    fn both(&self, id: &str) -> String {
        let (app, crm) = (self.person("app", id), self.person("crm", id));
        assert_eq!(app, crm, "both say the same");
        app
    }

    fn run(&self, words: &[&str]) -> Ended {
        self.home.run(&[words, &["--json"]].concat())
    }

    /// Compares, and keeps the run.
    fn compare(&self, code: i32) {
        let ended = self.run(&["diff", "people", "--settle", "0s"]);
        assert_eq!(ended.code, code, "{ended:?}");
    }

    fn reconcile(&self, code: i32) -> Value {
        let ended = self.run(&["reconcile", "people", "--apply", "--settle", "0s"]);
        assert_eq!(ended.code, code, "{ended:?}");
        ended.json()
    }

    fn withheld(json: &Value) -> Vec<String> {
        let lines = json["withheld"].as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        lines
            .map(|line| {
                format!(
                    "{} {} {} {}",
                    text(&line["key"]),
                    text(&line["field"]),
                    text(&line["why"]),
                    text(&line["base"])
                )
            })
            .collect()
    }
}

#[test]
fn fields_are_merged_one_by_one_by_what_both_sides_last_agreed_on() {
    let two = Two::open();
    two.compare(0);
    two.run_on("app", "UPDATE people SET email = 'new@x' WHERE id = 'a'");
    two.run_on("crm", "UPDATE people SET name = 'Ann' WHERE id = 'a'");
    two.run_on("app", "UPDATE people SET tags = '[\"p\"]', points = 3 WHERE id = 'b'");
    two.run_on("crm", "UPDATE people SET tags = '[\"q\"]', points = 4 WHERE id = 'b'");
    let json = two.reconcile(0);
    assert_eq!((&json["repaired"], Two::withheld(&json)), (&json!(4), Vec::new()), "{json:#}");
    assert_eq!(two.both("a"), "new@x Ann [\"x\",\"y\"] 10");
    assert_eq!(two.both("b"), "b@x Bo [\"p\",\"q\"] 7");
    // What was written is what both agree on, without another comparison in between.
    two.run_on(
        "crm",
        "UPDATE people SET email = 'newer@x' WHERE id = 'a'; UPDATE people SET points = 9 WHERE id = 'b'",
    );
    assert_eq!(two.reconcile(0)["repaired"], 2);
    assert_eq!(
        (two.both("a"), two.both("b")),
        ("newer@x Ann [\"x\",\"y\"] 10".to_owned(), "b@x Bo [\"p\",\"q\"] 9".to_owned())
    );
    // And after one that saw it, what is taken out of a set is out.
    two.compare(0);
    two.run_on("app", "UPDATE people SET tags = '[\"p\"]', points = 10 WHERE id = 'b'");
    two.run_on("crm", "UPDATE people SET tags = '[\"p\",\"q\",\"r\"]', points = 8 WHERE id = 'b'");
    assert_eq!(two.reconcile(0)["repaired"], 2);
    assert_eq!(two.both("b"), "b@x Bo [\"p\",\"r\"] 9");
    assert_eq!(two.run(&["verify"]).code, 0);
}

#[test]
fn what_both_changed_is_a_conflict_that_shows_what_it_was() {
    let two = Two::open();
    two.compare(0);
    two.run_on("app", "UPDATE people SET email = 'left@x', name = 'Anne' WHERE id = 'a'");
    two.run_on("crm", "UPDATE people SET email = 'right@x' WHERE id = 'a'");
    let json = two.reconcile(1);
    assert_eq!((&json["repaired"], Two::withheld(&json)), (&json!(1), vec!["a email conflict a@x".to_owned()]));
    assert_eq!(two.person("crm", "a"), "right@x Anne [\"x\",\"y\"] 10");
    // It stays one, however often both are compared.
    two.compare(1);
    assert_eq!(Two::withheld(&two.reconcile(1)), ["a email conflict a@x"]);
    // One of them gives in: the other is what changed.
    two.run_on("app", "UPDATE people SET email = 'a@x' WHERE id = 'a'");
    two.reconcile(0);
    assert_eq!(two.both("a"), "right@x Anne [\"x\",\"y\"] 10");
}

#[test]
fn without_a_run_that_saw_them_agree_nobody_is_believed() {
    let two = Two::open();
    two.run_on("app", "UPDATE people SET email = 'left@x' WHERE id = 'a'");
    two.compare(1);
    let json = two.reconcile(1);
    assert_eq!((&json["repaired"], Two::withheld(&json)), (&json!(0), vec!["a email no_base -".to_owned()]));
    // The runs are lost.
    two.run_on("app", "UPDATE people SET name = 'Bob' WHERE id = 'b'");
    std::fs::remove_dir_all(two.home.data()).expect("it was there");
    let json = two.reconcile(1);
    assert_eq!(Two::withheld(&json), ["a email no_base -", "b name no_base -"]);
    assert_eq!(two.person("crm", "b"), "b@x Bo [] 0");
}

#[test]
fn what_is_taken_back_is_nothing_that_both_agreed_on() {
    let two = Two::open();
    two.compare(0);
    two.run_on("app", "UPDATE people SET email = 'new@x' WHERE id = 'a'");
    let run = two.reconcile(0)["run_id"].as_str().expect("an id").to_owned();
    assert_eq!(two.both("a"), "new@x Anna [\"x\",\"y\"] 10");
    assert_eq!(two.run(&["undo", &run, "--apply"]).code, 0);
    assert_eq!(two.person("crm", "a"), "a@x Anna [\"x\",\"y\"] 10");
    // It is neither done again, nor is what was undone written to the other side.
    let json = two.reconcile(1);
    assert_eq!(
        (&json["repaired"], Two::withheld(&json)),
        (&json!(0), vec!["a email no_base -".to_owned()]),
        "{json:#}"
    );
    // A person settles it, to what it was before; once a comparison has seen that, merging goes on.
    two.run_on("app", "UPDATE people SET email = 'a@x' WHERE id = 'a'");
    two.compare(0);
    two.run_on("crm", "UPDATE people SET email = 'next@x' WHERE id = 'a'");
    assert_eq!(two.reconcile(0)["repaired"], 1);
    assert_eq!(two.both("a"), "next@x Anna [\"x\",\"y\"] 10");
}

/// Of a sum only one half is written: the next run does not count it again, but asks.
#[test]
fn half_a_merge_is_left_to_a_person() {
    let two = Two::open();
    two.compare(0);
    two.run_on("app", "UPDATE people SET points = 8 WHERE id = 'c'");
    two.run_on(
        "crm",
        "UPDATE people SET points = 6 WHERE id = 'c';
        CREATE TRIGGER keep BEFORE UPDATE ON people BEGIN SELECT RAISE(ABORT, 'not now'); END",
    );
    let json = two.reconcile(1);
    assert_eq!((&json["repaired"], &json["refused"]), (&json!(1), &json!(1)), "{json:#}");
    assert_eq!((two.person("app", "c"), two.person("crm", "c")), ("c@x Cy [] 9".to_owned(), "c@x Cy [] 6".to_owned()));
    two.run_on("crm", "DROP TRIGGER keep");
    let json = two.reconcile(1);
    assert_eq!(
        (&json["repaired"], Two::withheld(&json)),
        (&json!(0), vec!["c points no_base -".to_owned()]),
        "{json:#}"
    );
}

#[test]
fn half_a_merge_is_not_approved() {
    let two = Two::open();
    let text = std::fs::read_to_string(two.home.path("quittance.toml")).expect("readable");
    two.home.write(
        "quittance.toml",
        &text.replace("repairs_share_max = 1\n", "repairs_share_max = 1\napply = \"approve\"\n"),
    );
    two.compare(0);
    two.run_on("app", "UPDATE people SET points = 8 WHERE id = 'c'");
    two.run_on("crm", "UPDATE people SET points = 6 WHERE id = 'c'");
    let run = two.reconcile(4)["run_id"].as_str().expect("an id").to_owned();
    let approve = |nos: &str| two.run(&["approve", &format!("{run}/{nos}"), "--apply", "--settle", "0s"]);
    for (half, other) in [("0", "1"), ("1", "0")] {
        let ended = approve(half);
        assert!(ended.code == 2 && ended.stderr.contains(&format!("written by {run}/{other}")), "{ended:?}");
    }
    assert_eq!((two.person("app", "c"), two.person("crm", "c")), ("c@x Cy [] 8".to_owned(), "c@x Cy [] 6".to_owned()));
    assert_eq!(approve("0,1").code, 0);
    assert_eq!(two.both("c"), "c@x Cy [] 9");
}

/// A process that ends between a write and its outcome leaves a plan; the next one looks, and so knows what both agree on.
#[test]
fn what_was_written_and_not_kept_is_counted_once() {
    let two = Two::open();
    two.compare(0);
    two.run_on("app", "UPDATE people SET points = 8 WHERE id = 'c'");
    two.run_on("crm", "UPDATE people SET points = 6 WHERE id = 'c'");
    two.reconcile(0);
    assert_eq!(two.both("c"), "c@x Cy [] 9");
    let waiting = two.run(&["runs", "people"]).json();
    assert_eq!(waiting["data"][0]["repaired"], 2, "{waiting:#}");
    // As if it had ended before it could keep what came of them.
    let kept = Connection::open(two.home.data().join("drift").join("quittance.db")).expect("the runs");
    kept.execute("UPDATE repairs SET state = 'planned'", []).expect("written");
    drop(kept);
    // A dry run knows nothing of what became of them, and so nothing of what is agreed on.
    two.run_on("crm", "UPDATE people SET points = 10 WHERE id = 'c'");
    let dry = two.run(&["reconcile", "people", "--settle", "0s"]);
    assert_eq!(Two::withheld(&dry.json()), ["c points no_base -"]);
    two.run_on("crm", "UPDATE people SET points = 9 WHERE id = 'c'");
    let json = two.reconcile(0);
    assert_eq!((json["finished"].as_array().map(Vec::len), &json["repaired"]), (Some(2), &json!(0)), "{json:#}");
    assert_eq!(two.both("c"), "c@x Cy [] 9");
    two.run_on("crm", "UPDATE people SET points = 10 WHERE id = 'c'");
    assert_eq!(two.reconcile(0)["repaired"], 1);
    assert_eq!(two.both("c"), "c@x Cy [] 10");
}

/// What both agreed on when a backup was taken is no base of anything later: 20 and 21 are no 31.
#[test]
fn a_restored_backup_merges_nothing_before_somebody_has_compared() {
    let two = Two::open();
    two.home.credential();
    two.compare(0);
    let file = two.home.path("books.qbk");
    let file = file.to_str().expect("UTF-8");
    assert_eq!(two.run(&["backup", "--to", file]).code, 0);
    // Both agree on something else, which is lost with the directory.
    for side in ["app", "crm"] {
        two.run_on(side, "UPDATE people SET points = 20 WHERE id = 'a'");
    }
    two.compare(0);
    two.run_on("crm", "UPDATE people SET points = 21 WHERE id = 'a'");
    std::fs::remove_dir_all(two.home.data()).expect("it was there");
    let data = two.home.data();
    let words = ["restore", "--from", file, "--to-data", data.to_str().expect("UTF-8")];
    let restored = end(&mut bare(&words, &two.home.path("")));
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(restored.stdout.contains("people; then `quittance resume --pair NAME`"), "{restored:?}");
    // Nobody repairs before somebody has looked.
    let ended = two.run(&["reconcile", "people", "--apply", "--settle", "0s"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains("restored from a backup"), "{ended:?}");
    two.compare(1);
    assert_eq!(two.run(&["resume", "--pair", "people"]).code, 0);
    assert_eq!(Two::withheld(&two.reconcile(1)), ["a points no_base -"]);
    assert_eq!(
        (two.person("app", "a"), two.person("crm", "a")),
        ("a@x Anna [\"x\",\"y\"] 20".to_owned(), "a@x Anna [\"x\",\"y\"] 21".to_owned())
    );
    // From then on merging goes on.
    two.run_on("app", "UPDATE people SET points = 21 WHERE id = 'a'");
    two.compare(0);
    two.run_on("app", "UPDATE people SET points = 22 WHERE id = 'a'");
    assert_eq!(two.reconcile(0)["repaired"], 1);
    assert_eq!(two.both("a"), "a@x Anna [\"x\",\"y\"] 22");
}

/// A key that is used again is not the one that it was: what a record agreed on that is gone says nothing of the next.
#[test]
fn a_key_that_is_used_again_has_no_base() {
    let two = Two::matched_by("email");
    two.compare(0);
    two.run_on("app", "DELETE FROM people WHERE id = 'c'; INSERT INTO people VALUES ('z', 'c@x', 'Cy', '[]', 0)");
    let json = two.reconcile(1);
    assert_eq!(Two::withheld(&json), ["c@x points no_base -"], "{json:#}");
    assert_eq!((two.person("app", "z"), two.person("crm", "c")), ("c@x Cy [] 0".to_owned(), "c@x Cy [] 5".to_owned()));
}

/// A side that is read from a replica may not show yet what was written: that is no change of somebody's.
#[test]
fn a_repair_that_is_not_seen_yet_is_not_taken_for_a_change_back() {
    let two = Two::open();
    two.compare(0);
    two.run_on("crm", "UPDATE people SET email = 'new@x', points = 12 WHERE id = 'a'");
    assert_eq!(two.reconcile(0)["repaired"], 1);
    // What a replica that is behind would show.
    two.run_on("app", "UPDATE people SET email = 'a@x', points = 10 WHERE id = 'a'");
    let json = two.reconcile(1);
    let withheld = ["a email no_base -", "a points no_base -"];
    assert_eq!((&json["repaired"], Two::withheld(&json)), (&json!(0), withheld.map(str::to_owned).to_vec()));
    assert_eq!(two.person("crm", "a"), "new@x Anna [\"x\",\"y\"] 12");
    // Once it has caught up, merging goes on.
    two.run_on("app", "UPDATE people SET email = 'new@x', points = 12 WHERE id = 'a'");
    two.compare(0);
    two.run_on("app", "UPDATE people SET email = 'a@x' WHERE id = 'a'");
    assert_eq!(two.reconcile(0)["repaired"], 1);
    assert_eq!(two.both("a"), "a@x Anna [\"x\",\"y\"] 12");
}
