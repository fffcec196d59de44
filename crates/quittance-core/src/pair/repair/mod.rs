//! Repairs: what is to be written where two records disagree, and when nobody but a person may say so.
//!
//! Pure: the same findings and the same policy give the same repairs, in the same order, whatever the order of arrival.
//! Owns the rules. Does not own whether a repair may be made now, nor the writing: a repair says what the record has to
//! hold still, so that whoever writes can compare and set.

mod brake;
mod decide;
mod merge;
mod order;
#[cfg(test)]
mod tests;

pub use brake::{Brake, Stopped};
pub use decide::{decide, is_live, takes_away};
pub use merge::{MergeAs, Merged, agreed, merge};

use super::Which;
use crate::record::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Which side is believed where a field disagrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Authority {
    /// What the left says is written to the right.
    Left,
    /// What the right says is written to the left.
    Right,
    /// The side whose record was last modified later. Where that cannot be told, a person decides.
    Newest,
    /// The side that changed since both last agreed. Where that cannot be told, a person decides.
    Merge,
    /// A person decides.
    #[default]
    Manual,
}

impl Authority {
    /// Whether a side may be written by it.
    #[must_use]
    pub const fn may_write(self, which: Which) -> bool {
        match self {
            Self::Left => matches!(which, Which::Right),
            Self::Right => matches!(which, Which::Left),
            Self::Newest | Self::Merge => true,
            Self::Manual => false,
        }
    }
}

/// What is done about one field.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FieldPolicy {
    /// Who is believed.
    pub authority: Authority,
    /// What becomes of what both changed, where it is merged.
    pub merge: MergeAs,
    /// For a word of the left, the one of the right that is written, where several of the right mean it.
    pub write_right: BTreeMap<String, String>,
    /// Words, as the written side says them but in lower case, that take something away from a customer. What becomes nothing
    /// does so too.
    pub takes_away: BTreeSet<String>,
    /// Sides that say something of it now that nobody believes, for its shape is bent ([`super::detect::shape`]).
    pub bent: BTreeSet<Which>,
    /// What it is, by a person's word: a boolean, a number, a text that is read as what the sides say, or null; with a map a word of the left.
    /// Nobody else is believed then, and both sides are written that say otherwise.
    pub given: Option<Value<'static>>,
}

/// One value of a record to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Index of the field in the pair.
    pub field: usize,
    /// What the record says.
    pub from: Value<'static>,
    /// What it is to say.
    pub to: Value<'static>,
}

/// One record to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The side that is written.
    pub which: Which,
    /// Which record of it: the values of its identity.
    pub identity: Vec<Value<'static>>,
    /// What the record has to hold still: columns of the side, and their values.
    pub expected: Vec<(usize, Value<'static>)>,
    /// What is replaced, in the order of fields.
    pub changes: Vec<Change>,
    /// The record of the other side, by the values of its identity.
    pub believed: Vec<Value<'static>>,
    /// Whether it takes something away from a customer.
    pub takes_away: bool,
}

/// Why a disagreement, or one field of it, is left to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Withheld {
    /// Its policy says so.
    Manual,
    /// Nobody can say which side is newer.
    Unordered,
    /// What both sides last agreed on is not known.
    NoBase,
    /// Both sides changed it since they agreed, and differently.
    Conflict,
    /// Nothing tells the records of the side apart that would be written.
    NoIdentity,
    /// The column that would be written is compared as something else than it holds.
    Transformed,
    /// There is no word for it on the side that would be written.
    NoWord,
    /// Several words of the right mean it, and none of them is named to be written.
    SeveralWords,
    /// What a person gave is of another type than what the sides say.
    OtherType,
    /// The side that is believed says nothing of it, which is not the same as saying that it is nothing.
    Absent,
    /// In far more records than before the side that is believed says nothing of it, or what no map knows.
    Shape,
    /// One side has no such record.
    Missing,
    /// Several records claim the key.
    Ambiguous,
    /// It would take something away from a customer who has another record that is live.
    AnotherIsLive,
    /// Whether the customer has another record that is live cannot be found out.
    CustomerUnknown,
    /// The record was given the same values before, and has others again.
    FlipFlop,
    /// The same repair waits for approval already.
    Waits,
    /// A person decided against the same repair.
    Rejected,
    /// The record was given the same before, and a person took it back.
    TakenBack,
    /// The same was sent before, it is not known whether it was carried out, and sending it twice may do something twice.
    PerhapsWritten,
}

impl Withheld {
    /// The word in results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Unordered => "unordered",
            Self::NoBase => "no_base",
            Self::Conflict => "conflict",
            Self::NoIdentity => "no_identity",
            Self::Transformed => "transformed",
            Self::NoWord => "no_word",
            Self::SeveralWords => "several_words",
            Self::OtherType => "other_type",
            Self::Absent => "absent",
            Self::Shape => "shape",
            Self::Missing => "missing",
            Self::Ambiguous => "ambiguous",
            Self::AnotherIsLive => "another_is_live",
            Self::CustomerUnknown => "customer_unknown",
            Self::FlipFlop => "flip_flop",
            Self::Waits => "waits",
            Self::Rejected => "rejected",
            Self::TakenBack => "taken_back",
            Self::PerhapsWritten => "perhaps_written",
        }
    }
}

/// What is decided about a disagreement.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Decision {
    /// At most one of each side.
    pub repairs: Vec<Repair>,
    /// What is left to a person: a field, or none for all of it.
    pub withheld: Vec<(Option<usize>, Withheld)>,
}
