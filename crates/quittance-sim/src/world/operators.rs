//! Operators: they pause and resume, rotate secrets, have things looked at again, and decide what automation may not.
//!
//! They look at the gateway's own books first, and wait until nothing can arrive there any more: a person who says what is
//! not so is no fault of the engine.

use super::{Event, World};
use crate::auditor::facts;
use crate::plan::What;
use crate::process::Origin;
use crate::world::setup::tenant;
use quittance_core::decide::{Approval, Resolution};
use quittance_core::effect::{Effect, PersonsWord, State, Subject};
use quittance_core::id::ApiKeyId;
use quittance_engine::submission::{Action, ClientCommand, EffectRef, Replay, Requeue, Submission};
use quittance_store::records::{Entity, InboxEntry, Switch};
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::{EFFECTS, INBOX};
use uuid::Uuid;

/// How often they look around, in milliseconds.
const ROUND_MS: u64 = 2 * 3_600_000;

/// How long after the last send nothing of it can arrive any more, in milliseconds: a day, and what clocks are off.
const QUIET_MS: u64 = 30 * 3_600_000;

impl World {
    pub(super) fn operate(&mut self, what: &What) {
        match what {
            What::Pause { gateway, is_paused } => self.pause(*gateway as usize, *is_paused),
            What::RotateSecret { gateway } => self.rotate_secret(*gateway as usize),
            What::Requeue { order } => self.requeue(*order),
            What::Replay { gateway } => self.replay(*gateway as usize),
            What::RefundElsewhere { gateway } => self.refund_elsewhere(*gateway as usize),
            What::Pay(_) | What::Refund { .. } | What::Capture { .. } | What::Cancel { .. } | What::Evidence { .. } => {
            }
        }
    }

    pub(super) fn pause(&mut self, gateway: usize, is_paused: bool) {
        let switch = Switch {
            name: self.plan.gateways[gateway].name().to_owned(),
            is_paused,
            reason: None,
            by: "operator".into(),
            changed_at: self.clock.wall(),
        };
        if is_paused {
            self.struck("paused");
        }
        self.tell(&[4], || format!("an operator pauses gateway {gateway}: {is_paused}"));
        self.submit(Submission::SetSwitch(Box::new(switch)), Origin::Operator);
    }

    fn requeue(&mut self, order: u32) {
        let Some(payment) = self.payment_of(order) else { return };
        let Some(object) = payment.gateway_object else { return };
        let requeue = Requeue { gateway: payment.gateway, object, word: word() };
        self.submit(Submission::Requeue(Box::new(requeue)), Origin::Operator);
    }

    fn replay(&mut self, gateway: usize) {
        let name = self.plan.gateways[gateway].name();
        let rows = self.database.reader().scan(&Scan::forward(&INBOX, vec![name.into()], 1_000)).unwrap_or_default();
        let Some(entry) = rows.last().and_then(|row| InboxEntry::from_row(row).ok()) else { return };
        let Ok(event) = self.connector_of(gateway).decode_event(&entry.body) else { return };
        self.auditor.replayed(gateway, &event.id);
        let replay = Replay { gateway: name.to_owned(), event, word: word() };
        self.submit(Submission::Replay(Box::new(replay)), Origin::Operator);
    }

    fn refund_elsewhere(&mut self, gateway: usize) {
        let now_ms = self.clock.now_ms;
        if let Some(id) = self.gateways[gateway].refund_elsewhere(now_ms) {
            self.struck("refund_elsewhere");
            self.tell(id.as_bytes(), || format!("somebody makes {id} at gateway {gateway} itself"));
            self.gateway_moved(gateway);
        }
    }

    /// Operators look at what waits for them.
    pub(super) fn operators_look(&mut self) {
        self.after(ROUND_MS, Event::Round);
        if self.process.is_none() {
            return;
        }
        let rows = self.database.reader().scan(&Scan::forward(&EFFECTS, Vec::new(), 10_000)).unwrap_or_default();
        let effects = rows.iter().filter_map(|row| Effect::from_row(row).ok());
        let waiting: Vec<Effect> = effects.filter(|effect| effect.state == State::Review).collect();
        for effect in waiting {
            if effect.parked_by.is_some() {
                self.decide(&effect, None);
            } else if self.network.written.get(&effect.id).is_none_or(|at| self.clock.now_ms - at >= QUIET_MS)
                && let Some(resolution) = self.truth(&effect)
            {
                self.decide(&effect, Some(resolution));
            }
        }
    }

    /// What the gateway's books say of an effect; none as long as they may still say something else.
    fn truth(&mut self, effect: &Effect) -> Option<Resolution> {
        let at = self.gateway_at(&effect.gateway);
        let now_ms = self.clock.now_ms;
        let gateway = &mut self.gateways[at];
        match effect.subject {
            Subject::Payment => {
                gateway.fence(&effect.id.to_string(), &effect.payment.to_string(), now_ms);
                let charges = facts::charges_of(&gateway.books, effect);
                if charges.iter().any(|charge| charge.status == "pending") {
                    return None;
                }
                // What went back at the gateway already is no success to a person who looks there.
                let came = charges.iter().find(|charge| charge.kept() > 0);
                Some(came.map_or(Resolution::Failed, |charge| Resolution::Received { amount: charge.captured }))
            }
            Subject::Refund(_) => {
                let id = effect.id.to_string();
                let mut refunds = gateway.books.refunds_of(&id);
                if gateway.books.refunds_of(&id).any(|refund| refund.status == "pending") {
                    return None;
                }
                let has_gone = refunds.any(crate::gateway::books::Refund::has_gone);
                Some(if has_gone { Resolution::Succeeded } else { Resolution::Failed })
            }
            Subject::Dispute(_) => {
                let object = effect.object_id.as_deref();
                let known = gateway.books.disputes.iter().find(|dispute| Some(dispute.id.as_str()) == object);
                let is_answered = known.is_some_and(|dispute| dispute.submissions > 0);
                Some(if is_answered { Resolution::Succeeded } else { Resolution::Failed })
            }
        }
    }

    fn decide(&mut self, effect: &Effect, resolution: Option<Resolution>) {
        let named = EffectRef { book: effect.book, effect: effect.id, payment: effect.payment, epoch: 0 };
        let (operation, action) = match resolution {
            Some(resolution) => {
                let action = Action::Resolve { effect: named, resolution, word: word() };
                ("POST /v1/effects/{id}/resolve", action)
            }
            None => {
                let approval = if self.dice.chance(25) { Approval::Refused } else { Approval::Approved };
                if approval == Approval::Approved {
                    self.auditor.approved(effect.id);
                }
                let action = Action::Approve { effect: named, approval, word: word() };
                ("POST /v1/effects/{id}/approve", action)
            }
        };
        self.tell(effect.id.to_string().as_bytes(), || format!("a person decides about {}: {resolution:?}", effect.id));
        let words = format!("operator-{}-{}", effect.id, self.clock.now_ms);
        let command = ClientCommand {
            tenant: tenant(),
            // Whoever asks for something does not approve it.
            credential: Some(ApiKeyId::from_uuid(Uuid::from_u128(0x0b))),
            key: super::clients::key(&words),
            operation,
            fingerprint: [7; 32],
            api_version: "1".into(),
            action,
        };
        self.submit(Submission::Client(Box::new(command)), Origin::Operator);
    }
}

fn word() -> PersonsWord {
    PersonsWord { by: "operator".into(), evidence: "the gateway's own books".into(), reason: "looked".into() }
}
