//! Why a system cannot be read: what was wrong, where, and what would be right.

use std::error::Error;
use std::fmt;

/// Whose mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The configuration's: it names what is not there or is not allowed, or compares what cannot be compared.
    Configuration,
    /// The system's: it cannot be reached, went away, or answers what makes no sense.
    Outside,
}

/// What is known of a failure beside whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    Any,
    /// A replica is too far behind.
    Lagging,
    /// The system refuses our credential.
    Unauthorised,
    /// Work was to stop.
    Stopped,
}

/// Why a system cannot be read. Never holds a secret.
#[derive(Debug)]
pub struct SystemError {
    /// Whose mistake.
    pub blame: Blame,
    /// What was wrong, and where: `table "customer_acounts" does not exist in system "app"`.
    pub what: String,
    /// What would be right; empty where nobody can say.
    pub remedy: String,
    nature: Nature,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SystemError {
    /// A mistake of the configuration.
    pub fn configuration(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            blame: Blame::Configuration,
            what: what.into(),
            remedy: remedy.into(),
            nature: Nature::Any,
            source: None,
        }
    }

    /// A failure of the system.
    pub fn outside(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { blame: Blame::Outside, what: what.into(), remedy: remedy.into(), nature: Nature::Any, source: None }
    }

    /// The same, of a replica that is too far behind.
    #[must_use]
    pub fn lagging(self) -> Self {
        Self { nature: Nature::Lagging, ..self }
    }

    /// The same, of a system that refuses our credential, or does not let it do what is to be done.
    #[must_use]
    pub fn unauthorised(self) -> Self {
        Self { nature: Nature::Unauthorised, ..self }
    }

    /// Whether all that is wrong is that a replica is too far behind: waiting helps.
    #[must_use]
    pub const fn is_lagging(&self) -> bool {
        matches!(self.nature, Nature::Lagging)
    }

    /// Whether the system refuses our credential: a person has to give it another one, or more rights.
    #[must_use]
    pub const fn is_unauthorised(&self) -> bool {
        matches!(self.nature, Nature::Unauthorised)
    }

    /// The same, of what ended because work was to stop.
    #[must_use]
    pub fn stopped(self) -> Self {
        Self { nature: Nature::Stopped, ..self }
    }

    /// Whether it ended because work was to stop: nothing is wrong with the system.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        matches!(self.nature, Nature::Stopped)
    }

    /// The same, because of `source`.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// What caused it, taken out.
    #[must_use]
    pub fn into_source(self) -> Option<Box<dyn Error + Send + Sync>> {
        self.source
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for SystemError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}
