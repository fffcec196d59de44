//! One book's journal, read from its first record: the chain is recomputed, the records are replayed, and what they
//! promise of other tables is collected.

use super::finding::{Aspect, Findings};
use quittance_core::dispute::DisputeStatus;
use quittance_core::effect::Step;
use quittance_core::id::{CommandId, CustomerId, EffectId, HoldId, PaymentId, TenantId};
use quittance_core::journal::{Closing, GENESIS, Place, Record, chain};
use quittance_core::replay::Replay;
use quittance_store::records::{Entity, Holder, IntentEntry, JournalEntry, journal};
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

/// An object at a gateway: the gateway's name, and the object's id there.
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
    /// The newest payment of each intent.
    pub(super) intents: BTreeMap<String, Holder>,
    /// The newest payment of which a record says that it had the object.
    pub(super) objects: BTreeMap<ObjectKey, PaymentId>,
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
        match record {
            Record::BookOpened { tenant } => self.tenant = Some(*tenant),
            Record::PaymentAccepted { payment, command, gateway, reference, .. } => {
                self.accepted.insert(*payment, Accepted { command: *command, gateway: gateway.clone(), seq });
                self.intents.insert(IntentEntry::of_reference(reference), Holder::Payment(*payment));
            }
            Record::TicketIssued { effect, step, generation, send_no, gateway_key, request_digest, lease_epoch } => {
                let ticket = TicketRecord {
                    gateway_key: gateway_key.clone(),
                    request_digest: *request_digest,
                    lease_epoch: *lease_epoch,
                };
                if self.tickets.insert((*effect, *step, *generation, *send_no), ticket).is_some() {
                    let what = format!("send {send_no} of {} {generation} of {effect} is issued twice", step.name());
                    findings.add(Aspect::Ledger, Some(seq), what);
                }
            }
            Record::EffectAdvanced(advanced) => {
                if let Some((hold, closing)) = advanced.closing {
                    self.closings.insert(hold, (closing, seq));
                }
                if let Some(object) = &advanced.object {
                    self.hold_object(advanced.payment, object);
                }
            }
            Record::RefundAccepted(accepted) => {
                if let Some(reference) = &accepted.reference {
                    let intent = IntentEntry::of_refund(accepted.payment, reference);
                    self.intents.insert(intent, Holder::Refund(accepted.refund));
                }
            }
            Record::RefundAdvanced(advanced) => {
                if let Some((hold, closing)) = advanced.closing {
                    self.closings.insert(hold, (closing, seq));
                }
            }
            Record::EvidenceAccepted { effect, dispute, .. } => {
                let status = self.replay.disputes.get(dispute).map(|dispute| DisputeStatus::from_word(&dispute.status));
                if let Some(stage) = status.and_then(|status| status.stage()) {
                    self.intents.insert(IntentEntry::of_evidence(*dispute, stage), Holder::Evidence(*effect));
                }
            }
            Record::Corrected(_)
            | Record::StepAsked { .. }
            | Record::DisputeSeen(_)
            | Record::EvidenceAdvanced(_)
            | Record::ObservationKept { .. } => {}
        }
    }

    fn hold_object(&mut self, payment: PaymentId, object: &str) {
        let Some(accepted) = self.accepted.get(&payment) else { return };
        let key = (accepted.gateway.clone(), object.to_owned());
        let holder = self.objects.entry(key).or_insert(payment);
        if self.accepted.get(holder).is_none_or(|other| other.seq < accepted.seq) {
            *holder = payment;
        }
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
