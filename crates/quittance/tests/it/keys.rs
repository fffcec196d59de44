//! API keys where several processes share a database: what one of them takes away, none of the others gives.

use crate::support::{Client, Ended, Home, Server, bare, end};
use quittance_surroundings::Postgres;
use serde_json::{Value, json};

/// The variable in which the address is handed over.
const VARIABLE: &str = "QUITTANCE_IT_KEYS";

struct Place {
    home: Home,
    url: String,
}

impl Place {
    fn run(&self, words: &[&str]) -> Ended {
        let mut command = bare(words, self.home.directory.path());
        end(command.args(["--json", "--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, &self.url))
    }

    fn good(&self, words: &[&str]) -> Value {
        let ended = self.run(words);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()
    }

    fn serve(&self) -> Server {
        let mut command = bare(&["serve", "--listen", "127.0.0.1:0"], self.home.directory.path());
        Server::start(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, &self.url))
    }

    /// A key as `key list` shows it.
    fn shown(&self, id: &Value) -> Value {
        let list = self.good(&["key", "list"]);
        let found = list["data"].as_array().expect("a list").iter().find(|key| key["id"] == *id);
        found.expect("it is listed").clone()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// What every server answers to whoever has this secret.
fn answers(servers: &[Server], secret: &str) -> Vec<u16> {
    servers.iter().map(|server| Client::new(&server.base, Some(secret)).get("/v1/payments").0).collect()
}

#[test]
fn a_key_that_is_revoked_is_refused_by_every_server_at_once() {
    let Some(postgres) = Postgres::shared("API keys on several servers") else { return };
    let place = Place { home: Home::new(), url: postgres.url(&postgres.fresh_database()) };
    let create = |name: &str| place.good(&["key", "create", "--name", name, "--scopes", "read"]);
    let (key, kept) = (create("app"), create("other"));
    let servers = [place.serve(), place.serve()];
    // Both know both, and would remember them if they did.
    for _ in 0..3 {
        assert_eq!(answers(&servers, text(&key["secret"])), [200, 200]);
        assert_eq!(answers(&servers, text(&kept["secret"])), [200, 200]);
    }
    place.good(&["key", "revoke", text(&key["id"])]);
    // The very next request, at either; nothing was waited for.
    assert_eq!(answers(&servers, text(&key["secret"])), [401, 401]);
    assert_eq!(answers(&servers, text(&kept["secret"])), [200, 200]);

    let next = place.good(&["key", "rotate", text(&kept["id"])]);
    assert_eq!(
        (&next["name"], &next["scope"], &next["replaces"]["id"]),
        (&json!("other"), &json!("read"), &kept["id"])
    );
    assert_eq!(answers(&servers, text(&kept["secret"])), [200, 200], "it goes on for a day");
    assert_eq!(answers(&servers, text(&next["secret"])), [200, 200]);
    assert_eq!(place.shown(&kept["id"])["ends_at"], next["replaces"]["ends_at"]);
    let again = place.run(&["key", "rotate", text(&kept["id"])]);
    assert!(again.code != 0 && again.stderr.contains("has a successor already"), "{again:?}");

    let last = place.good(&["key", "rotate", "--overlap", "0s", text(&next["id"])]);
    assert_eq!(answers(&servers, text(&next["secret"])), [401, 401], "without an overlap it has ended");
    assert_eq!(answers(&servers, text(&last["secret"])), [200, 200]);
    let used = (0..10_000).any(|_| place.shown(&last["id"])["last_used_at"].is_string());
    assert!(used && place.shown(&key["id"])["revoked_at"].is_string());
}
