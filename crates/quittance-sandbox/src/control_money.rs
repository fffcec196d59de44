//! Owns: the part of `/_sandbox/…` that lets banks, cardholders and issuers act. Does not own: what follows from it
//! (`execution`).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use crate::agenda;
use crate::control::{App, OutcomeChoice, answer, json_answer, parse};
use crate::dialect::card::Quarrel;
use crate::execution::Ruling;
use crate::shared::Shared;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/agenda/flush", post(flush_agenda))
        .route("/_sandbox/refunds/{id}/settle", post(settle_refund))
        .route("/_sandbox/payouts", post(pay_out))
        .route("/_sandbox/payouts/{id}/settle", post(settle_payout))
        .route("/_sandbox/transfers/{id}/settle", post(settle_transfer))
        .route("/_sandbox/disputes/{id}", post(open_dispute))
        .route("/_sandbox/disputes/{id}/close", post(close_dispute))
}

async fn flush_agenda(State(shared): App) -> Response {
    json_answer(&json!({"flushed": agenda::flush(&shared)}))
}

async fn settle_refund(State(shared): App, Path(refund): Path<String>, body: Bytes) -> Response {
    answer(match parse::<OutcomeChoice>(&body) {
        Ok(choice) => shared.act(|execution| execution.settle_refund(&refund, choice.outcome)),
        Err(error) => error.answer(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrencyChoice {
    currency: String,
}

/// Runs the schedule of automatic payouts once.
async fn pay_out(State(shared): App, body: Bytes) -> Response {
    answer(match parse::<CurrencyChoice>(&body) {
        Ok(choice) => shared.act(|execution| execution.pay_out(&choice.currency)),
        Err(error) => error.answer(),
    })
}

async fn settle_payout(State(shared): App, Path(payout): Path<String>, body: Bytes) -> Response {
    answer(match parse::<OutcomeChoice>(&body) {
        Ok(choice) => shared.act(|execution| execution.settle_payout(&payout, choice.outcome)),
        Err(error) => error.answer(),
    })
}

async fn settle_transfer(State(shared): App, Path(transfer): Path<String>, body: Bytes) -> Response {
    answer(match parse::<OutcomeChoice>(&body) {
        Ok(choice) => shared.act(|execution| execution.settle_transfer(&transfer, choice.outcome)),
        Err(error) => error.answer(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    Fraudulent,
    ProductNotReceived,
    Inquiry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Complaint {
    reason: Option<Reason>,
}

/// An empty body complains of fraud.
async fn open_dispute(State(shared): App, Path(charge): Path<String>, body: Bytes) -> Response {
    let complaint = if body.is_empty() { Ok(Complaint { reason: None }) } else { parse::<Complaint>(&body) };
    answer(match complaint {
        Ok(complaint) => {
            let quarrel = match complaint.reason {
                None | Some(Reason::Fraudulent) => Quarrel::Fraudulent,
                Some(Reason::ProductNotReceived) => Quarrel::ProductNotReceived,
                Some(Reason::Inquiry) => Quarrel::Inquiry,
            };
            shared.act(|execution| execution.open_dispute(&charge, quarrel))
        }
        Err(error) => error.answer(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulingChoice {
    outcome: Ruling,
}

async fn close_dispute(State(shared): App, Path(dispute): Path<String>, body: Bytes) -> Response {
    answer(match parse::<RulingChoice>(&body) {
        Ok(choice) => shared.act(|execution| execution.decide_dispute(&dispute, choice.outcome)),
        Err(error) => error.answer(),
    })
}
