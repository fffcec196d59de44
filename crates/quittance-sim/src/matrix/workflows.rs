//! The workflows of the matrix: what clients ask, and how it has to end, whatever strikes a step of it.

use crate::plan::{Fault, Operation, Pay, Plan, Profile, Trouble, WebhookBlow, What};

const MINUTE_MS: u64 = 60_000;

/// When the first command is sent: the logs of events have been swept by then.
const BEGIN_MS: u64 = 90_000;

/// What is asked, and how it ends.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// Its name.
    pub name: &'static str,
    /// What happens in it, for people.
    pub about: &'static str,
    /// The plan of it, without faults that strike a step.
    pub plan: Plan,
    /// How it ends: one line for each thing that counts, in any order.
    pub ends: Vec<String>,
    /// Whether sweeps and the like are steps of it.
    pub has_upkeep: bool,
}

/// Every workflow.
#[must_use]
pub fn all() -> Vec<Workflow> {
    let both = [(Profile::Intents, Names::P), (Profile::Charges, Names::A)];
    let of_both = both.into_iter().flat_map(|(profile, names)| {
        [
            payment(profile, names),
            capture(profile, names),
            cancel(profile, names),
            expiry(profile, names),
            refund(profile, names),
        ]
    });
    let others = [declined, action, late_refund, returned_refund, dispute, webhook_alone, sweep_alone];
    of_both.chain(others.map(|workflow| workflow())).collect()
}

/// Which of two names a workflow has.
#[derive(Clone, Copy)]
enum Names {
    P,
    A,
}

impl Names {
    const fn of(self, [two_phases, one_request]: [&'static str; 2]) -> &'static str {
        match self {
            Self::P => two_phases,
            Self::A => one_request,
        }
    }
}

fn payment(profile: Profile, names: Names) -> Workflow {
    Workflow {
        name: names.of(["payment, class P", "payment, class A"]),
        about: "A payment; later the client asks again under the same key.",
        plan: plan(1, profile, vec![at(0, pay("pm_card", false)), at(4, pay("pm_card", false))]),
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "store: order-0 succeeded, 500 of 500",
            "key-0 hears 201 payment succeeded 500 USD",
        ]),
        has_upkeep: false,
    }
}

fn capture(profile: Profile, names: Names) -> Workflow {
    let take = || What::Capture { key: 1, order: 0, amount: Some(300) };
    Workflow {
        name: names.of(["capture, class P", "capture, class A"]),
        about: "Of what a payment has authorised, a part is taken; later the client asks again under the same key.",
        plan: plan(1, profile, vec![at(0, pay("pm_card", true)), at(4, take()), at(8, take())]),
        ends: lines(&[
            "gateway: a charge succeeded, 300 of 500 captured",
            "store: order-0 succeeded, 300 of 500",
            "key-0 hears 201 payment requires_capture 0 USD",
            "key-1 hears 200 payment succeeded 300 USD",
        ]),
        has_upkeep: false,
    }
}

fn cancel(profile: Profile, names: Names) -> Workflow {
    let give_up = || What::Cancel { key: 1, order: 0 };
    Workflow {
        name: names.of(["cancel, class P", "cancel, class A"]),
        about: "What a payment has authorised is given up; later the client asks again under the same key.",
        plan: plan(1, profile, vec![at(0, pay("pm_card", true)), at(4, give_up()), at(8, give_up())]),
        ends: lines(&[
            "gateway: a charge released, 0 of 500 captured",
            "store: order-0 canceled, 0 of 500",
            "key-0 hears 201 payment requires_capture 0 USD",
            "key-1 hears 200 payment canceled 0 USD",
        ]),
        has_upkeep: false,
    }
}

fn expiry(profile: Profile, names: Names) -> Workflow {
    Workflow {
        name: names.of(["expiry of an authorisation, class P", "expiry of an authorisation, class A"]),
        about: "Nobody takes what a payment has authorised, and it is given up in time.",
        plan: plan(1, profile, vec![at(0, pay("pm_card", true))]),
        ends: lines(&[
            "gateway: a charge released, 0 of 500 captured",
            "store: order-0 canceled, 0 of 500",
            "key-0 hears 201 payment requires_capture 0 USD",
        ]),
        has_upkeep: false,
    }
}

fn refund(profile: Profile, names: Names) -> Workflow {
    Workflow {
        name: names.of(["refund, class P", "refund, class A"]),
        about: "A part of a payment is given back; later the client asks again under the same key.",
        plan: plan(2, profile, vec![at(0, pay("pm_card", false)), at(4, give_back()), at(8, give_back())]),
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "gateway: a refund succeeded of 200",
            "store: order-0 succeeded, 500 of 500",
            "store: a refund succeeded of 200",
            "key-0 hears 201 payment succeeded 500 USD",
            "key-1 hears 201 refund succeeded 200 USD",
        ]),
        has_upkeep: false,
    }
}

fn late_refund() -> Workflow {
    Workflow {
        name: "refund that its customer has to act on",
        about: "The gateway answers that a refund waits for the customer, and later that it succeeded.",
        plan: plan(10, Profile::Intents, vec![at(0, pay("pm_card", false)), at(4, give_back())]),
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "gateway: a refund succeeded of 200",
            "store: order-0 succeeded, 500 of 500",
            "store: a refund succeeded of 200",
            "key-0 hears 201 payment succeeded 500 USD",
            "key-1 hears 201 refund requires_action 200 USD",
        ]),
        has_upkeep: false,
    }
}

fn returned_refund() -> Workflow {
    Workflow {
        name: "refund that its bank returns",
        about: "A refund succeeds, and its money comes back hours later: a correction, which leaves what was proven.",
        plan: plan(6, Profile::Intents, vec![at(0, pay("pm_card", false)), at(4, give_back())]),
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "gateway: a refund failed of 200",
            "store: order-0 succeeded, 500 of 500",
            "store: a refund failed of 200",
            "key-0 hears 201 payment succeeded 500 USD",
            "key-1 hears 201 refund succeeded 200 USD",
        ]),
        has_upkeep: false,
    }
}

fn declined() -> Workflow {
    let again = What::Pay(Pay { key: 1, ..order("pm_card", false) });
    Workflow {
        name: "declined, and paid by another method",
        about: "An attempt is declined. The next one under the same reference uses the same object, and succeeds.",
        plan: plan(1, Profile::Intents, vec![at(0, pay("pm_declined", false)), at(4, again)]),
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "store: order-0 failed, 0 of 500",
            "store: order-0 succeeded, 500 of 500",
            "key-0 hears 402 payment failed 0 USD",
            "key-1 hears 201 payment succeeded 500 USD",
        ]),
        has_upkeep: false,
    }
}

fn action() -> Workflow {
    Workflow {
        name: "payment that its customer has to act on",
        about: "The customer has to confirm with the bank, and does so after a while; an event tells.",
        plan: plan(1, Profile::Intents, vec![at(0, pay("pm_action", false))]),
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "store: order-0 succeeded, 500 of 500",
            "key-0 hears 201 payment requires_action 0 USD",
        ]),
        has_upkeep: false,
    }
}

fn dispute() -> Workflow {
    let answer = || What::Evidence { key: 1, order: 0 };
    Workflow {
        name: "dispute with evidence",
        about: "A payment is disputed, the client answers with evidence, and the bank decides.",
        plan: plan(1, Profile::Intents, vec![at(0, pay("pm_disputed", false)), at(40 * 60, answer())]),
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "gateway: a dispute lost of 500, answered 1 times",
            "store: order-0 succeeded, 500 of 500",
            "store: a dispute lost",
            "key-0 hears 201 payment succeeded 500 USD",
            "key-1 hears 201 dispute under_review",
        ]),
        has_upkeep: false,
    }
}

fn webhook_alone() -> Workflow {
    Workflow {
        name: "webhook alone",
        about: "A bank debit is under way when it is answered; hours later an event tells that the money has come.",
        plan: plan(1, Profile::Intents, vec![at(0, pay("pm_bank", false))]),
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "store: order-0 succeeded, 500 of 500",
            "key-0 hears 201 payment succeeded 500 USD",
        ]),
        has_upkeep: false,
    }
}

fn sweep_alone() -> Workflow {
    let mut plan = plan(1, Profile::Intents, vec![at(0, pay("pm_card", false))]);
    plan.faults
        .push(Fault { at_ms: 0, what: Trouble::Webhooks { gateway: 0, blow: WebhookBlow::Lose, count: u32::MAX } });
    Workflow {
        name: "sweep alone",
        about: "No webhook arrives. What is in the log of events and in the lists is learned by sweeps.",
        plan,
        ends: lines(&[
            "gateway: a charge succeeded, 500 of 500 captured",
            "store: order-0 succeeded, 500 of 500",
            "key-0 hears 201 payment succeeded 500 USD",
        ]),
        has_upkeep: true,
    }
}

fn plan(seed: u64, profile: Profile, operations: Vec<Operation>) -> Plan {
    Plan { seed, gateways: vec![profile], parked_above: None, operations, faults: Vec::new() }
}

/// Something that is asked so many minutes after the beginning.
fn at(minutes: u64, what: What) -> Operation {
    Operation { at_ms: BEGIN_MS + minutes * MINUTE_MS, what, is_double: false, patience_ms: 3_000 }
}

/// The order is paid by this method.
fn pay(method: &str, is_manual: bool) -> What {
    What::Pay(order(method, is_manual))
}

fn order(method: &str, is_manual: bool) -> Pay {
    Pay {
        key: 0,
        customer: 0,
        order: 0,
        amount: 500,
        currency: "USD".into(),
        gateway: 0,
        method: method.into(),
        is_manual,
        takes_existing: false,
    }
}

fn give_back() -> What {
    What::Refund { key: 1, order: 0, amount: Some(200), reference: 0 }
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
