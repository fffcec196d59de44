//! Sweeps: what a gateway did is learned though no webhook says so.
//!
//! One task for each gateway follows its log of events and, less often, its lists of objects, one page at a time. What is
//! found is submitted like everything else; how far a sweep has come is a row, written after everything before it. Where
//! several processes sweep, whoever finds that row moved since its own last look leaves the list to whoever moved it: so one
//! of them sweeps, and another goes on when it is gone. Owns when and how pages are asked for. Does not own what an event or
//! an object means.

mod endpoint;
mod events;
mod objects;
mod webhooks;

use super::gateways::GatewayState;
use super::handle::{Handle, SubmitError};
use super::jobs::note;
use super::readers::ReadError;
use crate::api::rows;
use crate::{clock, metrics};
use quittance_connectors::message::{Delivery, Request};
use quittance_core::fact::{Fact, Loss};
use quittance_core::time::Timestamp;
use quittance_engine::submission::{EventGap, EventLog, Outcome, Submission, Swept};
use quittance_engine::sweeps::{Beginning, Stuck};
use quittance_store::records::{ClockMark, Discrepancy, Entity, Lane, Sweep};
use quittance_store::store::Scan;
use quittance_store::tables::DISCREPANCIES;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Pages that one run of a sweep asks for; the next run goes on where it was.
const PAGES_MAX: usize = 50;

/// How often a page is asked for again at once that did not come, or for which the gateway failed. What lasts longer is left
/// for the next time, and so is what is overloaded.
const AGAIN_MAX: u32 = 3;

/// How often, and how many times, a page waits for its turn before the sweep is left for the next time.
const TURN: Duration = Duration::from_millis(100);
const TURNS_MAX: usize = 300;

/// Sweeps of the log of events in a row that got no page although the gateway answers, after which a person has to look.
const FUTILE_MAX: u32 = 5;

/// Open discrepancies that are counted.
const DISCREPANCIES_MAX: usize = 10_000;

/// When a gateway is swept.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) events: Duration,
    pub(super) objects: Duration,
    /// Whether other processes may sweep it, too.
    pub(super) is_shared: bool,
}

/// Why a sweep ended before its list did. It goes on, or begins anew, the next time.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    /// The gateway is paused, or its breaker is open.
    #[error("nothing may leave for the gateway now")]
    HeldBack,
    /// The gateway did not give a page.
    #[error("the gateway gave no page: {word}")]
    NoPage {
        /// What it gave instead.
        word: String,
        /// Whether it may answer otherwise by itself.
        is_outage: bool,
    },
    #[error(transparent)]
    Stuck(#[from] Stuck),
    #[error(transparent)]
    Submit(#[from] SubmitError),
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Another process sweeps the same list, and goes on with it.
    #[error("another process sweeps the same list")]
    Overtaken,
    /// The engine could not store what was found.
    #[error("what was found could not be stored")]
    NotStored,
}

/// Sweeps a gateway for ever.
pub(super) async fn run(handle: Handle, gateway: Arc<GatewayState>, pace: Pace) {
    let mut futile = 0;
    let sweeper = Sweeper { handle: &handle, gateway: &gateway, known: Mutex::default() };
    let mut looking = endpoint::Looking::default();
    loop {
        tokio::time::sleep(pace.events).await;
        if !gateway.takes_work() {
            continue;
        }
        if pace.is_shared && sweeper.is_left_to_another().await {
            gateway.hearing.leave();
        } else {
            sweeper.sweep(pace, &mut futile).await;
            if let Err(error) = sweeper.settle_gap().await {
                tracing::warn!(gateway = gateway.name, %error, "whether events are missing for ever cannot be read or kept");
            }
            sweeper.listen(pace, &mut looking).await;
        }
        if let Err(error) = sweeper.count_discrepancies().await {
            tracing::warn!(gateway = gateway.name, %error, "discrepancies were not counted");
        }
    }
}

/// One gateway, and the way into the engine.
struct Sweeper<'a> {
    handle: &'a Handle,
    gateway: &'a GatewayState,
    /// How far each list was followed when it was last read or written here.
    known: Mutex<BTreeMap<String, Sweep>>,
}

/// How far a list was followed, without what a sweep that gets no page writes as well.
fn progress(sweep: &Sweep) -> (Option<i64>, Option<Timestamp>, Option<&str>) {
    (sweep.cursor, sweep.completed_at, sweep.resume_after.as_deref())
}

impl Sweeper<'_> {
    /// Everything that is to be followed now. `futile` counts sweeps in a row of the log of events that got no page.
    async fn sweep(&self, pace: Pace, futile: &mut u32) {
        let events = self.events().await;
        *futile = if matches!(events, Err(Interrupted::NoPage { is_outage: false, .. })) { *futile + 1 } else { 0 };
        self.report("events", events);
        if *futile >= FUTILE_MAX
            && let Err(error) = self.complain(*futile).await
        {
            let gateway = &self.gateway.name;
            tracing::warn!(gateway, %error, "a log of events that cannot be read was not alarmed");
        }
        // While it recovers everything waits for its lists.
        let every = if self.gateway.is_recovering() { pace.objects.min(pace.events) } else { pace.objects };
        for kind in objects::KINDS {
            if let Err(error) = self.objects_if_due(kind, every).await {
                self.report(kind.name(), Err(error));
            }
        }
    }

    fn report(&self, sweep: &'static str, result: Result<(), Interrupted>) {
        let gateway = &self.gateway.name;
        let word = match &result {
            Ok(()) => "complete",
            Err(Interrupted::Stuck(_)) => "stuck",
            Err(_) => "interrupted",
        };
        metrics::swept(gateway, sweep, word);
        match result {
            Ok(()) => {}
            Err(error @ Interrupted::Stuck(_)) => tracing::error!(gateway, sweep, %error, "a sweep fails"),
            Err(error @ Interrupted::Overtaken) => tracing::debug!(gateway, sweep, %error, "left to another process"),
            Err(error) => tracing::warn!(gateway, sweep, %error, "a sweep was interrupted"),
        }
    }

    fn warn_of_clock(&self, sweep: &'static str, beginning: &Beginning) {
        let gateway = &self.gateway.name;
        if let Some(ahead_s) = beginning.ahead_s {
            metrics::swept(gateway, sweep, "set_back");
            tracing::error!(gateway, sweep, ahead_s, "the clock was set back; a sweep looks a day further back");
        }
    }

    /// How far a list was followed: what is stored next follows this.
    async fn state(&self, sweep: &str) -> Result<Sweep, Interrupted> {
        let sweep = self.stored(sweep).await?;
        self.note_state(&sweep);
        Ok(sweep)
    }

    /// Whether another process has come further with the log of events since this one looked. What cannot be read here will
    /// not be where it is needed either, and is told there.
    async fn is_left_to_another(&self) -> bool {
        let Ok(stored) = self.stored(Sweep::EVENTS).await else { return false };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.insert(stored.sweep.clone(), stored.clone());
        before.is_some_and(|before| progress(&before) != progress(&stored))
    }

    async fn stored(&self, sweep: &str) -> Result<Sweep, Interrupted> {
        let fresh = Sweep::new(self.gateway.name.clone(), sweep.to_owned());
        let key = fresh.key();
        let stored = self.handle.read(move |reader| rows::get::<Sweep>(reader, key)).await?;
        Ok(stored.unwrap_or(fresh))
    }

    /// How far ahead our clock may be, as the stored era has it.
    async fn ahead_ms(&self) -> Result<u64, Interrupted> {
        let key = ClockMark::key(ClockMark::ERA);
        let mark = self.handle.read(move |reader| rows::get::<ClockMark>(reader, key)).await?;
        Ok(mark.map_or(0, |mark| mark.era.ahead_ms))
    }

    async fn keep(&self, sweep: &Sweep, gap: Option<EventGap>) -> Result<(), Interrupted> {
        self.store(Swept { upon: None, sweep: sweep.clone(), listed: None, gap, log: None }).await
    }

    /// Keeps a sweep of the log of events, and whether the log can be read.
    async fn keep_log(&self, sweep: &Sweep, log: EventLog) -> Result<(), Interrupted> {
        self.store(Swept { upon: None, sweep: sweep.clone(), listed: None, gap: None, log: Some(log) }).await
    }

    /// Stores how far a sweep has come, unless another process has come further with it meanwhile.
    async fn store(&self, swept: Swept) -> Result<(), Interrupted> {
        let sweep = swept.sweep.clone();
        let upon = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&sweep.sweep).cloned();
        match self.submit(Submission::Swept(Box::new(Swept { upon, ..swept }))).await? {
            Outcome::Conflict(_) => Err(Interrupted::Overtaken),
            _ => {
                self.note_state(&sweep);
                Ok(())
            }
        }
    }

    fn note_state(&self, sweep: &Sweep) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(sweep.sweep.clone(), sweep.clone());
    }

    async fn submit(&self, submission: Submission) -> Result<Outcome, Interrupted> {
        match self.handle.submit(submission).await? {
            Outcome::Failed(_) => Err(Interrupted::NotStored),
            outcome => Ok(outcome),
        }
    }

    /// One page of a list. It is a read like any other: it waits for its turn under the gateway's rate, and takes a place
    /// among the gateway's requests.
    async fn ask(&self, request: &Request) -> Result<Delivery, Interrupted> {
        for _ in 0..TURNS_MAX {
            if !self.gateway.takes_work() || self.handle.shared.is_winding_down() {
                return Err(Interrupted::HeldBack);
            }
            if self.gateway.may_read() {
                break;
            }
            tokio::time::sleep(TURN).await;
        }
        if !self.gateway.may_read() {
            return Err(Interrupted::HeldBack);
        }
        let _slot = self.gateway.begin(Lane::Read);
        Ok(self.gateway.transport.deliver(request, self.gateway.timeout).await)
    }

    /// Whether a page is to be asked for again at once.
    fn asks_again(&self, delivery: &Delivery, fact: &Fact, again: &mut u32) -> bool {
        let is_lost = matches!(fact, Fact::Lost(Loss::Reset | Loss::Timeout | Loss::ServerError));
        let asks = is_lost && *again > 0;
        if asks {
            *again -= 1;
            self.note(delivery, fact);
        }
        asks
    }

    /// Notes what came of a page for the gateway's health.
    fn note(&self, delivery: &Delivery, fact: &Fact) {
        note(self.gateway, "sweep", delivery, fact);
        self.gateway.health.report(Lane::Read, fact);
    }

    async fn count_discrepancies(&self) -> Result<(), ReadError> {
        let open = self.handle.read(|reader| {
            let index = DISCREPANCIES.indexes.iter().find(|index| index.name == "discrepancies_open");
            let scan = Scan { index, ..Scan::forward(&DISCREPANCIES, Vec::new(), DISCREPANCIES_MAX) };
            rows::page::<Discrepancy>(reader, &scan)
        });
        let open = open.await?;
        let age_ms = open.first().map_or(0, |oldest| clock::now().ms_since(oldest.opened_at));
        metrics::discrepancies(open.len(), Duration::from_millis(age_ms));
        Ok(())
    }
}

/// Whether so much time has gone by since; true where it never was.
fn is_over(since: Option<Timestamp>, span: Duration, now: Timestamp) -> bool {
    since.is_none_or(|since| u128::from(now.ms_since(since)) >= span.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_gets_no_page_keeps_nobody_away() {
        let known = Sweep::new("stripe".into(), Sweep::EVENTS.into());
        let at = Timestamp::from_seconds(1_800_000_000);
        let begun = Sweep { started_at: Some(at), created_from: Some(1), newest: Some(2), ..known.clone() };
        assert_eq!(progress(&known), progress(&begun), "it has begun, and come no further");
        for further in [
            Sweep { resume_after: Some("evt_1".into()), ..known.clone() },
            Sweep { completed_at: Some(at), ..known.clone() },
            Sweep { cursor: Some(3), ..known.clone() },
        ] {
            assert_ne!(progress(&known), progress(&further));
        }
    }
}
