//! C10 and C11: a webhook, from its arrival to what it moves.

use super::lived::{plan, strike, transaction, webhook};
use quittance_sim::matrix::steps::{Kind, StepFault};

const NEWS: &str = "event payment_intent.succeeded";

#[test]
fn c10_webhook_stored_and_not_acknowledged() {
    let lived = strike(&plan("webhook alone"), webhook(NEWS), StepFault::KillAfter);
    assert!(lived.found().contains(&NEWS), "it is in the inbox");
    assert!(lived.after(Kind::Webhook).contains(&NEWS), "the gateway delivers it again");
    assert!(lived.outcome.coverage.report().contains("duplicate"), "and it is known");
    lived.is_paid_once();
}

#[test]
fn c11_webhook_applied_and_marked_in_one_transaction() {
    for (fault, is_there) in [(StepFault::KillBefore, false), (StepFault::KillAfter, true)] {
        let lived = strike(&plan("payment, class P"), transaction(NEWS), fault);
        assert_eq!(lived.found().contains(&NEWS), is_there);
        lived.is_paid_once();
    }
    for (fault, is_there) in [(StepFault::LoseUndone, false), (StepFault::LoseDone, true)] {
        let lived = strike(&plan("webhook alone"), transaction(NEWS), fault);
        assert_eq!(lived.found().contains(&NEWS), is_there);
        lived.is_paid_once();
    }
}
