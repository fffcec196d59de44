//! `quittance import` as somebody with a list of corrections runs it, on files and on a real PostgreSQL.

use crate::support::{Ended, Home};
use quittance_surroundings::Postgres;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

const ROWS: &str = "(1, 'a@example.org', 'active', 'basic', 10, NULL), (2, 'b@example.org', 'active', 'team', 20, 'x'), \
     (3, 'c@example.org', 'past_due', 'team', 30, NULL), (4, 'c@example.org', 'active', 'basic', 40, NULL)";

/// A home whose table `accounts` is that of a pair.
fn home(more: &str) -> Home {
    let home = Home::new();
    application(&home)
        .execute_batch(&format!(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT, status TEXT NOT NULL, plan TEXT, seats INTEGER, note TEXT);
             INSERT INTO accounts VALUES {ROWS}"
        ))
        .expect("rows");
    let app = format!("kind = \"sqlite\"\npath = \"{}\"\nwritable = true\n", home.path("app.db").display());
    home.write("quittance.toml", &configured(&home, &app, more));
    home
}

fn configured(home: &Home, app: &str, more: &str) -> String {
    let place = home.path("").display().to_string();
    format!(
        "[systems.app]\n{app}[systems.export]\nkind = \"csv\"\npath = \"{}\"\n[pairs.accounts]\n\
         left = {{ system = \"app\", table = \"accounts\" }}\nright = {{ system = \"export\", file = \"accounts\" }}\n\
         match = [ {{ left = \"email\", right = \"email\" }} ]\nrepairs_share_max = 1\n{more}\
         [[pairs.accounts.fields]]\nleft = \"status\"\nright = \"status\"\nauthority = \"right\"\n",
        place.trim_end_matches('/')
    )
}

fn application(home: &Home) -> Connection {
    Connection::open(home.path("app.db")).expect("a database")
}

/// What the table says, a line for each account.
fn accounts(home: &Home) -> String {
    let database = application(home);
    let lines = "SELECT group_concat(line, char(10)) FROM (SELECT concat_ws(' ', id, email, status, plan, seats, \
         coalesce(note, 'null')) AS line FROM accounts ORDER BY id)";
    database.query_row(lines, [], |row| row.get(0)).expect("rows")
}

fn sql(home: &Home, statement: &str) {
    application(home).execute_batch(statement).expect("written");
}

fn import(home: &Home, list: &[u8], words: &[&str]) -> Ended {
    std::fs::write(home.path("fixes.csv"), list).expect("written");
    let file = home.path("fixes.csv").display().to_string();
    home.run(&[&["import", "accounts", &file, "--json"], words].concat())
}

fn check(ended: &Ended, code: i32, expected: &[(&str, Value)]) -> Value {
    assert_eq!(ended.code, code, "{ended:?}");
    let json = ended.json();
    expected.iter().for_each(|(name, value)| assert_eq!(&json[name], value, "{name} of {json:#}"));
    json
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn a_list_is_shown_written_in_one_piece_and_taken_back() {
    let home = home("");
    let before = accounts(&home);
    let list =
        b"\xef\xbb\xbfemail,plan,old:plan,seats\r\na@example.org,team,basic,11\r\nb@example.org,team,team,20\r\n";
    let dry =
        check(&import(&home, list, &[]), 0, &[("planned", json!(1)), ("already", json!(1)), ("run_id", json!(null))]);
    let changes =
        json!([{"column": "plan", "from": "basic", "to": "team"}, {"column": "seats", "from": "10", "to": "11"}]);
    assert_eq!((&dry["repairs"][0]["key"], &dry["repairs"][0]["changes"]), (&json!("a@example.org"), &changes));
    assert_eq!(dry["file"]["rows"], 2);
    assert_eq!(accounts(&home), before, "dry unless --apply is given");
    assert!(!home.data().exists(), "nor is anything kept");
    let file = home.path("fixes.csv").display().to_string();
    let table = home.run(&["import", "accounts", &file]);
    assert!(
        table.stdout.contains("1 record would be changed") && table.stdout.contains("--apply writes it"),
        "{table:?}"
    );

    let json = check(&import(&home, list, &["--apply"]), 0, &[("repaired", json!(1)), ("awaiting_approval", json!(0))]);
    let run = text(&json["run_id"]).to_owned();
    assert_eq!(json["undo"], format!("quittance undo {run} --apply"));
    let after = accounts(&home);
    assert!(after.starts_with("1 a@example.org active team 11"), "{after}");
    // The same again has nothing to do, whatever it expected before.
    check(
        &import(&home, list, &["--apply"]),
        0,
        &[("planned", json!(0)), ("already", json!(2)), ("run_id", json!(null))],
    );
    let runs = home.run(&["runs", "accounts", "--json"]).json();
    let kept = &runs["data"][0];
    assert_eq!((&kept["cause"], &kept["file"]["name"]), (&json!("import"), &json!("fixes.csv")), "{runs:#}");
    assert_eq!(kept["file"]["sha256"], json["file"]["sha256"]);

    check(&home.run(&["undo", &run, "--json"]), 0, &[("planned", json!(1))]);
    assert_eq!(accounts(&home), after);
    let undone = check(&home.run(&["undo", &run, "--apply", "--json"]), 0, &[("repaired", json!(1))]);
    assert_eq!(accounts(&home), before);
    check(&home.run(&["undo", text(&undone["run_id"]), "--apply", "--json"]), 0, &[("repaired", json!(1))]);
    assert_eq!(accounts(&home), after);
    let verified = home.run(&["verify", "--json"]);
    assert_eq!((verified.code, &verified.json()["repairs"]["checked"]), (0, &json!(3)), "{verified:?}");
}

#[test]
fn a_file_that_is_no_list_of_this_table_is_refused_with_what_would_be_right() {
    let home = home("");
    let before = accounts(&home);
    for (list, words, what, remedy) in [
        (&b"email,plans\na@example.org,team\n"[..], &[][..], "no column `plans`", "did you mean `plan`"),
        (b"email,old:plans,plan\na@example.org,a,b\n", &[], "no column `plans`", "did you mean `plan`"),
        (b"email,plan,plan\na@example.org,team,team\n", &[], "two columns are named `plan`", "keep one"),
        (b"email;plan\na@example.org;team\n", &[], "only column is `email;plan`", "--delimiter"),
        (b"plan,seats\nteam,3\n", &[], "neither `id` nor `email`", "--key COLUMN"),
        (b"email,old:plan\na@example.org,team\n", &[], "nothing to set", "to be corrected"),
        (b"email,id\na@example.org,7\n", &["--key", "email"], "`id` tells the records", "--key id"),
        (b"email,plan\na@example.org,team\n", &["--key", "mail"], "no column `mail`", "did you mean `email`"),
        (b"email,plan\na@example.org,M\xfcller\n", &[], "line 2 of fixes.csv, byte 16 of it: not UTF-8", "UTF-8"),
        (b"\xff\xfee\0m\0", &[], "byte 1 of it", "UTF-16"),
        (b"email,plan\na@example.org,\"team\n", &[], "line 2 of fixes.csv: a quote", "close it"),
        (b"", &[], "is empty", "names the columns"),
    ] {
        for apply in [&[][..], &["--apply"]] {
            let ended = import(&home, list, &[words, apply].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
            assert!(ended.stderr.contains(what) && ended.stderr.contains(remedy), "{what}, {remedy}: {ended:?}");
        }
    }
    let ended = home.run(&["import", "accounts", "nowhere.csv"]);
    assert!(ended.code == 2 && ended.stderr.contains("nowhere.csv cannot be read"), "{ended:?}");
    let ended = import(&home, b"email,plan\nb@example.org,a\n", &["--side", "right"]);
    assert!(ended.code == 2 && ended.stderr.contains("cannot be written"), "{ended:?}");
    assert_eq!(accounts(&home), before);
    assert_eq!(home.run(&["runs", "--json"]).json(), json!({"data": []}), "nor was anything kept");
}

#[test]
fn one_bad_row_keeps_the_whole_list_from_being_written_and_all_of_them_are_named() {
    let home = home("");
    let before = accounts(&home);
    let list = b"email,status,seats,old:plan\n\
        a@example.org,active,11,basic\n\
        nobody@example.org,active,1,basic\n\
        c@example.org,active,1,basic\n\
        b@example.org,,21,team\n\
        a@example.org,active,12,basic\n\
        b@example.org,active\n\
        ,active,1,basic\n\
        A@example.org,active,1,basic\n";
    for apply in [&[][..], &["--apply"]] {
        let expected = [("planned", json!(0)), ("run_id", json!(null)), ("bad_rows", json!(7))];
        let json = check(&import(&home, list, apply), 2, &expected);
        let bad = json["bad"].as_array().expect("rows").iter();
        let bad: Vec<String> = bad.map(|bad| format!("{} {}", bad["line"], text(&bad["what"]))).collect();
        let wanted = [
            "3 no record has this key",
            "4 several records",
            "5 NULL, and the column",
            "6 line 2 has the same key",
            "7 it has 2 cells, and the header 4",
            "8 a key is NULL",
            "9 no record has this key",
        ];
        assert_eq!(bad.len(), wanted.len(), "{bad:?}");
        for (bad, wanted) in bad.iter().zip(wanted) {
            assert!(bad.starts_with(wanted), "{bad} is not {wanted}");
        }
    }
    let json = check(
        &import(&home, b"id,seats,old:note\n2,many,y\n1,1,\n3,2,seen\n", &["--apply"]),
        2,
        &[("bad_rows", json!(2))],
    );
    assert!(text(&json["bad"][0]["what"]).contains("`many` is no number"), "{json:#}");
    assert_eq!(json["bad"][0]["column"], "seats");
    assert_eq!(json["bad"][1]["what"], "it holds `NULL`, and the list expects `seen`");
    assert_eq!(accounts(&home), before);
}

#[test]
fn null_and_an_empty_text_are_told_apart_by_a_word() {
    let home = home("");
    let list = b"id\tnote\tplan\n1\t\t\\N\n2\t\\N\tteam\n";
    let words = ["--delimiter", "tab", "--null", "\\N", "--apply", "--allow-take-aways"];
    check(&import(&home, list, &words), 0, &[("repaired", json!(2))]);
    let held = "SELECT group_concat(quote(note) || quote(plan)) FROM accounts WHERE id < 3";
    let held: String = application(&home).query_row(held, [], |row| row.get(0)).expect("rows");
    assert_eq!(held, "''NULL,NULL'team'");
}

#[test]
fn what_takes_something_away_and_what_is_too_much_has_to_be_permitted() {
    let home = home("");
    let before = accounts(&home);
    let list = b"id,status\n1,Canceled\n2,past_due\n";
    let json = check(&import(&home, list, &["--apply"]), 4, &[("take_aways", json!(1)), ("run_id", json!(null))]);
    assert_eq!((&json["repairs"][0]["takes_away"], &json["repairs"][1]["takes_away"]), (&json!(true), &json!(false)));
    check(&import(&home, list, &[]), 4, &[("planned", json!(2))]);
    let table = home.run(&["import", "accounts", &home.path("fixes.csv").display().to_string(), "--apply"]);
    assert!(table.stdout.contains("1 take something away from a customer: `1`; if"), "{table:?}");
    assert_eq!(accounts(&home), before);
    let configuration = std::fs::read_to_string(home.path("quittance.toml")).expect("readable");
    for (limit, words) in [("repairs_max = 1\n", "repairs_max"), ("repairs_share_max = 0.25\n", "1 of 4 records")] {
        home.write("quittance.toml", &configuration.replace("repairs_share_max = 1\n", limit));
        let json = check(&import(&home, list, &["--apply", "--allow-take-aways"]), 4, &[("repaired", json!(0))]);
        assert!(text(&json["stopped"]).contains(words), "{json:#}");
        assert_eq!(accounts(&home), before);
    }
    let permitted = ["--apply", "--allow-take-aways", "--repairs-max", "2"];
    check(&import(&home, list, &permitted), 0, &[("repaired", json!(2)), ("stopped", json!(null))]);
}

#[test]
fn a_trigger_that_refuses_or_rewrites_one_record_keeps_all_of_them_as_they_are() {
    for (trigger, state, detail) in [
        (
            "BEFORE UPDATE ON accounts WHEN NEW.id = 2 BEGIN SELECT RAISE(ABORT, 'ask finance'); END",
            "refused",
            "ask finance",
        ),
        (
            "AFTER UPDATE OF plan ON accounts WHEN NEW.id = 2 BEGIN UPDATE accounts SET plan = 'X' WHERE id = 2; END",
            "refused",
            "plan = X",
        ),
    ] {
        let home = home("");
        sql(&home, &format!("CREATE TRIGGER t {trigger}"));
        let before = accounts(&home);
        let list = b"id,plan\n1,scale\n2,scale\n";
        let expected = [("repaired", json!(0)), ("refused", json!(1)), ("undo", json!(null))];
        let json = check(&import(&home, list, &["--apply"]), 2, &expected);
        let of = |at: usize| (text(&json["repairs"][at]["state"]), text(&json["repairs"][at]["detail"]));
        assert_eq!(of(0).0, "abandoned", "{json:#}");
        assert!(of(1).0 == state && of(1).1.contains(detail), "{json:#}");
        assert_eq!(accounts(&home), before);
        check(&home.run(&["undo", text(&json["run_id"]), "--apply", "--json"]), 1, &[("planned", json!(0))]);
        assert_eq!(home.run(&["verify"]).code, 0);
    }
}

/// A table of so many accounts in PostgreSQL.
struct Database {
    home: Home,
    server: &'static Postgres,
    name: String,
}

const MANY: u32 = 10_000;

impl Database {
    fn open(subject: &str) -> Option<Self> {
        let server = Postgres::shared(subject)?;
        let (home, name) = (Home::new(), server.fresh_database());
        let database = Self { home, server, name };
        database.sql(
            "CREATE TABLE accounts (id bigint PRIMARY KEY, email text, status text NOT NULL, plan varchar(10), seats int CHECK (seats > 0))",
        );
        let rows = format!(
            "INSERT INTO accounts SELECT n, 'user' || n || '@example.org', 'active', 'basic', 1 FROM generate_series(1, {MANY}) n"
        );
        database.sql(&rows);
        database.home.write("url", &server.url(&database.name));
        let url = database.home.path("url").display().to_string();
        let app = format!("kind = \"postgres\"\nurl = \"file:{url}\"\nwrite_url = \"file:{url}\"\n");
        let text = configured(&database.home, &app, "repairs_max = 50000\n");
        database.home.write("quittance.toml", &text);
        Some(database)
    }

    fn sql(&self, statement: &str) -> String {
        self.server.sql(&self.name, statement)
    }

    fn digest(&self) -> String {
        self.sql("SELECT md5(string_agg(a::text, ',' ORDER BY id)) FROM accounts a")
    }

    fn corrected(&self) -> u32 {
        self.sql("SELECT count(*) FROM accounts WHERE plan = 'team' AND seats = id").parse().expect("a count")
    }

    /// Asks until it is so.
    fn until(&self, question: &str) {
        for _ in 0..6_000 {
            if self.sql(question) == "t" {
                return;
            }
            std::thread::yield_now();
        }
        panic!("never: {question}");
    }
}

/// Every account by its e-mail, which has no index.
fn everybody() -> Vec<u8> {
    let rows: String = (1..=MANY).map(|n| format!("user{n}@example.org,team,{n}\n")).collect();
    format!("email,plan,seats\n{rows}").into_bytes()
}

#[test]
fn ten_thousand_records_of_postgresql_are_changed_at_once_and_taken_back() {
    let Some(database) = Database::open("a list of corrections in PostgreSQL") else { return };
    let home = &database.home;
    let before = database.digest();
    let json = check(&import(home, &everybody(), &["--apply"]), 0, &[("repaired", json!(MANY)), ("failed", json!(0))]);
    assert_eq!(database.corrected(), MANY);
    check(&home.run(&["undo", text(&json["run_id"]), "--apply", "--json"]), 0, &[("repaired", json!(MANY))]);
    assert_eq!(database.digest(), before);
}

#[test]
fn what_postgresql_would_not_hold_is_named_before_and_what_it_refuses_takes_all_back() {
    let Some(database) = Database::open("a list that PostgreSQL refuses") else { return };
    let home = &database.home;
    let before = database.digest();
    let list = b"id,plan,seats\n1,a plan of many letters,2\n2,team,99999999999\n3,team,3\n";
    let json = check(&import(home, list, &[]), 2, &[("bad_rows", json!(2))]);
    assert!(text(&json["bad"][0]["what"]).contains("less of it"), "{json:#}");
    assert!(text(&json["bad"][1]["what"]).contains("out of range"), "{json:#}");
    // What only a constraint knows is found when it is written.
    let json = check(&import(home, b"id,seats\n1,5\n2,-1\n3,7\n", &["--apply"]), 2, &[("refused", json!(1))]);
    assert!(text(&json["repairs"][1]["detail"]).contains("23514"), "{json:#}");
    // What somebody changed since the list was made is named, and so is what somebody holds.
    let json = check(&import(home, b"id,seats,old:seats\n1,5,1\n2,6,9\n", &["--apply"]), 2, &[("bad_rows", json!(1))]);
    assert_eq!(json["bad"][0]["what"], "it holds `1`, and the list expects `9`");
    assert_eq!(database.digest(), before);
}

#[test]
fn what_changes_between_reading_and_writing_takes_all_of_it_back() {
    let Some(database) = Database::open("a list that is overtaken") else { return };
    let home = &database.home;
    // The first record that is written has somebody else's hand change another one before that is written.
    database.sql(
        "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.id = 1 AND NEW.plan = 'team' THEN UPDATE accounts SET seats = 77 WHERE id = 9000; END IF; RETURN NEW; END $$;
         CREATE TRIGGER meddle AFTER UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION meddle()",
    );
    let before = database.digest();
    let json = check(&import(home, &everybody(), &["--apply"]), 1, &[("repaired", json!(0)), ("failed", json!(1))]);
    let moved = json["repairs"].as_array().expect("repairs").iter().find(|one| one["state"] == "moved").expect("one");
    assert!(moved["key"] == "user9000@example.org" && text(&moved["detail"]).contains("seats = 77"), "{moved:#}");
    assert_eq!(database.digest(), before);
    database.sql("DROP TRIGGER meddle ON accounts");
    // Nor does the list wait for ever for what somebody holds.
    let mut holder = database.server.client("psql");
    let mut holder = holder
        .args(["--quiet", "--dbname", &database.name])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a client");
    let mut stdin = holder.stdin.take().expect("a pipe");
    stdin.write_all(b"BEGIN; SELECT FROM accounts WHERE id = 7 FOR UPDATE;\n").expect("asked");
    database.until(
        "SELECT count(*) > 0 FROM pg_locks WHERE mode = 'RowShareLock' AND relation = 'accounts'::regclass AND pid <> pg_backend_pid()",
    );
    let json = check(&import(home, &everybody(), &["--apply"]), 1, &[("repaired", json!(0)), ("refused", json!(1))]);
    let held = json["repairs"].as_array().expect("repairs").iter().find(|one| one["state"] == "refused").expect("one");
    assert_eq!((&held["key"], &held["detail"]), (&json!("user7@example.org"), &json!("locked by another transaction")));
    drop(stdin);
    holder.wait().expect("it ends");
    check(&import(home, &everybody(), &["--apply"]), 0, &[("repaired", json!(MANY))]);
}

#[test]
fn a_list_whose_process_was_killed_is_written_whole_or_not_at_all_and_that_is_found_out() {
    let Some(database) = Database::open("a list that is killed") else { return };
    let home = &database.home;
    let before = database.digest();
    database.sql(
        "CREATE SEQUENCE written;
         CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM nextval(''written''); RETURN NEW; END';
         CREATE TRIGGER slow BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION wait();",
    );
    std::fs::write(home.path("fixes.csv"), everybody()).expect("written");
    let file = home.path("fixes.csv").display().to_string();
    let mut killed = home.command(&["import", "accounts", &file, "--apply"]);
    let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    database.until("SELECT last_value > 1000 FROM written");
    killed.kill().expect("it is killed");
    killed.wait().expect("it ends");
    database.until(
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let held = database.corrected();
    assert!(held == MANY || database.digest() == before, "{held} of {MANY} were written");
    let json = check(&import(home, &everybody(), &["--apply"]), 0, &[]);
    let state = if held == MANY { "repaired" } else { "abandoned" };
    let finished = json["finished"].as_array().expect("what was begun");
    assert!(!finished.is_empty() && finished.iter().all(|one| one["state"] == state), "{:#}", finished[0]);
    assert_eq!(database.corrected(), MANY);
    let run = home.run(&["runs", "--json"]).json()["data"][0]["run_id"].clone();
    check(&home.run(&["undo", text(&run), "--apply", "--json"]), 0, &[("failed", json!(0))]);
    assert_eq!(database.digest(), before);
    assert_eq!(home.run(&["verify"]).code, 0);
}

/// What `replay` of the pair says.
fn replay(home: &Home, code: i32, words: &[&str]) -> Value {
    check(&home.run(&[&["replay", "accounts", "--json"], words].concat()), code, &[])
}

#[test]
fn repairs_are_made_again_from_their_journal_as_they_were_at_any_time() {
    let home = home("");
    let ended = home.run(&["replay", "accounts"]);
    assert!(ended.code == 2 && ended.stderr.contains("nothing was ever repaired"), "{ended:?}");
    let list = b"id,plan\n1,team\n2,scale\n";
    let json = check(&import(&home, list, &["--apply"]), 0, &[("repaired", json!(2))]);
    let run = text(&json["run_id"]).to_owned();
    let written = replay(&home, 0, &[]);
    assert_eq!(
        (&written["is_equal"], &written["digest"], &written["to"]),
        (&json!(true), &written["kept_digest"], &json!(3))
    );
    check(&home.run(&["undo", &format!("{run}/1"), "--apply", "--json"]), 0, &[("repaired", json!(1))]);
    let undone = replay(&home, 0, &[]);
    assert_eq!((&undone["is_equal"], &undone["to"]), (&json!(true), &json!(7)), "{undone:#}");
    assert_ne!(undone["digest"], written["digest"]);

    // As it was then, and what came later, which is of both runs.
    let then = replay(&home, 0, &["--to", "3"]);
    assert_eq!((&then["digest"], &then["is_equal"]), (&written["digest"], &json!(null)));
    let plans = |json: &Value| -> Vec<String> {
        let records = json["records"].as_array().expect("records").iter();
        let mut plans: Vec<_> =
            records.map(|one| format!("{} {}", text(&one["key"]), text(&one["holds"]["plan"]))).collect();
        plans.sort();
        plans
    };
    assert_eq!(
        (plans(&then), plans(&undone)),
        (vec!["1 team".into(), "2 scale".into()], vec!["1 team".into(), "2 team".into()])
    );
    let later = replay(&home, 0, &["--from", "4"]);
    assert_eq!(plans(&later), ["2 team"]);
    assert_eq!(states(&later), ["1 undone", "0 repaired"]);
    assert_eq!(states(&replay(&home, 0, &["--to", "2"])), ["0 planned", "1 planned"]);
    let beyond = home.run(&["replay", "accounts", "--to", "8"]);
    assert!(beyond.code == 2 && beyond.stderr.contains("its last is 7"), "{beyond:?}");
    let table = home.run(&["replay", "accounts"]);
    assert!(table.stdout.contains("what is kept is the same"), "{table:?}");
}

fn states(json: &Value) -> Vec<String> {
    let repairs = json["repairs"].as_array().expect("repairs").iter();
    repairs.map(|one| format!("{} {}", one["no"], text(&one["state"]))).collect()
}

#[test]
fn what_was_changed_of_what_is_kept_is_named() {
    let home = home("");
    check(&import(&home, b"id,plan\n1,team\n2,scale\n", &["--apply"]), 0, &[("repaired", json!(2))]);
    let place = home.data().join("drift").join("quittance.db");
    let whole = std::fs::read(&place).expect("the runs");
    for (damage, words) in [
        ("UPDATE repairs SET state = 'rejected' WHERE no = 1", "repair 1 of run_"),
        (
            "UPDATE repairs SET plan = CAST(substr(plan, 1, 20) || x'ff' || substr(plan, 22) AS BLOB) WHERE no = 0",
            "repair 0 of run_",
        ),
        ("DELETE FROM repairs WHERE no = 1", "is not there any more"),
        (
            "INSERT INTO repairs SELECT run, 7, pair, record, state, changed_at, plan, detail FROM repairs WHERE no = 0",
            "never written down",
        ),
        ("UPDATE repair_runs SET source = CAST(source || 'x' AS BLOB)", "is not what was written down"),
        ("DELETE FROM repair_runs", "is not there any more"),
        ("UPDATE repair_heads SET seq = 2", "the head names entry 2"),
        ("UPDATE repair_journal SET at = at + 1 WHERE seq = 2", "entry 2: its hash"),
        (
            "UPDATE repair_journal SET body = CAST(substr(body, 1, 30) || x'ff' || substr(body, 32) AS BLOB) WHERE seq = 3",
            "entry 3: its hash",
        ),
        ("DELETE FROM repair_journal WHERE seq = 2", "entry 3: it does not follow entry 1"),
        ("DELETE FROM repair_journal WHERE seq = 3", "the head names entry 3"),
    ] {
        std::fs::write(&place, &whole).expect("written");
        let kept = Connection::open(&place).expect("the runs");
        assert!(kept.execute(damage, []).expect("written") > 0, "{damage}");
        drop(kept);
        let json = replay(&home, 1, &[]);
        let differs = json["differs"].as_array().expect("what differs").iter();
        assert!(differs.clone().any(|one| text(one).contains(words)), "{damage}: {:#}", json["differs"]);
        assert_eq!(json["is_equal"], false);
    }
}
