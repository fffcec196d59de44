//! What a gateway offers for finding out about a request whose answer was lost: data, one row for each operation.

/// How an ambiguous outcome can be resolved, by what the gateway offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Two-phase: an inert object first, then an action on its id. Read the object; no limit of time.
    P,
    /// Keys, and reading back by our own reference: replay inside the window, then read back.
    A,
    /// Reading back only: never send again after bytes left, until absence is proven.
    B,
    /// Keys only: replay inside the window, then a person.
    C,
    /// Nothing: one ticket whose bytes may have left, ever; then a person.
    D,
}

impl Class {
    /// Every class, in order.
    pub const ALL: [Self; 5] = [Self::P, Self::A, Self::B, Self::C, Self::D];

    /// Stable name, stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P => "P",
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// The class of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// What the gateway does with a key it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Answers with the stored first answer, whatever it was.
    Frozen,
    /// Answers with the object as it is now.
    Latest,
    /// Carries failed work out again.
    Retry,
}

/// How long and how a gateway remembers keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyMemory {
    /// Longest key, in bytes.
    pub length_max: u16,
    /// How long it is trusted to remember one, in milliseconds, less a margin.
    pub window_ms: u64,
    /// What it does with one it remembers.
    pub replay: Replay,
}

/// How an object that a lost request may have made can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readback {
    /// By our reference in a strongly consistent list: what is not in it is not there.
    List,
    /// By a search that lags behind: what it shows is there, what it does not show may be.
    Search,
    /// Not at all.
    None,
}

/// What a gateway offers for one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Whether an inert object comes first that succeeds at most once.
    pub is_two_phase: bool,
    /// How it remembers keys, if it does.
    pub key: Option<KeyMemory>,
    /// How objects can be found.
    pub readback: Readback,
    /// Whether its events carry our reference.
    pub do_events_carry_reference: bool,
    /// How long after a send it can still take effect, in milliseconds, where the answer was lost.
    pub quiescence_ms: u64,
    /// The same where the gateway reported an error of its own: it may roll the work forward later.
    pub quiescence_after_error_ms: u64,
}

impl Capability {
    /// The class that follows.
    #[must_use]
    pub const fn class(&self) -> Class {
        match (self.is_two_phase, self.key, self.readback) {
            (true, _, Readback::List | Readback::Search) => Class::P,
            (_, Some(_), Readback::List) => Class::A,
            (_, None, Readback::List) => Class::B,
            (_, Some(_), Readback::Search | Readback::None) => Class::C,
            (_, None, Readback::Search | Readback::None) => Class::D,
        }
    }

    /// The same offer, relied on only as far as a class does: for a gateway that promises more than it keeps.
    #[must_use]
    pub const fn limited_to(mut self, class: Class) -> Self {
        match class {
            Class::P | Class::A => {}
            Class::B => self.key = None,
            Class::C => self.readback = Readback::None,
            Class::D => (self.key, self.readback) = (None, Readback::None),
        }
        self
    }

    /// How long a key is trusted to be remembered; nothing where there are none.
    #[must_use]
    pub const fn key_window_ms(&self) -> u64 {
        match self.key {
            Some(memory) => memory.window_ms,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Policy;

    #[test]
    fn the_class_follows_from_what_is_offered() {
        let key = KeyMemory { length_max: 255, window_ms: 1, replay: Replay::Frozen };
        let row = |is_two_phase, key, readback| {
            let quiet = (0, 0);
            Capability {
                is_two_phase,
                key,
                readback,
                do_events_carry_reference: false,
                quiescence_ms: quiet.0,
                quiescence_after_error_ms: quiet.1,
            }
            .class()
        };
        assert_eq!(row(true, Some(key), Readback::List), Class::P);
        assert_eq!(row(false, Some(key), Readback::List), Class::A);
        assert_eq!(row(false, None, Readback::List), Class::B);
        assert_eq!(row(false, Some(key), Readback::None), Class::C);
        assert_eq!(row(false, None, Readback::None), Class::D);
        assert_eq!(row(false, Some(key), Readback::Search), Class::C, "what lags behind proves no absence");
        assert_eq!(row(true, Some(key), Readback::None), Class::C, "an object that cannot be read is no first phase");
        for class in [Class::A, Class::B, Class::C, Class::D] {
            let strong = Capability { readback: Readback::List, ..Policy::default().refunds };
            assert_eq!(strong.limited_to(class).class(), class);
        }
        for class in Class::ALL {
            assert_eq!(Class::from_name(class.name()), Some(class));
        }
    }
}
