//! A database that fails over to a replica that was behind: what was acknowledged and lost is found at the gateway, and the
//! client who asks again is not charged again.

use crate::support::{Answer, Client, Home, Server, bare, end, sandbox};
use quittance_surroundings::Postgres;
use serde_json::{Value, json};

/// The variable in which the address is handed over.
const VARIABLE: &str = "QUITTANCE_IT_DATABASE";

/// Looks at something that has to come about, each of which is a request or a program: more than any of this takes.
const LOOKS_MAX: usize = 5_000;

struct Place {
    home: Home,
    url: String,
}

impl Place {
    fn serve(&self) -> Server {
        let mut command = bare(&["serve", "--listen", "127.0.0.1:0"], self.home.directory.path());
        Server::start(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, &self.url))
    }

    fn credential(&self) -> String {
        let words = ["key", "create", "--name", "it", "--scopes", "admin", "--json"];
        let mut command = bare(&words, self.home.directory.path());
        let ended = end(command.args(["--database-url", &format!("env:{VARIABLE}")]).env(VARIABLE, &self.url));
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()["secret"].as_str().expect("a secret").to_owned()
    }
}

/// The address of both, of which the one is used that can be written to.
fn url(servers: [&Postgres; 2], database: &str) -> String {
    let host = |server: &Postgres| server.url("").trim_start_matches("postgresql://postgres@").replace('/', "");
    format!("postgresql://postgres@{}/{database}?target_session_attrs=read-write", servers.map(host).join(","))
}

/// Waits until a server of PostgreSQL says yes.
fn until(server: &Postgres, question: &str) {
    wait_for(question, || (server.sql("postgres", question).trim() == "t").then_some(()));
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS_MAX {
        if let Some(seen) = look() {
            return seen;
        }
        std::thread::yield_now();
    }
    panic!("{what} does not come");
}

fn order(reference: &str) -> Value {
    json!({
        "customer": "anna", "amount": 1500, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": reference,
    })
}

fn pay(client: &Client, key: &str) -> Answer {
    client.post_for_bytes("/v1/payments", key, &order(&format!("order-{key}")))
}

#[test]
fn what_a_failover_lost_is_found_and_not_charged_again() {
    let Some(mut primary) = Postgres::start("a failover to a replica that was behind") else { return };
    let database = primary.fresh_database();
    let replica = primary.replica(&["hot_standby=on"]);
    let base = Home::new();
    let gateway = sandbox(&base);
    let home = Home::with_gateway(&gateway.base);
    home.configure("sweep_every_s = 1\n");
    let place = Place { home, url: url([&primary, &replica], &database) };
    let secret = place.credential();
    let (mut first, second) = (place.serve(), place.serve());
    let (here, there) = (Client::new(&first.base, Some(&secret)), Client::new(&second.base, Some(&secret)));
    let made = here.post("/v1/customers", "c", &json!({"external_id": "anna"}));
    assert_eq!(made.0, 201, "{made:?}");
    assert_eq!(pay(&here, "kept").status, 201);
    // From here on the replica hears nothing more.
    let arrived = primary.sql(&database, "SELECT pg_current_wal_lsn()");
    until(&replica, &format!("SELECT pg_last_wal_replay_lsn() >= '{}'", arrived.trim()));
    replica.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
    replica.sql("postgres", "SELECT pg_reload_conf()");
    until(&replica, "SELECT count(*) = 0 FROM pg_stat_wal_receiver");
    let lost = pay(&here, "lost");
    assert_eq!((lost.status, lost.json()["status"].as_str()), (201, Some("succeeded")), "{lost:?}");
    primary.kill();
    replica.sql("postgres", "SELECT pg_promote()");
    // Whoever had committed what is gone says so, and ends; the other may have, too, with what it wrote of its own.
    let code = first.child.wait().expect("it ends").code();
    assert_ne!(code, Some(0), "it does not go on with books that are gone");
    drop((second, there));
    let third = place.serve();
    let again = Client::new(&third.base, Some(&secret));
    // The client who has its answer asks again all the same: nothing is sent before the gateway was swept.
    let asked = again.post_async("/v1/payments", "lost", &order("order-lost"));
    assert!([201, 202].contains(&asked.0), "{asked:?}");
    let answer = wait_for("the answer", || Some(pay(&again, "lost")).filter(|answer| answer.status == 201));
    assert_eq!(answer.json()["status"], json!("succeeded"), "{answer:?}");
    assert_eq!(answer.json()["gateway_id"], lost.json()["gateway_id"], "it is the charge that happened");
    assert_ne!(answer.json()["id"], lost.json()["id"], "of a payment that is new to these books");
    let kept = pay(&again, "kept");
    assert!(kept.is_replayed, "{kept:?}");
    // What is new is sent again, too.
    let new = wait_for("a new payment", || Some(pay(&again, "new")).filter(|answer| answer.status == 201));
    assert_eq!(new.json()["status"], json!("succeeded"), "{new:?}");
    let charges = Client::new(&gateway.base, Some("sk_test_it")).get("/v1/charges?limit=100").1;
    let charges = charges["data"].as_array().expect("a list").len();
    assert_eq!(charges, 3, "one for each of three orders");
}
