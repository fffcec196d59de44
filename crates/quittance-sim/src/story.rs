//! A failing world as people read it: what was planned, what happened, and what is wrong.

use crate::plan::Plan;
use std::fmt::Write;

/// The story of a plan: one line for each event, with its virtual time; and whether it fails.
#[must_use]
pub fn story(plan: &Plan) -> (String, bool) {
    let outcome = crate::simulate(plan, true);
    let mut text = String::new();
    let _ = writeln!(text, "world {} with {:?}", plan.seed, plan.gateways);
    for operation in &plan.operations {
        let _ = writeln!(text, "  at {:>10} ms: {:?}", operation.at_ms, operation.what);
    }
    for fault in &plan.faults {
        let _ = writeln!(text, "  at {:>10} ms goes wrong: {:?}", fault.at_ms, fault.what);
    }
    for line in &outcome.tale {
        let _ = writeln!(text, "{line}");
    }
    match &outcome.failure {
        Some(failure) => {
            let _ = writeln!(text, "FAILED {}: {}", failure.rule, failure.what);
        }
        None => text.push_str("nothing is wrong\n"),
    }
    (text, outcome.failure.is_some())
}
