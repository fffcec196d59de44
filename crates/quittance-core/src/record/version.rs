//! Versions of a record: which of two sightings of one object is the newer, and when nobody can say.
//!
//! A provider's times are whole seconds, and much happens in one. Two sightings of the same second are told apart only
//! by what we ourselves know: a read that *began* after the other sighting was known cannot be older. Everything else
//! is unordered, which is never guessed: the object is fetched.

use crate::time::Timestamp;

/// How an object was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// It was sent to us, as the provider saw it at `provider_time`: an event, a line of a file.
    Told,
    /// We asked for it, alone or in a list.
    Read {
        /// Our sequence when the request was about to leave.
        begun: u64,
    },
}

/// Says when an object was as it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// By the provider's clock, as precisely as it tells: an event's time, the `Date` of an answer. Ours is never used.
    pub provider_time: Timestamp,
    /// How it was seen.
    pub evidence: Evidence,
    /// Our sequence when it was known here. One sequence numbers everything that is known and everything that begins.
    pub known: u64,
}

/// How two versions stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first is older.
    Older,
    /// They are one and the same.
    Same,
    /// The first is newer.
    Newer,
    /// Nobody can say.
    Unordered,
}

impl Version {
    /// Compares two versions of one object. Older and newer are a strict partial order.
    ///
    /// ```
    /// use quittance_core::record::version::{Evidence, Order, Version};
    /// use quittance_core::time::Timestamp;
    /// let told = |second, known| Version {
    ///     provider_time: Timestamp::from_seconds(second), evidence: Evidence::Told, known
    /// };
    /// assert_eq!(told(100, 1).compare(&told(101, 2)), Order::Older);
    /// // Two events of one second: their order of arrival says nothing.
    /// assert_eq!(told(100, 1).compare(&told(100, 2)), Order::Unordered);
    /// // A read that began after the event was known.
    /// let read = Version { evidence: Evidence::Read { begun: 3 }, ..told(100, 4) };
    /// assert_eq!(told(100, 2).compare(&read), Order::Older);
    /// ```
    #[must_use]
    pub fn compare(&self, other: &Self) -> Order {
        match (self.is_before(other), other.is_before(self)) {
            (true, _) => Order::Older,
            (_, true) => Order::Newer,
            _ if self == other => Order::Same,
            _ => Order::Unordered,
        }
    }

    fn is_before(&self, other: &Self) -> bool {
        let began_after = match other.evidence {
            Evidence::Read { begun } => begun > self.known,
            Evidence::Told => false,
        };
        self.provider_time < other.provider_time || self.provider_time == other.provider_time && began_after
    }
}
