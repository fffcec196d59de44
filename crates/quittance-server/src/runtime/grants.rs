//! What each engine of the process may begin at the gateways: together never more than there is room for.
//!
//! Does not own how much room there is.

use super::gateways::GatewayStates;
use quittance_engine::room::Permits;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is granted, by the number of the lane.
#[derive(Default)]
pub(crate) struct Grants(Mutex<BTreeMap<usize, Permits>>);

/// What one lane may begin. It goes back with this, by when what has begun is counted at the gateways.
pub(super) struct Grant<'a> {
    grants: &'a Grants,
    lane: usize,
    pub(super) permits: Permits,
}

impl Grants {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Permits>> {
        // What it holds is whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for at most so many requests at each gateway, of what the other lanes leave.
    pub(super) fn take(&self, lane: usize, gateways: &GatewayStates, requests: usize) -> Grant<'_> {
        let mut granted = self.lock();
        // Asked for while nobody can give anything back: what another lane has begun is counted there or here.
        let mut permits = gateways.permits();
        for (name, room) in &mut permits.0 {
            let others = granted.iter().filter(|(other, _)| **other != lane);
            others.filter_map(|(_, permits)| permits.0.get(name)).for_each(|other| room.set_aside(other));
            // What is new begins only where more is left than is kept for what is older.
            let kept = gateways.get(name).map_or(0, |gateway| gateway.places_for_older());
            *room = room.clone().at_most(requests.saturating_add(kept));
        }
        granted.insert(lane, permits.clone());
        Grant { grants: self, lane, permits }
    }

    /// Nothing may begin.
    pub(super) fn nothing(&self, lane: usize) -> Grant<'_> {
        Grant { grants: self, lane, permits: Permits::default() }
    }
}

impl Drop for Grant<'_> {
    fn drop(&mut self) {
        self.grants.lock().remove(&self.lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::gateways::tests::states;
    use quittance_core::effect::Step;
    use quittance_store::records::{Lane, Operation};

    const CREATE: Lane = Lane::Send { operation: Operation::Payments, step: Step::Create, is_again: false };

    #[tokio::test]
    async fn lanes_share_what_room_there_is() {
        let (states, grants) = (states("http://127.0.0.1:1"), Grants::default());
        let places = states.permits().0["stripe"].places;
        let left = |grant: &Grant<'_>| grant.permits.0["stripe"].left(CREATE);
        assert!(places > 0);
        let first = grants.take(0, &states, usize::MAX);
        assert_eq!(first.permits.0["stripe"].places, places);
        assert_eq!(left(&grants.take(1, &states, 9)), 0, "the first lane has it all");
        drop(first);
        let second = grants.take(1, &states, 1);
        assert_eq!(second.permits.0["stripe"].places, 1, "no more than it asks for");
        assert_eq!(grants.take(0, &states, usize::MAX).permits.0["stripe"].places, places - 1);
        drop(second);
        assert_eq!(grants.take(0, &states, usize::MAX).permits.0["stripe"].places, places);
        assert!(grants.nothing(0).permits.0.is_empty());
    }
}
