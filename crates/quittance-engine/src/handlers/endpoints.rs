//! A tenant's endpoints for outgoing events: made, changed, given new secrets, deleted.

use super::client::answered;
use super::{Context, Handled, Wanted};
use crate::ports::Answer;
use crate::submission::{EndpointChange, EndpointTurn, NewEndpoint, NewSecret, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::event::{ENDPOINTS_MAX, EndedBy, Endpoint, EndpointState, Endpoints, Secret};
use quittance_core::id::{EndpointId, TenantId};
use quittance_core::idempotency::Command;
use quittance_core::rejection::Rejection;

pub(super) fn reads(tenant: TenantId, wanted: &mut Wanted<'_>) {
    wanted.row::<Endpoints>(vec![tenant.bytes().into()]);
}

pub(super) fn of(tenant: TenantId, rows: &WorkingSet<'_>) -> Result<Endpoints, Miss> {
    Ok(rows.get(&vec![tenant.bytes().into()])?.unwrap_or_else(|| Endpoints::new(tenant)))
}

pub(super) fn create(
    new: &NewEndpoint,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let mut endpoints = of(command.tenant, rows)?;
    if endpoints.all.len() >= ENDPOINTS_MAX {
        let rejection = Rejection::TooManyEndpoints { endpoints_max: ENDPOINTS_MAX };
        return Ok(answered(command, &Answer::Rejected(&rejection), context));
    }
    let endpoint = Endpoint {
        id: EndpointId::from_uuid(context.ids.uuid(context.now)),
        url: new.url.clone(),
        description: new.description.clone(),
        kinds: new.kinds.clone(),
        secrets: vec![Secret { bytes: new.secret, until: None }],
        state: EndpointState::Enabled,
        failing_since: None,
        created_at: context.now,
    };
    command.subject = Some(endpoint.id.to_string());
    let handled = answered(command, &Answer::EndpointCreated(&endpoint), context);
    endpoints.all.push(endpoint);
    rows.put(&endpoints);
    Ok(handled)
}

pub(super) fn rotate(
    new: &NewSecret,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Handled, Miss> {
    let mut endpoints = of(command.tenant, rows)?;
    let Some(endpoint) = endpoints.get_mut(new.endpoint) else {
        return Ok(answered(command, &Answer::Rejected(&Rejection::EndpointNotFound), context));
    };
    endpoint.rotate(new.secret, new.overlap_ms, context.now);
    command.subject = Some(new.endpoint.to_string());
    let handled = answered(command, &Answer::SecretRotated(endpoint), context);
    rows.put(&endpoints);
    Ok(handled)
}

/// What is so already stays as it is, and is done.
pub(super) fn change(
    change: &EndpointChange,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Handled, Miss> {
    let mut endpoints = of(change.tenant, rows)?;
    let Some(endpoint) = endpoints.get_mut(change.endpoint) else {
        return Ok(Outcome::Conflict("no webhook endpoint is known by this id").into());
    };
    let before = endpoint.clone();
    match &change.turn {
        EndpointTurn::Update { url, description, kinds } => {
            if let Some(url) = url {
                endpoint.move_to(url.clone());
            }
            replace(&mut endpoint.kinds, kinds.as_ref());
            if description.is_some() {
                endpoint.description.clone_from(description);
            }
        }
        EndpointTurn::Enable if endpoint.is_enabled() => {}
        EndpointTurn::Enable => endpoint.enable(),
        EndpointTurn::Disable { by, reason } => {
            let why = EndedBy::Person { by: by.clone(), reason: reason.clone() };
            endpoint.disable(why, context.now);
        }
        EndpointTurn::Delete => {
            endpoints.all.retain(|endpoint| endpoint.id != change.endpoint);
            rows.put(&endpoints);
            return Ok(Outcome::Done.into());
        }
    }
    if *endpoint != before {
        rows.put(&endpoints);
    }
    Ok(Outcome::Done.into())
}

/// Takes over what is given.
fn replace<T: Clone>(old: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        old.clone_from(new);
    }
}
