//! `POST /v1/disputes/{id}/evidence`: the answer to one stage of a dispute, handed in once and for good.

use super::disputes::find;
use super::intake::Intake;
use super::query::Name;
use super::waiting::{carry_out, or_problem};
use crate::json::{Alphabet, Fields, Json, MapLimits, Text, Wrong, joined};
use crate::problem::Problem;
use crate::runtime::Handle;
use axum::extract::{Request, State};
use axum::response::Response;
use quittance_core::rejection::Rejection;
use quittance_core::tenant::Scope;
use quittance_engine::submission::{Action, DisputeRef};
use std::collections::BTreeMap;

/// What evidence may consist of. From memory: Stripe takes 20,000 characters a member, and 150,000 in all.
const TEXTS: MapLimits = MapLimits {
    entries_max: 50,
    name: Text { bytes_max: 100, alphabet: Alphabet::Token },
    reserved_names: &[],
    value_bytes_max: 20_000,
};

/// Where the texts are in the body.
const PLACE: &str = "/evidence";

/// Bytes of all texts together.
const TEXTS_BYTES_MAX: usize = 150_000;

pub(super) async fn submit(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(try_submit(&handle, &id, request).await)
}

async fn try_submit(handle: &Handle, id: &str, request: Request) -> Result<Response, Problem> {
    let path = [("id", id)];
    let intake = Intake::read_as(handle, request, Scope::Write, "/v1/disputes/{id}/evidence", &path).await?;
    let texts = read_body(&intake.body)?;
    let dispute = find(handle, intake.caller.tenant.id, id).await?;
    check_names(handle, &dispute.gateway, &texts)?;
    let dispute = DisputeRef { book: dispute.book, dispute: dispute.id };
    let action = Action::SubmitEvidence { dispute, texts };
    carry_out(handle, intake, "POST /v1/disputes/{id}/evidence", action).await
}

fn read_body(body: &Json) -> Result<BTreeMap<String, String>, Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let texts = fields.map("evidence", TEXTS);
    let bytes: usize = texts.values().map(String::len).sum();
    fields.finish().map_err(Problem::invalid_body)?;
    if texts.is_empty() {
        return Err(wrong(PLACE, "is required: an object of at least one text; what is submitted is final"));
    }
    if bytes > TEXTS_BYTES_MAX {
        let detail = format!("has {bytes} bytes of text; at most {TEXTS_BYTES_MAX} are taken");
        return Err(wrong(PLACE, detail));
    }
    if let Some((name, _)) = texts.iter().find(|(_, text)| text.is_empty()) {
        return Err(wrong(&joined(PLACE, name), "is empty; leave it out or give it a value"));
    }
    Ok(texts)
}

/// Whether the gateway knows what it is to be told.
fn check_names(handle: &Handle, gateway: &str, texts: &BTreeMap<String, String>) -> Result<(), Problem> {
    let Some(gateway) = handle.config().gateways.get(gateway) else {
        return Err(Problem::from(&Rejection::GatewayNotFound));
    };
    let known = gateway.dialect.connector().evidence_names();
    if known.is_empty() {
        return Err(Problem::from(&Rejection::NotOffered { operation: "answers to disputes" }));
    }
    let unknown = texts.keys().filter(|name| !known.contains(&name.as_str()));
    let detail = format!("is not known to the gateway; known are: {}", known.join(", "));
    let wrongs: Vec<_> = unknown.map(|name| Wrong::new(joined(PLACE, name), detail.clone())).collect();
    if wrongs.is_empty() { Ok(()) } else { Err(Problem::invalid_body(wrongs)) }
}

fn wrong(pointer: &str, detail: impl Into<String>) -> Problem {
    Problem::invalid_body(vec![Wrong::new(pointer, detail)])
}
