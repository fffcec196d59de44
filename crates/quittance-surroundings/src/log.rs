//! What a server says, kept for whoever waits for a line of it. Does not own what the lines mean.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Longest wait for a line, or for the end of all lines.
const PATIENCE: Duration = Duration::from_secs(60);

/// Older lines are dropped.
const LINES_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    /// How many lines came before those that are kept.
    dropped: usize,
    is_open: bool,
}

impl Log {
    /// Keeps what is said from now on, until every process that can say something is gone. Returns how many lines were
    /// said before.
    pub(crate) fn follow(self: &Arc<Self>, said_by: impl Read + Send + 'static) -> usize {
        let mut state = self.state();
        state.is_open = true;
        let said = state.dropped + state.lines.len();
        drop(state);
        let log = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(said_by).split(b'\n').map_while(Result::ok) {
                log.change(|state| state.push(String::from_utf8_lossy(&line).into_owned()));
            }
            log.change(|state| state.is_open = false);
        });
        said
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.state().lines.iter().cloned().collect()
    }

    /// Waits for a line after the first `said` that contains the text; false when none came before the end of all lines,
    /// or within a minute.
    pub(crate) fn wait_for(&self, said: usize, text: &str) -> bool {
        let has_it = |state: &State| {
            let seen = said.saturating_sub(state.dropped);
            state.lines.iter().skip(seen).any(|line| line.contains(text))
        };
        self.wait_while(|state| state.is_open && !has_it(state));
        has_it(&self.state())
    }

    /// Waits until nobody is left who could say something.
    ///
    /// # Panics
    /// When somebody is after a minute.
    pub(crate) fn wait_for_end(&self) {
        self.wait_while(|state| state.is_open);
        assert!(!self.state().is_open, "a server was killed, and some process of it is still there");
    }

    fn wait_while(&self, is_too_early: impl Fn(&State) -> bool) {
        let waited = self.changed.wait_timeout_while(self.state(), PATIENCE, |state| is_too_early(state));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, line: String) {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }
}
