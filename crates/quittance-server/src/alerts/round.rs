//! Looking at what is to be told, again and again, and telling it.
//!
//! Every process that serves does so. The store is opened for a moment to look, to take a message and to settle it, and never
//! while something is sent.

use super::book::Book;
use super::outbox::{self, Refused};
use super::sending::Ways;
use super::watching::{self, Judgement, Watcher, Wrong};
use crate::clock;
use crate::config::Config;
use crate::data::Data;
use crate::diff::History;
use crate::ids;
use crate::metrics;
use crate::runtime::Handle;
use quittance_core::alert::{self, Kind, Standing};
use quittance_core::id::NoticeId;
use quittance_core::time::Timestamp;
use quittance_store::records::{Notice, NoticeState};
use quittance_store::store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How often is looked.
const LOOK: Duration = Duration::from_secs(2);

/// What is needed to look and to tell.
struct Teller {
    config: Config,
    data: Data,
    ways: Ways,
}

/// What a look found.
struct Looked {
    /// Messages that were taken to be sent.
    taken: Vec<Notice>,
    /// Channels that take none, each with why.
    mute: Vec<(String, String)>,
}

/// Looks and tells for ever.
pub(crate) async fn run(handle: Handle, data: Data, ways: Ways) {
    let teller = Arc::new(Teller { config: handle.config().clone(), data, ways });
    let (mut watcher, mut sending) = (Watcher::default(), JoinSet::new());
    loop {
        tokio::time::sleep(LOOK).await;
        while sending.try_join_next().is_some() {}
        let (unheard, unknown) = handle.unheard();
        let wrong = Wrong { complaints: handle.readiness().degraded, unheard, unknown };
        let looking = Arc::clone(&teller);
        let looked = apart("alerts", move || {
            let taken = looking.look(&mut watcher, &wrong);
            (watcher, taken)
        });
        let taken = match looked.await {
            Some((seen, taken)) => {
                watcher = seen;
                taken
            }
            None => {
                watcher = Watcher::default();
                tracing::warn!("no thread can be started to look at alerts");
                continue;
            }
        };
        match taken {
            Ok(Looked { taken, mute }) => {
                handle.note_mute_channels(mute);
                for notice in taken {
                    sending.spawn(tell(Arc::clone(&teller), notice));
                }
            }
            // Somebody else writes there, for a moment.
            Err(StoreError::Locked { .. } | StoreError::Missing { .. }) => {}
            Err(error) => tracing::warn!(%error, "alerts cannot be read or kept; they are looked at again"),
        }
    }
}

/// Does something on a thread that nobody waits for when the server stops.
async fn apart<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || drop(answer.send(work()))).ok()?;
    answered.await.ok()
}

impl Teller {
    /// Looks at what is wrong and what was told, writes down what follows, and takes what is to be sent.
    fn look(&self, watcher: &mut Watcher, wrong: &Wrong) -> Result<Looked, StoreError> {
        let runs = self.data.runs();
        let book = Book::of(&self.data)?;
        let now = clock::now();
        self.measure(&book, now);
        let mute = |name: &String| Some((name.clone(), watching::mute(&book, name)?.1));
        let mute = self.config.alerts.keys().filter_map(mute).collect();
        let judgements = self.judge(watcher, wrong, &book, now);
        if !self.is_anything_due(&judgements, &book, now) {
            return Ok(Looked { taken: Vec::new(), mute });
        }
        let mut store = runs.open_for_writing()?;
        for Judgement { subject, judged, firing } in judgements {
            match super::observe(store.as_mut(), &subject, &judged, &firing, now) {
                // Another process said it first, for the first time of all.
                Err(StoreError::Conflict { .. }) => {}
                kept => kept.map(|()| watcher.kept(&subject, &judged))?,
            }
        }
        let mut book = Book::read(store.as_mut())?;
        for alert in book.alerts.iter().filter(|alert| alert.lies_ahead(now)) {
            outbox::hold_back(store.as_mut(), alert, now)?;
        }
        for channel in self.config.alerts.values() {
            if outbox::plan(store.as_mut(), &channel.rules, &book, NoticeId::from_bytes(ids::random()), now)? {
                book = Book::read(store.as_mut())?;
            }
        }
        Ok(Looked { taken: self.take(store.as_mut(), &book, now)?, mute })
    }

    fn judge(&self, watcher: &mut Watcher, wrong: &Wrong, book: &Book, now: Timestamp) -> Vec<Judgement> {
        let mut judgements = watcher.gateways(&self.config, wrong, book, now);
        judgements.extend(watching::channels(&self.config, book));
        judgements.extend(watching::forgotten(&self.config, book));
        judgements
    }

    /// Whether anything is to be written: most looks find nothing, and then nobody is kept from writing.
    fn is_anything_due(&self, judgements: &[Judgement], book: &Book, now: Timestamp) -> bool {
        let is_news = |judgement: &Judgement| {
            let fired = judgement.firing.iter().map(|alarm| (alarm.kind, Some(alarm)));
            let is_over = |kind: &Kind| judgement.firing.iter().all(|alarm| alarm.kind != *kind);
            let over = judgement.judged.iter().copied().filter(is_over).map(|kind| (kind, None));
            let mut all = over.chain(fired);
            all.any(|(kind, firing)| {
                let before = book.alert(&judgement.subject, kind);
                alert::observe(&judgement.subject, kind, before, firing, now).is_some()
            })
        };
        let is_told = |name: &String| {
            let waiting = book.newest.get(name).filter(|notice| notice.state == NoticeState::Waiting);
            match (waiting, self.config.alerts.get(name)) {
                (Some(notice), _) => outbox::is_due(notice, now),
                (None, Some(channel)) => alert::gather(&book.alerts, &channel.rules, &book.silences, now).is_some(),
                (None, None) => false,
            }
        };
        judgements.iter().any(is_news)
            || book.alerts.iter().any(|alert| alert.lies_ahead(now))
            || self.config.alerts.keys().any(is_told)
    }

    fn take(&self, store: &mut dyn Store, book: &Book, now: Timestamp) -> Result<Vec<Notice>, StoreError> {
        let mut taken = Vec::new();
        for name in self.config.alerts.keys() {
            if let Some(notice) = book.newest.get(name).filter(|notice| outbox::is_due(notice, now)) {
                taken.extend(outbox::take(store, notice, now)?);
            }
        }
        Ok(taken)
    }

    fn measure(&self, book: &Book, now: Timestamp) {
        for kind in Kind::ALL {
            let is_open = |alert: &&alert::Alert| alert.kind == kind && alert.standing == Standing::Open;
            metrics::alerts_open(kind.name(), book.alerts.iter().filter(is_open).count());
        }
        for name in self.config.alerts.keys() {
            let waiting = book.newest.get(name).filter(|notice| notice.state == NoticeState::Waiting);
            metrics::alert_unsent(name, waiting.map_or(0, |notice| now.ms_since(notice.created_at)));
        }
    }
}

/// Sends one message, and keeps what came of it.
async fn tell(teller: Arc<Teller>, notice: Notice) {
    let outcome = teller.ways.send(&notice.channel, notice.id, &notice.message).await;
    let (channel, id, attempts) = (notice.channel.clone(), notice.id, notice.attempts);
    metrics::alert_told(&channel, outcome.is_ok());
    let outcome = outcome.map_err(|error| Refused { error: error.what, wait_ms: error.wait_ms });
    let error = outcome.as_ref().err().map(|refused| refused.error.clone());
    let settling = Arc::clone(&teller);
    let settled = apart("alerts", move || {
        // A look may hold the store for a moment; who lets this be is heard of twice.
        let mut history = History::open(&settling.data)?;
        outbox::settle(history.store(), &notice, &outcome, clock::now())
    });
    match (settled.await, error) {
        (Some(Ok(Some(NoticeState::GivenUp))), error) => {
            tracing::error!(channel, %id, attempts, error, "a message about alerts is given up; what it said is told anew");
        }
        (Some(Ok(_)), Some(error)) => {
            tracing::warn!(channel, %id, attempts, error, "a message about alerts was not taken; it is sent again");
        }
        (Some(Ok(_)), None) => tracing::info!(channel, %id, "a message about alerts was sent"),
        (Some(Err(error)), _) => {
            tracing::warn!(channel, %id, %error, "what came of a message cannot be kept; it is sent again");
        }
        (None, _) => tracing::warn!(channel, %id, "no thread can be started to keep what came of a message"),
    }
}
