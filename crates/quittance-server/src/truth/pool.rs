//! Threads that ask one system: as many as may ask at once, each with a system of its own, started when there is
//! something to ask and ended when there is nothing for a while.

use super::memory::Lead;
use super::read::Asker;
use super::{Believed, Failure, Source, Told};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Questions that may wait for a thread; more are refused.
const WAITING_MAX: usize = 1_024;

/// How long a thread without work keeps what it has opened.
const IDLE: Duration = Duration::from_secs(30);

/// The threads of one pair.
pub(super) struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    believed: Arc<Believed>,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Lead>,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

impl Pool {
    pub(super) fn new(believed: Arc<Believed>) -> Self {
        Self { inner: Arc::new(Inner { believed, state: Mutex::default(), news: Condvar::new() }) }
    }

    /// Has a question asked; whoever waits for it hears when it cannot be.
    pub(super) fn ask(&self, lead: Lead) {
        let inner = &self.inner;
        if !inner.believed.backoff.may_ask(crate::clock::monotonic()) {
            inner.believed.numbers.call_held_back();
            return lead.end(Err(Failure::held_back()));
        }
        let mut state = inner.lock();
        if state.waiting.len() >= WAITING_MAX || state.is_closed {
            drop(state);
            inner.believed.backoff.not_asked();
            inner.believed.numbers.call_held_back();
            return lead.end(Err(Failure::too_many()));
        }
        state.waiting.push_back(lead);
        if state.waiting.len() > state.idle && state.threads < inner.believed.truth.calls_max {
            let work = Arc::clone(inner);
            let name = format!("truth-{}", inner.believed.name);
            match std::thread::Builder::new().name(name).spawn(move || work.run()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    tracing::error!(%error, "no thread can be started to ask a system");
                    let given_up = std::mem::take(&mut state.waiting);
                    drop(state);
                    inner.believed.backoff.not_asked();
                    drop(given_up);
                    return;
                }
                // Those that run will come to it.
                Err(_) => {}
            }
        }
        drop(state);
        inner.news.notify_one();
    }
}

impl Drop for Pool {
    /// Threads end once what they are asking is answered.
    fn drop(&mut self) {
        let given_up = {
            let mut state = self.inner.lock();
            state.is_closed = true;
            std::mem::take(&mut state.waiting)
        };
        drop(given_up);
        self.inner.news.notify_all();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut asker = Asker::new(Arc::clone(&self.believed));
        while let Some(lead) = self.next() {
            let read = catch_unwind(AssertUnwindSafe(|| asker.read(&lead.place.key)));
            let outcome = read.unwrap_or_else(|_| {
                tracing::error!(pair = self.believed.name, "reading a record panicked and was given up");
                asker = Asker::new(Arc::clone(&self.believed));
                Err(Failure::given_up())
            });
            self.believed.note(&outcome);
            lead.end(outcome.map(|known| Told { known: Arc::new(known), source: Source::Provider }));
        }
    }

    /// The next question; none once this thread is to end, which is then counted no more.
    fn next(&self) -> Option<Lead> {
        let mut state = self.lock();
        loop {
            if let Some(lead) = state.waiting.pop_front() {
                return Some(lead);
            }
            if state.is_closed {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            let (after, waited) = self.news.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = after;
            state.idle -= 1;
            if waited.timed_out() && state.waiting.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }
}
