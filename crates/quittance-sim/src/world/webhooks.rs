//! Webhooks on their way: signed by the gateway, sent again until they are acknowledged, forged by others.

use super::sabotage::GUESSED_SECRET;
use super::{Event, World};
use crate::clock::BEGIN_S;
use crate::matrix::steps::{Kind, StepFault};
use crate::plan::WebhookBlow;
use crate::process::{Died, Origin};
use hmac::{Hmac, KeyInit, Mac};
use quittance_connectors::stripe::webhook::verify;
use quittance_engine::submission::{Outcome, Submission, WebhookEvent};
use quittance_store::records::EventSource;
use sha2::Sha256;
use std::fmt::Write;

/// How old a signature may be, in seconds.
const TOLERANCE_S: u32 = 300;

/// How long after one attempt the next is made, in milliseconds; after the last the gateway gives up.
const WAITS_MS: [u64; 5] = [60_000, 600_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000];

/// One attempt to deliver an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    gateway: usize,
    event: usize,
    attempt: usize,
    is_forged: bool,
    is_answer_lost: bool,
    /// The step after which the process dies.
    kills: Option<u64>,
}

impl World {
    /// Sends the events on that the gateway has made since it was last asked.
    pub(super) fn send_events(&mut self, gateway: usize) {
        for event in self.ways[gateway].sent..self.gateways[gateway].events.len() {
            self.ways[gateway].sent = event + 1;
            let delivery =
                Delivery { gateway, event, attempt: 0, is_forged: false, is_answer_lost: false, kills: None };
            // Events of one moment arrive in any order.
            let wait_ms = self.dice.between(30, 9_000);
            match self.webhook_blow(gateway) {
                Some(WebhookBlow::Lose) => self.struck("webhook_lost"),
                Some(WebhookBlow::Repeat(times)) => {
                    self.struck("webhook_repeated");
                    (0..times).for_each(|time| self.after(wait_ms + u64::from(time) * 40, Event::Webhook(delivery)));
                }
                Some(WebhookBlow::Late(later_ms)) => {
                    self.struck("webhook_late");
                    self.after(wait_ms + later_ms, Event::Webhook(delivery));
                }
                Some(WebhookBlow::Forge) => {
                    self.after(wait_ms, Event::Webhook(delivery));
                    self.after(wait_ms, Event::Webhook(Delivery { is_forged: true, ..delivery }));
                }
                Some(WebhookBlow::LoseAnswer) => {
                    self.struck("webhook_answer_lost");
                    self.after(wait_ms, Event::Webhook(Delivery { is_answer_lost: true, ..delivery }));
                }
                None => self.after(wait_ms, Event::Webhook(delivery)),
            }
        }
    }

    fn webhook_blow(&mut self, gateway: usize) -> Option<WebhookBlow> {
        let blows = &mut self.ways[gateway].webhooks;
        let (blow, left) = blows.first_mut()?;
        let blow = *blow;
        *left -= 1;
        if *left == 0 {
            blows.remove(0);
        }
        Some(blow)
    }

    /// A webhook arrives: its signature is checked, and only then is it read.
    pub(super) fn webhook_arrives(&mut self, delivery: Delivery) {
        let Delivery { gateway, event, is_forged, .. } = delivery;
        if self.process.is_none() {
            return self.send_again(delivery);
        }
        let mut body = self.gateways[gateway].events[event].body.clone();
        let sent_s = BEGIN_S + (self.clock.now_ms / 1_000) as i64 + self.gateways[gateway].skew_s;
        let signers = match is_forged {
            true => vec![GUESSED_SECRET.to_owned()],
            false => self.gateways[gateway].secrets.clone(),
        };
        if is_forged {
            body = body.replace("\"id\":\"evt_", "\"id\":\"evt_forged_");
        }
        let header = signature(&signers, sent_s, &body);
        let secrets: Vec<&str> = self.ways[gateway].secrets.iter().map(String::as_str).collect();
        let now_s = self.clock.wall().seconds();
        if verify(&header, body.as_bytes(), &secrets, now_s, TOLERANCE_S).is_err() {
            self.coverage.count("webhook", "refused");
            if is_forged {
                self.struck("webhook_forged");
            }
            return self.send_again(delivery);
        }
        if is_forged {
            return self.auditor.fail("forged", "a webhook with a made-up signature was taken".to_owned());
        }
        let Ok(decoded) = self.connector_of(gateway).decode_event(body.as_bytes()) else { return };
        let submission = Submission::Webhook(Box::new(WebhookEvent {
            gateway: self.plan.gateways[gateway].name().to_owned(),
            source: EventSource::Webhook,
            endpoint: Some("main".into()),
            secret: Some("newest".into()),
            event: decoded,
            body: body.into_bytes(),
        }));
        let Some(delivery) = self.webhook_step(delivery, &submission) else { return };
        self.submit(submission, Origin::Webhook(delivery));
    }

    /// A webhook that is genuine is about to be submitted: what happens to it, or nothing where it comes no further.
    fn webhook_step(&mut self, delivery: Delivery, submission: &Submission) -> Option<Delivery> {
        let word = || crate::matrix::hooks::word_of(submission);
        let (number, fault) = self.step_begins(Kind::Webhook, || (word(), false));
        match fault {
            Some(StepFault::KillBefore) => {
                self.die_at_step(number, StepFault::KillBefore);
                self.send_again(delivery);
                return None;
            }
            Some(StepFault::KillAfter) => return Some(Delivery { kills: Some(number), ..delivery }),
            Some(fault) => self.step_struck(number, fault),
            None => {}
        }
        match fault {
            Some(StepFault::LoseUndone) => None,
            Some(StepFault::LoseDone) => Some(Delivery { is_answer_lost: true, ..delivery }),
            Some(_) => {
                self.submit(submission.clone(), Origin::Webhook(delivery));
                Some(delivery)
            }
            None => Some(delivery),
        }
    }

    /// The process says what became of a webhook.
    pub(crate) fn webhook_taken(&mut self, delivery: Delivery, outcome: &Outcome) -> Result<(), Died> {
        if let Some(number) = delivery.kills {
            self.step_struck(number, StepFault::KillAfter);
            self.send_again(Delivery { kills: None, ..delivery });
            return Err(Died);
        }
        let is_new = match outcome {
            Outcome::Done | Outcome::Applied { .. } | Outcome::Fenced => true,
            Outcome::Duplicate => false,
            _ => {
                self.send_again(delivery);
                return Ok(());
            }
        };
        let id = self.gateways[delivery.gateway].events[delivery.event].id.clone();
        self.tell(id.as_bytes(), || format!("webhook {id} is taken; new: {is_new}"));
        self.coverage.count("webhook", if is_new { "taken" } else { "duplicate" });
        self.auditor.acknowledged(delivery.gateway, &id, is_new);
        if delivery.is_answer_lost {
            self.send_again(Delivery { is_answer_lost: false, ..delivery });
        }
        Ok(())
    }

    fn send_again(&mut self, delivery: Delivery) {
        if delivery.is_forged {
            return;
        }
        if let Some(wait_ms) = WAITS_MS.get(delivery.attempt) {
            let wait_ms = wait_ms + self.dice.below(1_000);
            self.after(wait_ms, Event::Webhook(Delivery { attempt: delivery.attempt + 1, ..delivery }));
        }
    }

    /// A gateway signs with a new secret beside the last one; our endpoint takes both.
    pub(super) fn rotate_secret(&mut self, gateway: usize) {
        self.struck("secret_rotated");
        let number = self.gateways[gateway].events.len();
        let secret = format!("whsec_{}_{number}_{}", self.plan.gateways[gateway].name(), self.clock.now_ms);
        for secrets in [&mut self.gateways[gateway].secrets, &mut self.ways[gateway].secrets] {
            secrets.push(secret.clone());
            let surplus = secrets.len().saturating_sub(2);
            secrets.drain(..surplus);
        }
    }
}

fn signature(secrets: &[String], sent_s: i64, body: &str) -> String {
    let mut header = format!("t={sent_s}");
    for secret in secrets {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        let code = mac.chain_update(format!("{sent_s}.")).chain_update(body).finalize().into_bytes();
        header.push_str(",v1=");
        for byte in code {
            let _ = write!(header, "{byte:02x}");
        }
    }
    header
}
