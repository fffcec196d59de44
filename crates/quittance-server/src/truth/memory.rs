//! What is remembered in this process, and who is asking: of one key one question is under way at once.
//!
//! An answer is kept only if nothing was heard about its record since the question was sent. What is under way when
//! something is heard goes to those who wait for it, and to nobody else. Whose record it is may be known by its answer alone; so what was heard is
//! known for a while.

use super::known::Known;
use super::{Failure, Outcome};
use moka::sync::Cache;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long it is known that something was heard about a record: longer than a question takes.
const HEARD: Duration = Duration::from_secs(180);

/// A key of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// The pair's number.
    pub(super) pair: usize,
    /// The key, as it was asked for.
    pub(super) key: String,
}

/// Answers of this process.
pub(super) struct Memory {
    entries: Cache<Place, Arc<Known>>,
    /// Keys by what tells their records apart, where that is something else.
    identities: Cache<Place, String>,
    /// The last question that had begun when something was heard about a record, by its key or by what tells it apart.
    heard: Cache<Place, u64>,
    flights: Mutex<Flights>,
}

#[derive(Default)]
struct Flights {
    under_way: HashMap<Place, (u64, watch::Receiver<Option<Outcome>>)>,
    last: u64,
}

/// How a question goes on.
pub(super) enum Joined {
    /// It is known by now.
    Known(Arc<Known>),
    /// Somebody asks already.
    Waits(Waiting),
    /// It is to be asked by whoever holds this.
    Leads(Lead, Waiting),
}

/// Somebody who waits for an answer.
pub(super) struct Waiting(watch::Receiver<Option<Outcome>>);

impl Waiting {
    /// What came of the question.
    pub(super) async fn outcome(mut self) -> Outcome {
        let seen = self.0.wait_for(Option::is_some).await.map(|seen| seen.clone());
        seen.ok().flatten().unwrap_or_else(|| Err(Failure::given_up()))
    }
}

/// A question that is under way. Whoever drops it has given it up.
pub(super) struct Lead {
    memory: Arc<Memory>,
    pub(super) place: Place,
    no: u64,
    sender: watch::Sender<Option<Outcome>>,
}

impl Memory {
    pub(super) fn new(entries_max: u64) -> Self {
        let weigh = |_: &Place, known: &Arc<Known>| known.weight();
        Self {
            entries: Cache::builder().max_capacity(entries_max).weigher(weigh).build(),
            identities: Cache::new(entries_max),
            heard: Cache::builder().max_capacity(entries_max).time_to_live(HEARD).build(),
            flights: Mutex::default(),
        }
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered, however old. Nothing where it is not known any more that its record has this key: what was heard of that
    /// record could not have had it forgotten.
    pub(super) fn get(&self, place: &Place) -> Option<Arc<Known>> {
        let known = self.entries.get(place)?;
        let is_found = known.identity.as_ref().is_none_or(|identity| {
            let identity = Place { pair: place.pair, key: identity.clone() };
            self.identities.get(&identity).is_some_and(|key| key == place.key)
        });
        is_found.then_some(known)
    }

    /// How much is remembered, roughly.
    pub(super) fn len(&self) -> u64 {
        self.entries.entry_count()
    }

    /// Asks, or joins who asks already. What somebody has remembered meanwhile is taken where it is good.
    pub(super) fn join(self: &Arc<Self>, place: Place, is_good: impl Fn(&Known) -> bool) -> Joined {
        let mut flights = self.flights();
        if let Some(known) = self.get(&place).filter(|known| is_good(known)) {
            return Joined::Known(known);
        }
        if let Some((_, seen)) = flights.under_way.get(&place) {
            return Joined::Waits(Waiting(seen.clone()));
        }
        flights.last += 1;
        let no = flights.last;
        let (sender, seen) = watch::channel(None);
        flights.under_way.insert(place.clone(), (no, seen.clone()));
        Joined::Leads(Lead { memory: Arc::clone(self), place, no, sender }, Waiting(seen))
    }

    /// Forgets a key: something was heard about its record.
    pub(super) fn forget(&self, place: &Place) {
        let mut flights = self.flights();
        flights.under_way.remove(place);
        self.heard.insert(place.clone(), flights.last);
        self.entries.invalidate(place);
    }

    /// Forgets a record of a pair, named by its key or by what tells it apart. Its key, where that is known and is another one.
    pub(super) fn forget_identity(&self, pair: usize, word: &str) -> Option<String> {
        let place = Place { pair, key: word.to_owned() };
        let key = self.identities.get(&place);
        if let Some(key) = &key {
            self.forget(&Place { pair, key: key.clone() });
        }
        self.forget(&place);
        key
    }

    /// Forgets everything; what is being asked goes to those who wait for it alone.
    pub(super) fn forget_all(&self) {
        let mut flights = self.flights();
        flights.under_way.clear();
        self.entries.invalidate_all();
    }
}

impl Lead {
    /// Ends the question: the answer is remembered, unless something was heard since it was sent.
    pub(super) fn end(self, outcome: Outcome) {
        self.close(outcome);
    }

    /// Somebody else who waits for the same.
    pub(super) fn waiting(&self) -> Waiting {
        Waiting(self.sender.subscribe())
    }

    /// Remembers an older answer than the one that is asked for, for as long as that is not there.
    pub(super) fn note(&self, known: Arc<Known>) {
        let flights = self.memory.flights();
        let is_news = self.memory.get(&self.place).is_none_or(|held| held.read_at < known.read_at);
        if self.is_current(&flights) && is_news {
            self.remember(known);
        }
    }

    fn is_current(&self, flights: &Flights) -> bool {
        flights.under_way.get(&self.place).is_some_and(|(no, _)| *no == self.no)
    }

    /// Remembers an answer, unless something was heard about its record since this question began.
    fn remember(&self, known: Arc<Known>) {
        let memory = &self.memory;
        if let Some(identity) = known.identity.clone() {
            let identity = Place { pair: self.place.pair, key: identity };
            if memory.heard.get(&identity).is_some_and(|last| last >= self.no) {
                return;
            }
            memory.identities.insert(identity, self.place.key.clone());
        }
        memory.entries.insert(self.place.clone(), known);
    }

    fn close(&self, outcome: Outcome) {
        {
            let mut flights = self.memory.flights();
            if self.is_current(&flights) {
                flights.under_way.remove(&self.place);
                if let Ok(told) = &outcome {
                    self.remember(Arc::clone(&told.known));
                }
            }
        }
        self.sender.send_if_modified(|seen| {
            let is_first = seen.is_none();
            if is_first {
                *seen = Some(outcome);
            }
            is_first
        });
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if self.sender.borrow().is_none() {
            self.close(Err(Failure::given_up()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::known::{Found, Moment, Read};
    use super::super::{Source, Told};
    use super::*;
    use crate::clock;
    use quittance_core::time::Timestamp;

    fn place(key: &str) -> Place {
        Place { pair: 0, key: key.to_owned() }
    }

    fn known(key: &str) -> Arc<Known> {
        let at = Moment { as_of: Timestamp(0), read_at: clock::monotonic() };
        Arc::new(Known::new("accounts", "app", key, Found::None, None, at).expect("short"))
    }

    fn told(known: Arc<Known>) -> Outcome {
        Ok(Told { known, source: Source::Provider })
    }

    fn lead(memory: &Arc<Memory>, key: &str) -> (Lead, Waiting) {
        match memory.join(place(key), |_| true) {
            Joined::Leads(lead, waiting) => (lead, waiting),
            Joined::Known(_) | Joined::Waits(_) => panic!("somebody asks already"),
        }
    }

    #[tokio::test]
    async fn one_question_is_under_way_and_all_hear_its_answer() {
        let memory = Arc::new(Memory::new(10));
        let (lead, first) = lead(&memory, "a");
        let Joined::Waits(second) = memory.join(place("a"), |_| true) else { panic!("it joins") };
        lead.end(told(known("a")));
        assert_eq!((first.outcome().await.is_ok(), second.outcome().await.is_ok()), (true, true));
        assert!(matches!(memory.join(place("a"), |_| true), Joined::Known(_)));
        // What is too old for the one who asks is asked again.
        assert!(matches!(memory.join(place("a"), |_| false), Joined::Leads(..)));
    }

    #[tokio::test]
    async fn what_was_asked_before_something_was_heard_is_not_remembered_after_it() {
        let memory = Arc::new(Memory::new(10));
        let (old, waits) = lead(&memory, "a");
        memory.forget(&place("a"));
        // Whoever comes now does not join the question from before.
        let (new, _) = lead(&memory, "a");
        let fresh = known("a");
        new.end(told(Arc::clone(&fresh)));
        old.end(told(known("a")));
        assert!(waits.outcome().await.is_ok(), "those who asked before still hear it");
        assert!(memory.get(&place("a")).is_some_and(|kept| Arc::ptr_eq(&kept, &fresh)));
        memory.forget(&place("a"));
        assert!(memory.get(&place("a")).is_none());
    }

    #[tokio::test]
    async fn what_was_heard_under_a_name_that_only_the_answer_tells_is_not_remembered_either() {
        let memory = Arc::new(Memory::new(10));
        let answer = |key: &str, identity: &str| {
            let at = Moment { as_of: Timestamp(0), read_at: clock::monotonic() };
            let read = Read { identity: identity.to_owned(), ..Read::default() };
            Arc::new(Known::new("accounts", "app", key, Found::One, Some(read), at).expect("short"))
        };
        let (asked, waits) = lead(&memory, "cus_1");
        memory.forget_identity(0, "sub_1");
        asked.end(told(answer("cus_1", "sub_1")));
        assert!(waits.outcome().await.is_ok() && memory.get(&place("cus_1")).is_none());
        let (again, _) = lead(&memory, "cus_1");
        again.note(answer("cus_1", "sub_1"));
        again.end(told(answer("cus_1", "sub_1")));
        assert!(memory.get(&place("cus_1")).is_some());
        memory.forget_identity(0, "sub_1");
        assert!(memory.get(&place("cus_1")).is_none());
    }

    #[tokio::test]
    async fn an_answer_whose_record_is_not_known_any_more_is_not_given() {
        let memory = Arc::new(Memory::new(10));
        let answer = |key: &str| {
            let at = Moment { as_of: Timestamp(0), read_at: clock::monotonic() };
            let read = Read { identity: "sub_1".to_owned(), ..Read::default() };
            Arc::new(Known::new("accounts", "app", key, Found::One, Some(read), at).expect("short"))
        };
        let (first, _) = lead(&memory, "cus_1");
        first.end(told(answer("cus_1")));
        // For want of room.
        memory.identities.invalidate(&place("sub_1"));
        assert!(memory.get(&place("cus_1")).is_none());
        let (again, _) = lead(&memory, "cus_1");
        // What was heard meanwhile could not have it forgotten; nor does the answer to a question from before bring it back.
        memory.forget_identity(0, "sub_1");
        again.end(told(answer("cus_1")));
        assert!(memory.get(&place("cus_1")).is_none());
        // The record has moved.
        for key in ["cus_1", "cus_2"] {
            let (asked, _) = lead(&memory, key);
            asked.end(told(answer(key)));
        }
        assert!(memory.get(&place("cus_1")).is_none() && memory.get(&place("cus_2")).is_some());
    }

    #[tokio::test]
    async fn what_is_asked_while_everything_is_forgotten_is_not_remembered() {
        let memory = Arc::new(Memory::new(10));
        let (first, _) = lead(&memory, "a");
        first.end(told(known("a")));
        let (asked, waits) = lead(&memory, "b");
        memory.forget_all();
        asked.end(told(known("b")));
        assert!(waits.outcome().await.is_ok());
        assert!(memory.get(&place("a")).is_none() && memory.get(&place("b")).is_none());
    }

    #[tokio::test]
    async fn a_question_that_is_given_up_is_told_and_asked_anew() {
        let memory = Arc::new(Memory::new(10));
        let (given_up, waits) = lead(&memory, "a");
        drop(given_up);
        assert!(waits.outcome().await.is_err());
        let (failed, waits) = lead(&memory, "a");
        failed.end(Err(Failure::given_up()));
        assert!(waits.outcome().await.is_err() && memory.get(&place("a")).is_none());
    }
}
