//! The end of a run: waiting until nothing is open, asking both sides and every client's key again, and judging all of it:
//! by what the demonstration judges by, and by the histories of the books. Does not own the judgement itself.

use crate::checker::check;
use crate::client::{json, say};
use crate::demo::dice::Dice;
use crate::demo::evidence::{Evidence, Payment, Presence, Promise, Proof};
use crate::demo::verdict::judge;
use crate::gateway::Gateway;
use crate::history::{appends, values};
use crate::load::{Load, Told, ledger};
use crate::surroundings::span;
use futures_util::{StreamExt, stream};
use quittance_server::clock::Stopwatch;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the last payments may take to come to their ends.
const SETTLING_S_MAX: u64 = 90;

/// Questions asked at once.
const AT_ONCE: usize = 16;

/// What may still change.
const OPEN: [&str; 5] = ["processing", "unknown", "requires_action", "requires_capture", "review"];

/// Waits until nothing is open, no webhook is under way and both sides have the same totals; what is open then is found by
/// the judgement.
pub(crate) async fn settle(load: &Load, gateways: &[Gateway]) {
    let is_quiet = async |dice: &mut Dice| {
        for gateway in gateways {
            if gateway.flush().await != 0 {
                return false;
            }
            if nonzero(gateway.totals().await.0) != nonzero(ledger_totals(load, gateway.name, dice).await) {
                return false;
            }
        }
        open(load, dice).await == 0
    };
    settled(load, "it is not quiet", is_quiet).await;
}

/// Waits until it is so; that it does not become so is a finding.
pub(crate) async fn settled(load: &Load, otherwise: &str, mut is_so: impl AsyncFnMut(&mut Dice) -> bool) {
    let (since, mut dice) = (Stopwatch::start(), Dice::new(0, 0));
    while since.elapsed() < span(SETTLING_S_MAX) {
        if is_so(&mut dice).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    load.surprise(format!("after {:?}: {otherwise}", since.elapsed()));
}

fn nonzero(mut totals: BTreeMap<String, i128>) -> BTreeMap<String, i128> {
    totals.retain(|_, total| *total != 0);
    totals
}

async fn open(load: &Load, dice: &mut Dice) -> usize {
    let mut open = 0;
    for status in OPEN {
        open += load.api.list(&format!("/v1/payments?status={status}"), dice).await.len();
    }
    let refunds = load.api.list("/v1/refunds", dice).await;
    open + refunds.iter().filter(|refund| !matches!(refund["status"].as_str(), Some("succeeded" | "failed"))).count()
}

/// What our ledger says lies at a gateway, by currency.
async fn ledger_totals(load: &Load, gateway: &str, dice: &mut Dice) -> BTreeMap<String, i128> {
    let account = format!("gateway_clearing:{gateway}");
    let mut totals = BTreeMap::new();
    for row in load.api.list(&format!("/v1/ledger/balances?account={account}"), dice).await {
        if row["account"] == account.as_str() {
            let currency = row["currency"].as_str().expect("a currency").to_owned();
            *totals.entry(currency).or_default() += i128::from(row["amount"].as_i64().expect("an amount"));
        }
    }
    totals
}

/// Everything that is wrong, in sentences; `proof` is what `quittance verify` says.
pub(crate) async fn findings(load: &Load, gateways: &[Gateway], proof: impl FnOnce() -> Proof) -> Vec<String> {
    let mut dice = Dice::new(0, 1);
    let mut evidence = Evidence { surprises: load.surprises(), ..Evidence::default() };
    let payments = load.api.list("/v1/payments", &mut dice).await;
    let refunds = load.api.list("/v1/refunds", &mut dice).await;
    evidence.payments = payments.iter().map(payment).collect();
    for gateway in gateways {
        evidence.charges.extend(gateway.charges().await);
        let (totals, violations) = gateway.totals().await;
        evidence.gateway_violations.extend(violations);
        add(&mut evidence.gateway_totals, totals);
        add(&mut evidence.ledger_totals, ledger_totals(load, gateway.name, &mut dice).await);
    }
    evidence.promises =
        stream::iter(load.told()).map(|told| promise(load, told)).buffer_unordered(AT_ONCE).collect().await;
    let open = load.api.list("/v1/discrepancies?status=open", &mut dice).await;
    evidence.surprises.extend(open.iter().map(|row| format!("unexplained: {row}")));
    evidence.surprises.extend(anomalies(load, &payments, &refunds, &mut dice).await);
    evidence.proof = proof();
    let verdict = judge(&evidence);
    let mut findings = verdict.findings.clone();
    if !verdict.is_good() && findings.is_empty() {
        findings.push(format!("it is not good, and nothing is said: {verdict:?}"));
    }
    findings
}

fn add(sums: &mut BTreeMap<String, i128>, more: BTreeMap<String, i128>) {
    for (currency, amount) in more {
        *sums.entry(currency).or_default() += amount;
    }
}

fn payment(row: &Value) -> Payment {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    let amount = |name: &str| i128::from(row[name].as_i64().expect("an amount"));
    let gone = amount("refunded_amount") + amount("disputed_amount") + amount("returned_amount");
    Payment {
        id: text("id").expect("an id"),
        status: text("status").expect("a status"),
        kept_amount: amount("captured_amount") - gone,
        currency: text("currency").expect("a currency"),
        gateway_id: text("gateway_id"),
    }
}

/// What is said to a key now, and whether the payment of its answer is there.
async fn promise(load: &Load, told: Told) -> Promise {
    let mut dice = Dice::new(0, 2);
    let repeated = load.api.insist(&told.command, &mut dice).await.ok().map(|insisted| insisted.answer);
    let body = json(&told.answer);
    let named = body["payment"]["id"].as_str().or(body["id"].as_str()).filter(|id| id.starts_with("pay_"));
    let presence = match named {
        None => Presence::NotNamed,
        Some(id) => match load.api.read_patiently(&format!("/v1/payments/{id}"), &mut dice).await["id"] == id {
            true => Presence::Found,
            false => Presence::Missing,
        },
    };
    if let Some(repeated) = repeated.as_ref().filter(|repeated| **repeated != told.answer) {
        load.surprise(format!("{} heard {}, and now {}", told.command.key, say(&told.answer), say(repeated)));
    }
    Promise { key: told.command.key, told: told.answer, repeated, presence }
}

/// What the histories of the books contradict.
async fn anomalies(load: &Load, payments: &[Value], refunds: &[Value], dice: &mut Dice) -> Vec<String> {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in payments.iter().chain(refunds) {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        ids.entry(text("reference")).or_default().push(text("id"));
    }
    let (operations, mut found) = (load.history.operations(), Vec::new());
    for book in load.books() {
        let page = load.api.read_patiently(&ledger(&book), dice).await;
        let Some(last) = values(&page) else {
            found.push(format!("{book} has more entries than one page, and cannot be checked"));
            continue;
        };
        let of_book: Vec<_> = operations.iter().filter(|operation| operation.book == book).cloned().collect();
        if let Err(anomaly) = check(&appends(&of_book, &ids), &load.history.reads(&book), &last) {
            found.push(format!("the history of {book} has no order that explains it: {anomaly:?}"));
        }
    }
    found
}
