//! Owns: what this gateway can be asked after a request whose answer was lost, by kind of object. Does not own: the
//! faults that lose answers.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Config;
use crate::dialect::endpoint::Endpoint;
use crate::faults::DELAY_MS_MAX;

/// What a gateway offers to a client that does not know what became of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Class {
    /// An inert object first, then an action on its id. Here only payment intents are of this kind, whatever is said;
    /// all else behaves as under `A`.
    P,
    /// Keys, and reading back by the client's own reference.
    #[default]
    A,
    /// Keys are ignored; objects can be read and listed.
    B,
    /// Keys are honoured; objects can be neither read nor listed, and their events are not in the list of events.
    C,
    /// Neither.
    D,
}

impl Class {
    /// Whether a repeated key is answered without a second effect.
    pub fn honours_keys(self) -> bool {
        matches!(self, Self::P | Self::A | Self::C)
    }

    /// Whether objects can be read and listed.
    pub fn reads_back(self) -> bool {
        matches!(self, Self::P | Self::A | Self::B)
    }
}

impl FromStr for Class {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Ok(match name {
            "P" => Self::P,
            "A" => Self::A,
            "B" => Self::B,
            "C" => Self::C,
            "D" => Self::D,
            _ => return Err(()),
        })
    }
}

/// The kinds of objects that have a class, and what their events begin with. All others are always class A.
const KINDS: [(&str, &str); 5] = [
    ("payment_intents", "payment_intent"),
    ("charges", "charge"),
    ("refunds", "refund"),
    ("payouts", "payout"),
    ("disputes", "charge.dispute"),
];

/// The class of each kind of object.
#[derive(Debug)]
pub(crate) struct Profile {
    classes: BTreeMap<&'static str, Class>,
    key_retention_ms: u64,
    quiescence_ms: u64,
}

impl Profile {
    pub(crate) fn new(config: &Config) -> Self {
        let hold_ms = config.hold_ms.min(DELAY_MS_MAX);
        let late_ms_max = config.late_effect_ms_max.unwrap_or(hold_ms * 3 / 2).min(DELAY_MS_MAX);
        Self {
            classes: KINDS.iter().map(|(kind, _)| (*kind, config.class)).collect(),
            key_retention_ms: config.idempotency_retention_ms,
            // A late effect counts from the arrival of its request.
            quiescence_ms: late_ms_max.max(hold_ms).max(config.slow_ms.min(DELAY_MS_MAX)),
        }
    }

    pub(crate) fn class(&self, endpoint: Endpoint) -> Class {
        self.classes.get(endpoint.collection()).copied().unwrap_or_default()
    }

    /// Sets one kind, or all of them. Returns false for a kind that has no class.
    pub(crate) fn set(&mut self, kind: Option<&str>, class: Class) -> bool {
        let mut is_known = false;
        for (name, old) in &mut self.classes {
            if kind.is_none_or(|kind| kind == *name) {
                *old = class;
                is_known = true;
            }
        }
        is_known
    }

    /// What the events begin with that are not to be listed.
    pub(crate) fn hidden_events(&self) -> Vec<&'static str> {
        let hidden = KINDS.iter().filter(|(kind, _)| self.classes.get(kind).is_some_and(|class| !class.reads_back()));
        hidden.map(|(_, prefix)| *prefix).collect()
    }

    /// What `GET /_sandbox/capabilities` answers: one row for each kind of object. The rail is what it is.
    pub(crate) fn capabilities(&self) -> Value {
        let rows = self.classes.iter().map(|(kind, class)| ((*kind).to_owned(), self.row(kind, *class)));
        let mut transfers = self.row("transfers", Class::B);
        transfers["webhook_carries_reference"] = json!(false);
        json!({"objects": rows.collect::<serde_json::Map<_, _>>(), "rail": {"transfers": transfers}})
    }

    fn row(&self, kind: &str, class: Class) -> Value {
        let (keys, reads) = (class.honours_keys(), class.reads_back());
        json!({
            "class": class,
            "two_phase": kind == "payment_intents" && reads,
            "key_max_len": if keys { 255 } else { 0 },
            // Down: what is promised must hold.
            "key_retention_s": if keys { self.key_retention_ms / 1000 } else { 0 },
            "replay": if keys { "frozen" } else { "none" },
            "readback": if reads { "list" } else { "none" },
            "readback_consistency": if reads { "strong" } else { "none" },
            "webhook_carries_reference": true,
            // Up, for the same reason.
            "absence_quiescence_s": self.quiescence_ms.div_ceil(1000),
        })
    }
}
