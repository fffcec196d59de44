//! What is kept of an alert, and how an observation changes it.

use super::{Alarm, Kind, Severity};
use crate::currency::Currency;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Bytes of a subject.
const SUBJECT_BYTES_MAX: usize = 200;

/// Bytes of what is wrong, and of a link.
pub const WHAT_BYTES_MAX: usize = 500;

/// Currencies of what is at stake; there are not many more.
const CURRENCIES_MAX: usize = 200;

/// What fires again within this time of being over flaps.
pub const RELAPSE_MS: u64 = 3_600_000;

/// Relapses are counted up to here; more makes no difference.
const RELAPSES_MAX: u32 = 8;

/// An alert that is unchanged is written again after this, so that one can see that it is still looked at.
const OBSERVED_MS: u64 = 60_000;

/// How far a time may lie ahead of the clock before it is taken for one of another clock.
const AHEAD_MS_MAX: u64 = 60_000;

/// Whether something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Open,
    /// It is not any more.
    Over,
}

impl Standing {
    const ALL: [Self; 2] = [Self::Open, Self::Over];

    /// The word at rest and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Over => "over",
        }
    }

    /// The standing of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.name() == word)
    }
}

/// What is wrong with one subject in one way, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The pair, gateway or channel.
    pub subject: String,
    /// What it is about.
    pub kind: Kind,
    /// Whether it still is wrong.
    pub standing: Standing,
    /// When it became what `standing` says, as it was observed.
    pub turned_at: Timestamp,
    /// When it was last observed.
    pub observed_at: Timestamp,
    /// Since when it has been wrong, as whoever judged it said.
    pub since: Timestamp,
    /// How bad it is; as it last was, when it is over. So are all that follow.
    pub severity: Severity,
    /// How many are affected.
    pub count: u64,
    /// What is at stake, minor units, each currency once and in order.
    pub amounts: Vec<(Currency, i64)>,
    /// What is wrong.
    pub what: String,
    /// Where more is to be seen.
    pub link: Option<String>,
    /// How often it fired again soon after it was over.
    pub relapses: u32,
    /// What each channel was last told, by its name.
    pub told: BTreeMap<String, Told>,
}

/// What a channel was last told of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When the message was written down.
    pub at: Timestamp,
    /// Whether it said that something is wrong; else that it is over.
    pub is_firing: bool,
    /// Whether a message about it was lost: what is wrong is told again, and what is over, too.
    pub is_lost: bool,
    /// The number of the message.
    pub message: i64,
    /// How bad it was then.
    pub severity: Severity,
    /// How many were affected then.
    pub count: u64,
    /// What was at stake then.
    pub amounts: Vec<(Currency, i64)>,
}

impl Alert {
    /// Whether a time in it lies ahead of the clock, which was set back then.
    #[must_use]
    pub fn lies_ahead(&self, now: Timestamp) -> bool {
        let latest = now.plus_ms(AHEAD_MS_MAX);
        self.turned_at > latest || self.told.values().any(|told| told.at > latest)
    }

    /// The same with nothing ahead of the clock: what is waited for is waited for anew, and no longer than it would have been.
    #[must_use]
    pub fn held_back(mut self, now: Timestamp) -> Self {
        if self.lies_ahead(now) {
            self.turned_at = self.turned_at.min(now);
            self.observed_at = self.observed_at.min(now);
            self.told.values_mut().for_each(|told| told.at = told.at.min(now));
        }
        self
    }
}

/// A subject as it is kept: on one line, and of bounded length.
#[must_use]
pub fn subject_of(subject: &str) -> String {
    tidy(subject, SUBJECT_BYTES_MAX)
}

/// What is to be kept after an observation: of something that fires, or that does not. None where that is what is kept
/// already.
#[must_use]
pub fn observe(
    subject: &str,
    kind: Kind,
    before: Option<&Alert>,
    firing: Option<&Alarm>,
    now: Timestamp,
) -> Option<Alert> {
    let held = before.cloned().map(|before| before.held_back(now));
    let after = match (held, firing) {
        (None, None) => None,
        (None, Some(alarm)) => Some(filled(new(subject, kind, alarm.severity, now), alarm)),
        (Some(before), None) if before.standing == Standing::Over => Some(before),
        (Some(before), None) => Some(Alert { standing: Standing::Over, turned_at: now, observed_at: now, ..before }),
        (Some(before), Some(alarm)) if before.standing == Standing::Over => {
            let is_relapse = now.ms_since(before.turned_at) < RELAPSE_MS;
            let relapses = if is_relapse { (before.relapses + 1).min(RELAPSES_MAX) } else { 0 };
            let opened = Alert { standing: Standing::Open, turned_at: now, observed_at: now, relapses, ..before };
            Some(filled(opened, alarm))
        }
        (Some(before), Some(alarm)) => {
            let observed_at = before.observed_at;
            let same = filled(before.clone(), alarm);
            let is_news = same != before || now.ms_since(observed_at) >= OBSERVED_MS;
            Some(if is_news { Alert { observed_at: now, ..same } } else { same })
        }
    };
    after.filter(|after| before != Some(after))
}

fn new(subject: &str, kind: Kind, severity: Severity, now: Timestamp) -> Alert {
    Alert {
        subject: subject_of(subject),
        kind,
        standing: Standing::Open,
        turned_at: now,
        observed_at: now,
        since: now,
        severity,
        count: 0,
        amounts: Vec::new(),
        what: String::new(),
        link: None,
        relapses: 0,
        told: BTreeMap::new(),
    }
}

fn filled(alert: Alert, alarm: &Alarm) -> Alert {
    let mut amounts: Vec<(Currency, i64)> = Vec::new();
    for (currency, amount) in &alarm.amounts {
        match amounts.iter_mut().find(|(known, _)| known == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(*amount),
            None => amounts.push((*currency, *amount)),
        }
    }
    amounts.sort_by_key(|(currency, _)| currency.code());
    amounts.truncate(CURRENCIES_MAX);
    Alert {
        since: alarm.since,
        severity: alarm.severity,
        // What no integer at rest can hold is as good as that.
        count: alarm.count.min(i64::MAX.unsigned_abs()),
        amounts,
        what: tidy(&alarm.what, WHAT_BYTES_MAX),
        link: alarm.link.as_ref().map(|link| tidy(link, WHAT_BYTES_MAX)),
        ..alert
    }
}

/// A text on one line and of bounded length, whatever a system has said: control characters become spaces, and so do those
/// that turn the direction of what follows.
fn tidy(text: &str, bytes_max: usize) -> String {
    let is_hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut tidy: String = text.chars().take(bytes_max + 1).map(|c| if is_hostile(c) { ' ' } else { c }).collect();
    if tidy.len() > bytes_max {
        tidy.truncate(tidy.floor_char_boundary(bytes_max - '…'.len_utf8()));
        tidy.push('…');
    }
    tidy
}
