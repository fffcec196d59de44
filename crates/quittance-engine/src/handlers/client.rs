//! A client's command: its idempotency key first, then what it asks.

use super::steps::{self, Step};
use super::{
    Context, Handled, Wanted, approval, brakes, effect_rows, endpoints, new_customer, new_evidence, new_payment,
    new_refund, resolution,
};
use crate::ports::Answer;
use crate::submission::{Action, ClientCommand, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::decide::Ask;
use quittance_core::id::{CommandId, TenantId};
use quittance_core::idempotency::{Command, FINGERPRINT_VERSION, Progress, Verdict, verdict};
use quittance_core::rejection::Rejection;
use quittance_core::tenant::Tenant;
use quittance_store::records::KeyEntry;
use quittance_store::value::{Key, Value};

fn key_place(tenant: TenantId, digest: [u8; 16]) -> Key {
    vec![tenant.bytes().into(), digest.into()]
}

/// Place of a customer in the index of the clients' own ids.
pub(super) fn external_place(tenant: TenantId, external_id: &str) -> Vec<Value> {
    vec![tenant.bytes().into(), external_id.into()]
}

pub(super) fn reads(command: &ClientCommand, wanted: &mut Wanted<'_>) {
    let tenant = wanted.get::<Tenant>(vec![command.tenant.bytes().into()]);
    if let Some(entry) = wanted.get::<KeyEntry>(key_place(command.tenant, command.key.digest())) {
        wanted.row::<Command>(vec![entry.command.bytes().into()]);
        return;
    }
    match &command.action {
        Action::CreateCustomer(new) => new_customer::reads(command.tenant, new, wanted),
        Action::CreatePayment { customer, asked } => {
            new_payment::reads(command.tenant, customer, asked, wanted);
            if let Some(tenant) = tenant {
                brakes::reads(&tenant, &Ask::Payment { money: asked.money, is_retry: false }, wanted);
            }
        }
        Action::Capture { payment, .. } | Action::Cancel { payment, .. } => effect_rows::reads(payment, wanted),
        Action::Refund { payment, asked } => new_refund::reads(tenant.as_ref(), payment, asked, wanted),
        Action::SubmitEvidence { dispute, .. } => new_evidence::reads(dispute, wanted),
        Action::Approve { effect, .. } => effect_rows::reads(effect, wanted),
        Action::Resolve { effect, .. } => resolution::reads(effect, wanted),
        Action::CreateEndpoint(_) | Action::RotateSecret(_) => endpoints::reads(command.tenant, wanted),
    }
}

pub(super) fn handle(
    asked: &ClientCommand,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let stored = match rows.get::<KeyEntry>(&key_place(asked.tenant, asked.key.digest()))? {
        Some(entry) => Some(rows.expect::<Command>(&vec![entry.command.bytes().into()])?),
        None => None,
    };
    match verdict(stored.as_ref(), &asked.key, asked.operation, &asked.fingerprint) {
        Verdict::Fresh => fresh(asked, rows, context),
        Verdict::Replay(command) => Ok(Outcome::Replayed(Box::new(command.clone())).into()),
        Verdict::InProgress(command) => {
            Ok(Outcome::Joined { command: command.id, subject: command.subject.clone() }.into())
        }
        Verdict::Expired(command) => {
            let rejection = Rejection::KeyExpired { command: command.id, subject: command.subject.clone() };
            Ok(Outcome::Refused(rejection).into())
        }
        Verdict::Reused => Ok(Outcome::Refused(Rejection::KeyReused).into()),
    }
}

fn fresh(asked: &ClientCommand, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Handled, Miss> {
    let mut command = Command {
        id: CommandId::from_uuid(context.ids.uuid(context.now)),
        tenant: asked.tenant,
        key: asked.key.as_str().to_owned(),
        operation: asked.operation.to_owned(),
        fingerprint: asked.fingerprint,
        fingerprint_version: FINGERPRINT_VERSION,
        progress: Progress::InProgress,
        subject: None,
        credential: asked.credential,
        api_version: asked.api_version.clone(),
        received_at: context.now,
    };
    let handled = match &asked.action {
        Action::CreateCustomer(new) => new_customer::handle(new, &mut command, rows, context)?,
        Action::CreatePayment { customer, asked } => new_payment::handle(customer, asked, &mut command, rows, context)?,
        Action::Capture { payment, amount } => {
            steps::handle(payment, &Step::Capture(*amount), &mut command, rows, context)?
        }
        Action::Cancel { payment, reason } => {
            steps::handle(payment, &Step::Cancel(reason.as_deref()), &mut command, rows, context)?
        }
        Action::Refund { payment, asked } => new_refund::handle(payment, asked, &mut command, rows, context)?,
        Action::SubmitEvidence { dispute, texts } => new_evidence::handle(dispute, texts, &mut command, rows, context)?,
        Action::CreateEndpoint(new) => endpoints::create(new, &mut command, rows, context)?,
        Action::RotateSecret(new) => endpoints::rotate(new, &mut command, rows, context)?,
        Action::Resolve { effect, resolution, word } => {
            resolution::handle(effect, *resolution, word, &mut command, rows, context)?
        }
        Action::Approve { effect, approval, word } => {
            approval::handle(effect, *approval, word, &mut command, rows, context)?
        }
    };
    let is_stored = !matches!(
        handled.outcome,
        Outcome::Refused(_) | Outcome::OverLimit { parked: None, .. } | Outcome::Backlogged { .. }
    );
    if !is_stored {
        return Ok(handled);
    }
    rows.put(&KeyEntry { tenant: asked.tenant, key_digest: asked.key.digest(), command: command.id });
    rows.put(&command);
    Ok(handled)
}

/// Freezes a command's answer.
pub(super) fn complete(command: &mut Command, answer: &Answer<'_>, context: &Context<'_>) -> (u16, Vec<u8>) {
    let (status, body) = context.render.render(answer, &command.api_version);
    command.progress = Progress::Completed { status, body: body.clone(), at: context.now };
    (status, body)
}

/// Finishes a command at once.
pub(super) fn answered(command: &mut Command, answer: &Answer<'_>, context: &Context<'_>) -> Handled {
    let (status, body) = complete(command, answer, context);
    Outcome::Answered { command: command.id, status, body }.into()
}
