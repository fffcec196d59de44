//! What is true of a record, for whoever cannot wait for a comparison: answered from what is known while it is fresh
//! enough, else by the system that a pair believes.
//!
//! Owns what is remembered, for how long, and who asks: however many want to know the same at once, one question leaves.
//! Does not own how systems are read, nor who may ask. Nothing is ever written.

mod backoff;
mod known;
mod mark;
mod memory;
mod pool;
mod read;
mod shared;

pub(crate) use known::{Found, Known, Source};
pub(crate) use shared::is_address;

use crate::clock;
use crate::config::{
    Config, Pair as PairConfig, Secrets, SideRef, System as Configured, Truth, TruthCache, TruthPolicy,
};
use crate::data::Data;
use crate::metrics::{TruthNumbers, truths_remembered};
use crate::systems::{Blame, Patience, System, SystemError, open};
use backoff::Backoff;
use memory::{Joined, Lead, Memory, Place};
use pool::Pool;
use quittance_core::pair::Which;
use quittance_postgres::Risk;
use quittance_store::seal::Keyring;
use shared::Shared;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How often one question is repeated within a call: whoever waits for it does not wait long.
const PATIENCE: Patience =
    Patience { tries_max: 2, pause: Duration::from_millis(100), pause_max: Duration::from_secs(2) };

/// How long it is waited until the other processes are told.
const TELLING: Duration = Duration::from_millis(500);

/// An answer, and where it comes from.
#[derive(Clone, Debug)]
struct Told {
    known: Arc<Known>,
    source: Source,
}

/// What came of a question.
type Outcome = Result<Told, Failure>;

/// Why there is no answer. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Why, in words that tell nothing of what is inside.
    pub(crate) why: &'static str,
    /// What was wrong, for the log.
    what: Arc<str>,
    /// Whether asking again may help.
    pub(crate) is_passing: bool,
}

impl Failure {
    fn new(why: &'static str) -> Self {
        Self { why, what: why.into(), is_passing: true }
    }

    fn of(error: &SystemError) -> Self {
        let is_passing = error.blame == Blame::Outside;
        let why = if is_passing {
            "it could not be reached, or did not answer as it should"
        } else {
            "it cannot be asked this way"
        };
        Self { why, what: format!("{} ({})", error.what, error.remedy).into(), is_passing }
    }

    fn given_up() -> Self {
        Self::new("the question was given up")
    }

    fn held_back() -> Self {
        Self::new("it failed several times in a row and is left alone for a moment")
    }

    fn too_many() -> Self {
        Self::new("too many questions wait for it already")
    }

    fn too_slow() -> Self {
        Self::new("it did not answer in time")
    }
}

/// A pair that can be asked.
pub(crate) struct Believed {
    no: usize,
    /// The pair's name.
    pub(crate) name: String,
    config: PairConfig,
    /// What is answered.
    pub(crate) truth: Truth,
    installation: Arc<Installation>,
    backoff: Backoff,
    numbers: TruthNumbers,
    mark: OnceLock<[u8; 32]>,
}

/// What systems are opened with.
struct Installation {
    config: Config,
    data: OnceLock<Data>,
}

impl Believed {
    /// The side that is believed.
    pub(crate) fn side(&self) -> &SideRef {
        if self.truth.side == Which::Left { &self.config.left } else { &self.config.right }
    }

    /// How many columns a key has, and which.
    pub(crate) fn key_columns(&self) -> (usize, String) {
        let (left, right) = &self.config.rules[0];
        let columns = if self.truth.side == Which::Left { left } else { right };
        (columns.len(), columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(","))
    }

    fn open(&self) -> Result<Box<dyn System>, SystemError> {
        let Installation { config, data } = &*self.installation;
        let name = &self.side().system;
        let missing = || SystemError::configuration(format!("there is no system `{name}`"), "describe it");
        let configured = config.systems.get(name).ok_or_else(missing)?;
        let secret = config.system_secret(configured).map_err(|errors| {
            SystemError::configuration(format!("the credential of system `{name}` cannot be read"), "").because(errors)
        })?;
        let data = data.get().cloned().unwrap_or_else(|| Data::directory(""));
        open::open_with(name, &self.shared_out(configured), secret, &data, PATIENCE)
    }

    /// The system with its rate divided among those who ask at once.
    fn shared_out(&self, system: &Configured) -> Configured {
        let mut system = system.clone();
        let many = u32::try_from(self.truth.calls_max).unwrap_or(1).max(1);
        match &mut system {
            Configured::Stripe { requests_per_second_max, timeout_ms, .. } => {
                *requests_per_second_max = (*requests_per_second_max / many).max(1);
                *timeout_ms = (*timeout_ms).min(u64::try_from(self.truth.timeout.as_millis()).unwrap_or(u64::MAX));
            }
            Configured::Http(api) => api.requests_per_second_max = (api.requests_per_second_max / many).max(1),
            _ => {}
        }
        system
    }

    /// What its answers are bound to where they are shared.
    fn mark(&self) -> &[u8; 32] {
        self.mark.get_or_init(|| {
            let Installation { config, data } = &*self.installation;
            let system = config.systems.get(&self.side().system);
            let credential = system.and_then(|system| config.system_secret(system).ok().flatten());
            mark::mark(&self.config, &self.truth, system, credential.as_ref().map(|it| it.expose()), data.get())
        })
    }

    /// How long an answer may be remembered for a question that allows this age.
    fn is_fresh(&self, known: &Known, max_age: Duration, now: Instant) -> bool {
        let max_age = match known.found {
            Found::One => max_age,
            Found::None | Found::Several(_) => max_age.min(self.truth.negative_max_age),
        };
        known.age(now) <= max_age
    }

    fn note(&self, outcome: &Result<Known, Failure>) {
        match outcome {
            Ok(_) => self.backoff.is_well(),
            Err(failure) => {
                tracing::warn!(pair = self.name, what = &*failure.what, "the believed system could not be asked");
                self.backoff.failed(clock::monotonic());
            }
        }
        self.numbers.called(outcome.as_ref().map(|known| known.found).ok());
    }
}

/// An answer, where it comes from, and how old it is.
pub(crate) struct Asked {
    pub(crate) known: Arc<Known>,
    pub(crate) source: Source,
    pub(crate) age: Duration,
}

/// Pairs that can be asked, and what is known.
pub(crate) struct Truths {
    pairs: BTreeMap<String, (Arc<Believed>, Arc<Pool>)>,
    memory: Arc<Memory>,
    /// What other processes know, where they share it.
    shared: Option<Arc<Shared>>,
    installation: Arc<Installation>,
}

impl Truths {
    /// Those of a configuration. Nothing is opened yet. What is shared is sealed where there are keys.
    pub(crate) fn new(config: &Config, secrets: &Secrets, keys: Option<Arc<Keyring>>) -> Self {
        let installation = Arc::new(Installation { config: config.clone(), data: OnceLock::new() });
        let believed = config.pairs.iter().filter_map(|(name, pair)| Some((name, pair, pair.truth.clone()?)));
        let pairs = believed.enumerate().map(|(no, (name, pair, truth))| {
            let believed = Arc::new(Believed {
                no,
                name: name.clone(),
                config: pair.clone(),
                truth,
                installation: Arc::clone(&installation),
                backoff: Backoff::default(),
                numbers: TruthNumbers::new(name),
                mark: OnceLock::new(),
            });
            (name.clone(), (Arc::clone(&believed), Arc::new(Pool::new(believed))))
        });
        let pairs: BTreeMap<_, _> = pairs.collect();
        let memory = Arc::new(Memory::new(config.truths.entries_max));
        // Numbers of pairs follow their names.
        let names = pairs.keys().cloned().collect();
        let shared = match (&config.truths.cache, secrets.truth_redis()) {
            (TruthCache::Redis { prefix, .. }, Some(address)) if !pairs.is_empty() => {
                Shared::new(address, prefix, keys, &memory, names).map(Arc::new)
            }
            _ => None,
        };
        Self { pairs, memory, shared, installation }
    }

    /// Where the ledger lies, for pairs that believe it.
    pub(crate) fn set_data(&self, data: &Data) {
        // Said once, when the server starts.
        let _ = self.installation.data.set(data.clone());
    }

    /// A pair that can be asked.
    pub(crate) fn pair(&self, name: &str) -> Option<&Arc<Believed>> {
        self.pairs.get(name).map(|(believed, _)| believed)
    }

    /// What is true of a key of a pair.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the believed system cannot be asked and the pair's policy has nothing to answer instead.
    pub(crate) async fn ask(&self, believed: &Arc<Believed>, key: String, max_age: Duration) -> Result<Asked, Failure> {
        let place = Place { pair: believed.no, key };
        let now = clock::monotonic();
        if let Some(known) = self.memory.get(&place).filter(|known| believed.is_fresh(known, max_age, now)) {
            return Ok(believed.asked(known, Source::Cache, now));
        }
        let found_out = tokio::time::timeout(believed.truth.timeout, self.find_out(believed, &place, max_age)).await;
        let failure = match found_out.unwrap_or_else(|_| Err(Failure::too_slow())) {
            Ok(Told { known, source }) => return Ok(believed.asked(known, source, clock::monotonic())),
            Err(failure) => failure,
        };
        let now = clock::monotonic();
        if let TruthPolicy::Stale(longer) = believed.truth.policy {
            let is_good = |known: &Arc<Known>| believed.is_fresh(known, max_age.saturating_add(longer), now);
            if let Some(known) = self.memory.get(&place).filter(is_good) {
                return Ok(believed.asked(known, Source::Stale, now));
            }
        }
        believed.numbers.unanswered();
        Err(failure)
    }

    /// Asks, or joins who asks already.
    async fn find_out(&self, believed: &Arc<Believed>, place: &Place, max_age: Duration) -> Outcome {
        loop {
            let is_fresh = |known: &Known| believed.is_fresh(known, max_age, clock::monotonic());
            let waiting = match self.memory.join(place.clone(), is_fresh) {
                Joined::Known(known) => return Ok(Told { known, source: Source::Cache }),
                Joined::Waits(waiting) => waiting,
                Joined::Leads(lead, waiting) => {
                    self.lead(believed, lead, max_age);
                    waiting
                }
            };
            let told = waiting.outcome().await?;
            // Whoever began it may have been content with what another process knew.
            if told.source == Source::Provider || is_fresh(&told.known) {
                return Ok(told);
            }
        }
    }

    /// Has a question answered; whoever waits for it hears.
    fn lead(&self, believed: &Arc<Believed>, lead: Lead, max_age: Duration) {
        let Some((_, pool)) = self.pairs.get(&believed.name) else { return };
        match &self.shared {
            None => pool.ask(lead),
            Some(shared) => {
                let answer = Arc::clone(shared).answer(Arc::clone(believed), Arc::clone(pool), lead, max_age);
                tokio::spawn(answer);
            }
        }
    }

    /// Forgets what is known of a key, here and, where Redis is there, in every process.
    pub(crate) async fn forget(&self, believed: &Believed, key: &str) {
        self.forget_record(believed, key, "asked");
        if let Some(shared) = &self.shared {
            // What cannot be told now is told later.
            let _ = tokio::time::timeout(TELLING, shared.tell()).await;
        }
    }

    /// Something was heard about an object of the account that is reached there: what was known of it is forgotten.
    pub(crate) fn heard(&self, api_base: &str, object: &str) {
        for (believed, _) in self.pairs.values() {
            let system = self.installation.config.systems.get(&believed.side().system);
            if matches!(system, Some(Configured::Stripe { api_base: known, .. }) if known == api_base) {
                self.forget_record(believed, object, "webhook");
            }
        }
    }

    /// A record of a system was changed by a repair: what was known of it is forgotten.
    pub(crate) fn repaired(&self, system: &str, object: &str, identity: &str) {
        for (believed, _) in self.pairs.values() {
            let side = believed.side();
            if side.system == system && side.object == object {
                self.forget_record(believed, identity, "repair");
            }
        }
    }

    fn forget_record(&self, believed: &Believed, word: &str, why: &'static str) {
        // First here, so that what is asked from now on is asked after it.
        let key = self.memory.forget_identity(believed.no, word);
        if let Some(shared) = &self.shared {
            // Redis may have dropped which key it is that the record was told under.
            key.as_deref().into_iter().chain([word]).for_each(|word| shared.heard(&believed.name, word));
        }
        believed.numbers.forgotten(why);
    }

    /// Keeps what is shared reachable, for ever; ends at once where nothing is.
    pub(crate) fn keep(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = self.shared.clone();
        async move {
            if let Some(shared) = shared {
                shared.keep().await;
            }
        }
    }

    /// Tells the other processes what they were not told yet, for a moment.
    pub(crate) async fn conclude(&self) {
        if let Some(shared) = &self.shared {
            let _ = tokio::time::timeout(TELLING, shared.tell()).await;
        }
    }

    /// What is wrong with what is shared.
    pub(crate) fn risk(&self) -> Option<Risk> {
        self.shared.as_ref().and_then(|shared| shared.risk())
    }

    /// Reports how much is remembered.
    pub(crate) fn report(&self) {
        if !self.pairs.is_empty() {
            truths_remembered(self.memory.len());
        }
        if let Some(shared) = &self.shared {
            shared.report();
        }
    }
}

impl Believed {
    fn asked(&self, known: Arc<Known>, source: Source, now: Instant) -> Asked {
        let age = known.age(now);
        self.numbers.answered(source, age);
        Asked { known, source, age }
    }
}
