//! `kill -9` of a loaded server, again and again on one data directory: after each death the books prove sound as they
//! lie there, and the gateway's own list holds exactly what clients were told. Shares no code with the demo.

mod lists;
mod trade;

use crate::support::{Home, Server, is_soaking, soak};
use quittance_sandbox::{Config, FaultProfile, Sandbox};
use reqwest::Client;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use trade::{CUSTOMERS, PATIENCE, Trade, roll};

const CLIENTS: u64 = 24;

/// The books, as they lie on the disk.
fn verify(home: &Home) {
    let ended = home.run(&["verify", "--json"]);
    let found = ended.json();
    assert_eq!((ended.code, &found["balanced"], &found["chain_ok"]), (0, &json!(true), &json!(true)), "{found:#}");
}

async fn serve(home: &Home, trade: &Trade) -> Server {
    let server = home.serve();
    let target = json!({"url": format!("{}/webhooks/we_it", server.base), "secrets": ["whsec_it"]});
    let request = trade.http.post(format!("{}/_sandbox/webhook_target", trade.gateway)).json(&target);
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    trade.base.send_replace(Some(server.base.clone()));
    server
}

/// Kills the server this often, at moments that follow from the seed, while clients go on.
async fn check(seed: u64, kills: u64, is_mixed: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gateway = format!("http://{}", listener.local_addr().expect("an address"));
    let home = Home::with_gateway(&gateway);
    // What no webhook tells is asked for soon. What this gateway still carries out after its client gave up, it does
    // within four and a half seconds, also after an error; then what is not in its list is not there.
    home.configure("sweep_every_s = 1\nquiescence_s = 6\nquiescence_after_error_s = 6\n");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trade = Arc::new(Trade {
        http: Client::builder().no_proxy().build().expect("a client"),
        secret: home.credential(),
        gateway,
        base: watch::channel(None).0,
        is_mixed,
        begun: watch::channel(0).0,
        next: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        told: Mutex::default(),
    });
    let (_stop, stopped) = oneshot::channel::<()>();
    let config = Config {
        seed,
        faults: FaultProfile::Hostile,
        hold_ms: 3_000,
        slow_ms: 200,
        webhook_retry_base_ms: 100,
        webhook_late_ms: 500,
        ..Config::default()
    };
    tokio::spawn(Sandbox::new(config).serve(listener, async {
        let _ = stopped.await;
    }));
    let mut server = serve(&home, &trade).await;
    for number in 0..CUSTOMERS {
        let name = format!("customer-{number}");
        let customer = json!({"external_id": name, "name": name});
        let answer = trade.post("/v1/customers", &name, &customer, PATIENCE).await.expect("an answer");
        assert_eq!(answer.0, 201, "{answer:?}");
    }
    let mut clients: JoinSet<()> = (0..CLIENTS).map(|_| Arc::clone(&trade).work()).collect();
    let mut point = CLIENTS;
    for kill in 0..kills {
        point += 5 + roll(seed, kill, 30);
        tokio::select! {
            _ = async { trade.begun.subscribe().wait_for(|begun| *begun >= point).await.is_ok() } => {}
            Some(ended) = clients.join_next() => ended.expect("no client ends before its time"),
        }
        trade.base.send_replace(None);
        server.child.kill().expect("it can be killed");
        server.child.wait().expect("it is dead");
        verify(&home);
        trade.set_faults("none").await;
        trade.compare().await;
        trade.set_faults("hostile").await;
        server = serve(&home, &trade).await;
    }
    trade.is_over.store(true, Ordering::Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended.expect("no client panicked");
    }
    trade.set_faults("none").await;
    trade.compare_lists().await;
    trade.compare().await;
    drop(server);
    verify(&home);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_deaths_under_load_lose_nothing_and_charge_nothing_twice() {
    check(11, 10, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_deaths_under_captures_refunds_and_disputes_lose_nothing_either() {
    check(5, 5, true).await;
}

/// `cargo xtask soak`: many deaths on one directory, then the next seed.
#[tokio::test(flavor = "multi_thread")]
async fn soak_deaths_under_load() {
    if !is_soaking() {
        return;
    }
    let over = soak("QUITTANCE_SOAK_SECONDS").map(|seconds| tokio::time::sleep(Duration::from_secs(seconds)));
    let mut over = over.map(Box::pin);
    let rounds = soak("QUITTANCE_SOAK_ROUNDS").unwrap_or(if over.is_some() { u64::MAX } else { 5 });
    for seed in 0..rounds {
        println!("seed {seed}");
        check(seed, 40, seed % 2 == 1).await;
        if let Some(over) = &mut over
            && tokio::time::timeout(Duration::ZERO, over).await.is_ok()
        {
            return;
        }
    }
}
