//! Refunds: asked for once, looked at any number of times.

use super::customers::{NAME, currency_complaint};
use super::intake::Intake;
use super::payment_steps::{effect_of, find};
use super::payments::check_amount;
use super::query::{Name, Parameters};
use super::rows;
use super::waiting::{carry_out, or_problem};
use crate::auth::authenticate;
use crate::json::{Fields, Json, Need};
use crate::problem::{Problem, catalogue};
use crate::render::{self, RefundView};
use crate::runtime::Handle;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::currency::Currency;
use quittance_core::decide::AskRefund;
use quittance_core::id::RefundId;
use quittance_core::money::{AMOUNT_MAX, Money};
use quittance_core::tenant::Scope;
use quittance_engine::submission::Action;

/// Why money is given back: the words that Stripe takes.
const REASONS: [(&str, &str); 3] =
    [("duplicate", "duplicate"), ("fraudulent", "fraudulent"), ("requested_by_customer", "requested_by_customer")];

/// The operation of a refund, as commands name it.
pub(super) const CREATE: &str = "POST /v1/refunds";

/// `POST /v1/refunds`
pub(super) async fn create(State(handle): State<Handle>, request: Request) -> Response {
    or_problem(try_create(&handle, request).await)
}

async fn try_create(handle: &Handle, request: Request) -> Result<Response, Problem> {
    let intake = Intake::read(handle, request, "/v1/refunds").await?;
    let (payment, asked) = read_body(&intake.body)?;
    let payment = find(handle, intake.caller.tenant.id, &payment).await?;
    if let Some(amount) = asked.amount {
        check_amount(handle, &payment.gateway, Money { amount, ..payment.money })?;
    }
    carry_out(handle, intake, CREATE, Action::Refund { payment: effect_of(&payment), asked }).await
}

fn read_body(body: &Json) -> Result<(String, AskRefund), Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let payment = fields.text("payment", Need::Required, NAME);
    let amount = fields.amount("amount", Need::Optional, AMOUNT_MAX);
    let currency = fields.parsed("currency", Need::Optional, |code| {
        Currency::from_code(code).map_err(|error| currency_complaint(code, error))
    });
    let reference = fields.text("reference", Need::Optional, NAME);
    let expected_refunded_amount = fields.amount_or_zero("expected_refunded_amount", Need::Optional, AMOUNT_MAX);
    let reason = fields.word("reason", Need::Optional, &REASONS);
    fields.finish().map_err(Problem::invalid_body)?;
    if reference.is_none() && expected_refunded_amount.is_none() {
        let detail = "name the refund, or say in `expected_refunded_amount` what is refunded so far: else a second \
                      request under another key could give the same money back twice";
        return Err(Problem::at(&catalogue::INVALID_BODY, "/reference", detail.to_owned()));
    }
    let Some(payment) = payment else {
        return Err(Problem::internal(&"a required member is missing and was not noticed"));
    };
    let reason = reason.map(str::to_owned);
    Ok((payment, AskRefund { amount, currency, reference, expected_refunded_amount, reason }))
}

/// `GET /v1/refunds/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, &id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    Parameters::of(uri, &[])?;
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no refund has this id");
    let id: RefundId = id.parse().map_err(|_| not_found())?;
    let tenant = caller.tenant.id;
    let refund = handle.read(move |reader| rows::refund(reader, tenant, id)).await?.ok_or_else(not_found)?;
    Ok(render::ok(&RefundView::of(&refund)))
}
