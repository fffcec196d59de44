//! Pairs over the API: how they stand, what was compared, what was found, and what is proven.

use super::app::{ADMIN, App, Place, READER, WRITER, bearer, sandbox};
use super::call::{Answer, Call};
use quittance_server::config::Config;
use quittance_server::data::Data;
use quittance_server::reconcile::session::{Comparison, Request, Session, take_back};
use quittance_store::records::RepairCause;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// An application's accounts, and what is true of them in another file.
pub struct Stage {
    pub app: App,
    pub files: TempDir,
    pub config: Config,
    pub data: Data,
}

impl Stage {
    pub async fn open() -> Self {
        let files = TempDir::new().expect("a folder");
        let place = |name: &str| files.path().join(name);
        for name in ["app.db", "billing.db"] {
            let file = Connection::open(place(name)).expect("a file");
            file.execute_batch(
                "CREATE TABLE accounts (id TEXT PRIMARY KEY, status TEXT, plan TEXT);
                 INSERT INTO accounts VALUES ('a', 'active', 'pro'), ('b', 'active', 'pro'), ('c', 'active', 'pro');",
            )
            .expect("a table");
        }
        let more = format!(
            r#"
[systems.app]
kind = "sqlite"
path = "{}"
writable = true
[systems.billing]
kind = "sqlite"
path = "{}"
writable = true
[pairs.accounts]
left = {{ system = "app", table = "accounts" }}
right = {{ system = "billing", table = "accounts" }}
match = [ {{ left = "id", right = "id" }} ]
fields = [
    {{ left = "status", right = "status", authority = "right" }},
    {{ left = "plan", right = "plan" }},
]
[pairs.others]
left = {{ system = "app", table = "accounts" }}
right = {{ system = "billing", table = "accounts" }}
match = [ {{ left = "id", right = "id" }} ]
"#,
            place("app.db").display(),
            place("billing.db").display(),
        );
        let data = Data::directory(place("data"));
        let stripe = sandbox().await;
        let app = App::start_configured(Place::Shared(data.clone()), stripe, "", &more).await;
        let config = Config::from_text(&more, &|_| None).unwrap_or_else(|error| panic!("{error:?}"));
        Self { app, files, config, data }
    }

    fn file(&self, name: &str) -> Connection {
        Connection::open(self.files.path().join(name)).expect("a file")
    }

    pub fn change(&self, name: &str, sql: &str) {
        self.file(name).execute_batch(sql).expect(sql);
    }

    /// What a file says of an account.
    pub fn value(&self, name: &str, column: &str, id: &str) -> String {
        let query = format!("SELECT {column} FROM accounts WHERE id = ?1");
        self.file(name).query_row(&query, [id], |row| row.get(0)).expect("an account")
    }

    fn session(&self) -> Session<'_> {
        Session::new(&self.config, "accounts", &self.data, "operator").expect("a pair")
    }

    /// Compares and keeps the run.
    pub fn compare(&self) {
        let compared = self.session().compare(Comparison { only: None, wait: &mut || () }, true);
        assert!(compared.unwrap_or_else(|error| panic!("{error}")).unkept.is_none());
    }

    /// Compares and repairs.
    pub fn repair(&self) {
        let request = Request {
            comparison: Comparison { only: None, wait: &mut || () },
            is_applied: true,
            is_retry: false,
            is_kept: true,
            repairs_max: Some(100),
            accepted: std::collections::BTreeSet::new(),
            cause: RepairCause::Reconcile,
        };
        let repaired = self.session().repair(request).unwrap_or_else(|error| panic!("{error}"));
        assert!(repaired.failed.is_none() && repaired.plan.stopped.is_none());
    }

    /// Takes a run of repairs back.
    pub fn take_back(&self, run: &str) {
        let undone = take_back(&self.config, &self.data, "operator", run, true);
        assert!(undone.unwrap_or_else(|error| panic!("{error}")).failed.is_none());
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.app.send(Call::new("GET", path).header("authorization", &bearer(ADMIN))).await
    }

    /// The discrepancies of pairs.
    pub async fn found(&self, filters: &str) -> Vec<Value> {
        let path = format!("/v1/discrepancies?source=pair{filters}");
        self.get(&path).await.expect(200, "").json()["data"].as_array().expect("a list").clone()
    }

    /// Key and status of each of them, in the order of keys.
    pub async fn standing(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut all: Vec<_> =
            self.found("").await.iter().map(|one| (text(&one["key"]), text(&one["status"]))).collect();
        all.sort();
        all
    }
}

fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, status)| ((*key).to_owned(), (*status).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn before_anything_was_compared_there_is_nothing_and_no_error() {
    let stage = Stage::open().await;
    for path in ["/v1/runs", "/v1/proofs", "/v1/discrepancies?source=pair"] {
        assert_eq!(stage.get(path).await.expect(200, "").json()["data"], json!([]), "{path}");
    }
    let pairs = stage.get("/v1/pairs").await.expect(200, "").json();
    assert_eq!(pairs["data"].as_array().map(Vec::len), Some(2));
    let pair = stage.get("/v1/pairs/accounts").await.expect(200, "").json();
    assert_eq!((&pair["last_run"], &pair["discrepancies"]["confirmed"]), (&Value::Null, &json!(0)));
    assert_eq!(pair["fields"][0], json!({"left": "status", "right": "status", "authority": "right"}));
    assert_eq!(pair["left"], json!({"system": "app", "object": "accounts"}));
    let page = stage.get("/v1/pairs?limit=1").await.expect(200, "").json();
    let next = page["next_cursor"].as_str().expect("there are more");
    let last = stage.get(&format!("/v1/pairs?limit=1&cursor={next}")).await.expect(200, "").json();
    assert_eq!((&last["data"][0]["name"], &last["has_more"]), (&json!("others"), &json!(false)));
    for path in ["/v1/pairs/none", "/v1/runs/run_x", "/v1/proofs/run_x", "/v1/discrepancies/dsc_x"] {
        stage.get(path).await.expect(404, "not-found");
    }
    let nobody = "dsc_01h455vb4pex5vsknk084sn02q";
    stage.get(&format!("/v1/discrepancies/{nobody}")).await.expect(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pairs_show_is_for_administrators() {
    let stage = Stage::open().await;
    for path in ["/v1/pairs", "/v1/pairs/accounts", "/v1/runs", "/v1/proofs", "/v1/discrepancies?source=pair"] {
        for key in [READER, WRITER] {
            let call = Call::new("GET", path).header("authorization", &bearer(key));
            stage.app.send(call).await.expect(403, "forbidden");
        }
    }
    for path in [
        "/v1/runs?pair=",
        "/v1/runs?limit=0",
        "/v1/runs?cursor=c1_00",
        "/v1/discrepancies?source=both",
        "/v1/discrepancies?source=pair&kind=other",
        "/v1/discrepancies?source=pair&status=gone",
        "/v1/discrepancies?source=pair&created_after=yesterday",
        "/v1/proofs?recheck=true",
    ] {
        assert_eq!(stage.get(path).await.status, 400, "{path}");
    }
    // What only the other source knows fits nothing.
    for filters in ["status=confirmed", "pair=accounts", "key=a", "kind=left_only"] {
        let page = stage.get(&format!("/v1/discrepancies?{filters}")).await.expect(200, "");
        assert_eq!(page.json()["data"], json!([]), "{filters}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_lives_on_from_run_to_run() {
    let stage = Stage::open().await;
    stage.change(
        "billing.db",
        "UPDATE accounts SET status = 'ended' WHERE id = 'a'; DELETE FROM accounts WHERE id = 'c'",
    );
    stage.compare();
    assert_eq!(stage.standing().await, of(&[("a", "confirmed"), ("c", "confirmed")]));
    let first = stage.found("&key=a").await.remove(0);
    assert_eq!((&first["kind"], &first["pair"]), (&json!("different"), &json!("accounts")));
    let difference = &first["differences"][0];
    assert_eq!([&difference["field"], &difference["left"], &difference["right"]], ["status", "active", "ended"]);
    assert_eq!(first["opened_at"], first["first_seen_at"]);
    for (filters, count) in [
        ("&pair=accounts", 2),
        ("&pair=others", 0),
        ("&kind=left_only", 1),
        ("&status=open", 2),
        ("&status=closed", 0),
        ("&pair=accounts&status=confirmed&limit=1", 1),
        ("&created_after=2999-01-01T00:00:00Z", 0),
        ("&created_before=2999-01-01T00:00:00Z", 2),
    ] {
        assert_eq!(stage.found(filters).await.len(), count, "{filters}");
    }

    stage.change("billing.db", "UPDATE accounts SET status = 'active' WHERE id = 'a'");
    stage.compare();
    assert_eq!(stage.standing().await, of(&[("a", "resolved"), ("c", "confirmed")]));
    stage.change("billing.db", "UPDATE accounts SET status = 'ended' WHERE id = 'a'");
    stage.compare();
    let again = stage.found("&key=a").await.remove(0);
    assert_eq!((&again["id"], &again["status"]), (&first["id"], &json!("confirmed")));
    assert_eq!(again["first_seen_at"], first["first_seen_at"]);
    assert_ne!(again["opened_at"], first["opened_at"]);

    stage.repair();
    assert_eq!(
        stage.standing().await,
        of(&[("a", "awaits"), ("c", "confirmed")])
            .into_iter()
            .map(|(key, status)| {
                // Ending takes something away: a person approves that, so it stays open.
                if status == "awaits" { (key, "confirmed".to_owned()) } else { (key, status) }
            })
            .collect::<Vec<_>>()
    );
    let shown = stage.get(&format!("/v1/discrepancies/{}", first["id"].as_str().expect("an id"))).await.expect(200, "");
    let shown = shown.json();
    assert_eq!(
        (&shown["repairs"][0]["state"], &shown["repairs"][0]["set"]),
        (&json!("awaiting_approval"), &json!({"status": "ended"}))
    );
    assert_eq!(stage.get("/v1/pairs/accounts").await.json()["repairs_waiting"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_repaired_is_resolved_once_a_run_has_looked() {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET status = 'trialing' WHERE id = 'a'");
    stage.repair();
    assert_eq!(stage.value("app.db", "status", "a"), "trialing");
    assert_eq!(stage.standing().await, of(&[("a", "resolving")]));
    let repaired = stage.found("").await.remove(0);
    let repair = repaired["repair"].as_str().expect("its repair").to_owned();
    stage.compare();
    assert_eq!(stage.standing().await, of(&[("a", "resolved")]));
    let id = repaired["id"].as_str().expect("an id");
    let shown = stage.get(&format!("/v1/discrepancies/{id}")).await.expect(200, "").json();
    assert_eq!((&shown["repairs"][0]["id"], &shown["repairs"][0]["state"]), (&json!(repair), &json!("repaired")));
    assert_eq!(
        (&shown["repairs"][0]["by"], &shown["repairs"][0]["expected"]["status"]),
        (&json!("operator"), &json!("active"))
    );
    assert!(shown["closed_at"].is_string());

    let run = repair.split_once('/').expect("a run and a number").0;
    let shown = stage.get(&format!("/v1/runs/{run}")).await.expect(200, "").json();
    assert_eq!(
        (&shown["cause"], &shown["by"], &shown["repairs"]["states"]),
        (&json!("reconcile"), &json!("operator"), &json!({"repaired": 1}))
    );
    assert_eq!((&shown["comparison"]["equal"], &shown["comparison"]["open"]), (&json!(2), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_and_proofs_are_lists_without_gaps() {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET plan = 'free' WHERE id = 'b'");
    for _ in 0..5 {
        stage.compare();
    }
    for list in ["runs", "proofs"] {
        let name = if list == "runs" { "id" } else { "run" };
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = stage.get(&format!("/v1/{list}?pair=accounts&limit=2{cursor}")).await.expect(200, "").json();
            seen.extend(page["data"].as_array().expect("a list").iter().map(|one| one[name].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.len(), 5, "{list}");
        assert!(seen.windows(2).all(|two| two[0].as_str() > two[1].as_str()), "newest first");
    }
    assert_eq!(stage.get("/v1/runs?pair=others").await.json()["data"], json!([]));
    let proof = stage.get("/v1/proofs?limit=1").await.json()["data"][0].clone();
    let statement = proof["statement"].as_str().expect("a text");
    assert!(
        statement.starts_with("2 records of `accounts` up to ") && statement.ends_with("equal, 0 repaired, 1 open"),
        "{statement}"
    );
    assert_eq!(
        (&proof["left"]["records"], &proof["equal"]["records"], &proof["rechecked"]),
        (&json!(3), &json!(2), &Value::Null)
    );
    let run = proof["run"].as_str().expect("its run");
    let again = stage.get(&format!("/v1/proofs/{run}?recheck=true")).await.expect(200, "").json();
    assert_eq!(again["rechecked"], json!({"holds": true, "what": null}));
    // What is taken out of what was kept does not come out.
    let kept = Connection::open(stage.files.path().join("data/drift/quittance.db")).expect("the runs");
    kept.execute_batch("DELETE FROM drifts").expect("removed");
    let broken = stage.get(&format!("/v1/proofs/{run}?recheck=true")).await.expect(200, "").json();
    assert_eq!(broken["rechecked"]["holds"], json!(false));
}
