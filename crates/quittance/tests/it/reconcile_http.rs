//! `quittance reconcile` where the application is believed and a JSON API is written: a small one that keeps accounts, with entity
//! tags, behind two tokens.

use crate::support::{Ended, Home};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longest wait for a write to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest body that is taken.
const BODY_BYTES_MAX: usize = 1 << 20;

#[derive(Default)]
struct Accounts {
    /// Each with its version.
    by_id: BTreeMap<String, (Value, u64)>,
    /// How many writes were carried out.
    written: usize,
    /// How many may be, until one is carried out and never answered.
    answered_max: usize,
    /// How many came by `POST`, and how many of them are neither carried out nor answered.
    posted: usize,
    lost: usize,
    /// Whether it has enough, and asks to be left alone for an hour.
    is_busy: bool,
}

/// Serves accounts until the test is over.
struct Crm {
    base: String,
    accounts: Arc<Mutex<Accounts>>,
    /// Hears of the write that is not answered.
    hanging: Receiver<()>,
}

impl Crm {
    fn serve() -> Self {
        let account = |at: u64| {
            let account = json!({
                "id": format!("acc_{at}"), "plan": "basic", "seats": 3, "address": {"city": "Bonn", "zip": "53111"},
            });
            (format!("acc_{at}"), (account, 1))
        };
        let accounts =
            Accounts { by_id: (1..=3).map(account).collect(), answered_max: usize::MAX, ..Accounts::default() };
        let accounts = Arc::new(Mutex::new(accounts));
        let (hangs, hanging) = sync_channel(1);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let served = Arc::clone(&accounts);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let handle = move |request: Request| answer(Arc::clone(&served), hangs.clone(), request);
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, Router::new().fallback(handle)).await.expect("it serves");
            });
        });
        Self { base, accounts, hanging }
    }

    fn account(&self, id: &str) -> Value {
        self.accounts.lock().expect("accounts").by_id[id].0.clone()
    }

    fn all(&self) -> Vec<Value> {
        self.accounts.lock().expect("accounts").by_id.values().map(|(account, _)| account.clone()).collect()
    }

    fn written(&self) -> usize {
        self.accounts.lock().expect("accounts").written
    }

    fn posted(&self) -> usize {
        self.accounts.lock().expect("accounts").posted
    }

    /// Somebody else changes a field.
    fn set(&self, id: &str, field: &str, value: Value) {
        let mut accounts = self.accounts.lock().expect("accounts");
        let (account, version) = accounts.by_id.get_mut(id).expect("an account");
        account[field] = value;
        *version += 1;
    }

    fn answered_max(&self, answered_max: usize) {
        self.accounts.lock().expect("accounts").answered_max = answered_max;
    }
}

fn said(status: u16, headers: &[(&str, String)], body: &Value) -> Response {
    let response = Response::builder().status(status).header("content-type", "application/json");
    let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, value));
    response.body(Body::from(body.to_string())).expect("a response")
}

async fn answer(accounts: Arc<Mutex<Accounts>>, hangs: SyncSender<()>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.expect("a body");
    let token = if head.method != Method::GET { "Bearer writes" } else { "Bearer " };
    let is_known =
        head.headers.get("authorization").and_then(|value| value.to_str().ok()).is_some_and(|it| it.starts_with(token));
    if !is_known {
        return said(403, &[], &json!({"message": "this token reads"}));
    }
    let id = head.uri.path().strip_prefix("/api/accounts/").unwrap_or_default().to_owned();
    if id.is_empty() {
        let all: Vec<Value> =
            accounts.lock().expect("accounts").by_id.values().map(|(account, _)| account.clone()).collect();
        return said(200, &[], &json!({"data": all}));
    }
    if head.method != Method::GET && accounts.lock().expect("accounts").is_busy {
        // One hears of it.
        let _ = hangs.try_send(());
        return said(429, &[("retry-after", "3600".to_owned())], &json!({}));
    }
    let (response, is_answered) = one(&mut accounts.lock().expect("accounts"), &id, &head.method, &head.headers, &body);
    if !is_answered {
        hangs.send(()).expect("the test waits");
        std::future::pending::<()>().await;
    }
    response
}

/// Reads or changes an account; whether that is answered.
fn one(accounts: &mut Accounts, id: &str, method: &Method, headers: &HeaderMap, body: &[u8]) -> (Response, bool) {
    let Some((account, version)) = accounts.by_id.get_mut(id) else { return (said(404, &[], &json!({})), true) };
    if method == Method::POST {
        accounts.posted += 1;
        if accounts.posted <= accounts.lost {
            return (said(500, &[], &json!({})), false);
        }
    }
    if method != Method::GET {
        if method == Method::PATCH
            && headers.get("if-match").and_then(|tag| tag.to_str().ok()) != Some(&format!("\"{version}\""))
        {
            return (said(412, &[], &json!({})), true);
        }
        let patch: Value = serde_json::from_slice(body).expect("JSON");
        for (name, value) in patch.as_object().expect("an object") {
            match (value.as_object(), account[name].as_object_mut()) {
                (Some(inner), Some(there)) => there.extend(inner.clone()),
                _ => account[name] = value.clone(),
            }
        }
        *version += 1;
        accounts.written += 1;
    }
    let (account, version) = &accounts.by_id[id];
    let response = said(200, &[("etag", format!("\"{version}\""))], account);
    (response, method == Method::GET || accounts.written <= accounts.answered_max)
}

/// An application whose accounts have other plans, seats and cities than the API knows.
struct Shop {
    home: Home,
    crm: Crm,
}

impl Shop {
    fn open() -> Self {
        let (home, crm) = (Home::new(), Crm::serve());
        let application = Connection::open(home.path("app.db")).expect("a database");
        application
            .execute_batch(
                "CREATE TABLE accounts (id TEXT PRIMARY KEY, plan TEXT, seats INTEGER, city TEXT);
                 INSERT INTO accounts VALUES ('acc_1', 'team', 12, 'Bonn'), ('acc_2', 'basic', 3, 'Berlin'),
                     ('acc_3', 'basic', 3, 'Bonn');",
            )
            .expect("rows");
        home.write("reads", "reads");
        home.write("writes", "writes");
        let place = home.path("").display().to_string();
        let (place, base) = (place.trim_end_matches('/'), &crm.base);
        let field =
            |left: &str, right: &str| format!("{{ left = \"{left}\", right = \"{right}\", authority = \"left\" }}");
        let fields = [field("plan", "plan"), field("seats", "seats"), field("city", "/address/city")].join(", ");
        home.write(
            "quittance.toml",
            &format!(
                "[systems.app]\nkind = \"sqlite\"\npath = \"{place}/app.db\"\n\
                 [systems.crm]\nkind = \"http\"\nbase_url = \"{base}/api\"\ntoken = \"file:{place}/reads\"\n\
                 write_token = \"file:{place}/writes\"\nrequests_per_second_max = 1000\n\
                 [systems.crm.objects.account]\nlist = \"/accounts\"\nget = \"/accounts/{{key}}\"\nrecords = \"/data\"\n\
                 paging = \"none\"\nwrite = \"/accounts/{{key}}\"\nprecondition = \"etag\"\n\
                 writable_fields = [\"plan\", \"seats\", \"/address/city\"]\n\
                 [pairs.accounts]\nleft = {{ system = \"app\", table = \"accounts\" }}\n\
                 right = {{ system = \"crm\", object = \"account\" }}\n\
                 match = [ {{ left = \"id\", right = \"id\" }} ]\nrepairs_share_max = 1\nfields = [ {fields} ]\n"
            ),
        );
        Self { home, crm }
    }

    fn run(&self, words: &[&str], code: i32) -> Value {
        let ended = self.end(words);
        assert_eq!(ended.code, code, "{words:?}: {ended:?}");
        ended.json()
    }

    fn end(&self, words: &[&str]) -> Ended {
        self.home.run(&[words, &["--json"]].concat())
    }

    fn diff(&self, code: i32) -> Value {
        self.run(&["diff", "accounts", "--settle", "0s"], code)
    }

    /// Has a line of the configuration say something else.
    fn configure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.home.path("quittance.toml")).expect("readable");
        assert!(text.contains(from), "{from} in {text}");
        self.home.write("quittance.toml", &text.replace(from, to));
    }
}

#[test]
fn what_the_application_says_is_written_to_an_api_and_taken_back() {
    let shop = Shop::open();
    let before = shop.crm.all();
    assert_eq!(shop.diff(1)["different"], json!(2));
    let dry = shop.run(&["reconcile", "accounts", "--settle", "0s"], 1);
    assert_eq!((&dry["repaired"], shop.crm.written()), (&json!(0), 0), "{dry:#}");
    let json = shop.run(&["reconcile", "accounts", "--apply", "--settle", "0s"], 0);
    assert_eq!((&json["repaired"], shop.crm.written()), (&json!(2), 2), "{json:#}");
    let address = json!({"city": "Bonn", "zip": "53111"});
    let account = json!({"id": "acc_1", "plan": "team", "seats": 12, "address": address});
    assert_eq!(shop.crm.account("acc_1"), account);
    assert_eq!(shop.crm.account("acc_2")["address"], json!({"city": "Berlin", "zip": "53111"}));
    shop.diff(0);
    let run = json["run_id"].as_str().expect("an id").to_owned();
    let undone = shop.run(&["undo", &run, "--apply"], 0);
    assert_eq!((&undone["repaired"], shop.crm.written()), (&json!(2), 4), "{undone:#}");
    assert_eq!(shop.crm.all(), before);
    assert_eq!(shop.diff(1)["different"], json!(2));
    let verified = shop.run(&["verify"], 0);
    assert_eq!(verified["repairs"]["checked"], json!(4), "{verified:#}");
}

#[test]
fn an_undo_leaves_what_somebody_changed_at_the_api() {
    let shop = Shop::open();
    let json = shop.run(&["reconcile", "accounts", "--apply", "--settle", "0s"], 0);
    shop.crm.set("acc_1", "plan", json!("third"));
    let run = json["run_id"].as_str().expect("an id").to_owned();
    let undone = shop.run(&["undo", &run, "--apply"], 1);
    assert_eq!((&undone["repaired"], &undone["failed"]), (&json!(1), &json!(1)), "{undone:#}");
    let account = shop.crm.account("acc_1");
    assert_eq!((&account["plan"], &account["seats"]), (&json!("third"), &json!(12)));
}

/// The process dies between a write and its answer: the next command asks the API what became of it.
#[test]
fn a_run_that_was_killed_is_found_out_by_the_next() {
    let shop = Shop::open();
    shop.crm.answered_max(0);
    let mut killed = shop.home.command(&["reconcile", "accounts", "--apply", "--settle", "0s"]);
    let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    shop.crm.hanging.recv_timeout(PATIENCE).expect("a write comes");
    killed.kill().expect("it is killed");
    killed.wait().expect("it ends");
    shop.crm.answered_max(usize::MAX);
    let begun = shop.run(&["runs"], 0)["data"][0].clone();
    assert_eq!((&begun["planned"], &begun["repaired"]), (&json!(2), &json!(0)), "{begun:#}");
    let json = shop.run(&["reconcile", "accounts", "--apply", "--settle", "0s"], 0);
    let finished = json["finished"].as_array().expect("what was begun");
    assert_eq!(finished.len(), 2, "{json:#}");
    assert!(finished.iter().any(|one| one["state"] == "repaired"), "{json:#}");
    // Each was written once, by whichever of the two.
    assert_eq!(shop.crm.written(), 2);
    shop.diff(0);
}

/// The process dies before a request is answered of which nobody knows what else it does: that is not sent again by itself.
#[test]
fn a_post_that_may_have_been_carried_out_is_sent_again_only_when_somebody_names_it() {
    for settings in ["method = \"POST\"", "method = \"POST\"\nidempotency_header = \"Idempotency-Key\""] {
        let shop = Shop::open();
        shop.configure("precondition = \"etag\"", settings);
        shop.configure("requests_per_second_max", "timeout_ms = 1000\nrequests_per_second_max");
        shop.crm.set("acc_2", "address", json!({"city": "Berlin", "zip": "53111"}));
        shop.crm.accounts.lock().expect("accounts").lost = 1;
        let words = ["reconcile", "accounts", "--apply", "--settle", "0s"];
        let mut killed = shop.home.command(&words);
        let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        shop.crm.hanging.recv_timeout(PATIENCE).expect("a write comes");
        killed.kill().expect("it is killed");
        killed.wait().expect("it ends");
        for turn in 0..2 {
            let json = shop.run(&words, 1);
            let why = &json["withheld"][0]["why"];
            assert_eq!((why, &json["repaired"]), (&json!("perhaps_written"), &json!(0)), "{turn}: {json:#}");
            let finished = json["finished"].as_array().expect("what was begun");
            let states: Vec<_> = finished.iter().map(|one| one["state"].as_str().expect("a state")).collect();
            assert_eq!(states, if turn == 0 { vec!["moved"] } else { vec![] }, "{json:#}");
        }
        assert_eq!((shop.crm.posted(), shop.crm.written()), (1, 0));
        shop.run(&["reconcile", "accounts", "--only", "acc_1", "--apply", "--settle", "0s"], 0);
        assert_eq!((shop.crm.posted(), shop.crm.written()), (2, 1));
        shop.diff(0);
    }
}

/// A pair is paused while a record is to be sent again.
#[test]
fn a_pair_that_is_paused_is_not_written_any_more() {
    let shop = Shop::open();
    shop.crm.accounts.lock().expect("accounts").is_busy = true;
    let words = ["reconcile", "accounts", "--apply", "--settle", "0s", "--json"];
    let mut begun = shop.home.command(&words);
    let begun = begun.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    shop.crm.hanging.recv_timeout(PATIENCE).expect("a write comes");
    shop.crm.accounts.lock().expect("accounts").is_busy = false;
    shop.run(&["pause", "--pair", "accounts"], 0);
    let ended = begun.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(4), "{told}");
    assert!(told.contains("is paused by"), "{told}");
    assert_eq!(shop.crm.written(), 0, "it was to be sent again after a minute");
    shop.run(&["resume", "--pair", "accounts"], 0);
    let json = shop.run(&words[..5], 0);
    assert_eq!((&json["repaired"], shop.crm.written()), (&json!(2), 2), "{json:#}");
}

#[test]
fn who_may_not_write_is_told_before_anything_is_kept() {
    for (from, to, words) in [
        ("write_token = ", "# ", &["nobody said that the system `crm` may be written", "add write_token ="][..]),
        ("write = \"/accounts/{key}\"\nprecondition = \"etag\"\nwritable_fields", "# ", &["add write ="]),
        (
            "[\"plan\", \"seats\", \"/address/city\"]",
            "[\"plan\"]",
            &[
                "`account` of the system `crm` cannot be written so",
                "is not among its writable_fields",
                "those are plan",
            ],
        ),
    ] {
        let shop = Shop::open();
        shop.configure(from, to);
        let ended = shop.end(&["reconcile", "accounts", "--apply", "--settle", "0s"]);
        assert_eq!(ended.code, 2, "{ended:?}");
        for word in words {
            assert!(ended.stderr.contains(word), "{word}: {ended:?}");
        }
        assert_eq!((shop.run(&["runs"], 0)["data"].clone(), shop.crm.written()), (json!([]), 0));
    }
    // What the API itself does not allow is told with what it should, and no token.
    let shop = Shop::open();
    shop.home.write("writes", "sesame");
    let ended = shop.end(&["reconcile", "accounts", "--apply", "--settle", "0s"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    let words =
        ["does not allow PATCH /api/accounts/acc_", "to its write_token", "permission to PATCH /accounts/{key}"];
    assert!(words.iter().all(|word| ended.stderr.contains(word)), "{ended:?}");
    assert!(!format!("{ended:?}").contains("sesame"), "{ended:?}");
    assert_eq!(shop.crm.written(), 0);
}
