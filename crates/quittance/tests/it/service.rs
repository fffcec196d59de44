//! Pairs that `quittance serve` compares and repairs by itself, on files and on a real PostgreSQL: schedules, leases, deaths,
//! pauses, brakes, silence.

use crate::support::{Client, Ended, Home, Server, bare, end};
use quittance_surroundings::Postgres;
use rusqlite::Connection;
use serde_json::Value;
use std::time::Duration;

/// Looks at something that has to become so, each after a breath; only a broken promise takes this many.
const LOOKS_MAX: u32 = 1_200;
const BREATH: Duration = Duration::from_millis(50);

const BEFORE: [&str; 4] = ["sub_1 active", "sub_2 past_due", "sub_3 active", "sub_4 active"];
const AFTER: [&str; 4] = ["sub_1 past_due", "sub_2 active", "sub_3 trialing", "sub_4 active"];
const EXPORT: &str = "id,status\nsub_1,past_due\nsub_2,active\nsub_3,trialing\nsub_4,active\n";

/// Which variable leads to the books.
const VARIABLE: &str = "QUITTANCE_IT_DATABASE";

/// A table in SQLite that is repaired from an export.
struct Place {
    home: Home,
    url: Option<String>,
}

impl Place {
    /// `more` is said of the pair.
    fn new(url: Option<String>, more: &str) -> Self {
        let place = Self { home: Home::new(), url };
        let rows = BEFORE.map(|row| row.replacen(' ', "', '", 1)).map(|row| format!("('{row}')")).join(", ");
        place.batch(&format!(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, subscription TEXT, status TEXT);
             INSERT INTO accounts (subscription, status) VALUES {rows}"
        ));
        place.home.write("subscriptions.csv", EXPORT);
        place.configure(more);
        place
    }

    fn configure(&self, more: &str) {
        let folder = self.home.path("").display().to_string();
        let folder = folder.trim_end_matches('/');
        self.home.write(
            "quittance.toml",
            &format!(
                "[systems.app]\nkind = \"sqlite\"\npath = \"{folder}/app.db\"\nwritable = true\n\
                 [systems.export]\nkind = \"csv\"\npath = \"{folder}\"\n\
                 [pairs.subscriptions]\n\
                 left = {{ system = \"app\", table = \"accounts\" }}\n\
                 right = {{ system = \"export\", file = \"subscriptions\" }}\n\
                 match = [ {{ left = \"subscription\", right = \"id\" }} ]\n\
                 repairs_share_max = 1\ntake_away = \"apply\"\n{more}\
                 [[pairs.subscriptions.fields]]\nleft = \"status\"\nright = \"status\"\nauthority = \"right\"\n",
            ),
        );
    }

    fn batch(&self, statements: &str) {
        let database = Connection::open(self.home.path("app.db")).expect("a database");
        database.busy_timeout(Duration::from_secs(10)).expect("a time");
        database.execute_batch(statements).expect("statements");
    }

    fn accounts(&self) -> Vec<String> {
        let database = Connection::open(self.home.path("app.db")).expect("a database");
        let mut statement = database
            .prepare("SELECT subscription || ' ' || status FROM accounts ORDER BY subscription")
            .expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a row")).collect()
    }

    fn run(&self, words: &[&str]) -> Ended {
        let Some(url) = &self.url else { return self.home.run(words) };
        let mut command = bare(words, self.home.directory.path());
        end(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, url))
    }

    fn serve(&self) -> Server {
        let Some(url) = &self.url else { return self.home.serve() };
        let mut command = bare(&["serve", "--listen", "127.0.0.1:0"], self.home.directory.path());
        Server::start(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, url))
    }
}

/// Looks until it is so.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS_MAX {
        if let Some(seen) = look() {
            return seen;
        }
        // Whoever is waited for goes on meanwhile; nothing comes here.
        let (_sender, nothing) = std::sync::mpsc::sync_channel::<()>(1);
        let _ = nothing.recv_timeout(BREATH);
    }
    panic!("it never came to be: {what}")
}

/// A number of a server, with these labels.
pub(crate) fn metric(server: &Server, name: &str, labels: &str) -> f64 {
    let text = Client::new(&server.base, None).get_text("/metrics");
    let line = text.lines().find(|line| line.starts_with(name) && line.contains(labels));
    line.and_then(|line| line.rsplit(' ').next()).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

fn runs(server: &Server, outcome: &str) -> f64 {
    metric(server, "quittance_pair_runs_total", &format!("outcome=\"{outcome}\""))
}

fn ran(server: &Server, outcome: &str) {
    until(outcome, || (runs(server, outcome) > 0.0).then_some(()));
}

#[test]
fn a_pair_with_a_schedule_is_repaired_by_itself_as_its_policy_says() {
    let place = Place::new(None, "apply = \"auto\"\nschedule = \"every 1s\"\nsettle = \"0s\"\n");
    let server = place.serve();
    ran(&server, "repaired");
    assert_eq!(place.accounts(), AFTER);
    ran(&server, "equal");
    let listed = place.run(&["runs", "--json"]);
    let run = &listed.json()["data"][0];
    assert_eq!((run["by"].as_str(), run["repaired"].as_u64()), (Some("schedule"), Some(3)), "{listed:?}");
    // Somebody changes it again, and is found out.
    place.batch("UPDATE accounts SET status = 'free' WHERE subscription = 'sub_4'");
    until("the next repair", || (place.accounts() == AFTER).then_some(()));
    until("its number", || {
        (metric(&server, "quittance_pair_repairs_total", "state=\"repaired\"") == 4.0).then_some(())
    });
    assert_eq!(metric(&server, "quittance_pair_failures", "pair=\"subscriptions\""), 0.0);
    drop(server);
    assert_eq!(place.run(&["verify"]).code, 0);
}

#[test]
fn what_somebody_took_back_is_not_written_again_by_schedule() {
    let place = Place::new(None, "apply = \"auto\"\nschedule = \"every 1s\"\nsettle = \"0s\"\n");
    let server = place.serve();
    ran(&server, "equal");
    assert_eq!(place.accounts(), AFTER);
    let listed = place.run(&["runs", "--json"]).json();
    let undone = place.run(&["undo", listed["data"][0]["run_id"].as_str().expect("an id"), "--apply", "--json"]);
    assert_eq!((undone.code, undone.json()["repaired"].as_u64()), (0, Some(3)), "{undone:?}");
    ran(&server, "drift");
    assert_eq!(place.accounts(), BEFORE);
    assert_eq!(metric(&server, "quittance_pair_repairs_total", "state=\"repaired\""), 3.0);
    drop(server);
    let by_hand = |words: &[&str]| {
        place.run(&[&["reconcile", "subscriptions", "--settle", "0s", "--apply", "--json"], words].concat())
    };
    let all = by_hand(&[]);
    assert_eq!((all.code, &all.json()["withheld"][0]["why"]), (1, &Value::from("taken_back")), "{all:?}");
    let one = by_hand(&["--only", "sub_1"]);
    assert_eq!((one.code, one.json()["repaired"].as_u64()), (0, Some(1)), "{one:?}");
    assert_eq!(place.accounts()[..2], [AFTER[0], BEFORE[1]]);
}

#[test]
fn what_is_only_to_be_reported_or_approved_is_not_written() {
    for (apply, outcome) in [("report", "drift"), ("approve", "waiting")] {
        let place = Place::new(None, &format!("apply = \"{apply}\"\nschedule = \"every 1s\"\nsettle = \"0s\"\n"));
        let server = place.serve();
        ran(&server, outcome);
        until("a second run", || (runs(&server, outcome) >= 2.0).then_some(()));
        assert_eq!(place.accounts(), BEFORE);
        let waiting = place.run(&["runs", "--waiting", "--json"]).json()["data"].as_array().map_or(0, Vec::len);
        assert_eq!(waiting, usize::from(apply == "approve"), "what waits is not planned twice");
    }
}

#[test]
fn the_brake_stops_a_run_that_nobody_watches() {
    let place = Place::new(None, "apply = \"auto\"\nrepairs_max = 2\nschedule = \"every 1s\"\nsettle = \"0s\"\n");
    let server = place.serve();
    ran(&server, "braked");
    assert_eq!(place.accounts(), BEFORE);
    assert_eq!(metric(&server, "quittance_pair_open_differences", "pair=\"subscriptions\""), 3.0);
}

#[test]
fn a_pause_stops_what_is_under_way_and_whoever_asks_is_told_who_works_on_a_pair() {
    let more = "apply = \"auto\"\nschedule = \"every 1s\"\nsettle = \"1h\"\n";
    let place = Place::new(None, more);
    let server = place.serve();
    until("the lease", || {
        (metric(&server, "quittance_pair_lease_held", "pair=\"subscriptions\"") == 1.0).then_some(())
    });
    let apply = ["reconcile", "subscriptions", "--apply", "--settle", "0s"];
    let busy = until("it works on it", || Some(place.run(&apply)).filter(|ended| ended.code == 3));
    assert!(busy.stderr.contains("somebody works on the pair `subscriptions`: schedule on"), "{busy:?}");
    let paused = place.run(&["pause", "--pair", "subscriptions", "--reason", "a migration", "--json"]);
    assert_eq!(paused.code, 0, "{paused:?}");
    assert_eq!(paused.json()["paused"][0]["pair"], "subscriptions", "{paused:?}");
    ran(&server, "paused");
    let refused = place.run(&apply);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("paused by operator: a migration"), "{refused:?}");
    assert_eq!(place.accounts(), BEFORE, "nothing was written");
    assert_eq!(place.run(&["pause", "--pair", "nothing"]).code, 2);
    drop(server);
    // Once it is resumed it goes on, as soon as somebody is there.
    assert_eq!(place.run(&["resume", "--pair", "subscriptions"]).code, 0);
    place.configure(&more.replace("1h", "0s"));
    let server = place.serve();
    ran(&server, "repaired");
    assert_eq!(place.accounts(), AFTER);
}

#[test]
fn servers_on_one_database_share_the_runs_and_one_takes_up_what_another_left_when_it_was_killed() {
    let Some(postgres) = Postgres::shared("servers that compare a pair by schedule") else { return };
    let name = postgres.fresh_database();
    let more = "apply = \"report\"\nschedule = \"every 1s\"\nsettle = \"0s\"\n";
    let place = Place::new(Some(postgres.url(&name)), more);
    let servers = [place.serve(), place.serve()];
    let total = || servers.iter().map(|server| runs(server, "drift")).sum::<f64>();
    until("six runs", || (total() >= 6.0).then_some(()));
    drop(servers);
    let overlapping = "SELECT count(*) FROM (SELECT started_at, lag(ended_at) OVER (ORDER BY started_at) AS before \
                       FROM quittance.runs) AS r WHERE started_at < before";
    assert_eq!(postgres.sql(&name, overlapping), "0");
    // One that is killed holds the lease until that runs out.
    place.configure(&more.replace("0s", "1h").replace("report", "auto"));
    let killed = place.serve();
    until("the lease", || {
        (metric(&killed, "quittance_pair_lease_held", "pair=\"subscriptions\"") == 1.0).then_some(())
    });
    drop(killed);
    place.configure(&more.replace("report", "auto"));
    let server = place.serve();
    ran(&server, "repaired");
    assert_eq!(place.accounts(), AFTER);
}

#[test]
fn changes_that_no_event_announced_are_a_silence() {
    let place = Place::new(None, "apply = \"report\"\nschedule = \"every 1s\"\nsettle = \"0s\"\nsilence = \"on\"\n");
    place
        .home
        .write("subscriptions.csv", &format!("id,status\n{}\n", BEFORE.map(|row| row.replace(' ', ",")).join("\n")));
    let server = place.serve();
    ran(&server, "equal");
    let silent = |server: &Server| metric(server, "quittance_pair_silent_changes", "pair=\"subscriptions\"");
    assert_eq!(silent(&server), 0.0);
    place.home.write("subscriptions.csv", EXPORT);
    until("the silence", || (silent(&server) == 3.0).then_some(()));
    assert!(metric(&server, "quittance_pair_silent_since_timestamp_seconds", "pair") > 1_600_000_000.0);
    // It is kept: a server that starts anew knows of it before it has run.
    place
        .home
        .write("subscriptions.csv", &format!("id,status\n{}\n", BEFORE.map(|row| row.replace(' ', ",")).join("\n")));
    until("its end", || (silent(&server) == 0.0).then_some(()));
}

#[test]
fn what_is_no_schedule_is_refused_with_its_line() {
    for (setting, said) in [
        ("schedule = \"hourly\"", "every 1h"),
        ("schedule = \"every 0s\"", "every 1h"),
        ("jitter = 2", "a share from 0 to 1"),
        ("settle = \"2h\"", "an hour at most"),
        ("load_share = 0", "above 0"),
        ("silence = \"loud\"", "on where a side is Stripe"),
    ] {
        let place = Place::new(None, &format!("{setting}\n"));
        let ended = place.run(&["check-config"]);
        assert_eq!(ended.code, 2, "{setting}: {ended:?}");
        let lines: Value = Value::String(ended.stderr.clone() + &ended.stdout);
        assert!(
            lines.as_str().is_some_and(|text| text.contains(said) && text.contains("quittance.toml:14")),
            "{setting}: {ended:?}"
        );
    }
}
