//! How far behind each gateway is, measured in age: since when what is due has waited, and since when the oldest outcome
//! is unknown.
//!
//! Looks at the first row of each lane, and at the few effects that are unknown, never at a whole backlog. Owns the
//! verdict that a gateway is too far behind to be given more.

use crate::due;
use crate::gateways::Gateways;
use quittance_core::effect::{Effect, State, Step};
use quittance_core::time::Timestamp;
use quittance_store::records::{Entity, Lane, Operation};
use quittance_store::store::{Scan, Store, StoreError};
use quittance_store::tables::EFFECTS;
use std::collections::BTreeMap;

/// Effects of a lane that are looked at for the oldest unknown one. There are as many as requests were lost and not yet read back;
/// where there are more, the oldest of these is told.
const UNKNOWN_MAX: usize = 1_000;

/// How far behind a gateway is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Since when the oldest effect of all that are due is; none when none is.
    pub due_since: Option<Timestamp>,
    /// Since when the oldest first send of a payment is due.
    pub unsent_since: Option<Timestamp>,
    /// When the oldest send was lost whose outcome is unknown.
    pub unknown_since: Option<Timestamp>,
}

impl Backlog {
    /// Age of the oldest first send of a payment, where that is more than the limit.
    #[must_use]
    pub fn excess_ms(&self, age_max_ms: Option<u64>, now: Timestamp) -> Option<u64> {
        let age = now.ms_since(self.unsent_since?);
        (age > age_max_ms?).then_some(age)
    }
}

/// The backlog of every gateway.
pub(crate) fn survey(
    store: &mut dyn Store,
    gateways: &Gateways,
    now: Timestamp,
) -> Result<BTreeMap<String, Backlog>, StoreError> {
    gateways.0.keys().map(|gateway| Ok((gateway.clone(), look(store, gateway, now)?))).collect()
}

fn look(store: &mut dyn Store, gateway: &str, now: Timestamp) -> Result<Backlog, StoreError> {
    let mut backlog = Backlog::default();
    for (lane, first) in due::lanes(store, gateway)? {
        if may_be_unknown(lane) {
            backlog.unknown_since = older(backlog.unknown_since, unknown(store, gateway, lane)?);
        }
        let oldest = Some(first).filter(|first| *first <= now);
        backlog.due_since = older(backlog.due_since, oldest);
        if is_first_of_payment(lane) {
            backlog.unsent_since = older(backlog.unsent_since, oldest);
        }
    }
    Ok(backlog)
}

/// Whether a lane is of payments that wait to be sent. The answer to a dispute is none.
const fn is_first_of_payment(lane: Lane) -> bool {
    match lane {
        Lane::Send { operation: Operation::Payments, step, is_again: false } => !matches!(step, Step::Submit),
        _ => false,
    }
}

/// Whether money may have moved by an effect in a lane. What was lost of an inert object is not among it.
const fn may_be_unknown(lane: Lane) -> bool {
    matches!(lane, Lane::Read | Lane::Send { step: Step::Execute, is_again: true, .. })
}

fn unknown(store: &mut dyn Store, gateway: &str, lane: Lane) -> Result<Option<Timestamp>, StoreError> {
    let place = due::place(gateway, lane);
    let scan = Scan { index: Some(EFFECTS.due_index()), ..Scan::forward(&EFFECTS, place, UNKNOWN_MAX) };
    // A row that cannot be read is reported where it is claimed.
    let effects = store.scan(&scan)?.into_iter().filter_map(|row| Effect::from_row(&row).ok());
    Ok(effects.filter(|effect| effect.state == State::Unknown).filter_map(|effect| effect.last_sent_at).min())
}

fn older(left: Option<Timestamp>, right: Option<Timestamp>) -> Option<Timestamp> {
    left.into_iter().chain(right).min()
}
