//! Pairs that are compared by schedule: what `quittance serve` does for them in the role `reconciler`.
//!
//! One thread looks which pairs are due, and gives each run a thread of its own, for systems block it. Processes that share a
//! database share the work: whoever has the lease of a pair runs it. Nothing is kept here between two looks but what is under
//! way. Owns the order of things; when a run is due is [`quittance_core::pair::schedule`]'s to say, what it does the
//! session's.

mod alarms;
mod ended;
mod observe;
mod run;

use super::halt::{Halt, Why};
use super::lease::Watch;
use super::state::states;
use crate::config::{Config, Pair};
use crate::data::Data;
use crate::{clock, metrics};
use quittance_core::pair::schedule::Schedule;
use quittance_core::time::Timestamp;
use quittance_store::records::PairState;
use quittance_store::store::{Reader, StoreError};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is looked which pairs are due.
const LOOK: Duration = Duration::from_millis(500);

/// Runs at once.
const RUNS_MAX: usize = 4;

/// Who is said to do what is done by schedule.
pub(super) const BY: &str = "schedule";

/// The thread that looks.
pub struct Reconciler {
    halt: Arc<Halt>,
    thread: JoinHandle<()>,
}

impl Reconciler {
    /// Begins, where a pair has a schedule.
    ///
    /// **Effects**: reads systems, and writes to those of pairs with `apply = "auto"`.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start(config: &Config, data: &Data) -> io::Result<Option<Self>> {
        let scheduled = config.pairs.iter().filter(|(_, pair)| pair.service.schedule.is_some()).count();
        if scheduled == 0 {
            return Ok(None);
        }
        tracing::info!(pairs = scheduled, "pairs are compared by schedule");
        let (halt, config, data) = (Arc::<Halt>::default(), Arc::new(config.clone()), data.clone());
        let attendant = Attendant {
            config,
            data,
            halt: Arc::clone(&halt),
            runs: BTreeMap::new(),
            watches: BTreeMap::new(),
            reader: None,
        };
        let thread = std::thread::Builder::new().name("reconciler".to_owned()).spawn(move || attendant.attend())?;
        Ok(Some(Self { halt, thread }))
    }

    /// Ends: what is under way stops before its next step, and is taken up by whoever comes next.
    pub fn stop(self) {
        self.halt.stop(Why::Ending);
        if self.thread.join().is_err() {
            tracing::error!("what compares pairs by schedule ended badly");
        }
    }
}

/// A run that is under way in this process.
struct UnderWay {
    halt: Arc<Halt>,
    thread: JoinHandle<()>,
}

struct Attendant {
    config: Arc<Config>,
    data: Data,
    halt: Arc<Halt>,
    runs: BTreeMap<String, UnderWay>,
    /// What was seen of the leases that others have.
    watches: BTreeMap<String, Watch>,
    reader: Option<Box<dyn Reader>>,
}

impl Attendant {
    fn attend(mut self) {
        while self.halt.why().is_none() {
            self.runs.retain(|_, run| !run.thread.is_finished());
            match self.look() {
                Ok(states) => self.begin(&states),
                Err(error) => {
                    // It is opened anew with the next look.
                    self.reader = None;
                    tracing::warn!(%error, "which pairs are due cannot be read");
                }
            }
            self.halt.wait(LOOK);
        }
        self.runs.values().for_each(|run| run.halt.stop(Why::Ending));
        for (pair, run) in self.runs {
            if run.thread.join().is_err() {
                tracing::error!(pair, "a run ended badly");
            }
        }
    }

    /// How the pairs stand that have a schedule; none of one that was never run.
    fn look(&mut self) -> Result<BTreeMap<String, PairState>, StoreError> {
        if self.reader.is_none() {
            match self.data.runs().open_reader() {
                Ok(reader) => self.reader = Some(reader),
                Err(StoreError::Missing { .. }) => return Ok(BTreeMap::new()),
                Err(error) => return Err(error),
            }
        }
        let Some(reader) = self.reader.as_deref_mut() else { return Ok(BTreeMap::new()) };
        let names = scheduled(&self.config).map(|(name, ..)| name);
        Ok(states(reader, names)?.into_iter().map(|state| (state.pair.clone(), state)).collect())
    }

    /// Begins the runs that are due, as far as there is room.
    fn begin(&mut self, states: &BTreeMap<String, PairState>) {
        let now = clock::now();
        let config = Arc::clone(&self.config);
        for (name, pair, schedule) in scheduled(&config) {
            let state = states.get(name);
            let is_here = self.runs.contains_key(name);
            metrics::pair_state(name, state, is_here, now);
            let watch = self.watches.entry(name.to_owned()).or_default();
            let is_held = state.is_some_and(|state| watch.is_held(state, now, clock::monotonic()));
            let is_full = self.runs.len() >= RUNS_MAX;
            if is_here || is_full || is_held || !may_begin(name, pair, schedule, state, now) {
                continue;
            }
            let halt = Arc::<Halt>::default();
            let run = run::Run {
                config: Arc::clone(&self.config),
                data: self.data.clone(),
                name: name.to_owned(),
                schedule,
                halt: Arc::clone(&halt),
                watch: watch.clone(),
            };
            match std::thread::Builder::new().name("run".to_owned()).spawn(move || run.carry_out()) {
                Ok(thread) => drop(self.runs.insert(name.to_owned(), UnderWay { halt, thread })),
                Err(error) => tracing::error!(pair = name, %error, "a run cannot be begun"),
            }
        }
    }
}

fn scheduled(config: &Config) -> impl Iterator<Item = (&str, &Pair, Schedule)> {
    config.pairs.iter().filter_map(|(name, pair)| pair.service.schedule.map(|schedule| (name.as_str(), pair, schedule)))
}

/// Whether it is worth asking for the lease; who gets it is decided in the row.
fn may_begin(name: &str, pair: &Pair, schedule: Schedule, state: Option<&PairState>, now: Timestamp) -> bool {
    let Some(state) = state else { return true };
    state.pause.is_none() && schedule.is_due(name, pair.service.jitter_ppm, state.due_at, now)
}
