//! `quittance alerts`: what is wrong, whom it is told, and what nobody wants to hear of for a while.

mod silences;
mod test;

use crate::arguments::Global;
use crate::output::Document;
use clap::{Args, Subcommand};
use quittance_core::alert::Standing;
use quittance_server::alerts::{Book, alert_view, channel_views, silence_view};
use quittance_server::clock;
use quittance_server::config::Config;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What is to be done about alerts.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What is to be done about alerts; without a word they are listed.
#[derive(Subcommand, Debug)]
enum Command {
    /// List what is wrong, the channels, and what is silenced (the default)
    List(ListArguments),
    /// Show a message as a channel would get it; with --apply it is sent
    Test(test::Arguments),
    /// Tell nobody of something for a while; that it is over is told all the same
    Silence(silences::Arguments),
    /// End a silence
    Unsilence(silences::LiftArguments),
}

/// Which alerts.
#[derive(Args, Debug, Default)]
struct ListArguments {
    /// Also what is over, and silences that have ended
    #[arg(long)]
    all: bool,
}

/// Lists alerts, or does something about them.
pub(crate) fn run(arguments: Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    match arguments.command {
        None => list(&ListArguments::default(), global),
        Some(Command::List(arguments)) => list(&arguments, global),
        Some(Command::Test(arguments)) => test::run(&arguments, global),
        Some(Command::Silence(arguments)) => silences::silence(&arguments, global),
        Some(Command::Unsilence(arguments)) => silences::lift(&arguments, global),
    }
}

const COLUMNS: [&str; 7] = ["severity", "kind", "subject", "status", "since", "silenced", "what"];

fn list(arguments: &ListArguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let (book, now) = (Book::of(&global.data()?)?, clock::now());
    let is_shown = |standing| arguments.all || standing == Standing::Open;
    let mut alerts: Vec<_> = book.alerts.iter().filter(|alert| is_shown(alert.standing)).collect();
    alerts.sort_by_key(|alert| (alert.standing == Standing::Over, std::cmp::Reverse(alert.severity)));
    let is_open = alerts.iter().any(|alert| alert.standing == Standing::Open);
    let alerts: Vec<Value> = alerts.into_iter().map(|alert| alert_view(alert, &book, now)).collect();
    let silences = book.silences.iter().filter(|silence| arguments.all || silence.is_in_force(now));
    let silences: Vec<Value> = silences.map(|silence| silence_view(silence, now)).collect();
    let channels = channel_views(&config, &book);
    let mut notes = Vec::new();
    if alerts.is_empty() {
        notes.push("nothing is known to be wrong".to_owned());
    }
    for channel in &channels {
        let (name, kind) = (&channel.name, channel.kind);
        notes.push(match (&channel.failing_since, &channel.error) {
            (Some(since), error) => {
                let error = error.as_deref().unwrap_or("no reason is known");
                format!("channel {name} ({kind}) has taken no messages since {since}: {error}")
            }
            (None, _) => format!("channel {name} ({kind}): {} sent", channel.sent),
        });
    }
    if channels.is_empty() {
        notes.push("nobody is told: no channel is configured ([alerts.NAME])".to_owned());
    }
    for silence in &silences {
        let text = |key: &str| silence[key].as_str().unwrap_or("every kind").to_owned();
        let [id, subject, kind, until, reason] = ["id", "subject", "kind", "until", "reason"].map(text);
        notes.push(format!("silence {id}: {kind} of {subject} until {until}: {reason}"));
    }
    let rows = alerts.iter().map(|alert| COLUMNS.iter().map(|column| cell(&alert[column])).collect()).collect();
    let json = json!({"alerts": alerts, "channels": channels, "silences": silences});
    let document = Document { json, columns: COLUMNS.to_vec(), rows, notes, text: None };
    let text = document.for_people(alerts_are_empty(&document));
    Document { text: Some(text), ..document }.print(global.format())?;
    Ok(if is_open { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn alerts_are_empty(document: &Document) -> bool {
    document.rows.is_empty()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
