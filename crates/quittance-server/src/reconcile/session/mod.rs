//! A pair as whoever works on it holds it: its configuration, its systems, where its runs are kept, and who asks.
//!
//! Owns the order in which comparisons and repairs are made, for the command line, the service and the API alike. What is
//! kept is opened for a moment where it can be. Prints nothing, and waits only as long as it is told to.

mod approve;
mod compare;
mod error;
mod import;
mod repair;
mod shape;
mod undo;

pub use approve::{Decided, Decision, approve};
pub use compare::{Compared, Comparison, Opened};
pub use error::{Fault, SessionError};
pub use import::{ImportRequest, ImportVerdict, Imported};
pub use repair::{Begun, Repaired, Request, Verdict};
pub use shape::{bent_json, bent_notes};
pub(crate) use shape::{bent_remedy, bent_sentence};
pub use undo::{Undone, take_back};

use super::import::torn;
use super::lease::{Watch, told};
use super::{Guard, Held, Kept, LEASE_MS, NotTaken, Repairs, WriteError, Writers, resume};
use crate::clock::Stopwatch;
use crate::config::{Config, Pair};
use crate::data::Data;
use crate::diff::History;
use crate::systems::write::{WriteOptions, Writer};
use crate::systems::{System, SystemError, open};
use crate::{clock, ids};
use quittance_core::id::RunId;
use quittance_core::time::Timestamp;
use quittance_engine::ports::Ids;
use quittance_store::records::{RepairPlan, RepairRun};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often a lease that somebody has is asked for again.
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// How long whoever is alive and has it is waited for.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);

/// How long a lease may take to run out, and a moment.
const GONE_PATIENCE: Duration = Duration::from_millis(LEASE_MS + 5_000);

/// A pair, and who works on it.
#[derive(Clone, Debug)]
pub struct Session<'c> {
    /// The configuration.
    pub config: &'c Config,
    /// Name of the pair.
    pub name: &'c str,
    /// The pair, as it is configured now.
    pub pair: &'c Pair,
    /// Where its runs are kept, and the books and events beside them.
    pub data: &'c Data,
    /// Who asks.
    pub by: &'c str,
    /// The lease under which something is written.
    guard: Option<Guard>,
    /// In how many millionths of the time systems may be read; without a limit where nobody waits for their own work.
    share_ppm: u64,
}

impl<'c> Session<'c> {
    /// A session on a configured pair.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when there is no such pair.
    pub fn new(config: &'c Config, name: &'c str, data: &'c Data, by: &'c str) -> Result<Self, SessionError> {
        Ok(Self { config, name, pair: pair(config, name)?, data, by, guard: None, share_ppm: 1_000_000 })
    }

    /// The same on the pair as somebody has decided that it is for now.
    #[must_use]
    pub(crate) fn on(self, pair: &'c Pair) -> Self {
        Self { pair, ..self }
    }

    /// Opens what writes the systems of the pair: it commits nothing under a lease that may be lost, and sends nothing either
    /// once work is to stop.
    fn opening(&self) -> impl FnMut(&RepairPlan) -> Result<Box<dyn Writer>, SystemError> + use<'c> {
        let (config, name, guard) = (self.config, self.name, self.guard.clone());
        move |plan| {
            let mut writer = writer(config, name, plan)?;
            if let Some(guard) = guard.clone() {
                let sending = guard.clone();
                writer.ask_before_commit(Box::new(move || guard.may_be_lost(clock::monotonic())));
                writer.ask_before_send(Box::new(move || sending.forbids(clock::monotonic())));
            }
            Ok(writer)
        }
    }

    /// The same under a lease. Systems are read in so many millionths of the time.
    #[must_use]
    pub fn under(&self, held: &Held, share_ppm: u64) -> Self {
        Self { guard: Some(held.guard().clone()), share_ppm, ..self.clone() }
    }

    /// From now on time goes by the clock of the store where what is done is kept, which all who write there share: which of two
    /// runs is the newer is told by their ids.
    fn follow(&self) -> Result<(), SessionError> {
        let time = runs(self.data)?.store().time();
        let time = time.map_err(SessionError::store("the time of the store cannot be read"))?;
        time.map(Timestamp).into_iter().for_each(clock::follow);
        Ok(())
    }

    /// Takes the lease of the pair, and waits for whoever had it and is gone.
    fn take(&self) -> Result<Held, SessionError> {
        self.follow()?;
        let (since, mut first, mut watch) = (Stopwatch::start(), None, Watch::default());
        loop {
            let taken = Held::take(self.data, self.name, self.by, &Arc::default(), &mut watch, |_, _| true);
            match taken.map_err(SessionError::store("the lease of the pair cannot be taken"))? {
                Ok(held) => return Ok(held),
                Err(NotTaken::Busy { owner, until }) => {
                    // Whoever renews it is alive.
                    let is_alive = until > *first.get_or_insert(until);
                    if is_alive && since.elapsed() >= BUSY_PATIENCE || since.elapsed() >= GONE_PATIENCE {
                        let what = format!("somebody works on the pair `{}`: {owner}", self.name);
                        return Err(SessionError::outside(what, "wait until that has ended, then ask again"));
                    }
                    pause(BETWEEN_TRIES);
                }
                Err(NotTaken::Paused(pause)) => {
                    let remedy = format!("quittance resume --pair {}", self.name);
                    return Err(SessionError::stopped(told(self.name, &pause), remedy));
                }
                Err(NotTaken::NotDue) => pause(BETWEEN_TRIES),
            }
        }
    }

    /// The repairs of the pair, kept under the lease.
    fn repairs(&self) -> Repairs<'static> {
        Repairs::at(self.data, self.name, self.guard.clone())
    }

    /// Finds out what became of what an earlier process had planned. What cannot be found out now stays for the next time.
    fn finish(&self) -> Result<Begun, SessionError> {
        let mut open = self.opening();
        let mut writers = Writers { open: &mut open, now: &clock::now, by: self.by };
        let (finished, unknown) = resume(&mut self.repairs(), &mut writers).map_err(|error| match error {
            WriteError::Store(error) => SessionError::store("the repairs cannot be read")(error),
            error => error.into(),
        })?;
        if finished.is_empty() {
            return Ok(Begun { unknown, ..Begun::default() });
        }
        let torn = torn(runs(self.data)?.store(), &finished);
        let torn = torn.map_err(SessionError::store("the repairs cannot be read"))?;
        Ok(Begun { finished, unknown, torn })
    }
}

#[expect(clippy::disallowed_methods, reason = "nobody tells when a lease is free")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// A configured pair.
///
/// # Errors
///
/// [`SessionError`] with the names that are known.
pub fn pair<'c>(config: &'c Config, name: &str) -> Result<&'c Pair, SessionError> {
    configured(config, &config.pairs, "pair", name)
}

/// Opens a configured system for reading.
///
/// # Errors
///
/// [`SessionError`] when there is none of this name, or it cannot be opened.
pub fn system(config: &Config, name: &str, data: &Data) -> Result<Box<dyn System>, SessionError> {
    let system = configured(config, &config.systems, "system", name)?;
    let secret = config.system_secret(system).map_err(SessionError::Secret)?;
    open::open(name, system, secret, data).map_err(|source| SessionError::system(name, source))
}

/// Opens what writes the side of a pair that a plan names, in the way that side is configured.
fn writer(config: &Config, pair: &str, plan: &RepairPlan) -> Result<Box<dyn Writer>, SystemError> {
    let unknown = || {
        let what = format!("there is no system `{}` any more", plan.system);
        SystemError::configuration(what, format!("describe it under [systems.{}]", plan.system))
    };
    let system = config.systems.get(&plan.system).ok_or_else(unknown)?;
    let side = config.pairs.get(pair).map(|pair| if plan.side == "left" { &pair.left } else { &pair.right });
    let options = side.filter(|side| side.system == plan.system && side.object == plan.object).map(WriteOptions::of);
    let unset = |error: crate::config::ConfigErrors| {
        SystemError::configuration(
            error.to_string(),
            "set the variable, or write the file, that its write_url, write_api_key or write_token refers to",
        )
    };
    let secret = config.write_secret(system).map_err(unset)?;
    open::writer(&plan.system, system, secret.as_ref(), options.unwrap_or_default())
}

fn configured<'c, T>(
    config: &Config,
    known: &'c BTreeMap<String, T>,
    what: &str,
    name: &str,
) -> Result<&'c T, SessionError> {
    known.get(name).ok_or_else(|| {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        let file = config.file.as_ref().map_or("no configuration".into(), |file| file.display().to_string());
        let remedy = match names.as_slice() {
            [] => format!("describe it under [{what}s.NAME], or have `quittance init` propose it"),
            names => format!("known are {}", names.join(", ")),
        };
        SessionError::asked(format!("there is no {what} `{name}` in {file}"), remedy)
    })
}

/// The runs of a data directory, once nobody else keeps one there.
///
/// # Errors
///
/// [`SessionError`] when they cannot be opened.
pub fn runs(data: &Data) -> Result<History, SessionError> {
    History::open(data).map_err(SessionError::store("the runs cannot be opened"))
}

/// An id for a run that began at a time.
pub(crate) fn new_run(started_at: Timestamp) -> RunId {
    RunId::from_uuid(ids::SystemIds::default().uuid(started_at))
}

/// The repairs of a run that somebody named, and those of them that are meant, none for all: `run_…`, `run_…/3` or `run_…/3,4`.
fn named(id: &str) -> Result<(RunId, Vec<i64>), SessionError> {
    let (run, nos) = id.split_once('/').map_or((id, None), |(run, nos)| (run, Some(nos)));
    let wrong = || {
        let remedy =
            "write the id that `quittance reconcile --apply` printed, as run_…, or run_…/3 for one repair of it";
        SessionError::asked(format!("`{id}` is no id of a run"), remedy)
    };
    let run = run.parse().map_err(|_| wrong())?;
    let nos = nos.into_iter().flat_map(|nos| nos.split(',')).map(|no| no.parse().map_err(|_| wrong()));
    Ok((run, nos.collect::<Result<_, _>>()?))
}

/// A run of repairs and those of its repairs that are meant.
fn load(history: &mut History, id: &str) -> Result<(RepairRun, Vec<Kept>), SessionError> {
    const READING: &str = "the repairs cannot be read";
    let (id, nos) = named(id)?;
    let Some(run) = super::run(history.store(), id).map_err(SessionError::store(READING))? else {
        let remedy = "name a run of `reconcile --apply` or `undo --apply`, and the data directory it was kept in";
        return Err(SessionError::asked(format!("there is no run of repairs {id}"), remedy));
    };
    let repairs = Repairs::new(history.store(), &run.pair).of_run(id);
    let mut repairs = repairs.map_err(SessionError::store(READING))?;
    if let Some(no) = nos.iter().find(|no| !repairs.iter().any(|repair| repair.no == **no)) {
        let what = format!("{id} has no repair {no}");
        return Err(SessionError::asked(what, format!("it has those from 0 to {}", run.repairs - 1)));
    }
    repairs.retain(|repair| nos.is_empty() || nos.contains(&repair.no));
    Ok((run, repairs))
}
