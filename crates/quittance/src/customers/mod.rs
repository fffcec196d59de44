//! `quittance customers`: customers that a gateway knows become customers of ours, each once, whatever was imported before.
//!
//! The gateway is only read. What is made is asked of the API under a key of the gateway's own id, so that a run that was
//! stopped is simply run again.

mod api;
mod theirs;

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use crate::systems::failure;
use anyhow::Context;
use api::Api;
use clap::{Args, Subcommand};
use futures_util::{StreamExt, TryStreamExt, stream};
use quittance_core::pair::{Column, Side};
use quittance_core::record::value::Value;
use quittance_server::config::{Config, Dialect, Gateway, System as Configured, secret_at};
use quittance_server::find::RECORDS_MAX;
use quittance_server::systems::{LOOKUPS_MAX, System, Wanted, open};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::ExitCode;
use theirs::{Request, Theirs};

/// Requests to our API at once.
const AT_ONCE: usize = 8;

/// How the gateway is read.
const REQUESTS_PER_SECOND_MAX: u32 = 25;
const TIMEOUT_MS: u64 = 30_000;

/// What is done with customers.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make customers of those that a gateway knows; shows what would be made, unless --apply
    Import(Import),
}

/// What is imported.
#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The gateway, as the configuration names it: [gateways.NAME], of kind stripe
    #[arg(long, value_name = "NAME")]
    gateway: String,
    /// The server whose customers they become
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// A credential of it, of scope write: env:NAME or file:PATH
    #[arg(long, value_name = "REFERENCE", default_value = "env:QUITTANCE_KEY")]
    key: String,
    /// Field of the gateway's metadata that holds your own id, which becomes `external_id`
    #[arg(long, value_name = "FIELD")]
    external_id: Option<String>,
    /// Tell the payment methods of each customer, too: a request for each
    #[arg(long)]
    payment_methods: bool,
    /// Make them; without this, nothing is written
    #[arg(long)]
    apply: bool,
}

/// What came of one customer.
struct Row {
    theirs: Theirs,
    outcome: &'static str,
    ours: Option<String>,
    detail: String,
    methods: Vec<Json>,
}

/// Does it, and prints what came of each.
pub(crate) fn run(command: &Command, global: &Global) -> anyhow::Result<ExitCode> {
    let Command::Import(import) = command;
    let config = Config::load(global.config.as_deref())?;
    let api = Api::new(&import.url, secret_at(&import.key, "--key")?)?;
    let mut system = gateway(&config, &import.gateway, global)?;
    let theirs = read(system.as_mut(), &import.gateway)?;
    let mut methods = match import.payment_methods {
        true => payment_methods(system.as_mut(), &import.gateway, &theirs)?,
        false => BTreeMap::new(),
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a thread")?;
    let mut rows = runtime.block_on(make(&api, import, theirs))?;
    for row in &mut rows {
        row.methods = methods.remove(&row.theirs.id).unwrap_or_default();
    }
    let is_clean = rows.iter().all(|row| row.outcome != "refused");
    document(import, &rows).print(global.format())?;
    Ok(if is_clean { Exit::Good } else { Exit::Finding }.into())
}

/// The configured gateway, to be read as a system.
fn gateway(config: &Config, name: &str, global: &Global) -> anyhow::Result<Box<dyn System>> {
    let has_customers = |gateway: &Gateway| matches!(gateway.dialect, Dialect::Stripe(_));
    let Some(gateway) = config.gateways.get(name).filter(|gateway| has_customers(gateway)) else {
        let known = config.gateways.iter().filter(|(_, gateway)| has_customers(gateway));
        let names: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
        let what = format!("there is no gateway `{name}` of kind stripe in the configuration");
        return Err(Failure::new(Exit::Usage, what, format!("known are: {}", names.join(", "))).into());
    };
    let system = Configured::Stripe {
        api_key: gateway.api_key.clone(),
        write_api_key: None,
        api_base: gateway.api_base.clone(),
        requests_per_second_max: REQUESTS_PER_SECOND_MAX,
        timeout_ms: TIMEOUT_MS,
    };
    let secret = config.system_secret(&system).context("the gateway's secret cannot be read")?;
    open::open(name, &system, secret, &global.data()?).map_err(|source| failure(name, source).into())
}

fn read(system: &mut dyn System, gateway: &str) -> anyhow::Result<Vec<Theirs>> {
    let mut all = Vec::new();
    let sink = &mut |row: &[Value<'_>]| {
        all.extend(Theirs::of(row));
        if all.len() > RECORDS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    system.read("customer", &Theirs::side(), &Wanted::All, sink).map_err(|source| failure(gateway, source))?;
    if all.len() > RECORDS_MAX {
        let what = format!("`{gateway}` has more than {RECORDS_MAX} customers");
        return Err(Failure::new(Exit::Usage, what, "they do not fit into memory together; tell us").into());
    }
    // A list that moved under the reader may tell one twice.
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all.dedup_by(|one, other| one.id == other.id);
    Ok(all)
}

/// Payment methods by customer: what a payment names as `payment_method`. Never what is on a card but its last digits.
fn payment_methods(
    system: &mut dyn System,
    gateway: &str,
    theirs: &[Theirs],
) -> anyhow::Result<BTreeMap<String, Vec<Json>>> {
    let columns = ["customer", "id", "type"].map(Column::plain).to_vec();
    let side = Side { columns, identity: vec![1], rules: vec![vec![0]], ..Side::default() };
    let mut methods: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for some in theirs.chunks(LOOKUPS_MAX) {
        let values = some.iter().map(|theirs| vec![Value::Text(theirs.id.clone().into())]).collect();
        let wanted = Wanted::Where { columns: vec![0], values };
        let sink = &mut |row: &[Value<'_>]| {
            if let [customer, id, kind] = row {
                let method = json!({ "id": id.to_string(), "type": kind.to_string() });
                methods.entry(customer.to_string()).or_default().push(method);
            }
            ControlFlow::Continue(())
        };
        system.read("payment_method", &side, &wanted, sink).map_err(|source| failure(gateway, source))?;
    }
    Ok(methods)
}

async fn make(api: &Api, import: &Import, theirs: Vec<Theirs>) -> Result<Vec<Row>, Failure> {
    let known = api.known(&import.gateway).await?;
    let each = |theirs: Theirs| {
        let known = known.get(&theirs.id).cloned();
        make_one(api, import, theirs, known)
    };
    stream::iter(theirs).map(each).buffered(AT_ONCE).try_collect().await
}

async fn make_one(api: &Api, import: &Import, theirs: Theirs, known: Option<String>) -> Result<Row, Failure> {
    let row = |theirs, outcome, ours, detail| Row { theirs, outcome, ours, detail, methods: Vec::new() };
    if let Some(ours) = known {
        return Ok(row(theirs, "known", Some(ours), String::new()));
    }
    let Request { body, left_out } = theirs.request(&import.gateway, import.external_id.as_deref());
    let left = if left_out.is_empty() { String::new() } else { format!("left out: {}", left_out.join(", ")) };
    if !import.apply {
        return Ok(row(theirs, "new", None, left));
    }
    let (status, told) = api.create(&theirs.key(&import.gateway), &body).await?;
    let ours = told["id"].as_str().map(str::to_owned);
    Ok(match status {
        200 | 201 => row(theirs, "made", ours, left),
        _ => {
            let detail = told["detail"].as_str().unwrap_or("the server does not say why").to_owned();
            row(theirs, "refused", None, format!("{status} {}: {detail}", told["code"].as_str().unwrap_or_default()))
        }
    })
}

fn document(import: &Import, rows: &[Row]) -> Document {
    let count = |outcome: &str| rows.iter().filter(|row| row.outcome == outcome).count();
    let [known, new, made, refused] = ["known", "new", "made", "refused"].map(count);
    let json = |row: &Row| {
        json!({
            "gateway_id": row.theirs.id, "outcome": row.outcome, "customer": row.ours, "email": row.theirs.email,
            "default_payment_method": row.theirs.default_payment_method, "payment_methods": row.methods,
            "detail": row.detail,
        })
    };
    let text = |row: &Row| {
        let methods = row.methods.iter().filter_map(|method| method["id"].as_str());
        let default = row.theirs.default_payment_method.iter().map(String::as_str);
        let mut methods: Vec<&str> = default.chain(methods).collect();
        methods.dedup();
        let ours = row.ours.clone().unwrap_or_default();
        vec![row.theirs.id.clone(), row.outcome.to_owned(), ours, methods.join(" "), row.detail.clone()]
    };
    let sum = format!("{} customers: {known} known, {new} new, {made} made, {refused} refused", rows.len());
    let mut notes = vec![sum];
    if !import.apply {
        notes.push("nothing was written; with --apply those that are new are made".to_owned());
    }
    let totals = json!({ "known": known, "new": new, "made": made, "refused": refused, "applied": import.apply });
    Document {
        json: json!({ "totals": totals, "customers": rows.iter().map(json).collect::<Vec<_>>() }),
        columns: vec!["gateway id", "outcome", "customer", "payment methods", "detail"],
        rows: rows.iter().map(text).collect(),
        notes,
        text: None,
    }
}
