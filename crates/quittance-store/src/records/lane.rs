//! Lanes: what an effect's gateway is asked next, as the column by which effects are claimed.
//!
//! Effects that wait for different things wait apart, so that sends which are held back never stand before the reading
//! back of what is unknown. The name follows from the effect; nothing is decided here, and whoever begins an effect asks
//! the core again.

use quittance_core::effect::{Class, Effect, State, Step, Subject};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// What the sends of an effect are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// To take money, and to defend it.
    Payments,
    /// To give it back.
    Refunds,
}

impl Operation {
    /// Every operation, in order.
    pub const ALL: [Self; 2] = [Self::Payments, Self::Refunds];

    /// Stable name, stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Refunds => "refunds",
        }
    }

    /// What an effect is for.
    #[must_use]
    pub const fn of(effect: &Effect) -> Self {
        match effect.subject {
            Subject::Payment | Subject::Dispute(_) => Self::Payments,
            Subject::Refund(_) => Self::Refunds,
        }
    }
}

/// What a gateway is asked next about an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// To carry out a step.
    Send {
        /// What for.
        operation: Operation,
        /// Which request.
        step: Step,
        /// Whether the step was sent before, in this generation or in an earlier one.
        is_again: bool,
    },
    /// What became of a request, or how an object looks.
    Read,
    /// Whether an object that is pending has come to an end.
    Pending,
}

/// Where effects are about which nothing is asked any more. They are never due, so nothing is claimed of it.
const REST: &str = "rest";

impl Lane {
    /// Every lane. One that was ever used stays here: rows are stored under its name.
    #[must_use]
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Lane>> = LazyLock::new(every);
        &ALL
    }

    /// The lane of a name; none of that of effects that rest.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        static NAMES: LazyLock<BTreeMap<String, Lane>> =
            LazyLock::new(|| every().into_iter().map(|lane| (lane.to_string(), lane)).collect());
        NAMES.get(name).copied()
    }

    /// The lane of an effect; none when nothing is left to ask.
    #[must_use]
    pub fn of(effect: &Effect) -> Option<Self> {
        match (effect.state, effect.step) {
            (State::Intended, Step::Confirm) if effect.fence.is_none() => Some(Self::Read),
            (State::Intended, Step::Submit) if effect.submissions_before.is_none() => Some(Self::Read),
            (State::Intended | State::NotExecuted, _) => Some(Self::sending(effect, effect.step)),
            (State::Unknown, Step::Create) if !effect.needs_find => Some(Self::sending(effect, effect.step)),
            (State::Unknown, Step::Execute) if is_replayed(effect) => Some(Self::sending(effect, effect.step)),
            (State::Sending | State::Unknown, _) => Some(Self::Read),
            (State::Pending, _) => Some(Self::Pending),
            (State::Succeeded | State::Failed | State::Canceled | State::Review, _) => None,
        }
    }

    /// The lane of a send.
    #[must_use]
    pub const fn sending(effect: &Effect, step: Step) -> Self {
        let was_tried = effect.tries > 0 && effect.last_sent_at.is_some();
        Self::Send { operation: Operation::of(effect), step, is_again: effect.sends > 0 || was_tried }
    }

    /// The value of the column.
    pub(super) fn column(effect: &Effect) -> String {
        Self::of(effect).map_or_else(|| REST.to_owned(), |lane| lane.to_string())
    }
}

fn every() -> Vec<Lane> {
    let mut lanes = vec![Lane::Read, Lane::Pending];
    for operation in Operation::ALL {
        for step in Step::ALL {
            lanes.extend([false, true].map(|is_again| Lane::Send { operation, step, is_again }));
        }
    }
    lanes
}

/// Whether a request that did it all, or did not, is sent again rather than looked for.
const fn is_replayed(effect: &Effect) -> bool {
    let replays = matches!(effect.class, Class::P | Class::A | Class::C);
    replays && !effect.needs_find && effect.object_id.is_none()
}

/// Stable name, stored and shown: `payments:create`, `payments:confirm:again`, `read`.
impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { operation, step, is_again } => {
                let again = if *is_again { ":again" } else { "" };
                write!(f, "{}:{}{again}", operation.name(), step.name())
            }
            Self::Read => f.write_str("read"),
            Self::Pending => f.write_str("pending"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::currency::Currency;
    use quittance_core::effect::{Fence, Identity};
    use quittance_core::id::{CustomerId, EffectId, PaymentId, TenantId};
    use quittance_core::money::Money;
    use quittance_core::time::Timestamp;

    fn effect() -> Effect {
        let identity = Identity {
            id: EffectId::from_bytes([1; 16]),
            book: CustomerId::from_bytes([2; 16]),
            tenant: TenantId::from_bytes([3; 16]),
            payment: PaymentId::from_bytes([4; 16]),
            subject: Subject::Payment,
        };
        let money = Money::new(1, Currency::from_code("USD").expect("known currency"));
        Effect::new(identity, Class::P, "stripe".into(), money, Timestamp::from_seconds(1))
    }

    /// Confirmable: created, and seen.
    fn created() -> Effect {
        let fence = Some(Fence { latest_charge: None, error_digest: None });
        Effect { step: Step::Confirm, fence, last_sent_at: Some(Timestamp::from_seconds(1)), ..effect() }
    }

    #[test]
    fn an_effect_waits_for_what_is_asked_next() {
        let sent = Effect { sends: 1, last_sent_at: Some(Timestamp::from_seconds(1)), ..effect() };
        for (effect, expected) in [
            (effect(), "payments:create"),
            (sent.clone(), "payments:create:again"),
            (Effect { state: State::Sending, ..sent.clone() }, "read"),
            (Effect { state: State::Unknown, ..sent.clone() }, "payments:create:again"),
            (Effect { state: State::Unknown, needs_find: true, ..sent }, "read"),
            (Effect { step: Step::Confirm, ..effect() }, "read"),
            (created(), "payments:confirm"),
            (Effect { tries: 2, ..created() }, "payments:confirm:again"),
            (Effect { state: State::Unknown, ..created() }, "read"),
            (Effect { state: State::Pending, ..created() }, "pending"),
            (Effect { step: Step::Cancel, ..created() }, "payments:cancel"),
            // Only reads failed: nothing was sent yet, so the first send is still to come.
            (Effect { step: Step::Cancel, tries: 3, ..effect() }, "payments:cancel"),
        ] {
            assert_eq!(Lane::column(&effect), expected, "{effect:?}");
        }
    }

    #[test]
    fn what_has_ended_rests() {
        for state in State::ALL {
            assert_eq!(Lane::column(&Effect { state, ..created() }) == "rest", state.is_terminal(), "{state:?}");
        }
    }

    #[test]
    fn the_names_are_those_that_are_stored() {
        let names: Vec<String> = Lane::all().iter().map(ToString::to_string).collect();
        let mut expected = vec!["read".to_owned(), "pending".to_owned()];
        for operation in ["payments", "refunds"] {
            for step in ["create", "confirm", "cancel", "capture", "execute", "submit"] {
                expected.extend([format!("{operation}:{step}"), format!("{operation}:{step}:again")]);
            }
        }
        assert_eq!(names, expected);
        let named: Vec<Option<Lane>> = names.iter().map(|name| Lane::named(name)).collect();
        assert_eq!(named, Lane::all().iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!(Lane::named(REST), None);
    }
}
