//! Stored secrets and bodies encrypted, from outside: in both stores, through a change of the master key, in backups.

use crate::support::{Client, Ended, Home, Server, bare, end, sandbox};
use quittance_surroundings::Postgres;
use serde_json::{Value, json};
use std::process::Command;

/// The variable in which the address of a database is handed over.
const VARIABLE: &str = "QUITTANCE_IT_ENCRYPTED";

/// What stands in the bytes of what is sealed and nowhere else: in an event, in an answer, in a request to the gateway, in what
/// a comparison found.
const SEALED: [&str; 4] = ["\"livemode\"", "\"correlation_id\"", "effect_id", "plan-of-the-left"];

/// Two files that disagree.
const PAIR: &str = r#"
[systems.files]
kind = "csv"
path = "HERE"

[pairs.plans]
left = { system = "files", table = "left" }
right = { system = "files", table = "right" }
match = [ { left = "id", right = "id" } ]

[[pairs.plans.fields]]
left = "plan"
right = "plan"
"#;

/// Books in one of the stores, with a configuration of their own.
struct Books {
    home: Home,
    plain: String,
    url: Option<String>,
    gateway: Server,
}

impl Books {
    fn new(url: Option<String>) -> Self {
        let gateway = sandbox(&Home::new());
        let home = Home::with_gateway(&gateway.base);
        for (name, digit) in [("first", "1"), ("second", "2")] {
            home.write(name, &digit.repeat(64));
        }
        home.write("left.csv", "id,plan\n1,plan-of-the-left\n");
        home.write("right.csv", "id,plan\n1,other\n");
        let plain = std::fs::read_to_string(home.path("quittance.toml")).expect("a configuration")
            + &PAIR.replace("HERE", &home.directory.path().display().to_string());
        home.write("quittance.toml", &plain);
        Self { home, plain, url, gateway }
    }

    /// Configures these keys, each an id and the file it is in.
    fn with_keys(&self, keys: &[(&str, &str)]) {
        let entry = |(id, file): &(&str, &str)| {
            format!("{{ id = \"{id}\", key = \"file:{}\" }}", self.home.path(file).display())
        };
        let list: Vec<String> = keys.iter().map(entry).collect();
        let section =
            if list.is_empty() { String::new() } else { format!("[encryption]\nkeys = [{}]\n", list.join(", ")) };
        self.home.write("quittance.toml", &format!("{}{section}", self.plain));
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = bare(words, self.home.directory.path());
        match &self.url {
            Some(url) => command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, url),
            None => command.arg("--data").arg(self.home.data()),
        };
        command
    }

    fn run(&self, words: &[&str]) -> Ended {
        end(&mut self.command(words))
    }

    fn good(&self, words: &[&str]) -> Value {
        let ended = self.run(words);
        assert_eq!(ended.code, 0, "{words:?} {ended:?}");
        ended.json()
    }

    fn serve(&self) -> Server {
        Server::start(&mut self.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Every byte of every row, as it is stored.
    fn stored(&self, name: &str) -> (Value, String) {
        let path = self.home.path(name);
        let words = ["backup", "--json", "--compression", "none", "--to", path.to_str().expect("UTF-8")];
        let told = self.good(&words);
        (told, String::from_utf8_lossy(&std::fs::read(path).expect("a backup")).into_owned())
    }

    /// Refuses to do anything, and says so.
    fn refuses(&self, said: &str) {
        for words in [&["serve", "--listen", "127.0.0.1:0"][..], &["verify"], &["key", "list"]] {
            let ended = self.run(words);
            assert!(ended.code == 2 && ended.stderr.contains(said), "{words:?} {ended:?}");
        }
    }
}

fn pay(client: &Client, key: &str) -> crate::support::Answer {
    let order = json!({
        "customer": "anna", "amount": 1500, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": format!("order-{key}"),
    });
    client.post_for_bytes("/v1/payments", key, &order)
}

/// A server that takes a payment and hears of it from the gateway.
fn trade(books: &Books, secret: &str) -> (Server, Client, crate::support::Answer) {
    let server = books.serve();
    let target = json!({"url": format!("{}/webhooks/we_it", server.base), "secrets": ["whsec_it"]});
    assert_eq!(Client::new(&books.gateway.base, None).post("/_sandbox/webhook_target", "-", &target).0, 200);
    let client = Client::new(&server.base, Some(secret));
    assert_eq!(client.post("/v1/customers", "c", &json!({"external_id": "anna"})).0, 201);
    let paid = pay(&client, "one");
    assert_eq!(paid.status, 201, "{paid:?}");
    let path = format!("/v1/trace/{}", paid.json()["id"].as_str().expect("an id"));
    let heard = (0..10_000).any(|_| client.get(&path).1.to_string().contains("payment_intent.succeeded"));
    assert!(heard, "the gateway told nothing");
    (server, client, paid)
}

fn secret(books: &Books) -> String {
    let made = books.good(&["key", "create", "--name", "it", "--scopes", "admin", "--json"]);
    made["secret"].as_str().expect("a secret").to_owned()
}

/// From plain through two keys and back from a backup.
fn life_of(books: &Books) {
    let secret = secret(books);
    let compare = || {
        let ended = books.run(&["diff", "plans", "--settle", "0s"]);
        assert_eq!(ended.code, 1, "{ended:?}");
    };
    compare();
    let (mut server, client, paid) = trade(books, &secret);
    assert_eq!(client.get("/readyz").1["encryption"], json!({"status": "off", "key": null}));
    let (told, bytes) = books.stored("plain");
    assert_eq!(told["keys"], json!([]));
    for mark in SEALED {
        assert!(bytes.contains(mark), "{mark} is not where it is looked for");
    }
    assert_eq!(server.terminate(), 0);

    // What was stored plain is sealed by the same command that changes keys.
    books.with_keys(&[("first", "first")]);
    let server = books.serve();
    let client = Client::new(&server.base, Some(&secret));
    assert_eq!(client.get("/readyz").1["encryption"], json!({"status": "on", "key": "first"}));
    let left = books.good(&["key", "rotate-master", "--count", "--json"]);
    assert!(left["left"].as_u64() > Some(0) && left["resealed"] == 0, "{left}");
    sealed_while_paying(books, &client, "first", &[]);
    let (told, bytes) = books.stored("sealed");
    assert_eq!(told["keys"], json!(["first"]));
    for mark in SEALED {
        assert!(!bytes.contains(mark), "{mark} is stored plain");
    }
    let again = pay(&client, "one");
    assert_eq!((again.status, again.is_replayed, &again.body), (201, true, &paid.body));
    drop(server);
    books.with_keys(&[]);
    books.refuses("\"first\"");
    books.with_keys(&[("first", "second")]);
    books.refuses("\"first\"");

    // Another key takes over while a server runs; a comparison is the first to use it.
    books.with_keys(&[("second", "second"), ("first", "first")]);
    compare();
    assert_eq!(books.stored("between").0["keys"], json!(["first", "second"]));
    let server = books.serve();
    let client = Client::new(&server.base, Some(&secret));
    sealed_while_paying(books, &client, "second", &["first"]);
    drop(server);
    books.with_keys(&[("second", "second")]);
    let server = books.serve();
    let again = pay(&Client::new(&server.base, Some(&secret)), "one");
    assert_eq!((again.status, again.is_replayed, &again.body), (201, true, &paid.body));
    drop(server);
    let verified = books.good(&["verify", "--json"]);
    assert_eq!((&verified["findings"], &verified["proofs"]["checked"]), (&json!([]), &json!(2)), "{verified}");
    assert_eq!(books.good(&["key", "rotate-master", "--count", "--json"])["left"], 0);
    assert_eq!(books.run(&["export", "--to", "csv"]).code, 0);

    // A backup needs the keys it was taken under, and no others.
    let restore = |from: &str, to: &str| {
        let (from, to) = (books.home.path(from), books.home.path(to));
        let words =
            ["restore", "--json", "--from", from.to_str().expect("UTF-8"), "--to-data", to.to_str().expect("UTF-8")];
        end(&mut bare(&words, books.home.directory.path()))
    };
    let ended = restore("sealed", "elsewhere");
    assert!(ended.code == 2 && ended.stderr.contains("\"first\""), "{ended:?}");
    books.with_keys(&[("second", "second"), ("first", "first")]);
    let ended = restore("sealed", "elsewhere");
    assert_eq!(ended.code, 0, "{ended:?}");
    let there =
        end(bare(&["verify", "--json"], books.home.directory.path()).arg("--data").arg(books.home.path("elsewhere")));
    assert_eq!(
        (there.code, &there.json()["findings"], &there.json()["proofs"]["checked"]),
        (0, &json!([]), &json!(1)),
        "{there:?}"
    );
}

/// Everything comes under a key while payments go on; afterwards only it is needed.
fn sealed_while_paying(books: &Books, client: &Client, key: &str, retired: &[&str]) {
    let rotated = std::thread::scope(|scope| {
        let mut command = books.command(&["key", "rotate-master", "--json"]);
        let rotating = scope.spawn(move || end(&mut command));
        for turn in 0..10 {
            assert_eq!(pay(client, &format!("{key}-{turn}")).status, 201);
        }
        rotating.join().expect("it ends")
    });
    assert_eq!(rotated.code, 0, "{rotated:?}");
    let rotated = rotated.json();
    assert_eq!((&rotated["key"], &rotated["left"]), (&json!(key), &json!(0)), "{rotated}");
    assert!(rotated["resealed"].as_u64() > Some(0), "{rotated}");
    assert_eq!((&rotated["retired"], &rotated["in_use"]), (&json!(retired), &json!([key])));
}

#[test]
fn in_a_directory_what_is_stored_is_sealed_and_keys_change_under_a_server() {
    life_of(&Books::new(None));
}

#[test]
fn in_a_database_what_is_stored_is_sealed_and_keys_change_under_a_server() {
    let Some(postgres) = Postgres::shared("encryption in PostgreSQL") else { return };
    life_of(&Books::new(Some(postgres.url(&postgres.fresh_database()))));
}

#[test]
fn keys_that_are_none_are_refused_and_never_repeated() {
    let books = Books::new(None);
    books.home.write("short", "abcdef0123");
    for (keys, said) in [
        (vec![("a", "short")], "not 32 bytes in hexadecimal"),
        (vec![("a", "first"), ("b", "first")], "has two ids"),
        (vec![("a", "first"), ("a", "second")], "two keys have this id"),
        (vec![("a b", "first")], "not an id of a key"),
        (vec![("a", "nowhere")], "cannot be opened"),
    ] {
        books.with_keys(&keys);
        let ended = books.run(&["check-config"]);
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(ended.code == 2 && told.contains(said), "{said}: {ended:?}");
        assert!(!told.contains("abcdef0123") && !told.contains("1111"), "{told}");
    }
    books.home.write("quittance.toml", &format!("{}[encryption]\nkeys = [\"env:KEY\"]\n", books.plain));
    let ended = books.run(&["check-config"]);
    assert!(ended.code == 2 && format!("{}{}", ended.stdout, ended.stderr).contains("without an id"), "{ended:?}");
}
