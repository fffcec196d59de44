//! Opening and closing what does not agree. One row for each kind at an object: what comes back opens it again.

use crate::handlers::effect_rows::EffectRows;
use crate::handlers::{Context, Wanted};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::id::{DiscrepancyId, PaymentId, TenantId};
use quittance_store::records::{Discrepancy, DiscrepancyKind, GatewayObject};
use quittance_store::tables::DISCREPANCIES;
use quittance_store::value::Value;

/// Something that does not agree, as just seen.
pub(in crate::handlers) struct Found {
    pub(in crate::handlers) kind: DiscrepancyKind,
    pub(in crate::handlers) detail: String,
    tenant: Option<TenantId>,
    payment: Option<PaymentId>,
}

impl Found {
    /// About an effect, where one is known.
    pub(in crate::handlers) fn of(kind: DiscrepancyKind, detail: String, around: Option<&EffectRows>) -> Self {
        let tenant = around.map(|around| around.effect.tenant);
        Self { kind, detail, tenant, payment: around.map(|around| around.payment.id) }
    }

    /// Says about whose effect it is, where that was not said.
    pub(super) fn about(&mut self, around: &EffectRows) {
        self.tenant.get_or_insert(around.effect.tenant);
        self.payment.get_or_insert(around.payment.id);
    }
}

fn place(gateway: &str, object: &str, kind: DiscrepancyKind) -> Vec<Value> {
    vec![gateway.into(), object.into(), kind.name().into()]
}

pub(super) fn reads(gateway: &str, object: &str, wanted: &mut Wanted<'_>) {
    for kind in DiscrepancyKind::OF_OBJECTS {
        reads_of(gateway, object, kind, wanted);
    }
}

pub(in crate::handlers) fn reads_of(gateway: &str, object: &str, kind: DiscrepancyKind, wanted: &mut Wanted<'_>) {
    wanted.unique::<Discrepancy>(&DISCREPANCIES.indexes[0], place(gateway, object, kind));
}

/// Opens what was found at an object, and closes every other discrepancy of it. Says what was opened.
pub(super) fn settle(
    row: &GatewayObject,
    mut found: Option<Found>,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<&'static str>, Miss> {
    let mut opened = None;
    for kind in DiscrepancyKind::OF_OBJECTS {
        match found.take_if(|found| found.kind == kind) {
            Some(found) => opened = open(&row.gateway, &row.object, found, rows, context)?,
            None => close(&row.gateway, &row.object, kind, rows, context)?,
        }
    }
    Ok(opened)
}

/// Opens a discrepancy, or notes that it holds still. Says so where it is new.
pub(in crate::handlers) fn open(
    gateway: &str,
    object: &str,
    found: Found,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<&'static str>, Miss> {
    let stored = rows.unique::<Discrepancy>(&DISCREPANCIES.indexes[0], &place(gateway, object, found.kind))?;
    let was_open = stored.as_ref().is_some_and(|stored| stored.closed_at.is_none());
    let opened_at = stored.as_ref().filter(|_| was_open).map_or(context.now, |stored| stored.opened_at);
    let id = stored.map_or_else(|| DiscrepancyId::from_uuid(context.ids.uuid(context.now)), |stored| stored.id);
    if !was_open {
        let (kind, detail) = (found.kind.name(), &found.detail);
        tracing::error!(gateway, object, kind, detail, "a gateway and the books do not agree");
    }
    rows.put(&Discrepancy {
        id,
        tenant: found.tenant,
        gateway: gateway.to_owned(),
        object: object.to_owned(),
        kind: found.kind,
        payment: found.payment,
        detail: found.detail,
        opened_at,
        last_seen_at: context.now,
        closed_at: None,
    });
    Ok((!was_open).then(|| found.kind.name()))
}

/// Closes a discrepancy that a look has contradicted, if it is open.
pub(in crate::handlers) fn close(
    gateway: &str,
    object: &str,
    kind: DiscrepancyKind,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<(), Miss> {
    let stored = rows.unique::<Discrepancy>(&DISCREPANCIES.indexes[0], &place(gateway, object, kind))?;
    if let Some(stored) = stored.filter(|stored| stored.closed_at.is_none()) {
        tracing::info!(gateway, object, kind = kind.name(), "a discrepancy is over");
        rows.put(&Discrepancy { closed_at: Some(context.now), last_seen_at: context.now, ..stored });
    }
    Ok(())
}
