//! Systems and pairs as commands find them: by name in the configuration, opened, and what their failures mean.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use anyhow::Context;
use quittance_server::config::{Config, ConfigErrors, Pair};
use quittance_server::systems::write::{WriteOptions, Writer};
use quittance_server::systems::{Blame, System, SystemError, open};
use quittance_store::records::RepairPlan;
use std::collections::BTreeMap;

/// A configured pair.
pub(crate) fn pair<'c>(config: &'c Config, name: &str) -> Result<&'c Pair, Failure> {
    configured(config, &config.pairs, "pair", name)
}

/// Opens a configured system.
pub(crate) fn opened(config: &Config, name: &str, global: &Global) -> anyhow::Result<Box<dyn System>> {
    let system = configured(config, &config.systems, "system", name)?;
    let secret = config.system_secret(system).context("the system's secret cannot be read")?;
    open::open(name, system, secret, &global.data()?).map_err(|source| failure(name, source).into())
}

/// Opens what writes the side of a pair that a plan names, in the way that side is configured.
pub(crate) fn writer(config: &Config, pair: &str, plan: &RepairPlan) -> Result<Box<dyn Writer>, SystemError> {
    let unknown = || {
        let what = format!("there is no system `{}` any more", plan.system);
        SystemError::configuration(what, format!("describe it under [systems.{}]", plan.system))
    };
    let system = config.systems.get(&plan.system).ok_or_else(unknown)?;
    let side = config.pairs.get(pair).map(|pair| if plan.side == "left" { &pair.left } else { &pair.right });
    let options = side.filter(|side| side.system == plan.system && side.object == plan.object).map(WriteOptions::of);
    let unset = |error: ConfigErrors| {
        SystemError::configuration(error.to_string(), "set the variable, or write the file, that write_url refers to")
    };
    let secret = config.write_secret(system).map_err(unset)?;
    open::writer(&plan.system, system, secret.as_ref(), options.unwrap_or_default())
}

fn configured<'c, T>(
    config: &Config,
    known: &'c BTreeMap<String, T>,
    what: &str,
    name: &str,
) -> Result<&'c T, Failure> {
    known.get(name).ok_or_else(|| {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        let file = config.file.as_ref().map_or("no configuration".into(), |file| file.display().to_string());
        let remedy = match names.as_slice() {
            [] => format!("describe it under [{what}s.NAME], or have `quittance init` propose it"),
            names => format!("known are {}", names.join(", ")),
        };
        Failure::new(Exit::Usage, format!("there is no {what} `{name}` in {file}"), remedy)
    })
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
