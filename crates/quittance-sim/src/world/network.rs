//! The network between the process and its gateways: what leaves, what arrives, and what is heard of it.

use super::{Event, World};
use crate::matrix::hooks::TWICE_MS;
use crate::matrix::steps::{Kind, StepFault};
use crate::plan::{Blow, On};
use crate::process::WITHDRAWN;
use crate::process::find::Searching;
use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, Method, Request, Response};
use quittance_core::fact::Loss;
use quittance_core::id::EffectId;
use quittance_core::time::Timestamp;
use quittance_engine::submission::{Job, Look};
use quittance_store::records::Lane;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a request is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// A write or a read that an effect wants.
    Job(Box<Job>),
    /// A look at an object.
    Look(Box<Look>),
    /// A page of a search.
    Page(Box<Searching>),
    /// A page of the sweep that is under way.
    Sweep,
    /// Whether the gateway is there.
    Probe,
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) gateway: usize,
    pub(crate) request: Arc<Request>,
    pub(crate) purpose: Purpose,
    pub(crate) lane: Lane,
    /// When it has to be over, by the wall clock; none where only the time-out counts.
    pub(crate) deadline: Option<Timestamp>,
    /// When it was handed over, by the steady clock.
    pub(crate) begun_ms: u64,
    /// The least time that has to be left when it leaves.
    pub(crate) least_ms: u64,
}

/// Every request of the living process that is not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) flights: BTreeMap<u64, Flight>,
    pub(crate) connectors: Vec<Arc<dyn Connector>>,
    /// When the last write of each effect left.
    pub(crate) written: BTreeMap<EffectId, u64>,
    pub(super) made: u64,
    /// Requests that happen to be struck after they have left, with the numbers of their steps.
    pub(crate) aimed: BTreeMap<u64, (u64, StepFault)>,
}

impl World {
    /// Hands a request over to the network.
    pub(crate) fn send(&mut self, flight: Flight) {
        self.network.made += 1;
        let (number, process) = (self.network.made, self.processes);
        self.network.flights.insert(number, flight);
        let wait_ms = self.dice.below(3);
        self.after(wait_ms, Event::Leave { process, flight: number });
    }

    /// A request leaves, if there is time for it and its gateway is not paused.
    pub(super) fn leave(&mut self, process: u32, number: u64) {
        if process != self.processes || self.process.is_none() {
            return;
        }
        let Some(flight) = self.network.flights.get(&number) else { return };
        let (gateway, request) = (flight.gateway, Arc::clone(&flight.request));
        let now = self.clock.wall();
        let elapsed_ms = self.clock.now_ms - flight.begun_ms;
        let by_wall_ms = flight.deadline.map_or(super::setup::TIMEOUT_MS, |deadline| deadline.ms_since(now));
        let patience_ms = by_wall_ms.min(super::setup::TIMEOUT_MS.saturating_sub(elapsed_ms));
        let is_paused = self.is_paused(gateway);
        if patience_ms < flight.least_ms || is_paused {
            return self.fall_back(process, number, WITHDRAWN);
        }
        self.check_ticket(number);
        let has_keys = self.plan.gateways[gateway].has_keys() || request.method == Method::Get;
        // A network that doubles what it carries would charge twice where there are no keys, and nobody could help it.
        let blow = self.strike(gateway, &request).filter(|blow| has_keys || !matches!(blow, Blow::Twice(_)));
        let Some(blow) = self.step_leaves(number, blow) else { return };
        match self.is_dull(number) && blow.is_none() {
            true => self.mark(&request.canonical_bytes()),
            false => self.tell(&request.canonical_bytes(), || sent(&request, self_name(gateway), blow)),
        }
        self.carry(process, number, (gateway, request), blow, patience_ms);
    }

    /// A request is about to leave: what happens to it, or nothing where the process dies before.
    fn step_leaves(&mut self, flight: u64, blow: Option<Blow>) -> Option<Option<Blow>> {
        let Network { flights, .. } = &self.network;
        let named = flights.get(&flight).map(|known| Self::name_of_request(&known.request, &known.purpose));
        let (number, fault) = self.step_begins(Kind::Request, || named.unwrap_or_default());
        self.network.aimed.insert(flight, (number, StepFault::KillBefore));
        match fault {
            None => return Some(blow),
            Some(StepFault::KillBefore) => {
                self.die_at_step(number, StepFault::KillBefore);
                return None;
            }
            Some(fault @ (StepFault::KillAfter | StepFault::AnswerTwice)) => {
                self.network.aimed.insert(flight, (number, fault));
                return Some(blow);
            }
            Some(fault) => self.step_struck(number, fault),
        }
        Some(Some(match fault {
            Some(StepFault::LoseDone) => Blow::LoseAnswer,
            Some(StepFault::LoseUndone) => Blow::LoseRequest,
            _ => Blow::Twice(TWICE_MS),
        }))
    }

    fn fall_back(&mut self, process: u32, flight: u64, reason: &str) {
        let delivery = Delivery::NotSent { reason: reason.into() };
        self.after(0, Event::Back { process, flight, delivery });
    }

    /// Carries a request as far as it comes.
    fn carry(
        &mut self,
        process: u32,
        flight: u64,
        (gateway, request): (usize, Arc<Request>),
        blow: Option<Blow>,
        patience_ms: u64,
    ) {
        let timeout = Delivery::Lost { loss: Loss::Timeout, reason: "time-out".into() };
        self.after(patience_ms, Event::Back { process, flight, delivery: timeout });
        if let Some((until, is_refused)) = self.ways[gateway].cut.filter(|(until, _)| *until > self.clock.now_ms) {
            debug_assert!(until > self.clock.now_ms);
            self.struck(if is_refused { "cut_refused" } else { "cut_silent" });
            if is_refused {
                self.fall_back(process, flight, "refused");
            }
            return;
        }
        let wait_ms = self.latency_ms();
        let arrive = |flight, blow| Event::AtGateway { flight, gateway, request: Arc::clone(&request), blow };
        match blow {
            Some(Blow::Refuse) => self.fall_back(process, flight, "refused"),
            Some(Blow::LoseRequest) => {}
            Some(Blow::Late(later_ms)) => self.after(later_ms, arrive(0, None)),
            Some(Blow::Twice(later_ms)) => {
                self.after(wait_ms, arrive(flight, None));
                self.after(wait_ms + later_ms, arrive(0, None));
            }
            blow => self.after(wait_ms, arrive(flight, blow)),
        }
    }

    fn latency_ms(&mut self) -> u64 {
        match self.dice.below(40) {
            0 => self.dice.between(500, 4_000),
            _ => self.dice.between(10, 150),
        }
    }

    /// The first blow that is armed for a request like this.
    fn strike(&mut self, gateway: usize, request: &Request) -> Option<Blow> {
        let strikes = &mut self.ways[gateway].strikes;
        let at = strikes.iter().position(|(on, _, _)| is_on(*on, request))?;
        let blow = strikes[at].1;
        strikes[at].2 -= 1;
        if strikes[at].2 == 0 {
            strikes.remove(at);
        }
        self.struck(name_of(blow));
        Some(blow)
    }

    /// A request arrives, and its answer goes back, where nothing happens to it.
    pub(super) fn at_gateway(&mut self, flight: u64, gateway: usize, request: &Request, blow: Option<Blow>) {
        let now_ms = self.clock.now_ms;
        let response = self.gateways[gateway].serve(request, now_ms, blow);
        match self.is_dull(flight) && blow.is_none() {
            true => self.mark(&response.body),
            false => self.tell(&response.body, || answered(gateway, request, &response)),
        }
        self.auditor.at_gateway(gateway, &self.gateways[gateway]);
        self.gateway_moved(gateway);
        if let Some((step, StepFault::KillAfter)) = self.network.aimed.get(&flight).copied() {
            return self.die_at_step(step, StepFault::KillAfter);
        }
        let process = self.processes;
        let wait_ms = self.latency_ms();
        match blow {
            _ if flight == 0 => {}
            Some(Blow::LoseAnswer) => {}
            Some(Blow::Reset) => {
                let delivery = Delivery::Lost { loss: Loss::Reset, reason: "reset".into() };
                self.after(wait_ms, Event::Back { process, flight, delivery });
            }
            _ => self.after(wait_ms, Event::Back { process, flight, delivery: Delivery::Answered(response) }),
        }
    }

    /// Whether a request is one of the many by which nothing happens in most cases: a page of a sweep.
    fn is_dull(&self, flight: u64) -> bool {
        self.network.flights.get(&flight).is_some_and(|flight| matches!(flight.purpose, Purpose::Sweep))
    }

    /// Something may have changed at a gateway: its events go out, and what it does later is planned.
    pub(crate) fn gateway_moved(&mut self, gateway: usize) {
        self.send_events(gateway);
        let next = self.gateways[gateway].next_task_ms();
        let planned = self.ways[gateway].tasks_at.filter(|at| *at >= self.clock.now_ms);
        if let Some(at_ms) = next.filter(|at| planned.is_none_or(|planned| *at < planned)) {
            self.ways[gateway].tasks_at = Some(at_ms);
            self.agenda.plan(at_ms, Event::Tasks(gateway));
        }
    }

    pub(super) fn run_tasks(&mut self, gateway: usize) {
        self.ways[gateway].tasks_at = None;
        let now_ms = self.clock.now_ms;
        if self.gateways[gateway].run_tasks(now_ms) > 0 {
            self.settled_since = None;
            self.tell(&[], || format!("{} moves on by itself", self_name(gateway)));
            self.auditor.at_gateway(gateway, &self.gateways[gateway]);
        }
        self.gateway_moved(gateway);
    }
}

fn self_name(gateway: usize) -> String {
    format!("gateway {gateway}")
}

fn sent(request: &Request, gateway: String, blow: Option<Blow>) -> String {
    let key = request.idempotency_key.as_deref().unwrap_or("no key");
    let blow = blow.map_or_else(String::new, |blow| format!(", which is struck: {blow:?}"));
    let body: String = String::from_utf8_lossy(&request.body).chars().take(120).collect();
    format!("to {gateway}: {} {} ({key}) {body}{blow}", request.method.as_str(), request.target)
}

fn answered(gateway: usize, request: &Request, response: &Response) -> String {
    let body: String = String::from_utf8_lossy(&response.body).chars().take(160).collect();
    let (method, target) = (request.method.as_str(), &request.target);
    format!("{} answers {method} {target} with {}: {body}", self_name(gateway), response.status)
}

fn is_on(on: On, request: &Request) -> bool {
    let target = request.target.split('?').next().unwrap_or_default();
    let is_write = request.method == Method::Post;
    let ends = |word: &str| target.ends_with(word);
    match on {
        On::Any => true,
        On::Write => is_write,
        On::Charge => is_write && (ends("/confirm") || ends("/charges") || ends("/transfers")),
        On::Refund => is_write && ends("/refunds"),
        On::Act => is_write && (ends("/capture") || ends("/cancel")),
        On::Read => !is_write && !request.target.contains('?'),
        On::List => !is_write && request.target.contains('?'),
    }
}

const fn name_of(blow: Blow) -> &'static str {
    match blow {
        Blow::LoseRequest => "lose_request",
        Blow::LoseAnswer => "lose_answer",
        Blow::Reset => "reset",
        Blow::Late(_) => "late",
        Blow::Twice(_) => "twice",
        Blow::Refuse => "refuse",
        Blow::Error => "error",
        Blow::ErrorAfter => "error_after",
        Blow::ErrorBefore(_) => "error_before",
        Blow::Unavailable => "unavailable",
        Blow::UnavailableAfter => "unavailable_after",
        Blow::Throttle => "throttle",
        Blow::Unauthorised => "unauthorised",
        Blow::InUse => "in_use",
        Blow::Html => "html",
        Blow::Truncated => "truncated",
    }
}
