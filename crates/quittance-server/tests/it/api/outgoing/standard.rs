//! Receivers by other hands: the libraries of Standard Webhooks and of Svix verify what is sent.

use super::{LOCAL, Receiver, keyed, listen, pay};
use crate::api::app::App;
use quittance_server::schemas::Schema;
use quittance_surroundings::Peer;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

#[tokio::test(flavor = "multi_thread")]
async fn the_libraries_of_standard_webhooks_and_svix_verify_deliveries() {
    let subject = "outgoing webhooks with standardwebhooks and svix";
    let Some(python) = Peer::Python.find(subject) else { return };
    let (receiver, app) = (Receiver::default(), App::start_with(LOCAL).await);
    let (endpoint, old) = listen(&app, "e", &receiver.start().await, r#"["*"]"#).await;
    let rotated = keyed(&app, &format!("/v1/webhook_endpoints/{endpoint}/rotate-secret"), "r", "{}").await;
    let new = rotated.expect(200, "").text("/secret");
    assert_ne!(old, new);
    let app = app.with_alice().await;
    let payment = pay(&app, "order-1").await;
    let body = format!(r#"{{"payment": "{payment}", "amount": 5, "reference": "again"}}"#);
    app.post("/v1/refunds", "refund", &body).await.expect(201, "");
    let received = receiver.wait(7).await;
    let deliveries: Vec<Value> = received
        .iter()
        .map(|one| {
            let headers: serde_json::Map<String, Value> =
                one.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            json!({ "headers": headers, "body": one.body })
        })
        .collect();
    let schemas: Vec<Value> = Schema::all().map(Schema::document).collect();
    let asked = json!({ "secrets": [new, old], "deliveries": deliveries, "schemas": schemas });
    let mut told: Vec<String> = tokio::task::spawn_blocking(move || verified(&python, &asked)).await.expect("ended");
    told.sort();
    let mut sent: Vec<String> = received.iter().map(|one| one.kind()).collect();
    sent.sort();
    assert_eq!(told, sent);
}

/// What the script says of each delivery: its type.
fn verified(python: &Path, asked: &Value) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/receiver.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python can be started");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(asked.to_string().as_bytes()).expect("the script reads");
    drop(input);
    let output = child.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "the script says why above");
    String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
}
