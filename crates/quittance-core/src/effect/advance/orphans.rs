//! Objects of payments whose records were lost, by a restore or with a server: looked for before anything is charged.
//!
//! The client asks again, and for us it asks for the first time. Where one object of the gateway carries the book and the
//! reference of the payment, it is what was made then: the effect takes it as its own and reads it, as it reads what is
//! unknown. Wherever that is not certain a person decides. Does not own how such objects are found.

use super::Advance;
use super::machine::Machine;
use crate::effect::{Class, Effect, Fence, Move, State, Step, Subject};

/// What the gateway has of a payment whose records were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphans {
    /// The objects that have not provably ended without money; never none.
    pub found: Vec<Orphan>,
    /// Whether they carry the payment's own book. Else they are of a customer who was lost as well, and who may have been
    /// made anew as this one.
    pub is_same_book: bool,
    /// Whether there are, or were, more than are kept.
    pub is_more: bool,
}

/// An object that carries the id of an effect that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The gateway's id of it.
    pub object: String,
    /// Whether it was last seen to have moved nothing, and to be ready to be confirmed.
    pub is_inert: bool,
}

impl Orphans {
    /// What was found in one word, for journals and traces: `orphaned:pi_1`.
    #[must_use]
    pub fn word(&self) -> String {
        let names: Vec<&str> = self.found.iter().map(|orphan| orphan.object.as_str()).collect();
        format!("orphaned:{}{}", names.join(","), if self.is_more { ",…" } else { "" })
    }
}

/// Whether a move would be the first of an effect by which its payment can be charged.
#[must_use]
pub fn is_before_charge(effect: &Effect, next: Move) -> bool {
    let (Move::Send(step) | Move::SendAfresh(step)) = next else { return false };
    let is_first = effect.subject == Subject::Payment && effect.sends == 0;
    is_first
        && match step {
            Step::Create | Step::Execute => true,
            // Its own object was made under a ticket, before which was looked.
            Step::Confirm => effect.last_sent_at.is_none(),
            Step::Cancel | Step::Capture | Step::Submit => false,
        }
}

impl Machine<'_> {
    /// Nothing of this effect can have charged yet. Whatever the lost one sent counts as unaccounted for.
    pub(super) fn orphaned(&mut self, orphans: Orphans) -> Advance {
        assert!(
            matches!(self.effect.state, State::Intended | State::NotExecuted),
            "orphans are looked for before a send, not when an effect is {}",
            self.effect.state.name()
        );
        let is_certain = orphans.is_same_book && !orphans.is_more && self.effect.object_id.is_none();
        let [orphan] = orphans.found.as_slice() else { return self.review_orphans() };
        if !is_certain {
            return self.review_orphans();
        }
        self.effect.object_id = Some(orphan.object.clone());
        match self.effect.class {
            Class::P => self.take_intent(orphan),
            Class::A | Class::B => self.effect.state = State::Unknown,
            // Nobody relies on what such a gateway shows.
            Class::C | Class::D => return self.review_orphans(),
        }
        self.at_once()
    }

    /// One that is inert is confirmed again once it was read: it charges once at most. Any other was confirmed, and is what
    /// became of that.
    fn take_intent(&mut self, orphan: &Orphan) {
        self.begin(Step::Confirm);
        self.effect.state = State::Unknown;
        self.effect.lost_confirms = 1;
        self.effect.fence = (!orphan.is_inert).then_some(Fence { latest_charge: None, error_digest: None });
    }

    fn review_orphans(&mut self) -> Advance {
        self.review("the gateway has what a lost record of this payment may have made")
    }
}
