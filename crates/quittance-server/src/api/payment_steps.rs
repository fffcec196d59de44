//! What a client may ask of a payment under way: to take what is authorised, or to give it up.

use super::intake::Intake;
use super::payments::check_amount;
use super::query::Name;
use super::rows;
use super::waiting::{carry_out, or_problem};
use crate::json::{Alphabet, Fields, Json, Need, Text};
use crate::problem::{Problem, catalogue};
use crate::runtime::Handle;
use axum::extract::{Request, State};
use axum::response::Response;
use quittance_core::id::{PaymentId, TenantId};
use quittance_core::money::{AMOUNT_MAX, Money};
use quittance_core::payment::Payment;
use quittance_core::tenant::Scope;
use quittance_engine::submission::{Action, EffectRef};

/// Why a payment is given up, in the client's words.
const REASON: Text = Text { bytes_max: 500, alphabet: Alphabet::Any };

/// The operation of a capture, as commands name it.
pub(super) const CAPTURE: &str = "POST /v1/payments/{id}/capture";
/// The operation of a cancel.
pub(super) const CANCEL: &str = "POST /v1/payments/{id}/cancel";

/// `POST /v1/payments/{id}/capture`
pub(super) async fn capture(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(try_capture(&handle, &id, request).await)
}

async fn try_capture(handle: &Handle, id: &str, request: Request) -> Result<Response, Problem> {
    let path = [("id", id)];
    let intake = Intake::read_as(handle, request, Scope::Write, "/v1/payments/{id}/capture", &path).await?;
    let amount = read_capture(&intake.body)?;
    let payment = find(handle, intake.caller.tenant.id, id).await?;
    if let Some(amount) = amount {
        check_amount(handle, &payment.gateway, Money { amount, ..payment.money })?;
    }
    let action = Action::Capture { payment: effect_of(&payment), amount };
    carry_out(handle, intake, CAPTURE, action).await
}

fn read_capture(body: &Json) -> Result<Option<i64>, Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let amount = fields.amount("amount", Need::Optional, AMOUNT_MAX);
    fields.finish().map_err(Problem::invalid_body)?;
    Ok(amount)
}

/// `POST /v1/payments/{id}/cancel`
pub(super) async fn cancel(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(try_cancel(&handle, &id, request).await)
}

async fn try_cancel(handle: &Handle, id: &str, request: Request) -> Result<Response, Problem> {
    let path = [("id", id)];
    let intake = Intake::read_as(handle, request, Scope::Write, "/v1/payments/{id}/cancel", &path).await?;
    let mut fields = Fields::of(&intake.body).map_err(Problem::invalid_body)?;
    let reason = fields.text("reason", Need::Optional, REASON);
    fields.finish().map_err(Problem::invalid_body)?;
    let payment = find(handle, intake.caller.tenant.id, id).await?;
    let action = Action::Cancel { payment: effect_of(&payment), reason };
    carry_out(handle, intake, CANCEL, action).await
}

/// The tenant's payment of this id.
pub(super) async fn find(handle: &Handle, tenant: TenantId, id: &str) -> Result<Payment, Problem> {
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no payment has this id");
    let id: PaymentId = id.parse().map_err(|_| not_found())?;
    handle.read(move |reader| rows::payment(reader, tenant, id)).await?.ok_or_else(not_found)
}

/// The effect that carries a payment out.
pub(super) fn effect_of(payment: &Payment) -> EffectRef {
    EffectRef { book: payment.book, effect: payment.effect, payment: payment.id, epoch: 0 }
}
