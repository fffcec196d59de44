//! Messages to channels, and how far each channel has come.

use super::{decode_message, encode_message};
use crate::records::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{ALERT_CHANNELS, ALERT_NOTICES};
use crate::value::{Key, Row};
use quittance_core::alert::Message;
use quittance_core::id::NoticeId;
use quittance_core::time::Timestamp;

/// Messages of one channel that are kept; an older one's place is taken by a new one.
pub const NOTICES_KEPT: i64 = 100;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeState {
    /// It is to be sent.
    Waiting,
    /// The channel took it.
    Sent,
    /// The channel did not take it for too long, or is no longer configured.
    GivenUp,
}

impl NoticeState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::GivenUp];

    /// The word at rest and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::GivenUp => "given_up",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == word)
    }
}

/// A message to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The channel.
    pub channel: String,
    /// Its number among those of the channel, from 1.
    pub seq: i64,
    /// Its id, which every attempt to send it has.
    pub id: NoticeId,
    /// What became of it.
    pub state: NoticeState,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it is sent next. While somebody sends it: when that one is given up.
    pub due_at: Timestamp,
    /// How often it was begun to be sent.
    pub attempts: i64,
    /// How often it was taken to be sent: whoever comes back with an older number is too late.
    pub lease: i64,
    /// When it was sent, or given up.
    pub ended_at: Option<Timestamp>,
    /// What it says.
    pub message: Message,
    /// Why it was not taken the last time.
    pub error: Option<String>,
}

impl Notice {
    /// The key of the row that holds, or held, the message of a number.
    #[must_use]
    pub fn key_of(channel: &str, seq: i64) -> Key {
        vec![channel.into(), (seq % NOTICES_KEPT).into()]
    }
}

impl Entity for Notice {
    fn table() -> &'static Table {
        &ALERT_NOTICES
    }

    fn to_row(&self) -> Row {
        vec![
            self.channel.as_str().into(),
            (self.seq % NOTICES_KEPT).into(),
            self.seq.into(),
            self.id.bytes().into(),
            self.state.name().into(),
            self.created_at.0.into(),
            self.due_at.0.into(),
            self.attempts.into(),
            self.lease.into(),
            self.ended_at.map(|at| at.0).into(),
            encode_message(&self.message).into(),
            self.error.as_ref().map(|error| error.clone().into_bytes()).into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&ALERT_NOTICES, row)?;
        let channel = columns.text()?;
        // Follows from the number.
        let _slot = columns.integer()?;
        Ok(Self {
            channel,
            seq: columns.integer()?,
            id: NoticeId::from_bytes(columns.fixed()?),
            state: columns.word(NoticeState::named)?,
            created_at: columns.time()?,
            due_at: columns.time()?,
            attempts: columns.integer()?,
            lease: columns.integer()?,
            ended_at: columns.maybe_time()?,
            message: columns.body(decode_message)?,
            error: columns.maybe_bytes()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        })
    }
}

/// How far a channel has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertChannel {
    /// Its name.
    pub channel: String,
    /// The number of its newest message; 0 before the first.
    pub newest: i64,
    /// How many messages it took.
    pub sent: i64,
    /// How many it was spared.
    pub given_up: i64,
    /// Since when it has taken none, where the last attempt failed.
    pub failing_since: Option<Timestamp>,
}

impl Entity for AlertChannel {
    fn table() -> &'static Table {
        &ALERT_CHANNELS
    }

    fn to_row(&self) -> Row {
        vec![
            self.channel.as_str().into(),
            self.newest.into(),
            self.sent.into(),
            self.given_up.into(),
            self.failing_since.map(|at| at.0).into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&ALERT_CHANNELS, row)?;
        Ok(Self {
            channel: columns.text()?,
            newest: columns.integer()?,
            sent: columns.integer()?,
            given_up: columns.integer()?,
            failing_since: columns.maybe_time()?,
        })
    }
}
