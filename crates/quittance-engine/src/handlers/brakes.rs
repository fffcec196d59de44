//! The brakes of a tenant: its counters, and what is done with what they stop.

use super::{Context, Handled, Wanted};
use crate::submission::{Outcome, Parked};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::brake::{Over, Tallies};
use quittance_core::decide::{Ask, Braking, brake, count, meters};
use quittance_core::tenant::Tenant;
use quittance_store::records::Counter;

pub(super) fn reads(tenant: &Tenant, ask: &Ask, wanted: &mut Wanted<'_>) {
    for meter in meters(wanted.brakes.of(&tenant.name), ask) {
        wanted.row::<Counter>(Counter::place(tenant.id, meter));
    }
}

/// Decides over what is asked, and counts it where it passes: in the transaction that accepts it.
pub(super) fn check(
    tenant: &Tenant,
    ask: &Ask,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Braking, Miss> {
    let limits = context.brakes.of(&tenant.name);
    let mut tallies = Tallies::new();
    for meter in meters(limits, ask) {
        if let Some(counter) = rows.get::<Counter>(&Counter::place(tenant.id, meter))? {
            tallies.insert(meter, counter.tally);
        }
    }
    let braking = brake(limits, &tallies, ask, context.now);
    match &braking {
        Braking::Pass => {
            count(limits, &mut tallies, ask, context.now);
            for (meter, tally) in tallies {
                rows.put(&Counter { tenant: tenant.id, name: meter.to_string(), tally });
            }
        }
        Braking::Refuse(over) => log(tenant, over, "refused"),
        Braking::Park(over) => log(tenant, over, "parked until a person approves"),
    }
    Ok(braking)
}

fn log(tenant: &Tenant, over: &Over, outcome: &str) {
    let (tenant, limit) = (&tenant.name, over.limit.name());
    tracing::warn!(tenant, limit, outcome, what = %over, "a brake stopped a command");
}

/// Nothing of it is stored, so that the same key can be used again.
pub(super) fn refused(tenant: &Tenant, over: Over) -> Handled {
    Outcome::OverLimit { tenant: tenant.name.clone(), over: Box::new(over), parked: None }.into()
}

/// Accepted, and nothing begins.
pub(super) fn parked(tenant: &Tenant, over: Over, parked: Parked) -> Handled {
    Outcome::OverLimit { tenant: tenant.name.clone(), over: Box::new(over), parked: Some(parked) }.into()
}
