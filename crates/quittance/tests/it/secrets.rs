//! Nothing secret in what a run writes: logs at their most talkative, answers, errors, metrics, files, backups, exports.

use crate::support::{Client, Home, Server, end, sandbox};
use serde_json::json;
use std::fs::{self, File};
use std::path::Path;

/// Card numbers that are sent where none belongs.
const CARDS: [&str; 2] = ["4242424242424242", "5555555555554444"];

/// What may stand nowhere.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn check(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            let found = bytes.windows(secret.len()).position(|bytes| bytes == secret.as_bytes());
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(200)..(at + 40).min(bytes.len())];
                panic!("{what} stands in {place}: {}", String::from_utf8_lossy(around));
            }
        }
    }

    fn check_files(&self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.check_files(&path);
            } else if path.is_file() {
                self.check(&path.display().to_string(), &fs::read(&path).expect("readable"));
            }
        }
    }
}

#[test]
fn a_talkative_run_tells_no_secret() {
    let gateway = sandbox(&Home::new());
    let home = Home::with_gateway(&gateway.base);
    let [api_key, webhook, master] = ["sk_test_Zq7verysecret", "whsec_Zq8verysecret", &"c0ffee51".repeat(8)];
    for (name, value) in [("key", api_key), ("secret", webhook), ("master", master)] {
        home.write(name, value);
    }
    home.configure(&format!(
        "[encryption]\nkeys = [{{ id = \"m1\", key = \"file:{}\" }}]\n",
        home.path("master").display()
    ));
    let credential = home.credential();
    let wrong = format!("{credential}x");
    let log = home.path("log");
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("QUITTANCE_LOG", "trace");
    let mut server = Server::start_logged(&mut command, File::create(&log).expect("a file"));
    let mut secrets = Secrets(vec![("the gateway's key", api_key.into()), ("the endpoint's secret", webhook.into())]);
    secrets.0.extend([("the master key", master.to_owned()), ("the client's key", credential.clone())]);
    secrets.0.extend(CARDS.map(|card| ("a card number", card.to_owned())));
    // Sealed with everything else that gateways and clients said.
    let told = trade(&gateway, &server, &credential, webhook);
    let mut answers = refusals(&server, &credential, &wrong);
    answers.push(told);
    answers.iter().for_each(|answer| secrets.check("an answer", answer.as_bytes()));
    let plain = Client::new(&server.base, None);
    for path in ["/metrics", "/readyz", "/openapi.json", "/healthz"] {
        secrets.check(path, plain.get(path).1.to_string().as_bytes());
    }
    secrets.check("/metrics", plain.get_text("/metrics").as_bytes());
    let backup = home.path("backup");
    let backup = backup.to_str().expect("UTF-8");
    for words in [
        &["backup", "--compression", "none", "--to", backup][..],
        &["key", "list", "--json"],
        &["tenant", "list"],
        &["check-config"],
        &["trace", "order-1"],
        &["trace", "paid"],
        &["prune"],
        &["key", "rotate-master", "--count"],
        &["export", "--to", "csv"],
        &["export", "--to", "jsonl"],
        &["export", "--to", "beancount"],
        &["export", "--to", "hledger"],
    ] {
        let ended = end(home.command(words).env("QUITTANCE_LOG", "trace"));
        assert_eq!(ended.code, 0, "{words:?} {ended:?}");
        secrets.check(&format!("{words:?}"), format!("{}{}", ended.stdout, ended.stderr).as_bytes());
    }
    assert_eq!(server.terminate(), 0);
    let ended = end(home.command(&["verify"]).env("QUITTANCE_LOG", "trace"));
    assert_eq!(ended.code, 0, "{ended:?}");
    secrets.check("verify", format!("{}{}", ended.stdout, ended.stderr).as_bytes());
    let logged = fs::read(&log).expect("a log");
    let text = String::from_utf8_lossy(&logged);
    assert!(text.contains("serving") && text.contains("stopping"), "it was not listened to: {text}");
    secrets.check("the log", &logged);
    secrets.check("the backup", &fs::read(backup).expect("a backup"));
    secrets.check_files(&home.data());
    // Whoever looks finds what is there.
    let found = std::panic::catch_unwind(|| secrets.check("the configured file", master.as_bytes()));
    assert!(found.is_err());
}

/// A payment, a refund, a decline, and the gateway's word of them; what was answered.
fn trade(gateway: &Server, server: &Server, credential: &str, webhook: &str) -> String {
    let target = json!({"url": format!("{}/webhooks/we_it", server.base), "secrets": [webhook]});
    assert_eq!(Client::new(&gateway.base, None).post("/_sandbox/webhook_target", "-", &target).0, 200);
    let client = Client::new(&server.base, Some(credential));
    let mut told = String::new();
    let mut ask = |path: &str, key: &str, body: serde_json::Value, status: u16| {
        let answer = client.post_for_bytes(path, key, &body);
        assert_eq!(answer.status, status, "{answer:?}");
        told.push_str(&answer.body);
        answer.json()
    };
    ask("/v1/customers", "customer", json!({"external_id": "anna", "name": "Anna"}), 201);
    let order = |reference: &str, method: &str| {
        json!({"customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox", "payment_method": method,
            "reference": reference})
    };
    let paid = ask("/v1/payments", "paid", order("order-1", "pm_card_visa"), 201);
    ask("/v1/refunds", "back", json!({"payment": paid["id"], "amount": 5, "reference": "r"}), 201);
    ask("/v1/payments", "declined", order("order-2", "pm_card_chargeDeclined"), 402);
    let path = format!("/v1/trace/{}", paid["id"].as_str().expect("an id"));
    assert!((0..10_000).any(|_| client.get(&path).1.to_string().contains("payment_intent.succeeded")), "{path}");
    told
}

/// Secrets and card numbers where they do not belong, each refused; what was answered.
fn refusals(server: &Server, credential: &str, wrong: &str) -> Vec<String> {
    let (client, stranger) = (Client::new(&server.base, Some(credential)), Client::new(&server.base, Some(wrong)));
    let mut told = vec![stranger.get("/v1/payments").1.to_string()];
    for card in CARDS {
        for path in ["/v1/payments?reference=", "/v1/customers/", "/v1/trace/", "/v1/payments/", "/nowhere/"] {
            told.push(client.get(&format!("{path}{card}")).1.to_string());
        }
        let body = json!({"customer": "anna", "amount": 1, "currency": "USD", "gateway": "sandbox",
            "payment_method": card, "reference": "order-3", "metadata": {"note": card}});
        told.push(client.post_for_bytes("/v1/payments", "card", &body).body);
        told.push(client.post_for_bytes("/v1/payments", card, &json!({})).body);
        told.push(client.post_for_bytes("/v1/customers", "c", &json!({ card: "x" })).body);
        told.push(client.post_for_bytes("/webhooks/we_it", card, &json!({"id": card})).body);
    }
    told.push(client.post_for_bytes("/v1/payments", "secret", &json!({"api_key": credential, credential: 1})).body);
    told
}
