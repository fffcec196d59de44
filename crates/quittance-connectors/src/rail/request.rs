//! The requests: one that takes money, and the reads.
//!
//! Deterministic: the same parameters give the same bytes, members in the order in which they stand here.

use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;
use serde::Serialize;

use super::AMOUNT_MAX;
use crate::connector::{Ask, PaymentParameters, Unsayable};
use crate::form::{Form, encoded};
use crate::message::{Method, Request};

const TRANSFERS: &str = "/rail/v1/transfers";

/// Most transfers that the rail returns on one page.
const PAGE_LIMIT: &str = "100";

/// The body of a transfer. It has no room for our metadata: the reference is what it is found by.
#[derive(Serialize)]
struct Transfer<'a> {
    amount: i64,
    currency: &'static str,
    source: &'a str,
    reference: &'a str,
    /// The payment, which stays the same when another reference is tried: for people who compare the books.
    memo: &'a str,
}

pub(super) fn write(ask: &Ask<'_>) -> Result<Request, Unsayable> {
    match ask {
        Ask::Payment(parameters) => transfer(parameters),
        Ask::Confirm { .. } => Err(not_offered("confirms")),
        Ask::Capture { .. } => Err(not_offered("captures")),
        Ask::Cancel { .. } => Err(not_offered("cancels")),
        Ask::Refund(_) => Err(not_offered("gives back")),
        Ask::Evidence { .. } => Err(not_offered("takes evidence for")),
    }
}

fn transfer(asked: &PaymentParameters<'_>) -> Result<Request, Unsayable> {
    check_amount(asked.money)?;
    if asked.capture_method == CaptureMethod::Manual {
        return Err(Unsayable("the rail takes money at once".to_owned()));
    }
    let memo = asked.payment_id.to_string();
    let body = Transfer {
        amount: asked.money.amount,
        currency: asked.money.currency.code(),
        source: asked.payment_method,
        reference: asked.reference,
        memo: &memo,
    };
    let body = serde_json::to_vec(&body).expect("texts and a number are JSON");
    Ok(Request { method: Method::Post, body, ..get(TRANSFERS.to_owned()) })
}

/// The rail counts in the minor units of ISO 4217, as we do.
pub(super) fn check_amount(money: Money) -> Result<(), Unsayable> {
    if (1..=AMOUNT_MAX).contains(&money.amount) {
        return Ok(());
    }
    Err(Unsayable(format!("{money}: a transfer is of 1 to {AMOUNT_MAX} minor units")))
}

fn not_offered(what: &str) -> Unsayable {
    Unsayable(format!("the rail {what} nothing"))
}

pub(super) fn read(object_id: &str) -> Request {
    get(format!("{TRANSFERS}/{}", encoded(object_id)))
}

/// One page, newest first. The rail narrows by the exact reference and by nothing else.
pub(super) fn page(reference: Option<&str>, after: Option<&str>) -> Request {
    let mut query = Form::default();
    query.add_some("reference", reference);
    query.add("limit", PAGE_LIMIT);
    query.add_some("cursor", after);
    get(format!("{TRANSFERS}?{}", query.into_text()))
}

pub(super) fn probe() -> Request {
    get("/rail/v1/status".to_owned())
}

fn get(target: String) -> Request {
    Request { method: Method::Get, target, body: Vec::new(), idempotency_key: None, api_version: String::new() }
}
