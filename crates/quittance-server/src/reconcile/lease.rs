//! Leases: one process works on a pair. Whoever has it renews it; whoever lost it is fenced by its epoch, in the
//! transactions that keep what is done.

use super::halt::{Halt, Why};
use super::keeper::{Keeper, PATIENCE};
use super::state::{time, update};
use crate::data::Data;
use crate::reconcile::lock;
use crate::{clock, ids};
use quittance_core::time::Timestamp;
use quittance_store::records::{PairPause, PairState};
use quittance_store::store::StoreError;
use std::fmt::Write;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a lease is good without being renewed, in milliseconds: so long the work of a process that died rests.
pub const LEASE_MS: u64 = 10_000;

/// How often it is renewed, and how soon a pause is noticed at the latest.
const BEAT: Duration = Duration::from_secs(1);

/// What shows that a lease is held, to whoever keeps what is done under it.
#[derive(Clone, Debug)]
pub struct Guard {
    owner: String,
    epoch: i64,
    /// Whether work is to stop.
    pub halt: Arc<Halt>,
    renewed: Arc<Mutex<Instant>>,
}

/// Watches a lease that ends later than any is given: a clock was ahead when it was given, or was set back since. By that
/// clock nobody can tell whether whoever has it lives; so it is looked whether they renew it.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    seen: Option<(Seen, Instant)>,
}

/// A lease as it was seen: who has it, its epoch, its end.
type Seen = (Option<String>, i64, Option<Timestamp>);

impl Watch {
    /// Whether somebody has the lease of a pair now, as far as can be known at this moment of the steady clock.
    pub(super) fn is_held(&mut self, state: &PairState, now: Timestamp, at: Instant) -> bool {
        let Some(until) = state.lease_until.filter(|until| state.lease_owner.is_some() && *until > now) else {
            self.seen = None;
            return false;
        };
        if until <= now.plus_ms(LEASE_MS) {
            self.seen = None;
            return true;
        }
        let lease = (state.lease_owner.clone(), state.lease_epoch, state.lease_until);
        match &self.seen {
            Some((seen, since)) if *seen == lease => {
                at.saturating_duration_since(*since) < Duration::from_millis(LEASE_MS)
            }
            _ => {
                self.seen = Some((lease, at));
                true
            }
        }
    }
}

/// Why a lease was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Somebody else has it.
    Busy {
        /// Who.
        owner: String,
        /// Until when, unless it is renewed.
        until: Timestamp,
    },
    /// Somebody paused the pair.
    Paused(PairPause),
    /// There is nothing to be done.
    NotDue,
}

impl Guard {
    /// Of a lease that was taken or renewed at this moment of the steady clock.
    fn new(owner: String, epoch: i64, halt: Arc<Halt>, at: Instant) -> Self {
        Self { owner, epoch, halt, renewed: Arc::new(Mutex::new(at)) }
    }

    #[cfg(test)]
    pub(super) fn of(owner: &str, epoch: i64) -> Self {
        Self::new(owner.to_owned(), epoch, Arc::default(), clock::monotonic())
    }

    /// It was renewed by what began at this moment of the steady clock.
    pub(super) fn renewed(&self, at: Instant) {
        *lock(&self.renewed) = at;
    }

    /// Why somebody else may have the lease at this moment of the steady clock: nothing is committed any more then.
    pub(super) fn may_be_lost(&self, at: Instant) -> Option<String> {
        if let Some(Why::Lost(why)) = self.halt.why() {
            return Some(why);
        }
        let since = at.saturating_duration_since(*lock(&self.renewed));
        let is_late = since >= Duration::from_millis(LEASE_MS);
        is_late.then(|| format!("the lease of the pair was not renewed for {} s", since.as_secs()))
    }

    /// Why nothing more is to be begun at this moment of the steady clock: what ends work, and what forbids a commit.
    pub(super) fn forbids(&self, at: Instant) -> Option<String> {
        self.halt.why().map(|why| why.to_string()).or_else(|| self.may_be_lost(at))
    }

    /// Whether the lease is this one still, in the row of the pair; else who has it.
    pub(super) fn check(&self, state: &PairState) -> Result<(), String> {
        if state.lease_epoch == self.epoch && state.lease_owner.as_deref() == Some(&self.owner) {
            return Ok(());
        }
        let owner = state.lease_owner.as_deref().unwrap_or("somebody who has ended since");
        Err(format!("the lease of the pair `{}` was lost to {owner}", state.pair))
    }

    /// Renews the lease, and says why work is to stop if it is.
    pub(super) fn renew(&self, state: &mut PairState, now: Timestamp) -> Option<Why> {
        if let Err(why) = self.check(state) {
            return Some(Why::Lost(why));
        }
        state.lease_until = Some(now.plus_ms(LEASE_MS));
        state.pause.as_ref().map(|pause| Why::Paused(told(&state.pair, pause)))
    }
}

/// A lease that is held. It is renewed by a thread of its own, and released in the end.
pub struct Held {
    data: Data,
    pair: String,
    guard: Guard,
    beat: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Held {
    /// Takes the lease of a pair, where nobody has it, the pair is not paused, and `is_due` says so of its row, at this time.
    /// `by` is told to whoever asks; `halt` hears why work is to stop; `watch` is the same whenever it is tried again.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing was taken then, or it runs out.
    pub fn take(
        data: &Data,
        pair: &str,
        by: &str,
        halt: &Arc<Halt>,
        watch: &mut Watch,
        mut is_due: impl FnMut(&mut PairState, Timestamp) -> bool,
    ) -> Result<Result<Self, NotTaken>, StoreError> {
        let owner = owner(by);
        let (mut keeper, mut at) = (Keeper::new(data), clock::monotonic());
        let taken = keeper.with(|store| {
            at = clock::monotonic();
            let now = time(store)?;
            update(store, pair, |state| take(state, &owner, (now, &mut *watch), &mut is_due))
        })?;
        Ok(taken.map(|epoch| {
            let guard = Guard::new(owner, epoch, Arc::clone(halt), at);
            let beat = beat(keeper, pair, &guard);
            Self { data: data.clone(), pair: pair.to_owned(), guard, beat }
        }))
    }

    /// What shows that it is held.
    #[must_use]
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Releases it, and changes the row with that, if it is held still; says whether it was.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; it runs out then.
    pub fn release(mut self, mut change: impl FnMut(&mut PairState, Timestamp)) -> Result<bool, StoreError> {
        self.let_go(PATIENCE, &mut change)
    }

    /// The row of the pair, and the time, if it is held still.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read.
    pub(super) fn row(&self) -> Result<Option<(PairState, Timestamp)>, StoreError> {
        Keeper::new(&self.data).with_patience(PATIENCE, Some(&self.guard.halt), |store| {
            let now = time(store)?;
            update(store, &self.pair, |state| self.guard.check(state).is_ok().then(|| (state.clone(), now)))
        })
    }

    /// It is renewed until it is released, so that nobody has it in between.
    fn let_go(
        &mut self,
        patience: Duration,
        change: &mut dyn FnMut(&mut PairState, Timestamp),
    ) -> Result<bool, StoreError> {
        let Some((ended, thread)) = self.beat.take() else { return Ok(false) };
        let guard = self.guard.clone();
        let released = Keeper::new(&self.data).with_patience(patience, Some(&guard.halt), |store| {
            let now = time(store)?;
            update(store, &self.pair, |state| {
                let is_held = guard.check(state).is_ok();
                if is_held {
                    change(state, now);
                    (state.lease_owner, state.lease_until) = (None, None);
                }
                is_held
            })
        });
        drop(ended);
        // It ends by itself; one that panicked has ended too.
        let _ = thread.join();
        released
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Err(error) = self.let_go(Duration::ZERO, &mut |_, _| {}) {
            tracing::warn!(pair = self.pair, %error, "the lease of a pair cannot be released; it runs out");
        }
    }
}

/// Takes the lease in the row, or says why not.
fn take(
    state: &mut PairState,
    owner: &str,
    (now, watch): (Timestamp, &mut Watch),
    is_due: &mut dyn FnMut(&mut PairState, Timestamp) -> bool,
) -> Result<i64, NotTaken> {
    if let Some(pause) = &state.pause {
        return Err(NotTaken::Paused(pause.clone()));
    }
    if watch.is_held(state, now, clock::monotonic())
        && let (Some(owner), Some(until)) = (&state.lease_owner, state.lease_until)
    {
        return Err(NotTaken::Busy { owner: owner.clone(), until });
    }
    if !is_due(state, now) {
        return Err(NotTaken::NotDue);
    }
    state.lease_epoch += 1;
    (state.lease_owner, state.lease_until) = (Some(owner.to_owned()), Some(now.plus_ms(LEASE_MS)));
    Ok(state.lease_epoch)
}

/// What is said of a pause.
pub(super) fn told(pair: &str, pause: &PairPause) -> String {
    let mut text = format!("the pair `{pair}` is paused by {}", pause.by);
    if let Some(reason) = &pause.reason {
        let _ = write!(text, ": {reason}");
    }
    text
}

/// Nobody else has this name: it says where to look, and has something drawn in it.
fn owner(by: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    let drawn = u32::from_be_bytes(ids::random());
    format!("{by} on {}, process {} ({drawn:08x})", if host.is_empty() { "a host" } else { host }, std::process::id())
}

fn beat(keeper: Keeper, pair: &str, guard: &Guard) -> Option<(SyncSender<()>, JoinHandle<()>)> {
    let (sender, ended) = mpsc::sync_channel(1);
    let (pair, kept) = (pair.to_owned(), guard.clone());
    let thread =
        std::thread::Builder::new().name("lease".to_owned()).spawn(move || renew(keeper, &pair, &kept, &ended));
    match thread {
        Ok(thread) => Some((sender, thread)),
        Err(error) => {
            guard.halt.stop(Why::Lost(format!("the lease cannot be renewed: {error}")));
            None
        }
    }
}

fn renew(mut keeper: Keeper, pair: &str, guard: &Guard, ended: &Receiver<()>) {
    let lease = Duration::from_millis(LEASE_MS);
    let mut renewed = clock::Stopwatch::start();
    while matches!(ended.recv_timeout(BEAT), Err(RecvTimeoutError::Timeout)) {
        let mut at = clock::monotonic();
        let said = keeper.with(|store| {
            at = clock::monotonic();
            let now = time(store)?;
            update(store, pair, |state| guard.renew(state, now))
        });
        match said {
            Ok(Some(why @ Why::Lost(_))) => return guard.halt.stop(why),
            Ok(paused) => {
                renewed = clock::Stopwatch::start();
                guard.renewed(at);
                if let Some(why) = paused {
                    guard.halt.stop(why);
                }
            }
            // Who has the store of a directory open is us, or somebody who may have taken the lease: that is found out when it is
            // free, and before anything is kept.
            Err(StoreError::Locked { .. }) => {}
            Err(error) if renewed.elapsed() >= lease => {
                return guard
                    .halt
                    .stop(Why::Lost(format!("the lease of the pair `{pair}` cannot be renewed: {error}")));
            }
            Err(error) => tracing::debug!(pair, %error, "a lease was not renewed yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(state: &mut PairState, owner: &str, now: i64) -> Result<i64, NotTaken> {
        take(state, owner, (Timestamp(now), &mut Watch::default()), &mut |_, _| true)
    }

    #[test]
    fn one_has_the_lease_and_whoever_lost_it_is_fenced() {
        let mut state = PairState { pair: "a".into(), ..PairState::default() };
        assert_eq!(taken(&mut state, "one", 0), Ok(1));
        let until = Timestamp(0).plus_ms(LEASE_MS);
        assert_eq!(taken(&mut state, "two", until.0 - 1), Err(NotTaken::Busy { owner: "one".into(), until }));
        assert_eq!(Guard::of("one", 1).renew(&mut state, Timestamp(1_000_000)), None);
        assert!(matches!(taken(&mut state, "two", until.0), Err(NotTaken::Busy { .. })), "it was renewed");
        // One died: the lease runs out, and if it was not dead it is fenced.
        assert_eq!(taken(&mut state, "two", until.0 + 1_000_000), Ok(2));
        assert!(Guard::of("one", 1).check(&state).is_err_and(|why| why.contains("lost to two")));
        assert!(matches!(Guard::of("one", 1).renew(&mut state, until), Some(Why::Lost(_))));
        assert!(Guard::of("two", 2).check(&state).is_ok());
        // The same name does not help who had it before.
        assert!(Guard::of("two", 1).check(&state).is_err());
    }

    #[test]
    fn a_clock_that_is_set_back_steals_no_lease_that_is_renewed_and_one_that_was_ahead_holds_nobody_up_for_ever() {
        let mut state = PairState { pair: "a".into(), ..PairState::default() };
        let (lease, early) = (Duration::from_millis(LEASE_MS), Timestamp(0));
        assert_eq!(taken(&mut state, "one", 86_400_000_000), Ok(1));
        assert!(matches!(taken(&mut state, "two", early.0), Err(NotTaken::Busy { .. })), "who sees it first waits");
        let (mut watch, start) = (Watch::default(), clock::monotonic());
        assert!(watch.is_held(&state, early, start));
        assert!(watch.is_held(&state, early, start + lease / 2));
        // It is renewed by a clock that is still ahead: whoever has it lives.
        state.lease_until = state.lease_until.map(|until| until.plus_ms(1_000));
        assert!(watch.is_held(&state, early, start + lease));
        assert!(watch.is_held(&state, early, start + lease + lease / 2));
        // The same for as long as a lease is good: nobody renews it.
        assert!(!watch.is_held(&state, early, start + lease * 2));
        // By the clock that was set back it is renewed like any other.
        state.lease_until = Some(early.plus_ms(LEASE_MS));
        assert!(watch.is_held(&state, early, start + lease * 9));
        assert!(!watch.is_held(&state, early.plus_ms(LEASE_MS), start + lease * 9));
        // Another epoch is another lease.
        state.lease_until = Some(Timestamp(86_400_000_000));
        assert!(watch.is_held(&state, early, start));
        state.lease_epoch += 1;
        assert!(watch.is_held(&state, early, start + lease * 2));
    }

    #[test]
    fn nothing_is_committed_under_a_lease_that_somebody_else_may_have() {
        let (guard, start) = (Guard::of("one", 1), clock::monotonic());
        let lease = Duration::from_millis(LEASE_MS);
        guard.renewed(start);
        guard.halt.stop(Why::Paused("what was begun is ended".into()));
        assert_eq!(guard.may_be_lost(start + lease / 2), None);
        assert_eq!(
            guard.forbids(start + lease / 2).as_deref(),
            Some("what was begun is ended"),
            "nothing more is sent"
        );
        assert!(guard.may_be_lost(start + lease).is_some_and(|why| why.contains("not renewed for 10 s")));
        guard.renewed(start + lease);
        assert_eq!(guard.may_be_lost(start + lease), None);
        let lost = Guard::of("one", 1);
        lost.halt.stop(Why::Lost("two has it".into()));
        assert_eq!(lost.may_be_lost(start).as_deref(), Some("two has it"));
        let held = Guard::of("one", 1);
        held.renewed(start);
        assert_eq!(held.forbids(start + lease / 2), None);
        assert!(held.forbids(start + lease).is_some_and(|why| why.contains("not renewed for 10 s")));
    }

    #[test]
    fn nobody_takes_what_is_paused_or_not_due() {
        let pause = PairPause { at: Timestamp(1), by: "ada".into(), reason: Some("a migration".into()) };
        let mut state = PairState { pair: "a".into(), pause: Some(pause.clone()), ..PairState::default() };
        assert_eq!(taken(&mut state, "one", 0), Err(NotTaken::Paused(pause.clone())));
        assert_eq!(told("a", &pause), "the pair `a` is paused by ada: a migration");
        state.pause = None;
        assert_eq!(
            take(&mut state, "one", (Timestamp(0), &mut Watch::default()), &mut |_, _| false),
            Err(NotTaken::NotDue)
        );
        assert_eq!((state.lease_epoch, &state.lease_owner), (0, &None));
        assert_eq!(taken(&mut state, "one", 0), Ok(1));
        state.pause = Some(pause);
        assert!(matches!(Guard::of("one", 1).renew(&mut state, Timestamp(5)), Some(Why::Paused(_))));
        assert_eq!(state.lease_until, Some(Timestamp(5).plus_ms(LEASE_MS)), "what was begun is ended under it");
    }
}
