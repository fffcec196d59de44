//! The binary under test, its servers, and a client of theirs. Waits on what is printed or answered, never on time alone.

pub(crate) use quittance_surroundings::Server;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Longest wait for anything that a server is asked.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a configuration and data.
pub(crate) struct Home {
    pub(crate) directory: TempDir,
}

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// What was printed, as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

impl Home {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().expect("a temporary directory") }
    }

    /// One whose server charges through this gateway, and asks again quickly.
    pub(crate) fn with_gateway(gateway: &str) -> Self {
        let home = Self::new();
        home.write("key", "sk_test_it");
        home.write("secret", "whsec_it");
        let folder = home.path("").display().to_string();
        let folder = folder.trim_end_matches('/');
        home.write(
            "quittance.toml",
            &format!(
                "[gateways.sandbox]\nkind = \"stripe\"\napi_base = \"{gateway}\"\napi_key = \"file:{folder}/key\"\n\
                 webhook_endpoint = \"we_it\"\nwebhook_secrets = [\"file:{folder}/secret\"]\ntimeout_ms = 2000\n\
                 backoff_base_ms = 20\nbackoff_max_ms = 200\n"
            ),
        );
        home
    }

    /// One whose server pays through the rail of this sandbox, and takes this long to believe that nothing is there; with
    /// more settings of the gateway's.
    pub(crate) fn with_rail(gateway: &str, quiescence_s: u64, more: &str) -> Self {
        let home = Self::new();
        home.write("key", "sk_test_it");
        let folder = home.path("").display().to_string();
        let folder = folder.trim_end_matches('/');
        home.write(
            "quittance.toml",
            &format!(
                "[gateways.rail]\nkind = \"rail\"\napi_base = \"{gateway}\"\napi_key = \"file:{folder}/key\"\n\
                 backoff_base_ms = 20\nbackoff_max_ms = 200\npending_poll_ms = 200\nquiescence_s = {quiescence_s}\n\
                 quiescence_after_error_s = {quiescence_s}\n{more}"
            ),
        );
        home
    }

    /// Adds settings of its gateway to the configuration.
    pub(crate) fn configure(&self, settings: &str) {
        let text = std::fs::read_to_string(self.path("quittance.toml")).expect("a configuration");
        self.write("quittance.toml", &format!("{text}{settings}"));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// The binary, in this directory, with the words and this data directory.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = bare(words, self.directory.path());
        command.arg("--data").arg(self.data());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        end(&mut self.command(words))
    }

    /// Starts a server on the data.
    pub(crate) fn serve(&self) -> Server {
        Server::start(&mut self.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    /// A secret of a new credential that may do everything.
    pub(crate) fn credential(&self) -> String {
        let ended = self.run(&["key", "create", "--name", "it", "--scopes", "admin", "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()["secret"].as_str().expect("a secret").to_owned()
    }
}

/// The binary with these words, in a directory of the test's.
pub(crate) fn bare(words: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quittance"));
    command.args(words).current_dir(directory).stdin(Stdio::null()).env_remove("QUITTANCE_LOG").env_remove("COLUMNS");
    command
}

/// Runs a command to its end.
pub(crate) fn end(command: &mut Command) -> Ended {
    let output = command.output().expect("it runs");
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A gateway that does as it is told.
pub(crate) fn sandbox(home: &Home) -> Server {
    Server::start(&mut bare(&["sandbox", "--listen", "127.0.0.1:0", "--seed", "7"], home.directory.path()))
}

/// A client of one server.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    base: String,
    secret: Option<String>,
}

impl Client {
    pub(crate) fn new(base: &str, secret: Option<&str>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { runtime, client, base: base.to_owned(), secret: secret.map(str::to_owned) }
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        self.send(self.client.get(format!("{}{path}", self.base)))
    }

    /// What is there, as it came.
    pub(crate) fn get_text(&self, path: &str) -> String {
        self.answer(self.client.get(format!("{}{path}", self.base))).body
    }

    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let answer = self.post_for_bytes(path, key, body);
        (answer.status, answer.json())
    }

    /// The same, with the answer as it came.
    pub(crate) fn post_for_bytes(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.client.post(format!("{}{path}", self.base)).header("Idempotency-Key", key);
        self.answer(request.json(body))
    }

    pub(crate) fn delete(&self, path: &str) -> (u16, Value) {
        self.send(self.client.delete(format!("{}{path}", self.base)))
    }

    /// Posts a form, which is what gateways take.
    pub(crate) fn post_form(&self, path: &str, key: &str, form: &str) -> Answer {
        let request = self.client.post(format!("{}{path}", self.base)).header("Idempotency-Key", key);
        self.answer(request.header("Content-Type", "application/x-www-form-urlencoded").body(form.to_owned()))
    }

    /// The same, without waiting for the outcome.
    pub(crate) fn post_async(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.base)).header("Idempotency-Key", key);
        self.send(request.header("Prefer", "respond-async").json(body))
    }

    fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let answer = self.answer(request);
        (answer.status, answer.json())
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = match &self.secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        };
        self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            let status = answer.status().as_u16();
            let is_replayed = answer.headers().get("Idempotent-Replayed").is_some_and(|value| value == "true");
            Answer { status, is_replayed, body: answer.text().await.expect("a whole body") }
        })
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) is_replayed: bool,
    pub(crate) body: String,
}

impl Answer {
    /// The body, or null where it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// A home whose server took a payment through a sandbox, was told of it by webhooks, and still runs.
pub(crate) struct Shop {
    pub(crate) home: Home,
    pub(crate) server: Server,
    _sandbox: Server,
    /// As the client got it.
    pub(crate) payment: Value,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let place = Home::new();
        let sandbox = sandbox(&place);
        let home = Home::with_gateway(&sandbox.base);
        let secret = home.credential();
        let server = home.serve();
        let gateway = Client::new(&sandbox.base, None);
        let target = json!({"url": format!("{}/webhooks/we_it", server.base), "secrets": ["whsec_it"]});
        assert_eq!(gateway.post("/_sandbox/webhook_target", "-", &target).0, 200);
        let client = Client::new(&server.base, Some(&secret));
        let (status, customer) =
            client.post("/v1/customers", "customer-1", &json!({"name": "Anna", "external_id": "anna"}));
        assert_eq!(status, 201, "{customer}");
        let asked = json!({
            "customer": customer["id"], "amount": 1999, "currency": "USD", "gateway": "sandbox",
            "payment_method": "pm_card_visa", "reference": "order-1",
        });
        let (status, payment) = client.post("/v1/payments", "payment-1", &asked);
        assert_eq!((status, payment["status"].as_str()), (201, Some("succeeded")), "{payment}");
        Self { home, server, _sandbox: sandbox, payment }
    }

    pub(crate) fn member(&self, name: &str) -> &str {
        self.payment[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.payment))
    }
}

/// A number that `cargo xtask soak` says, such as `QUITTANCE_SOAK_SECONDS`.
#[expect(clippy::disallowed_methods, reason = "tests are told about soaks by the environment")]
pub(crate) fn soak(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Whether tests that are too long for every change are wanted.
pub(crate) fn is_soaking() -> bool {
    soak("QUITTANCE_SOAK").is_some()
}
