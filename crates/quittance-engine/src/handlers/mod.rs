//! One file for each kind of submission: which rows it needs, and what it does with them.

mod approval;
mod begin;
mod brakes;
mod client;
mod deliveries;
mod disputed;
mod effect_rows;
mod endpoints;
mod learned;
mod master;
mod new_customer;
mod new_evidence;
mod new_payment;
mod new_refund;
mod object;
mod operator;
mod orphans;
mod prune;
mod requests;
mod resolution;
mod steps;
mod sweep;
mod webhook;

use crate::backlog::Backlog;
use crate::brakes::Brakes;
use crate::due::Waiting;
use crate::gateways::{Gateways, Leases};
use crate::pause::Paused;
use crate::ports::{Ids, Render};
use crate::room::Permits;
use crate::submission::{Job, Look, Outcome, Submission};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::effect::Era;
use quittance_core::time::Timestamp;
use quittance_store::records::Entity;
use quittance_store::schema::Table;
use quittance_store::store::{Loaded, Read};
use quittance_store::value::Key;
use std::collections::BTreeMap;

/// What handlers get besides rows.
pub(crate) struct Context<'a> {
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a mut dyn Ids,
    pub(crate) render: &'a dyn Render,
    pub(crate) gateways: &'a Gateways,
    pub(crate) brakes: &'a Brakes,
    pub(crate) leases: Leases,
    /// Who takes leases here: the store's writer epoch.
    pub(crate) owner: i64,
    /// What may still begin.
    pub(crate) permits: Permits,
    /// The look at an object that the submission begins.
    pub(crate) look: Option<Look>,
    /// Lanes in which effects are due that there was no room for, by gateway.
    pub(crate) waiting: &'a Waiting,
    pub(crate) paused: &'a Paused,
    /// How far behind the gateways were when it was last looked.
    pub(crate) backlog: &'a BTreeMap<String, Backlog>,
    /// The era of the clock that `now` is of.
    pub(crate) era: Era,
    /// Whether others may have begun a newer one.
    pub(crate) is_era_shared: bool,
    /// How far ahead of gateways' clocks ours may be, in milliseconds: what the era has of it, or less by what they told.
    pub(crate) ahead_ms: u64,
}

impl Context<'_> {
    /// The refusal of a further payment at a gateway that is too far behind. One that is held back on purpose, by an
    /// operator or after a restore, is not behind.
    pub(crate) fn backlogged(&self, name: &str) -> Option<Outcome> {
        let age_max_ms = self.gateways.0.get(name)?.backlog_age_max_ms;
        let age_ms = self.backlog.get(name)?.excess_ms(age_max_ms, self.now)?;
        let is_on_purpose = self.paused.holds_back(name) || self.paused.is_recovering(name);
        (!is_on_purpose).then(|| Outcome::Backlogged { gateway: name.to_owned(), age_ms })
    }
}

/// What a handler makes of a submission.
pub(crate) struct Handled {
    pub(crate) outcome: Outcome,
    pub(crate) job: Option<Job>,
}

impl From<Outcome> for Handled {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, job: None }
    }
}

/// Names the rows a submission needs, given what is loaded.
pub(crate) fn reads(submission: &Submission, wanted: &mut Wanted<'_>) {
    match submission {
        Submission::Client(command) => client::reads(command, wanted),
        Submission::Learned(fact) => learned::reads(fact, wanted),
        Submission::Begin(effect) => effect_rows::reads(effect, wanted),
        Submission::Webhook(event) => webhook::reads(event, wanted),
        Submission::Look(named) => object::reads_look(named, wanted),
        Submission::Looked(looked) => object::reads_looked(looked, wanted),
        Submission::Swept(swept) => sweep::reads_swept(swept, wanted),
        Submission::Requeue(requeue) => object::reads_requeue(requeue, wanted),
        Submission::Replay(replay) => webhook::reads_replay(replay, wanted),
        Submission::Delivered(delivered) => deliveries::reads(delivered, wanted),
        Submission::ReplayEvent(replay) => deliveries::reads_replay(replay, wanted),
        Submission::ChangeEndpoint(change) => endpoints::reads(change.tenant, wanted),
        Submission::CreateTenant(tenant) => operator::reads_tenant(tenant, wanted),
        Submission::CreateKey(key) => operator::reads_key(key, wanted),
        Submission::RevokeKey { id, .. } | Submission::RotateKey { id, .. } | Submission::KeyUsed { id, .. } => {
            operator::reads_known_key(*id, wanted);
        }
        Submission::Reseal { table, keys } => master::reads_resealed(table, keys, wanted),
        Submission::RetireMasterKeys { ids, .. } => master::reads_retired(ids, wanted),
        Submission::SetSwitch(switch) => operator::reads_switch(switch, wanted),
        Submission::Prune(prune) => prune::reads(prune, wanted),
    }
}

/// Decides a submission over the rows of its batch.
pub(crate) fn handle(
    submission: &Submission,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    match submission {
        Submission::Client(command) => client::handle(command, rows, context),
        Submission::Learned(fact) => learned::handle(fact, rows, context),
        Submission::Begin(effect) => begin::handle(effect, rows, context),
        Submission::Webhook(event) => webhook::handle(event, rows, context),
        Submission::Look(named) => object::look(named, rows, context),
        Submission::Looked(looked) => object::looked(looked, rows, context),
        Submission::Swept(swept) => sweep::swept(swept, rows, context),
        Submission::Requeue(requeue) => object::requeue(requeue, rows, context),
        Submission::Replay(replay) => webhook::replay(replay, rows, context),
        Submission::Delivered(delivered) => deliveries::delivered(delivered, rows, context),
        Submission::ReplayEvent(replay) => deliveries::replay(replay, rows, context),
        Submission::ChangeEndpoint(change) => endpoints::change(change, rows, context),
        Submission::CreateTenant(tenant) => operator::create_tenant(tenant, rows),
        Submission::CreateKey(key) => operator::create_key(key, rows),
        Submission::RevokeKey { id, at } => operator::revoke_key(*id, *at, rows),
        Submission::RotateKey { id, ends_at, successor } => operator::rotate_key(*id, *ends_at, successor, rows),
        Submission::KeyUsed { id, at } => operator::use_key(*id, *at, rows),
        Submission::Reseal { table, keys } => master::reseal(table, keys, rows),
        Submission::RetireMasterKeys { ids, at } => master::retire(ids, *at, rows),
        Submission::SetSwitch(switch) => operator::set_switch(switch, rows),
        Submission::Prune(prune) => prune::handle(prune, rows, context),
    }
}

/// Collects the rows that a batch needs.
pub(crate) struct Wanted<'a> {
    pub(crate) loaded: &'a Loaded,
    pub(crate) brakes: &'a Brakes,
    /// Since when a restore or a failover may have lost customers.
    pub(crate) lost_since: Option<Timestamp>,
    pub(crate) reads: Vec<Read>,
}

impl Wanted<'_> {
    /// Wants a row that names no other.
    pub(crate) fn row<E: Entity>(&mut self, key: Key) {
        if self.loaded.row(E::table(), &key).is_none() {
            self.reads.push(Read::Row { table: E::table(), key });
        }
    }

    /// Wants a row of any table.
    pub(crate) fn any_row(&mut self, table: &'static Table, key: Key) {
        if self.loaded.row(table, &key).is_none() {
            self.reads.push(Read::Row { table, key });
        }
    }

    /// Wants a row; gives it if it is there already.
    pub(crate) fn get<E: Entity>(&mut self, key: Key) -> Option<E> {
        match self.loaded.row(E::table(), &key) {
            None => {
                self.reads.push(Read::Row { table: E::table(), key });
                None
            }
            // A row that cannot be read is found again, and reported, when it is decided over.
            Some(row) => row.and_then(|row| E::from_row(row).ok()),
        }
    }

    /// Wants the row a unique index leads to; gives it if it is there already.
    pub(crate) fn unique<E: Entity>(
        &mut self,
        index: &'static quittance_store::schema::Index,
        values: Vec<quittance_store::value::Value>,
    ) -> Option<E> {
        match self.loaded.unique(index, &values) {
            None => {
                self.reads.push(Read::Unique { table: E::table(), index, values });
                None
            }
            Some(None) => None,
            Some(Some(key)) => self.get(key.clone()),
        }
    }
}
