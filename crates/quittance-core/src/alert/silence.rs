//! Silences: what nobody wants to hear of for a while, and why.

use super::{Alert, Kind};
use crate::id::SilenceId;
use crate::time::Timestamp;

/// The subject of a silence that is about all of them.
pub const EVERYTHING: &str = "*";

/// The longest silence, milliseconds: 30 days.
pub const SILENCE_MS_MAX: u64 = 30 * 24 * 3_600_000;

/// Bytes of a reason.
pub const REASON_BYTES_MAX: usize = 500;

/// One silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its id.
    pub id: SilenceId,
    /// The pair, gateway or channel, or [`EVERYTHING`].
    pub subject: String,
    /// Only this kind; every one where there is none.
    pub kind: Option<Kind>,
    /// When it began.
    pub from: Timestamp,
    /// When it ends; sooner when it was lifted.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub by: String,
}

impl Silence {
    /// Whether it is in force. One that began later than now was written under another clock, and ends no later than it
    /// would have.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        let length_ms = self.until.ms_since(self.from);
        now < self.until && now.plus_ms(length_ms) >= self.from
    }

    /// Whether an alert is not told of because of it.
    #[must_use]
    pub fn covers(&self, alert: &Alert, now: Timestamp) -> bool {
        let is_subject = self.subject == EVERYTHING || self.subject == alert.subject;
        is_subject && self.kind.is_none_or(|kind| kind == alert.kind) && self.is_in_force(now)
    }
}
