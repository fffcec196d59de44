//! C0 to C8: a payment, from its claim to its answer.

use super::lived::{At, at_class, live, paused, plan, request, strike, transaction};
use quittance_sim::matrix::steps::{Kind, StepFault};
use quittance_sim::plan::Profile;

const CLAIM: At = transaction("command POST /v1/payments");
const ANSWER: At = transaction("the answer to a send");
const CREATE: At = request("POST /v1/payment_intents");
const CONFIRM: At = request("POST /v1/payment_intents/{id}/confirm");
const CHARGE: At = request("POST /v1/charges");
const READ: &str = "GET /v1/payment_intents/{id}";

#[test]
fn c0_before_the_claim_commits() {
    let lived = strike(&plan("payment, class P"), CLAIM, StepFault::KillBefore);
    assert!(lived.found().is_empty(), "nothing is stored");
    assert_eq!(lived.after(Kind::Command)[0], "POST /v1/payments", "the client asks again");
    assert_eq!(lived.after(Kind::Transaction)[0], CLAIM.what, "and that is a first request");
    assert_eq!(lived.requests()[0], CREATE.what);
    lived.is_paid_once();
}

#[test]
fn c1_claim_committed_and_not_answered() {
    let lived = strike(&paused(plan("payment, class P")), CLAIM, StepFault::KillAfter);
    assert_eq!(lived.found(), ["command in progress", "effect intended at create"]);
    assert_eq!(lived.requests().iter().filter(|what| **what == CREATE.what).count(), 1, "it is run, once");
    lived.is_paid_once();
}

#[test]
fn c2_lease_taken_and_no_ticket() {
    let begun = transaction("claims what is due");
    let lived = strike(&paused(plan("payment, class P")), begun, StepFault::KillAfter);
    assert_eq!(lived.found(), ["command in progress", "effect intended at create"]);
    assert_eq!(lived.after(Kind::Transaction)[0], "claims what is due", "it is leased again");
    assert_eq!(lived.requests()[0], CREATE.what);
    lived.is_paid_once();
}

#[test]
fn c3_ticket_committed_and_no_byte_sent() {
    let lived = strike(&plan("payment, class P"), CONFIRM, StepFault::KillBefore);
    assert!(lived.found().contains(&"effect sending at confirm"));
    assert_eq!(lived.requests()[..2], [READ, CONFIRM.what], "it is read before it is confirmed again");
    lived.is_paid_once();
    let lived = strike(&plan("payment, class A"), CHARGE, StepFault::KillBefore);
    assert_eq!(lived.requests()[0], CHARGE.what, "the same bytes under the same key");
    lived.is_paid_once();
}

#[test]
fn c3_without_keys_or_lists_a_person_decides() {
    let lived = strike(&at_class(Profile::Bare), CHARGE, StepFault::KillBefore);
    assert!(lived.found().contains(&"effect sending at execute"));
    assert!(!lived.requests().contains(&CHARGE.what), "it is never sent again");
    assert_eq!((lived.charges(), lived.answer()), (0, (402, "failed".to_owned())), "a person found nothing there");
}

#[test]
fn c4_sent_and_no_answer() {
    let lived = strike(&plan("payment, class P"), CONFIRM, StepFault::KillAfter);
    assert!(lived.found().contains(&"effect sending at confirm"), "as if no byte had left");
    assert_eq!(lived.requests()[0], READ);
    assert!(!lived.requests().contains(&CONFIRM.what), "what is read is proof");
    lived.is_paid_once();
    let lived = strike(&plan("payment, class A"), CHARGE, StepFault::KillAfter);
    assert_eq!(lived.requests()[0], CHARGE.what, "the replay is answered with what was done");
    lived.is_paid_once();
    let lived = strike(&at_class(Profile::Keyless), CHARGE, StepFault::KillAfter);
    assert_eq!(lived.requests()[0], "GET /v1/charges, a search", "without keys it is looked for");
    assert!(!lived.requests().contains(&CHARGE.what));
    lived.is_paid_once();
    let lived = strike(&at_class(Profile::Bare), CHARGE, StepFault::KillAfter);
    assert!(!lived.requests().contains(&CHARGE.what), "it is never sent again");
    lived.is_paid_once();
}

#[test]
fn c5_answered_and_not_committed() {
    let confirmed = At { nth: 1, ..ANSWER };
    let lived = strike(&plan("payment, class P"), confirmed, StepFault::KillBefore);
    assert!(lived.found().contains(&"effect sending at confirm"));
    assert_eq!(lived.requests()[0], READ);
    assert!(!lived.requests().contains(&CONFIRM.what));
    lived.is_paid_once();
    let lived = strike(&plan("payment, class A"), ANSWER, StepFault::KillBefore);
    assert_eq!(lived.requests()[0], CHARGE.what, "the replay returns the stored answer");
    lived.is_paid_once();
}

#[test]
fn c6_outcome_committed() {
    let confirmed = At { nth: 1, ..ANSWER };
    let lived = strike(&plan("payment, class P"), confirmed, StepFault::KillAfter);
    assert!(lived.found().starts_with(&["command completed", "effect succeeded at confirm"]));
    assert!(lived.requests().iter().all(|what| what.starts_with("GET ")), "nothing is sent: {:?}", lived.requests());
    lived.is_paid_once();
}

#[test]
fn c7_nobody_knows_whether_it_was_committed() {
    for name in ["payment, class P", "payment, class A"] {
        let steps = live(&plan(name)).outcome.steps;
        let writes = steps.iter().filter(|step| step.kind == Kind::Transaction && step.has_effect);
        let (claim, answers) = (CLAIM, steps.iter().filter(|step| step.what == ANSWER.what).count());
        assert!(writes.count() > answers, "{name} writes more than its answers");
        let places = (0..answers).map(|nth| At { nth, ..ANSWER }).chain([claim]);
        for at in places {
            for (fault, is_stored) in [(StepFault::LoseDone, true), (StepFault::LoseUndone, false)] {
                let lived = strike(&plan(name), at, fault);
                let found = lived.found();
                if at.what == CLAIM.what {
                    assert_eq!(!found.is_empty(), is_stored, "{name}: {found:?}");
                } else if at.nth + 1 == answers {
                    assert_eq!(found.contains(&"command completed"), is_stored, "{name}: {found:?}");
                }
                lived.is_paid_once();
            }
        }
    }
}

#[test]
fn c8_object_made_and_its_id_not_committed() {
    for (at, fault) in [(CREATE, StepFault::KillAfter), (ANSWER, StepFault::KillBefore)] {
        let lived = strike(&plan("payment, class P"), at, fault);
        assert!(lived.found().contains(&"effect sending at create"));
        assert_eq!(lived.requests()[..2], [CREATE.what, CONFIRM.what], "the same key and bytes again");
        assert_eq!(lived.gateway.books.intents.len(), 1, "the key gave the object that was there");
        lived.is_paid_once();
    }
}
