//! How far a verification has come, on standard error. Owns no words about what was found.

use indicatif::{ProgressBar, ProgressStyle};
use quittance_engine::verify::Progress;
use std::io::IsTerminal;
use std::time::Duration;

/// Books after which a line is printed where no bar can be shown.
const BOOKS_PER_LINE: u64 = 10_000;

/// Progress on standard error.
pub(crate) struct Meter(Option<ProgressBar>);

impl Meter {
    /// A bar on a terminal, lines elsewhere.
    pub(crate) fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(Some(bar))
    }

    /// Shows how far it has come.
    pub(crate) fn show(&self, Progress { books, records }: Progress) {
        match &self.0 {
            Some(bar) => bar.set_message(format!("{books} books, {records} records")),
            None if books.is_multiple_of(BOOKS_PER_LINE) => eprintln!("{books} books, {records} records"),
            None => {}
        }
    }

    /// Says what comes after the books.
    pub(crate) fn phase(&self, what: &'static str) {
        if let Some(bar) = &self.0 {
            bar.set_message(what);
        }
    }

    /// Takes it away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
