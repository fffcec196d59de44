//! Alerts, channels and silences as clients and operators see them.

use super::book::Book;
use crate::config::Config;
use crate::render::time;
use quittance_core::alert::{Alert, Kind, Silence, Standing};
use quittance_core::time::Timestamp;
use quittance_store::records::{Notice, NoticeState};
use serde::Serialize;
use serde_json::{Value, json};

/// An alert.
#[must_use]
pub fn alert_view(alert: &Alert, book: &Book, now: Timestamp) -> Value {
    let amounts: Vec<Value> =
        alert.amounts.iter().map(|(currency, sum)| json!({"currency": currency.code(), "amount": sum})).collect();
    let told: Vec<Value> = alert
        .told
        .iter()
        .map(|(channel, told)| {
            let state = if told.is_firing { "firing" } else { "resolved" };
            json!({"channel": channel, "state": state, "at": time(told.at)})
        })
        .collect();
    json!({
        "object": "alert",
        "subject": alert.subject,
        "kind": alert.kind.name(),
        "status": if alert.standing == Standing::Open { "open" } else { "closed" },
        "severity": alert.severity.name(),
        "what": alert.what,
        "count": alert.count,
        "amounts": amounts,
        "since": time(alert.since),
        "changed_at": time(alert.turned_at),
        "observed_at": time(alert.observed_at),
        "silenced": book.silences.iter().any(|silence| silence.covers(alert, now)),
        "told": told,
        "link": alert.link,
    })
}

/// A silence.
#[must_use]
pub fn silence_view(silence: &Silence, now: Timestamp) -> Value {
    json!({
        "id": silence.id.to_string(),
        "object": "silence",
        "subject": silence.subject,
        "kind": silence.kind.map(Kind::name),
        "status": if silence.is_in_force(now) { "in_force" } else { "ended" },
        "from": time(silence.from),
        "until": time(silence.until),
        "reason": silence.reason,
        "by": silence.by,
    })
}

/// A channel, and how it fares.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelView {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Since when it has taken no messages.
    pub failing_since: Option<String>,
    /// Why it did not take the newest one.
    pub error: Option<String>,
    /// Messages that wait to be sent.
    pub waiting: u32,
    /// Messages it took.
    pub sent: i64,
    /// Messages that were given up.
    pub given_up: i64,
}

/// The channels of a configuration.
#[must_use]
pub fn channel_views(config: &Config, book: &Book) -> Vec<ChannelView> {
    let view = |(name, channel): (&String, &crate::config::Channel)| {
        let (head, newest) = (book.channel(name), book.newest.get(name));
        let is_waiting = |notice: &&Notice| notice.state == NoticeState::Waiting;
        ChannelView {
            name: name.clone(),
            kind: channel.way.kind(),
            failing_since: head.failing_since.map(time),
            error: newest.and_then(|notice| notice.error.clone()),
            waiting: newest.filter(is_waiting).map_or(0, |_| 1),
            sent: head.sent,
            given_up: head.given_up,
        }
    };
    config.alerts.iter().map(view).collect()
}
