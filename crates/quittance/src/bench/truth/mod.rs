//! `quittance bench truth`: how fast what is known is told, beside the same server that tells a constant; and how often the
//! provider is asked when a thousand want to know the same at once.

mod clients;
mod provider;

use super::measurement::{Latency, Measurement, Report};
use crate::arguments::Global;
use anyhow::{Context, Result, ensure};
use axum::Router;
use clap::Args;
use clients::Clients;
use provider::Provider;
use quittance_server::api;
use quittance_server::config::Config;
use quittance_server::data::Data;
use quittance_server::metrics;
use quittance_server::open_files;
use quittance_server::operate::{Operation, run_directly};
use quittance_server::roles::Roles;
use quittance_server::runtime::Runtime;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

/// Who want to know the same at once.
const CROWD: usize = 1_000;

/// Turns of each of the two, one after the other, so that what the machine does meanwhile meets both.
const TURNS: u64 = 4;

/// How much is asked.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Questions that are under way at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=900))]
    clients: u64,
    /// Questions of each turn
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    size: u64,
}

/// Measures, and prints it.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<ExitCode> {
    open_files::raise(CROWD + 64);
    let place = tempfile::tempdir().context("cannot make a temporary folder")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let provider = runtime.block_on(Provider::start())?;
    let config = configuration(place.path(), &provider)?;
    let data = Data::directory(place.path().join("data"));
    let perform = |operation| run_directly(&data, &operation, &BTreeSet::new());
    perform(Operation::CreateTenant { name: "bench".to_owned(), mode: "test".to_owned() })?;
    let key = perform(Operation::CreateKey { tenant: None, name: "bench".to_owned(), scope: "admin".to_owned() })?;
    let secret = key["secret"].as_str().context("a key without a secret")?.to_owned();
    // As `serve` does: what is counted costs something.
    metrics::ensure_installed();
    let engine = runtime.block_on(async { Runtime::start(config, &data, Roles::ALL) })?;
    let address = runtime.block_on(serve(api::router(engine.handle())))?;

    let mut clients = Clients::connect(arguments.clients, &address, &secret)?;
    let body = clients.ask("/v1/truth/bench/sub_bench", 1)?.body;
    let limit = runtime.block_on(serve(api::constant(engine.handle(), body)))?;
    let mut limits = Clients::connect(arguments.clients, &limit, &secret)?;
    let (mut took, mut limit_took, mut calls) = (Duration::ZERO, Duration::ZERO, Vec::new());
    for _ in 0..TURNS {
        limit_took += limits.ask("/v1/truth/bench/sub_bench", arguments.size)?.wall;
        let heard = clients.ask("/v1/truth/bench/sub_bench", arguments.size)?;
        took += heard.wall;
        calls.extend(heard.calls);
    }
    ensure!(provider.calls() == 1, "what is known was asked for {} times", provider.calls());
    let asked = crowd(&provider, &address, &secret)?;
    drop((clients, limits));
    runtime.block_on(engine.stop())?;

    let mut report = Report::new(global);
    report.take(Measurement {
        work: "truth",
        store: "sqlite",
        clients: arguments.clients,
        size: arguments.size * TURNS,
        took,
        latency: Latency::of(calls),
        limit: Some(("a constant", limit_took)),
        rss_bytes: super::measurement::peak_memory(),
        more: vec![("misses_at_once", json!(CROWD)), ("provider_calls", json!(asked))],
    })?;
    report.end()
}

/// How often the provider is asked when a thousand want to know at once what nobody knows.
fn crowd(provider: &Provider, address: &str, secret: &str) -> Result<u64> {
    let before = provider.calls();
    let mut crowd = Clients::connect(CROWD as u64, address, secret)?;
    crowd.ask("/v1/truth/bench/sub_crowd", CROWD as u64)?;
    Ok(provider.calls() - before)
}

/// Serves on a port of its own, until the runtime ends.
async fn serve(router: Router) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

fn configuration(place: &Path, provider: &Provider) -> Result<Config> {
    let key = place.join("key");
    std::fs::write(&key, "rk_test_bench")?;
    let text = format!(
        r#"
[server]
requests_per_key_max = 10000
requests_per_key_per_second_max = 0
[systems.app]
kind = "sqlite"
path = "{app}"
[systems.billing]
kind = "stripe"
api_base = "{base}"
api_key = "file:{key}"
[pairs.bench]
left = {{ system = "app", table = "accounts" }}
right = {{ system = "billing", object = "subscription" }}
match = [ {{ left = "id", right = "id" }} ]
fields = [ {{ left = "status", right = "status", authority = "right" }} ]
truth = {{ max_age = "1h", timeout = "60s" }}
"#,
        app = place.join("app.db").display(),
        base = provider.base(),
        key = key.display(),
    );
    Ok(Config::from_text(&text, &|_| None)?)
}
