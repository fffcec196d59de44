//! Secrets of webhook endpoints, and how far each is trusted while one takes over from another.

use super::errors::Mistakes;
use super::secrets::{SecretRef, reference};
use super::section::{Element, Section};
use quittance_core::time::Timestamp;
use std::fmt;

/// How long a retiring secret is accepted: Stripe signs with the old one for up to 24 h after it was rolled.
const RETIRING_MS: u64 = 25 * 3_600_000;

/// One secret of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSecret {
    /// Where it is.
    pub reference: SecretRef,
    /// How far it is trusted.
    pub state: SecretState,
}

/// How far a secret is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// It will take over; what it signs is accepted already.
    Next,
    /// In use.
    Active,
    /// Another one has taken over at this time; accepted for 25 h after it.
    Retiring {
        /// When.
        since: Timestamp,
    },
    /// Known to others: never accepted, and not even looked up.
    Revoked,
}

impl WebhookSecret {
    /// Whether what it signs is accepted at this time.
    #[must_use]
    pub fn is_accepted(&self, now: Timestamp) -> bool {
        match self.state {
            SecretState::Next | SecretState::Active => true,
            SecretState::Retiring { since } => now <= since.plus_ms(RETIRING_MS),
            SecretState::Revoked => false,
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn explanation(&self) -> String {
        match self.state {
            SecretState::Next => format!("{self}: next, accepted already"),
            SecretState::Active => format!("{self}: active"),
            SecretState::Retiring { since } => {
                format!("{self}: retiring, accepted until {}", shown(since.plus_ms(RETIRING_MS)))
            }
            SecretState::Revoked => format!("{self}: revoked, never accepted"),
        }
    }
}

/// The reference, never the value.
impl fmt::Display for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference.fmt(f)
    }
}

fn shown(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |time| time.to_string())
}

/// Reads one entry: a reference alone, or a table that says more.
pub(super) fn parse(element: &Element<'_>, setting: &str, mistakes: &mut Mistakes) -> Option<WebhookSecret> {
    match element {
        Element::Text(found) => {
            Some(WebhookSecret { reference: reference(found, setting, mistakes)?, state: SecretState::Active })
        }
        Element::Table(section) => {
            section.refuse_unknown(&["secret", "state", "since"], mistakes);
            let Some(found) = section.text("secret", mistakes) else {
                if !section.has("secret") {
                    let remedy = "write { secret = \"env:NAME\", state = \"active\" }";
                    mistakes.add(section.origin(), setting, "an entry without a secret", remedy);
                }
                return None;
            };
            let reference = reference(&found, setting, mistakes);
            Some(WebhookSecret { state: state(section, setting, mistakes)?, reference: reference? })
        }
    }
}

fn state(section: &Section<'_>, setting: &str, mistakes: &mut Mistakes) -> Option<SecretState> {
    let since = section.text("since", mistakes);
    let Some(word) = section.text("state", mistakes) else { return Some(SecretState::Active) };
    match word.value.as_str() {
        "next" => Some(SecretState::Next),
        "active" => Some(SecretState::Active),
        "revoked" => Some(SecretState::Revoked),
        "retiring" => {
            let at = since.as_ref().and_then(|since| since.value.parse::<jiff::Timestamp>().ok());
            if at.is_none() {
                let origin = since.map_or(word.origin, |since| since.origin);
                let remedy = "add since = \"2026-01-31T09:30:00Z\", the time at which another one took over";
                mistakes.add(origin, setting, "a retiring secret without a time in RFC 3339", remedy);
            }
            at.map(|at| SecretState::Retiring { since: Timestamp(at.as_microsecond()) })
        }
        _ => {
            let remedy = "write \"next\", \"active\", \"retiring\" or \"revoked\"";
            mistakes.add(word.origin, setting, "not a state of a secret", remedy);
            None
        }
    }
}
