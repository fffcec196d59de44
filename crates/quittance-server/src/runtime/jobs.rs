//! Jobs: the engine's requests carried out, and what they taught us handed back.

use super::executor::Entry;
use super::find::{Search, find};
use super::gateways::{GatewayState, Slot};
use super::shared::Shared;
use crate::clock::{self, Stopwatch};
use crate::metrics;
use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, Request};
use quittance_core::effect::{Source, Stimulus};
use quittance_core::fact::Fact;
use quittance_core::time::Timestamp;
use quittance_engine::queue;
use quittance_engine::submission::{Job, LearnedFact, Look, LookPlan, Looked, Plan, Submission};
use quittance_store::records::Lane;
use std::sync::Arc;
use std::time::Duration;

/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// A page that could take less time than this is not asked for.
const PAGE_TIME_MIN: Duration = Duration::from_millis(250);

/// How much time is left for a job. Measured from its start by both clocks, checked again before every request.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    watch: Stopwatch,
    deadline: Timestamp,
    least: Duration,
    most: Duration,
}

impl Budget {
    /// A request that could use less than half of the gateway's time is not begun: it would probably end unknown, and
    /// what is unknown costs a read-back, while what was not sent costs nothing.
    pub(super) fn new(deadline: Timestamp, timeout: Duration) -> Self {
        // A clock that was set back since the deadline was made would put it off.
        Self { watch: Stopwatch::start(), deadline, least: timeout / 2, most: timeout }
    }

    /// The same time for the pages of a search, which may begin until shortly before its end: a page that is lost costs
    /// nothing but the time.
    pub(super) fn for_pages(self, timeout: Duration) -> Self {
        Self { least: (timeout / 10).max(PAGE_TIME_MIN), ..self }
    }

    /// How long a request that begins now may take; none when it must not begin.
    pub(super) fn patience(&self) -> Option<Duration> {
        let remaining = self.watch.remaining_until(self.deadline).min(self.most.saturating_sub(self.watch.elapsed()));
        Some(remaining).filter(|remaining| *remaining >= self.least)
    }
}

/// Carries a job out on the runtime and submits the lesson. The slot is given back with the lesson, or with the task.
pub(super) fn spawn(shared: &Arc<Shared>, tokio: &tokio::runtime::Handle, gateway: Arc<GatewayState>, job: Job) {
    let slot = gateway.begin(job.lane);
    // Started here, so that time spent waiting for a worker counts.
    let budget = Budget::new(job.deadline, gateway.timeout);
    let shared = Arc::clone(shared);
    tokio.spawn(async move {
        let (source, stimulus) = carry_out(&gateway, &job, budget).await;
        let lesson = LearnedFact { effect: job.effect, source, stimulus };
        hand_back(&shared, Some(slot), Submission::Learned(Box::new(lesson)));
    });
}

async fn carry_out(gateway: &GatewayState, job: &Job, budget: Budget) -> (Source, Stimulus) {
    let kind = job.kind;
    match &job.plan {
        Plan::Send(request) => {
            let decode = |connector: &dyn Connector, delivery: &Delivery| connector.decode_write(kind, delivery);
            (Source::Send, Stimulus::Answered(ask(gateway, job.lane, request, budget, "send", decode).await))
        }
        Plan::Read(request) => {
            let decode = |connector: &dyn Connector, delivery: &Delivery| connector.decode_read(kind, delivery);
            (Source::Read, Stimulus::Read(ask(gateway, job.lane, request, budget, "read", decode).await))
        }
        Plan::Find(wanted) => {
            let search = Search { effect: job.effect.effect, kind, wanted };
            (Source::Find, find(gateway, search, budget.for_pages(gateway.timeout)).await)
        }
    }
}

/// How long a request that leaves now may take. None, with a line in the log, when it must not leave: its gateway is
/// paused, or too little time is left.
pub(super) fn patience(gateway: &GatewayState, budget: Budget, kind: &'static str) -> Option<Duration> {
    if gateway.is_paused() {
        tracing::info!(gateway = gateway.name, kind, "not sent: the gateway is paused");
        return None;
    }
    let patience = budget.patience();
    if patience.is_none() {
        tracing::warn!(gateway = gateway.name, kind, "not sent: too little time is left");
    }
    patience
}

/// One request and its fact. What must not leave is not sent, which says nothing about the gateway.
pub(super) async fn ask(
    gateway: &GatewayState,
    lane: Lane,
    request: &Request,
    budget: Budget,
    kind: &'static str,
    decode: impl FnOnce(&dyn Connector, &Delivery) -> Fact,
) -> Fact {
    let Some(patience) = patience(gateway, budget, kind) else {
        gateway.health.withdraw(lane);
        return Fact::NotSent;
    };
    let delivery = gateway.transport.deliver(request, patience).await;
    let fact = decode(gateway.connector.as_ref(), &delivery);
    note(gateway, kind, &delivery, &fact);
    gateway.health.report(lane, &fact);
    fact
}

/// Counts what came of a request, and says in the log why there was no answer.
pub(super) fn note(gateway: &GatewayState, kind: &'static str, delivery: &Delivery, fact: &Fact) {
    metrics::asked(&gateway.name, kind, fact);
    match delivery {
        Delivery::Answered(_) => {}
        Delivery::NotSent { reason } => tracing::warn!(gateway = gateway.name, kind, reason, "not sent"),
        Delivery::Lost { loss, reason } => {
            tracing::warn!(gateway = gateway.name, kind, loss = loss.name(), reason, "no answer");
        }
    }
}

/// Looks at an object on the runtime and submits what it showed. As for a job, the slot goes back with it.
pub(super) fn spawn_look(shared: &Arc<Shared>, tokio: &tokio::runtime::Handle, gateway: Arc<GatewayState>, look: Look) {
    let slot = gateway.begin(look.lane);
    let budget = Budget::new(look.deadline, gateway.timeout);
    let shared = Arc::clone(shared);
    tokio.spawn(async move {
        let kind = look.kind;
        let (is_cancel, fact) = match &look.plan {
            LookPlan::Read(request) => {
                let decode = |connector: &dyn Connector, delivery: &Delivery| connector.decode_read(kind, delivery);
                (false, ask(&gateway, look.lane, request, budget, "look", decode).await)
            }
            LookPlan::Cancel(request) => {
                let decode = |connector: &dyn Connector, delivery: &Delivery| connector.decode_write(kind, delivery);
                (true, ask(&gateway, look.lane, request, budget, "cancel_stray", decode).await)
            }
        };
        let looked = Looked { object: look.object, is_cancel, fact };
        hand_back(&shared, Some(slot), Submission::Looked(Box::new(looked)));
    });
}

pub(super) fn hand_back(shared: &Shared, slot: Option<Slot>, submission: Submission) {
    let entry = Entry { submission, reply: None, slot, is_watched: false, claim: None };
    if let Err((_, entry)) = shared.queue.push(queue::Lane::Inner, entry, clock::now()) {
        let about = match &entry.submission {
            Submission::Learned(lesson) => lesson.effect.effect.to_string(),
            Submission::Looked(looked) => looked.object.object.clone(),
            Submission::Delivered(delivered) => delivered.delivery.event.to_string(),
            _ => String::new(),
        };
        tracing::warn!(about, "an answer came after the engine had stopped; the next start reads it back");
    }
}

/// Asks a gateway from which something is held back for one harmless page.
pub(super) fn spawn_probe(tokio: &tokio::runtime::Handle, gateway: Arc<GatewayState>) {
    tokio.spawn(async move {
        if gateway.is_paused() {
            return gateway.health.probed(&Fact::NotSent);
        }
        let request = gateway.connector.probe();
        let delivery = gateway.transport.deliver(&request, gateway.timeout.min(PROBE_TIMEOUT)).await;
        let fact = gateway.connector.decode_probe(&delivery);
        note(&gateway, "probe", &delivery, &fact);
        gateway.health.probed(&fact);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::gateways::tests::states;
    use quittance_core::effect::Step;
    use quittance_core::fact::ObjectKind;
    use quittance_store::records::Operation;

    #[tokio::test]
    async fn what_has_its_ticket_and_is_paused_before_it_leaves_is_not_sent() {
        let states = states("http://127.0.0.1:1");
        let gateway = states.get("stripe").expect("a gateway");
        let request = gateway.connector.read(ObjectKind::Payment, "pi_1");
        let decode =
            |connector: &dyn Connector, delivery: &Delivery| connector.decode_write(ObjectKind::Payment, delivery);
        let budget = Budget::new(clock::now().plus_ms(600_000), gateway.timeout);
        gateway.set_paused(true);
        let lane = Lane::Send { operation: Operation::Payments, step: Step::Create, is_again: false };
        assert_eq!(ask(&gateway, lane, &request, budget, "send", decode).await, Fact::NotSent);
        gateway.set_paused(false);
        assert_eq!(states.permits().0["stripe"].left(lane), 1, "it says nothing about the gateway");
        ask(&gateway, lane, &request, budget, "send", decode).await;
        assert_eq!(states.permits().0["stripe"].left(lane), 0, "what is sent there fails");
    }
}
