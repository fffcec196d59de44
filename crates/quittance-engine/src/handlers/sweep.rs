//! What sweeps bring: pages of objects, and how far they have come.

use super::object::object_place;
use super::object::{Found, close, make_due, open, reads_of};
use super::{Context, Handled, Wanted};
use crate::submission::{EventGap, Listed, Outcome, Swept};
use crate::working_set::{Miss, WorkingSet};
use quittance_store::records::{Discrepancy, DiscrepancyKind, Entity, GatewayObject, Sweep};

pub(super) fn reads_listed(listed: &Listed, wanted: &mut Wanted<'_>) {
    for object in &listed.objects {
        wanted.row::<GatewayObject>(object_place(&listed.gateway, object));
    }
}

/// Objects that are not known are to be looked at. Those that are known are, where the sweep is to see everything.
pub(super) fn listed(listed: &Listed, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Handled, Miss> {
    for object in &listed.objects {
        match rows.get::<GatewayObject>(&object_place(&listed.gateway, object))? {
            None => {
                let (gateway, object) = (listed.gateway.clone(), object.clone());
                rows.put(&GatewayObject::new(gateway, object, listed.kind, context.now));
            }
            Some(mut row) if listed.is_full => {
                make_due(&mut row, context);
                rows.put(&row);
            }
            Some(_) => {}
        }
    }
    Ok(Outcome::Done.into())
}

pub(super) fn reads_swept(swept: &Swept, wanted: &mut Wanted<'_>) {
    wanted.row::<Sweep>(swept.sweep.key());
    reads_of(&swept.sweep.gateway, Discrepancy::EVENTS, DiscrepancyKind::EventRetentionGap, wanted);
}

pub(super) fn swept(swept: &Swept, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Handled, Miss> {
    let gateway = &swept.sweep.gateway;
    let alarm = match &swept.gap {
        Some(EventGap::Open { detail }) => {
            let found = Found::of(DiscrepancyKind::EventRetentionGap, detail.clone(), None);
            open(gateway, Discrepancy::EVENTS, found, rows, context)?
        }
        Some(EventGap::Closed) => {
            close(gateway, Discrepancy::EVENTS, DiscrepancyKind::EventRetentionGap, rows, context)?;
            None
        }
        None => None,
    };
    rows.put(&swept.sweep);
    Ok(Outcome::Applied { answered: Vec::new(), alarm }.into())
}
