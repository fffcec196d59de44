//! One book's journal, read from its first record: the chain is recomputed, the records are replayed, and what they
//! promise of other tables is collected.

mod promises;

use super::finding::{Aspect, Findings};
use quittance_core::effect::{Step, Subject};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{CommandId, CustomerId, EffectId, HoldId, PaymentId, TenantId};
use quittance_core::journal::{Closing, GENESIS, Place, Record, StepAsked, chain};
use quittance_core::payment::Status;
use quittance_core::replay::Replay;
use quittance_store::records::{Entity, Holder, JournalEntry, journal};
use quittance_store::tables::JOURNAL;
use quittance_store::value::{Row, Value};
use std::collections::BTreeMap;

/// What the journal says of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TicketRecord {
    pub(super) gateway_key: String,
    pub(super) request_digest: [u8; 32],
    pub(super) lease_epoch: i64,
}

/// What names a ticket within its book.
pub(super) type TicketKey = (EffectId, Step, u32, u32);

/// What the journal says of a payment beyond its replay.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) command: CommandId,
    pub(super) gateway: String,
    /// Number of the record that accepted it: the newer payment has the greater.
    pub(super) seq: i64,
}

/// A step that a client asked for.
#[derive(Clone, Debug)]
pub(super) struct AskedStep {
    pub(super) payment: PaymentId,
    pub(super) asked: StepAsked,
    /// The payment's first status after it that answers a client: the command's answer is frozen with that record.
    pub(super) answer: Option<Status>,
}

/// Something at a gateway: the gateway's name, and the id of an object or of a movement there.
pub(super) type ObjectKey = (String, String);

/// What a book's journal amounts to.
pub(super) struct History {
    pub(super) replay: Replay,
    /// Whether every record so far could be read and followed from those before it.
    pub(super) is_sound: bool,
    /// Records read.
    pub(super) records: i64,
    /// Hash of the newest; none when it could not be read.
    pub(super) head: Option<[u8; 32]>,
    pub(super) tenant: Option<TenantId>,
    pub(super) accepted: BTreeMap<PaymentId, Accepted>,
    pub(super) tickets: BTreeMap<TicketKey, TicketRecord>,
    pub(super) closings: BTreeMap<HoldId, (Closing, i64)>,
    /// The newest payment or refund of each intent.
    pub(super) intents: BTreeMap<String, Holder>,
    /// The newest effect of which a record says that it had the object.
    pub(super) objects: BTreeMap<ObjectKey, EffectId>,
    /// Movements at gateways, each with the record that booked it.
    pub(super) movements: BTreeMap<ObjectKey, i64>,
    /// Steps that were asked for, by the command that asked.
    pub(super) steps: BTreeMap<CommandId, AskedStep>,
    /// Commands that handed in evidence.
    pub(super) submissions: Vec<CommandId>,
    /// Number of the record that began an effect: the newer one has the greater.
    begun: BTreeMap<EffectId, i64>,
    /// Commands that asked for a step and wait with the payment.
    waiting: BTreeMap<PaymentId, Vec<CommandId>>,
    last_seq: i64,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            replay: Replay::default(),
            is_sound: true,
            records: 0,
            head: Some(GENESIS),
            tenant: None,
            accepted: BTreeMap::new(),
            tickets: BTreeMap::new(),
            closings: BTreeMap::new(),
            intents: BTreeMap::new(),
            objects: BTreeMap::new(),
            movements: BTreeMap::new(),
            steps: BTreeMap::new(),
            submissions: Vec::new(),
            begun: BTreeMap::new(),
            waiting: BTreeMap::new(),
            last_seq: 0,
        }
    }

    /// Number of the newest record; 0 before the first.
    pub(super) const fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// Takes the next row of the journal.
    pub(super) fn read(&mut self, row: &Row, findings: &mut Findings) {
        self.records += 1;
        let Some(entry) = self.entry(row, findings) else { return };
        self.follow(&entry, findings);
        match journal::decode(entry.kind, &entry.body) {
            Ok(record) => self.apply(&record, entry.seq, findings),
            Err(error) => {
                self.is_sound = false;
                findings.add(Aspect::Chain, Some(entry.seq), format!("its bytes cannot be read: {error}"));
            }
        }
    }

    fn entry(&mut self, row: &Row, findings: &mut Findings) -> Option<JournalEntry> {
        match JournalEntry::from_row(row) {
            Ok(entry) => Some(entry),
            Err(error) => {
                let seq = match row.get(JOURNAL.position("seq")) {
                    Some(Value::Integer(seq)) => *seq,
                    _ => self.last_seq + 1,
                };
                findings.add(Aspect::Chain, Some(seq), error.to_string());
                (self.last_seq, self.head, self.is_sound) = (seq, None, false);
                None
            }
        }
    }

    /// Checks a record's place: its number, the hash before it, and its own.
    fn follow(&mut self, entry: &JournalEntry, findings: &mut Findings) {
        let due = self.last_seq + 1;
        if entry.seq != due {
            let what = format!("it is missing: the journal goes on with record {}", entry.seq);
            findings.add(Aspect::Chain, Some(due), what);
            self.is_sound = false;
        }
        let place = Place { book: entry.book, seq: entry.seq, kind: entry.kind, at: entry.at };
        if chain(&place, &entry.body, &entry.prev_hash) != entry.hash {
            findings.add(Aspect::Chain, Some(entry.seq), "its content does not match its hash");
        }
        if self.head.is_some_and(|head| head != entry.prev_hash) {
            findings.add(Aspect::Chain, Some(entry.seq), "it does not continue the hash of the record before it");
        }
        (self.last_seq, self.head) = (entry.seq, Some(entry.hash));
    }

    fn apply(&mut self, record: &Record, seq: i64, findings: &mut Findings) {
        if self.is_sound
            && let Err(error) = self.replay.apply(record)
        {
            self.is_sound = false;
            findings.add(Aspect::Ledger, Some(seq), format!("it cannot follow the records before it: {error}"));
        }
        self.collect(record, seq, findings);
    }

    /// Whether `later` is a newer attempt of the same reference at the same gateway: only such a one may take over the
    /// object of `earlier`.
    pub(super) fn may_succeed(&self, later: PaymentId, earlier: PaymentId) -> bool {
        let of = |id: PaymentId| Some((self.accepted.get(&id)?, self.replay.payments.get(&id)?));
        match (of(later), of(earlier)) {
            (Some((new, new_payment)), Some((old, old_payment))) => {
                new.seq > old.seq && new.gateway == old.gateway && new_payment.reference == old_payment.reference
            }
            _ => false,
        }
    }

    /// What kind of object an effect has at its gateway: that of a payment follows from how it was asked for.
    pub(super) fn kind_of(&self, effect: EffectId) -> Option<ObjectKind> {
        let replayed = self.replay.effects.get(&effect)?;
        let is_at = |step| replayed.step == step || self.was_sent(effect, step);
        Some(match replayed.subject {
            Subject::Payment if is_at(Step::Execute) => ObjectKind::Charge,
            Subject::Payment if is_at(Step::Create) || is_at(Step::Confirm) => ObjectKind::Payment,
            // A restore lost its tickets, and it was captured or given up since: nothing here says how it was asked for.
            Subject::Payment => return None,
            Subject::Refund(_) => ObjectKind::Refund,
            Subject::Dispute(_) => ObjectKind::Dispute,
        })
    }

    fn was_sent(&self, effect: EffectId, step: Step) -> bool {
        self.tickets.range((effect, step, 0, 0)..=(effect, step, u32::MAX, u32::MAX)).next().is_some()
    }

    /// How many sends of this try of a step were committed to.
    pub(super) fn sends(&self, effect: EffectId, step: Step, generation: u32) -> u32 {
        let all = (effect, step, generation, 0)..=(effect, step, generation, u32::MAX);
        self.tickets.range(all).next_back().map_or(0, |((.., send_no), _)| *send_no)
    }
}

/// The book a key names, as far as it can be read.
pub(super) fn name_of(book: &Value) -> String {
    match book {
        Value::Bytes(bytes) => match <[u8; 16]>::try_from(bytes.as_slice()) {
            Ok(bytes) => CustomerId::from_bytes(bytes).to_string(),
            Err(_) => format!("a book whose id has {} bytes", bytes.len()),
        },
        _ => "a book without an id".to_owned(),
    }
}
