//! What is known of one object at a provider: the newest of everything seen, in whatever order it was seen.
//!
//! The newest sightings are kept, and there may be several, of which none is older than another. Seeing more never
//! depends on the order or the number of times: that is what makes a replay give the same mirror.

use super::version::{Order, Version};

/// One sighting of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation<C> {
    /// When it was so.
    pub version: Version,
    /// What was seen.
    pub state: State<C>,
}

/// What was seen of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State<C> {
    /// It is there.
    Present(C),
    /// It was deleted. A deletion is a version like any other, and outlives the object: a late update does not bring
    /// it back.
    Deleted,
}

/// The newest of what was seen of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror<C> {
    newest: Vec<Observation<C>>,
}

/// What a mirror says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a, C> {
    /// Nothing was seen.
    Nothing,
    /// All that is newest says this.
    Settled(&'a State<C>),
    /// The newest sightings contradict each other, and nobody can say which is newer: the object has to be fetched.
    Unordered,
}

impl<C> Default for Mirror<C> {
    fn default() -> Self {
        Self { newest: Vec::new() }
    }
}

impl<C: Ord> Mirror<C> {
    /// Takes one more sighting. Any order and any repetition give the same mirror.
    pub fn observe(&mut self, seen: Observation<C>) {
        let order = |kept: &Observation<C>| kept.version.compare(&seen.version);
        if self.newest.iter().any(|kept| order(kept) == Order::Newer || *kept == seen) {
            return;
        }
        self.newest.retain(|kept| order(kept) != Order::Older);
        let at = self.newest.partition_point(|kept| (kept.version, &kept.state) < (seen.version, &seen.state));
        self.newest.insert(at, seen);
    }

    /// What is known.
    #[must_use]
    pub fn known(&self) -> Known<'_, C> {
        match self.newest.split_first() {
            None => Known::Nothing,
            Some((first, rest)) if rest.iter().all(|other| other.state == first.state) => Known::Settled(&first.state),
            Some(_) => Known::Unordered,
        }
    }
}
