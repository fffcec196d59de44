//! When a channel is told what.

use super::{Alert, Kind, Severity, Standing, Told};
use crate::time::Timestamp;

/// The longest time for which something has to be over before that is told, unless the least time between two messages is
/// longer.
pub const CALM_MS_MAX: u64 = 3_600_000;

/// What one channel wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The channel.
    pub channel: String,
    /// The kinds it is told of.
    pub kinds: Vec<Kind>,
    /// Nothing less severe.
    pub severity_min: Severity,
    /// Only of these; of all where there are none.
    pub subjects: Vec<String>,
    /// How long something has to be wrong before it is told, milliseconds.
    pub delay_ms: u64,
    /// How long until it is told again while it is wrong, milliseconds; never where there is none.
    pub repeat_ms: Option<u64>,
    /// The least time between two messages about the same, milliseconds.
    pub gap_ms: u64,
}

impl Rules {
    /// Whether an alert is one of those this channel is told of. A channel is never told of itself.
    #[must_use]
    pub fn take(&self, alert: &Alert) -> bool {
        let is_itself = alert.kind == Kind::Channel && alert.subject == super::channel_subject(&self.channel);
        let is_named = self.subjects.is_empty() || self.subjects.contains(&alert.subject);
        !is_itself && is_named && alert.severity >= self.severity_min && self.kinds.contains(&alert.kind)
    }

    /// How long something has to be over before that is told: what relapses is believed later and later.
    #[must_use]
    pub fn calm_ms(&self, relapses: u32) -> u64 {
        let doubled = self.gap_ms.saturating_mul(1 << relapses.min(32));
        doubled.min(CALM_MS_MAX).max(self.gap_ms)
    }
}

/// Why a channel is told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// It began.
    Fires,
    /// It became worse: twice as many, twice as much, or more severe.
    Worsened,
    /// It has been going on for long.
    StillFires,
    /// It is over.
    Resolved,
}

impl Cause {
    const ALL: [Self; 4] = [Self::Fires, Self::Worsened, Self::StillFires, Self::Resolved];

    /// The word at rest and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fires => "firing",
            Self::Worsened => "worsened",
            Self::StillFires => "still_firing",
            Self::Resolved => "resolved",
        }
    }

    /// The cause of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == word)
    }
}

/// What a channel is to be told of an alert now, if anything.
///
/// A message never follows another one about the same within `gap_ms`. What is over is told only to whom it was told that
/// it is wrong, also under a silence, and once it has been over for [`Rules::calm_ms`].
#[must_use]
pub fn due(alert: &Alert, rules: &Rules, is_silenced: bool, now: Timestamp) -> Option<Cause> {
    let told = alert.told.get(&rules.channel);
    let passed_ms = told.map_or(u64::MAX, |told| now.ms_since(told.at));
    if passed_ms < rules.gap_ms {
        return None;
    }
    let lasted_ms = now.ms_since(alert.turned_at);
    match (alert.standing, told.filter(|told| told.is_firing)) {
        (Standing::Over, Some(_)) => (lasted_ms >= rules.calm_ms(alert.relapses)).then_some(Cause::Resolved),
        (Standing::Over, None) => None,
        (Standing::Open, _) if is_silenced || !rules.take(alert) => None,
        (Standing::Open, None) => (lasted_ms >= rules.delay_ms).then_some(Cause::Fires),
        (Standing::Open, Some(told)) if is_worse(alert, told) => Some(Cause::Worsened),
        (Standing::Open, Some(told)) if told.is_lost => Some(Cause::StillFires),
        (Standing::Open, Some(_)) => {
            rules.repeat_ms.filter(|repeat_ms| passed_ms >= *repeat_ms).map(|_| Cause::StillFires)
        }
    }
}

/// Notes that a channel is told of an alert in a message.
pub fn tell(alert: &mut Alert, channel: &str, cause: Cause, message: i64, now: Timestamp) {
    let told = Told {
        at: now,
        is_firing: cause != Cause::Resolved,
        is_lost: false,
        message,
        severity: alert.severity,
        count: alert.count,
        amounts: alert.amounts.clone(),
    };
    alert.told.insert(channel.to_owned(), told);
}

/// Notes that a channel did not take a message: what it said is due again, whether it is wrong or over. Says whether the
/// alert was one of it.
pub fn lose(alert: &mut Alert, channel: &str, message: i64) -> bool {
    match alert.told.get_mut(channel).filter(|told| told.message == message) {
        Some(told) => {
            (told.is_firing, told.is_lost) = (true, true);
            true
        }
        None => false,
    }
}

fn is_worse(alert: &Alert, told: &Told) -> bool {
    let is_doubled = alert.count > 0 && alert.count >= told.count.saturating_mul(2);
    let before = |code: &str| told.amounts.iter().find(|(known, _)| known.code() == code).map_or(0, |(_, sum)| *sum);
    let is_dearer = alert.amounts.iter().any(|(currency, sum)| {
        let (now, before) = (sum.unsigned_abs(), before(currency.code()).unsigned_abs());
        now > 0 && now >= before.saturating_mul(2)
    });
    is_doubled || is_dearer || alert.severity > told.severity
}
