//! Where a contestant keeps its books. Opens them for the engine; the limit program opens them by itself.

use clap::ValueEnum;
use quittance_server::data::Data;
use std::path::PathBuf;

/// Which store is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// The embedded one
    Sqlite,
}

impl Store {
    /// Its name in a measurement.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }
}

/// Books of one contestant.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A data directory.
    Directory(PathBuf),
}

impl Place {
    /// As the product names it.
    pub(super) fn data(&self) -> Data {
        match self {
            Self::Directory(path) => Data::directory(path),
        }
    }

    /// As it is written on a command line.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Directory(path) => path.display().to_string(),
        }
    }
}

impl From<&str> for Place {
    fn from(text: &str) -> Self {
        Self::Directory(text.into())
    }
}
