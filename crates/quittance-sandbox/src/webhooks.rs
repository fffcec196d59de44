//! Owns: the queue of webhooks and their delivery, and that for a while nothing is delivered. Does not own: which of
//! them are dropped, repeated or late by chance (`faults`).

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::answer::to_bytes;
use crate::clock;
use crate::config::WebhookTarget;
use crate::faults::Faults;
use crate::lock::lock;
use crate::objects::Event;
use crate::signature;

const QUEUE_MAX: usize = 100_000;
const DELIVERIES_AT_ONCE_MAX: usize = 32;
// Stripe's sandboxes retry "three times over the course of a few hours"; a few more cost nothing.
const ATTEMPTS_MAX: u32 = 6;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Webhooks {
    retry_base: Duration,
    queue: Mutex<Queue>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    target: Option<WebhookTarget>,
    /// By the time they are due, then by the order of arrival.
    waiting: BTreeMap<(Instant, u64), Job>,
    arrivals: u64,
    under_way: usize,
    delivered: u64,
    dropped: u64,
    failed: u64,
    /// Whether what is due now is lost, and never tried again.
    loses: bool,
    lost: u64,
    /// Whether the gateway has disabled the endpoint: it sends nothing there, and says so.
    is_disabled: bool,
}

#[derive(Debug, Clone)]
struct Job {
    event: Arc<Event>,
    attempt: u32,
}

/// What `GET /_sandbox/webhooks` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Progress {
    queued: usize,
    delivered: u64,
    dropped: u64,
    failed: u64,
    lose: bool,
    lost: u64,
    disabled: bool,
}

enum Next {
    Deliver(Job, WebhookTarget),
    WaitUntil(Option<Instant>),
}

impl Webhooks {
    pub(crate) fn new(target: Option<WebhookTarget>, retry_base_ms: u64) -> Self {
        Self {
            retry_base: Duration::from_millis(retry_base_ms),
            queue: Mutex::new(Queue { target, ..Queue::default() }),
            changed: Notify::new(),
        }
    }

    pub(crate) fn has_target(&self) -> bool {
        lock(&self.queue).target.is_some()
    }

    /// What is still waiting goes to the new target.
    pub(crate) fn set_target(&self, target: WebhookTarget) {
        lock(&self.queue).target = Some(target);
        self.changed.notify_one();
    }

    /// Without a target, events are only to be had from the list of events.
    pub(crate) fn enqueue(&self, events: Vec<Arc<Event>>, faults: &Faults) {
        if events.is_empty() || !self.has_target() {
            return;
        }
        let now = clock::monotonic();
        for event in events {
            let plan = faults.plan_webhook(&event.id);
            let mut queue = lock(&self.queue);
            if queue.is_losing() {
                queue.lost += 1;
                continue;
            }
            if plan.delays_ms.is_empty() {
                queue.dropped += 1;
            }
            for delay_ms in plan.delays_ms {
                let job = Job { event: Arc::clone(&event), attempt: 1 };
                queue.add(now + Duration::from_millis(delay_ms), job);
            }
        }
        self.changed.notify_one();
    }

    /// Whether deliveries are lost from now on: those of new events, and those that come due meanwhile.
    pub(crate) fn lose(&self, loses: bool) {
        lock(&self.queue).loses = loses;
        self.changed.notify_one();
    }

    /// Whether the gateway has disabled the endpoint from now on; what is due meanwhile is lost.
    pub(crate) fn disable(&self, is_disabled: bool) {
        lock(&self.queue).is_disabled = is_disabled;
        self.changed.notify_one();
    }

    /// Where webhooks go, and whether the gateway has disabled it.
    pub(crate) fn endpoint(&self) -> Option<(String, bool)> {
        let queue = lock(&self.queue);
        queue.target.as_ref().map(|target| (target.url.clone(), queue.is_disabled))
    }

    /// Makes everything due now, retries included, and says how many there are.
    pub(crate) fn flush(&self) -> usize {
        let now = clock::monotonic();
        let mut queue = lock(&self.queue);
        let waiting = std::mem::take(&mut queue.waiting);
        for ((due, arrival), job) in waiting {
            queue.waiting.insert((due.min(now), arrival), job);
        }
        self.changed.notify_one();
        queue.waiting.len()
    }

    pub(crate) fn progress(&self) -> Progress {
        let queue = lock(&self.queue);
        Progress {
            queued: queue.waiting.len() + queue.under_way,
            delivered: queue.delivered,
            dropped: queue.dropped,
            failed: queue.failed,
            lose: queue.loses,
            lost: queue.lost,
            disabled: queue.is_disabled,
        }
    }

    fn next(&self) -> Next {
        let now = clock::monotonic();
        let mut queue = lock(&self.queue);
        let Some(target) = queue.target.clone() else {
            return Next::WaitUntil(None);
        };
        while queue.is_losing() && queue.waiting.first_key_value().is_some_and(|((due, _), _)| *due <= now) {
            queue.waiting.pop_first();
            queue.lost += 1;
        }
        match queue.waiting.first_key_value().map(|(key, _)| *key) {
            None => Next::WaitUntil(None),
            Some((due, _)) if due > now => Next::WaitUntil(Some(due)),
            Some(key) => match queue.waiting.remove(&key) {
                None => Next::WaitUntil(None),
                Some(job) => {
                    queue.under_way += 1;
                    Next::Deliver(job, target)
                }
            },
        }
    }

    fn finish(&self, job: Job, is_delivered: bool) {
        let mut queue = lock(&self.queue);
        queue.under_way = queue.under_way.saturating_sub(1);
        if is_delivered {
            queue.delivered += 1;
            job.event.pending_webhooks.store(0, Ordering::Relaxed);
        } else if queue.is_losing() {
            queue.lost += 1;
        } else if job.attempt >= ATTEMPTS_MAX {
            queue.failed += 1;
        } else {
            // Doubles each time: 1, 2, 4, 8, 16 times the base.
            let pause = self.retry_base.saturating_mul(1 << (job.attempt - 1));
            queue.add(clock::monotonic() + pause, Job { attempt: job.attempt + 1, ..job });
        }
        self.changed.notify_one();
    }
}

impl Queue {
    const fn is_losing(&self) -> bool {
        self.loses || self.is_disabled
    }

    fn add(&mut self, due: Instant, job: Job) {
        if self.waiting.len() >= QUEUE_MAX {
            tracing::warn!(event = %job.event.id, "webhook given up: the queue is full");
            self.failed += 1;
            return;
        }
        self.arrivals += 1;
        self.waiting.insert((due, self.arrivals), job);
    }
}

/// Delivers until it is dropped.
pub(crate) async fn deliver(webhooks: &Arc<Webhooks>) -> std::convert::Infallible {
    let Some(client) = client() else {
        return std::future::pending().await;
    };
    let mut deliveries = JoinSet::new();
    loop {
        while deliveries.try_join_next().is_some() {}
        if deliveries.len() >= DELIVERIES_AT_ONCE_MAX {
            deliveries.join_next().await;
            continue;
        }
        match webhooks.next() {
            Next::Deliver(job, target) => {
                let (client, webhooks) = (client.clone(), Arc::clone(webhooks));
                deliveries.spawn(async move {
                    let is_delivered = post(&client, &target, &job.event).await;
                    webhooks.finish(job, is_delivered);
                });
            }
            Next::WaitUntil(None) => webhooks.changed.notified().await,
            Next::WaitUntil(Some(due)) => {
                let timer = tokio::time::sleep_until(due.into());
                tokio::select! {
                    () = timer => {}
                    () = webhooks.changed.notified() => {}
                }
            }
        }
    }
}

fn client() -> Option<reqwest::Client> {
    // Fails when the process has chosen a provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        // A 3xx is a failed delivery, and a proxy would hide who refused.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(ATTEMPT_TIMEOUT)
        .build();
    client.inspect_err(|error| tracing::error!(%error, "no webhooks: the HTTP client does not start")).ok()
}

/// One attempt, signed at the time it is made.
async fn post(client: &reqwest::Client, target: &WebhookTarget, event: &Event) -> bool {
    let body = to_bytes(event);
    let signature = signature::header(&target.secrets, clock::unix_seconds(), &body);
    let request = client
        .post(&target.url)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header("stripe-signature", signature)
        .body(body);
    let Ok(mut response) = request.send().await else {
        return false;
    };
    // Reading a short answer to its end lets the connection be used again.
    for _ in 0..4 {
        if !matches!(response.chunk().await, Ok(Some(_))) {
            break;
        }
    }
    response.status().is_success()
}
