//! Numbers of this process: what they are called, and their text for Prometheus.
//!
//! Every name begins with `quittance_` and ends with its unit. Labels come from closed sets and configured names, never
//! from clients, so that their number is bounded.

mod help;
mod pairs;
mod truth;

pub use help::page;
pub(crate) use pairs::{
    Compared, pair_compared, pair_detected, pair_divergence, pair_repairs, pair_run, pair_silence, pair_state,
};
pub(crate) use truth::{TruthNumbers, truth_redis_is_up, truth_redis_untold, truths_remembered};

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use quittance_core::brake::Limit;
use quittance_core::fact::Fact;
use quittance_core::time::Timestamp;
use quittance_engine::backlog::Backlog;
use quittance_engine::submission::{Outcome, Submission};
use std::sync::OnceLock;
use std::time::Duration;

static EXPORTER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Bounds of the histograms of durations, in seconds: a commit takes some milliseconds, a gateway up to 20 s.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// Bounds of the histogram of ages, in seconds: from what was asked just now to a day.
const AGES: [f64; 10] = [0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0];
/// Bounds of the time until a difference is found: a minute is quick, a week is not.
const DETECTION_SECONDS: [f64; 9] = [1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0];

/// Begins to collect, once for the process; later calls change nothing. Nothing is counted before.
pub fn ensure_installed() {
    EXPORTER.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
        let ages = Matcher::Full("quittance_truth_age_seconds".to_owned());
        let builder = builder.and_then(|builder| builder.set_buckets_for_metric(ages, &AGES));
        let detection = Matcher::Full("quittance_pair_detection_seconds".to_owned());
        let builder = builder.and_then(|builder| builder.set_buckets_for_metric(detection, &DETECTION_SECONDS));
        let installed = builder.map_err(|error| error.to_string()).and_then(|builder| {
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            let installed = metrics::set_global_recorder(recorder).map_err(|error| error.to_string());
            installed.map(|()| {
                help::describe();
                handle
            })
        });
        installed.inspect_err(|error| tracing::warn!(error, "metrics are not collected")).ok()
    });
}

/// The numbers in the text format of Prometheus; empty before [`ensure_installed`].
#[must_use]
pub fn render() -> String {
    let Some(Some(handle)) = EXPORTER.get() else { return String::new() };
    handle.run_upkeep();
    handle.render()
}

/// How many alerts of a kind are open.
pub(crate) fn alerts_open(kind: &'static str, count: usize) {
    gauge!("quittance_alerts_open", "kind" => kind).set(count as f64);
}

/// That a message about alerts was sent to a channel, or not taken by it.
pub(crate) fn alert_told(channel: &str, is_taken: bool) {
    let labels = [("channel", channel.to_owned()), ("result", if is_taken { "sent" } else { "failed" }.to_owned())];
    counter!("quittance_alert_messages_total", &labels).increment(1);
}

/// How long the message to a channel has waited that is not sent yet; 0 where there is none.
pub(crate) fn alert_unsent(channel: &str, age_ms: u64) {
    let age = Duration::from_millis(age_ms).as_secs_f64();
    gauge!("quittance_alert_unsent_age_seconds", "channel" => channel.to_owned()).set(age);
}

pub(crate) fn refused() {
    counter!("quittance_commands_refused_total").increment(1);
}

pub(crate) fn submitted(submission: &Submission) {
    let kind = match submission {
        Submission::Client(_) => "client",
        Submission::Learned(_) => "learned",
        Submission::Webhook(_) => "webhook",
        Submission::Begin(_) => "begin",
        Submission::Look(_) => "look",
        Submission::Looked(_) => "looked",
        Submission::Swept(_) => "sweep",
        Submission::Delivered(_) => "delivered",
        Submission::KeyUsed { .. } => "key_used",
        Submission::CreateTenant(_)
        | Submission::CreateKey(_)
        | Submission::RevokeKey { .. }
        | Submission::RotateKey { .. }
        | Submission::Reseal { .. }
        | Submission::RetireMasterKeys { .. }
        | Submission::Requeue(_)
        | Submission::Replay(_)
        | Submission::Prune(_)
        | Submission::ChangeEndpoint(_)
        | Submission::ReplayEvent(_)
        | Submission::SetSwitch(_) => "operator",
    };
    counter!("quittance_commands_total", "kind" => kind).increment(1);
}

pub(crate) fn decided(outcome: &Outcome) {
    let word = match outcome {
        Outcome::Accepted { .. } => "accepted",
        Outcome::Joined { .. } => "joined",
        Outcome::Answered { .. } => "answered",
        Outcome::Replayed(_) => "replayed",
        Outcome::Refused(_) => "refused",
        Outcome::OverLimit { parked: None, .. } => "braked",
        Outcome::OverLimit { parked: Some(_), .. } => "parked",
        Outcome::Backlogged { .. } => "backlogged",
        Outcome::Applied { alarm: Some(_), .. } => "alarmed",
        Outcome::Applied { alarm: None, .. } => "applied",
        Outcome::Fenced => "fenced",
        Outcome::Duplicate => "duplicate",
        Outcome::Done => "done",
        Outcome::Conflict(_) => "conflict",
        Outcome::Failed(_) => "failed",
    };
    counter!("quittance_outcomes_total", "outcome" => word).increment(1);
    if let Outcome::OverLimit { tenant, over, parked } = outcome {
        let result = if parked.is_some() { "parked" } else { "refused" };
        let labels = [("tenant", tenant.clone()), ("limit", over.limit.name().into()), ("result", result.into())];
        counter!("quittance_brakes_total", &labels).increment(1);
    }
}

/// That times from before are doubted: the clock was set `back` or `ahead`, the `machine` was started anew, or nobody was
/// here (`away`).
pub(crate) fn clock_doubted(why: &'static str) {
    counter!("quittance_clock_doubts_total", "why" => why).increment(1);
}

/// What brakes hold back until a person approves, by limit.
pub(crate) fn parked(limit: Limit, count: usize) {
    gauge!("quittance_parked_effects", "limit" => limit.name()).set(count as f64);
}

/// Something learned about an effect that could not be stored.
pub(crate) fn lesson_lost() {
    counter!("quittance_lessons_lost_total").increment(1);
}

pub(crate) fn stepped(count: usize, took: Duration) {
    histogram!("quittance_step_seconds").record(took.as_secs_f64());
    counter!("quittance_steps_total").increment(1);
    counter!("quittance_step_commands_total").increment(count as u64);
}

/// One request to a gateway and what came of it, by the kind of fact: codes of declines are not bounded.
pub(crate) fn asked(gateway: &str, kind: &'static str, fact: &Fact) {
    let word = match fact {
        Fact::Seen(_) | Fact::SeenDispute(_) => "seen",
        Fact::Absent if matches!(kind, "find" | "probe" | "sweep") => "page",
        Fact::Absent => "absent",
        Fact::Declined { .. } => "declined",
        Fact::Refused { .. } => "refused",
        Fact::Unauthorised => "unauthorised",
        Fact::Throttled { .. } => "throttled",
        Fact::InUse => "in_use",
        Fact::KeyMismatch => "key_mismatch",
        Fact::NotSent => "not_sent",
        Fact::Lost(loss) => loss.name(),
    };
    counter!("quittance_gateway_requests_total", "gateway" => gateway.to_owned(), "kind" => kind, "fact" => word)
        .increment(1);
}

/// A webhook delivery, by what became of it: `accepted`, `duplicate`, or the reason it was refused.
pub(crate) fn webhook(endpoint: &str, gateway: &str, result: &'static str) {
    webhooks(endpoint, gateway, result, 1);
}

/// That webhooks may come to an endpoint: that none did is then a number, too.
pub(crate) fn expects_webhooks(endpoint: &str, gateway: &str) {
    webhooks(endpoint, gateway, "accepted", 0);
}

fn webhooks(endpoint: &str, gateway: &str, result: &'static str, count: u64) {
    let labels = [("endpoint", endpoint.to_owned()), ("gateway", gateway.to_owned()), ("result", result.to_owned())];
    counter!("quittance_webhooks_total", &labels).increment(count);
}

/// An event that was sent to an endpoint: `delivered`, `refused`, or `unreachable` where no answer came.
pub(crate) fn event_sent(result: &'static str) {
    counter!("quittance_event_deliveries_total", "result" => result).increment(1);
}

/// How long the oldest event has been due that may be sent, and how many are under way.
pub(crate) fn events_due(age: Duration, in_flight: usize) {
    gauge!("quittance_event_deliveries_due_age_seconds").set(age.as_secs_f64());
    gauge!("quittance_event_deliveries_in_flight").set(in_flight as f64);
}

/// A sweep that ended: `complete`, `interrupted`, or `stuck` where the list leads back to itself; `set_back` is one that
/// began with a cursor ahead of the clock, `gap` one whose log does not reach back to the last.
pub(crate) fn swept(gateway: &str, sweep: &'static str, result: &'static str) {
    counter!("quittance_sweeps_total", "gateway" => gateway.to_owned(), "sweep" => sweep, "result" => result)
        .increment(1);
}

/// An event that was found in the gateway's log, and that no webhook had brought.
pub(crate) fn event_swept(gateway: &str) {
    counter!("quittance_events_swept_total", "gateway" => gateway.to_owned()).increment(1);
}

/// An event that the gateway's log listed and that no webhook brought in time, by its type.
pub(crate) fn webhook_missed(gateway: &str, kind: &str) {
    let labels = [("gateway", gateway.to_owned()), ("type", kind.to_owned())];
    counter!("quittance_webhook_missed_total", &labels).increment(1);
}

/// Events in a row that no webhook brought, where they are a silence, and whether the gateway says that it sends nothing.
pub(crate) fn webhooks_silent(gateway: &str, count: u64, is_down: bool) {
    let down: f64 = if is_down { 1.0 } else { 0.0 };
    gauge!("quittance_webhook_silent_events", "gateway" => gateway.to_owned()).set(count as f64);
    gauge!("quittance_webhook_endpoint_down", "gateway" => gateway.to_owned()).set(down);
}

/// Discrepancies that are open, and the age of the oldest.
pub(crate) fn discrepancies(open: usize, age: Duration) {
    gauge!("quittance_discrepancies_open").set(open as f64);
    gauge!("quittance_discrepancies_oldest_age_seconds").set(age.as_secs_f64());
}

/// Whether operations of a gateway (`payments`, `refunds`, `reads`) are held back because it does not answer them.
pub(crate) fn breaker(gateway: &str, operations: &'static str, is_open: bool) {
    let open: f64 = if is_open { 1.0 } else { 0.0 };
    gauge!("quittance_gateway_breaker_open", "gateway" => gateway.to_owned(), "operations" => operations).set(open);
}

/// How long the oldest effect of a gateway has been due, and how long the oldest outcome has been unknown; 0 for none.
pub(crate) fn backlog(gateway: &str, backlog: Backlog, now: Timestamp) {
    let age = |since: Option<Timestamp>| Duration::from_millis(since.map_or(0, |since| now.ms_since(since)));
    let gateway = gateway.to_owned();
    gauge!("quittance_gateway_due_age_seconds", "gateway" => gateway.clone()).set(age(backlog.due_since).as_secs_f64());
    gauge!("quittance_gateway_unknown_age_seconds", "gateway" => gateway).set(age(backlog.unknown_since).as_secs_f64());
}

/// How many sends may be repeated now.
pub(crate) fn retries_left(gateway: &str, count: usize) {
    gauge!("quittance_gateway_retries_left", "gateway" => gateway.to_owned()).set(count as f64);
}

pub(crate) fn unauthorised(gateway: &str, is_unauthorised: bool) {
    let value: f64 = if is_unauthorised { 1.0 } else { 0.0 };
    gauge!("quittance_gateway_unauthorised", "gateway" => gateway.to_owned()).set(value);
}

/// A connection that was closed before it was heard, by why: `address` (too many from there) or `handshake`.
pub(crate) fn connection_refused(reason: &'static str) {
    counter!("quittance_connections_refused_total", "reason" => reason).increment(1);
}

/// Whether the certificate on the disk cannot be used, so that an older one still is.
pub(crate) fn certificate_unusable(is_so: bool) {
    let value: f64 = if is_so { 1.0 } else { 0.0 };
    gauge!("quittance_certificate_unusable").set(value);
}

/// Whether the database may lose what it acknowledges, by the stable word of how.
pub(crate) fn database_risk(code: &'static str, is_there: bool) {
    let value: f64 = if is_there { 1.0 } else { 0.0 };
    gauge!("quittance_database_risk", "code" => code).set(value);
}

pub(crate) fn paused(gateway: &str, is_paused: bool) {
    let value: f64 = if is_paused { 1.0 } else { 0.0 };
    gauge!("quittance_paused", "gateway" => gateway.to_owned()).set(value);
}

/// Whether a gateway is only read, and nothing sent to it, since records were lost.
pub(crate) fn recovering(gateway: &str, is_recovering: bool) {
    let value: f64 = if is_recovering { 1.0 } else { 0.0 };
    gauge!("quittance_recovering", "gateway" => gateway.to_owned()).set(value);
}

pub(crate) fn gateway_in_flight(gateway: &str, count: usize) {
    gauge!("quittance_gateway_in_flight_requests", "gateway" => gateway.to_owned()).set(count as f64);
}

/// Disputes that wait for evidence: how many, how many of them for less than the warning, and how long the next deadline
/// is away; none waits where that is unknown.
pub(crate) fn disputes(waiting: usize, urgent: usize, nearest_s: Option<i64>) {
    gauge!("quittance_disputes_waiting_for_evidence").set(waiting as f64);
    gauge!("quittance_disputes_urgent").set(urgent as f64);
    let nearest = nearest_s.map_or(f64::INFINITY, |seconds| seconds as f64);
    gauge!("quittance_dispute_nearest_deadline_seconds").set(nearest);
}

pub(crate) fn queue(depth: usize, age_ms: u64) {
    gauge!("quittance_queue_commands").set(depth as f64);
    gauge!("quittance_queue_age_seconds").set(Duration::from_millis(age_ms).as_secs_f64());
}

pub(crate) fn waiting(count: usize) {
    gauge!("quittance_waiting_requests").set(count as f64);
}
