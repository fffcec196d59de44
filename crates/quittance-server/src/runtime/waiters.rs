//! Requests that wait for the answer of a command.

use quittance_core::id::CommandId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A frozen answer: HTTP status and body.
pub type Answer = (u16, Vec<u8>);

/// Who waits for which command. Clones share it.
#[derive(Clone)]
pub(crate) struct Waiters {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    /// By command, each waiter under its number.
    waiting: BTreeMap<(CommandId, u64), oneshot::Sender<Answer>>,
    next_number: u64,
    max: usize,
}

/// Watches one command from the moment it was made. Dropping it ends the registration.
pub struct Watch {
    /// None when too many wait: then there is no answer in time, and the client is told to ask again.
    registered: Option<Registered>,
}

struct Registered {
    waiters: Waiters,
    place: (CommandId, u64),
    answer: oneshot::Receiver<Answer>,
}

impl Waiters {
    pub(crate) fn new(max: usize) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { waiting: BTreeMap::new(), next_number: 0, max })) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock panics half-way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watch(&self, command: CommandId) -> Watch {
        let mut inner = self.lock();
        if inner.waiting.len() >= inner.max {
            return Watch { registered: None };
        }
        let (sender, answer) = oneshot::channel();
        let place = (command, inner.next_number);
        inner.next_number += 1;
        inner.waiting.insert(place, sender);
        Watch { registered: Some(Registered { waiters: self.clone(), place, answer }) }
    }

    /// Hands an answer to everybody who watches its command.
    pub(crate) fn answer(&self, command: CommandId, status: u16, body: &[u8]) {
        let mut inner = self.lock();
        let watched: Vec<_> =
            inner.waiting.range((command, 0)..=(command, u64::MAX)).map(|(place, _)| *place).collect();
        for place in watched {
            if let Some(sender) = inner.waiting.remove(&place) {
                // Whoever went away meanwhile needs no answer.
                let _ = sender.send((status, body.to_vec()));
            }
        }
    }

    /// The commands that are watched, each once.
    pub(crate) fn watched(&self) -> Vec<CommandId> {
        let mut watched: Vec<CommandId> = self.lock().waiting.keys().map(|(command, _)| *command).collect();
        watched.dedup();
        watched
    }

    /// Lets everybody go without an answer, and nobody wait any more.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.max = 0;
        inner.waiting.clear();
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().waiting.len()
    }
}

impl Watch {
    /// Waits for the answer; none when the patience ends first, or when too many wait already.
    pub async fn answer(mut self, patience: Duration) -> Option<Answer> {
        let registered = self.registered.as_mut()?;
        tokio::time::timeout(patience, &mut registered.answer).await.ok()?.ok()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.waiters.lock().waiting.remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(number: u8) -> CommandId {
        CommandId::from_bytes([number; 16])
    }

    #[tokio::test]
    async fn every_watcher_of_a_command_gets_its_answer() {
        let waiters = Waiters::new(10);
        let (first, second, other) = (waiters.watch(command(1)), waiters.watch(command(1)), waiters.watch(command(2)));
        assert_eq!(waiters.watched(), [command(1), command(2)]);
        waiters.answer(command(1), 201, b"made");
        assert_eq!(first.answer(Duration::from_secs(5)).await, Some((201, b"made".to_vec())));
        assert_eq!(second.answer(Duration::from_secs(5)).await, Some((201, b"made".to_vec())));
        assert_eq!(other.answer(Duration::ZERO).await, None);
        assert_eq!(waiters.count(), 0);
    }

    #[tokio::test]
    async fn beyond_the_limit_nobody_waits() {
        let waiters = Waiters::new(1);
        let held = waiters.watch(command(1));
        assert_eq!(waiters.watch(command(1)).answer(Duration::from_secs(60)).await, None);
        drop(held);
        assert_eq!(waiters.count(), 0);
    }
}
