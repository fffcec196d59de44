//! What ends a session, whose mistake it is, and what would be right.

use crate::config::ConfigErrors;
use crate::diff::DiffError;
use crate::reconcile::WriteError;
use crate::systems::{Blame, SystemError};
use quittance_store::store::StoreError;
use std::error::Error;

/// Whose mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Of whoever asked, or of the configuration: it names what is not there, or what cannot be done.
    Asked,
    /// Of a system that cannot be reached, or answers what makes no sense.
    Outside,
    /// Of a replica that is too far behind.
    Lagging,
    /// Of this program, or of the machine that it runs on.
    Inside,
    /// Nobody's: somebody paused the pair, or somebody else works on it.
    Stopped,
}

/// What ended a session. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Something that is said as it is.
    #[error("{what}")]
    Told {
        /// Whose mistake.
        fault: Fault,
        /// What was wrong, and where.
        what: String,
        /// What would be right; empty where nobody can say.
        remedy: String,
        /// Whether a system refuses our credential.
        is_unauthorised: bool,
        /// What caused it.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// What is kept of runs and repairs, or of events, cannot be read or written.
    #[error("{what}")]
    Store {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: StoreError,
    },
    /// A system's secret is not where the configuration says.
    #[error("the system's secret cannot be read")]
    Secret(#[source] ConfigErrors),
}

impl SessionError {
    /// Whose mistake it is, where that is known.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        match self {
            Self::Told { fault, .. } => Some(*fault),
            Self::Store { .. } => None,
            Self::Secret(_) => Some(Fault::Asked),
        }
    }

    /// Whether a system refuses our credential.
    #[must_use]
    pub const fn is_unauthorised(&self) -> bool {
        matches!(self, Self::Told { is_unauthorised: true, .. })
    }

    /// All of it in one line: what was wrong, and what caused that.
    #[must_use]
    pub fn whole(&self) -> String {
        let (mut text, mut next) = (self.to_string(), self.source());
        while let Some(cause) = next {
            text.push_str(&format!(": {cause}"));
            next = cause.source();
        }
        text
    }

    /// A mistake of whoever asked.
    pub(super) fn asked(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Told {
            fault: Fault::Asked,
            what: what.into(),
            remedy: remedy.into(),
            is_unauthorised: false,
            source: None,
        }
    }

    /// Something outside is in use.
    pub(super) fn outside(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Told {
            fault: Fault::Outside,
            what: what.into(),
            remedy: remedy.into(),
            is_unauthorised: false,
            source: None,
        }
    }

    /// It was to stop, or not to begin.
    pub(super) fn stopped(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Told {
            fault: Fault::Stopped,
            what: what.into(),
            remedy: remedy.into(),
            is_unauthorised: false,
            source: None,
        }
    }

    /// What a system could not do.
    pub fn system(system: &str, error: SystemError) -> Self {
        let fault = match error.blame {
            Blame::Configuration => Fault::Asked,
            Blame::Outside if error.is_lagging() => Fault::Lagging,
            Blame::Outside => Fault::Outside,
        };
        let (what, remedy) = (format!("system `{system}`: {error}"), error.remedy.clone());
        let is_unauthorised = error.is_unauthorised();
        Self::Told { fault, what, remedy, is_unauthorised, source: error.into_source() }
    }

    /// What is kept could not be used.
    pub(super) const fn store(what: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { what, source }
    }
}

impl From<DiffError> for SessionError {
    fn from(error: DiffError) -> Self {
        match error {
            DiffError::System { system, source } => Self::system(&system, source),
            DiffError::Pair { pair, what, remedy } => Self::asked(format!("pair `{pair}`: {what}"), remedy),
            DiffError::Spool(source) => Self::Told {
                fault: Fault::Inside,
                what: "a temporary file cannot be used".to_owned(),
                remedy: "make room where temporary files lie (TMPDIR), or compare fewer columns".to_owned(),
                is_unauthorised: false,
                source: Some(source.into()),
            },
        }
    }
}

impl From<WriteError> for SessionError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::System { system, source } => Self::system(&system, source),
            WriteError::Stopped(why) => {
                Self::stopped(why.to_string(), "what was not written is decided anew by the next run")
            }
            WriteError::Store(source) => Self::Told {
                fault: Fault::Inside,
                what: "what came of the repairs cannot be kept".to_owned(),
                remedy: "run the same command again: it finishes what was begun".to_owned(),
                is_unauthorised: false,
                source: Some(source.into()),
            },
        }
    }
}
