//! C12, C13, C14 and C16: what happens to a database, to its secrets and to its clocks.

use super::lived::{Lived, at_class, live, paused, plan, request, strike};
use quittance_sim::gateway::Gateway;
use quittance_sim::matrix::steps::{Kind, StepFault};
use quittance_sim::plan::{Blow, Fault, On, Operation, Plan, Profile, Trouble, What};
use quittance_sim::world::World;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Discrepancy, DiscrepancyKind, Entity};
use quittance_store::store::{Reader, Scan};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// When the first command of a plan is sent.
fn begin_ms(plan: &Plan) -> u64 {
    plan.operations[0].at_ms
}

/// The plan with the data copied and put back so long after the first command, in milliseconds.
fn restored(mut plan: Plan, backup_ms: i64, restore_ms: u64) -> Plan {
    let begin_ms = begin_ms(&plan);
    plan.faults.push(Fault { at_ms: begin_ms.saturating_add_signed(backup_ms), what: Trouble::Backup });
    plan.faults.push(Fault { at_ms: begin_ms + restore_ms, what: Trouble::Restore });
    plan
}

/// A plan without what the client asks later.
fn once(name: &str) -> Plan {
    let mut plan = plan(name);
    plan.operations.truncate(1);
    plan
}

/// The discrepancies that are open at the end of a world, whatever its auditor says of it.
fn open_at_end(plan: &Plan) -> (Vec<DiscrepancyKind>, Gateway) {
    let mut seen = (Vec::new(), None);
    let look = |database: &MemoryDatabase, gateways: &mut [Gateway]| {
        let scan = Scan::forward(Discrepancy::table(), Vec::new(), 100);
        let rows = database.reader().scan(&scan).expect("readable");
        let all = rows.iter().map(|row| Discrepancy::from_row(row).expect("sound"));
        seen.0 = all.filter(|found| found.closed_at.is_none()).map(|found| found.kind).collect();
        seen.1 = Some(gateways[0].clone());
    };
    drop(World::new(plan, false).live_with(look));
    (seen.0, seen.1.expect("the world came to its end"))
}

/// The position of the first request of this name, and of the last before it that is a sweep.
fn first_and_sweep(lived: &Lived, what: &str) -> (usize, Option<usize>) {
    let requests: Vec<_> = lived.outcome.steps.iter().filter(|step| step.kind == Kind::Request).collect();
    let first = requests.iter().position(|step| step.what == what).expect("it is sent");
    (first, requests[..first].iter().rposition(|step| step.what.ends_with("a sweep")))
}

#[test]
fn c12_a_failover_loses_the_ticket() {
    for name in ["payment, class P", "payment, class A"] {
        // The claim is there and the tickets are not, although the money moved: as a replica has it that was behind.
        let lived = live(&restored(paused(plan(name)), MINUTE_MS as i64, 2 * MINUTE_MS + 20_000));
        assert_eq!(lived.outcome.coverage.report().matches("restored").count(), 1);
        // The client asks again after the failover, and what the sweep found is its answer.
        lived.is_paid_once();
    }
}

#[test]
fn c13_restored_from_a_backup_of_days_ago() {
    for name in ["payment, class P", "payment, class A"] {
        // No gateway knows the keys any more, so that only what is found keeps it from being charged again.
        let mut plan = paused(once(name));
        plan.operations.push(Operation { at_ms: begin_ms(&plan) + 60 * HOUR_MS, ..plan.operations[0].clone() });
        let lived = live(&restored(plan, MINUTE_MS as i64, 50 * HOUR_MS));
        let found = lived.outcome.found.last().expect("a process died");
        assert!(found.contains(&"command completed".to_owned()), "it was done before the restore: {found:?}");
        lived.is_paid_once();
    }
}

#[test]
fn c13_what_nobody_knows_any_more_is_told() {
    for name in ["payment, class P", "payment, class A"] {
        let (open, gateway) = open_at_end(&restored(once(name), -1_000, 10 * MINUTE_MS));
        assert_eq!(gateway.books.charges.iter().filter(|charge| charge.has_come()).count(), 1);
        assert!(open.contains(&DiscrepancyKind::OrphanedObject), "{name}: {open:?}");
    }
}

#[test]
fn c13_what_the_restore_lost_whole_is_asked_for_again_and_charged_once() {
    for name in ["payment, class P", "payment, class A"] {
        // Every step of the first life of the payment, and then a backup of before it; the client asks again and again.
        for restore_ms in [1, 200, 500, 1_000, 2_000, 4_000, 10 * MINUTE_MS] {
            let mut plan = once(name);
            for after_ms in [2 * MINUTE_MS, 30 * MINUTE_MS, 26 * HOUR_MS] {
                let at_ms = begin_ms(&plan) + restore_ms + after_ms;
                plan.operations.push(Operation { at_ms, ..plan.operations[0].clone() });
            }
            let lived = live(&restored(plan, -1_000, restore_ms));
            lived.is_paid_once();
        }
    }
}

#[test]
fn c13_without_keys_or_lists_a_person_decides_about_what_was_lost() {
    let mut plan = at_class(Profile::Bare);
    plan.operations.truncate(1);
    let again = Operation { at_ms: begin_ms(&plan) + 2 * HOUR_MS, ..plan.operations[0].clone() };
    plan.operations.push(again);
    let lived = live(&restored(plan, -1_000, 10 * MINUTE_MS));
    assert_eq!(lived.charges(), 1, "it is never sent again");
}

#[test]
fn c13_nothing_is_sent_before_the_sweeps_are_complete() {
    // Another customer pays just after the restore, while the gateway gives no lists.
    let mut plan = restored(once("payment, class P"), -1_000, 500);
    plan.operations[0].at_ms += 10_000;
    let lists = Trouble::Strike { gateway: 0, on: On::List, blow: Blow::Unavailable, count: 3 };
    plan.faults.push(Fault { at_ms: begin_ms(&plan) - 9_000, what: lists });
    let lived = live(&plan);
    let (first, sweep) = first_and_sweep(&lived, "POST /v1/payment_intents");
    assert_eq!(sweep, Some(first - 1), "the send follows the last sweep");
    lived.is_paid_once();
}

#[test]
fn c14_secrets_are_rotated_meanwhile() {
    let mut plan = plan("webhook alone");
    // The event is delivered again after the gateway has a new secret, and once more after the next.
    let rotate = |hours: u64| Operation {
        at_ms: begin_ms(&plan) + hours * HOUR_MS,
        what: What::RotateSecret { gateway: 0 },
        is_double: false,
        patience_ms: 3_000,
    };
    let rotations: Vec<Operation> = (0..17).map(rotate).collect();
    plan.operations.extend(rotations);
    let lived = strike(&plan, super::lived::webhook("event payment_intent.succeeded"), StepFault::LoseDone);
    assert!(lived.after(Kind::Webhook).contains(&"event payment_intent.succeeded"), "it is delivered again");
    lived.is_paid_once();
}

#[test]
fn c16_the_clock_jumps_while_an_answer_is_lost() {
    for by_hours in [-26, 26] {
        for (name, sent, proof) in [
            ("payment, class P", "POST /v1/payment_intents/{id}/confirm", "GET /v1/payment_intents/{id}"),
            ("payment, class A", "POST /v1/charges", "GET /v1/charges, a search"),
        ] {
            let mut plan = plan(name);
            let what = Trouble::SetClock { by_ms: by_hours * HOUR_MS as i64 };
            plan.faults.push(Fault { at_ms: begin_ms(&plan) + 3_000, what });
            let lived = strike(&plan, request(sent), StepFault::LoseDone);
            assert!(lived.requests().contains(&proof), "{name}: {:?}", lived.requests());
            assert!(!lived.requests().contains(&sent), "{name}: times of another era prove nothing");
            lived.is_paid_once();
        }
    }
}
