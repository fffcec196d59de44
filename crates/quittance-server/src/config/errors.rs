//! Mistakes in a configuration, each with where it is and what to do about it.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A line of the file, from 1.
    Line(usize),
    /// An environment variable.
    Variable(String),
    /// Nowhere: something is missing, or the file as a whole is meant.
    File,
}

/// One mistake. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where.
    pub origin: Origin,
    /// The setting (`gateways.stripe.timeout_ms`); empty where no setting is meant.
    pub setting: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// Every mistake of a configuration; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The file, where there is one.
    pub file: Option<PathBuf>,
    /// The mistakes, in the order of their lines.
    pub mistakes: Vec<Mistake>,
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    /// One mistake a line: `quittance.toml:3: gateways.stripe.flow: "charges" is not served; write "payment_intents"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_ref().map_or("configuration".into(), |path| path.display().to_string());
        for (index, mistake) in self.mistakes.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match &mistake.origin {
                Origin::Line(line) => write!(f, "{file}:{line}: {mistake}")?,
                Origin::Variable(name) => write!(f, "environment {name}: {mistake}")?,
                Origin::File => write!(f, "{file}: {mistake}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.setting.is_empty() {
            write!(f, "{}: ", self.setting)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// Mistakes as they are found.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, origin: Origin, setting: &str, what: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Mistake { origin, setting: setting.to_owned(), what: what.into(), remedy: remedy.into() });
    }

    /// Gives the value if nothing was wrong.
    pub(super) fn into_result<T>(mut self, value: T, file: Option<PathBuf>) -> Result<T, ConfigErrors> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort();
        Err(ConfigErrors { file, mistakes: self.0 })
    }
}
