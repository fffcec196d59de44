//! What sweeps bring: pages of objects, and how far they have come.

use super::object::object_place;
use super::object::{Found, close, make_due, open, reads_of};
use super::{Context, Handled, Wanted};
use crate::submission::{EventGap, EventLog, Listed, Outcome, Swept};
use crate::working_set::{Miss, WorkingSet};
use quittance_store::records::{Discrepancy, DiscrepancyKind, Entity, GatewayObject, Sweep};

/// Objects that are not known are to be looked at. Those that are known are, where the sweep is to see everything.
fn list(listed: &Listed, rows: &mut WorkingSet<'_>, context: &Context<'_>) -> Result<(), Miss> {
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
    Ok(())
}

pub(super) fn reads_swept(swept: &Swept, wanted: &mut Wanted<'_>) {
    wanted.row::<Sweep>(swept.sweep.key());
    if let Some(listed) = &swept.listed {
        for object in &listed.objects {
            wanted.row::<GatewayObject>(object_place(&listed.gateway, object));
        }
    }
    if swept.gap.is_some() {
        reads_of(&swept.sweep.gateway, Discrepancy::EVENTS, DiscrepancyKind::EventRetentionGap, wanted);
    }
    if swept.log.is_some() {
        reads_of(&swept.sweep.gateway, Discrepancy::EVENTS, DiscrepancyKind::EventsUnreadable, wanted);
    }
}

pub(super) fn swept(swept: &Swept, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Handled, Miss> {
    let gateway = &swept.sweep.gateway;
    if let Some(upon) = &swept.upon {
        let fresh = || Sweep::new(gateway.clone(), swept.sweep.sweep.clone());
        if rows.get::<Sweep>(&swept.sweep.key())?.unwrap_or_else(fresh) != *upon {
            return Ok(Outcome::Conflict("somebody else follows this list, too").into());
        }
    }
    if let Some(page) = &swept.listed {
        list(page, rows, context)?;
    }
    let gap = swept.gap.as_ref().map(|gap| match gap {
        EventGap::Open { detail } => Some(detail),
        EventGap::Closed => None,
    });
    let log = swept.log.as_ref().map(|log| match log {
        EventLog::Unreadable { detail } => Some(detail),
        EventLog::Readable => None,
    });
    let mut alarm = None;
    for (kind, known) in [(DiscrepancyKind::EventRetentionGap, gap), (DiscrepancyKind::EventsUnreadable, log)] {
        match known {
            Some(Some(detail)) => {
                let found = Found::of(kind, detail.clone(), None);
                alarm = alarm.or(open(gateway, Discrepancy::EVENTS, found, rows, context)?);
            }
            Some(None) => close(gateway, Discrepancy::EVENTS, kind, rows, context)?,
            None => {}
        }
    }
    rows.put(&swept.sweep);
    Ok(Outcome::Applied { answered: Vec::new(), alarm }.into())
}
