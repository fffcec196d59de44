//! Alerts: what operators are told of, when, and how often.
//!
//! Whoever judges something says what is wrong with it at this moment ([`Alarm`]), again and again; what is not said any more
//! is over. An [`Alert`] is what is kept of that: one for each subject and kind, and what each channel was told of it. From
//! these, [`Rules`] and [`Silence`]s follows what a channel is told next ([`due`]).
//!
//! Owns no channel, no wording for one of them, and no clock.

mod message;
mod rules;
mod silence;
mod state;
#[cfg(test)]
mod tests;

pub use message::{LINES_MAX, Line, Message, gather};
pub use rules::{CALM_MS_MAX, Cause, Rules, due, lose, tell};
pub use silence::{EVERYTHING, REASON_BYTES_MAX, SILENCE_MS_MAX, Silence};
pub use state::{Alert, RELAPSE_MS, Standing, Told, WHAT_BYTES_MAX, observe, subject_of};

use crate::currency::Currency;
use crate::time::Timestamp;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two systems disagree.
    Drift,
    /// Something that happens all the time has not happened for too long.
    Silence,
    /// Every record disagrees in the same way, or none is there any more: the comparison itself is suspect.
    Canary,
    /// A system shows its records in another shape than before.
    Shape,
    /// A brake was pulled: something is held back until a person looks.
    Brake,
    /// Repairs wait for a person.
    Approval,
    /// A system refuses our credentials.
    Unauthorised,
    /// A pair cannot be compared, or a gateway does not answer.
    Failing,
    /// A channel of alerts takes no messages.
    Channel,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Drift,
        Self::Silence,
        Self::Canary,
        Self::Shape,
        Self::Brake,
        Self::Approval,
        Self::Unauthorised,
        Self::Failing,
        Self::Channel,
    ];

    /// The word in configurations, at rest and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Silence => "silence",
            Self::Canary => "canary",
            Self::Shape => "shape",
            Self::Brake => "brake",
            Self::Approval => "approval",
            Self::Unauthorised => "unauthorised",
            Self::Failing => "failing",
            Self::Channel => "channel",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look today.
    Warning,
    /// Somebody should look now.
    Critical,
}

impl Severity {
    /// All of them, from the least.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The word in configurations, at rest and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The severity of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == word)
    }
}

/// Something that is wrong at this moment, as whoever judges it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What it is about.
    pub kind: Kind,
    /// The pair by its name, a gateway or a channel ([`gateway_subject`], [`channel_subject`]).
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence without a full stop.
    pub what: String,
    /// How many records, repairs or attempts are affected.
    pub count: u64,
    /// What is at stake, minor units.
    pub amounts: Vec<(Currency, i64)>,
    /// Since when, as far as is known.
    pub since: Timestamp,
    /// Where more is to be seen.
    pub link: Option<String>,
}

/// The subject of alerts about a gateway: as it is configured, so that no pair has the same.
#[must_use]
pub fn gateway_subject(name: &str) -> String {
    format!("gateways.{name}")
}

/// The subject of alerts about a channel.
#[must_use]
pub fn channel_subject(name: &str) -> String {
    format!("alerts.{name}")
}
