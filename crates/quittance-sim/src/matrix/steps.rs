//! The steps of a world, numbered: every command and webhook that arrives, every transaction, every request that leaves.
//!
//! A world without faults writes them down; a fault is aimed at one of them by its number. Up to that step both worlds are the
//! same, so the number means the same step in both. Owns the numbers and what is aimed; what a fault does is the world's.

use serde::{Deserialize, Serialize};

/// What kind of step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A client's command arrives at the process.
    Command,
    /// A transaction of the engine that writes.
    Transaction,
    /// A request leaves for a gateway.
    Request,
    /// A webhook arrives at the process.
    Webhook,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Command, Self::Transaction, Self::Request, Self::Webhook];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Transaction => "transaction",
            Self::Request => "request",
            Self::Webhook => "webhook",
        }
    }
}

/// What happens to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StepFault {
    /// The process dies before it: before the command or the webhook is looked at, the transaction begun, the request sent.
    KillBefore,
    /// The process dies after it: the transaction is committed, or the gateway did what it was asked, and nobody was told; the
    /// answer of a command has left, and nothing else.
    KillAfter,
    /// It is done, and whoever asked for it does not hear of it: the answer of a commit, of a gateway, to a client or to a
    /// webhook is lost.
    LoseDone,
    /// It is not done, and whoever asked for it does not hear of it: the commit fails, the request, the command or the event
    /// is lost on its way.
    LoseUndone,
    /// It happens twice: a client or a gateway sends again at once, a network doubles a request, what a transaction decided
    /// is submitted again.
    Repeat,
    /// The answer to a request is handed over twice.
    AnswerTwice,
}

impl StepFault {
    /// Every fault.
    pub const ALL: [Self; 6] =
        [Self::KillBefore, Self::KillAfter, Self::LoseDone, Self::LoseUndone, Self::Repeat, Self::AnswerTwice];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillBefore => "killed before",
            Self::KillAfter => "killed after",
            Self::LoseDone => "answer lost, done",
            Self::LoseUndone => "answer lost, not done",
            Self::Repeat => "repeated",
            Self::AnswerTwice => "answered twice",
        }
    }
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub number: u64,
    /// What kind of step it is.
    pub kind: Kind,
    /// What it does, in words that are the same in every world.
    pub what: String,
    /// Whether anything came of it: a transaction wrote, a request was answered with something to learn.
    pub has_effect: bool,
    /// Whether it belongs to what the engine does now and then by itself: sweeps, probes, its clock.
    pub is_upkeep: bool,
}

impl Step {
    /// Whether two steps do the same.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (self.kind, &self.what) == (other.kind, &other.what)
    }
}

/// The steps of one world.
#[derive(Debug, Default)]
pub struct Steps {
    taken: u64,
    log: Option<Vec<Step>>,
    aimed: Vec<(u64, StepFault)>,
    struck: Vec<(u64, StepFault)>,
    /// What the process is about to do, for the transactions that follow.
    doing: (String, bool),
    is_dead: bool,
    is_repeated: bool,
}

impl Steps {
    /// Writes steps down from now on.
    pub fn keep(&mut self) {
        self.log.get_or_insert_with(Vec::new);
    }

    /// Whether they are written down.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.log.is_some()
    }

    /// Aims a fault at a step that is still to come.
    pub fn aim(&mut self, number: u64, fault: StepFault) {
        self.aimed.push((number, fault));
    }

    /// Says what the next transactions are for, where anybody wants to know.
    pub(crate) fn name(&mut self, what: impl FnOnce() -> (String, bool)) {
        if self.log.is_some() {
            self.doing = what();
        }
    }

    /// A step begins. Its number, and what is aimed at it.
    pub(crate) fn begin(&mut self, kind: Kind, what: impl FnOnce() -> (String, bool)) -> (u64, Option<StepFault>) {
        self.taken += 1;
        let number = self.taken;
        if let Some(log) = &mut self.log {
            let (what, is_upkeep) = what();
            let has_effect = matches!(kind, Kind::Command | Kind::Webhook);
            log.push(Step { number, kind, what, has_effect, is_upkeep });
        }
        let at = self.aimed.iter().position(|(aimed, _)| *aimed == number);
        (number, at.map(|at| self.aimed.remove(at).1))
    }

    /// A transaction begins.
    pub(crate) fn begin_transaction(&mut self, name: &'static str) -> (u64, Option<StepFault>) {
        let doing = std::mem::take(&mut self.doing);
        let begun = self.begin(Kind::Transaction, || match name {
            "clock" => ("writes the clock down".to_owned(), true),
            "claim" => ("claims what is due".to_owned(), doing.1),
            _ => doing.clone(),
        });
        self.doing = doing;
        begun
    }

    /// Something came of a step.
    pub(crate) fn took_effect(&mut self, number: u64) {
        let Some(log) = &mut self.log else { return };
        if let Ok(at) = log.binary_search_by_key(&number, |step| step.number) {
            log[at].has_effect = true;
        }
    }

    /// A fault has come about.
    pub(crate) fn strike(&mut self, number: u64, fault: StepFault) {
        self.struck.push((number, fault));
    }

    /// The process is dead from here on, whatever the engine makes of what it hears.
    pub(crate) const fn die(&mut self) {
        self.is_dead = true;
    }

    /// Whether it died since a process was buried.
    #[must_use]
    pub(crate) const fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// The dead process is gone.
    pub(crate) const fn bury(&mut self) {
        (self.is_dead, self.is_repeated) = (false, false);
    }

    /// What was just decided is to be submitted again.
    pub(crate) const fn repeat(&mut self) {
        self.is_repeated = true;
    }

    /// Whether that is so; once.
    pub(crate) const fn take_repeat(&mut self) -> bool {
        std::mem::replace(&mut self.is_repeated, false)
    }

    /// Whether anything may still be aimed at.
    #[must_use]
    pub(crate) const fn is_aimed(&self) -> bool {
        !self.aimed.is_empty()
    }

    /// The faults that came about, with the steps they struck.
    #[must_use]
    pub fn struck(&self) -> &[(u64, StepFault)] {
        &self.struck
    }

    /// What was written down.
    #[must_use]
    pub fn log(&self) -> &[Step] {
        self.log.as_deref().unwrap_or_default()
    }
}
