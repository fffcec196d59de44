//! Payments: a list that links narrow, and one payment with what happened to it.

use super::Dashboard;
use super::page::{Page, Part};
use super::trace::line_table;
use super::view::{Cell, Field, Filters, Link, Section, Table, Tone, address, below};
use super::visitor::Visitor;
use crate::api::query::{Parameters, checked};
use crate::api::{payment_list, rows};
use crate::problem::{Problem, catalogue};
use crate::runtime::Handle;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Uri;
use quittance_core::id::PaymentId;
use quittance_core::money::Money;
use quittance_core::payment::{Payment, Status};
use quittance_engine::trace::trace;

const LIST: &str = "/dashboard/payments";

/// `GET /dashboard/payments`
pub(super) async fn list(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Response {
    visitor.answer(list_page(&dashboard.handle, &visitor, &uri).await)
}

async fn list_page(handle: &Handle, visitor: &Visitor, uri: &Uri) -> Result<Page, Problem> {
    let asked = Parameters::of_form(uri, &payment_list::PARAMETERS)?;
    let found = payment_list::page(handle, &visitor.caller, &asked).await?;
    let kept = |name: &'static str| (name, asked.text(name));
    let narrowed = ["status", "customer", "reference", "created_after", "created_before", "limit"].map(kept);
    let next = found.next_cursor.as_deref();
    let next = next.map(|cursor| address(LIST, &[&narrowed[..], &[("cursor", Some(cursor))]].concat()));
    let table = Table {
        title: "Payments".to_owned(),
        caption: "The newest first".to_owned(),
        columns: vec!["Payment", "Status", "Amount", "Reference", "Customer", "Gateway", "Accepted"],
        rows: found.data.iter().map(row).collect(),
        empty: "No payment is like that.".to_owned(),
        next,
    };
    Ok(Page::new(Part::Payments, "Payments", vec![Section::Filters(filters(&asked)), Section::Table(table)]))
}

fn row(payment: &Payment) -> Vec<Cell> {
    let id = payment.id.to_string();
    vec![
        Cell::code(id.as_str()).to(below(LIST, &id)),
        status(payment.status),
        Cell::money(payment.money),
        Cell::text(payment.reference.as_str()),
        Cell::code(payment.book.to_string()),
        Cell::text(payment.gateway.as_str()),
        Cell::at(payment.created_at),
    ]
}

fn filters(asked: &Parameters) -> Filters {
    let text = |name| asked.text(name);
    let link = |status: Option<&'static str>| {
        let kept = [("status", status), ("customer", text("customer")), ("reference", text("reference"))];
        let is_here = text("status") == status;
        Link { text: status.unwrap_or("all").to_owned(), href: address(LIST, &kept), is_here }
    };
    let statuses = std::iter::once(None).chain(Status::ALL.map(|status| Some(status.name())));
    let field =
        |name, label| Field { name, label, value: text(name).unwrap_or_default().to_owned(), is_required: false };
    Filters {
        title: "Show",
        action: LIST.to_owned(),
        links: vec![("Status", statuses.map(link).collect())],
        hidden: text("status").map(|status| ("status", status.to_owned())).into_iter().collect(),
        fields: vec![field("customer", "Customer"), field("reference", "Reference")],
    }
}

/// The word for how a payment stands.
fn status(status: Status) -> Cell {
    let tone = match status {
        Status::Unknown | Status::Review => Tone::Bad,
        Status::Processing | Status::RequiresAction | Status::RequiresCapture => Tone::Warn,
        Status::Succeeded => Tone::Good,
        Status::Failed | Status::Canceled => Tone::Plain,
    };
    Cell::state(status.name(), tone)
}

/// `GET /dashboard/payments/{id}`
pub(super) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor, Path(id): Path<String>) -> Response {
    visitor.answer(show_page(&dashboard.handle, &visitor, id).await)
}

async fn show_page(handle: &Handle, visitor: &Visitor, id: String) -> Result<Page, Problem> {
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no payment has this id");
    let (tenant, id) = (visitor.caller.tenant.id, checked(id)?);
    let id: PaymentId = id.parse().map_err(|_| not_found())?;
    let read = handle.read(move |reader| {
        let Some(payment) = rows::payment(reader, tenant, id)? else { return Ok(None) };
        Ok(Some((payment, trace(reader, Some(tenant), &id.to_string())?)))
    });
    let (payment, told) = read.await?.ok_or_else(not_found)?;
    let mut sections = Vec::new();
    sections.extend(
        payment
            .decline
            .as_ref()
            .map(|decline| Section::Note(Tone::Plain, format!("The gateway declined it: {}.", decline.code))),
    );
    sections.extend(payment.parked_by.map(|limit| {
        Section::Note(
            Tone::Warn,
            format!("It waits for a person to approve it: the limit {} stopped it.", limit.name()),
        )
    }));
    sections.push(Section::Facts("Facts".to_owned(), facts(&payment)));
    let stories = told.iter().flat_map(|told| &told.stories);
    sections.extend(stories.map(|story| Section::Table(line_table("Timeline", story))));
    Ok(Page::new(Part::Payments, format!("Payment {}", payment.id), sections))
}

fn facts(payment: &Payment) -> Vec<(String, Cell)> {
    let part = |amount| Cell::money(Money::new(amount, payment.money.currency));
    let maybe = |text: Option<&str>| text.map_or_else(|| Cell::text("–"), Cell::code);
    let id = payment.id.to_string();
    let facts = [
        ("Status", status(payment.status)),
        ("Amount", Cell::money(payment.money)),
        ("Captured", part(payment.captured_amount)),
        ("Refunded", part(payment.refunded_amount)),
        ("Being refunded", part(payment.refunding_amount)),
        ("Disputed", part(payment.disputed_amount)),
        ("Returned", part(payment.returned_amount)),
        ("Reference", Cell::text(payment.reference.as_str())),
        ("Customer", {
            let customer = payment.book.to_string();
            let of_customer = address(LIST, &[("customer", Some(customer.as_str()))]);
            Cell::code(customer).to(of_customer)
        }),
        ("Description", payment.description.as_deref().map_or_else(|| Cell::text("–"), Cell::text)),
        ("Gateway", Cell::text(payment.gateway.as_str())),
        ("At the gateway", maybe(payment.gateway_object.as_deref())),
        ("Payment method", Cell::code(payment.payment_method.as_str())),
        ("Accepted", Cell::at(payment.created_at)),
        (
            "Story",
            Cell::text("The whole story as a drawing").to(address("/dashboard/trace", &[("id", Some(id.as_str()))])),
        ),
    ];
    facts.into_iter().map(|(name, cell)| (name.to_owned(), cell)).collect()
}
