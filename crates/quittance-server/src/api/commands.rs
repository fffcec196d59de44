//! `GET /v1/commands/{id}`: what was asked, what was sent, how it ended.

use super::query::{Name, Parameters};
use super::rows;
use super::waiting::or_problem;
use crate::auth::authenticate;
use crate::problem::{Problem, catalogue};
use crate::render::{self, correlation_id, resource_path, time};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::id::{CommandId, TenantId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::payment::Payment;
use quittance_core::tenant::Scope;
use quittance_store::records::Ticket;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::TICKETS;
use serde::Serialize;
use serde_json::value::RawValue;

/// Attempts shown, at most: a few hundred happen only where a gateway was away for long.
const ATTEMPTS_MAX: usize = 500;

#[derive(Serialize)]
struct CommandView<'a> {
    id: String,
    object: &'static str,
    status: &'static str,
    operation: &'a str,
    idempotency_key: &'a str,
    resource: Option<String>,
    correlation_id: String,
    received_at: String,
    completed_at: Option<String>,
    intent: Option<IntentView<'a>>,
    attempts: Vec<AttemptView<'a>>,
    outcome: Option<OutcomeView<'a>>,
}

#[derive(Serialize)]
struct IntentView<'a> {
    customer: String,
    amount: i64,
    currency: &'static str,
    gateway: &'a str,
    reference: &'a str,
    payment: String,
    payment_status: &'static str,
}

/// One send to the gateway, committed to before its first byte.
#[derive(Serialize)]
struct AttemptView<'a> {
    step: &'static str,
    generation: u32,
    send_no: u32,
    gateway_key: &'a str,
    issued_at: String,
    deadline: String,
}

#[derive(Serialize)]
struct OutcomeView<'a> {
    http_status: u16,
    body: Option<&'a RawValue>,
}

/// What is stored of a command.
struct Stored {
    command: Command,
    payment: Option<Payment>,
    tickets: Vec<Ticket>,
}

/// `GET /v1/commands/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, &id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    Parameters::of(uri, &[])?;
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no command has this id");
    let id: CommandId = id.parse().map_err(|_| not_found())?;
    let tenant = caller.tenant.id;
    let stored = handle.read(move |reader| read(reader, tenant, id)).await?.ok_or_else(not_found)?;
    Ok(render::ok(&view(&stored)))
}

fn read(reader: &mut dyn Reader, tenant: TenantId, id: CommandId) -> Result<Option<Stored>, StoreError> {
    let command: Option<Command> = rows::get(reader, vec![id.bytes().into()])?;
    let Some(command) = command.filter(|command| command.tenant == tenant) else {
        return Ok(None);
    };
    let payment = match command.subject.as_deref().and_then(|subject| subject.parse().ok()) {
        Some(payment) => rows::payment(reader, tenant, payment)?,
        None => None,
    };
    let mut tickets: Vec<Ticket> = match &payment {
        // A command that was given an existing payment sent nothing itself.
        Some(payment) if payment.command == id => {
            let effect = vec![payment.book.bytes().into(), payment.effect.bytes().into()];
            rows::page(reader, &Scan::forward(&TICKETS, effect, ATTEMPTS_MAX))?
        }
        _ => Vec::new(),
    };
    tickets.sort_by_key(|ticket| (ticket.issued_at, ticket.step, ticket.generation, ticket.send_no));
    Ok(Some(Stored { command, payment, tickets }))
}

fn view(stored: &Stored) -> CommandView<'_> {
    let command = &stored.command;
    let (status, completed_at, outcome) = match &command.progress {
        Progress::InProgress => ("in_progress", None, None),
        Progress::Completed { status, body, at } => {
            let outcome = OutcomeView { http_status: *status, body: serde_json::from_slice(body).ok() };
            ("completed", Some(time(*at)), Some(outcome))
        }
        Progress::Tombstone { at } => ("expired", Some(time(*at)), None),
    };
    CommandView {
        id: command.id.to_string(),
        object: "command",
        status,
        operation: &command.operation,
        idempotency_key: &command.key,
        resource: command.subject.as_deref().and_then(resource_path),
        correlation_id: correlation_id(command.id),
        received_at: time(command.received_at),
        completed_at,
        intent: stored.payment.as_ref().map(intent),
        attempts: stored.tickets.iter().map(attempt).collect(),
        outcome,
    }
}

fn intent(payment: &Payment) -> IntentView<'_> {
    IntentView {
        customer: payment.book.to_string(),
        amount: payment.money.amount,
        currency: payment.money.currency.code(),
        gateway: &payment.gateway,
        reference: &payment.reference,
        payment: payment.id.to_string(),
        payment_status: payment.status.name(),
    }
}

fn attempt(ticket: &Ticket) -> AttemptView<'_> {
    AttemptView {
        step: ticket.step.name(),
        generation: ticket.generation,
        send_no: ticket.send_no,
        gateway_key: &ticket.gateway_key,
        issued_at: time(ticket.issued_at),
        deadline: time(ticket.deadline),
    }
}
