//! Effects at gateways: what a person decides where automation may not, or where a brake holds back.

use super::customers::NAME;
use super::intake::Intake;
use super::query::Name;
use super::rows;
use super::waiting::{carry_out, or_problem};
use crate::json::{Alphabet, Fields, Json, Need, Text};
use crate::problem::{Problem, catalogue};
use crate::runtime::Handle;
use axum::extract::{Request, State};
use axum::response::Response;
use quittance_core::decide::{Approval, Resolution};
use quittance_core::effect::{Effect, PersonsWord};
use quittance_core::id::{ApiKeyId, EffectId, PaymentId, RefundId, TenantId};
use quittance_core::money::AMOUNT_MAX;
use quittance_core::tenant::Scope;
use quittance_engine::submission::{Action, EffectRef};
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::EFFECTS;

/// Why it was decided so, in a person's words.
const REASON: Text = Text { bytes_max: 500, alphabet: Alphabet::Any };

/// The operation of a person's decision, as commands name it.
pub(super) const RESOLVE: &str = "POST /v1/effects/{id}/resolve";

/// `POST /v1/effects/{id}/resolve`
pub(super) async fn resolve(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(try_resolve(&handle, &id, request).await)
}

async fn try_resolve(handle: &Handle, id: &str, request: Request) -> Result<Response, Problem> {
    let path = [("id", id)];
    let intake = Intake::read_as(handle, request, Scope::Admin, "/v1/effects/{id}/resolve", &path).await?;
    let (said, word) = read_body(&intake.body, intake.caller.credential)?;
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no effect, payment or refund has this id");
    let (tenant, id) = (intake.caller.tenant.id, id.to_owned());
    let effect = handle.read(move |reader| find(reader, tenant, &id)).await?.ok_or_else(not_found)?;
    let action = match said {
        Said::Outcome(resolution) => Action::Resolve { effect, resolution, word },
        Said::Approval(approval) => Action::Approve { effect, approval, word },
    };
    carry_out(handle, intake, RESOLVE, action).await
}

/// What a person says: what has happened, or whether it may.
#[derive(Clone, Copy)]
enum Said {
    Outcome(Resolution),
    Approval(Approval),
}

const WORDS: [(&str, Said); 4] = [
    ("succeeded", Said::Outcome(Resolution::Succeeded)),
    ("failed", Said::Outcome(Resolution::Failed)),
    (Approval::Approved.name(), Said::Approval(Approval::Approved)),
    (Approval::Refused.name(), Said::Approval(Approval::Refused)),
];

fn read_body(body: &Json, by: ApiKeyId) -> Result<(Said, PersonsWord), Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let said = fields.word("resolution", Need::Required, &WORDS);
    let evidence = fields.text("evidence", Need::Required, NAME);
    let reason = fields.text("reason", Need::Required, REASON);
    let amount = fields.amount("amount", Need::Optional, AMOUNT_MAX);
    let said = match (said, amount) {
        (Some(Said::Outcome(Resolution::Succeeded)), Some(amount)) => {
            Some(Said::Outcome(Resolution::Received { amount }))
        }
        (Some(_), Some(_)) => {
            fields.wrong("amount", "goes with `succeeded` alone: it is how much came");
            said
        }
        _ => said,
    };
    fields.finish().map_err(Problem::invalid_body)?;
    let Some((said, (evidence, reason))) = said.zip(evidence.zip(reason)) else {
        return Err(Problem::internal(&"a required member is missing and was not noticed"));
    };
    Ok((said, PersonsWord { by: by.to_string(), evidence, reason }))
}

/// The effect of this id, or of the payment or refund of this id.
fn find(reader: &mut dyn Reader, tenant: TenantId, id: &str) -> Result<Option<EffectRef>, StoreError> {
    let effect = match (id.parse::<EffectId>(), id.parse::<PaymentId>(), id.parse::<RefundId>()) {
        (Ok(effect), ..) => Some(effect),
        (_, Ok(payment), _) => rows::payment(reader, tenant, payment)?.map(|payment| payment.effect),
        (.., Ok(refund)) => rows::refund(reader, tenant, refund)?.map(|refund| refund.effect),
        _ => None,
    };
    let Some(effect) = effect else { return Ok(None) };
    let values = vec![tenant.bytes().into(), effect.bytes().into()];
    let found: Option<Effect> = rows::unique(reader, &EFFECTS.indexes[1], values)?;
    Ok(found.map(|effect| EffectRef { book: effect.book, effect: effect.id, payment: effect.payment, epoch: 0 }))
}
