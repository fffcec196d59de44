//! A world in which one step is struck, and what can be asked about it.

use quittance_sim::gateway::Gateway;
use quittance_sim::matrix::steps::{Kind, StepFault};
use quittance_sim::matrix::{self, Workflow};
use quittance_sim::plan::{Fault, Operation, Plan, Profile, Trouble, What};
use quittance_sim::world::{Outcome, World};

/// A world that was lived, and its first gateway at its end.
pub struct Lived {
    pub outcome: Outcome,
    pub gateway: Gateway,
}

/// Where the process dies or something is lost.
#[derive(Clone, Copy)]
pub struct At {
    pub kind: Kind,
    /// What the step is called.
    pub what: &'static str,
    /// Which of several that are called so; the first is 0.
    pub nth: usize,
}

pub const fn transaction(what: &'static str) -> At {
    At { kind: Kind::Transaction, what, nth: 0 }
}

pub const fn request(what: &'static str) -> At {
    At { kind: Kind::Request, what, nth: 0 }
}

pub const fn webhook(what: &'static str) -> At {
    At { kind: Kind::Webhook, what, nth: 0 }
}

pub fn workflow(name: &str) -> Workflow {
    let found = matrix::all().into_iter().find(|workflow| workflow.name == name);
    found.unwrap_or_else(|| panic!("there is no workflow `{name}`"))
}

pub fn plan(name: &str) -> Plan {
    workflow(name).plan
}

/// The same at a gateway of another class, which pays in one request. The client asks again when a person has had time.
pub fn at_class(profile: Profile) -> Plan {
    let mut plan = Plan { gateways: vec![profile], ..plan("payment, class A") };
    let again = Operation { at_ms: plan.operations[0].at_ms + 48 * 3_600_000, ..plan.operations[0].clone() };
    plan.operations.push(again);
    plan
}

/// The same while the gateway is paused for the first two minutes.
pub fn paused(plan: Plan) -> Plan {
    let begin_ms = plan.operations[0].at_ms;
    let pause = |at_ms, is_paused| Operation {
        at_ms,
        what: What::Pause { gateway: 0, is_paused },
        is_double: false,
        patience_ms: 3_000,
    };
    let mut plan = plan;
    plan.operations.extend([pause(begin_ms - 1_000, true), pause(begin_ms + 120_000, false)]);
    plan
}

/// The world of a plan; nothing may be wrong with it.
pub fn live(plan: &Plan) -> Lived {
    let mut gateway = None;
    let world = World::new(plan, false).with_steps();
    let outcome = world.live_with(|_, gateways| gateway = Some(gateways[0].clone()));
    assert_eq!(outcome.failure, None);
    Lived { outcome, gateway: gateway.expect("there is a gateway") }
}

/// The world of a plan, with one step of it struck.
pub fn strike(plan: &Plan, at: At, fault: StepFault) -> Lived {
    let steps = live(plan).outcome.steps;
    let mut named = steps.iter().filter(|step| step.kind == at.kind && step.what == at.what && step.has_effect);
    let number = named.nth(at.nth).unwrap_or_else(|| panic!("no step `{}` among {steps:#?}", at.what)).number;
    let mut plan = plan.clone();
    plan.faults.push(Fault { at_ms: 0, what: Trouble::AtStep { step: number, fault } });
    let lived = live(&plan);
    assert_eq!(lived.outcome.struck, [(number, fault)]);
    lived
}

impl Lived {
    /// What the first process that died left to the next.
    pub fn found(&self) -> Vec<&str> {
        let found = self.outcome.found.first().expect("a process died");
        found.iter().map(String::as_str).collect()
    }

    /// What was done after the step that was struck: each kind of step by its name, upkeep left out.
    pub fn after(&self, kind: Kind) -> Vec<&str> {
        let struck = self.outcome.struck[0].0;
        let after = self.outcome.steps.iter().filter(|step| step.number > struck && !step.is_upkeep);
        after.filter(|step| step.kind == kind).map(|step| step.what.as_str()).collect()
    }

    /// The requests that left after the step that was struck.
    pub fn requests(&self) -> Vec<&str> {
        self.after(Kind::Request)
    }

    /// How often money came at the gateway.
    pub fn charges(&self) -> usize {
        self.gateway.books.charges.iter().filter(|charge| charge.has_come()).count()
    }

    /// The one answer of the first key.
    pub fn answer(&self) -> (u16, String) {
        let (status, body) = self.outcome.answers.get("key-0").expect("the client has its answer");
        (*status, body.split(' ').nth(2).unwrap_or_default().to_owned())
    }

    /// One charge, and the client knows.
    pub fn is_paid_once(&self) {
        assert_eq!((self.charges(), self.answer()), (1, (201, "succeeded".to_owned())));
    }
}
