//! What may begin at the gateways now, counted before a step and used up inside it.
//!
//! Reading back has room of its own that no send can take, so that what is unknown is found out however much is sent.
//! Does not own why there is no more: that is the gateways' condition.

use quittance_core::effect::Step;
use quittance_store::records::{Lane, Operation};
use std::collections::BTreeMap;

/// What may begin now, by gateway; one that is not in it takes nothing.
#[derive(Clone, Debug, Default)]
pub struct Permits(pub BTreeMap<String, Room>);

/// What may begin at one gateway now. Whatever has no limit is [`usize::MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Places for requests under way that sends may take.
    pub places: usize,
    /// Places that reads may take: those, and some that are theirs alone.
    pub read_places: usize,
    /// Requests that the rate of the account leaves for sends.
    pub sends: usize,
    /// Requests that it leaves for reads.
    pub reads: usize,
    /// Sends of steps that were sent before.
    pub retries: usize,
    /// Sends that the breaker of their operation lets through.
    pub operations: BTreeMap<Operation, usize>,
    /// Requests that the rate of an endpoint leaves; one that is not in it has none.
    pub endpoints: BTreeMap<(Operation, Step), usize>,
}

impl Room {
    /// Room that is limited by places alone.
    #[must_use]
    pub fn of_places(places: usize) -> Self {
        Self {
            places,
            read_places: places,
            sends: usize::MAX,
            reads: usize::MAX,
            retries: usize::MAX,
            operations: BTreeMap::new(),
            endpoints: BTreeMap::new(),
        }
    }

    /// How many requests of a lane may begin.
    #[must_use]
    pub fn left(&self, lane: Lane) -> usize {
        match lane {
            Lane::Read | Lane::Pending => self.read_places.min(self.reads),
            Lane::Send { operation, step, is_again } => {
                let endpoint = self.endpoints.get(&(operation, step)).copied().unwrap_or(usize::MAX);
                let operation = self.operations.get(&operation).copied().unwrap_or(usize::MAX);
                let retries = if is_again { self.retries } else { usize::MAX };
                self.places.min(self.sends).min(endpoint).min(operation).min(retries)
            }
        }
    }

    /// Whether requests of a lane leave at a limited rate, so that some may have to wait although there are places.
    #[must_use]
    pub fn is_metered(&self, lane: Lane) -> bool {
        match lane {
            Lane::Read | Lane::Pending => self.reads < usize::MAX,
            Lane::Send { operation, step, .. } => {
                self.sends < usize::MAX || self.endpoints.contains_key(&(operation, step))
            }
        }
    }

    /// At most so many requests.
    #[must_use]
    pub fn at_most(mut self, requests: usize) -> Self {
        self.places = self.places.min(requests);
        self.read_places = self.read_places.min(requests);
        self
    }

    /// What is left when somebody else may use up `other`. As every request takes a place, no limit loses more than that.
    pub fn set_aside(&mut self, other: &Self) {
        let requests = other.places.max(other.read_places);
        let less = |mine: &mut usize, others: usize| {
            if *mine < usize::MAX {
                *mine = mine.saturating_sub(others.min(requests));
            }
        };
        less(&mut self.places, other.read_places.max(other.places));
        less(&mut self.read_places, other.read_places.max(other.places));
        less(&mut self.sends, other.sends);
        less(&mut self.reads, other.reads);
        less(&mut self.retries, other.retries);
        for (operation, left) in &mut self.operations {
            less(left, other.operations.get(operation).copied().unwrap_or(usize::MAX));
        }
        for (endpoint, left) in &mut self.endpoints {
            less(left, other.endpoints.get(endpoint).copied().unwrap_or(usize::MAX));
        }
    }

    /// Takes the room of one request, if there is any.
    pub fn take(&mut self, lane: Lane) -> bool {
        if self.left(lane) == 0 {
            return false;
        }
        take(&mut self.places);
        take(&mut self.read_places);
        match lane {
            Lane::Read | Lane::Pending => take(&mut self.reads),
            Lane::Send { operation, step, is_again } => {
                take(&mut self.sends);
                self.endpoints.get_mut(&(operation, step)).into_iter().for_each(take);
                self.operations.get_mut(&operation).into_iter().for_each(take);
                if is_again {
                    take(&mut self.retries);
                }
            }
        }
        true
    }
}

fn take(left: &mut usize) {
    // What has no limit stays without.
    if *left < usize::MAX {
        *left = left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: Lane = Lane::Send { operation: Operation::Payments, step: Step::Create, is_again: false };
    const CREATE_AGAIN: Lane = Lane::Send { operation: Operation::Payments, step: Step::Create, is_again: true };
    const CONFIRM: Lane = Lane::Send { operation: Operation::Payments, step: Step::Confirm, is_again: false };
    const REFUND: Lane = Lane::Send { operation: Operation::Refunds, step: Step::Create, is_again: false };
    const LANES: [Lane; 5] = [CREATE, CREATE_AGAIN, CONFIRM, REFUND, Lane::Read];

    /// How many of each lane begin where each is all there is.
    fn alone(room: &Room) -> [usize; 5] {
        LANES.map(|lane| {
            let mut room = room.clone();
            (0..100).take_while(|_| room.take(lane)).count()
        })
    }

    #[test]
    fn each_limit_holds_back_its_own() {
        let room = || Room::of_places(9);
        let payments = |left| BTreeMap::from([(Operation::Payments, left)]);
        let create = |left| BTreeMap::from([((Operation::Payments, Step::Create), left)]);
        for (what, room, expected) in [
            ("places", room(), [9, 9, 9, 9, 9]),
            ("places of reads", Room { places: 0, ..room() }, [0, 0, 0, 0, 9]),
            ("sends", Room { sends: 4, ..room() }, [4, 4, 4, 4, 9]),
            ("reads", Room { reads: 4, ..room() }, [9, 9, 9, 9, 4]),
            ("retries", Room { retries: 2, ..room() }, [9, 2, 9, 9, 9]),
            ("a breaker", Room { operations: payments(0), ..room() }, [0, 0, 0, 9, 9]),
            ("a trial", Room { operations: payments(3), ..room() }, [3, 3, 3, 9, 9]),
            ("an endpoint", Room { endpoints: create(1), ..room() }, [1, 1, 9, 9, 9]),
        ] {
            assert_eq!(alone(&room), expected, "{what}");
        }
    }

    #[test]
    fn what_is_taken_is_gone_for_all_who_share_it() {
        let mut room = Room { places: 3, sends: 2, ..Room::of_places(4) };
        assert!(room.take(CREATE) && room.take(Lane::Read));
        assert_eq!(LANES.map(|lane| room.left(lane)), [1, 1, 1, 1, 2]);
        assert!(room.take(REFUND) && !room.take(CONFIRM), "{room:?}");
        assert!(room.take(Lane::Pending) && !room.take(Lane::Read), "{room:?}");
    }

    #[test]
    fn what_is_set_aside_for_others_is_left_to_them() {
        let whole = Room { sends: 5, retries: 1, ..Room { places: 4, ..Room::of_places(6) } };
        for requests in 0..8 {
            let mut theirs = whole.clone().at_most(requests);
            let mut ours = whole.clone();
            ours.set_aside(&theirs);
            let begun = |room: &mut Room, lane| (0..100).take_while(|_| room.take(lane)).count();
            let sent = begun(&mut theirs, CREATE) + begun(&mut ours, CREATE);
            assert!(sent <= 4, "{requests}: {sent} sends in 4 places");
            assert!(sent + begun(&mut theirs, Lane::Read) + begun(&mut ours, Lane::Read) <= 6, "{requests}");
        }
        let mut ours = Room::of_places(9);
        ours.set_aside(&Room { operations: BTreeMap::new(), ..Room::of_places(2) });
        assert_eq!((ours.places, ours.sends), (7, usize::MAX), "what has no limit stays without");
        let trial = Room { operations: BTreeMap::from([(Operation::Payments, 1)]), ..Room::of_places(9) };
        let mut ours = trial.clone();
        ours.set_aside(&trial.at_most(3));
        assert_eq!((ours.left(CREATE), ours.left(REFUND)), (0, 6), "a trial is one in all");
    }

    #[test]
    fn reads_use_common_places_before_their_own() {
        let mut room = Room { places: 2, ..Room::of_places(3) };
        assert!((0..3).all(|_| room.take(Lane::Read)));
        assert_eq!((room.left(CREATE), room.left(Lane::Read)), (0, 0));
    }
}
