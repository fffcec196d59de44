//! Jobs, looks and probes: requests handed to the network, and what their answers teach handed back to the engine.

use super::{Died, Origin, Process};
use crate::plan::Point;
use crate::process::find::Searching;
use crate::world::{Flight, Purpose, World};
use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, Request};
use quittance_core::effect::{Source, Stimulus};
use quittance_core::fact::Fact;
use quittance_core::time::Timestamp;
use quittance_engine::submission::{Job, LearnedFact, Look, LookPlan, Looked, Plan, Submission};
use quittance_store::records::Lane;
use std::sync::Arc;

/// Why a request did not leave by our own decision: it says nothing about the gateway.
pub(crate) const WITHDRAWN: &str = "no time, or paused";

/// A request that could use less than half of the gateway's time is not begun.
const LEAST_MS: u64 = 2_500;

impl World {
    /// The number of the gateway of this name.
    pub(crate) fn gateway_at(&self, name: &str) -> usize {
        let at = self.plan.gateways.iter().position(|profile| profile.name() == name);
        at.expect("the engine knows no other gateways than the plan's")
    }

    /// Whether nothing may leave for a gateway.
    pub(crate) fn is_paused(&self, gateway: usize) -> bool {
        let name = self.plan.gateways[gateway].name();
        self.process.as_ref().is_some_and(|process| process.engine.paused().holds_back(name))
    }

    pub(crate) fn connector_of(&self, gateway: usize) -> Arc<dyn Connector> {
        Arc::clone(&self.network.connectors[gateway])
    }

    pub(super) fn begin_job(&mut self, process: &mut Process, job: Job) {
        let gateway = self.gateway_at(&job.gateway);
        let (lane, deadline) = (job.lane, Some(job.deadline));
        if let Plan::Find(_) = &job.plan {
            return self.begin_search(process, gateway, job);
        }
        let request = match &job.plan {
            Plan::Send(request) | Plan::Read(request) => request.clone(),
            Plan::Find(_) => return,
        };
        let purpose = Purpose::Job(Box::new(job));
        self.begin(process, gateway, lane, (request, purpose), deadline, LEAST_MS);
    }

    pub(super) fn begin_look(&mut self, process: &mut Process, look: Look) {
        let gateway = self.gateway_at(&look.object.gateway);
        let (lane, deadline) = (look.lane, Some(look.deadline));
        let request = match &look.plan {
            LookPlan::Read(request) | LookPlan::Cancel(request) => request.clone(),
        };
        self.begin(process, gateway, lane, (request, Purpose::Look(Box::new(look))), deadline, LEAST_MS);
    }

    /// Takes a place at a gateway and sends.
    pub(super) fn begin(
        &mut self,
        process: &mut Process,
        gateway: usize,
        lane: Lane,
        (request, purpose): (Request, Purpose),
        deadline: Option<Timestamp>,
        least_ms: u64,
    ) {
        let now = self.clock.wall();
        let line = &mut process.lines[gateway];
        if !matches!(purpose, Purpose::Probe) {
            line.condition.begin(lane, now);
        }
        line.in_flight += 1;
        let begun_ms = self.clock.now_ms;
        let request = Arc::new(request);
        self.send(Flight { gateway, request, purpose, lane, deadline, begun_ms, least_ms });
    }

    /// Asks every gateway of which something is held back for one harmless page.
    pub(super) fn probe(&mut self, process: &mut Process, now: Timestamp) {
        for gateway in 0..self.gateways.len() {
            let name = self.plan.gateways[gateway].name();
            let is_paused = process.engine.paused().holds_back(name);
            if !is_paused && process.lines[gateway].condition.take_probe(now) {
                let request = self.connector_of(gateway).probe();
                self.begin(process, gateway, Lane::Read, (request, Purpose::Probe), None, 0);
            }
        }
    }

    /// What became of a request is known.
    pub(crate) fn back(&mut self, number: u32, flight: u64, delivery: &Delivery) {
        if number != self.processes || self.process.is_none() {
            return;
        }
        // Answered before, or given up before.
        let aimed = self.network.aimed.remove(&flight);
        let Some(flight) = self.network.flights.remove(&flight) else { return };
        if matches!(delivery, Delivery::Lost { reason, .. } if reason == "time-out") {
            self.struck("timeout");
        }
        let Some(mut process) = self.process.take() else { return };
        process.lines[flight.gateway].in_flight -= 1;
        let end = match self.pass(Point::AnswerCame) {
            Ok(()) => self.learn(&mut process, flight, delivery),
            Err(Died) => Err(Died),
        };
        self.process = Some(process);
        match end {
            Ok(entry) => {
                if let Some((submission, origin)) = entry {
                    self.step_teaches(aimed, &submission);
                    self.submit(submission, origin);
                }
                // A place is free, and something may wait for it.
                self.turn_in(5);
            }
            Err(Died) => self.bury("with an answer in its hand"),
        }
    }

    fn learn(
        &mut self,
        process: &mut Process,
        flight: Flight,
        delivery: &Delivery,
    ) -> Result<Option<(Submission, Origin)>, Died> {
        let connector = self.connector_of(flight.gateway);
        let (gateway, lane) = (flight.gateway, flight.lane);
        match flight.purpose {
            Purpose::Job(job) => {
                let (source, stimulus) = match job.plan {
                    Plan::Send(_) => {
                        let fact = connector.decode_write(job.kind, delivery);
                        self.heed(process, gateway, lane, delivery, &fact);
                        (Source::Send, Stimulus::Answered(fact))
                    }
                    _ => {
                        let fact = connector.decode_read(job.kind, delivery);
                        self.heed(process, gateway, lane, delivery, &fact);
                        (Source::Read, Stimulus::Read(fact))
                    }
                };
                let lesson = LearnedFact { effect: job.effect, source, stimulus };
                Ok(Some((Submission::Learned(Box::new(lesson)), Origin::Lesson)))
            }
            Purpose::Look(look) => {
                let (is_cancel, fact) = match look.plan {
                    LookPlan::Read(_) => (false, connector.decode_read(look.kind, delivery)),
                    LookPlan::Cancel(_) => (true, connector.decode_write(look.kind, delivery)),
                };
                self.heed(process, gateway, lane, delivery, &fact);
                let looked = Looked { object: look.object, is_cancel, fact };
                Ok(Some((Submission::Looked(Box::new(looked)), Origin::Lesson)))
            }
            Purpose::Page(searching) => self.searched(process, gateway, *searching, delivery),
            Purpose::Sweep => {
                self.swept_page(process, gateway, delivery)?;
                Ok(None)
            }
            Purpose::Probe => {
                let fact = connector.decode_probe(delivery);
                process.lines[gateway].condition.probed(&fact, self.clock.wall());
                Ok(None)
            }
        }
    }

    /// Tells the gateway's condition what became of a request.
    pub(super) fn heed(&mut self, process: &mut Process, gateway: usize, lane: Lane, delivery: &Delivery, fact: &Fact) {
        let now = self.clock.wall();
        let condition = &mut process.lines[gateway].condition;
        match delivery {
            Delivery::NotSent { reason } if reason == WITHDRAWN => condition.withdraw(lane, now),
            _ => condition.report(lane, fact, now),
        }
    }

    /// What a search taught, as the engine wants it.
    pub(super) fn search_ended(searching: Searching, stimulus: Stimulus) -> (Submission, Origin) {
        let lesson = LearnedFact { effect: searching.job.effect, source: Source::Find, stimulus };
        (Submission::Learned(Box::new(lesson)), Origin::Lesson)
    }
}
