//! Messages from when they are written down until a channel has taken them, or has not for too long.
//!
//! A channel has one message under way at most: what becomes due meanwhile is in the next one. Whoever sends it holds it under
//! a lease that ends by its time; after that it is sent again, under the same id.

use super::book::{Book, new_channel};
use crate::api::rows::entity;
use quittance_core::alert::{self, Alert, Rules, Silence};
use quittance_core::id::NoticeId;
use quittance_core::time::Timestamp;
use quittance_store::records::{AlertChannel, Entity, Notice, NoticeState};
use quittance_store::store::{Change, Loaded, Read, Store, StoreError, Work};
use quittance_store::tables::{ALERT_CHANNELS, ALERT_NOTICES, ALERTS};
use quittance_store::value::{Key, Row};

/// How long a message belongs to whoever sends it. Longer than sending may take.
pub(super) const LEASE_MS: u64 = 30_000;

/// How long is waited after each attempt that failed; after the last of these, always as long as that.
const BACK_OFF_MS: [u64; 7] = [5_000, 15_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];

/// The longest that a channel may ask us to wait.
const WAIT_MS_MAX: u64 = 3_600_000;

/// A message that was not taken for so long is given up; what it said is told anew.
const GIVE_UP_MS: u64 = 24 * 3_600_000;

/// Why a channel did not take a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) error: String,
    /// How long it wants to be left alone.
    pub(super) wait_ms: Option<u64>,
}

/// Whether a message is to be sent now. A time that lies further ahead than any wait was written under another clock.
pub(super) fn is_due(notice: &Notice, now: Timestamp) -> bool {
    let is_stranded = notice.due_at > now.plus_ms(WAIT_MS_MAX + LEASE_MS);
    notice.state == NoticeState::Waiting && (notice.due_at <= now || is_stranded)
}

/// Writes down what a channel is to be told now, if anything and if no message to it is under way. Says whether it did.
pub(super) fn plan(
    store: &mut dyn Store,
    rules: &Rules,
    book: &Book,
    id: NoticeId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let keys = book.alerts.iter().map(Entity::key).collect();
    let head = book.channel(&rules.channel);
    let mut work = Planning { rules, keys, silences: &book.silences, newest: head.newest, id, now, is_planned: false };
    match store.transact("planning a message", &mut work) {
        // Somebody else was first, for the first time of all.
        Err(StoreError::Conflict { .. }) => Ok(false),
        done => done.map(|()| work.is_planned),
    }
}

/// Takes a message to send it; none where somebody else has it, or has sent it.
pub(super) fn take(store: &mut dyn Store, notice: &Notice, now: Timestamp) -> Result<Option<Notice>, StoreError> {
    let mut work = Taking { key: Notice::key_of(&notice.channel, notice.seq), seq: notice.seq, now, taken: None };
    store.transact("taking a message", &mut work)?;
    Ok(work.taken)
}

/// Keeps what came of sending. Says what became of the message; none where somebody else has settled or taken it since.
pub(super) fn settle(
    store: &mut dyn Store,
    notice: &Notice,
    outcome: &Result<(), Refused>,
    now: Timestamp,
) -> Result<Option<NoticeState>, StoreError> {
    let book = Book::read(store)?;
    let is_in = |alert: &&Alert| alert.told.get(&notice.channel).is_some_and(|told| told.message == notice.seq);
    let keys = book.alerts.iter().filter(is_in).map(Entity::key).collect();
    let mut work = Settling { notice, outcome, keys, now, state: None };
    store.transact("settling a message", &mut work)?;
    Ok(work.state)
}

fn upsert(table: &'static quittance_store::schema::Table, row: Row) -> Change {
    Change::Upsert { table, row }
}

/// A row that a transaction has read, if it is there.
fn row<T: Entity>(loaded: &Loaded, key: &Key) -> Result<Option<T>, String> {
    let row = loaded.row(T::table(), key).flatten();
    row.map(entity).transpose().map_err(|error| error.to_string())
}

fn read<T: Entity>(key: Key) -> Read {
    Read::Row { table: T::table(), key }
}

struct Planning<'a> {
    rules: &'a Rules,
    keys: Vec<Key>,
    silences: &'a [Silence],
    newest: i64,
    id: NoticeId,
    now: Timestamp,
    is_planned: bool,
}

impl Planning<'_> {
    fn head(&self) -> Key {
        vec![self.rules.channel.as_str().into()]
    }

    fn newest(&self) -> Key {
        Notice::key_of(&self.rules.channel, self.newest)
    }
}

impl Work for Planning<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        let alerts = self.keys.iter().cloned().map(read::<Alert>);
        [read::<AlertChannel>(self.head()), read::<Notice>(self.newest())].into_iter().chain(alerts).collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        self.is_planned = false;
        let channel = &self.rules.channel;
        let head: Option<AlertChannel> = row(loaded, &self.head())?;
        let newest: Option<Notice> = row(loaded, &self.newest())?;
        let is_new = head.is_none();
        let head = head.unwrap_or_else(|| new_channel(channel));
        if head.newest != self.newest || newest.is_some_and(|newest| newest.state == NoticeState::Waiting) {
            return Ok(Vec::new());
        }
        let found = self.keys.iter().map(|key| row::<Alert>(loaded, key)).collect::<Result<Vec<_>, _>>()?;
        let mut alerts: Vec<Alert> = found.into_iter().flatten().map(|alert| alert.held_back(self.now)).collect();
        let Some((message, causes)) = alert::gather(&alerts, self.rules, self.silences, self.now) else {
            return Ok(Vec::new());
        };
        let head = AlertChannel { newest: head.newest + 1, ..head };
        let mut changes = Vec::new();
        for (at, cause) in causes {
            alert::tell(&mut alerts[at], channel, cause, head.newest, self.now);
            changes.push(upsert(&ALERTS, alerts[at].to_row()));
        }
        let notice = Notice {
            channel: channel.clone(),
            seq: head.newest,
            id: self.id,
            state: NoticeState::Waiting,
            created_at: self.now,
            due_at: self.now,
            attempts: 0,
            lease: 0,
            ended_at: None,
            message,
            error: None,
        };
        changes.push(upsert(&ALERT_NOTICES, notice.to_row()));
        // Where there was no row nobody could hold it: whoever comes second finds that there is one.
        changes.push(match is_new {
            true => Change::Insert { table: &ALERT_CHANNELS, row: head.to_row() },
            false => upsert(&ALERT_CHANNELS, head.to_row()),
        });
        self.is_planned = true;
        Ok(changes)
    }
}

struct Taking {
    key: Key,
    seq: i64,
    now: Timestamp,
    taken: Option<Notice>,
}

impl Work for Taking {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        vec![read::<Notice>(self.key.clone())]
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let notice: Option<Notice> = row(loaded, &self.key)?;
        self.taken = notice.filter(|notice| notice.seq == self.seq && is_due(notice, self.now)).map(|notice| Notice {
            due_at: self.now.plus_ms(LEASE_MS),
            attempts: notice.attempts.saturating_add(1),
            lease: notice.lease.saturating_add(1),
            ..notice
        });
        Ok(self.taken.iter().map(|notice| upsert(&ALERT_NOTICES, notice.to_row())).collect())
    }
}

struct Settling<'a> {
    notice: &'a Notice,
    outcome: &'a Result<(), Refused>,
    /// The alerts that it tells of.
    keys: Vec<Key>,
    now: Timestamp,
    state: Option<NoticeState>,
}

impl Settling<'_> {
    fn notice(&self) -> Key {
        Notice::key_of(&self.notice.channel, self.notice.seq)
    }

    fn head(&self) -> Key {
        vec![self.notice.channel.as_str().into()]
    }

    /// The message after a refusal, and whether it is given up.
    fn refused(&self, notice: Notice, refused: &Refused) -> Notice {
        let error = Some(refused.error.clone());
        if self.now.ms_since(notice.created_at) >= GIVE_UP_MS {
            return Notice { state: NoticeState::GivenUp, ended_at: Some(self.now), error, ..notice };
        }
        let step = usize::try_from(notice.attempts - 1).unwrap_or(0).min(BACK_OFF_MS.len() - 1);
        let wait_ms = refused.wait_ms.unwrap_or(0).min(WAIT_MS_MAX).max(BACK_OFF_MS[step]);
        Notice { due_at: self.now.plus_ms(wait_ms), error, ..notice }
    }
}

impl Work for Settling<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        let alerts = self.keys.iter().cloned().map(read::<Alert>);
        [read::<Notice>(self.notice()), read::<AlertChannel>(self.head())].into_iter().chain(alerts).collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        self.state = None;
        let stored: Option<Notice> = row(loaded, &self.notice())?;
        let head: Option<AlertChannel> = row(loaded, &self.head())?;
        let (Some(stored), Some(head)) = (stored, head) else { return Ok(Vec::new()) };
        let is_ours = stored.seq == self.notice.seq && stored.state == NoticeState::Waiting;
        // One that was sent was sent, whoever has taken it since; that it was refused is said by whoever has it.
        if !is_ours || (self.outcome.is_err() && stored.lease != self.notice.lease) {
            return Ok(Vec::new());
        }
        let (notice, head) = match self.outcome {
            Ok(()) => {
                let sent = Notice { state: NoticeState::Sent, ended_at: Some(self.now), error: None, ..stored };
                (sent, AlertChannel { sent: head.sent + 1, failing_since: None, ..head })
            }
            Err(refused) => {
                let failing_since = head.failing_since.or(Some(self.now));
                (self.refused(stored, refused), AlertChannel { failing_since, ..head })
            }
        };
        let mut changes = vec![upsert(&ALERT_NOTICES, notice.to_row())];
        let is_given_up = notice.state == NoticeState::GivenUp;
        let head = AlertChannel { given_up: head.given_up + i64::from(is_given_up), ..head };
        changes.push(upsert(&ALERT_CHANNELS, head.to_row()));
        if is_given_up {
            for key in &self.keys {
                let Some(mut alert) = row::<Alert>(loaded, key)? else { continue };
                if alert::lose(&mut alert, &notice.channel, notice.seq) {
                    changes.push(upsert(&ALERTS, alert.to_row()));
                }
            }
        }
        self.state = Some(notice.state);
        Ok(changes)
    }
}

/// Brings the times of an alert back that lie ahead of the clock.
pub(super) fn hold_back(store: &mut dyn Store, alert: &Alert, now: Timestamp) -> Result<(), StoreError> {
    struct HoldBack(Key, Timestamp);
    impl Work for HoldBack {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            vec![read::<Alert>(self.0.clone())]
        }

        fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
            let alert: Option<Alert> = row(loaded, &self.0)?;
            Ok(alert.map(|alert| upsert(&ALERTS, alert.held_back(self.1).to_row())).into_iter().collect())
        }
    }
    store.transact("holding an alert back", &mut HoldBack(alert.key(), now))
}

#[cfg(test)]
mod tests;
