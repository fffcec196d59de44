//! Owns: gathering the evidence at the end, over HTTP, from both sides and for every client. Does not own: judging it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::api::{Api, PATIENCE, Reply};
use super::evidence::{Evidence, Payment, Presence, Promise, Proof};
use super::gateway::Gateway;
use super::notes::{Notes, Told};

/// Questions asked at once.
const AT_ONCE: usize = 32;
/// A question that gets no answer is asked again this often.
const TRIES_MAX: u32 = 5;
/// Statuses that are still going to change, or on which somebody has to act.
pub(crate) const OPEN: [&str; 4] = ["processing", "unknown", "requires_action", "requires_capture"];

/// Asks everybody; the proof of the books is added when the server has stopped.
pub(crate) async fn gather(api: &Api, gateway: &Gateway, notes: &Notes) -> Result<Evidence> {
    let payments = api.list("/v1/payments?limit=100").await.context("cannot list our payments")?;
    let (gateway_totals, gateway_violations) = gateway.totals().await?;
    Ok(Evidence {
        payments: payments.iter().map(payment).collect::<Result<_>>()?,
        charges: gateway.charges().await?,
        gateway_totals,
        ledger_totals: ledger_totals(api).await?,
        promises: promises(api, notes).await?,
        gateway_violations,
        surprises: notes.surprises(),
        proof: Proof::default(),
    })
}

/// Whether our ledger and the gateway's total say the same.
pub(crate) async fn agrees(api: &Api, gateway: &Gateway) -> Result<bool> {
    let (mut theirs, _) = gateway.totals().await?;
    let mut ours = ledger_totals(api).await?;
    theirs.retain(|_, total| *total != 0);
    ours.retain(|_, total| *total != 0);
    Ok(ours == theirs)
}

/// How many payments and refunds are still open.
pub(crate) async fn open_payments(api: &Api) -> Result<usize> {
    let mut open = 0;
    for status in OPEN {
        open += api.list(&format!("/v1/payments?limit=100&status={status}")).await?.len();
    }
    let refunds = api.list("/v1/refunds?limit=100").await?;
    let is_open =
        |refund: &&Value| matches!(refund["status"].as_str(), Some("pending" | "unknown" | "requires_action"));
    Ok(open + refunds.iter().filter(is_open).count())
}

fn payment(row: &Value) -> Result<Payment> {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    Ok(Payment {
        id: text("id").context("a payment without an id")?,
        status: text("status").context("a payment without a status")?,
        kept_amount: kept(row)?,
        currency: text("currency").context("a payment without a currency")?,
        gateway_id: text("gateway_id"),
    })
}

/// What is left of what was captured.
fn kept(row: &Value) -> Result<i128> {
    let amount = |name: &str| row[name].as_i64().map(i128::from).with_context(|| format!("a payment without {name}"));
    let gone = amount("refunded_amount")? + amount("disputed_amount")? + amount("returned_amount")?;
    Ok(amount("captured_amount")? - gone)
}

/// What our ledger says lies at the gateway.
async fn ledger_totals(api: &Api) -> Result<BTreeMap<String, i128>> {
    let mut totals = BTreeMap::new();
    for row in api.list("/v1/ledger/balances?limit=100&account=gateway_clearing:sandbox").await? {
        if row["account"] == "gateway_clearing:sandbox" {
            let currency = row["currency"].as_str().context("a balance without a currency")?;
            let amount = row["amount"].as_i64().context("a balance without an amount")?;
            *totals.entry(currency.to_owned()).or_default() += i128::from(amount);
        }
    }
    Ok(totals)
}

/// Asks for every key again, and for every payment that was named in an answer.
async fn promises(api: &Api, notes: &Notes) -> Result<Vec<Promise>> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let promised = Arc::new(notes.promised());
    let mut asking = JoinSet::new();
    for (key, told) in notes.told() {
        let place = Arc::clone(&places).acquire_owned().await.context("the demo is ending")?;
        let (api, promised) = (api.clone(), Arc::clone(&promised));
        asking.spawn(async move {
            let promise = ask_again(&api, &key, told, promised.get(&key)).await;
            drop(place);
            promise
        });
    }
    let asked = asking.join_all().await;
    let (mut promises, are_replayed): (Vec<_>, Vec<_>) = asked.into_iter().unzip();
    are_replayed.into_iter().filter(|is_replayed| *is_replayed).for_each(|_| notes.replay());
    promises.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(promises)
}

/// What became of a promise, and whether the answer was a stored one.
async fn ask_again(api: &Api, key: &str, told: Told, promised: Option<&String>) -> (Promise, bool) {
    let repeated = patiently(api, Question::Again { path: &told.path, key, body: &told.body }).await;
    let named: BTreeSet<String> = told.answer.payment_id().into_iter().chain(promised.cloned()).collect();
    let mut presence = if named.is_empty() { Presence::NotNamed } else { Presence::Found };
    for payment in named {
        let found = patiently(api, Question::Read { path: &format!("/v1/payments/{payment}") }).await;
        if found.is_none_or(|reply| reply.answer.status != 200) {
            presence = Presence::Missing;
        }
    }
    let is_replayed = repeated.as_ref().is_some_and(|reply| reply.is_replayed);
    let repeated = repeated.map(|reply| reply.answer);
    (Promise { key: key.to_owned(), told: told.answer, repeated, presence }, is_replayed)
}

/// What is asked.
#[derive(Clone, Copy)]
enum Question<'a> {
    /// The same command under the same key.
    Again { path: &'a str, key: &'a str, body: &'a str },
    /// A resource.
    Read { path: &'a str },
}

/// Asks until somebody answers with more than "not now".
async fn patiently(api: &Api, question: Question<'_>) -> Option<Reply> {
    for _ in 0..TRIES_MAX {
        let reply = match question {
            Question::Again { path, key, body } => api.post(path, key, body, PATIENCE).await,
            Question::Read { path } => api.get(path).await,
        };
        if let Ok(reply) = reply
            && !matches!(reply.answer.status, 429 | 503)
        {
            return Some(reply);
        }
    }
    None
}
