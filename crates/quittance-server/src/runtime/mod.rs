//! The engine at work: a thread for each lane that steps it, tasks that carry its jobs out, threads that read beside it.
//!
//! Everything that reaches the engine goes through one bounded queue; everything it says is durable before anybody
//! hears it. Owns threads, connections and waiting. Does not own what is decided, nor the meaning of an answer.

mod claims;
mod clocks;
mod deadlines;
mod delivery;
mod drift;
mod elsewhere;
mod events;
mod executor;
mod find;
mod gateways;
mod grants;
mod handle;
mod health;
mod hearing;
mod jobs;
mod readers;
mod risks;
mod shared;
mod sweep;
mod waiters;

pub(crate) use claims::InProgress;
pub use handle::{Handle, Readiness, SubmitError, Submitted, WebhookEndpoint};
pub use health::Complaint;
pub use hearing::Unheard;
pub use readers::ReadError;
pub use waiters::{Answer, Watch};

use crate::alerts;
use crate::caps::Caps;
use crate::clock;
use crate::config::{Config, Secrets};
use crate::data::{Data, Place};
use crate::ids::SystemIds;
use crate::render::Renderer;
use crate::roles::Roles;
use crate::serve::ServeError;
use crate::truth::Truths;
use events::Deliveries;
use executor::Executor;
use gateways::GatewayStates;
use grants::Grants;
use quittance_engine::Engine;
use quittance_engine::breaker;
use quittance_engine::gateways::Leases;
use quittance_engine::queue::{self, Queue};
use quittance_store::memory::MemoryDatabase;
use quittance_store::store::{Owners, Reader, Store, StoreError};
use readers::Readers;
use shared::{End, Shared};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use waiters::Waiters;

/// Threads that read.
const READERS: usize = 2;

/// Lanes where the configuration does not say. Several have not been measured, nor run under load, for long enough to be what
/// everybody gets.
const LANES: usize = 1;

/// How often a stopping runtime looks whether its jobs are over.
const WIND_DOWN_POLL: Duration = Duration::from_millis(10);

/// A store, open for its writers and for readers.
pub struct Database {
    /// The writer, or the first.
    pub writer: Box<dyn Store>,
    /// Further writers, where a store takes several: one for each lane but the first.
    pub lanes: Vec<Box<dyn Store>>,
    /// Readers, at least one.
    pub readers: Vec<Box<dyn Reader>>,
}

impl Database {
    /// Opens the books for writing and reading, creating them as needed, with so many writers.
    ///
    /// # Errors
    ///
    /// [`StoreError`], as [`Data::open_for_writing`] has it.
    pub fn open(data: &Data, lanes: usize) -> Result<Self, StoreError> {
        let writer = data.open_for_writing()?;
        let lanes = (1..lanes).map(|_| data.open_for_writing()).collect::<Result<_, _>>()?;
        Ok(Self { writer, lanes, readers: (0..READERS).map(|_| data.open_reader()).collect::<Result<_, _>>()? })
    }

    /// A handle to data in memory; gone with the last handle.
    #[must_use]
    pub fn in_memory(database: &MemoryDatabase) -> Self {
        Self { writer: Box::new(database.writer()), lanes: Vec::new(), readers: vec![Box::new(database.reader())] }
    }
}

/// The running engine. Dropping it leaves the engine running as long as handles are used; [`Runtime::stop`] ends it.
pub struct Runtime {
    handle: Handle,
    end: watch::Receiver<Option<End>>,
    /// What looks at gateways and at other processes; ends with the runtime.
    lookouts: JoinSet<()>,
}

impl Runtime {
    /// Opens the data and starts. Has to be called inside a tokio runtime, on which jobs will run.
    ///
    /// **Effects**: takes the lock on the data; what an earlier process left half done is taken up at once.
    ///
    /// # Errors
    ///
    /// [`ServeError`] when a secret is not there, the data cannot be opened, or no connection can be set up.
    pub fn start(config: Config, data: &Data, roles: Roles) -> Result<Self, ServeError> {
        let tokio = tokio::runtime::Handle::current();
        crate::data::apart(|| {
            let _inside = tokio.enter();
            Self::open(config, data, roles)
        })
    }

    fn open(config: Config, data: &Data, roles: Roles) -> Result<Self, ServeError> {
        let secrets = config.resolve_secrets()?;
        let ways = alerts::Ways::new(&config)?;
        let data = &data.clone().with_keys(config.keyring()?);
        let open = |source| ServeError::Open { place: data.to_string(), source };
        let lanes = lanes(&config, data)?;
        let database = Database::open(data, lanes).map_err(open)?;
        let mut runtime = Self::start_with(config, secrets, database, breaker::Limits::default(), roles)?;
        runtime.handle.shared.truths.set_data(data);
        // Said once, when it starts.
        let _ = runtime.handle.shared.data.set(data.clone());
        runtime.lookouts.spawn(alerts::run(runtime.handle(), data.clone(), ways));
        runtime.handle.shared.drift.set_data(data);
        if let Place::Postgres(_) = data.place() {
            let shared = Arc::clone(&runtime.handle.shared);
            match data.risks() {
                Ok(found) => risks::note(&shared, found),
                Err(error) => {
                    tracing::warn!(%error, "the settings of the database could not be read; they are read again")
                }
            }
            runtime.lookouts.spawn(risks::run(shared, data.clone()));
        }
        Ok(runtime)
    }

    /// As [`Runtime::start`], over a database, secrets and breakers of the caller's.
    ///
    /// # Errors
    ///
    /// [`ServeError`].
    pub fn start_with(
        config: Config,
        secrets: Secrets,
        database: Database,
        breakers: breaker::Limits,
        roles: Roles,
    ) -> Result<Self, ServeError> {
        let is_shared = database.writer.owners() == Owners::Shared;
        if !is_shared && roles != Roles::ALL {
            return Err(ServeError::Alone { roles });
        }
        let gateways = GatewayStates::new(&config, &secrets, breakers)?;
        let for_engine = gateways::for_engine(&config, &secrets);
        let engine = |store: Box<dyn Store>| {
            let leases = Leases { lease_ms: config.server.lease_ms };
            let ids = Box::<SystemIds>::default();
            let engine = Engine::new(store, ids, Box::new(Renderer), for_engine.clone(), leases);
            engine.with_brakes(config.brakes.clone()).with_clock(Box::new(clock::SystemClock))
        };
        let mut engines = vec![engine(database.writer)];
        take_up(&mut engines[0])?;
        for store in database.lanes {
            engines.push(engine(store));
            let started = engines.last_mut().map(|engine| engine.start(&clock::reading()));
            started.transpose().map_err(ServeError::Recover)?;
        }
        gateways.follow(engines[0].paused());
        let limits =
            queue::Limits { entries_max: config.server.queue_entries_max, age_max_ms: config.server.queue_age_max_ms };
        let (end_sender, end) = watch::channel(None);
        let shared = Arc::new(Shared {
            queue: Queue::new(limits),
            waiters: Waiters::new(config.server.connections_max),
            deliveries: Deliveries::new(&config.webhooks),
            claims: Arc::default(),
            caps: Arc::new(Caps::new(config.server.caps)),
            drift: drift::Drift::new(),
            truths: Truths::new(&config, &secrets, config.keyring()?),
            config,
            secrets,
            gateways,
            grants: Grants::default(),
            risks: Mutex::default(),
            certificate: Mutex::default(),
            data: OnceLock::new(),
            mute: Mutex::default(),
            outlook: Mutex::new(engines[0].outlook()),
            lanes_left: AtomicUsize::new(engines.len()),
            roles,
            is_winding_down: AtomicBool::new(false),
            end: end_sender,
        });
        let readers = Readers::start(database.readers).map_err(ServeError::Thread)?;
        start_lanes(engines, &shared)?;
        let handle = Handle { shared, readers };
        Ok(Self { lookouts: start_lookouts(&handle, is_shared), handle, end })
    }

    /// A way in.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Resolves when the engine has stopped, with the reason where it stopped by itself.
    ///
    /// # Errors
    ///
    /// [`ServeError::Stopped`].
    pub async fn ended(&mut self) -> Result<(), ServeError> {
        await_end(&mut self.end).await
    }

    /// Begins nothing new at gateways, gives the jobs under way so long to end, then tells everybody who still waits for
    /// an answer that there is none yet. A job that takes longer is left: its ticket is committed, and the next start
    /// reads it back.
    pub async fn wind_down(&self, patience: Duration) {
        let shared = &self.handle.shared;
        shared.is_winding_down.store(true, Ordering::Release);
        let jobs_end = async {
            while shared.gateways.in_flight() + shared.deliveries.in_flight() > 0 && self.end.borrow().is_none() {
                tokio::time::sleep(WIND_DOWN_POLL).await;
            }
        };
        if tokio::time::timeout(patience, jobs_end).await.is_err() {
            let jobs = shared.gateways.in_flight();
            let deliveries = shared.deliveries.in_flight();
            tracing::warn!(jobs, deliveries, "requests are left under way; the next start takes them up");
        }
        shared.waiters.close();
    }

    /// Decides what is queued and releases the data.
    ///
    /// # Errors
    ///
    /// [`ServeError::Stopped`] when the engine had stopped by itself.
    pub async fn stop(self) -> Result<(), ServeError> {
        let Self { handle, mut end, mut lookouts } = self;
        handle.shared.truths.conclude().await;
        // What they have found and not submitted is found again.
        lookouts.shutdown().await;
        let shared = Arc::clone(&handle.shared);
        // Readers end with the last handle; a store that is closed last folds its log into the database.
        drop(handle);
        shared.is_winding_down.store(true, Ordering::Release);
        shared.queue.close();
        await_end(&mut end).await
    }
}

/// How many lanes there are.
///
/// # Errors
///
/// [`ServeError::OneLane`] where a store has one writer and more were asked for.
fn lanes(config: &Config, data: &Data) -> Result<usize, ServeError> {
    match (data.place(), config.server.lanes) {
        (Place::Directory(_), Some(lanes)) if lanes > 1 => Err(ServeError::OneLane { lanes }),
        (Place::Directory(_), _) => Ok(1),
        (Place::Postgres(_), lanes) => Ok(lanes.unwrap_or(LANES)),
    }
}

fn start_lanes(engines: Vec<Engine>, shared: &Arc<Shared>) -> Result<(), ServeError> {
    for (lane, engine) in engines.into_iter().enumerate() {
        let executor = Executor::new(lane, engine, Arc::clone(shared), tokio::runtime::Handle::current());
        let name = if lane == 0 { "executor".to_owned() } else { format!("executor-{lane}") };
        let started = std::thread::Builder::new().name(name).spawn(move || executor.run());
        if let Err(error) = started {
            // Those that run end.
            shared.queue.close();
            return Err(ServeError::Thread(error));
        }
    }
    Ok(())
}

fn start_lookouts(handle: &Handle, is_shared: bool) -> JoinSet<()> {
    let mut lookouts = JoinSet::new();
    lookouts.spawn(handle.shared.truths.keep());
    if is_shared {
        lookouts.spawn(elsewhere::run(handle.clone()));
    }
    if !handle.shared.roles.reconciler {
        return lookouts;
    }
    for (name, config) in &handle.shared.config.gateways {
        if let Some(gateway) = handle.shared.gateways.get(name) {
            let [events, objects] = [config.sweep_every_s, config.object_sweep_every_s].map(Duration::from_secs);
            let pace = sweep::Pace { events, objects, is_shared };
            lookouts.spawn(sweep::run(handle.clone(), gateway, pace));
        }
    }
    lookouts
}

async fn await_end(end: &mut watch::Receiver<Option<End>>) -> Result<(), ServeError> {
    let end = end.wait_for(Option::is_some).await.map(|end| end.clone());
    match end {
        Ok(Some(End::Failed(reason))) => Err(ServeError::Stopped { reason }),
        Ok(Some(End::Stopped)) => Ok(()),
        Ok(None) | Err(_) => Err(ServeError::Stopped { reason: "the executor is gone".to_owned() }),
    }
}

/// Goes on where earlier processes ended, and says what nobody will go on with.
fn take_up(engine: &mut Engine) -> Result<(), ServeError> {
    let started = engine.start(&clock::reading()).map_err(ServeError::Recover)?;
    if started.taken_over > 0 {
        tracing::info!(effects = started.taken_over, "taking up what an earlier process left");
    }
    if let Some(change) = started.doubt {
        clocks::tell(change);
    }
    for tenant in engine.strange_tenants().map_err(ServeError::Recover)? {
        tracing::warn!(tenant, "[brakes.tenants] has limits for a tenant that does not exist");
    }
    for gateway in engine.orphaned_gateways().map_err(ServeError::Recover)? {
        tracing::error!(gateway, "payments at this gateway are open and it is not configured: they wait until it is");
    }
    Ok(())
}
