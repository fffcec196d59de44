//! The auditor: an outsider who keeps sets and sums, and says what may be true.
//!
//! It sees what clients sent and were answered, what gateways' books say, and the rows of the store. It never asks the code
//! that decides; only `verify` and the comparison of pairs, which are checks themselves, are the product's own. Each rule
//! has a name, which is what a failing seed reports.

mod asked;
mod end;
mod events;
pub mod facts;
mod history;
mod ledger;
mod left;
mod pairs;

use crate::gateway::Gateway;
use asked::Asked;
use quittance_connectors::message::Request;
use quittance_core::id::{CommandId, EffectId};
use quittance_core::idempotency::{Command, Key, Progress};
use quittance_engine::submission::{ClientCommand, Job};
use quittance_store::records::{Entity, KeyEntry, Ticket};
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::{COMMANDS, IDEMPOTENCY, INBOX, TICKETS};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The rule that was broken.
    pub rule: &'static str,
    /// How.
    pub what: String,
}

/// What a client was told under one key.
#[derive(Clone, Debug)]
struct Told {
    fingerprint: [u8; 32],
    command: Option<CommandId>,
    answer: Option<(u16, Vec<u8>)>,
}

/// The auditor of one world.
#[derive(Debug, Default)]
pub struct Auditor {
    failures: Vec<Failure>,
    told: BTreeMap<String, Told>,
    asked: Asked,
    /// The data was restored: gateways may have what no record tells of.
    is_restored: bool,
    /// How often these bytes of an effect left.
    left: BTreeMap<(EffectId, Vec<u8>), usize>,
    /// Webhooks that were acknowledged, by gateway and event.
    acknowledged: BTreeSet<(usize, String)>,
    /// Above which amount a person has to approve a payment, minor units; and the effects that one has approved.
    pub(crate) parked_above: Option<i64>,
    approved: BTreeSet<EffectId>,
    /// Events that an operator had applied again.
    replayed: BTreeSet<(usize, String)>,
}

impl Auditor {
    /// An auditor who knows above which amount payments wait for a person, minor units.
    #[must_use]
    pub fn new(parked_above: Option<i64>) -> Self {
        Self { parked_above, ..Self::default() }
    }

    /// Notes that a rule is broken.
    pub fn fail(&mut self, rule: &'static str, what: String) {
        self.failures.push(Failure { rule, what });
    }

    /// What is wrong, in the order in which it was found.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The final answer that clients heard under each key, as status and body.
    #[must_use]
    pub fn answers(&self) -> BTreeMap<String, (u16, String)> {
        let heard = self.told.iter().filter_map(|(key, told)| Some((key, told.answer.as_ref()?)));
        heard
            .map(|(key, (status, body))| (key.clone(), (*status, String::from_utf8_lossy(body).into_owned())))
            .collect()
    }

    /// A client asks for something.
    pub fn asks(&mut self, command: &ClientCommand) {
        self.asked.note(command);
    }

    /// A client heard a final answer: it is the only one that its key ever has.
    pub fn heard(&mut self, key: &str, fingerprint: [u8; 32], status: u16, body: &[u8]) {
        let told = self.note_key(key, fingerprint);
        let before = told.answer.get_or_insert_with(|| (status, body.to_vec())).clone();
        if before != (status, body.to_vec()) {
            let [before, now] = [&before.1[..], body].map(String::from_utf8_lossy);
            self.fail("answer_changed", format!("{key} was answered `{before}`, and now `{now}`"));
        }
    }

    /// A client heard that its key stands for something else: it was used for something else then.
    pub fn refused_as_reused(&mut self, key: &str) {
        if !self.asked.is_shared(key) {
            self.fail("refused_falsely", format!("{key} is refused as reused, and only one thing was asked under it"));
        }
    }

    /// A client heard that its command was accepted.
    pub fn accepted(&mut self, key: &str, fingerprint: [u8; 32], command: CommandId) {
        let told = self.note_key(key, fingerprint);
        let before = *told.command.get_or_insert(command);
        if before != command {
            self.fail("two_commands", format!("{key} is {before}, and now {command}"));
        }
    }

    /// Whatever a key stands for, it is one request.
    fn note_key(&mut self, key: &str, fingerprint: [u8; 32]) -> &mut Told {
        let fresh = Told { fingerprint, command: None, answer: None };
        let before = self.told.entry(key.to_owned()).or_insert(fresh).fingerprint;
        if before != fingerprint {
            self.fail("key_shared", format!("{key} was taken for two different requests"));
        }
        self.told.get_mut(key).expect("it was just put there")
    }

    /// A webhook was acknowledged: an event that was taken before is not taken again.
    pub fn acknowledged(&mut self, gateway: usize, event: &str, is_new: bool) {
        if !self.acknowledged.insert((gateway, event.to_owned())) && is_new {
            self.fail("webhook_twice", format!("{event} of gateway {gateway} was applied twice"));
        }
    }

    /// The data was restored from a backup: what was said since may be forgotten.
    pub fn restored(&mut self) {
        self.is_restored = true;
        self.told.clear();
        self.left.clear();
        self.acknowledged.clear();
    }

    /// A person approves what a brake holds back.
    pub fn approved(&mut self, effect: EffectId) {
        self.approved.insert(effect);
    }

    /// An operator has an event applied again.
    pub fn replayed(&mut self, gateway: usize, event: &str) {
        self.replayed.insert((gateway, event.to_owned()));
    }

    /// A write is about to leave: a ticket of its own has to be stored, with these very bytes and this key.
    pub fn leaves(&mut self, reader: &mut dyn Reader, job: &Job, request: &Request) {
        let place = vec![job.effect.book.bytes().into(), job.effect.effect.bytes().into()];
        let rows = reader.scan(&Scan::forward(&TICKETS, place, 10_000)).unwrap_or_default();
        let tickets = rows.iter().filter_map(|row| Ticket::from_row(row).ok());
        let (bytes, digest) = (request.encode(), request.digest());
        let tickets = tickets.filter(|ticket| ticket.request == bytes && ticket.request_digest == digest).count();
        let left = self.left.entry((job.effect.effect, bytes)).or_default();
        *left += 1;
        if *left > tickets {
            self.fail("no_ticket", format!("{} of {} leaves without a ticket", request.target, job.effect.effect));
        }
    }

    /// A gateway has answered: a key that came with other bytes than before is a mistake of ours.
    pub fn at_gateway(&mut self, gateway: usize, model: &Gateway) {
        if let Some(key) = model.mismatches.first() {
            self.fail("key_mismatch", format!("gateway {gateway} was sent two requests under {key}"));
        }
    }

    /// What was acknowledged is there, whatever died.
    pub fn after_crash(&mut self, reader: &mut dyn Reader, names: &[&str]) {
        let mut lost = Vec::new();
        for (key, told) in &self.told {
            lost.extend(lost_answer(reader, key, told));
        }
        let places: Vec<_> = self.acknowledged.iter().collect();
        let keys: Vec<_> = places.iter().map(|(at, event)| vec![names[*at].into(), event.as_str().into()]).collect();
        let rows = reader.get_many(&INBOX, &keys).unwrap_or_else(|_| vec![None; keys.len()]);
        let missing = places.iter().zip(rows).filter(|(_, row)| row.is_none());
        lost.extend(missing.map(|((_, event), _)| format!("{event} was acknowledged and is in no inbox")));
        if let Some(what) = lost.into_iter().next() {
            self.fail("acknowledged_lost", what);
        }
    }
}

/// What a client was told and the store does not have.
fn lost_answer(reader: &mut dyn Reader, key: &str, told: &Told) -> Option<String> {
    let digest = Key::parse(key).ok()?.digest();
    let place = vec![crate::world::tenant().bytes().into(), digest.into()];
    let mut get = |table, place| reader.get_many(table, &[place]).ok()?.pop()?;
    let Some(row) = get(&IDEMPOTENCY, place) else { return Some(format!("{key} was accepted and is not stored")) };
    let Ok(entry) = KeyEntry::from_row(&row) else { return Some(format!("what is stored of {key} cannot be read")) };
    let row = get(&COMMANDS, vec![entry.command.bytes().into()]);
    let Some(command) = row.and_then(|row| Command::from_row(&row).ok()) else {
        return Some(format!("{key} stands for a command that is not stored"));
    };
    if told.command.is_some_and(|id| id != command.id) {
        return Some(format!("{key} was accepted as another command than {}", command.id));
    }
    let (status, body) = told.answer.as_ref()?;
    match &command.progress {
        Progress::Completed { status: stored, body: bytes, .. } if (stored, bytes) == (status, body) => None,
        other => Some(format!("{key} was answered `{}`, and {other:?} is stored", String::from_utf8_lossy(body))),
    }
}
