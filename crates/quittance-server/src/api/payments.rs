//! Payments: asked for once, looked at any number of times.

use super::customers::{METADATA, NAME, TOKEN, currency_complaint};
use super::intake::Intake;
use super::query::{Name, Parameters};
use super::rows;
use super::waiting::{carry_out, or_problem};
use crate::auth::authenticate;
use crate::json::{Alphabet, Fields, Json, Need, Text};
use crate::problem::{Problem, catalogue};
use crate::render::{self, PaymentView};
use crate::runtime::Handle;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::currency::Currency;
use quittance_core::decide::{CreatePayment, OnDuplicate};
use quittance_core::id::PaymentId;
use quittance_core::money::{AMOUNT_MAX, Money};
use quittance_core::payment::CaptureMethod;
use quittance_core::rejection::Rejection;
use quittance_core::tenant::{Mode, Scope};
use quittance_engine::submission::{Action, CustomerRef};

/// A description, passed to the gateway.
const DESCRIPTION: Text = Text { bytes_max: 500, alphabet: Alphabet::Any };

/// Longest address that a customer is sent back to.
const RETURN_URL_BYTES_MAX: usize = 2_048;

/// `POST /v1/payments`
pub(super) async fn create(State(handle): State<Handle>, request: Request) -> Response {
    or_problem(try_create(&handle, request).await)
}

async fn try_create(handle: &Handle, request: Request) -> Result<Response, Problem> {
    let intake = Intake::read(handle, request, "/v1/payments").await?;
    let (customer, asked) = read_body(&intake.body)?;
    check_against_gateway(handle, intake.caller.tenant.mode, &asked)?;
    carry_out(handle, intake, "POST /v1/payments", Action::CreatePayment { customer, asked }).await
}

fn read_body(body: &Json) -> Result<(CustomerRef, CreatePayment), Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let mut unknown_currency = None;
    let customer = fields.text("customer", Need::Required, NAME);
    let amount = fields.amount("amount", Need::Required, AMOUNT_MAX);
    let currency = fields.parsed("currency", Need::Required, |code| {
        Currency::from_code(code).map_err(|error| {
            let complaint = currency_complaint(code, error);
            unknown_currency = Some(complaint.clone());
            complaint
        })
    });
    let gateway = fields.text("gateway", Need::Required, TOKEN);
    let payment_method = fields.text("payment_method", Need::Required, TOKEN);
    let reference = fields.text("reference", Need::Required, NAME);
    let methods = [("automatic", CaptureMethod::Automatic), ("manual", CaptureMethod::Manual)];
    let capture_method = fields.word("capture_method", Need::Optional, &methods).unwrap_or_default();
    let return_url = fields.parsed("return_url", Need::Optional, return_url);
    let words = [("reject", OnDuplicate::Reject), ("return_existing", OnDuplicate::ReturnExisting)];
    let on_duplicate = fields.word("on_duplicate", Need::Optional, &words).unwrap_or_default();
    let description = fields.text("description", Need::Optional, DESCRIPTION);
    let metadata = fields.map("metadata", METADATA);
    fields.finish().map_err(|wrongs| match unknown_currency {
        // The one mistake that has a code of its own.
        Some(complaint) if wrongs.len() == 1 => Problem::at(&catalogue::CURRENCY_UNKNOWN, "/currency", complaint),
        _ => Problem::invalid_body(wrongs),
    })?;
    let complete = customer.zip(amount.zip(currency)).zip(gateway.zip(payment_method).zip(reference));
    let Some(((customer, (amount, currency)), ((gateway, payment_method), reference))) = complete else {
        return Err(Problem::internal(&"a required member is missing and was not noticed"));
    };
    let asked = CreatePayment {
        money: Money::new(amount, currency),
        gateway,
        payment_method,
        capture_method,
        return_url,
        reference,
        on_duplicate,
        description,
        metadata,
    };
    Ok((rows::customer_ref(&customer), asked))
}

/// What the engine would refuse too, refused before the claim, so that the key stays free.
fn check_against_gateway(handle: &Handle, mode: Mode, asked: &CreatePayment) -> Result<(), Problem> {
    if !handle.config().gateways.contains_key(&asked.gateway) {
        let detail = Rejection::GatewayNotFound.to_string();
        return Err(Problem::at(&catalogue::GATEWAY_NOT_FOUND, "/gateway", detail));
    }
    if handle.gateway_mode(&asked.gateway).is_some_and(|gateway| gateway != mode) {
        let detail = format!("belongs to the other mode; this tenant is {}", mode.name());
        return Err(Problem::at(&catalogue::GATEWAY_MODE, "/gateway", detail));
    }
    check_amount(handle, &asked.gateway, asked.money)
}

/// Whether the gateway can express an amount.
pub(super) fn check_amount(handle: &Handle, gateway: &str, money: Money) -> Result<(), Problem> {
    let Some(gateway) = handle.config().gateways.get(gateway) else { return Ok(()) };
    gateway.dialect.connector().check_amount(money).map_err(|error| {
        let rejection = Rejection::AmountNotRepresentable { reason: error.to_string() };
        Problem::at(&catalogue::AMOUNT_NOT_REPRESENTABLE, "/amount", rejection.to_string())
    })
}

/// Where a customer may be sent back to: an absolute address of the web, which is passed on as it is.
fn return_url(text: &str) -> Result<String, String> {
    let is_web = reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    match is_web && text.len() <= RETURN_URL_BYTES_MAX {
        true => Ok(text.to_owned()),
        false => Err(format!("must be an http(s) address of at most {RETURN_URL_BYTES_MAX} bytes")),
    }
}

/// `GET /v1/payments/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, &id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    Parameters::of(uri, &[])?;
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no payment has this id");
    let id: PaymentId = id.parse().map_err(|_| not_found())?;
    let tenant = caller.tenant.id;
    let payment = handle.read(move |reader| rows::payment(reader, tenant, id)).await?.ok_or_else(not_found)?;
    Ok(render::ok(&PaymentView::of(&payment)))
}
