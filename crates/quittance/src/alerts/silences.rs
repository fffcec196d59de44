//! `quittance alerts silence` and `unsilence`.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use crate::span;
use clap::Args;
use quittance_core::alert::{EVERYTHING, Kind, REASON_BYTES_MAX, SILENCE_MS_MAX, Silence};
use quittance_core::alert::{channel_subject, gateway_subject};
use quittance_core::id::SilenceId;
use quittance_server::alerts::{self, silence_view};
use quittance_server::config::Config;
use quittance_server::data::Data;
use quittance_server::diff::History;
use quittance_server::{clock, ids};
use std::process::ExitCode;

/// Who silences.
const OPERATOR: &str = "operator";

/// What is silenced, for how long, and why.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The pair, `gateways.NAME` or `alerts.NAME`; `*` for all of them
    #[arg(long, value_name = "SUBJECT")]
    subject: String,
    /// Only this kind: drift, silence, canary, shape, brake, approval, unauthorised, failing or channel
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// For how long, 30 days at most (30m, 2h, 3d)
    #[arg(long = "for", value_name = "SPAN", value_parser = length)]
    length_ms: u64,
    /// Why, for whoever looks later
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Which silence ends.
#[derive(Args, Debug)]
pub(crate) struct LiftArguments {
    /// Its id, as `quittance alerts` shows it
    id: SilenceId,
}

fn kind(word: &str) -> Result<Kind, String> {
    Kind::named(word).ok_or_else(|| format!("the kinds are {}", Kind::ALL.map(Kind::name).join(", ")))
}

fn length(text: &str) -> Result<u64, String> {
    let is_right = |ms: &u64| (1..=SILENCE_MS_MAX).contains(ms);
    Some(span::of_years(text)?).filter(is_right).ok_or_else(|| "write 30 days at most, and more than none".to_owned())
}

/// Silences something, and prints the silence.
pub(crate) fn silence(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let Arguments { subject, kind, length_ms, reason } = arguments;
    check_subject(subject, &Config::load(global.config.as_deref())?)?;
    if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX || reason.contains(char::is_control) {
        let remedy = format!("say on one line why, in {REASON_BYTES_MAX} bytes at most");
        return Err(Failure::new(Exit::Usage, "--reason says nothing, or too much", remedy).into());
    }
    let data = existing(global)?;
    let mut history = History::open(&data)?;
    let store = history.store();
    let from = store.time()?.map_or_else(clock::now, quittance_core::time::Timestamp);
    let silence = Silence {
        id: SilenceId::from_bytes(ids::random()),
        subject: subject.clone(),
        kind: *kind,
        from,
        until: from.plus_ms(*length_ms),
        reason: reason.clone(),
        by: OPERATOR.to_owned(),
    };
    alerts::silence(store, &silence)?;
    print(&silence, global)
}

/// Ends a silence, and prints it.
pub(crate) fn lift(arguments: &LiftArguments, global: &Global) -> anyhow::Result<ExitCode> {
    let data = existing(global)?;
    let mut history = History::open(&data)?;
    let store = history.store();
    let now = store.time()?.map_or_else(clock::now, quittance_core::time::Timestamp);
    match alerts::lift(store, arguments.id, now)? {
        Some(silence) => print(&silence, global),
        None => {
            let what = format!("there is no silence {}", arguments.id);
            Err(Failure::new(Exit::Usage, what, "`quittance alerts` lists the silences there are").into())
        }
    }
}

/// The data, which have to be there: a directory that was mistyped would be made, and silence nothing.
fn existing(global: &Global) -> anyhow::Result<Data> {
    let data = global.data()?;
    if data.may_exist() || data.runs().may_exist() {
        return Ok(data);
    }
    let what = format!("there is nothing in {data}");
    Err(Failure::new(Exit::Usage, what, "name the data by --data or --database-url").into())
}

fn check_subject(subject: &str, config: &Config) -> Result<(), Failure> {
    let gateways = config.gateways.keys().map(|name| gateway_subject(name));
    let channels = config.alerts.keys().map(|name| channel_subject(name));
    let known: Vec<String> = config.pairs.keys().cloned().chain(gateways).chain(channels).collect();
    if subject == EVERYTHING || known.iter().any(|name| name == subject) {
        return Ok(());
    }
    let what = format!("nothing that is configured is called {subject:?}");
    let remedy = format!("write one of {}, or \"*\" for all", known.join(", "));
    Err(Failure::new(Exit::Usage, what, remedy))
}

fn print(silence: &Silence, global: &Global) -> anyhow::Result<ExitCode> {
    const COLUMNS: [&str; 6] = ["id", "subject", "kind", "from", "until", "reason"];
    let json = silence_view(silence, clock::now());
    let rows = vec![COLUMNS.iter().map(|column| super::cell(&json[column])).collect()];
    Document { json, columns: COLUMNS.to_vec(), rows, notes: Vec::new(), text: None }.print(global.format())?;
    Ok(Exit::Good.into())
}
