//! The columns: an effect with a request under way, brought there by the machine itself.

use quittance_core::currency::Currency;
use quittance_core::dispute::DisputeStatus;
use quittance_core::effect::{
    Class, Effect, Identity, Policy, Step, Stimulus, Subject, advance, capture, give_up, renew, ticket,
};
use quittance_core::fact::{Fact, Loss, ObjectStatus};
use quittance_core::id::{CustomerId, DisputeId, EffectId, PaymentId, RefundId, TenantId};
use quittance_core::money::Money;
use quittance_core::time::Timestamp;

use super::cells::sighting;
use super::rows::{Sighted, dispute};

/// What was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing that is unaccounted for.
    First,
    /// The same request, under the same key; its answer was lost.
    Replay,
    /// The same request under another key; its answer was lost, and the object showed that it had not run.
    Again,
}

/// What the effect does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Pays,
    Refunds,
    Defends,
}

#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub does: Does,
    pub step: Step,
    /// Classes whose cells are the same.
    pub classes: &'static [Class],
    pub sent: Sent,
}

/// Columns that are one table.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    pub title: &'static str,
    pub about: &'static str,
    pub sighted: Sighted,
    pub columns: &'static [Column],
}

const fn column(does: Does, step: Step, classes: &'static [Class], sent: Sent) -> Column {
    Column { does, step, classes, sent }
}

const P: &[Class] = &[Class::P];
const A: &[Class] = &[Class::A];
const B: &[Class] = &[Class::B];
const C: &[Class] = &[Class::C];
const D: &[Class] = &[Class::D];
const READABLE: &[Class] = &[Class::P, Class::A, Class::B];
const ONE_REQUEST: &[Class] = &[Class::A, Class::B, Class::C, Class::D];

const fn execution(does: Does) -> [Column; 6] {
    [
        column(does, Step::Execute, A, Sent::First),
        column(does, Step::Execute, A, Sent::Replay),
        column(does, Step::Execute, B, Sent::First),
        column(does, Step::Execute, C, Sent::First),
        column(does, Step::Execute, C, Sent::Replay),
        column(does, Step::Execute, D, Sent::First),
    ]
}

const fn action(step: Step) -> [Column; 4] {
    [
        column(Does::Pays, step, P, Sent::First),
        column(Does::Pays, step, P, Sent::Again),
        column(Does::Pays, step, ONE_REQUEST, Sent::First),
        column(Does::Pays, step, ONE_REQUEST, Sent::Again),
    ]
}

/// The tables, in order.
pub const GROUPS: [Group; 6] = [
    Group {
        title: "A payment in two phases",
        about: "The create makes an inert object; the confirm charges it, once at most. A confirm that was lost may still \
                run, so that a decline after one is believed only once the object is canceled.",
        sighted: Sighted::Money,
        columns: &[
            column(Does::Pays, Step::Create, P, Sent::First),
            column(Does::Pays, Step::Create, P, Sent::Replay),
            column(Does::Pays, Step::Confirm, P, Sent::First),
            column(Does::Pays, Step::Confirm, P, Sent::Again),
        ],
    },
    Group {
        title: "A capture",
        about: "Takes what is authorised, or a part of it. The object says whether it was taken.",
        sighted: Sighted::Money,
        columns: &action(Step::Capture),
    },
    Group {
        title: "A cancel",
        about: "Gives up what is authorised, because the client asked for it. Only an object that is canceled proves that \
                no money can come any more; one that succeeded first *is* a success.",
        sighted: Sighted::Money,
        columns: &action(Step::Cancel),
    },
    Group {
        title: "A payment in one request",
        about: "Everything happens in one request, so that whatever may have been carried out is never sent again blindly.",
        sighted: Sighted::Money,
        columns: &execution(Does::Pays),
    },
    Group {
        title: "A refund",
        about: "As a payment in one request; absence has to be proven twice before it is made again.",
        sighted: Sighted::Money,
        columns: &execution(Does::Refunds),
    },
    Group {
        title: "Evidence for a dispute",
        about: "Handed in once: the dispute counts what was, and was read before the first send.",
        sighted: Sighted::Dispute,
        columns: &[
            column(Does::Defends, Step::Submit, READABLE, Sent::First),
            column(Does::Defends, Step::Submit, READABLE, Sent::Again),
        ],
    },
];

impl Column {
    pub fn title(&self) -> String {
        let classes: Vec<_> = self.classes.iter().map(|class| class.name()).collect();
        let sent = match self.sent {
            Sent::First => "first",
            Sent::Replay => "replay",
            Sent::Again => "again",
        };
        let step = if self.is_of_two_phases() { format!(" {}", self.step.name()) } else { String::new() };
        format!("{}{step}, {sent}", classes.join(" "))
    }

    /// Whether its table has more than one step.
    fn is_of_two_phases(&self) -> bool {
        matches!(self.step, Step::Create | Step::Confirm)
    }

    /// The policy of a gateway of that class.
    pub fn policy(class: Class) -> Policy {
        let default = Policy::default();
        let offer = default.refunds.limited_to(class);
        let payments = if class == Class::P { default.payments } else { offer };
        Policy { payments, refunds: offer, ..default }
    }

    /// The effect with its request under way.
    pub fn sending(&self, class: Class) -> Effect {
        let policy = Self::policy(class);
        let mut effect = self.begun(class, &policy);
        ticket(&mut effect, Timestamp(10));
        match self.sent {
            Sent::First => return effect,
            Sent::Replay => learn(&mut effect, Stimulus::Answered(Fact::Lost(Loss::Timeout)), &policy),
            Sent::Again => {
                learn(&mut effect, Stimulus::Answered(Fact::Lost(Loss::Timeout)), &policy);
                let untouched = self.untouched(&effect);
                learn(&mut effect, Stimulus::Read(untouched), &policy);
            }
        }
        ticket(&mut effect, Timestamp(1_000));
        effect
    }

    /// The effect where this step may be sent for the first time.
    fn begun(&self, class: Class, policy: &Policy) -> Effect {
        let mut effect = Effect::new(self.identity(), class, "gateway".into(), money(), Timestamp(0));
        if self.does == Does::Defends {
            effect.object_id = Some("object_1".into());
            let read = dispute(&effect, DisputeStatus::NeedsResponse, 0);
            learn(&mut effect, Stimulus::Read(Fact::SeenDispute(Box::new(read))), policy);
            return effect;
        }
        if matches!(self.step, Step::Create | Step::Execute) {
            return effect;
        }
        if class == Class::P {
            ticket(&mut effect, Timestamp(1));
            let inert = shown(&effect, ObjectStatus::RequiresConfirmation);
            learn(&mut effect, Stimulus::Answered(inert), policy);
        }
        if self.step != Step::Confirm {
            ticket(&mut effect, Timestamp(2));
            let authorised = shown(&effect, ObjectStatus::RequiresCapture);
            learn(&mut effect, Stimulus::Answered(authorised), policy);
            match self.step {
                Step::Capture => capture(&mut effect, 300, policy, Timestamp(3)),
                _ => assert!(!give_up(&mut effect, policy, Timestamp(3)), "something was sent"),
            }
        }
        assert_eq!(effect.step, self.step);
        effect
    }

    /// What a look at the object shows that the step did not change.
    fn untouched(&self, effect: &Effect) -> Fact {
        match self.step {
            Step::Submit => Fact::SeenDispute(Box::new(dispute(effect, DisputeStatus::NeedsResponse, 0))),
            Step::Confirm => shown(effect, ObjectStatus::RequiresConfirmation),
            _ => shown(effect, ObjectStatus::RequiresCapture),
        }
    }

    fn identity(&self) -> Identity {
        Identity {
            id: EffectId::from_bytes([1; 16]),
            book: CustomerId::from_bytes([2; 16]),
            tenant: TenantId::from_bytes([3; 16]),
            payment: PaymentId::from_bytes([4; 16]),
            subject: match self.does {
                Does::Pays => Subject::Payment,
                Does::Refunds => Subject::Refund(RefundId::from_bytes([5; 16])),
                Does::Defends => Subject::Dispute(DisputeId::from_bytes([6; 16])),
            },
        }
    }
}

fn shown(effect: &Effect, status: ObjectStatus) -> Fact {
    let seen = sighting("object_1", status, effect.money, effect.money.amount);
    Fact::Seen(quittance_core::fact::Sighting { kind: effect.object_kind(), ..seen })
}

fn learn(effect: &mut Effect, stimulus: Stimulus, policy: &Policy) {
    advance(effect, stimulus, policy, Timestamp(5), 0);
    if effect.state == quittance_core::effect::State::NotExecuted {
        renew(effect);
    }
}

fn money() -> Money {
    Money::new(500, Currency::from_code("EUR").expect("known currency"))
}
