//! What a channel is told at once.

use super::{Alert, Cause, Kind, Rules, Severity, Silence, due};
use crate::currency::Currency;
use crate::time::Timestamp;

/// Alerts of which one message tells; of those beyond it tells how many there are.
pub const LINES_MAX: usize = 20;

/// What one message says of one alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Why it is told.
    pub cause: Cause,
    /// The pair, gateway or channel.
    pub subject: String,
    /// What it is about.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// How many are affected.
    pub count: u64,
    /// What is at stake, minor units.
    pub amounts: Vec<(Currency, i64)>,
    /// Since when.
    pub since: Timestamp,
    /// Until when, where it is over.
    pub until: Option<Timestamp>,
    /// Where more is to be seen.
    pub link: Option<String>,
}

/// One message to one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was written down.
    pub at: Timestamp,
    /// What it tells of, the worst first.
    pub lines: Vec<Line>,
    /// How many more there are.
    pub more: u64,
}

impl Message {
    /// How bad the worst of what is wrong is; none where all of it is over.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.lines.iter().filter(|line| line.cause != Cause::Resolved).map(|line| line.severity).max()
    }
}

/// What a channel is to be told now: the message, and for each alert it tells of, its place among `alerts` and why. None
/// where there is nothing to be told.
#[must_use]
pub fn gather(
    alerts: &[Alert],
    rules: &Rules,
    silences: &[Silence],
    now: Timestamp,
) -> Option<(Message, Vec<(usize, Cause)>)> {
    let is_silenced = |alert: &Alert| silences.iter().any(|silence| silence.covers(alert, now));
    let mut causes: Vec<(usize, Cause)> = alerts
        .iter()
        .enumerate()
        .filter_map(|(at, alert)| due(alert, rules, is_silenced(alert), now).map(|cause| (at, cause)))
        .collect();
    causes.sort_by_key(|&(at, cause)| {
        let alert = &alerts[at];
        (cause == Cause::Resolved, std::cmp::Reverse(alert.severity), cause, &alert.subject, alert.kind)
    });
    let lines: Vec<Line> = causes.iter().take(LINES_MAX).map(|&(at, cause)| line(&alerts[at], cause)).collect();
    let more = (causes.len() - lines.len()) as u64;
    (!causes.is_empty()).then_some((Message { at: now, lines, more }, causes))
}

fn line(alert: &Alert, cause: Cause) -> Line {
    Line {
        cause,
        subject: alert.subject.clone(),
        kind: alert.kind,
        severity: alert.severity,
        what: alert.what.clone(),
        count: alert.count,
        amounts: alert.amounts.clone(),
        since: alert.since,
        until: (cause == Cause::Resolved).then_some(alert.turned_at),
        link: alert.link.clone(),
    }
}
