//! Sweeps: what a gateway did is learned though no webhook says so. The log of events first, then lists of objects, one page
//! after the other; how far each has come is stored after everything before it.

use super::{Died, Origin, Process};
use crate::plan::Point;
use crate::world::{Event, Purpose, World};
use quittance_connectors::connector::{EVENTS_PAGE_MAX, EventsFact, ListFact, Search};
use quittance_connectors::message::{Delivery, Request};
use quittance_core::effect::{Class, Subject};
use quittance_core::fact::{Fact, ObjectKind};
use quittance_core::id::RefundId;
use quittance_engine::submission::{EventLog, Listed, Outcome, Submission, Swept, WebhookEvent};
use quittance_engine::sweeps::{Beginning, begin_events, begin_objects, follow_events, follow_objects};
use quittance_store::records::{ClockMark, Entity, EventSource, Lane, Sweep};
use quittance_store::store::Reader;
use quittance_store::tables::{CLOCKS, INBOX, SWEEPS};
use std::collections::VecDeque;

/// How often a gateway is swept once clients are gone, in milliseconds.
const EVERY_MS_LATER: u64 = 12 * 3_600_000;

/// Pages that one run asks for; the next run goes on where it was.
const PAGES_MAX: u32 = 50;

/// A list that is swept: the log of events, or objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Events,
    Objects(ObjectKind),
}

/// A run of sweeps of one gateway.
#[derive(Debug)]
pub(crate) struct Sweeping {
    lists: VecDeque<List>,
    sweep: Sweep,
    pages: u32,
    /// Submissions whose outcomes are not there yet.
    open: usize,
    /// Whether one of them was not stored.
    has_failed: bool,
    /// What follows once they are stored.
    then: Then,
}

#[derive(Debug)]
enum Then {
    /// Asks for the next page.
    Ask,
    /// Follows the page whose events are stored; objects are stored with how far the sweep has come.
    Follow { listed: Option<Listed>, newest: Option<i64>, next: Option<String> },
    /// Ends the list.
    End,
}

impl World {
    pub(super) fn begin_sweeps(&mut self) {
        for gateway in 0..self.gateways.len() {
            let process = self.processes;
            let wait_ms = self.dice.between(1_000, 60_000);
            self.after(wait_ms, Event::Sweep { process, gateway });
        }
    }

    pub(crate) fn sweep_due(&mut self, number: u32, gateway: usize) {
        if number != self.processes || self.process.is_none() {
            return;
        }
        let every_ms = if self.is_calm() { EVERY_MS_LATER } else { self.sweep_every_ms };
        self.after(every_ms, Event::Sweep { process: number, gateway });
        let Some(mut process) = self.process.take() else { return };
        let is_idle = process.lines[gateway].sweeping.is_none() && process.lines[gateway].condition.takes_work();
        if is_idle && !process.engine.paused().holds_back(self.plan.gateways[gateway].name()) {
            let lists = self.lists_of(gateway);
            self.next_list(&mut process, gateway, lists);
        }
        self.process = Some(process);
    }

    fn lists_of(&self, gateway: usize) -> VecDeque<List> {
        let connector = self.connector_of(gateway);
        let mut lists = VecDeque::new();
        if connector.events(0, None, 1).is_some() {
            lists.push_back(List::Events);
        }
        let is_two_phase = connector.capability(Subject::Payment).is_some_and(|offer| offer.class() == Class::P);
        lists.push_back(List::Objects(if is_two_phase { ObjectKind::Payment } else { ObjectKind::Charge }));
        if connector.capability(Subject::Refund(RefundId::from_bytes([0; 16]))).is_some() {
            lists.push_back(List::Objects(ObjectKind::Refund));
        }
        lists
    }

    /// Begins the first of these lists, or ends the run.
    fn next_list(&mut self, process: &mut Process, gateway: usize, lists: VecDeque<List>) {
        let Some(list) = lists.front().copied() else {
            process.lines[gateway].sweeping = None;
            return;
        };
        let mut sweep = self.stored_sweep(gateway, list);
        let now = self.clock.wall();
        let Beginning { gap, .. } = match list {
            List::Events => begin_events(&mut sweep, now, self.stored_ahead_ms()),
            List::Objects(_) => begin_objects(&mut sweep, now),
        };
        // Where nothing was ever seen, the next sweep has to know where this one began.
        let is_kept = list == List::Events && (gap.is_some() || sweep.cursor.is_none());
        let keep = is_kept.then(|| Swept { upon: None, sweep: sweep.clone(), listed: None, gap, log: None });
        let open = usize::from(is_kept);
        process.lines[gateway].sweeping =
            Some(Sweeping { lists, sweep, pages: 0, open, has_failed: false, then: Then::Ask });
        match keep {
            Some(keep) => self.queue(process, Submission::Swept(Box::new(keep)), gateway),
            None => self.ask_next(process, gateway),
        }
    }

    fn stored_sweep(&self, gateway: usize, list: List) -> Sweep {
        let name = match list {
            List::Events => Sweep::EVENTS,
            List::Objects(ObjectKind::Refund) => ObjectKind::Refund.name(),
            List::Objects(_) => ObjectKind::Payment.name(),
        };
        let fresh = Sweep::new(self.plan.gateways[gateway].name().to_owned(), name.to_owned());
        let rows = self.database.reader().get_many(&SWEEPS, &[fresh.key()]);
        let row = rows.ok().and_then(|mut rows| rows.pop().flatten());
        row.and_then(|row| Sweep::from_row(&row).ok()).unwrap_or(fresh)
    }

    fn stored_ahead_ms(&self) -> u64 {
        let rows = self.database.reader().get_many(&CLOCKS, &[ClockMark::key(ClockMark::ERA)]);
        let row = rows.ok().and_then(|mut rows| rows.pop().flatten());
        row.and_then(|row| ClockMark::from_row(&row).ok()).map_or(0, |mark| mark.era.ahead_ms)
    }

    /// Puts a submission of a sweep into the queue of the process, which is not in its place now.
    fn queue(&mut self, process: &mut Process, submission: Submission, gateway: usize) {
        process.inbox.push(super::Entry { submission, origin: Origin::Sweep(gateway) });
        let at_ms = self.clock.now_ms + 1;
        if process.turn_at.is_none_or(|planned| at_ms < planned) {
            process.turn_at = Some(at_ms);
            self.agenda.plan(at_ms, Event::Turn(self.processes));
        }
    }

    /// A page has come: what is on it is submitted.
    pub(super) fn swept_page(
        &mut self,
        process: &mut Process,
        gateway: usize,
        delivery: &Delivery,
    ) -> Result<(), Died> {
        self.pass(Point::SweepPage)?;
        let Some(sweeping) = &process.lines[gateway].sweeping else { return Ok(()) };
        let (list, is_full) = (sweeping.lists[0], sweeping.sweep.is_full);
        let connector = self.connector_of(gateway);
        let page = match list {
            List::Events => match connector.decode_events(delivery) {
                EventsFact::Page { events, next, .. } => {
                    let newest = events.iter().map(|(event, _)| event.created_seconds).max();
                    Ok((self.new_events(gateway, events), Then::Follow { listed: None, newest, next }))
                }
                EventsFact::Failed(fact) => Err(fact),
            },
            List::Objects(kind) => match connector.decode_page(kind, delivery) {
                ListFact::Page { sightings, disputes, next, .. } => {
                    let ids = sightings.into_iter().map(|seen| seen.object_id);
                    let objects = ids.chain(disputes.into_iter().map(|seen| seen.object_id)).collect();
                    let gateway = self.plan.gateways[gateway].name().to_owned();
                    let listed = Some(Listed { gateway, kind, objects, is_full });
                    Ok((Vec::new(), Then::Follow { listed, newest: None, next }))
                }
                ListFact::Failed(fact) => Err(fact),
            },
        };
        let fact = page.as_ref().err().cloned().unwrap_or(Fact::Absent);
        self.heed(process, gateway, Lane::Read, delivery, &fact);
        match page {
            Ok((submissions, then)) => self.store_page(process, gateway, submissions, then),
            Err(fact) => {
                self.no_page(process, gateway, &fact);
                Ok(())
            }
        }
    }

    fn store_page(
        &mut self,
        process: &mut Process,
        gateway: usize,
        submissions: Vec<Submission>,
        then: Then,
    ) -> Result<(), Died> {
        if let Some(sweeping) = &mut process.lines[gateway].sweeping {
            sweeping.open = submissions.len();
            sweeping.then = then;
        }
        let is_empty = submissions.is_empty();
        submissions.into_iter().for_each(|submission| self.queue(process, submission, gateway));
        if is_empty { self.go_on_sweeping(process, gateway) } else { Ok(()) }
    }

    /// No page: the list is left for the next run. Where it goes on is no longer known where a page was refused.
    fn no_page(&mut self, process: &mut Process, gateway: usize, fact: &Fact) {
        self.coverage.count("sweep", "interrupted");
        let Some(mut sweeping) = process.lines[gateway].sweeping.take() else { return };
        let is_refused = matches!(fact, Fact::Refused { .. } | Fact::Absent);
        if is_refused && sweeping.sweep.resume_after.take().is_some() {
            let keep = Swept { upon: None, sweep: sweeping.sweep, listed: None, gap: None, log: None };
            self.queue(process, Submission::Swept(Box::new(keep)), gateway);
        }
    }

    /// Events that no inbox has, the oldest first.
    fn new_events(
        &self,
        gateway: usize,
        events: Vec<(quittance_connectors::event::Event, Vec<u8>)>,
    ) -> Vec<Submission> {
        let name = self.plan.gateways[gateway].name();
        let keys: Vec<_> = events.iter().map(|(event, _)| vec![name.into(), event.id.as_str().into()]).collect();
        let known = self.database.reader().get_many(&INBOX, &keys).unwrap_or_default();
        let new = events.into_iter().zip(known).filter(|(_, row)| row.is_none()).map(|(event, _)| event);
        let swept = |(event, body): (quittance_connectors::event::Event, Vec<u8>)| {
            let (gateway, source) = (name.to_owned(), EventSource::Sweep);
            Submission::Webhook(Box::new(WebhookEvent { gateway, source, endpoint: None, secret: None, event, body }))
        };
        new.rev().map(swept).collect()
    }

    /// A submission of a sweep is decided.
    pub(super) fn sweep_stored(
        &mut self,
        process: &mut Process,
        gateway: usize,
        outcome: &Outcome,
    ) -> Result<(), Died> {
        let Some(sweeping) = &mut process.lines[gateway].sweeping else { return Ok(()) };
        sweeping.has_failed |= matches!(outcome, Outcome::Failed(_));
        sweeping.open = sweeping.open.saturating_sub(1);
        if sweeping.open > 0 {
            return Ok(());
        }
        if sweeping.has_failed {
            process.lines[gateway].sweeping = None;
            return Ok(());
        }
        self.go_on_sweeping(process, gateway)
    }

    fn go_on_sweeping(&mut self, process: &mut Process, gateway: usize) -> Result<(), Died> {
        let now = self.clock.wall();
        let Some(mut sweeping) = process.lines[gateway].sweeping.take() else { return Ok(()) };
        let list = sweeping.lists[0];
        match std::mem::replace(&mut sweeping.then, Then::Ask) {
            Then::Ask => {
                process.lines[gateway].sweeping = Some(sweeping);
                self.ask_next(process, gateway);
            }
            Then::End => {
                self.coverage.count("sweep", "complete");
                sweeping.lists.pop_front();
                self.next_list(process, gateway, sweeping.lists);
            }
            Then::Follow { listed, newest, next } => {
                self.pass(Point::SweepKept)?;
                let followed = match list {
                    List::Events => follow_events(&mut sweeping.sweep, newest, next, now),
                    List::Objects(_) => follow_objects(&mut sweeping.sweep, next, now),
                };
                let is_complete = followed.unwrap_or(true);
                let log = (is_complete && list == List::Events).then_some(EventLog::Readable);
                let keep = Swept { upon: None, sweep: sweeping.sweep.clone(), listed, gap: None, log };
                sweeping.then = if is_complete { Then::End } else { Then::Ask };
                sweeping.open = 1;
                process.lines[gateway].sweeping = Some(sweeping);
                self.queue(process, Submission::Swept(Box::new(keep)), gateway);
            }
        }
        Ok(())
    }

    /// Asks for the next page, unless this run has asked for enough.
    fn ask_next(&mut self, process: &mut Process, gateway: usize) {
        let Some(mut sweeping) = process.lines[gateway].sweeping.take() else { return };
        if sweeping.pages < PAGES_MAX {
            sweeping.pages += 1;
            let request = self.sweep_request(gateway, sweeping.lists[0], &sweeping.sweep);
            process.lines[gateway].sweeping = Some(sweeping);
            self.begin(process, gateway, Lane::Read, (request, Purpose::Sweep), None, 0);
        }
    }

    fn sweep_request(&self, gateway: usize, list: List, sweep: &Sweep) -> Request {
        let connector = self.connector_of(gateway);
        let after = sweep.resume_after.as_deref();
        match list {
            List::Events => {
                let from = sweep.created_from.unwrap_or_default();
                connector.events(from, after, EVENTS_PAGE_MAX).expect("only a log that is there is swept")
            }
            List::Objects(kind) => {
                let created_from = sweep.created_from;
                let search = Search { kind, parent: None, customer: None, reference: None, created_from };
                connector.page(&search, after)
            }
        }
    }
}
