//! Owns: saying how far the demo is: a bar on a terminal, a line now and then elsewhere, always on standard error. Does
//! not own: the report.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Progress of one phase after the other.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total: AtomicU64,
    done: AtomicU64,
}

/// Elsewhere than on a terminal, a line for each of these parts.
const PARTS: u64 = 4;

impl Progress {
    /// A bar where somebody looks on.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(bar);
        Self { bar, total: AtomicU64::new(0), done: AtomicU64::new(0) }
    }

    /// The next phase has this many steps; 0 when nobody knows.
    pub(crate) fn begin(&self, phase: &str, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        match &self.bar {
            Some(bar) => {
                bar.set_style(style(total));
                bar.set_length(total);
                bar.set_position(0);
                bar.set_message(phase.to_owned());
            }
            None => eprintln!("{phase}"),
        }
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        let total = self.total.load(Ordering::Relaxed);
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if (done * PARTS) / total.max(1) > ((done - 1) * PARTS) / total.max(1) => {
                eprintln!("  {done} of {total}");
            }
            None => {}
        }
    }

    /// Something worth a line happened.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(format!("  {line}")),
            None => eprintln!("  {line}"),
        }
    }

    /// Clears the bar.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A bar where the end is known, else only the time.
fn style(total: u64) -> ProgressStyle {
    let template =
        if total == 0 { "  {msg:<60} {elapsed}" } else { "  {msg:<28} {bar:32} {pos:>5} of {len} {elapsed:>5}" };
    // The default style is as good when the template is not understood.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─")
}
