//! `quittance alerts test`: what a channel would get, and whether it gets it.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Document, plain};
use clap::Args;
use quittance_core::alert::{Cause, Kind, Line, Message, Severity, channel_subject};
use quittance_core::id::NoticeId;
use quittance_server::alerts::{Ways, shown};
use quittance_server::config::Config;
use quittance_server::{clock, ids};
use serde_json::json;
use std::process::ExitCode;

/// Which channel, and whether it is told.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The channel, as the configuration names it
    name: String,
    /// Send it; without this, it is only shown
    #[arg(long)]
    apply: bool,
}

/// Shows a message, sends it if it is told to, and says whether it was taken.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let Arguments { name, apply } = arguments;
    let Some(channel) = config.alerts.get(name) else {
        let known: Vec<&str> = config.alerts.keys().map(String::as_str).collect();
        let remedy = match known.as_slice() {
            [] => "configure one: [alerts.NAME]".to_owned(),
            known => format!("configured are {}", known.join(", ")),
        };
        return Err(Failure::new(Exit::Usage, format!("no channel of alerts is called {name:?}"), remedy).into());
    };
    let (id, message) = (NoticeId::from_bytes(ids::random()), message(name));
    let body = shown(name, &channel.way, id, &message);
    let error = match apply {
        true => send(&config, name, id, &message)?,
        false => None,
    };
    let note = match (apply, &error) {
        (false, _) => "nothing was sent; with --apply it is".to_owned(),
        (true, None) => "it was taken".to_owned(),
        (true, Some(error)) => format!("it was not taken: {error}"),
    };
    let is_sent = *apply && error.is_none();
    let kind = channel.way.kind();
    let json = json!({"channel": name, "kind": kind, "message": body, "sent": is_sent, "error": error});
    // Lines of a mail stay lines.
    let text: String = body.lines().chain([note.as_str()]).map(|line| plain(line) + "\n").collect();
    let rows = vec![vec![name.clone(), kind.to_owned(), is_sent.to_string()]];
    let columns = vec!["channel", "kind", "sent"];
    Document { json, columns, rows, notes: vec![note], text: Some(text) }.print(global.format())?;
    Ok(if error.is_some() { Exit::Unreachable } else { Exit::Good }.into())
}

/// Sends it, and says why it was not taken.
fn send(config: &Config, name: &str, id: NoticeId, message: &Message) -> anyhow::Result<Option<String>> {
    let ways = Ways::new(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let sent = runtime.block_on(ways.send(name, id, message));
    Ok(sent.err().map(|error| error.to_string()))
}

fn message(name: &str) -> Message {
    let now = clock::now();
    let line = Line {
        cause: Cause::Fires,
        subject: channel_subject(name),
        kind: Kind::Channel,
        severity: Severity::Info,
        what: "this is a test: nothing is wrong, and messages arrive".to_owned(),
        count: 0,
        amounts: Vec::new(),
        since: now,
        until: None,
        link: None,
    };
    Message { at: now, lines: vec![line], more: 0 }
}
