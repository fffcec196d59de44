//! The server from start to stop, and operators' commands with and without it.

use quittance_server::config::Config;
use quittance_server::operate::{self, OperateError, Operation, run_directly};
use quittance_server::roles::Roles;
use quittance_server::serve::{ServeError, ServeOptions, serve};
use quittance_store::store::StoreError;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

fn options(data: &Path, config: Config) -> (ServeOptions, oneshot::Receiver<SocketAddr>) {
    let (ready, address) = oneshot::channel();
    let on_ready = Box::new(move |address| {
        let _ = ready.send(address);
    });
    let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    (ServeOptions { config, data: data.into(), roles: Roles::ALL, listen, on_ready: Some(on_ready) }, address)
}

async fn start(data: &Path) -> Running {
    let (options, address) = options(data, Config::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(options, async move {
        let _ = stopped.await;
    }));
    Running { address: address.await.expect("the server starts"), stop, server }
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

async fn run(data: &Path, operation: &Operation) -> Result<Value, OperateError> {
    operate::run(&data.into(), operation, &BTreeSet::new()).await
}

fn pause(gateway: Option<&str>, reason: Option<&str>) -> Operation {
    Operation::Pause { gateway: gateway.map(str::to_owned), reason: reason.map(str::to_owned) }
}

fn create_key(name: &str, tenant: Option<&str>) -> Operation {
    Operation::CreateKey { tenant: tenant.map(str::to_owned), name: name.to_owned(), scope: "admin".to_owned() }
}

fn create_tenant(name: &str) -> Operation {
    Operation::CreateTenant { name: name.to_owned(), mode: "live".to_owned() }
}

fn count(answer: &Value) -> usize {
    answer["data"].as_array().unwrap().len()
}

#[tokio::test]
async fn operators_commands_mean_the_same_with_and_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let before = run(&data, &create_key("first", None)).await.unwrap();
    let secret = before["secret"].as_str().unwrap();
    assert!(secret.starts_with("qk_test_") && secret.len() == "qk_test_".len() + 52, "{secret}");

    let running = start(&data).await;
    assert!(matches!(
        run_directly(&data.as_path().into(), &Operation::ListKeys, &BTreeSet::new()),
        Err(OperateError::Store { source: StoreError::Locked { .. }, .. })
    ));
    let mode = std::fs::metadata(data.join("control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let during = run(&data, &create_key("second", None)).await.unwrap();
    assert_eq!(during["tenant"], before["tenant"]);
    assert_ne!(during["secret"], before["secret"]);
    let tenant = run(&data, &create_tenant("acme")).await.unwrap();
    assert_eq!((&tenant["name"], &tenant["mode"]), (&"acme".into(), &"live".into()));
    assert!(matches!(run(&data, &create_tenant("acme")).await, Err(OperateError::Conflict(_))));
    let ambiguous = run(&data, &create_key("third", None)).await.unwrap_err().to_string();
    assert_eq!(ambiguous, "there are 2 tenants: say which one by its name or id");
    let live = run(&data, &create_key("third", Some("acme"))).await.unwrap();
    assert!(live["secret"].as_str().unwrap().starts_with("qk_live_"));
    let id = live["id"].as_str().unwrap().to_owned();
    let revoked = run(&data, &Operation::RevokeKey { id }).await.unwrap();
    assert_eq!(revoked["id"], live["id"]);
    let id = during["id"].as_str().unwrap().to_owned();
    let rotate = Operation::RotateKey { id, overlap_s: 3_600 };
    let rotated = run(&data, &rotate).await.unwrap();
    assert_eq!(
        (&rotated["name"], &rotated["scope"], &rotated["tenant"]),
        (&during["name"], &during["scope"], &during["tenant"])
    );
    assert!(rotated["secret"] != during["secret"] && rotated["replaces"]["id"] == during["id"], "{rotated}");
    let again = run(&data, &rotate).await.unwrap_err().to_string();
    assert_eq!(again, "the key is revoked, or has a successor already");
    running.stop().await;
    assert!(!data.join("control.sock").exists());

    let keys = run(&data, &Operation::ListKeys).await.unwrap();
    assert_eq!((count(&keys), count(&run(&data, &Operation::ListTenants).await.unwrap())), (4, 2));
    let ended = keys["data"].as_array().unwrap().iter().filter(|key| key["ends_at"].is_string()).collect::<Vec<_>>();
    assert!(ended.len() == 1 && ended[0]["id"] == during["id"], "{keys}");
    assert!(!keys.to_string().contains("qk_"), "{keys}");
    let state = |name: &str| {
        keys["data"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap()["revoked_at"].is_string()
    };
    assert!(!state("first") && state("third"));
}

#[tokio::test]
async fn a_wrong_operation_is_refused_the_same_way_everywhere() {
    let directory = tempfile::tempdir().unwrap();
    let unknown = Operation::RevokeKey { id: "key_00000000000000000000000000".to_owned() };
    let long = "r".repeat(501);
    let wrong = [
        (pause(Some("nowhere"), None), "no gateway of this name is configured"),
        (pause(None, Some(&long)), "a reason has 1 to 500 bytes"),
        (Operation::RevokeKey { id: "../tenants".to_owned() }, "no id of a key"),
        (unknown, "no such key exists"),
        (Operation::RotateKey { id: "key_00000000000000000000000000".to_owned(), overlap_s: 0 }, "no such key exists"),
        (Operation::RotateKey { id: "key_1".to_owned(), overlap_s: 0 }, "no id of a key"),
        (Operation::RotateKey { id: String::new(), overlap_s: u64::MAX }, "the old key goes on for 90 days at most"),
        (create_tenant(""), "a name has 1 to 255 bytes"),
        (create_key("k", Some("nobody")), "no tenant has this name or id"),
        (Operation::CreateTenant { name: "t".to_owned(), mode: "prod".to_owned() }, "mode is `live` or `test`"),
    ];
    for (operation, expected) in &wrong {
        let error = run(directory.path(), operation).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let running = start(directory.path()).await;
    for (operation, expected) in &wrong {
        let error = run(directory.path(), operation).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_pause_is_the_same_with_and_without_a_server() {
    let directory = tempfile::tempdir().unwrap();
    let before = run(directory.path(), &pause(None, Some("audit"))).await.unwrap();
    let paused = &before["paused"][0];
    assert_eq!(
        (&paused["gateway"], &paused["reason"], &paused["by"]),
        (&"*".into(), &"audit".into(), &"operator".into())
    );
    let running = start(directory.path()).await;
    assert_eq!(run(directory.path(), &pause(None, Some("again"))).await.unwrap(), before, "it was paused already");
    let resume = Operation::Resume { gateway: None, reason: None };
    assert_eq!(run(directory.path(), &resume).await.unwrap()["paused"], Value::Array(Vec::new()));
    running.stop().await;
    assert_eq!(run(directory.path(), &resume).await.unwrap()["paused"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn what_is_in_the_way_of_a_start_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let running = start(directory.path()).await;
    let attempt = |options: ServeOptions| serve(options, std::future::pending());

    let (second, _) = options(directory.path(), Config::default());
    let error = attempt(second).await.unwrap_err();
    assert!(matches!(error, ServeError::Open { source: StoreError::Locked { .. }, .. }), "{error:?}");
    assert_eq!(error.exit_code(), 3);
    assert!(run(directory.path(), &Operation::ListTenants).await.is_ok(), "the first one's socket is still there");

    let elsewhere = tempfile::tempdir().unwrap();
    let (mut taken, _) = options(elsewhere.path(), Config::default());
    taken.listen = Some(running.address);
    assert!(matches!(attempt(taken).await, Err(ServeError::Listen { .. })));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing was begun");

    let text = "[gateways.s]\nkind = \"stripe\"\napi_key = \"file:/nonexistent\"\n";
    let (keyless, _) = options(elsewhere.path(), Config::from_text(text, &|_| None).unwrap());
    let error = attempt(keyless).await.unwrap_err();
    assert!(matches!(error, ServeError::Config(_)), "{error:?}");
    assert_eq!(error.exit_code(), 2);
    running.stop().await;
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(directory.path().join("control.sock")).unwrap());
    assert!(run(directory.path(), &create_tenant("a")).await.is_ok(), "nobody listens there");
    let running = start(directory.path()).await;
    assert!(run(directory.path(), &create_tenant("b")).await.is_ok());
    running.stop().await;
}
