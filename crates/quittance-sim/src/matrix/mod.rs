//! The crash matrix: every workflow, every step of it, every fault that can strike a step.
//!
//! A world without faults says which steps a workflow has. Then each step is struck by each fault in a world of its own; a new
//! process starts, nothing else goes wrong, and the end has to be the one that the workflow has without faults.

pub(crate) mod hooks;
pub mod report;
pub mod steps;
pub(crate) mod summary;
mod workflows;

pub use workflows::{Workflow, all};

use crate::plan::{Fault, Plan, Trouble};
use crate::world::{Outcome, World};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use steps::{Kind, Step, StepFault};

/// How often a step that comes again and again is struck: its first times, and its last ones.
const TIMES_EACH: usize = 6;

/// One cell: a step of a workflow that is struck by a fault.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The workflow's name.
    pub workflow: &'static str,
    /// The step.
    pub step: Step,
    /// What strikes it.
    pub fault: StepFault,
    /// What is wrong with how it ended, if anything is.
    pub wrong: Option<String>,
}

/// A workflow without faults, and every cell of it.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// The workflow.
    pub workflow: Workflow,
    /// Its steps.
    pub steps: Vec<Step>,
    /// What is wrong with it where nothing strikes it, if anything is.
    pub wrong: Option<String>,
    /// Its cells, step by step.
    pub cells: Vec<Cell>,
}

/// The world of a plan, with its steps written down, and how it ended: one line for each thing that counts.
#[must_use]
pub fn live(plan: &Plan) -> (Outcome, Vec<String>) {
    let mut lines = Vec::new();
    let world = World::new(plan, false).with_steps();
    let outcome = world.live_with(|database, gateways| lines = summary::lines(database, gateways));
    lines.extend(summary::answers(&outcome));
    (outcome, lines)
}

/// What a workflow's plan is when a step of it is struck.
#[must_use]
pub fn struck(workflow: &Workflow, step: u64, fault: StepFault) -> Plan {
    let mut plan = workflow.plan.clone();
    plan.faults.push(Fault { at_ms: 0, what: Trouble::AtStep { step, fault } });
    plan
}

/// Lives every cell of these workflows, on so many threads.
#[must_use]
pub fn run(workflows: Vec<Workflow>, jobs: usize) -> Vec<Matrix> {
    let mut matrices: Vec<Matrix> = workflows.into_iter().map(discover).collect();
    let wanted = matrices.iter().enumerate().flat_map(|(at, matrix)| {
        let faults = |step: &Step| faults_of(step).map(|fault| (step.clone(), fault)).collect::<Vec<_>>();
        struck_of(&matrix.steps)
            .into_iter()
            .flat_map(faults)
            .map(move |(step, fault)| (at, step, fault))
            .collect::<Vec<_>>()
    });
    let wanted: Vec<(usize, Step, StepFault)> = wanted.collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(wanted.len())));
    let work = || {
        while let Some((at, step, fault)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let cell = cell(&matrices[*at].workflow, step, *fault);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((*at, cell));
        }
    };
    thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(work))));
    for (at, cell) in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
        matrices[at].cells.push(cell);
    }
    for matrix in &mut matrices {
        matrix.cells.sort_by_key(|cell| (cell.step.number, cell.fault));
    }
    matrices
}

/// Lives a workflow without faults.
fn discover(workflow: Workflow) -> Matrix {
    let (outcome, lines) = live(&workflow.plan);
    let wrong = wrong(&workflow, &outcome, &lines);
    let steps = outcome.steps.into_iter().skip_while(|step| step.kind != Kind::Command);
    let is_of_it = |step: &Step| step.has_effect && (!step.is_upkeep || workflow.has_upkeep);
    let steps = steps.filter(|step| is_of_it(step) || step.kind == Kind::Request && !step.is_upkeep).collect();
    Matrix { workflow, steps, wrong, cells: Vec::new() }
}

/// The steps that are struck. Where one comes again and again, as when a pending object is read every half an hour, its first
/// and its last times are.
fn struck_of(steps: &[Step]) -> Vec<&Step> {
    let times: Vec<usize> = steps.iter().map(|step| steps.iter().filter(|other| other.is_like(step)).count()).collect();
    let mut seen: Vec<(&Step, usize)> = Vec::new();
    let mut struck = Vec::new();
    for (step, times) in steps.iter().zip(times) {
        let at = seen.iter().position(|(known, _)| known.is_like(step)).unwrap_or_else(|| {
            seen.push((step, 0));
            seen.len() - 1
        });
        let before = seen[at].1;
        seen[at].1 += 1;
        if before < TIMES_EACH || before + TIMES_EACH >= times {
            struck.push(step);
        }
    }
    struck
}

/// The faults that can strike a step. Answers that teach nothing cannot do so twice.
fn faults_of(step: &Step) -> impl Iterator<Item = StepFault> {
    let teaches = step.kind == Kind::Request && step.has_effect;
    StepFault::ALL.into_iter().filter(move |fault| *fault != StepFault::AnswerTwice || teaches)
}

fn cell(workflow: &Workflow, step: &Step, fault: StepFault) -> Cell {
    let (outcome, lines) = live(&struck(workflow, step.number, fault));
    let is_reached = outcome.struck == [(step.number, fault)];
    let wrong = match is_reached {
        true => wrong(workflow, &outcome, &lines),
        false => Some("the fault did not strike".to_owned()),
    };
    Cell { workflow: workflow.name, step: step.clone(), fault, wrong }
}

fn wrong(workflow: &Workflow, outcome: &Outcome, lines: &[String]) -> Option<String> {
    if let Some(failure) = &outcome.failure {
        return Some(format!("{}: {}", failure.rule, failure.what));
    }
    let ended: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
    let expected: BTreeSet<&str> = workflow.ends.iter().map(String::as_str).collect();
    let missing: Vec<_> = expected.difference(&ended).collect();
    let surplus: Vec<_> = ended.difference(&expected).collect();
    let is_right = missing.is_empty() && surplus.is_empty() && lines.len() == expected.len();
    (!is_right).then(|| format!("missing {missing:?}, instead {surplus:?}; {} lines", lines.len()))
}
