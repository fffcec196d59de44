//! The end of a world: when everything has come to rest, and the auditor's last look.

use super::{Event, Purpose, World};
use quittance_core::effect::Effect;
use quittance_core::effect::State;
use quittance_store::records::{Entity, GatewayObject};
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::{EFFECTS, GATEWAY_OBJECTS};
use std::collections::BTreeMap;

/// How often it is looked, in milliseconds.
const CHECK_MS: u64 = 6 * 3_600_000;

/// How long everything has to have been at rest: sweeps and looks have seen whatever happened last by then.
const REST_MS: u64 = 26 * 3_600_000;

/// When a world is audited at the latest, in milliseconds since it began.
const LATEST_MS: u64 = 45 * 24 * 3_600_000;

impl World {
    pub(super) fn check_end(&mut self) {
        let now_ms = self.clock.now_ms;
        self.after(CHECK_MS, Event::Check);
        if !self.is_at_rest() {
            self.settled_since = None;
        } else if self.settled_since.is_none() {
            self.settled_since = Some((now_ms, self.looks()));
        }
        let has_rested = self.settled_since.as_ref().is_some_and(|(since, before)| {
            let was_seen = |(object, looks): (String, i64)| before.get(&object).is_none_or(|then| looks > *then);
            now_ms - since >= REST_MS && self.looks().into_iter().all(was_seen)
        });
        self.is_over = has_rested || now_ms >= LATEST_MS;
    }

    fn is_at_rest(&self) -> bool {
        let rows = self.database.reader().scan(&Scan::forward(&EFFECTS, Vec::new(), 10_000)).unwrap_or_default();
        let mut effects = rows.iter().filter_map(|row| Effect::from_row(row).ok());
        let are_done = effects.all(|effect| effect.state.is_terminal() && effect.state != State::Review);
        let is_quiet = self.gateways.iter().all(|gateway| gateway.next_task_ms().is_none());
        are_done && is_quiet && self.process.is_some() && self.clients_are_done()
    }

    /// How often each object was looked at that is still looked at. A lost dispute is looked at once a week.
    fn looks(&self) -> BTreeMap<String, i64> {
        let scan = Scan::forward(&GATEWAY_OBJECTS, Vec::new(), 10_000);
        let rows = self.database.reader().scan(&scan).unwrap_or_default();
        let objects = rows.iter().filter_map(|row| GatewayObject::from_row(row).ok());
        let watched = objects.filter(|row| row.due_at.is_some() && row.status.as_deref() != Some("lost"));
        watched.map(|row| (row.object, row.read_sequence)).collect()
    }

    /// A write that is about to leave has its ticket.
    pub(super) fn check_ticket(&mut self, flight: u64) {
        let Some(flight) = self.network.flights.get(&flight) else { return };
        if let Purpose::Job(job) = &flight.purpose
            && let quittance_engine::submission::Plan::Send(_) = job.plan
        {
            self.auditor.leaves(&mut self.database.reader(), job, &flight.request);
            self.network.written.insert(job.effect.effect, self.clock.now_ms);
        }
    }

    /// The auditor looks at everything.
    pub(super) fn audit_end(&mut self) {
        let mut reader = self.database.reader();
        self.auditor.at_end(&mut reader, &self.gateways, &mut self.coverage);
    }

    /// The names of the gateways, in order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.plan.gateways.iter().map(|profile| profile.name()).collect()
    }
}
