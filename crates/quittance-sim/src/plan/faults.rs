//! What goes wrong, as data: where messages are struck, processes die, stores fail, clocks are set.

use crate::matrix::steps::StepFault;
use serde::{Deserialize, Serialize};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// From when on, in milliseconds since the world began.
    pub at_ms: u64,
    /// What.
    pub what: Trouble,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// The next requests of a kind to a gateway are struck.
    Strike {
        /// Which gateway.
        gateway: u32,
        /// Which requests.
        on: On,
        /// How.
        blow: Blow,
        /// How many of them.
        count: u32,
    },
    /// Nothing reaches a gateway for a while.
    Cut {
        /// Which gateway.
        gateway: u32,
        /// How long, in milliseconds.
        for_ms: u64,
        /// Whether connections are refused; else what is sent disappears.
        is_refused: bool,
    },
    /// The next answers to clients are lost.
    LoseAnswers {
        /// How many.
        count: u32,
    },
    /// The process dies at a named point.
    Crash {
        /// Where.
        point: Point,
        /// At which pass of it, counted from when the fault begins; 1 is the next.
        pass: u32,
        /// How long nobody is there, in milliseconds.
        away_ms: u64,
        /// Whether the machine is started anew.
        does_boot: bool,
    },
    /// The store fails.
    Store {
        /// How.
        failure: StoreFailure,
        /// How many times.
        count: u32,
    },
    /// The wall clock is set.
    SetClock {
        /// By how much, in milliseconds; below zero it is set back.
        by_ms: i64,
    },
    /// The process stands still, and goes on.
    Stall {
        /// How long, in milliseconds.
        for_ms: u64,
    },
    /// The next webhooks of a gateway are struck.
    Webhooks {
        /// Which gateway.
        gateway: u32,
        /// How.
        blow: WebhookBlow,
        /// How many of them.
        count: u32,
    },
    /// One step of the world is struck.
    AtStep {
        /// Its number, counted from when the world begins.
        step: u64,
        /// How.
        fault: StepFault,
    },
    /// The data is copied as it is.
    Backup,
    /// The process dies, the data with it, and the newest copy is put in its place.
    Restore,
}

/// Which requests are struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum On {
    /// All.
    Any,
    /// Every write.
    Write,
    /// The writes that make or move money by themselves: confirms, charges, transfers.
    Charge,
    /// Refunds.
    Refund,
    /// Captures and cancels.
    Act,
    /// Reads of one object.
    Read,
    /// Pages of lists.
    List,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blow {
    /// It never arrives.
    LoseRequest,
    /// It is carried out, and the answer never arrives.
    LoseAnswer,
    /// The connection ends after it is carried out.
    Reset,
    /// It arrives so much later, in milliseconds.
    Late(u64),
    /// It arrives, and again so much later, in milliseconds.
    Twice(u64),
    /// The connection is refused.
    Refuse,
    /// 500, and it was not carried out.
    Error,
    /// 500, and it was carried out.
    ErrorAfter,
    /// 500, and it is carried out so much later, in milliseconds.
    ErrorBefore(u64),
    /// 503 of somebody on the way, and it was not carried out.
    Unavailable,
    /// 503 of somebody on the way, and it was carried out.
    UnavailableAfter,
    /// 429.
    Throttle,
    /// 401.
    Unauthorised,
    /// 409: the key is in use.
    InUse,
    /// 200 with a page for people; it was carried out.
    Html,
    /// 200 with half of the answer; it was carried out.
    Truncated,
}

/// What happens to a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebhookBlow {
    /// The gateway gives it up.
    Lose,
    /// It is sent so often at once.
    Repeat(u32),
    /// It arrives so much later, in milliseconds.
    Late(u64),
    /// Somebody who does not know the secret sends one like it.
    Forge,
    /// It is acknowledged, and the gateway does not hear of it.
    LoseAnswer,
}

/// How the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreFailure {
    /// The disk is full.
    Full,
    /// A write fails, and nothing was written.
    Failed,
    /// The answer to a commit is lost, and it happened.
    CommitLostIn,
    /// The answer to a commit is lost, and it did not happen.
    CommitLostOut,
}

/// Where a process may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Point {
    /// Commands were taken from the queue.
    Taken,
    /// A transaction was decided, and nothing of it is stored.
    BeforeCommit,
    /// A transaction is stored, and nobody was told.
    AfterCommit,
    /// Effects or objects are about to be claimed.
    BeforeClaim,
    /// They are claimed, and nothing else was done.
    AfterClaim,
    /// Commands are decided, and no answer has left.
    BeforeAnswers,
    /// One answer has left.
    BetweenAnswers,
    /// Every answer has left, and no request to a gateway.
    BeforeJobs,
    /// One request has left.
    BetweenJobs,
    /// A gateway's answer has come, and is not in the queue.
    AnswerCame,
    /// Between two pages of a search.
    BetweenPages,
    /// A page of a sweep has come, and nothing of it is stored.
    SweepPage,
    /// What was on a page of a sweep is stored, and how far the sweep has come is not.
    SweepKept,
    /// In the middle of a start: the clock is written, nothing is taken over.
    Starting,
    /// Any time.
    Anytime,
}

impl Point {
    /// Every point.
    pub const ALL: [Self; 15] = [
        Self::Taken,
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::BeforeClaim,
        Self::AfterClaim,
        Self::BeforeAnswers,
        Self::BetweenAnswers,
        Self::BeforeJobs,
        Self::BetweenJobs,
        Self::AnswerCame,
        Self::BetweenPages,
        Self::SweepPage,
        Self::SweepKept,
        Self::Starting,
        Self::Anytime,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::BeforeCommit => "before_commit",
            Self::AfterCommit => "after_commit",
            Self::BeforeClaim => "before_claim",
            Self::AfterClaim => "after_claim",
            Self::BeforeAnswers => "before_answers",
            Self::BetweenAnswers => "between_answers",
            Self::BeforeJobs => "before_jobs",
            Self::BetweenJobs => "between_jobs",
            Self::AnswerCame => "answer_came",
            Self::BetweenPages => "between_pages",
            Self::SweepPage => "sweep_page",
            Self::SweepKept => "sweep_kept",
            Self::Starting => "starting",
            Self::Anytime => "anytime",
        }
    }
}
