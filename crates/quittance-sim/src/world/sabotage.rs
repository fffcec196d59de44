//! What a test breaks on purpose, to see that the auditor notices. No world of a plan does any of it.

use super::World;
use crate::store::look;

/// The secret with which forged webhooks are signed.
pub(super) const GUESSED_SECRET: &str = "whsec_guessed";

impl World {
    /// Every endpoint takes webhooks that are signed with a secret which somebody guessed.
    #[must_use]
    pub fn with_guessed_secret(mut self) -> Self {
        self.ways.iter_mut().for_each(|way| way.secrets.push(GUESSED_SECRET.to_owned()));
        self
    }

    /// The auditor knows of a limit that the engine does not have.
    #[must_use]
    pub const fn with_limit(mut self, parked_above: i64) -> Self {
        self.auditor.parked_above = Some(parked_above);
        self
    }

    /// The store takes what a process writes after the next one has opened it.
    #[must_use]
    pub fn with_old_writers(self) -> Self {
        look(&self.disk).takes_old_writers = true;
        self
    }
}
