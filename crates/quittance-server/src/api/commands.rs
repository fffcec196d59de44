//! `GET /v1/commands/{id}`: what was asked, what was sent, how it ended.

mod intent;

use super::endpoints;
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
use intent::{IntentView, Kind};
use quittance_core::effect::Step;
use quittance_core::id::{CommandId, CustomerId, EffectId, TenantId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::StepAsked;
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
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
    about: About,
    tickets: Vec<Ticket>,
}

/// What a command is about.
enum About {
    Nothing,
    Payment(Box<Payment>, Option<StepAsked>),
    Refund(Box<Refund>),
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
    let about = about(reader, &command)?;
    let mut tickets = tickets(reader, &command, &about)?;
    tickets.sort_by_key(|ticket| (ticket.issued_at, ticket.step, ticket.generation, ticket.send_no));
    Ok(Some(Stored { command, about, tickets }))
}

fn about(reader: &mut dyn Reader, command: &Command) -> Result<About, StoreError> {
    let subject = command.subject.as_deref().unwrap_or_default();
    if let Ok(refund) = subject.parse() {
        let refund = rows::refund(reader, command.tenant, refund)?;
        return Ok(refund.map_or(About::Nothing, |refund| About::Refund(Box::new(refund))));
    }
    let Ok(payment) = subject.parse() else { return Ok(About::Nothing) };
    let Some(payment) = rows::payment(reader, command.tenant, payment)? else { return Ok(About::Nothing) };
    let asked = match Kind::of(command) {
        Kind::Capture | Kind::Cancel => intent::asked(reader, &payment, command)?,
        Kind::Payment | Kind::Refund | Kind::Resolution => None,
    };
    Ok(About::Payment(Box::new(payment), asked))
}

/// What was sent because of a command.
fn tickets(reader: &mut dyn Reader, command: &Command, about: &About) -> Result<Vec<Ticket>, StoreError> {
    let of_effect = |book: CustomerId, effect: EffectId| vec![book.bytes().into(), effect.bytes().into()];
    match (about, Kind::of(command)) {
        (About::Refund(refund), _) if refund.command == command.id => {
            rows::page(reader, &Scan::forward(&TICKETS, of_effect(refund.book, refund.effect), ATTEMPTS_MAX))
        }
        (About::Payment(payment, _), _) if payment.command == command.id => {
            rows::page(reader, &Scan::forward(&TICKETS, of_effect(payment.book, payment.effect), ATTEMPTS_MAX))
        }
        (About::Payment(payment, Some(_)), Kind::Capture) => step_tickets(reader, command, payment, Step::Capture),
        (About::Payment(payment, Some(_)), Kind::Cancel) => step_tickets(reader, command, payment, Step::Cancel),
        // One that was refused, or was given what others made, sent nothing itself.
        _ => Ok(Vec::new()),
    }
}

/// The sends of a step while its command waited.
fn step_tickets(
    reader: &mut dyn Reader,
    command: &Command,
    payment: &Payment,
    step: Step,
) -> Result<Vec<Ticket>, StoreError> {
    let prefix = vec![payment.book.bytes().into(), payment.effect.bytes().into(), step.name().into()];
    let mut tickets: Vec<Ticket> = rows::page(reader, &Scan::forward(&TICKETS, prefix, ATTEMPTS_MAX))?;
    let end = match command.progress {
        Progress::InProgress => None,
        Progress::Completed { at, .. } | Progress::Tombstone { at } => Some(at),
    };
    tickets.retain(|ticket| ticket.issued_at >= command.received_at && end.is_none_or(|end| ticket.issued_at <= end));
    Ok(tickets)
}

fn view(stored: &Stored) -> CommandView<'_> {
    let command = &stored.command;
    let (status, completed_at, outcome) = match &command.progress {
        Progress::InProgress => ("in_progress", None, None),
        Progress::Completed { status, body, at } => {
            // A secret is told to whoever asked for it, and to nobody who looks later.
            let is_secret = endpoints::TELL_SECRETS.contains(&command.operation.as_str());
            let body = if is_secret { None } else { serde_json::from_slice(body).ok() };
            let outcome = OutcomeView { http_status: *status, body };
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
        intent: intent(stored),
        attempts: stored.tickets.iter().map(attempt).collect(),
        outcome,
    }
}

fn intent(stored: &Stored) -> Option<IntentView<'_>> {
    let kind = Kind::of(&stored.command);
    match &stored.about {
        About::Nothing => None,
        About::Payment(payment, asked) => Some(intent::of_payment(kind, payment, asked.as_ref())),
        About::Refund(refund) => Some(intent::of_refund(kind, refund)),
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
