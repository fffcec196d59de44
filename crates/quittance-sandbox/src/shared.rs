//! Owns: everything the requests of one sandbox share, and carrying out a write under its lock.
//! Does not own: the order in which a request is judged (`gateway`).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tokio::sync::Notify;

use crate::agenda::Agenda;
use crate::answer::{Answer, ApiError};
use crate::books::Books;
use crate::clock;
use crate::config::{Config, Fees, TransactionTiming};
use crate::dice::{Dice, letters};
use crate::execution::{Execution, Mint};
use crate::faults::{DELAY_MS_MAX, Faults};
use crate::idempotency::Keys;
use crate::late::Late;
use crate::lock::lock;
use crate::objects::Origin;
use crate::permissions::Permissions;
use crate::profile::Profile;
use crate::traffic::Traffic;
use crate::visibility::Visibility;
use crate::webhooks::Webhooks;

/// A year either way: enough for every mistake, and dates keep four digits.
pub(crate) const SKEW_SECONDS_MAX: i64 = 366 * 24 * 60 * 60;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seed: u64,
    api_keys: Option<Vec<String>>,
    pub(crate) hold: Duration,
    pub(crate) slow: Duration,
    pub(crate) core: Mutex<Core>,
    pub(crate) faults: Faults,
    pub(crate) webhooks: Arc<Webhooks>,
    /// A late effect was added.
    pub(crate) late_added: Notify,
    /// Something was put on the agenda.
    pub(crate) agenda_added: Notify,
    agenda_delay: Duration,
    fees: Fees,
    balance_transactions: TransactionTiming,
    pub(crate) profile: Mutex<Profile>,
    /// How many requests will get a 401 for a good key.
    pub(crate) unauthorised: AtomicU64,
    pub(crate) clock_skew_seconds: AtomicI64,
    /// Whether things happen of which no event tells, not even in the list of events.
    pub(crate) omits_events: AtomicBool,
    pub(crate) permissions: Mutex<Permissions>,
    pub(crate) traffic: Mutex<Traffic>,
    requests: AtomicU64,
}

/// What only one request at a time may touch.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) books: Books,
    pub(crate) keys: Keys,
    pub(crate) late: Late,
    pub(crate) agenda: Agenda,
    pub(crate) visibility: Visibility,
    last_second: i64,
    writes_without_key: u64,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        let faults = Faults::new(&config);
        let profile = Profile::new(&config);
        Self {
            seed: config.seed,
            api_keys: config.api_keys,
            hold: Duration::from_millis(config.hold_ms.min(DELAY_MS_MAX)),
            slow: Duration::from_millis(config.slow_ms.min(DELAY_MS_MAX)),
            core: Mutex::new(Core {
                books: Books::default(),
                keys: Keys::new(Duration::from_millis(config.idempotency_retention_ms)),
                late: Late::new(config.late_pending_max),
                agenda: Agenda::default(),
                visibility: Visibility::default(),
                last_second: 0,
                writes_without_key: 0,
            }),
            faults,
            webhooks: Arc::new(Webhooks::new(config.webhook, config.webhook_retry_base_ms)),
            late_added: Notify::new(),
            agenda_added: Notify::new(),
            agenda_delay: Duration::from_millis(config.agenda_ms.min(DELAY_MS_MAX)),
            fees: config.fees,
            balance_transactions: config.balance_transactions,
            profile: Mutex::new(profile),
            unauthorised: AtomicU64::new(0),
            clock_skew_seconds: AtomicI64::new(config.clock_skew_seconds.clamp(-SKEW_SECONDS_MAX, SKEW_SECONDS_MAX)),
            omits_events: AtomicBool::new(false),
            permissions: Mutex::new(Permissions::new(config.restricted_keys)),
            traffic: Mutex::new(Traffic::new(config.requests_per_second_max)),
            requests: AtomicU64::new(0),
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Counts a request and names it.
    pub(crate) fn next_request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("req_{}", &letters(Dice::new(self.seed).text("req").number(number))[..14])
    }

    /// Whether this request falls into a window of 401s, of which it then uses one up.
    pub(crate) fn is_unauthorised(&self) -> bool {
        let taken = self.unauthorised.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.is_ok()
    }

    /// The second that the gateway believes it is.
    pub(crate) fn now(&self) -> i64 {
        lock(&self.core).now(self.clock_skew_seconds.load(Ordering::Relaxed))
    }

    pub(crate) fn count_request(&self, method: &Method, endpoint: Option<String>) {
        lock(&self.traffic).count(method.as_str(), endpoint, clock::monotonic());
    }

    /// What a list does not show yet.
    pub(crate) fn unseen(&self, core: &mut Core, list: &str) -> BTreeSet<String> {
        let now = core.now(self.clock_skew_seconds.load(Ordering::Relaxed));
        core.visibility.unseen(list, self.requests(), now)
    }

    /// Whether a key is one of this account's.
    pub(crate) fn knows_key(&self, key: &str) -> bool {
        let is_accepted = match &self.api_keys {
            Some(keys) => keys.iter().any(|known| known == key),
            None => key.starts_with("sk_test_") || key.starts_with("rk_test_"),
        };
        is_accepted || lock(&self.permissions).knows(key)
    }

    /// Carries out `work` and sends its events. The ids of its objects follow from the idempotency
    /// key and its `incarnation`, or from a running number when there is no key.
    pub(crate) fn execute(
        &self,
        core: &mut Core,
        origin: Origin,
        incarnation: u64,
        host: &str,
        work: impl FnOnce(&mut Execution<'_>) -> Result<Answer, ApiError>,
    ) -> Answer {
        let dice = match &origin.idempotency_key {
            Some(key) => Dice::new(self.seed).text("key").text(key).number(incarnation),
            None => Dice::new(self.seed).text("write").number(core.next_write()),
        };
        self.execute_with(core, dice, origin, host, work)
    }

    /// The same, with ids that follow from `dice`.
    pub(crate) fn execute_with(
        &self,
        core: &mut Core,
        dice: Dice,
        origin: Origin,
        host: &str,
        work: impl FnOnce(&mut Execution<'_>) -> Result<Answer, ApiError>,
    ) -> Answer {
        let now = core.now(self.clock_skew_seconds.load(Ordering::Relaxed));
        let mut execution = Execution {
            books: &mut core.books,
            mint: Mint::new(dice),
            origin,
            now,
            host: host.to_owned(),
            webhooks: u32::from(self.webhooks.has_target()),
            emitted: Vec::new(),
            emits: !self.omits_events.load(Ordering::Relaxed),
            fees: self.fees,
            balance_transactions: self.balance_transactions,
            planned: Vec::new(),
        };
        let answer = work(&mut execution).unwrap_or_else(|error| error.answer());
        core.visibility.created(execution.mint.into_made(), self.requests(), now);
        self.webhooks.enqueue(execution.emitted, &self.faults);
        if !execution.planned.is_empty() {
            core.agenda.add(clock::monotonic() + self.agenda_delay, execution.planned);
            self.agenda_added.notify_one();
        }
        answer
    }

    /// A change that no API request caused.
    pub(crate) fn act(&self, work: impl FnOnce(&mut Execution<'_>) -> Result<Answer, ApiError>) -> Answer {
        self.execute(&mut lock(&self.core), Origin::default(), 0, "localhost", work)
    }
}

impl Core {
    /// Never lower than before, even when a clock is set back: lists rely on it.
    fn now(&mut self, skew_seconds: i64) -> i64 {
        self.last_second = self.last_second.max(clock::unix_seconds().saturating_add(skew_seconds));
        self.last_second
    }

    fn next_write(&mut self) -> u64 {
        self.writes_without_key += 1;
        self.writes_without_key
    }
}
