//! A provider that begins to speak another version of its API, in which a field is null: nothing is written because of it before
//! a person says that it is right.

use crate::service::{metric, until};
use crate::support::{Ended, Home};
use quittance_surroundings::Postgres;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ACCOUNTS: u32 = 40;

/// A provider of accounts on loopback: all have a plan, until it speaks its new version, in which every second has none.
struct Provider {
    base: String,
    is_new: Arc<AtomicBool>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let is_new = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_new);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Whoever goes away in between asks again.
                let _ = answer(&stream, asked.load(Ordering::SeqCst));
            }
        });
        Self { base, is_new }
    }

    fn speak_the_new_version(&self) {
        self.is_new.store(true, Ordering::SeqCst);
    }
}

fn answer(mut stream: &TcpStream, is_new: bool) -> std::io::Result<()> {
    let mut head = BufReader::new(stream).lines();
    while head.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let account = |id: u32| {
        let plan = if is_new && id.is_multiple_of(2) { Value::Null } else { json!("team") };
        json!({"id": format!("acc_{id}"), "plan": plan, "seats": if is_new && id == 1 { 9 } else { 5 }})
    };
    let body = json!({"data": (1..=ACCOUNTS).map(account).collect::<Vec<_>>()}).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
    write!(stream, "{head} {}\r\n\r\n{body}", body.len())
}

/// A home whose pair is repaired from the provider; `app` is the application's system, and `more` is said of the pair.
fn home(provider: &Provider, app: &str, more: &str) -> Home {
    let home = Home::new();
    let app = app.replace("PLACE", home.path("").display().to_string().trim_end_matches('/'));
    home.write(
        "quittance.toml",
        &format!(
            "[systems.app]\n{app}[systems.crm]\nkind = \"http\"\nbase_url = \"{}\"\n\
             [systems.crm.objects.account]\nlist = \"/accounts\"\nrecords = \"/data\"\npaging = \"none\"\n\
             [pairs.accounts]\nleft = {{ system = \"app\", table = \"accounts\" }}\n\
             right = {{ system = \"crm\", object = \"account\" }}\nmatch = [ {{ left = \"id\", right = \"id\" }} ]\n\
             take_away = \"apply\"\n{more}\
             [[pairs.accounts.fields]]\nleft = \"plan\"\nright = \"plan\"\nauthority = \"right\"\n\
             [[pairs.accounts.fields]]\nleft = \"seats\"\nright = \"seats\"\nauthority = \"right\"\n",
            provider.base
        ),
    );
    home
}

/// Bent fields are many records: the default brake stops what would be written because of them.
const UNBRAKED: &str = "repairs_share_max = 1\n";

const SQLITE: &str = "kind = \"sqlite\"\npath = \"PLACE/app.db\"\nwritable = true\n";

fn application(home: &Home) -> Connection {
    let database = Connection::open(home.path("app.db")).expect("a database");
    database
        .execute_batch("CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, plan TEXT, seats INTEGER)")
        .expect("a table");
    database
}

fn filled(home: &Home) {
    let rows: Vec<String> = (1..=ACCOUNTS).map(|id| format!("('acc_{id}', 'team', 5)")).collect();
    application(home).execute_batch(&format!("INSERT INTO accounts VALUES {}", rows.join(", "))).expect("rows");
}

/// How many accounts have no plan.
fn planless(home: &Home) -> u32 {
    let count = "SELECT count(*) FROM accounts WHERE plan IS NULL";
    application(home).query_row(count, [], |row| row.get(0)).expect("a count")
}

fn reconcile(home: &Home, words: &[&str]) -> Ended {
    home.run(&[&["reconcile", "accounts", "--settle", "0s", "--json"], words].concat())
}

#[test]
fn a_field_that_a_new_version_nulls_is_not_written_before_a_person_accepts_it() {
    let provider = Provider::start();
    let home = home(&provider, SQLITE, UNBRAKED);
    filled(&home);
    let first = reconcile(&home, &["--apply"]);
    assert_eq!((first.code, &first.json()["shape"]), (0, &json!([])), "{first:?}");
    provider.speak_the_new_version();
    for turn in ["first", "second"] {
        let ended = reconcile(&home, &["--apply"]);
        let told = ended.json();
        assert_eq!((ended.code, planless(&home)), (1, 0), "{turn}: {ended:?}");
        // What another field says is repaired all the same.
        assert_eq!(told["repaired"], json!(u32::from(turn == "first")), "{turn}: {told:#}");
        let withheld = told["withheld"].as_array().expect("a list");
        assert_eq!(withheld.len(), 20, "{turn}: {told:#}");
        assert!(withheld.iter().all(|line| line["why"] == "shape" && line["field"] == "plan"), "{turn}: {told:#}");
        let bent = &told["shape"][0];
        assert_eq!((&bent["field"], &bent["side"], &bent["nothing"]), (&json!("plan"), &json!("right"), &json!(20)));
        assert_eq!(bent["what"], "`plan` of the right is nothing in 50.00 % of 40 records, and was in 0.00 % at most");
    }
    let people = home.run(&["reconcile", "accounts", "--settle", "0s"]);
    let remedy = "quittance reconcile accounts --accept-shape plan --apply --repairs-max N";
    assert!(people.stdout.contains(remedy), "{people:?}");
    let compared = home.run(&["diff", "accounts", "--settle", "0s", "--json"]);
    assert_eq!(compared.json()["shape"][0]["field"], "plan", "{compared:?}");
    // A record that somebody names is theirs to decide about.
    let named = reconcile(&home, &["--only", "acc_2", "--apply"]);
    assert_eq!((named.code, planless(&home)), (0, 1), "{named:?}");
    // A field that there is not; and what is only shown is not accepted.
    let wrong = reconcile(&home, &["--accept-shape", "plam"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("its fields are plan, seats"), "{wrong:?}");
    let shown = reconcile(&home, &["--accept-shape", "plan"]);
    assert_eq!((&shown.json()["planned"], planless(&home)), (&json!(19), 1), "{shown:?}");
    assert_eq!(reconcile(&home, &[]).json()["withheld"].as_array().map(Vec::len), Some(19));
    let accepted = reconcile(&home, &["--accept-shape", "plan", "--apply"]);
    assert_eq!((accepted.code, planless(&home)), (0, 20), "{accepted:?}");
    let after = reconcile(&home, &["--apply"]);
    assert_eq!((after.code, &after.json()["shape"]), (0, &json!([])), "{after:?}");
    assert_eq!(home.run(&["verify"]).code, 0);
}

#[test]
fn what_is_accepted_and_stopped_by_the_brake_stays_bent() {
    let provider = Provider::start();
    let home = home(&provider, SQLITE, "");
    filled(&home);
    assert_eq!(reconcile(&home, &["--apply"]).code, 0);
    provider.speak_the_new_version();
    // The other field is repaired in between.
    for (turn, words) in [("first", "--repairs-max 21"), ("second", "--repairs-max 20")] {
        let stopped = reconcile(&home, &["--accept-shape", "plan", "--apply"]);
        let told = stopped.json();
        assert_eq!((stopped.code, planless(&home)), (4, 0), "{turn}: {stopped:?}");
        assert!(told["stopped"].as_str().is_some_and(|text| text.contains(words)), "{turn}: {told:#}");
        assert_eq!(told["shape"][0]["field"], "plan", "{turn}: nobody has accepted it: {told:#}");
        // Who looks at nothing writes nothing of it, however much they permit.
        let after = reconcile(&home, &["--apply", "--repairs-max", "100"]);
        let withheld = after.json()["withheld"].as_array().map(Vec::len);
        assert_eq!((after.code, planless(&home), withheld), (1, 0, Some(20)), "{turn}: {after:?}");
    }
    let accepted = reconcile(&home, &["--accept-shape", "plan", "--apply", "--repairs-max", "20"]);
    assert_eq!((accepted.code, planless(&home), &accepted.json()["shape"]), (0, 20, &json!([])), "{accepted:?}");
}

#[test]
fn what_waits_and_would_believe_a_bent_field_is_not_approved_before_a_person_accepts_it() {
    let provider = Provider::start();
    let home = home(&provider, SQLITE, &format!("{UNBRAKED}apply = \"approve\"\n"));
    filled(&home);
    assert_eq!(reconcile(&home, &["--apply"]).code, 0);
    provider.speak_the_new_version();
    // Somebody asked about one record before anybody looked at all of them; and of another field something waits, too.
    let named = reconcile(&home, &["--only", "acc_2", "--apply"]);
    assert_eq!((named.code, &named.json()["awaiting_approval"]), (4, &json!(1)), "{named:?}");
    let others = reconcile(&home, &["--apply"]);
    assert_eq!((others.code, &others.json()["awaiting_approval"]), (4, &json!(1)), "{others:?}");
    let approve = |ended: &Ended| {
        let run = ended.json()["run_id"].as_str().expect("an id").to_owned();
        home.run(&["approve", &run, "--apply", "--settle", "0s", "--json"])
    };
    for turn in ["first", "second"] {
        let refused = approve(&named);
        let (told, repair) = (refused.json(), refused.json()["repairs"][0].clone());
        assert_eq!((refused.code, planless(&home), &told["awaiting_approval"]), (4, 0, &json!(1)), "{turn}: {told:#}");
        let detail = repair["detail"].as_str().expect("why");
        assert!(detail.starts_with("shape: ") && detail.contains("--accept-shape plan"), "{turn}: {detail}");
    }
    let other = approve(&others);
    assert_eq!((other.code, planless(&home), &other.json()["repaired"]), (0, 0, &json!(1)), "{other:?}");
    let accepted = reconcile(&home, &["--accept-shape", "plan", "--apply"]);
    assert_eq!((accepted.code, &accepted.json()["awaiting_approval"]), (4, &json!(19)), "{accepted:?}");
    assert_eq!((approve(&named).code, planless(&home)), (0, 1));
    assert_eq!((approve(&accepted).code, planless(&home)), (0, 20));
    assert_eq!(home.run(&["verify"]).code, 0);
}

#[test]
fn a_schedule_writes_nothing_of_a_bent_field_and_alarms_until_it_is_accepted() {
    let Some(postgres) = Postgres::shared("a schedule beside a field that is nulled") else { return };
    let (provider, name) = (Provider::start(), postgres.fresh_database());
    let app = "kind = \"postgres\"\nurl = \"file:PLACE/url\"\nwrite_url = \"file:PLACE/url\"\n";
    let home =
        home(&provider, app, "repairs_share_max = 1\napply = \"auto\"\nschedule = \"every 1s\"\nsettle = \"0s\"\n");
    home.write("url", &postgres.url(&name));
    postgres.sql(&name, "CREATE TABLE accounts (id text PRIMARY KEY, plan text, seats int)");
    let rows = format!("INSERT INTO accounts SELECT 'acc_' || n, 'team', 5 FROM generate_series(1, {ACCOUNTS}) n");
    postgres.sql(&name, &rows);
    let planless = || postgres.sql(&name, "SELECT count(*) FROM accounts WHERE plan IS NULL");
    let server = home.serve();
    until("a first run", || (metric(&server, "quittance_pair_runs_total{", "outcome=\"equal\"") > 0.0).then_some(()));
    provider.speak_the_new_version();
    let bent = || metric(&server, "quittance_pair_bent_fields{", "pair=\"accounts\"");
    until("it is bent", || (bent() == 1.0).then_some(()));
    let alerts = || home.run(&["alerts", "--json"]).json()["alerts"].clone();
    let shape = || alerts().as_array().into_iter().flatten().find(|alert| alert["kind"] == "shape").cloned();
    let alert = until("the alert", shape);
    assert_eq!(
        (&alert["subject"], &alert["severity"], &alert["count"]),
        (&json!("accounts"), &json!("critical"), &json!(20))
    );
    let what = alert["what"].as_str().expect("a text");
    for words in ["`plan` of the right is nothing in 50.00 %", "--accept-shape plan --apply --repairs-max N"] {
        assert!(what.contains(words), "{words}: {what}");
    }
    let seats = || postgres.sql(&name, "SELECT seats FROM accounts WHERE id = 'acc_1'");
    until("the other field", || (seats() == "9").then_some(()));
    assert_eq!(planless(), "0");
    let accepted = reconcile(&home, &["--accept-shape", "plan", "--apply"]);
    assert_eq!((accepted.code, planless().as_str()), (0, "20"), "{accepted:?}");
    until("its end", || (bent() == 0.0 && shape().is_none()).then_some(()));
}
