//! What several processes remember together, in Redis, behind what each remembers by itself.
//!
//! Owns what is looked up and kept there, who of all processes asks, and who hears what is to be forgotten. It is never needed: where
//! it is away, each process goes on by itself. Does not own what is fresh enough.
//!
//! A process answers from its own memory without asking Redis, so what it does not hear is as old as it may be at most. It forgets all of it
//! whenever its connection was lost: what was said meanwhile was said to others.

mod kept;
mod link;
mod names;
mod news;
mod scripts;

use super::known::{Found, Known};
use super::memory::{Lead, Memory, Place};
use super::pool::Pool;
use super::{Believed, Outcome, Source, Told};
use crate::config::{Secret, TruthPolicy};
use crate::metrics::{truth_redis_is_up, truth_redis_untold};
use crate::{clock, ids};
use kept::{Bound, Clocks, KEPT_BYTES_MAX};
use link::{Line, Link, LinkError, REPLY};
use names::{Entry, channel, hex};
use news::{News, Untold};
use quittance_postgres::Risk;
use quittance_store::seal::Keyring;
use redis::Pipeline;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex as Turn, Notify, Semaphore};
use tokio::time::MissedTickBehavior;

/// How often it is found out whether Redis does what is asked of it.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Times in a row that it does not, or is not told what was heard, after which the connection is given up.
const MISSES_MAX: u32 = 3;

/// Between two tries to reach Redis, at first and at most.
const TRIES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// How long a connection lasts after which the next one is tried for at once.
const LASTING: Duration = Duration::from_secs(30);

/// Questions that look into Redis at once; more go to the system without.
const LOOKS_MAX: usize = 1_024;

/// Between two looks at what another process is asking, at first and at most.
const LOOKS: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(100)];

/// How long a question may take whose answer is kept; for longer it is known that something was heard meanwhile.
const QUESTION_MAX: Duration = Duration::from_secs(120);

/// How long an entry is kept for a question, and how long it is known that something was heard: longer than a question takes.
const NOTED: Duration = Duration::from_secs(180);

/// Records of which it is known that something was heard. With more, it is assumed of every record for the time of those left out.
const NOTED_MAX: u32 = 100_000;

/// How long it is known which entry tells of a record, at least.
const IDENTITY: Duration = Duration::from_secs(86_400);

/// How long an era is kept that nobody asks in: longer than any answer of it.
const ERA: Duration = Duration::from_secs(15 * 86_400);

/// How long a question waits until what was heard here is told: a little longer than Redis is given to answer, so that its silence counts.
const TELLING: Duration = Duration::from_millis(2 * REPLY.as_millis() as u64);

/// What is told at once.
const BATCH: usize = 200;

/// The address of a Redis, where it is one.
pub(crate) fn is_address(address: &str) -> bool {
    link::client(address).is_some()
}

/// What is shared.
pub(super) struct Shared {
    link: Link,
    prefix: String,
    channel: String,
    keys: Option<Arc<Keyring>>,
    /// What this process is called by the others.
    me: String,
    memory: Arc<Memory>,
    /// Names of the pairs, in the order of their numbers.
    pairs: Vec<String>,
    untold: Mutex<Untold>,
    /// Who tells.
    turn: Turn<()>,
    news: Notify,
    looks: Semaphore,
    trouble: Mutex<Option<String>>,
}

/// What is written down before a question is sent, so that its answer can be kept.
struct Ticket {
    line: Line,
    entry: Entry,
    generation: String,
    asked_at: i64,
    token: String,
    since: Instant,
}

/// What a look came to.
enum Look {
    /// It is known.
    Known(Told),
    /// The system is to be asked. What was found and is too old is good where the system cannot be asked.
    Ask(Option<Box<Ticket>>, Option<Arc<Known>>),
}

/// What lies in Redis about a key.
struct Seen {
    generation: String,
    /// When the question behind the answer was sent; empty where there is no answer.
    stamp: String,
    known: Option<Arc<Known>>,
    is_ours_to_ask: bool,
    now: i64,
}

impl Shared {
    /// Over the Redis at an address, none where it is none. Nothing is opened yet.
    pub(super) fn new(
        address: &Secret,
        prefix: &str,
        keys: Option<Arc<Keyring>>,
        memory: &Arc<Memory>,
        pairs: Vec<String>,
    ) -> Option<Self> {
        let link = Link::new(link::client(address.expose())?);
        truth_redis_is_up(false);
        Some(Self {
            trouble: Mutex::new(Some("it was not reached yet".to_owned())),
            link,
            prefix: prefix.to_owned(),
            channel: channel(prefix),
            keys,
            me: hex(&ids::random::<8>()),
            memory: Arc::clone(memory),
            pairs,
            untold: Mutex::default(),
            turn: Turn::new(()),
            news: Notify::new(),
            looks: Semaphore::new(LOOKS_MAX),
        })
    }

    /// Has a question answered by what another process knows or asks, else by the system.
    pub(super) async fn answer(
        self: Arc<Self>,
        believed: Arc<Believed>,
        pool: Arc<Pool>,
        lead: Lead,
        max_age: Duration,
    ) {
        let key = lead.place.key.clone();
        let look = match self.looks.try_acquire() {
            Ok(_one) => self.look(&believed, &key, max_age).await,
            Err(_) => Look::Ask(None, None),
        };
        match look {
            Look::Known(told) => lead.end(Ok(told)),
            Look::Ask(ticket, older) => {
                older.into_iter().for_each(|known| lead.note(known));
                let waiting = lead.waiting();
                pool.ask(lead);
                if let Some(ticket) = ticket {
                    let outcome = waiting.outcome().await;
                    self.settle(&believed, &key, *ticket, outcome).await;
                }
            }
        }
    }

    /// Looks until it is known, nobody else asks, or somebody else takes too long.
    async fn look(&self, believed: &Believed, key: &str, max_age: Duration) -> Look {
        let since = clock::monotonic();
        // What was heard here is told before anything is believed that others know.
        let is_told = tokio::time::timeout(TELLING, self.tell()).await.unwrap_or(false);
        let Some(line) = self.link.line().filter(|_| is_told) else { return self.away(believed) };
        let entry = line.names.entry(&believed.name, key);
        let token = hex(&ids::random::<16>());
        let at = At { line: &line, entry: &entry, token: &token };
        let Some(first) = self.seen(believed, key, &at, None).await else { return self.away(believed) };
        if let Some(known) = first.known.clone().filter(|known| believed.is_fresh(known, max_age, clock::monotonic())) {
            believed.numbers.looked("fresh");
            return Look::Known(Told { known, source: Source::Cache });
        }
        let ticket = |seen: &Seen| {
            let (generation, asked_at) = (seen.generation.clone(), seen.now);
            let (line, entry, token) = (line.clone(), entry.clone(), token.clone());
            Some(Box::new(Ticket { line, entry, generation, asked_at, token, since: clock::monotonic() }))
        };
        let (older, mut last, mut pause) = (first.known.clone(), first, LOOKS[0]);
        loop {
            let Some(seen) = self.seen(believed, key, &at, Some(&last.stamp)).await else {
                // It may be noted there that we ask, though we did not hear it: nobody is to wait for us longer than our question takes.
                believed.numbers.looked("away");
                return Look::Ask(ticket(&last), older);
            };
            if let Some(known) = seen.known {
                // Somebody asked while we waited.
                believed.numbers.looked("waited");
                return Look::Known(Told { known, source: Source::Provider });
            }
            if seen.is_ours_to_ask || since_then(since) >= believed.truth.timeout / 2 {
                believed.numbers.looked(if seen.is_ours_to_ask { "none" } else { "impatient" });
                return Look::Ask(ticket(&seen), older);
            }
            last = seen;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LOOKS[1]);
        }
    }

    fn away(&self, believed: &Believed) -> Look {
        believed.numbers.looked("away");
        Look::Ask(None, None)
    }

    /// What lies there; and whether it is ours to ask, where nothing has changed since it was last seen.
    async fn seen(&self, believed: &Believed, key: &str, at: &At<'_>, last: Option<&str>) -> Option<Seen> {
        let Entry { era, entry } = at.entry;
        let drawn = hex(&ids::random::<16>());
        let (noted, asking) = (NOTED.as_millis().to_string(), believed.truth.timeout.as_millis().to_string());
        let (most, era_ms) = (KEPT_BYTES_MAX.to_string(), ERA.as_millis().to_string());
        let steady = clock::monotonic();
        let arguments = [&drawn, &noted, &most, last.unwrap_or("-"), at.token, &asking, &era_ms].map(str::as_bytes);
        let command = link::script(scripts::LOOK, &[era, entry], &arguments);
        type Answer = (String, String, Vec<u8>, i64, i64, i64);
        let (generation, stamp, kept, ours, seconds, micros): Answer = self.link.ask(at.line, &command).await?;
        let now = seconds.saturating_mul(1_000_000).saturating_add(micros);
        let clocks = Clocks { redis: now, wall: clock::now(), steady };
        let known = (!kept.is_empty()).then(|| {
            let bound = Bound { pair: believed.mark(), entry, generation: &generation, asked_at: stamp.parse().ok()? };
            kept::decode(&kept, bound, (&believed.name, key), self.keys.as_deref(), clocks).map(Arc::new)
        });
        if matches!(known, Some(None)) {
            believed.numbers.looked("unreadable");
        }
        Some(Seen { generation, stamp, known: known.flatten(), is_ours_to_ask: ours == 1, now })
    }

    /// Keeps what a question came to, unless something was heard since it was sent.
    async fn settle(&self, believed: &Believed, key: &str, ticket: Ticket, outcome: Outcome) {
        let known = outcome.ok().map(|told| told.known).filter(|_| since_then(ticket.since) <= QUESTION_MAX);
        let bound = Bound {
            pair: believed.mark(),
            entry: &ticket.entry.entry,
            generation: &ticket.generation,
            asked_at: ticket.asked_at,
        };
        let answer = known.as_ref().and_then(|known| kept::encode(known, bound, self.keys.as_deref()));
        let kept_for = known.as_ref().map_or(Duration::ZERO, |known| kept_for(believed, known.found));
        let identity = known.as_ref().and_then(|known| known.identity.as_deref()).unwrap_or(key);
        let identity = ticket.line.names.identity(&believed.name, identity);
        let Entry { era, entry } = &ticket.entry;
        let numbers = [ticket.asked_at.to_string(), kept_for.as_millis().to_string()];
        let identified = kept_for.max(IDENTITY).as_millis().to_string();
        let arguments = [
            ticket.generation.as_bytes(),
            numbers[0].as_bytes(),
            &answer.unwrap_or_default(),
            numbers[1].as_bytes(),
            identified.as_bytes(),
            ticket.token.as_bytes(),
        ];
        let command = link::script(scripts::SETTLE, &[era, entry, &identity], &arguments);
        // Others wait for as long as it is noted that we ask.
        if self.link.insist::<i64>(&ticket.line, &command).await == Some(-1) {
            // Others have heard what did not come here yet.
            self.memory.forget(&Place { pair: believed.no, key: key.to_owned() });
        }
    }

    /// Something was heard about a record: Redis and the other processes are to forget it, by its key or by what tells it apart.
    pub(super) fn heard(&self, pair: &str, word: &str) {
        self.untold().add(pair, word);
        self.news.notify_one();
    }

    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what was heard here. Whether nothing is left to be told.
    pub(super) async fn tell(&self) -> bool {
        if self.untold().len() == 0 {
            return true;
        }
        let _turn = self.turn.lock().await;
        loop {
            let next = self.untold().next(BATCH);
            if next.is_empty() {
                return true;
            }
            let Some(line) = self.link.line() else { return false };
            if self.link.ask_all(&line, &self.spoken(&line, &next)).await.is_none() {
                return false;
            }
            self.untold().told(&next);
        }
    }

    /// News as they are told to Redis, and by it to everybody.
    fn spoken(&self, line: &Line, news: &[(News, u64)]) -> Pipeline {
        let (noted, most) = (NOTED.as_millis().to_string(), NOTED_MAX.to_string());
        let mut pipeline = redis::pipe();
        for (news, _) in news {
            let message = news.encode(&self.me, &self.channel, self.keys.as_deref());
            let command = match news {
                News::Record { pair, word } => {
                    let Entry { era, entry } = line.names.entry(pair, word);
                    let (identity, base) = (line.names.identity(pair, word), line.names.base());
                    let [channel, noted, base, most] = [&self.channel, &noted, base, &most].map(str::as_bytes);
                    link::script(scripts::HEARD, &[&era, &entry, &identity], &[channel, &message, noted, base, most])
                }
                News::All => link::script(scripts::ALL, &[&line.names.era()], &[self.channel.as_bytes(), &message]),
            };
            pipeline.add_command(command);
        }
        pipeline
    }

    /// Somebody else has told something.
    fn hear(&self, message: &[u8]) {
        match News::decode(message, &self.me, &self.channel, self.keys.as_deref()) {
            None => {}
            Some(News::All) => self.memory.forget_all(),
            Some(News::Record { pair, word }) => {
                // Another installation's pair, or one that is only configured there.
                let Some(no) = self.pairs.iter().position(|known| *known == pair) else { return };
                self.memory.forget_identity(no, &word);
            }
        }
    }

    /// Keeps a connection, for ever.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut pause = TRIES[0];
        loop {
            match self.connect().await {
                Ok(line) => {
                    self.set_trouble(None);
                    let since = clock::monotonic();
                    let why = self.until_lost(&line).await;
                    self.link.set(None);
                    self.set_trouble(Some(why.to_owned()));
                    if since_then(since) >= LASTING {
                        pause = TRIES[0];
                    }
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})"));
                    self.set_trouble(Some(format!("{error}{}", cause.unwrap_or_default())));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(TRIES[1]);
        }
    }

    async fn connect(self: &Arc<Self>) -> Result<Line, LinkError> {
        let ears = Arc::downgrade(self);
        let hear = move |message: &[u8]| ears.upgrade().into_iter().for_each(|ears| ears.hear(message));
        let line = self.link.connect(&self.prefix, &self.channel, hear).await?;
        // What others said before we listened, we did not hear; nor is it known what our questions under way missed.
        self.memory.forget_all();
        self.link.set(Some(line.clone()));
        self.news.notify_one();
        Ok(line)
    }

    /// Tells what is heard for as long as a connection is good. Why it is not any more.
    async fn until_lost(&self, line: &Line) -> &'static str {
        // Made once: however much is heard meanwhile, its turn comes.
        let mut heartbeat = tokio::time::interval_at((clock::monotonic() + HEARTBEAT).into(), HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut misses = 0;
        while misses < MISSES_MAX {
            tokio::select! {
                () = line.lost.notified() => return "the connection was lost",
                // What cannot be told is told, and counted where it cannot be, with the next heartbeat.
                () = self.news.notified() => drop(self.tell().await),
                _ = heartbeat.tick() => {
                    let is_well = self.link.is_usable(line).await && self.tell().await;
                    misses = if is_well { 0 } else { misses + 1 };
                }
            }
        }
        "it did not do what was asked of it, several times in a row"
    }

    /// Notes whether Redis is there, and says so when that changes.
    fn set_trouble(&self, trouble: Option<String>) {
        truth_redis_is_up(trouble.is_none());
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let redis = &self.link.shown;
        match (&*known, &trouble) {
            (Some(_), None) => tracing::info!(redis, "answers about what is true are shared"),
            (None, Some(why)) => {
                tracing::warn!(redis, why, "Redis is away; each server remembers what is true by itself");
            }
            (Some(before), Some(why)) if before != why => tracing::warn!(redis, why, "Redis is away"),
            _ => {}
        }
        *known = trouble;
    }

    /// What is wrong, where something is.
    pub(super) fn risk(&self) -> Option<Risk> {
        let why = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(Risk {
            code: "truth_redis_away",
            what: format!(
                "Redis at {} cannot be used ({why}): what this server hears about records, others do not, and they answer from what they \
                 remember for as long as max_age",
                self.link.shown
            ),
            remedy: "have Redis run, and reachable by the address that [truth] redis names",
            is_grave: false,
        })
    }

    /// Reports how things stand.
    pub(super) fn report(&self) {
        truth_redis_untold(self.untold().len());
    }
}

/// Where something is looked up, and by whom.
struct At<'a> {
    line: &'a Line,
    entry: &'a Entry,
    token: &'a str,
}

fn since_then(then: Instant) -> Duration {
    clock::monotonic().saturating_duration_since(then)
}

/// How long an answer is good for anybody: fresh, or where the system cannot be asked; and at least until whoever waits for it has it.
fn kept_for(believed: &Believed, found: Found) -> Duration {
    let truth = &believed.truth;
    let fresh = match found {
        Found::One => truth.max_age,
        Found::None | Found::Several(_) => truth.max_age.min(truth.negative_max_age),
    };
    let stale = match truth.policy {
        TruthPolicy::Stale(longer) => longer,
        TruthPolicy::Deny | TruthPolicy::Error => Duration::ZERO,
    };
    fresh.saturating_add(stale).max(truth.timeout)
}
