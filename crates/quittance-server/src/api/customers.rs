//! Customers: created once, found by our id or the client's own.

use super::cursor::List;
use super::intake::Intake;
use super::query::{Name, Parameters};
use super::rows;
use super::waiting::{carry_out, or_problem};
use crate::auth::authenticate;
use crate::json::{Alphabet, Fields, Json, MapLimits, Need, Text};
use crate::problem::{Problem, catalogue};
use crate::render::{self, CustomerView, ListView};
use crate::runtime::Handle;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::currency::{Currency, CurrencyError};
use quittance_core::customer::Customer;
use quittance_core::id::CustomerId;
use quittance_core::tenant::Scope;
use quittance_engine::submission::{Action, NewCustomer};
use quittance_store::store::{Direction, Scan};
use quittance_store::tables::CUSTOMERS;

/// A name that people read.
pub(super) const NAME: Text = Text { bytes_max: 255, alphabet: Alphabet::Line };
/// A token of somebody else.
pub(super) const TOKEN: Text = Text { bytes_max: 255, alphabet: Alphabet::Token };
/// Longest e-mail address (RFC 5321, section 4.5.3.1.3: a path of 256 with its angle brackets).
const EMAIL: Text = Text { bytes_max: 254, alphabet: Alphabet::Line };
/// Names that we write ourselves into the metadata of a gateway's objects.
const OUR_METADATA: [&str; 4] = ["effect_id", "payment_id", "customer_id", "payment_reference"];
/// The client's own fields: what Stripe keeps of an object (docs.stripe.com/api/metadata: 50 of them), less our own.
pub(super) const METADATA: MapLimits = MapLimits {
    entries_max: 50 - OUR_METADATA.len(),
    name: Text { bytes_max: 40, alphabet: Alphabet::Field },
    reserved_names: &OUR_METADATA,
    value_bytes_max: 500,
};
/// Gateways' ids.
const GATEWAY_IDS: MapLimits = MapLimits {
    entries_max: 20,
    name: Text { bytes_max: 64, alphabet: Alphabet::Line },
    reserved_names: &[],
    value_bytes_max: 255,
};

/// `POST /v1/customers`
pub(super) async fn create(State(handle): State<Handle>, request: Request) -> Response {
    or_problem(try_create(&handle, request).await)
}

async fn try_create(handle: &Handle, request: Request) -> Result<Response, Problem> {
    let intake = Intake::read(handle, request, "/v1/customers").await?;
    let new = read_body(&intake.body)?;
    let unknown = new.gateway_ids.keys().find(|name| !handle.config().gateways.contains_key(*name));
    if unknown.is_some() {
        let detail = "names a gateway that is not configured";
        return Err(Problem::at(&catalogue::GATEWAY_NOT_FOUND, "/gateway_ids", detail));
    }
    carry_out(handle, intake, "POST /v1/customers", Action::CreateCustomer(new)).await
}

fn read_body(body: &Json) -> Result<NewCustomer, Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let new = NewCustomer {
        id: fields.parsed("id", Need::Optional, |text| {
            text.parse::<CustomerId>().map_err(|error| format!("is no id of a customer: {error}"))
        }),
        external_id: fields.text("external_id", Need::Optional, NAME),
        name: fields.text("name", Need::Optional, NAME),
        email: fields.text("email", Need::Optional, EMAIL),
        currency: fields.parsed("currency", Need::Optional, |code| {
            Currency::from_code(code).map_err(|error| currency_complaint(code, error))
        }),
        timezone: fields.parsed("timezone", Need::Optional, |name| {
            let is_known = jiff::tz::TimeZone::get(name).is_ok();
            if is_known { Ok(name.to_owned()) } else { Err("is no time zone of the IANA database".to_owned()) }
        }),
        gateway_ids: fields.map("gateway_ids", GATEWAY_IDS),
        metadata: fields.map("metadata", METADATA),
    };
    // An external id is accepted wherever ours is, so it must not look like one.
    if new.external_id.as_deref().is_some_and(|text| text.parse::<CustomerId>().is_ok()) {
        fields.wrong("external_id", "looks like one of our own ids; send it as `id`");
    }
    if new.email.as_deref().is_some_and(|text| !text.contains('@') || text.contains(char::is_whitespace)) {
        fields.wrong("email", "is no e-mail address");
    }
    if new.gateway_ids.values().any(|id| TOKEN.complaint(id).is_some()) {
        fields.wrong("gateway_ids", "holds an id that is not 1 to 255 visible ASCII characters");
    }
    fields.finish().map_err(Problem::invalid_body)?;
    Ok(new)
}

/// What is wrong with a currency code, and what would be right.
pub(super) fn currency_complaint(code: &str, error: CurrencyError) -> String {
    let upper = code.to_ascii_uppercase();
    match error {
        CurrencyError::Unknown if Currency::from_code(&upper).is_ok() => {
            format!("codes are upper-case: send \"{upper}\"")
        }
        CurrencyError::Unknown => "is no code of ISO 4217; three upper-case letters are expected".to_owned(),
        CurrencyError::NoMinorUnit => "names no currency that has minor units".to_owned(),
    }
}

/// `GET /v1/customers/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: String, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    Parameters::of(uri, &[])?;
    let customer = find(handle, &caller, &id).await?;
    Ok(render::ok(&CustomerView::of(&customer)))
}

/// The caller's customer of that name.
pub(super) async fn find(handle: &Handle, caller: &crate::auth::Caller, name: &str) -> Result<Customer, Problem> {
    let (tenant, named) = (caller.tenant.id, rows::customer_ref(name));
    let found = handle.read(move |reader| rows::customer(reader, tenant, &named)).await?;
    found.ok_or_else(|| Problem::new(&catalogue::CUSTOMER_NOT_FOUND, "no customer is known by this id"))
}

/// `GET /v1/customers`: newest first.
pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &["limit", "cursor"])?;
    let (tenant, limit) = (caller.tenant.id, parameters.limit()?);
    let cursors = List::new("customers", tenant, "");
    let after = cursors.fixed_position::<16>(parameters.text("cursor"))?;
    let scan = Scan {
        table: &CUSTOMERS,
        index: Some(&CUSTOMERS.indexes[1]),
        prefix: vec![tenant.bytes().into()],
        after: after.map(|id| vec![id.into()]),
        until: None,
        direction: Direction::Backward,
        // One more shows whether there is more.
        limit: limit + 1,
    };
    let mut found: Vec<Customer> = handle.read(move |reader| rows::page(reader, &scan)).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more);
    let next_cursor = last.map(|customer| cursors.cursor(&customer.id.bytes()));
    Ok(render::ok(&ListView { data: found.iter().map(CustomerView::of).collect(), has_more, next_cursor }))
}
