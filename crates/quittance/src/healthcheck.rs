//! `quittance healthcheck`: whether the server of this machine takes requests, as a supervisor asks that has no other client.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use anyhow::Context;
use clap::Args;
use quittance_server::config::Config;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

/// Longest wait for the answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Whom to ask.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where the server listens, instead of where the configuration says
    #[arg(long, value_name = "ADDR")]
    address: Option<SocketAddr>,
    /// Ask encrypted, as the configuration says anyhow where it names a certificate
    #[arg(long)]
    tls: bool,
}

/// Asks, and prints what the server says of itself.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let (address, is_encrypted) = match arguments.address {
        Some(address) => (address, arguments.tls),
        None => {
            let server = Config::load(global.config.as_deref())?.server;
            (server.listen, arguments.tls || server.front.tls.is_some())
        }
    };
    let scheme = if is_encrypted { "https" } else { "http" };
    let url = format!("{scheme}://{}/readyz", reachable(address));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a thread")?;
    let (status, told) = runtime.block_on(ask(&url)).map_err(|error| {
        let remedy = "look whether the server runs, and whether it listens there";
        Failure::new(Exit::Unreachable, format!("no answer from {url}"), remedy).because(error)
    })?;
    let said = told["status"].as_str().unwrap_or("something else").to_owned();
    if status != 200 {
        let what = format!("{url} answers {status}, {said}");
        return Err(Failure::new(Exit::Unreachable, what, "look into the server's log").into());
    }
    let risks = told["risks"].as_array().into_iter().flatten();
    let risk = |risk: &Value| {
        let [code, reason, remedy] =
            ["code", "reason", "remedy"].map(|member| risk[member].as_str().unwrap_or_default());
        format!("{code}: {reason}; {remedy}")
    };
    let notes = std::iter::once("the server takes commands".to_owned()).chain(risks.map(risk)).collect();
    Document { json: told, columns: vec!["status"], rows: vec![vec![said]], notes, text: None }
        .print(global.format())?;
    Ok(Exit::Good.into())
}

async fn ask(url: &str) -> reqwest::Result<(u16, Value)> {
    // A certificate names the host that clients call, and not this address. Nothing secret is sent, and who could answer in
    // the server's place has this machine already.
    let client =
        reqwest::Client::builder().no_proxy().timeout(PATIENCE).tls_danger_accept_invalid_certs(true).build()?;
    let answer = client.get(url).send().await?;
    Ok((answer.status().as_u16(), answer.json().await.unwrap_or_default()))
}

/// Where a server that listens on every interface can be asked from here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn every_interface_is_asked_through_this_machine() {
        for (listens, asked) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("192.0.2.1:80", "192.0.2.1:80")]
        {
            assert_eq!(reachable(listens.parse().expect("an address")), asked.parse().expect("an address"));
        }
    }
}
