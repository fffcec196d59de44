//! `quittance reconcile`, `approve` and `undo` as an operator runs them, on files.

use crate::support::{Ended, Home};
use rusqlite::Connection;
use serde_json::{Value, json};

/// Accounts of an application: nobody's subscription is what the export says of it.
const ROWS: &str = "('sub_1', 'active', 'basic', 100), ('sub_2', 'past_due', 'team', 100), \
     ('sub_3', 'active', 'team', 100), ('sub_4', 'active', 'basic', 100)";

const EXPORT: &str =
    "id,status,plan\nsub_1,past_due,basic\nsub_2,active,scale\nsub_3,canceled,team\nsub_4,trialing,basic\n";

/// A home whose table is repaired from an export. `more` is said of the pair.
pub(crate) fn home(more: &str) -> Home {
    let home = Home::new();
    let database = application(&home);
    database
        .execute_batch(&format!(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, subscription TEXT, status TEXT, plan TEXT, updated_at INTEGER);
             INSERT INTO accounts (subscription, status, plan, updated_at) VALUES {ROWS}"
        ))
        .expect("rows");
    home.write("subscriptions.csv", EXPORT);
    let app = format!("kind = \"sqlite\"\npath = \"{}\"\nwritable = true\n", home.path("app.db").display());
    home.write("quittance.toml", &configured(&home, &app, more));
    home
}

pub(crate) fn configured(home: &Home, app: &str, more: &str) -> String {
    let place = home.path("").display().to_string();
    format!(
        "[systems.app]\n{app}[systems.export]\nkind = \"csv\"\npath = \"{}\"\n\
         [pairs.subscriptions]\n\
         left = {{ system = \"app\", table = \"accounts\" }}\n\
         right = {{ system = \"export\", file = \"subscriptions\" }}\n\
         match = [ {{ left = \"subscription\", right = \"id\" }} ]\n\
         repairs_share_max = 1\n{more}\
         [[pairs.subscriptions.fields]]\nleft = \"status\"\nright = \"status\"\nauthority = \"right\"\n\
         values = [ {{ left = \"active\", right = [\"active\", \"trialing\"] }}, \
         {{ left = \"past_due\", right = \"past_due\" }}, {{ left = \"cancelled\", right = \"canceled\" }} ]\n\
         [[pairs.subscriptions.fields]]\nleft = \"plan\"\nright = \"plan\"\nauthority = \"right\"\n",
        place.trim_end_matches('/')
    )
}

fn application(home: &Home) -> Connection {
    Connection::open(home.path("app.db")).expect("a database")
}

/// What the table says, a line for each account.
fn accounts(home: &Home) -> Vec<String> {
    let database = application(home);
    let mut statement = database
        .prepare("SELECT subscription || ' ' || status || ' ' || plan FROM accounts ORDER BY subscription")
        .expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

const BEFORE: [&str; 4] = ["sub_1 active basic", "sub_2 past_due team", "sub_3 active team", "sub_4 active basic"];
const AFTER: [&str; 4] = ["sub_1 past_due basic", "sub_2 active scale", "sub_3 cancelled team", "sub_4 active basic"];

pub(crate) fn reconcile(home: &Home, words: &[&str]) -> Ended {
    home.run(&[&["reconcile", "subscriptions", "--settle", "0s", "--json"], words].concat())
}

pub(crate) fn diff(home: &Home) -> Ended {
    home.run(&["diff", "subscriptions", "--settle", "0s", "--json"])
}

pub(crate) fn check(ended: &Ended, code: i32, expected: &[(&str, Value)]) -> Value {
    assert_eq!(ended.code, code, "{ended:?}");
    let json = ended.json();
    expected.iter().for_each(|(name, value)| assert_eq!(&json[name], value, "{name} of {json:#}"));
    json
}

fn states(json: &Value) -> Vec<String> {
    let repairs = json["repairs"].as_array().expect("repairs").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    repairs.map(|repair| format!("{} {}", text(&repair["key"]), text(&repair["state"]))).collect()
}

/// All of it applied, what waits approved; gives the run.
pub(crate) fn repaired(home: &Home) -> String {
    let json = check(&reconcile(home, &["--apply"]), 4, &[("repaired", json!(2)), ("awaiting_approval", json!(1))]);
    let run = json["run_id"].as_str().expect("an id").to_owned();
    check(&home.run(&["approve", &run, "--apply", "--settle", "0s", "--json"]), 0, &[("repaired", json!(1))]);
    assert_eq!(accounts(home), AFTER);
    run
}

#[test]
fn what_is_decided_is_shown_and_written_only_when_that_is_asked_for() {
    let home = home("");
    let json =
        check(&reconcile(&home, &[]), 1, &[("planned", json!(3)), ("repaired", json!(0)), ("undo", json!(null))]);
    assert_eq!(states(&json), ["sub_1 planned", "sub_2 planned", "sub_3 awaiting_approval"]);
    let changes = json!([{"column": "status", "from": "past_due", "to": "active"}, {"column": "plan", "from": "team", "to": "scale"}]);
    assert_eq!(json["repairs"][1]["changes"], changes);
    assert_eq!(accounts(&home), BEFORE);
    let table = home.run(&["reconcile", "subscriptions", "--settle", "0s"]);
    assert!(table.stdout.contains("3 would be repaired") && table.stdout.contains("--apply writes it"), "{table:?}");
}

#[test]
fn what_is_repaired_agrees_and_what_is_undone_is_as_it_was() {
    let home = home("");
    let run = repaired(&home);
    check(&diff(&home), 0, &[("equal", json!(4)), ("differences", json!([]))]);
    check(&reconcile(&home, &["--apply"]), 0, &[("planned", json!(0))]);
    check(&home.run(&["undo", &run, "--json"]), 0, &[("planned", json!(3)), ("run_id", json!(null))]);
    assert_eq!(accounts(&home), AFTER, "dry unless --apply is given");
    let undone = check(&home.run(&["undo", &run, "--apply", "--json"]), 0, &[("repaired", json!(3))]);
    assert_eq!(accounts(&home), BEFORE);
    check(&diff(&home), 1, &[("different", json!(3))]);
    check(&home.run(&["undo", &run, "--apply", "--json"]), 1, &[("planned", json!(0))]);
    // What took something back is taken back like anything else.
    let second = undone["run_id"].as_str().expect("an id");
    check(&home.run(&["undo", second, "--apply", "--json"]), 0, &[("repaired", json!(3))]);
    assert_eq!(accounts(&home), AFTER);
    let verified = home.run(&["verify", "--json"]);
    assert_eq!((verified.code, &verified.json()["repairs"]["checked"]), (0, &json!(9)), "{verified:?}");
}

/// The events of a story, in order.
fn events(home: &Home, id: &str) -> Vec<String> {
    let told = home.run(&["trace", id, "--json"]);
    assert_eq!(told.code, 0, "{told:?}");
    let lines = told.json()["stories"][0]["lines"].as_array().expect("lines").clone();
    lines.iter().map(|line| line["event"].as_str().expect("a word").to_owned()).collect()
}

#[test]
fn the_story_of_a_run_and_of_one_repair_of_it_is_told() {
    let home = home("");
    let run = repaired(&home);
    let began = ["comparison_began", "compared", "run_began"];
    let planned = ["planned", "planned", "awaiting_approval", "repaired", "repaired"];
    let approved = ["planned", "repaired"];
    assert_eq!(events(&home, &run), [&began[..], &planned, &approved].concat());
    let undone = check(&home.run(&["undo", &run, "--apply", "--json"]), 0, &[("repaired", json!(3))]);
    let ends = ["planned", "repaired", "undo_began", "undone"];
    assert_eq!(events(&home, &format!("{run}/1")), ends);
    let undo = undone["run_id"].as_str().expect("an id");
    assert_eq!(events(&home, undo)[..2], ["run_began", "planned"]);
    let text = home.run(&["trace", &format!("{run}/1")]);
    assert!(
        text.stdout.contains("from=") && text.stdout.contains("to=") && text.stdout.contains("by=operator"),
        "{text:?}"
    );
    for unknown in [format!("{run}/9"), run.replace("run_0", "run_1"), format!("{run}/x")] {
        assert_eq!(home.run(&["trace", &unknown]).code, 1, "{unknown}");
    }
}

#[test]
fn too_much_for_one_run_stops_before_the_first_write() {
    for (limit, words) in [("repairs_max = 2\n", "repairs_max"), ("repairs_share_max = 0.5\n", "repairs_share_max")] {
        let home = home("");
        let text = std::fs::read_to_string(home.path("quittance.toml")).expect("readable");
        home.write("quittance.toml", &text.replace("repairs_share_max = 1\n", limit));
        let json = check(&reconcile(&home, &["--apply"]), 4, &[("repaired", json!(0)), ("planned", json!(3))]);
        assert!(json["stopped"].as_str().is_some_and(|text| text.contains(words)), "{json:#}");
        assert_eq!(accounts(&home), BEFORE);
        check(
            &reconcile(&home, &["--apply", "--repairs-max", "3"]),
            4,
            &[("repaired", json!(2)), ("stopped", json!(null))],
        );
    }
}

#[test]
fn what_takes_something_away_waits_for_a_person_who_may_refuse_it() {
    let home = home("");
    let json = check(&reconcile(&home, &["--apply"]), 4, &[("awaiting_approval", json!(1))]);
    let run = json["run_id"].as_str().expect("an id");
    let waiting = home.run(&["runs", "subscriptions", "--waiting", "--json"]).json();
    assert_eq!((&waiting["data"][0]["run_id"], &waiting["data"][0]["awaiting_approval"]), (&json!(run), &json!(1)));
    check(&home.run(&["approve", run, "--json"]), 4, &[("awaiting_approval", json!(1))]);
    assert_eq!(accounts(&home)[2], "sub_3 active team");
    let wrong = home.run(&["approve", &format!("{run}/0"), "--apply"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("nothing of"), "{wrong:?}");
    check(&home.run(&["approve", &format!("{run}/2"), "--reject", "--apply", "--json"]), 0, &[("rejected", json!(1))]);
    assert_eq!(accounts(&home)[2], "sub_3 active team");
    assert_eq!(home.run(&["runs", "--waiting", "--json"]).json()["data"], json!([]));
    let all = home.run(&["runs", "--json"]).json();
    assert_eq!((&all["data"][0]["rejected"], &all["data"][0]["repaired"]), (&json!(1), &json!(2)), "{all:#}");
    // Where a pair waits for approval of everything, `--apply` writes nothing.
    let careful = self::home("apply = \"approve\"\n");
    check(&reconcile(&careful, &["--apply"]), 4, &[("repaired", json!(0)), ("awaiting_approval", json!(3))]);
    assert_eq!(accounts(&careful), BEFORE);
    let trusting = self::home("take_away = \"apply\"\n");
    check(&reconcile(&trusting, &["--apply"]), 0, &[("repaired", json!(3))]);
    assert_eq!(accounts(&trusting), AFTER);
}

#[test]
fn an_undo_leaves_what_has_moved_on() {
    let home = home("");
    let run = repaired(&home);
    let moved = application(&home).execute("UPDATE accounts SET plan = 'basic' WHERE subscription = 'sub_2'", []);
    assert_eq!(moved.expect("written"), 1);
    let gone = application(&home).execute("DELETE FROM accounts WHERE subscription = 'sub_1'", []);
    assert_eq!(gone.expect("written"), 1);
    let json =
        check(&home.run(&["undo", &run, "--apply", "--json"]), 1, &[("repaired", json!(1)), ("failed", json!(2))]);
    assert_eq!(states(&json), ["sub_1 gone", "sub_2 moved", "sub_3 repaired"]);
    assert!(json["repairs"][1]["detail"].as_str().is_some_and(|detail| detail.contains("plan = basic")), "{json:#}");
    assert_eq!(accounts(&home), ["sub_2 active basic", "sub_3 active team", "sub_4 active basic"]);
}

#[test]
fn automations_that_fight_are_told_apart_from_drift() {
    let home = home("take_away = \"apply\"\n");
    for _ in 0..2 {
        check(&reconcile(&home, &["--apply", "--only", "sub_1"]), 0, &[("repaired", json!(1))]);
        let back = application(&home).execute("UPDATE accounts SET status = 'active' WHERE subscription = 'sub_1'", []);
        assert_eq!(back.expect("written"), 1);
    }
    let json = check(&reconcile(&home, &["--apply", "--only", "sub_1"]), 1, &[("planned", json!(0))]);
    assert_eq!(json["withheld"][0]["why"], "flip_flop", "{json:#}");
    assert_eq!(accounts(&home)[0], "sub_1 active basic");
}

#[test]
fn a_system_that_alters_or_refuses_what_is_written_says_so() {
    let home = home("take_away = \"apply\"\n");
    application(&home)
        .execute_batch(
            "CREATE TRIGGER shout AFTER UPDATE OF plan ON accounts WHEN NEW.plan = 'scale'
             BEGIN UPDATE accounts SET plan = 'SCALE' WHERE id = NEW.id; END;
             CREATE TRIGGER keep BEFORE UPDATE ON accounts WHEN NEW.status = 'cancelled'
             BEGIN SELECT RAISE(ABORT, 'ask finance first'); END;",
        )
        .expect("triggers");
    let json = check(
        &reconcile(&home, &["--apply"]),
        1,
        &[("repaired", json!(1)), ("refused", json!(1)), ("failed", json!(1))],
    );
    assert_eq!(states(&json), ["sub_1 repaired", "sub_2 altered", "sub_3 refused"]);
    let detail = |at: usize| json["repairs"][at]["detail"].as_str().unwrap_or_default().to_owned();
    assert!(detail(1).contains("plan = SCALE") && detail(2).contains("ask finance first"), "{json:#}");
    assert_eq!(accounts(&home)[2], "sub_3 active team");
}

#[test]
fn what_may_not_be_written_is_refused_before_anything_is_kept() {
    let home = home("");
    let text = std::fs::read_to_string(home.path("quittance.toml")).expect("readable");
    home.write("quittance.toml", &text.replace("writable = true\n", ""));
    let ended = reconcile(&home, &["--apply"]);
    assert!(ended.code == 2 && ended.stderr.contains("writable = true"), "{ended:?}");
    assert_eq!(accounts(&home), BEFORE);
    for (id, words) in [("run_1", "no id of a run"), ("run_00000000000000000000000001", "no run of repairs")] {
        let ended = home.run(&["undo", id, "--apply"]);
        assert!(ended.code == 2 && ended.stderr.contains(words), "{ended:?}");
    }
}

#[test]
fn what_was_kept_of_repairs_cannot_be_changed_unnoticed() {
    let home = home("");
    repaired(&home);
    let place = home.data().join("drift").join("quittance.db");
    let whole = std::fs::read(&place).expect("the runs");
    for damage in [
        "UPDATE repairs SET state = 'rejected' WHERE no = 0",
        "UPDATE repairs SET detail = x'61' WHERE no = 0",
        "UPDATE repairs SET changed_at = changed_at + 1 WHERE no = 0",
        "DELETE FROM repairs WHERE no = 2",
        "INSERT INTO repairs SELECT run, 7, pair, record, 'planned', changed_at, plan, detail FROM repairs WHERE no = 0",
        "UPDATE repair_runs SET \"by\" = 'nobody'",
        "DELETE FROM repair_runs",
        "DELETE FROM repair_heads",
        "DELETE FROM repair_journal WHERE seq = (SELECT max(seq) FROM repair_journal)",
    ] {
        std::fs::write(&place, &whole).expect("written");
        let kept = Connection::open(&place).expect("the runs");
        assert!(kept.execute(damage, []).expect("written") > 0, "{damage}");
        drop(kept);
        let verified = home.run(&["verify", "--json"]);
        assert_eq!(verified.code, 1, "{damage}: {verified:?}");
        assert_eq!(verified.json()["repairs"]["broken"][0]["pair"], "subscriptions", "{damage}: {verified:?}");
    }
    std::fs::write(&place, &whole).expect("written");
    assert_eq!(home.run(&["verify"]).code, 0);
}

#[test]
fn an_approval_is_decided_again_before_it_is_written() {
    let overtaken = [
        // The row is somebody else's by now.
        "UPDATE accounts SET subscription = 'sub_9' WHERE subscription = 'sub_3'",
        // The customer canceled, and the application heard of it by itself.
        "UPDATE accounts SET status = 'cancelled' WHERE subscription = 'sub_3'",
        "DELETE FROM accounts WHERE subscription = 'sub_3'",
    ];
    for change in overtaken {
        let home = home("");
        let json = check(&reconcile(&home, &["--apply"]), 4, &[("awaiting_approval", json!(1))]);
        let run = json["run_id"].as_str().expect("an id").to_owned();
        // Asked for again, it waits once.
        let again = check(&reconcile(&home, &["--apply"]), 4, &[("planned", json!(0))]);
        assert_eq!(again["withheld"][0]["why"], "waits", "{again:#}");
        assert_eq!(application(&home).execute(change, []).expect("written"), 1);
        let before = accounts(&home);
        let approved = home.run(&["approve", &run, "--apply", "--settle", "0s", "--json"]);
        let json = check(&approved, 1, &[("repaired", json!(0)), ("failed", json!(1))]);
        assert_eq!(states(&json), ["sub_3 moved"]);
        assert_eq!(accounts(&home), before, "{change}");
        // Nor is what somebody else wrote taken back with the run.
        check(&home.run(&["undo", &run, "--apply", "--json"]), 0, &[("repaired", json!(2))]);
        assert_eq!(accounts(&home).iter().filter(|line| before.contains(line)).count(), before.len() - 2, "{change}");
    }
}

/// A home whose accounts say when they were written last, of which one waits for a person; with its run.
fn asked() -> (Home, String) {
    let home = home("");
    let text = std::fs::read_to_string(home.path("quittance.toml")).expect("readable");
    let timed = "table = \"accounts\", updated_at = \"updated_at\" }";
    home.write("quittance.toml", &text.replace("table = \"accounts\" }", timed));
    let time = "ALTER TABLE accounts DROP COLUMN updated_at; ALTER TABLE accounts ADD COLUMN updated_at DATETIME";
    application(&home).execute_batch(time).expect("written");
    touch(&home, 1);
    let json = check(&reconcile(&home, &["--apply"]), 4, &[("repaired", json!(2)), ("awaiting_approval", json!(1))]);
    let run = json["run_id"].as_str().expect("an id").to_owned();
    (home, run)
}

/// Writes every account without changing what is compared.
fn touch(home: &Home, day: u32) {
    let text = format!("UPDATE accounts SET updated_at = '2026-01-{day:02} 12:00:00'");
    application(home).execute_batch(&text).expect("written");
}

#[test]
fn who_was_asked_about_a_record_is_not_asked_again_when_it_is_written() {
    let (home, run) = asked();
    touch(&home, 2);
    let json = check(&reconcile(&home, &["--apply"]), 4, &[("planned", json!(0))]);
    assert_eq!(json["withheld"][0]["why"], "waits", "{json:#}");
    check(&home.run(&["approve", &run, "--reject", "--apply", "--json"]), 0, &[("rejected", json!(1))]);
    touch(&home, 3);
    let json = check(&reconcile(&home, &["--apply"]), 1, &[("planned", json!(0))]);
    assert_eq!(json["withheld"][0]["why"], "rejected", "{json:#}");
    // What is approved is written as the record stands now.
    let (home, run) = asked();
    touch(&home, 2);
    check(&home.run(&["approve", &run, "--apply", "--settle", "0s", "--json"]), 0, &[("repaired", json!(1))]);
    assert_eq!(accounts(&home), AFTER);
    // Of two questions about one record the newer is asked.
    let (home, run) = asked();
    home.write("subscriptions.csv", &EXPORT.replace("sub_3,canceled,team", "sub_3,canceled,basic"));
    let json = check(&reconcile(&home, &["--apply"]), 4, &[("awaiting_approval", json!(1))]);
    let waiting = home.run(&["runs", "--waiting", "--json"]).json();
    let waiting: Vec<&Value> = waiting["data"].as_array().expect("runs").iter().map(|one| &one["run_id"]).collect();
    assert_eq!(waiting, [&json["run_id"]]);
    let late = home.run(&["approve", &run, "--apply", "--settle", "0s"]);
    assert!(late.code == 2 && late.stderr.contains("nothing of"), "{late:?}");
}

#[test]
fn nobody_loses_anything_who_has_another_subscription() {
    let home = Home::new();
    let database = application(&home);
    database
        .execute_batch(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, subscription TEXT, status TEXT, plan TEXT, customer TEXT);
             INSERT INTO accounts (subscription, status, plan, customer) VALUES ('sub_1', 'active', 'team', 'cus_1'),
                 ('sub_2', 'active', 'team', 'cus_2'), ('sub_3', 'active', 'team', NULL);
             CREATE TABLE theirs (id TEXT PRIMARY KEY, status TEXT, plan TEXT, customer TEXT);
             CREATE INDEX theirs_by_customer ON theirs (customer);
             INSERT INTO theirs VALUES ('sub_1', 'canceled', 'team', 'cus_1'), ('sub_9', 'trialing', 'team', 'cus_1'),
                 ('sub_2', 'canceled', 'team', 'cus_2'), ('sub_8', 'canceled', 'team', 'cus_2'), ('sub_3', 'canceled', 'team', NULL);",
        )
        .expect("rows");
    let app = format!("kind = \"sqlite\"\npath = \"{}\"\nwritable = true\n", home.path("app.db").display());
    let whose = "take_away = \"apply\"\ncustomer = { left = \"customer\", right = \"customer\" }\n";
    let text = configured(&home, &app, whose).replace(
        "right = { system = \"export\", file = \"subscriptions\" }",
        "right = { system = \"app\", table = \"theirs\" }",
    );
    home.write("quittance.toml", &text);
    let json = check(&reconcile(&home, &["--apply"]), 1, &[("repaired", json!(1))]);
    assert_eq!(states(&json), ["sub_2 repaired"]);
    let lines = json["withheld"].as_array().expect("lines").iter();
    let withheld: Vec<_> = lines
        .map(|line| (line["key"].as_str().unwrap_or_default(), line["why"].as_str().unwrap_or_default()))
        .collect();
    for expected in [("sub_1", "another_is_live"), ("sub_3", "customer_unknown"), ("sub_8", "missing")] {
        assert!(withheld.contains(&expected), "{expected:?} is not in {withheld:?}");
    }
    assert_eq!(accounts(&home)[..2], ["sub_1 active team", "sub_2 cancelled team"]);
}
