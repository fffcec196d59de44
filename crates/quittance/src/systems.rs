//! Systems and pairs as commands find them: by name in the configuration, opened, and what their failures mean.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use quittance_server::config::{Config, Pair};
use quittance_server::reconcile::session::{self, SessionError};
use quittance_server::systems::{Blame, System, SystemError};

/// A configured pair.
pub(crate) fn pair<'c>(config: &'c Config, name: &str) -> Result<&'c Pair, SessionError> {
    session::pair(config, name)
}

/// Opens a configured system.
pub(crate) fn opened(config: &Config, name: &str, global: &Global) -> anyhow::Result<Box<dyn System>> {
    Ok(session::system(config, name, &global.data()?)?)
}

/// What a system could not do, with the exit code it has and the remedy it names.
pub(crate) fn failure(system: &str, error: SystemError) -> Failure {
    let what = format!("system `{system}`: {error}");
    failed(what, error)
}

/// The same, where the error itself says which of several systems it is about.
pub(crate) fn failed(what: String, error: SystemError) -> Failure {
    let exit = match error.blame {
        Blame::Configuration => Exit::Usage,
        Blame::Outside => Exit::Unreachable,
    };
    let failure = Failure::new(exit, what, error.remedy.clone());
    match error.into_source() {
        Some(source) => failure.because(source),
        None => failure,
    }
}
