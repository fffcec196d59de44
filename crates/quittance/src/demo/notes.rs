//! Owns: what the clients noted while they worked: answers they rely on, faults they caused or met, and what surprised
//! them. Does not own: what follows from it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::evidence::Answer;

/// What was sent under a key, and the first final answer to it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Where it was sent.
    pub(crate) path: String,
    /// The request's body.
    pub(crate) body: String,
    /// The answer.
    pub(crate) answer: Answer,
}

/// Notes of all clients together.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    told: BTreeMap<String, Told>,
    promised: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, u64>,
    replays: u64,
    surprises: Vec<String>,
}

/// More surprises are counted nowhere: these are enough to fail.
const SURPRISES_MAX: usize = 100;

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock panics half-way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A final answer to a key. The first one counts; another one later is a surprise.
    pub(crate) fn acknowledge(&self, key: &str, path: &str, body: &str, answer: &Answer) {
        let mut inner = self.lock();
        match inner.told.get(key).map(|told| &told.answer) {
            None => {
                inner.told.insert(
                    key.to_owned(),
                    Told { path: path.to_owned(), body: body.to_owned(), answer: answer.clone() },
                );
            }
            Some(first) if first == answer => {}
            Some(first) => {
                let sentence = format!(
                    "key {key} was answered twice and differently: {} {} and {} {}",
                    first.status,
                    first.text(),
                    answer.status,
                    answer.text()
                );
                inner.surprise(sentence);
            }
        }
    }

    /// An answer named a payment before it was final.
    pub(crate) fn promise(&self, key: &str, payment: String) {
        self.lock().promised.insert(key.to_owned(), payment);
    }

    /// Something that the clients did to the server, or that it did to them.
    pub(crate) fn count(&self, kind: &'static str) {
        *self.lock().counts.entry(kind).or_default() += 1;
    }

    /// An answer that was stored before.
    pub(crate) fn replay(&self) {
        self.lock().replays += 1;
    }

    /// Something that must not happen.
    pub(crate) fn surprise(&self, sentence: String) {
        self.lock().surprise(sentence);
    }

    /// Commands with a final answer, by key.
    pub(crate) fn told(&self) -> BTreeMap<String, Told> {
        self.lock().told.clone()
    }

    /// Payments named by answers that were not final, by key.
    pub(crate) fn promised(&self) -> BTreeMap<String, String> {
        self.lock().promised.clone()
    }

    /// How often each thing happened.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().counts.clone()
    }

    /// How many answers were stored ones.
    pub(crate) fn replays(&self) -> u64 {
        self.lock().replays
    }

    /// What must not have happened and did.
    pub(crate) fn surprises(&self) -> Vec<String> {
        self.lock().surprises.clone()
    }
}

impl Inner {
    fn surprise(&mut self, sentence: String) {
        if self.surprises.len() < SURPRISES_MAX {
            self.surprises.push(sentence);
        }
    }
}
