//! What each number is, for people: told to Prometheus with the numbers, and kept as `docs/metrics.md`.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// How a number behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows; it begins at 0 with each process.
    Counter,
    /// It is what it is now.
    Gauge,
    /// Durations, counted by how long they were.
    Histogram,
}

/// A number.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, which ends with its unit.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it is.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help }
}

/// Every number, in the order of names.
pub const METRICS: [Metric; 68] = [
    counter(
        "quittance_alert_messages_total",
        &["channel", "result"],
        "Attempts to send a message about alerts, by what came of them.",
    ),
    gauge(
        "quittance_alert_unsent_age_seconds",
        &["channel"],
        "Age of the message to a channel of alerts that is not sent yet.",
    ),
    gauge("quittance_alerts_open", &["kind"], "Alerts that are open, of all subjects."),
    counter(
        "quittance_brakes_total",
        &["tenant", "limit", "result"],
        "Requests that a limit of a tenant refused or parked.",
    ),
    gauge(
        "quittance_certificate_unusable",
        &[],
        "1 while a renewed certificate cannot be used and the older one still is.",
    ),
    counter(
        "quittance_clock_doubts_total",
        &["why"],
        "Times at which the clock was found to be no longer what it was.",
    ),
    counter(
        "quittance_commands_refused_total",
        &[],
        "Commands that were not taken because the queue was full or too old.",
    ),
    counter("quittance_commands_total", &["kind"], "Commands that were taken out of the queue."),
    counter(
        "quittance_connections_refused_total",
        &["reason"],
        "Connections that were closed before a request was read.",
    ),
    gauge("quittance_database_risk", &["code"], "1 where the database may lose what it acknowledges, by how."),
    gauge("quittance_discrepancies_oldest_age_seconds", &[], "Age of the oldest open discrepancy; 0 for none."),
    gauge("quittance_discrepancies_open", &[], "Discrepancies that are open."),
    gauge(
        "quittance_dispute_nearest_deadline_seconds",
        &[],
        "How long evidence is taken of the most urgent dispute; +Inf for none.",
    ),
    gauge("quittance_disputes_urgent", &[], "Disputes whose evidence is due soon."),
    gauge("quittance_disputes_waiting_for_evidence", &[], "Disputes that wait for evidence."),
    gauge(
        "quittance_event_deliveries_due_age_seconds",
        &[],
        "How long the oldest event that may be sent to a tenant has been due.",
    ),
    gauge("quittance_event_deliveries_in_flight", &[], "Events that are being sent to tenants."),
    counter("quittance_event_deliveries_total", &["result"], "Events that were sent to tenants, by what came of it."),
    counter(
        "quittance_events_swept_total",
        &["gateway"],
        "Events that were found in a gateway's log and that no webhook had brought.",
    ),
    gauge(
        "quittance_gateway_breaker_open",
        &["gateway", "operations"],
        "1 while operations of a gateway are held back because it does not answer them.",
    ),
    gauge("quittance_gateway_due_age_seconds", &["gateway"], "How long the oldest effect has been due; 0 for none."),
    gauge("quittance_gateway_in_flight_requests", &["gateway"], "Requests that are under way at a gateway."),
    counter(
        "quittance_gateway_requests_total",
        &["gateway", "kind", "fact"],
        "Requests to gateways, by what was learned.",
    ),
    gauge("quittance_gateway_retries_left", &["gateway"], "Sends that may be repeated now."),
    gauge("quittance_gateway_unauthorised", &["gateway"], "1 while a gateway refuses our credential."),
    gauge(
        "quittance_gateway_unknown_age_seconds",
        &["gateway"],
        "How long the oldest outcome has been unknown; 0 for none.",
    ),
    counter(
        "quittance_lessons_lost_total",
        &[],
        "Things learned about effects that could not be stored; they are read again.",
    ),
    counter("quittance_outcomes_total", &["outcome"], "What came of commands."),
    gauge("quittance_pair_bent_fields", &["pair"], "Fields of a pair that look other than before."),
    Metric {
        name: "quittance_pair_detection_seconds",
        kind: Kind::Histogram,
        labels: &["pair"],
        help: "How long after its records were last changed a difference was found.",
    },
    gauge(
        "quittance_pair_divergence_seconds",
        &["pair"],
        "How long the oldest open difference of a pair has been there; 0 for none.",
    ),
    gauge("quittance_pair_failing_seconds", &["pair"], "How long a pair could not be compared; 0 where it could."),
    gauge("quittance_pair_failures", &["pair"], "Runs of a pair in a row that failed."),
    gauge("quittance_pair_good_age_seconds", &["pair"], "How long ago a pair was compared to its end; +Inf for never."),
    gauge("quittance_pair_lease_held", &["pair"], "1 while this process runs a pair."),
    gauge(
        "quittance_pair_open_differences",
        &["pair"],
        "Differences of the last run here that are confirmed and not repaired.",
    ),
    gauge(
        "quittance_pair_overdue_seconds",
        &["pair"],
        "How long the next run of a pair has been due; 0 where it is not.",
    ),
    gauge("quittance_pair_paused", &["pair"], "1 while somebody has a pair paused."),
    counter("quittance_pair_repairs_total", &["pair", "state"], "Repairs of runs by schedule, by what became of them."),
    gauge(
        "quittance_pair_run_age_seconds",
        &["pair"],
        "How long ago the last run of a pair ended, however; +Inf for never.",
    ),
    counter("quittance_pair_runs_total", &["pair", "outcome"], "Runs by schedule that ended, by how."),
    gauge(
        "quittance_pair_silent_changes",
        &["pair"],
        "Changes of a pair that no event announced, where they are a silence; 0 for none.",
    ),
    gauge(
        "quittance_pair_silent_since_timestamp_seconds",
        &["pair"],
        "Since when events have been missing; 0 for not.",
    ),
    gauge(
        "quittance_pair_suspect_differences",
        &["pair"],
        "Differences of the last run here that were gone, or others, at the second look.",
    ),
    gauge("quittance_pair_waiting_repairs", &["pair"], "Repairs of the last run here that wait for approval."),
    gauge(
        "quittance_pair_withheld_differences",
        &["pair"],
        "Differences of the last run here that are left to a person.",
    ),
    gauge("quittance_parked_effects", &["limit"], "Effects that limits hold back until a person approves."),
    gauge("quittance_paused", &["gateway"], "1 while nothing leaves for a gateway because somebody said so."),
    gauge("quittance_queue_age_seconds", &[], "How long the oldest command has been in the queue."),
    gauge("quittance_queue_commands", &[], "Commands in the queue."),
    gauge(
        "quittance_recovering",
        &["gateway"],
        "1 while a gateway is swept, and nothing sent to it, because records were lost.",
    ),
    counter("quittance_step_commands_total", &[], "Commands that were decided, in steps of several."),
    Metric {
        name: "quittance_step_seconds",
        kind: Kind::Histogram,
        labels: &[],
        help: "How long a step took, its commit included.",
    },
    counter("quittance_steps_total", &[], "Steps of the engine: each is one transaction."),
    counter(
        "quittance_sweeps_total",
        &["gateway", "sweep", "result"],
        "Sweeps of a gateway's lists that ended, by how.",
    ),
    Metric {
        name: "quittance_truth_age_seconds",
        kind: Kind::Histogram,
        labels: &["pair"],
        help: "How old answers about what is true were when they were given.",
    },
    counter(
        "quittance_truth_answers_total",
        &["pair", "source"],
        "Questions about what is true: answered from the cache, by the provider, by something stale, or not at all (none).",
    ),
    counter(
        "quittance_truth_calls_total",
        &["pair", "result"],
        "Questions to believed systems, by what came of them; held_back where one was left alone for failing.",
    ),
    gauge("quittance_truth_entries", &[], "Answers of believed systems that are remembered."),
    counter(
        "quittance_truth_invalidations_total",
        &["pair", "why"],
        "Times that something was heard that may have changed what is remembered.",
    ),
    counter(
        "quittance_truth_redis_total",
        &["pair", "result"],
        "Looks into the Redis where answers are shared: fresh (known there), waited (for another server that asked), none (asked by this one), impatient (asked beside another one), unreadable (what lies there is not believed), away.",
    ),
    gauge("quittance_truth_redis_untold", &[], "Records about which something was heard that Redis does not know yet."),
    gauge("quittance_truth_redis_up", &[], "1 while the Redis is there in which answers are shared."),
    gauge("quittance_waiting_requests", &[], "Requests that wait for the outcome of their command."),
    gauge(
        "quittance_webhook_endpoint_down",
        &["gateway"],
        "1 while a gateway says that it has disabled our webhook endpoint, or has none.",
    ),
    counter(
        "quittance_webhook_missed_total",
        &["gateway", "type"],
        "Events that a gateway's log listed and that no webhook brought in time.",
    ),
    gauge(
        "quittance_webhook_silent_events",
        &["gateway"],
        "Events of a gateway that no webhook brought, where they are a silence; 0 for none.",
    ),
    counter(
        "quittance_webhooks_total",
        &["endpoint", "gateway", "result"],
        "Deliveries of gateways' webhooks, by what became of them.",
    ),
];

/// Tells the recorder what everything is.
pub(super) fn describe() {
    for metric in METRICS {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
}

/// The list as a page of the documentation.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Metrics\n\nWhat `GET /metrics` tells, in the text format of Prometheus; each process tells its own. Counters begin at 0 with \
         each start. A number\nwith labels is there once there is something to tell. This page is made from the program; `promtool check \
         metrics` finds nothing wrong\nwith it.\n\n| name | kind | labels | is |\n| --- | --- | --- | --- |\n",
    );
    for Metric { name, kind, labels, help } in METRICS {
        let kind = format!("{kind:?}").to_lowercase();
        page.push_str(&format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", ")));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::METRICS;
    use std::collections::BTreeSet;

    #[test]
    fn whatever_is_counted_is_described_and_nothing_else() {
        let sources = [include_str!("../metrics.rs"), include_str!("truth.rs"), include_str!("pairs.rs")];
        let counted: BTreeSet<&str> = ["counter!(\"", "gauge!(\"", "histogram!(\""]
            .iter()
            .flat_map(|macro_| sources.iter().flat_map(move |source| source.split(macro_).skip(1)))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let described: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        assert!(described.is_sorted());
        assert_eq!(counted, described.into_iter().collect());
    }
}
