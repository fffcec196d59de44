//! What is true of a record: who is asked, how often, what is remembered, and what is answered when nobody can be asked.

mod redis;

use super::app::{ADMIN, App, READER, STRANGER, WEBHOOK_SECRETS, bearer};
use super::call::{Answer, Call};
use super::webhooks::{deliver, sign};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A provider that counts what it is asked, answers when it may, and fails when it is told to.
#[derive(Clone)]
struct Provider {
    base: String,
    state: Arc<Mutex<Books>>,
    gate: Arc<watch::Sender<bool>>,
}

#[derive(Default)]
struct Books {
    subscriptions: BTreeMap<String, Value>,
    calls: usize,
    is_down: bool,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let provider = Self { base, state: Arc::default(), gate: Arc::new(watch::Sender::new(true)) };
        let router = Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn keep(&self, id: &str, customer: &str, status: &str) {
        let subscription = json!({
            "id": id, "object": "subscription", "customer": customer, "status": status, "secret": "not mapped",
            "metadata": {"plan": "pro"}, "quantity": 9_007_199_254_740_993_i64,
        });
        self.books(|books| books.subscriptions.insert(id.to_owned(), subscription));
    }

    fn books<T>(&self, change: impl FnOnce(&mut Books) -> T) -> T {
        change(&mut self.state.lock().expect("nobody failed"))
    }

    fn calls(&self) -> usize {
        self.books(|books| books.calls)
    }

    fn is_down(&self, is_down: bool) {
        self.books(|books| books.is_down = is_down);
    }

    /// What has arrived waits for its answer from now on, or no more.
    fn open(&self, is_open: bool) {
        self.gate.send_replace(is_open);
    }

    /// Waits until it has been asked so often.
    async fn until(&self, calls: usize) {
        while self.calls() < calls {
            tokio::task::yield_now().await;
        }
    }
}

async fn answer(State(provider): State<Provider>, request: Request) -> Response {
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    let (is_down, found) = provider.books(|books| {
        books.calls += 1;
        let found = match path.strip_prefix("/v1/subscriptions/") {
            Some(id) => books.subscriptions.get(id).cloned().into_iter().collect(),
            None => {
                let is_theirs =
                    |one: &&Value| query.contains(&format!("customer={}", one["customer"].as_str().unwrap()));
                books.subscriptions.values().filter(is_theirs).cloned().collect::<Vec<_>>()
            }
        };
        (books.is_down, found)
    });
    // What was found is what there was when the question came, however long the answer takes.
    let mut gate = provider.gate.subscribe();
    gate.wait_for(|is_open| *is_open).await.expect("the provider is there");
    if is_down {
        return (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(json!({"error": {"message": "down"}}))).into_response();
    }
    if path.ends_with("/subscriptions") {
        return axum::Json(json!({"object": "list", "data": found, "has_more": false})).into_response();
    }
    match found.first() {
        Some(one) => axum::Json(one.clone()).into_response(),
        None => {
            let error =
                json!({"error": {"code": "resource_missing", "type": "invalid_request_error", "message": "no"}});
            (StatusCode::NOT_FOUND, axum::Json(error)).into_response()
        }
    }
}

struct Stage {
    app: App,
    provider: Provider,
    /// Where the credential is, which is read whenever the system is opened.
    _files: tempfile::TempDir,
}

impl Stage {
    /// A pair that believes the provider; its gateway `stripe` is there, too.
    async fn open(truth: &str, key: &str) -> Self {
        Self::open_at(Provider::start().await, truth, key, "rk_test_1", "").await
    }

    /// The same at a provider that others ask, too, by a credential, and with more configuration.
    async fn open_at(provider: Provider, truth: &str, key: &str, credential: &str, more: &str) -> Self {
        let files = tempfile::TempDir::new().expect("a folder");
        let secret = files.path().join("secret");
        std::fs::write(&secret, credential).expect("a secret written");
        let more = format!(
            r#"{more}
[systems.app]
kind = "sqlite"
path = "/nonexistent/app.db"
[systems.billing]
kind = "stripe"
api_base = "{base}"
api_key = "file:{secret}"
requests_per_second_max = 1000
[pairs.subscriptions]
left = {{ system = "app", table = "accounts" }}
right = {{ system = "billing", object = "subscription" }}
match = [ {{ left = "subscription_id", right = "{key}" }} ]
fields = [
    {{ left = "status", right = "status", values = [ {{ left = "active", right = ["active", "trialing"] }}, {{ left = "ended", right = "canceled" }} ] }},
    {{ left = "plan", right = "/metadata/plan" }},
    {{ left = "quantity", right = "quantity" }},
    {{ left = "coupon", right = "coupon" }},
]
truth = {{ side = "right", calls_max = 8, {truth} }}
[pairs.silent]
left = {{ system = "app", table = "accounts" }}
right = {{ system = "billing", object = "subscription" }}
match = [ {{ left = "id", right = "id" }} ]
"#,
            base = provider.base,
            secret = secret.display(),
        );
        let place = super::app::Place::Memory(quittance_store::memory::MemoryDatabase::new());
        let address = provider.base.trim_start_matches("http://").parse().expect("an address");
        Self { app: App::start_configured(place, address, "", &more).await, provider, _files: files }
    }

    async fn ask(&self, key: &str) -> Answer {
        self.ask_as(ADMIN, &format!("/v1/truth/subscriptions/{key}")).await
    }

    async fn ask_as(&self, secret: &str, path: &str) -> Answer {
        self.app.send(Call::new("GET", path).header("authorization", &bearer(secret))).await
    }

    /// The provider tells that something about an object has changed.
    async fn tell(&self, no: usize, object: &str) {
        let event = json!({
            "id": format!("evt_{no}"), "type": "customer.subscription.updated", "created": 1_700_000_000,
            "livemode": false, "data": {"object": {"id": object, "object": "subscription"}},
        });
        let event = event.to_string();
        let signature = sign(WEBHOOK_SECRETS[0], self.app.handle.now().seconds(), event.as_bytes());
        assert_eq!(deliver(&self.app, &signature, event.as_bytes()).await.status, 200);
    }
}

fn told(answer: &Answer) -> (String, String) {
    (answer.text("/fields/status"), answer.text("/source"))
}

fn pair_of<'t>(status: &'t str, source: &'t str) -> (String, String) {
    (status.to_owned(), source.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_told_as_its_fields_are_mapped_and_nothing_else_of_it() {
    let stage = Stage::open("max_age = \"5m\"", "id").await;
    stage.provider.keep("sub_1", "cus_1", "trialing");
    stage.provider.keep("sub_2", "cus_2", "paused");
    let answer = stage.ask("sub_1").await.expect(200, "").json();
    let fields = json!({
        "status": "active", "plan": "pro", "quantity": "9007199254740993", "coupon": {"absent": true},
    });
    assert_eq!(answer["fields"], fields);
    assert_eq!(
        (&answer["found"], &answer["system"], &answer["source"]),
        (&json!(true), &json!("billing"), &json!("provider"))
    );
    assert!(!answer.to_string().contains("not mapped"), "{answer}");
    let unknown = stage.ask("sub_2").await.json();
    assert_eq!((&unknown["fields"]["status"], &unknown["unmapped"]), (&Value::Null, &json!({"status": "paused"})));
    let again = stage.ask("sub_1").await.json();
    assert_eq!((&again["source"], &again["fields"], &again["as_of"]), (&json!("cache"), &fields, &answer["as_of"]));
    assert_eq!(stage.provider.calls(), 2);
    let fresh = stage.ask("sub_1?max_age=0").await.json();
    assert_eq!((&fresh["source"], stage.provider.calls()), (&json!("provider"), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_miss_at_once_are_one_question() {
    let stage = Arc::new(Stage::open("max_age = \"5m\", timeout = \"60s\"", "id").await);
    stage.provider.keep("sub_1", "cus_1", "active");
    stage.provider.open(false);
    let ask = |_| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.ask("sub_1").await })
    };
    let asked: Vec<_> = (0..999).map(ask).collect();
    stage.provider.until(1).await;
    stage.provider.open(true);
    for answer in asked {
        assert_eq!(answer.await.expect("answered").expect(200, "").text("/fields/status"), "active");
    }
    assert_eq!(stage.provider.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_there_twice_is_said() {
    let stage = Stage::open("negative_max_age = \"1h\"", "customer").await;
    stage.provider.keep("sub_1", "cus_1", "active");
    stage.provider.keep("sub_2", "cus_1", "active");
    stage.provider.keep("sub_3", "cus_3", "active");
    stage.ask("cus_1").await.expect(409, "truth-ambiguous");
    for _ in 0..2 {
        let nobody = stage.ask("cus_none").await.expect(200, "").json();
        assert_eq!((&nobody["found"], &nobody["fields"]), (&json!(false), &Value::Null));
    }
    assert_eq!((stage.ask("cus_3").await.text("/found"), stage.provider.calls()), ("true".to_owned(), 3));
    let strict = Stage::open("not_found = \"error\", negative_max_age = \"0s\"", "id").await;
    strict.ask("sub_none").await.expect(404, "not-found");
    strict.ask("sub_none").await.expect(404, "not-found");
    assert_eq!(strict.provider.calls(), 2, "remembered for no time at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fails_is_answered_for_by_the_policy_and_left_alone() {
    for (policy, status, code) in
        [("policy = \"deny\"", 503, "truth-unavailable"), ("policy = \"error\"", 502, "truth-provider-failed")]
    {
        let stage = Stage::open(policy, "id").await;
        stage.provider.keep("sub_1", "cus_1", "active");
        stage.ask("sub_1").await.expect(200, "");
        stage.provider.is_down(true);
        assert_eq!(told(&stage.ask("sub_1").await), pair_of("active", "cache"));
        let refused = stage.ask("sub_1?max_age=0").await.expect(status, code);
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert!(!String::from_utf8_lossy(&refused.body).contains("sub_1"), "nothing of the request is repeated");
        // How often it is asked meanwhile depends on how long each question takes: that it is left alone is told by `backoff`.
        for _ in 0..5 {
            stage.ask("sub_1?max_age=0").await.expect(status, code);
        }
    }
    let stage = Stage::open("max_age = \"0s\", stale_if_error = \"1h\"", "id").await;
    stage.provider.keep("sub_1", "cus_1", "active");
    stage.ask("sub_1").await.expect(200, "");
    stage.provider.is_down(true);
    let stale = stage.ask("sub_1").await.expect(200, "");
    assert_eq!(told(&stale), pair_of("active", "stale"));
    assert!(stale.json()["age_ms"].is_u64());
    stage.ask("sub_2").await.expect(502, "truth-provider-failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_well_again_is_asked_again() {
    let stage = Stage::open("policy = \"error\"", "id").await;
    stage.provider.keep("sub_1", "cus_1", "active");
    stage.provider.is_down(true);
    for _ in 0..5 {
        stage.ask("sub_1").await.expect(502, "truth-provider-failed");
    }
    stage.provider.is_down(false);
    let answer = stage.app.until("/v1/truth/subscriptions/sub_1", |answer| answer.status == 200).await;
    assert_eq!(told(&answer), pair_of("active", "provider"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_too_slow_is_not_waited_for_and_heard_later() {
    let stage = Stage::open("timeout = \"50ms\", policy = \"error\"", "id").await;
    stage.provider.keep("sub_1", "cus_1", "active");
    stage.provider.open(false);
    stage.ask("sub_1").await.expect(502, "truth-provider-failed");
    stage.provider.open(true);
    stage.app.until("/v1/truth/subscriptions/sub_1", |answer| answer.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_has_its_record_asked_anew() {
    for (key, of_record) in [("id", "sub_1"), ("customer", "cus_1")] {
        let stage = Stage::open("max_age = \"1h\"", key).await;
        stage.provider.keep("sub_1", "cus_1", "active");
        stage.ask(of_record).await.expect(200, "");
        stage.provider.keep("sub_1", "cus_1", "canceled");
        assert_eq!(told(&stage.ask(of_record).await), pair_of("active", "cache"));
        stage.tell(1, "sub_other").await;
        assert_eq!(told(&stage.ask(of_record).await), pair_of("active", "cache"));
        stage.tell(2, "sub_1").await;
        assert_eq!(told(&stage.ask(of_record).await), pair_of("ended", "provider"), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_a_webhook_is_not_remembered_after_it() {
    let stage = Arc::new(Stage::open("max_age = \"1h\", timeout = \"60s\"", "id").await);
    stage.provider.keep("sub_1", "cus_1", "active");
    stage.provider.open(false);
    let first = {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.ask("sub_1").await })
    };
    stage.provider.until(1).await;
    // The question has arrived, and its answer is on the way when the record changes.
    stage.provider.keep("sub_1", "cus_1", "canceled");
    stage.tell(1, "sub_1").await;
    let second = {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.ask("sub_1").await })
    };
    stage.provider.until(2).await;
    stage.provider.open(true);
    assert_eq!(told(&first.await.expect("answered")), pair_of("active", "provider"));
    assert_eq!(told(&second.await.expect("answered")), pair_of("ended", "provider"));
    assert_eq!(told(&stage.ask("sub_1").await), pair_of("ended", "cache"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_changed_a_record_can_have_it_asked_anew() {
    let stage = Stage::open("max_age = \"1h\", tenants = [\"first\"]", "id").await;
    stage.provider.keep("sub_1", "cus_1", "active");
    stage.ask("sub_1").await.expect(200, "");
    stage.provider.keep("sub_1", "cus_1", "canceled");
    let forget =
        |secret| Call::new("POST", "/v1/truth/subscriptions/sub_1/invalidate").header("authorization", &bearer(secret));
    stage.app.send(forget(READER)).await.expect(403, "forbidden");
    stage.app.send(forget(STRANGER)).await.expect(404, "not-found");
    assert_eq!(told(&stage.ask("sub_1").await), pair_of("active", "cache"));
    stage.app.send(forget(super::app::WRITER)).await.expect(200, "");
    assert_eq!(told(&stage.ask("sub_1").await), pair_of("ended", "provider"));
    let body = forget(ADMIN).header("content-type", "application/json").body("{\"all\": true}");
    stage.app.send(body).await.expect(400, "invalid-body");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tenants_that_a_pair_names_may_ask() {
    let stage = Stage::open("tenants = [\"first\"]", "id").await;
    stage.provider.keep("sub_1", "cus_1", "active");
    let path = "/v1/truth/subscriptions/sub_1";
    stage.ask_as(READER, path).await.expect(200, "");
    stage.ask_as(STRANGER, path).await.expect(404, "not-found");
    let closed = Stage::open("max_age = \"1m\"", "id").await;
    closed.ask_as(READER, path).await.expect(404, "not-found");
    closed.ask_as(ADMIN, path).await.expect(200, "");
    for path in ["/v1/truth/silent/sub_1", "/v1/truth/none/sub_1"] {
        closed.ask_as(ADMIN, path).await.expect(404, "not-found");
    }
    closed.app.send(Call::new("GET", path)).await.expect(401, "unauthorised");
    assert_eq!((stage.provider.calls(), closed.provider.calls()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_make_no_sense_are_refused_before_anybody_is_asked() {
    let stage = Stage::open("max_age = \"1m\"", "id").await;
    for query in ["max_age=-1", "max_age=1.5", "max_age=604801", "max_age=", "max_age=99999999999999999999", "age=1"] {
        stage.ask(&format!("sub_1?{query}")).await.expect(400, "invalid-parameter");
    }
    for key in ["4242424242424242", "%00", "%ff", &"x".repeat(513)] {
        let answer = stage.ask(key).await;
        assert_eq!(answer.status, 400, "{key}");
    }
    assert_eq!(stage.provider.calls(), 0);
    // What is no key of this system is nobody's; it is asked for as it is, and never as another path.
    for key in ["..%2Fcustomers%2Fcus_1", "a%20b", "%F0%9F%92%A9", "sub_1%3Fexpand"] {
        assert_eq!(stage.ask(key).await.expect(200, "").text("/found"), "false", "{key}");
    }
}
