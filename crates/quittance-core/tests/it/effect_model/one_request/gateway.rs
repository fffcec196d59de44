//! A gateway that does it all in one request, with its own books: what it was asked, what it did, what it remembers.

use quittance_core::effect::{Capability, Class};
use quittance_core::fact::{Decline, Fact, Loss, ObjectKind, ObjectStatus, Sighting};
use quittance_core::id::EffectId;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;

use crate::effect_model::books::sighting;

/// How long keys are remembered: an hour longer than is relied on, as Stripe's 24 hours are.
const MARGIN_MS: u64 = 3_600_000;

/// What becomes of a request that is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Succeeds,
    /// It is accepted, and comes to its end after so long.
    Pends {
        ends_after_ms: u64,
        succeeds: bool,
    },
    Declined,
}

#[derive(Debug)]
struct Object {
    generation: u32,
    made_at: Timestamp,
    status: ObjectStatus,
}

/// Something that happens at the gateway by itself.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// A request that was on its way arrives.
    Arrives { generation: u32 },
    /// Work that had ended in an error is carried out after all.
    RollsForward { generation: u32 },
    /// A pending object comes to its end.
    Ends { at: usize, succeeds: bool },
}

#[derive(Debug)]
pub(super) struct Gateway {
    pub(super) outcomes: Vec<Outcome>,
    /// How far its lists lag behind. What is found is there all the same; what is not may be.
    pub(super) lists_lag_ms: u64,
    /// Events, in the order in which they happened; each shows its object as it was then.
    pub(super) events: Vec<Sighting>,
    kind: ObjectKind,
    amount: i64,
    effect: EffectId,
    class: Class,
    remembers_ms: u64,
    objects: Vec<Object>,
    stored: BTreeMap<u32, (Timestamp, Fact)>,
    due: Vec<(Timestamp, Due)>,
}

impl Gateway {
    pub(super) fn new(class: Class, offer: &Capability, (kind, amount): (ObjectKind, i64), effect: EffectId) -> Self {
        Self {
            outcomes: Vec::new(),
            lists_lag_ms: 0,
            events: Vec::new(),
            kind,
            amount,
            effect,
            class,
            remembers_ms: offer.key_window_ms() + MARGIN_MS,
            objects: Vec::new(),
            stored: BTreeMap::new(),
            due: Vec::new(),
        }
    }

    /// Carries a request out, or answers with what is stored under its key.
    pub(super) fn arrive(&mut self, generation: u32, now: Timestamp) -> Fact {
        if let Some(stored) = self.remembered(generation, now) {
            return stored;
        }
        let fact = self.carry_out(generation, now);
        self.store(generation, fact.clone(), now);
        fact
    }

    pub(super) fn arrive_later(&mut self, generation: u32, at: Timestamp) {
        self.due.push((at, Due::Arrives { generation }));
    }

    /// Ends in an error of the gateway's own, which is stored, and carries it out at that time, if at all.
    pub(super) fn break_down(&mut self, generation: u32, now: Timestamp, effect_at: Option<Timestamp>) -> Fact {
        if let Some(stored) = self.remembered(generation, now) {
            return stored;
        }
        self.store(generation, Fact::Lost(Loss::ServerError), now);
        match effect_at {
            Some(at) if at <= now => drop(self.carry_out(generation, now)),
            Some(at) => self.due.push((at, Due::RollsForward { generation })),
            None => {}
        }
        Fact::Lost(Loss::ServerError)
    }

    fn carry_out(&mut self, generation: u32, now: Timestamp) -> Fact {
        let outcome = self.outcomes.pop().unwrap_or(Outcome::Succeeds);
        if outcome == Outcome::Declined {
            let decline = Decline { code: "expired_card".into(), is_retryable: false };
            return Fact::Declined { decline, sighting: None };
        }
        let at = self.objects.len();
        self.objects.push(Object { generation, made_at: now, status: ObjectStatus::Succeeded });
        if let Outcome::Pends { ends_after_ms, succeeds } = outcome {
            self.objects[at].status = ObjectStatus::Processing;
            self.due.push((now.plus_ms(ends_after_ms), Due::Ends { at, succeeds }));
        }
        self.events.push(self.sighting(at));
        Fact::Seen(self.sighting(at))
    }

    fn store(&mut self, generation: u32, fact: Fact, now: Timestamp) {
        if matches!(self.class, Class::A | Class::C) {
            self.stored.insert(generation, (now, fact));
        }
    }

    fn remembered(&self, generation: u32, now: Timestamp) -> Option<Fact> {
        let (at, fact) = self.stored.get(&generation)?;
        (now.ms_since(*at) < self.remembers_ms).then(|| fact.clone())
    }

    /// Lets happen what is due by now, in its order.
    pub(super) fn pass_time(&mut self, now: Timestamp) {
        loop {
            self.due.sort_by_key(|(at, _)| *at);
            if self.due.first().is_none_or(|(at, _)| *at > now) {
                return;
            }
            let (at, due) = self.due.remove(0);
            match due {
                Due::Arrives { generation } => drop(self.arrive(generation, at)),
                Due::RollsForward { generation } => drop(self.carry_out(generation, at)),
                Due::Ends { at, succeeds } => {
                    self.objects[at].status = if succeeds { ObjectStatus::Succeeded } else { ObjectStatus::Failed };
                    self.events.push(self.sighting(at));
                }
            }
        }
    }

    /// The object of that id as it is now.
    pub(super) fn read(&self, object: &str) -> Option<Sighting> {
        let at = self.objects.iter().enumerate().find(|(at, _)| name(*at) == object)?.0;
        Some(self.sighting(at))
    }

    /// What its list shows of a request.
    pub(super) fn find(&self, generation: u32, now: Timestamp) -> Option<Sighting> {
        let is_shown = |object: &Object| now.ms_since(object.made_at) >= self.lists_lag_ms;
        let at = self.objects.iter().position(|object| object.generation == generation && is_shown(object))?;
        Some(self.sighting(at))
    }

    /// How often something was carried out.
    pub(super) fn executions(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn has_moved_money(&self) -> bool {
        self.objects.iter().any(|object| object.status == ObjectStatus::Succeeded)
    }

    /// Whether something of a generation up to this one may still be carried out.
    pub(super) fn may_carry_out(&self) -> bool {
        self.due.iter().any(|(_, due)| matches!(due, Due::Arrives { .. } | Due::RollsForward { .. }))
    }

    fn sighting(&self, at: usize) -> Sighting {
        let status = self.objects[at].status.clone();
        Sighting { effect_id: Some(self.effect), ..sighting(self.kind, &name(at), status, self.amount) }
    }
}

fn name(at: usize) -> String {
    format!("ch_{at}")
}
