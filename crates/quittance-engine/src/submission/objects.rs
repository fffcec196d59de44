//! What is submitted about gateways' objects and lists, and the looks that follow.

use quittance_connectors::event::Event;
use quittance_connectors::message::Request;
use quittance_core::effect::PersonsWord;
use quittance_core::fact::{Fact, ObjectKind};
use quittance_core::time::Timestamp;
use quittance_store::records::{EventSource, Lane, Sweep};

/// A verified event of a gateway.
#[derive(Clone, Debug)]
pub struct WebhookEvent {
    /// Configured gateway it is of.
    pub gateway: String,
    /// How it came to us.
    pub source: EventSource,
    /// Configured endpoint it came in at, if it was sent to us.
    pub endpoint: Option<String>,
    /// Name of the secret that verified it.
    pub secret: Option<String>,
    /// The event, decoded.
    pub event: Event,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Names an object, and the look that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's id of the object.
    pub object: String,
    /// Number of the look: whoever began later is right.
    pub epoch: i64,
}

/// A look at one object of a gateway.
#[derive(Clone, Debug)]
pub struct Look {
    /// Which, under which lease.
    pub object: ObjectRef,
    /// What kind of object it is.
    pub kind: ObjectKind,
    /// Whose room it takes.
    pub lane: Lane,
    /// What to do.
    pub plan: LookPlan,
    /// When it has to be over: the lease outlives it.
    pub deadline: Timestamp,
}

/// What a look does.
#[derive(Clone, Debug)]
pub enum LookPlan {
    /// Reads it.
    Read(Request),
    /// Cancels it: a stray that nothing has confirmed, so that nothing ever can.
    Cancel(Request),
}

/// What a look showed.
#[derive(Clone, Debug)]
pub struct Looked {
    /// At which object, under which lease.
    pub object: ObjectRef,
    /// Whether it was to cancel the object.
    pub is_cancel: bool,
    /// What came of it.
    pub fact: Fact,
}

/// A page of a list of objects.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The configured gateway.
    pub gateway: String,
    /// Their kind.
    pub kind: ObjectKind,
    /// Their ids.
    pub objects: Vec<String>,
    /// Whether those that are known are looked at again, too.
    pub is_full: bool,
}

/// How far a sweep has come.
#[derive(Clone, Debug)]
pub struct Swept {
    /// The state that this one follows, as it was read or written last: where the store has another, somebody else sweeps,
    /// and nothing is written. None for whoever sweeps alone.
    pub upon: Option<Sweep>,
    /// The state of the sweep.
    pub sweep: Sweep,
    /// The page of objects that it came to: stored with the sweep, or neither is.
    pub listed: Option<Listed>,
    /// Whether the log of events is known to have a gap; none where that is not known anew.
    pub gap: Option<EventGap>,
    /// Whether the log of events can be read; none where that is not known anew.
    pub log: Option<EventLog>,
}

/// Whether the gateway's log of events reaches back to where we last looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventGap {
    /// It does not: this is what is missing.
    Open {
        /// For people.
        detail: String,
    },
    /// Every object was looked at since.
    Closed,
}

/// Whether the gateway's log of events can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventLog {
    /// Something of it cannot: this.
    Unreadable {
        /// For people.
        detail: String,
    },
    /// From where the last sweep began to the newest event.
    Readable,
}

/// A person has an object looked at again.
#[derive(Clone, Debug)]
pub struct Requeue {
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's id of the object.
    pub object: String,
    /// Who, and why.
    pub word: PersonsWord,
}

/// A person has a stored event applied again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The configured gateway.
    pub gateway: String,
    /// The event, decoded from the stored bytes.
    pub event: Event,
    /// Who, and why.
    pub word: PersonsWord,
}
