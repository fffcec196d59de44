//! A dispute that was read: whose it is, and when it is looked at again. What it does to the books is `disputed`'s.

use super::look::is_placed;
use super::{Lesson, looks_of, object_place, trouble};
use crate::handlers::learned::adopt;
use crate::handlers::{Context, disputed};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::dispute::DisputeSighting;
use quittance_core::effect::Source;
use quittance_store::records::{GatewayObject, ObjectState};

/// A dispute was read: whose payment it is about is found out, what it moved is booked, and it is looked at again as its
/// status says.
pub(super) fn dispute_seen(
    row: &mut GatewayObject,
    dispute: &DisputeSighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Lesson, Miss> {
    let parent = dispute.payment_object.as_ref().unwrap_or(&dispute.charge);
    let known = rows.get::<GatewayObject>(&object_place(&row.gateway, parent))?;
    let Some(known) = known.filter(is_placed) else { return Ok(trouble::park(row, parent, context)) };
    match known.owner.filter(|_| known.state != ObjectState::Stray) {
        Some(owner) => {
            disputed::observe(dispute, &row.gateway, Source::Sweep, rows, context)?;
            adopt(row, owner);
        }
        None => row.state = ObjectState::External,
    }
    row.waiting_on = None;
    row.troubled_since = None;
    row.due_at = looks_of(&row.gateway, context).next(row, context.now);
    Ok(Lesson::default())
}
