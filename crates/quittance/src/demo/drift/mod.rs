//! The demonstration of drift: an application that learns of its subscriptions by webhooks, 18 hours in which none came,
//! the alarm of a service that compares by schedule and hears no event, and `quittance diff` on its table and the gateway; then
//! the table is repaired, compared, and given back what it had.
//!
//! Owns: the order of events. The application is a table in SQLite and the endpoint that writes it, the gateway a sandbox;
//! the comparison is a child process of our own program with a configuration that anybody could have written. **What it
//! finds is judged by the script of what was done, which it does not see.**

mod application;
mod provider;
mod repair;
mod report;
mod script;
mod watch;

use super::Arguments;
use super::progress::Progress;
use anyhow::{Context, Result, bail};
use application::Application;
use provider::Provider;
use quittance_server::clock::Stopwatch;
use repair::Repaired;
pub(super) use report::Report;
use script::Script;
use serde_json::Value;
use std::path::Path;
use tokio::process::Command;
use watch::Watch;

/// Subscriptions that both sides begin with.
const SUBSCRIPTIONS: u64 = 5_000;

/// How long the webhooks are lost.
const LOST_HOURS: u64 = 18;

/// Shows it, in a folder of its own.
pub(super) async fn show(arguments: &Arguments, folder: &Path) -> Result<Report> {
    let since = Stopwatch::start();
    let progress = Progress::new();
    let script = Script::new(arguments.seed, SUBSCRIPTIONS);
    progress.begin("an application sells subscriptions through a gateway", 0);
    let provider = Provider::start(arguments.seed).await?;
    provider.seed(&script).await?;
    let application = Application::open(&folder.join("app.db"), &script)?;
    provider.send_webhooks_to(&application.listen().await?).await?;
    progress.begin("changes that webhooks tell of", 0);
    provider.change(script.heard()).await?;
    application.hear(script.heard().len()).await?;
    let configuration = folder.join("quittance.toml");
    std::fs::write(&configuration, configured(&folder.join("app.db"), &provider.base))
        .context("the configuration cannot be written")?;
    let watch = Watch::new(&configuration, folder);
    progress.begin("quittance serve compares them by schedule", 0);
    watch.compare().await?;
    progress.begin("18 hours in which no webhook comes", 0);
    provider.lose_webhooks(true).await?;
    for hour in 0..LOST_HOURS {
        provider.advance(3_600).await?;
        provider.change(script.lost_in(hour, LOST_HOURS)).await?;
    }
    provider.lose_webhooks(false).await?;
    application.write_without_asking(&script)?;
    progress.begin("quittance serve compares them again", 0);
    let alarm = watch.alarm().await?;
    progress.begin("quittance diff subscriptions", 0);
    let before = since.elapsed();
    // Whatever lies where the demonstration is started from is none of its business.
    let data = folder.join("data").display().to_string();
    let words = ["diff", "subscriptions", "--settle", "200ms", "--json", "--data", &data];
    let found = program(&configuration, &words, &[0, 1]).await?;
    let took = since.elapsed().saturating_sub(before);
    progress.begin("quittance reconcile, approve, undo", 0);
    let repaired = Repaired::run(&configuration, &data).await?;
    progress.end();
    Ok(Report::new(arguments.seed, &script, (alarm, found, repaired), took, configuration))
}

/// What a stranger would have written, or had `quittance init` write.
fn configured(table: &Path, gateway: &str) -> String {
    format!(
        r#"# An application's table of subscriptions and the gateway's list of them.
[systems.app]
kind = "sqlite"
path = "{}"
writable = true

[systems.stripe]
kind = "stripe"
api_key = "env:{}"
api_base = "{gateway}"
requests_per_second_max = 1000

[pairs.subscriptions]
schedule = "every 1s"   # an hour would do; a demonstration is in a hurry
settle = "200ms"
left = {{ system = "app", table = "customer_accounts", updated_at = "updated_at" }}
right = {{ system = "stripe", object = "subscription" }}
match = [
    {{ left = "stripe_subscription_id", right = "id" }},
    {{ left = "stripe_customer_id", right = "customer" }},
]
counts = [ {{ left = "subscription_status", right = "status" }} ]

[[pairs.subscriptions.fields]]
left = "subscription_status"
right = "status"
authority = "right"
values = [
    {{ left = "active", right = ["active", "trialing"] }},
    {{ left = "past_due", right = ["past_due", "unpaid"] }},
    {{ left = "cancelled", right = ["canceled", "incomplete_expired"] }},
]

[[pairs.subscriptions.fields]]
left = "price"
right = "/items/data/0/price/id"
authority = "right"
"#,
        table.display(),
        provider::API_KEY_VARIABLE,
    )
}

/// Runs our own program as anybody would; gives what it printed where it ended with one of these codes.
async fn program(configuration: &Path, words: &[&str], codes: &[i32]) -> Result<Value> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let mut command = Command::new(program);
    command.args(words).arg("--config").arg(configuration);
    command.env(provider::API_KEY_VARIABLE, super::gateway::API_KEY).kill_on_drop(true);
    let name = words.first().copied().unwrap_or_default();
    let ended = command.output().await.with_context(|| format!("quittance {name} cannot be started"))?;
    if !ended.status.code().is_some_and(|code| codes.contains(&code)) {
        bail!("quittance {name} ended with {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr).trim());
    }
    serde_json::from_slice(&ended.stdout).with_context(|| format!("quittance {name} printed no JSON"))
}
