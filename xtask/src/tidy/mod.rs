//! `cargo xtask tidy`: the house rules that lints cannot express, as ordinary code with messages that say what would be right.
//!
//! Every rule looks at text or at cargo's metadata and returns violations; this file collects them, sets the listed exceptions
//! against them, and prints the rest. What belongs to `clippy.toml` or `deny.toml` is not repeated here.

use std::fmt;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::repository::Repository;

mod edges;
mod exceptions;
mod functions;
mod headers;
mod links;
mod scan;
mod sources;
mod words;

/// One place that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Relative to the root of the repository.
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) rule: Rule,
    /// What is wrong, and what would be right.
    pub(crate) message: String,
}

/// The names of the rules, as they stand in messages and in the list of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    Header,
    FileLength,
    /// Over the limit that has no exceptions.
    FileTooLong,
    FunctionLength,
    ModuleName,
    Word,
    MachinePath,
    Absence,
    Source,
    Link,
    Edge,
    Exception,
}

impl Rule {
    fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::FileLength => "file-length",
            Self::FileTooLong => "file-too-long",
            Self::FunctionLength => "function-length",
            Self::ModuleName => "module-name",
            Self::Word => "word",
            Self::MachinePath => "machine-path",
            Self::Absence => "absence",
            Self::Source => "source",
            Self::Link => "link",
            Self::Edge => "edge",
            Self::Exception => "exception",
        }
    }

    /// Whether an entry in the list of exceptions may excuse it.
    fn is_excusable(self) -> bool {
        !matches!(self, Self::FileTooLong | Self::Edge | Self::Exception)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule.name(), self.message)
    }
}

/// Checks the whole repository; an error says how many places break a rule.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    let paths = repository.files()?;
    let mut found = edges::check(&repository.metadata()?, &repository.root)?;
    for path in &paths {
        let bytes = fs::read(repository.root.join(path)).with_context(|| format!("read {path}"))?;
        // What is not text (images, recorded bytes) has no rules.
        if let Ok(text) = String::from_utf8(bytes) {
            check_file(path, &text, &paths, &mut found);
        }
    }
    // Without a list nothing is excused.
    let listed = fs::read_to_string(repository.root.join(exceptions::LIST)).unwrap_or_default();
    let mut remaining = exceptions::apply(&listed, found);
    remaining.sort();
    for violation in &remaining {
        println!("{violation}");
    }
    if remaining.is_empty() {
        println!("tidy: {} files and the dependency edges keep the house rules", paths.len());
        return Ok(());
    }
    bail!("{} broken house rules", remaining.len())
}

fn check_file(path: &str, text: &str, paths: &[String], found: &mut Vec<Violation>) {
    if path.ends_with(".rs") {
        let source = scan::Source::new(path, text);
        headers::check(&source, found);
        functions::check(&source, found);
        sources::check(&source, found);
        words::check_rust(&source, found);
    } else {
        words::check_text(path, text, found);
    }
    if path.ends_with(".md") {
        links::check(path, text, paths, found);
    }
}
