//! A server without a socket: the router over a running engine, with a sandbox and a gateway that never answers.

use super::call::{Answer, Call};
use super::gate::{Gate, GatedStore};
use super::watch::{Watch, WatchedReader, WatchedStore};
use axum::Router;
use quittance_core::id::{ApiKeyId, TenantId};
use quittance_core::tenant::{ApiKey, Mode, Scope, Tenant};
use quittance_core::time::Timestamp;
use quittance_engine::breaker;
use quittance_engine::submission::{Outcome, Submission};
use quittance_sandbox::Sandbox;
use quittance_server::api::router;
use quittance_server::config::Config;
use quittance_server::data::Data;
use quittance_server::roles::Roles;
use quittance_server::runtime::{Database, Handle, Runtime};
use quittance_store::memory::MemoryDatabase;
use sha2::{Digest, Sha256};
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The secret of the webhook endpoint `we_main`, and the one before it.
pub const WEBHOOK_SECRETS: [&str; 2] = ["whsec_new", "whsec_old"];

/// Secrets of the API keys of the first tenant.
pub const WRITER: &str = "qk_test_writer";
pub const READER: &str = "qk_test_reader";
/// A writer of the other tenant.
pub const STRANGER: &str = "qk_test_stranger";
/// An administrator of the first tenant.
pub const ADMIN: &str = "qk_test_admin";

/// Longer than any of this takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the data is.
pub enum Place {
    Memory(MemoryDatabase),
    Disk(TempDir),
    /// In a database that others may share.
    Shared(Data),
    /// In memory, behind a gate that stops the writer or lets it fail.
    Gated(MemoryDatabase, Gate),
    /// In memory, where every question to the store is written down.
    Watched(MemoryDatabase, Watch),
}

/// The server.
pub struct App {
    pub router: Router,
    pub handle: Handle,
    pub runtime: Runtime,
    pub place: Place,
    config: String,
    files: TempDir,
    /// Where the gateways `silent`, `tardy` and `live` are; what they were sent breaks off when it is dropped.
    pub silence: Option<TcpListener>,
}

impl App {
    /// A server with two tenants and three keys, on data in memory.
    pub async fn start() -> Self {
        Self::start_on(Place::Memory(MemoryDatabase::new())).await
    }

    /// The same, on data of the caller's.
    pub async fn start_on(place: Place) -> Self {
        Self::start_at(place, sandbox().await).await
    }

    /// The same on data in memory, with more configuration.
    pub async fn start_with(more: &str) -> Self {
        Self::start_configured(Place::Memory(MemoryDatabase::new()), sandbox().await, "", more).await
    }

    /// The same, where the gateway `stripe` is at this address.
    pub async fn start_at(place: Place, stripe: SocketAddr) -> Self {
        Self::start_configured(place, stripe, "", "").await
    }

    /// The same, with more settings of that gateway, and with more configuration.
    pub async fn start_configured(place: Place, stripe: SocketAddr, settings: &str, more: &str) -> Self {
        let files = TempDir::new().expect("a folder");
        for (name, value) in
            [("api", "sk_test_1"), ("live", "sk_live_1"), ("new", WEBHOOK_SECRETS[0]), ("old", WEBHOOK_SECRETS[1])]
        {
            std::fs::write(files.path().join(name), value).expect("a secret written");
        }
        let silence = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut config = configuration(&files, stripe, silence.local_addr().expect("an address"), settings);
        if matches!(place, Place::Gated(..)) {
            config.push_str("\n[server]\nqueue_entries_max = 1\nqueue_age_max_ms = 600000\n");
        }
        config.push_str(more);
        let runtime = start(&config, &place);
        let handle = runtime.handle();
        create(&handle).await;
        let router = router(handle.clone());
        Self { router, handle, runtime, place, config, files, silence: Some(silence) }
    }

    /// Stops the engine and starts another one on the same data.
    pub async fn restart(self) -> Self {
        self.restart_after(async || {}).await
    }

    /// The same, with something done while nobody is here.
    pub async fn restart_after(mut self, meanwhile: impl AsyncFnOnce()) -> Self {
        self.runtime.stop().await.expect("stopped");
        meanwhile().await;
        self.runtime = start(&self.config, &self.place);
        self.handle = self.runtime.handle();
        self.router = router(self.handle.clone());
        self
    }

    /// The operator puts another key for the gateway into the file of its secret; it is read with the next start.
    pub fn rotate_gateway_key(&self, key: &str) {
        std::fs::write(self.files.path().join("api"), key).expect("a secret written");
    }

    /// Another server on the same data, which has to be of a kind that can be shared.
    pub fn another(&self) -> Runtime {
        start(&self.config, &self.place)
    }

    pub async fn send(&self, call: Call) -> Answer {
        call.send(&self.router).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Call::new("GET", path).header("authorization", &bearer(READER))).await
    }

    /// Asks again and again until the answer is as wanted.
    pub async fn until(&self, path: &str, is_wanted: impl Fn(&Answer) -> bool) -> Answer {
        let ask = || self.send(Call::new("GET", path).header("authorization", &bearer(ADMIN)));
        let asking = async {
            loop {
                let answer = ask().await;
                if is_wanted(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(answer) => answer,
            Err(_) => panic!("{path} stays {}", String::from_utf8_lossy(&ask().await.body)),
        }
    }

    /// Posts JSON under a key.
    pub async fn post(&self, path: &str, key: &str, body: &str) -> Answer {
        self.send(post(path, key, body)).await
    }

    /// Makes the customer `alice`.
    pub async fn with_alice(self) -> Self {
        let answer = self.post("/v1/customers", "alice", r#"{"external_id": "alice"}"#).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        self
    }
}

/// A POST as a client sends it.
pub fn post(path: &str, key: &str, body: &str) -> Call {
    Call::new("POST", path)
        .header("authorization", &bearer(WRITER))
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(body)
}

pub fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

/// The body of a payment of `alice`.
pub fn payment(reference: &str, method: &str) -> String {
    payment_at("stripe", reference, method)
}

pub fn payment_at(gateway: &str, reference: &str, method: &str) -> String {
    format!(
        r#"{{"customer": "alice", "amount": 1999, "currency": "USD", "gateway": "{gateway}",
            "payment_method": "{method}", "reference": "{reference}", "metadata": {{"order": "7"}}}}"#
    )
}

/// A gateway of its own, well behaved.
pub async fn sandbox() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(Sandbox::new(quittance_sandbox::Config::default()).serve(listener, pending()));
    address
}

fn configuration(files: &TempDir, stripe: SocketAddr, silence: SocketAddr, settings: &str) -> String {
    let file = |name: &str| format!("file:{}", files.path().join(name).display());
    let (api, live, new, old) = (file("api"), file("live"), file("new"), file("old"));
    format!(
        r#"
[gateways.stripe]
kind = "stripe"
api_key = "{api}"
api_base = "http://{stripe}"
webhook_endpoint = "we_main"
webhook_secrets = ["{new}", "{old}"]
{settings}
[gateways.silent]
kind = "stripe"
api_key = "{api}"
api_base = "http://{silence}"

[gateways.tardy]
kind = "stripe"
api_key = "{api}"
api_base = "http://{silence}"
in_flight_max = 1
backlog_age_max_ms = 1

[gateways.live]
kind = "stripe"
api_key = "{live}"
api_base = "http://{silence}"
webhook_endpoint = "we_live"
webhook_secrets = ["{new}"]
"#
    )
}

fn start(config: &str, place: &Place) -> Runtime {
    let config = Config::from_text(config, &|_| None).unwrap_or_else(|error| panic!("{error:?}"));
    let secrets = config.resolve_secrets().unwrap_or_else(|error| panic!("{error:?}"));
    let database = match place {
        Place::Memory(database) => Database::in_memory(database),
        // What has a runtime of its own is opened apart from this one.
        Place::Shared(data) => return Runtime::start(config, data, Roles::ALL).expect("started"),
        Place::Disk(folder) => Database::open(&folder.path().into(), 1).expect("opened"),
        Place::Watched(database, watch) => Database {
            writer: Box::new(WatchedStore { inner: database.writer(), watch: watch.clone() }),
            lanes: Vec::new(),
            readers: vec![Box::new(WatchedReader { inner: database.reader(), watch: watch.clone() })],
        },
        Place::Gated(database, gate) => Database {
            writer: Box::new(GatedStore { inner: database.writer(), gate: gate.clone() }),
            lanes: Vec::new(),
            readers: vec![Box::new(database.reader())],
        },
    };
    Runtime::start_with(config, secrets, database, breaker::Limits::default(), Roles::ALL).expect("started")
}

async fn create(handle: &Handle) {
    let now = Timestamp::from_seconds(1_700_000_000);
    for (number, name) in [(1, "first"), (2, "second")] {
        let tenant = Tenant {
            id: TenantId::from_bytes([number; 16]),
            name: name.to_owned(),
            mode: Mode::Test,
            fingerprint_secret: [number; 32],
            gateway_key_secret: [number; 32],
            created_at: now,
        };
        submit(handle, Submission::CreateTenant(Box::new(tenant))).await;
    }
    for (number, tenant, secret, scope) in [
        (1, 1, WRITER, Scope::Write),
        (2, 1, READER, Scope::Read),
        (3, 2, STRANGER, Scope::Write),
        (4, 1, ADMIN, Scope::Admin),
    ] {
        let key = ApiKey {
            id: key_id(number),
            tenant: TenantId::from_bytes([tenant; 16]),
            digest: Sha256::digest(secret.as_bytes()).into(),
            name: secret.to_owned(),
            scope,
            created_at: now,
            revoked_at: None,
            ends_at: None,
            last_used_at: None,
        };
        submit(handle, Submission::CreateKey(Box::new(key))).await;
    }
}

/// The id of an API key: 1 the writer, 2 the reader, 3 the stranger, 4 the admin.
pub fn key_id(number: u8) -> ApiKeyId {
    ApiKeyId::from_bytes([number; 16])
}

pub async fn submit(handle: &Handle, submission: Submission) {
    let outcome = handle.submit(submission).await.expect("taken");
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
}
