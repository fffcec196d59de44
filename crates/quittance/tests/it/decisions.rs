//! Decisions about discrepancies of a pair, from outside: two servers on one database, an application's table in PostgreSQL,
//! and subscriptions of a gateway.

use crate::support::{Client, Ended, Home, Server, bare, end, sandbox};
use quittance_surroundings::Postgres;
use serde_json::{Value, json};
use std::thread;

/// The variable in which the address is handed over.
const VARIABLE: &str = "QUITTANCE_IT_DATABASE";

/// An application whose table says that everybody pays, and a gateway that knows better.
struct Place {
    postgres: &'static Postgres,
    database: String,
    gateway: Server,
    home: Home,
}

impl Place {
    fn open() -> Option<Self> {
        let postgres = Postgres::shared("decisions about discrepancies of a pair")?;
        let (database, base) = (postgres.fresh_database(), Home::new());
        let gateway = sandbox(&base);
        postgres.sql(
            &database,
            "CREATE TABLE accounts (id bigint PRIMARY KEY, subscription text UNIQUE, status text);
             CREATE TABLE writes (id bigint, status text);
             CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN INSERT INTO writes VALUES (NEW.id, NEW.status); RETURN NEW; END';
             CREATE TRIGGER noted AFTER UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION noted();",
        );
        postgres.sql(
            &database,
            "INSERT INTO accounts VALUES (1, 'sub_1', 'active'), (2, 'sub_2', 'active'), (3, 'sub_3', 'active')",
        );
        let home = Home::with_gateway(&gateway.base);
        home.write("url", &postgres.url(&database));
        let url = home.path("url").display().to_string();
        home.configure(&format!(
            r#"
[systems.app]
kind = "postgres"
url = "file:{url}"
write_url = "file:{url}"
[systems.billing]
kind = "stripe"
api_base = "{gateway}"
api_key = "file:{key}"
[pairs.subscriptions]
left = {{ system = "app", table = "accounts" }}
right = {{ system = "billing", object = "subscription" }}
match = [ {{ left = "subscription", right = "id" }} ]
repairs_share_max = 1
truth = {{ side = "right", max_age = "1h" }}
[[pairs.subscriptions.fields]]
left = "status"
right = "status"
authority = "right"
values = [ {{ left = "active", right = ["active", "trialing"] }}, {{ left = "past_due", right = "past_due" }}, {{ left = "cancelled", right = "canceled" }} ]
"#,
            gateway = gateway.base,
            key = home.path("key").display(),
        ));
        let seed = json!({
            "products": [{"id": "prod_1"}],
            "prices": [{"id": "price_1", "product": "prod_1", "unit_amount": 100, "currency": "usd"}],
            "customers": [{"id": "cus_1"}],
            "subscriptions": [
                {"id": "sub_1", "customer": "cus_1", "price": "price_1", "status": "past_due"},
                {"id": "sub_2", "customer": "cus_1", "price": "price_1", "status": "canceled"},
                {"id": "sub_3", "customer": "cus_1", "price": "price_1", "status": "past_due"},
            ],
        });
        let (status, told) = Client::new(&gateway.base, None).post("/_sandbox/seed", "seed", &seed);
        assert_eq!(status, 200, "{told}");
        Some(Self { postgres, database, gateway, home })
    }

    fn sql(&self, statement: &str) -> String {
        self.postgres.sql(&self.database, statement)
    }

    fn address(&self) -> String {
        self.postgres.url(&self.database)
    }

    fn run(&self, words: &[&str]) -> Ended {
        let mut command = bare(words, self.home.directory.path());
        end(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, self.address()))
    }

    fn serve(&self) -> Server {
        let mut command = bare(&["serve", "--listen", "127.0.0.1:0"], self.home.directory.path());
        Server::start(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, self.address()))
    }

    fn compare(&self) {
        let ended = self.run(&["diff", "subscriptions", "--settle", "0s", "--json"]);
        assert!(ended.code < 2, "{ended:?}");
    }

    /// What the table says of an account, and how often it was written.
    fn account(&self, id: u32) -> (String, String) {
        let status = self.sql(&format!("SELECT status FROM accounts WHERE id = {id}"));
        (status, self.sql(&format!("SELECT count(*) FROM writes WHERE id = {id}")))
    }
}

fn found(client: &Client, key: &str) -> Value {
    let (status, page) = client.get(&format!("/v1/discrepancies?source=pair&pair=subscriptions&key={key}"));
    assert_eq!((status, page["data"].as_array().map(Vec::len)), (200, Some(1)), "{page}");
    page["data"][0].clone()
}

fn path(found: &Value, action: &str) -> String {
    format!("/v1/discrepancies/{}/{action}", found["id"].as_str().expect("an id"))
}

fn of(status: &str, writes: &str) -> (String, String) {
    (status.to_owned(), writes.to_owned())
}

#[test]
fn what_people_decide_is_written_once_whichever_server_is_told_and_however_often() {
    let Some(place) = Place::open() else { return };
    let made = place.run(&["key", "create", "--name", "it", "--scopes", "admin", "--json"]);
    let secret = made.json()["secret"].as_str().expect("a secret").to_owned();
    let servers = [place.serve(), place.serve()];
    let clients = servers.each_ref().map(|server| Client::new(&server.base, Some(&secret)));
    place.compare();
    assert_eq!(found(&clients[0], "sub_1")["status"], "confirmed");

    // The same decision, sent twice to both at once.
    let resolve = path(&found(&clients[0], "sub_1"), "resolve");
    let body = json!({"choice": "right", "reason": "the gateway is right"});
    let answers: Vec<(u16, Value)> = thread::scope(|scope| {
        let sending: Vec<_> =
            clients.iter().chain(&clients).map(|client| scope.spawn(|| client.post(&resolve, "once", &body))).collect();
        sending.into_iter().map(|one| one.join().expect("answered")).collect()
    });
    // Whoever came while it was being written may be told to come back.
    assert!(answers.iter().all(|(status, _)| matches!(status, 200 | 409 | 502)), "{answers:?}");
    assert!(answers.iter().any(|(status, _)| *status == 200), "{answers:?}");
    let (status, shown) = clients[1].post(&resolve, "once", &body);
    assert_eq!((status, place.account(1)), (200, of("past_due", "1")), "{shown}");
    assert_eq!(shown["repairs"].as_array().map(Vec::len), Some(1), "{shown}");

    // What takes something away waits, and is approved once.
    let ended = place.run(&["reconcile", "subscriptions", "--settle", "0s", "--apply", "--json"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(place.account(2), of("active", "0"));
    let approve = path(&found(&clients[0], "sub_2"), "approve");
    let why = json!({"reason": "they have left"});
    for client in &clients {
        assert_eq!(client.post(&approve, "approve", &why).0, 200);
    }
    let (status, told) = clients[0].post(&approve, "again", &why);
    assert_eq!((status, &told["code"]), (409, &json!("nothing-waits")));
    assert_eq!(place.account(2), of("cancelled", "1"));

    // It is a run of repairs like any other: kept in the chain, and taken back.
    place.compare();
    assert_eq!(found(&clients[1], "sub_1")["status"], "resolved");
    let run = shown["decisions"][0]["run"].as_str().expect("its run").to_owned();
    let (status, told) = clients[1].get(&format!("/v1/runs/{run}"));
    assert_eq!((status, &told["repairs"]["states"]), (200, &json!({"repaired": 1})), "{told}");
    let undone = place.run(&["undo", &run, "--apply", "--json"]);
    assert_eq!((undone.code, place.account(1)), (0, of("active", "2")), "{undone:?}");
    assert_eq!(place.run(&["verify"]).code, 0);
}

#[test]
fn what_is_ignored_and_what_is_true_are_told_by_a_server() {
    let Some(place) = Place::open() else { return };
    let made = place.run(&["key", "create", "--name", "it", "--scopes", "admin", "--json"]);
    let client_of =
        |server: &Server| Client::new(&server.base, Some(made.json()["secret"].as_str().expect("a secret")));
    let server = place.serve();
    let client = client_of(&server);
    place.compare();
    let ignore = path(&found(&client, "sub_3"), "ignore");
    assert_eq!(client.post(&ignore, "ignore", &json!({"reason": "as agreed"})).0, 200);
    place.compare();
    assert_eq!(found(&client, "sub_3")["status"], "ignored");
    place.sql("UPDATE accounts SET status = 'cancelled' WHERE id = 3");
    place.compare();
    assert_eq!(found(&client, "sub_3")["status"], "confirmed");

    let asked = |key: &str| client.get(&format!("/v1/truth/subscriptions/{key}"));
    let (status, told) = asked("sub_1");
    assert_eq!((status, &told["fields"]["status"], &told["source"]), (200, &json!("past_due"), &json!("provider")));
    assert_eq!(asked("sub_1").1["source"], "cache");
    let (status, told) = asked("sub_none");
    assert_eq!((status, &told["found"]), (200, &json!(false)));
    let metrics = Client::new(&server.base, None).get_text("/metrics");
    assert!(metrics.contains("quittance_truth_answers_total{pair=\"subscriptions\",source=\"cache\"} 1"), "{metrics}");
    let _ = &place.gateway;
}

/// Two tables that disagree in every field, each with words of its own; one pair may write both, the other one only the left.
const BOTH: &str = r#"
[systems.app]
kind = "postgres"
url = "file:URL"
write_url = "file:URL"
[systems.closed]
kind = "postgres"
url = "file:URL"
[pairs.both]
left = { system = "app", table = "shop" }
right = { system = "app", table = "billing" }
match = [ { left = "id", right = "id" } ]
FIELDS
[pairs.half]
left = { system = "app", table = "shop" }
right = { system = "closed", table = "billing" }
match = [ { left = "id", right = "id" } ]
FIELDS
"#;

const FIELDS: &str = r#"fields = [
    { left = "status", right = "state", values = [ { left = "on", right = ["active", "trialing"], write_right = "active" }, { left = "late", right = "past_due" }, { left = "off", right = "canceled" } ] },
    { left = "seats", right = "quantity" },
    { left = "price", right = "amount" },
    { left = "since", right = "started" },
]"#;

#[test]
fn what_a_person_says_is_written_to_both_sides_in_their_own_words_or_to_none() {
    let Some(postgres) = Postgres::shared("decisions that both sides follow") else { return };
    let (database, home) = (postgres.fresh_database(), Home::new());
    let sql = |statement: &str| postgres.sql(&database, statement);
    sql("CREATE TABLE shop (id bigint PRIMARY KEY, status text, seats bigint, price numeric, since date);
         CREATE TABLE billing (id bigint PRIMARY KEY, state text, quantity bigint, amount numeric, started date);
         INSERT INTO shop VALUES (1, 'on', 10, 5, '2026-01-01'), (2, 'on', 10, 5, '2026-01-01');
         INSERT INTO billing VALUES (1, 'canceled', 11, 5, '2026-01-02'), (2, 'canceled', 11, 5, '2026-01-02')");
    let (before, url) = (sql("SELECT * FROM shop, billing ORDER BY 1, 6"), home.path("url").display().to_string());
    home.write("url", &postgres.url(&database));
    home.write("quittance.toml", &BOTH.replace("FIELDS", FIELDS).replace("URL", &url));
    let command = |words: &[&str]| {
        let mut command = bare(words, home.directory.path());
        command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, postgres.url(&database));
        command
    };
    let run = |words: &[&str]| end(&mut command(words));
    let made = run(&["key", "create", "--name", "it", "--scopes", "admin", "--json"]);
    let secret = made.json()["secret"].as_str().expect("a secret").to_owned();
    let server = Server::start(&mut command(&["serve", "--listen", "127.0.0.1:0"]));
    let client = Client::new(&server.base, Some(&secret));
    for pair in ["both", "half"] {
        let ended = run(&["diff", pair, "--settle", "0s", "--json"]);
        assert_eq!(ended.code, 1, "{ended:?}");
    }
    let discrepancy = |pair: &str, key: &str| {
        let (_, page) = client.get(&format!("/v1/discrepancies?source=pair&pair={pair}&key={key}"));
        page["data"][0].clone()
    };
    let body = |values: Value| json!({"choice": "merged", "values": values, "reason": "as the contract says"});
    let values = json!({"status": "on", "seats": 12, "price": "19.50", "since": "2026-01-02"});

    // One side may not be written: then neither is.
    let (status, told) = client.post(&path(&discrepancy("half", "1"), "resolve"), "half", &body(values.clone()));
    assert_eq!((status, &told["code"]), (409, &json!("not-resolvable")), "{told}");
    for (key, values) in [
        ("type", json!({"seats": "many", "status": "on"})),
        ("date", json!({"since": "tomorrow", "status": "on"})),
        ("flag", json!({"price": true})),
    ] {
        let (status, told) = client.post(&path(&discrepancy("both", "1"), "resolve"), key, &body(values));
        assert_eq!((status, &told["code"]), (409, &json!("not-resolvable")), "{told}");
    }
    let (status, told) =
        client.post(&path(&discrepancy("both", "1"), "resolve"), "word", &body(json!({"status": "active"})));
    assert_eq!((status, &told["errors"][0]["pointer"]), (400, &json!("/values/status")), "{told}");
    assert_eq!(sql("SELECT * FROM shop, billing ORDER BY 1, 6"), before);

    let (status, shown) = client.post(&path(&discrepancy("both", "1"), "resolve"), "both", &body(values));
    assert_eq!(status, 200, "{shown}");
    assert_eq!(sql("SELECT * FROM shop WHERE id = 1"), "1|on|12|19.5|2026-01-02");
    assert_eq!(sql("SELECT * FROM billing WHERE id = 1"), "1|active|12|19.5|2026-01-02");
    let states: Vec<_> = shown["repairs"].as_array().expect("repairs").iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["repaired", "repaired"], "{shown}");
    assert_eq!(run(&["diff", "both", "--settle", "0s", "--only", "1", "--json"]).code, 0);

    // The story of it is told by the API as by the command.
    let repaired = shown["repairs"][0]["run"].as_str().expect("a run").to_owned();
    let traced = run(&["trace", &repaired, "--json"]).json();
    let (status, told) = client.get(&format!("/v1/trace/{repaired}"));
    assert_eq!((status, &told["recognised_as"]), (200, &json!("run")), "{told}");
    let events = |story: &Value| -> Vec<String> {
        let lines = story["stories"][0]["lines"].as_array().expect("lines");
        lines.iter().map(|line| line["event"].as_str().expect("an event").to_owned()).collect()
    };
    assert_eq!((events(&told), events(&told).is_empty()), (events(&traced), false), "{traced}");

    let undone = run(&["undo", &repaired, "--apply", "--json"]);
    assert_eq!((undone.code, sql("SELECT * FROM shop, billing ORDER BY 1, 6")), (0, before), "{undone:?}");
}
