//! Books in a PostgreSQL database, from outside: several servers on one, deaths of theirs, the way there and back, and every
//! database that cannot be used.

use crate::support::{Client, Ended, Home, Server, bare, end, sandbox};
use quittance_surroundings::Postgres;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The variable in which the address is handed over.
const VARIABLE: &str = "QUITTANCE_IT_DATABASE";

/// A database, and a directory with a configuration.
struct Place {
    home: Home,
    url: String,
}

impl Place {
    fn run(&self, words: &[&str]) -> Ended {
        let mut command = bare(words, self.home.directory.path());
        end(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, &self.url))
    }

    fn serve(&self, words: &[&str]) -> Server {
        let words = [&["serve", "--listen", "127.0.0.1:0"], words].concat();
        let mut command = bare(&words, self.home.directory.path());
        Server::start(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, &self.url))
    }

    fn credential(&self) -> String {
        let made = self.good(&["key", "create", "--name", "it", "--scopes", "admin", "--json"]);
        made["secret"].as_str().expect("a secret").to_owned()
    }

    fn good(&self, words: &[&str]) -> Value {
        let ended = self.run(words);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()
    }
}

fn pay(client: &Client, key: &str) -> crate::support::Answer {
    let order = json!({
        "customer": "anna", "amount": 1500, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": format!("order-{key}"),
    });
    client.post_for_bytes("/v1/payments", key, &order)
}

fn customer(client: &Client) {
    let (status, told) = client.post("/v1/customers", "c", &json!({"external_id": "anna"}));
    assert_eq!(status, 201, "{told}");
}

#[test]
fn servers_share_a_database_and_one_that_is_killed_loses_nothing() {
    let Some(postgres) = Postgres::shared("servers on one PostgreSQL database") else { return };
    let base = Home::new();
    let gateway = sandbox(&base);
    let place = Place { home: Home::with_gateway(&gateway.base), url: postgres.url(&postgres.fresh_database()) };
    let secret = place.credential();
    let (first, second) = (place.serve(&[]), place.serve(&["--roles", "api"]));
    let (here, there) = (Client::new(&first.base, Some(&secret)), Client::new(&second.base, Some(&secret)));
    customer(&here);
    // The second server takes requests only; who brings them to their end is the first.
    let answers: Vec<_> =
        (0..8).map(|turn| pay(if turn % 2 == 0 { &here } else { &there }, &turn.to_string())).collect();
    for (turn, answer) in answers.iter().enumerate() {
        assert_eq!((answer.status, answer.json()["status"].as_str()), (201, Some("succeeded")), "{turn}: {answer:?}");
    }
    // A pause by anybody holds everybody back.
    place.good(&["pause", "--json", "--reason", "look"]);
    let (status, _) = there.post_async(
        "/v1/payments",
        "held",
        &json!({
            "customer": "anna", "amount": 700, "currency": "USD", "gateway": "sandbox",
            "payment_method": "pm_card_visa", "reference": "held",
        }),
    );
    assert_eq!(status, 202);
    drop(first);
    let third = place.serve(&[]);
    place.good(&["resume", "--json"]);
    let again = Client::new(&third.base, Some(&secret));
    for (turn, answer) in answers.iter().enumerate() {
        let replayed = pay(&again, &turn.to_string());
        assert!(replayed.is_replayed, "{replayed:?}");
        assert_eq!((replayed.status, &replayed.body), (answer.status, &answer.body), "the same bytes");
    }
    let held = pay_held(&again);
    assert_eq!((held.status, held.json()["status"].as_str()), (201, Some("succeeded")), "{held:?}");
    let proof = place.good(&["verify", "--json"]);
    assert_eq!((&proof["findings"], &proof["balanced"]), (&json!([]), &json!(true)));
    drop((second, third));
}

fn pay_held(client: &Client) -> crate::support::Answer {
    let order = json!({
        "customer": "anna", "amount": 700, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": "held",
    });
    client.post_for_bytes("/v1/payments", "held", &order)
}

#[test]
fn books_move_from_a_directory_to_a_database_and_back() {
    let Some(postgres) = Postgres::shared("backups between SQLite and PostgreSQL") else { return };
    let base = Home::new();
    let gateway = sandbox(&base);
    let home = Home::with_gateway(&gateway.base);
    let secret = home.credential();
    let mut server = home.serve();
    let client = Client::new(&server.base, Some(&secret));
    customer(&client);
    let answer = pay(&client, "k");
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(server.terminate(), 0);
    let ended = home.run(&["backup", "--json", "--to", "one"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let place = Place { home, url: postgres.url(&postgres.fresh_database()) };
    let moved = place.good(&["restore", "--json", "--from", "one"]);
    assert_eq!((&moved["sha256"], &moved["recovering"]), (&ended.json()["sha256"], &json!(true)));
    assert_eq!(place.good(&["verify", "--json"])["findings"], json!([]));
    let there = place.serve(&[]);
    let replayed = pay(&Client::new(&there.base, Some(&secret)), "k");
    assert_eq!((replayed.status, replayed.is_replayed, &replayed.body), (201, true, &answer.body));
    drop(there);
    // Into what is not empty, nothing is restored.
    let again = place.run(&["restore", "--json", "--from", "one"]);
    assert_eq!(again.code, 2, "{again:?}");
    let back = place.good(&["backup", "--json", "--to", "two"]);
    assert_eq!(back["store"], "postgres");
    let ended =
        end(&mut bare(&["restore", "--json", "--from", "two", "--to-data", "back"], place.home.directory.path()));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["sha256"], back["sha256"]);
}

#[test]
fn what_is_no_database_for_books_is_refused_by_name() {
    let Some(postgres) = Postgres::shared("databases that cannot be used") else { return };
    let home = Home::new();
    let database = postgres.fresh_database();
    postgres.sql(&database, "CREATE SCHEMA quittance; CREATE TABLE quittance.theirs (id int)");
    let wrong = |url: &str| url.replace("postgres@", "nobody:hunter2@");
    for (url, code, said) in [
        ("postgres://u@127.0.0.1:1/d".to_owned(), 3, "cannot be reached"),
        (postgres.url("no_such_database"), 3, "does not exist"),
        (wrong(&postgres.url(&database)), 3, "nobody"),
        (postgres.url(&database), 3, "not ours"),
        ("mysql://u:hunter2@h/d".to_owned(), 3, "none of PostgreSQL"),
    ] {
        let place = Place { home: Home::new(), url };
        let ended = place.run(&["key", "create", "--name", "it", "--scopes", "admin"]);
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.stderr.contains(said) && !ended.stderr.contains("hunter2"), "{ended:?}");
    }
    let unset = end(&mut bare(&["verify", "--database-url", "env:NOT_SET_ANYWHERE"], home.directory.path()));
    assert_eq!(unset.code, 2, "{unset:?}");
    let alone = end(&mut home.command(&["serve", "--roles", "api"]));
    assert_eq!((alone.code, alone.stderr.contains("--database-url")), (2, true), "{alone:?}");
}

#[test]
fn the_demo_kills_servers_that_share_a_database() {
    let Some(postgres) = Postgres::shared("the demo on PostgreSQL") else { return };
    let place = Place { home: Home::new(), url: postgres.url(&postgres.fresh_database()) };
    let words = ["demo", "--only", "charges", "--json", "--processes", "3", "--commands", "60", "--faults", "mild"];
    let report = place.good(&words);
    assert_eq!((&report["processes"], &report["gateway_matches"]), (&json!(3), &json!(true)), "{report:#}");
    for member in ["duplicate_charges", "lost_commands", "unknown", "review", "unexplained_amount"] {
        assert_eq!(report[member], 0, "{member} in {report:#}");
    }
}

/// Databases of demonstrations under this seed.
fn databases(postgres: &Postgres, seed: &str) -> usize {
    let like = format!("SELECT count(*) FROM pg_database WHERE datname LIKE 'quittance\\_demo\\_{seed}\\_%'");
    postgres.sql("postgres", &like).parse().expect("a number")
}

/// Starts a demonstration with a database of its own, and comes back when its servers are killed under load.
fn begun_demo(place: &Place, seed: &str) -> (Child, impl Iterator<Item = String> + use<>) {
    let words = ["demo", "--only", "charges", "--processes", "2", "--commands", "3000", "--seed", seed];
    let mut command = bare(&words, place.home.directory.path());
    command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, &place.url);
    command.env("TMPDIR", place.home.directory.path()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut demo = command.spawn().expect("it starts");
    let mut lines = BufReader::new(demo.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("kill -9 after")), "it ended before its time");
    (demo, lines)
}

#[test]
fn a_demo_takes_its_database_away_however_it_ends() {
    let Some(postgres) = Postgres::shared("the end of a demo on PostgreSQL") else { return };
    let place = Place { home: Home::new(), url: postgres.url(&postgres.fresh_database()) };
    let (mut demo, _lines) = begun_demo(&place, "9001");
    assert_eq!(databases(postgres, "9001"), 1);
    signal(demo.id(), "-TERM");
    assert_eq!((demo.wait().expect("it ends").code(), databases(postgres, "9001")), (Some(130), 0));
    // A server that ends by itself is the end of the demonstration, too.
    let (mut demo, _lines) = begun_demo(&place, "9002");
    let mut ended = None;
    while ended.is_none() {
        children(demo.id()).into_iter().for_each(|child| signal(child, "-KILL"));
        ended = demo.try_wait().expect("it can be asked");
        std::thread::yield_now();
    }
    assert_eq!((ended.and_then(|status| status.code()), databases(postgres, "9002")), (Some(5), 0));
}

#[test]
fn a_demo_keeps_its_database_where_it_is_asked_to() {
    let Some(postgres) = Postgres::shared("a demo on PostgreSQL that is kept") else { return };
    let place = Place { home: Home::new(), url: postgres.url(&postgres.fresh_database()) };
    let words = ["demo", "--only", "charges", "--commands", "10", "--faults", "none", "--seed", "9003", "--keep"];
    let ended = place.run(&words);
    assert_eq!((ended.code, databases(postgres, "9003")), (0, 1), "{ended:?}");
    assert!(ended.stderr.contains("kept in the database quittance_demo_9003_"), "{ended:?}");
    assert!(ended.stdout.contains("--database-url postgres://…/quittance_demo_9003_"), "{ended:?}");
    let kept = ended.stderr.lines().find_map(|line| line.strip_prefix("kept in /")).expect("it says where");
    std::fs::remove_dir_all(format!("/{kept}")).expect("the folder is there");
}

fn signal(process: u32, signal: &str) {
    // One that has just ended by itself needs none.
    let _ =
        Command::new("kill").args([signal, &process.to_string()]).stderr(Stdio::null()).status().expect("kill runs");
}

/// Processes that this one has started and that still run.
fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("a list of processes").filter_map(Result::ok);
    let is_child = |process: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.nth(1).map(str::to_owned) == Some(parent.to_string())
    };
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_child).collect()
}
