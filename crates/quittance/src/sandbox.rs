//! `quittance sandbox`: the hostile gateway as a process of its own.

use crate::failure::{Exit, Failure};
use crate::output;
use crate::signals::Signals;
use anyhow::Context;
use clap::Args;
use quittance_sandbox::{Config, FaultProfile, Sandbox, WebhookTarget};
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;

/// What the gateway is like.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:12111")]
    listen: SocketAddr,
    /// How hostile it is: none, mild or hostile
    #[arg(long, value_name = "PROFILE", default_value = "none")]
    faults: FaultProfile,
    /// The same seed gives the same ids and the same faults
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Where its events are posted
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    webhook_url: Option<String>,
    /// What signs them, as `env:NAME` or `file:PATH`; may be given more than once
    #[arg(long, value_name = "REFERENCE", requires = "webhook_url")]
    webhook_secret: Vec<String>,
}

/// Runs it until a signal ends it.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let webhook = target(arguments.webhook_url, &arguments.webhook_secret)?;
    let config = Config { seed: arguments.seed, faults: arguments.faults, webhook, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("cannot start threads")?.block_on(serve(config, arguments.listen))
}

async fn serve(config: Config, listen: SocketAddr) -> anyhow::Result<ExitCode> {
    let signals = Signals::take()?;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        let remedy = "stop what listens there, or name another address with --listen";
        Failure::new(Exit::Unreachable, format!("cannot listen on {listen}"), remedy).because(error)
    })?;
    output::write(&format!("listening on http://{}\n", listener.local_addr()?))?;
    Sandbox::new(config).serve(listener, signals.first()).await.context("the sandbox can no longer listen")?;
    Ok(ExitCode::SUCCESS)
}

fn target(url: Option<String>, references: &[String]) -> anyhow::Result<Option<WebhookTarget>> {
    let Some(url) = url else { return Ok(None) };
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        let remedy = "write a whole address, as http://127.0.0.1:8080/webhooks/we_main";
        return Err(Failure::new(Exit::Usage, format!("--webhook-url: {url:?} is not an address"), remedy).into());
    }
    let secrets = references.iter().map(|reference| secret(reference)).collect::<anyhow::Result<_>>()?;
    Ok(Some(WebhookTarget { url, secrets }))
}

/// The secret that a reference leads to. A literal is refused without being repeated: command lines are seen by others.
#[expect(
    clippy::disallowed_methods,
    reason = "a reference on the command line names a variable, as one in the configuration does"
)]
fn secret(reference: &str) -> anyhow::Result<String> {
    let usage =
        |what: String| Failure::new(Exit::Usage, format!("--webhook-secret: {what}"), "write env:NAME or file:PATH");
    let value = match reference.split_once(':') {
        Some(("env", name)) => std::env::var(name).map_err(|error| usage(format!("variable {name}")).because(error))?,
        Some(("file", path)) => {
            std::fs::read_to_string(path).map_err(|error| usage(format!("file {path}")).because(error))?
        }
        _ => return Err(usage("not a reference to a secret (what is there is not shown)".to_owned()).into()),
    };
    match value.trim() {
        "" => Err(usage(format!("{reference} is empty")).into()),
        secret => Ok(secret.to_owned()),
    }
}
