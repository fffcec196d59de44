//! What a step came to, told to whoever waits for it, and the work that follows from it begun.
//!
//! Everything told here is durable. Does not own what is decided, nor when.

use super::claims::Claim;
use super::executor::Executor;
use super::handle::Submitted;
use super::jobs;
use super::waiters::Watch;
use crate::metrics;
use quittance_core::id::EffectId;
use quittance_engine::engine::Step;
use quittance_engine::submission::Outcome;
use tokio::sync::oneshot;

/// Where an outcome goes.
pub(super) struct Recipient {
    pub(super) reply: Option<oneshot::Sender<Submitted>>,
    pub(super) is_watched: bool,
    /// The effect that a job taught us about.
    pub(super) lesson_of: Option<EffectId>,
    /// Ends when it was told.
    pub(super) _claim: Option<Claim>,
}

impl Executor {
    /// Tells what is durable now: first everybody who has to wait is registered, then answers go out, so that none is
    /// missed whatever the order inside the batch.
    pub(super) fn deliver(&self, step: Step, recipients: Vec<Recipient>) {
        let watches: Vec<_> =
            step.outcomes.iter().zip(&recipients).map(|(outcome, recipient)| self.watch(outcome, recipient)).collect();
        for outcome in &step.outcomes {
            self.announce(outcome);
        }
        for ((outcome, watch), recipient) in step.outcomes.into_iter().zip(watches).zip(recipients) {
            if let (Some(effect), Outcome::Failed(failure)) = (recipient.lesson_of, &outcome) {
                metrics::lesson_lost();
                tracing::error!(%effect, ?failure, "what a gateway answered was not stored; it is asked again later");
            }
            if let Some(reply) = recipient.reply {
                // Whoever went away meanwhile finds the outcome under the same idempotency key.
                let _ = reply.send(Submitted { outcome, watch });
            }
        }
        for look in step.looks {
            if let Some(gateway) = self.shared.gateways.get(&look.object.gateway) {
                jobs::spawn_look(&self.shared, &self.tokio, gateway, look);
            }
        }
        for job in step.jobs {
            match self.shared.gateways.get(&job.gateway) {
                Some(gateway) => jobs::spawn(&self.shared, &self.tokio, gateway, job),
                None => tracing::error!(gateway = job.gateway, "a job for a gateway that is not configured was left"),
            }
        }
    }

    fn watch(&self, outcome: &Outcome, recipient: &Recipient) -> Option<Watch> {
        match outcome {
            Outcome::Accepted { command, .. } | Outcome::Joined { command, .. } if recipient.is_watched => {
                Some(self.shared.waiters.watch(*command))
            }
            _ => None,
        }
    }

    /// Counts an outcome and tells everybody who waits for it.
    fn announce(&self, outcome: &Outcome) {
        metrics::decided(outcome);
        match outcome {
            Outcome::Answered { command, status, body } => self.shared.waiters.answer(*command, *status, body),
            Outcome::Applied { answered, .. } => {
                for (command, status, body) in answered {
                    self.shared.waiters.answer(*command, *status, body);
                }
            }
            _ => {}
        }
    }
}
