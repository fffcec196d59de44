//! What events do, and what comes after the end.

use super::*;

#[test]
fn events_are_hints_except_success() {
    let event = |status| Stimulus::Observed(seen(status));
    for state in [State::Intended, State::Sending, State::Unknown, State::Pending] {
        check(effect(state, Step::Confirm), event(ObjectStatus::Succeeded), "succeeded confirm 0: succeeded");
    }
    check(sending(Step::Confirm), event(ObjectStatus::Canceled), "sending confirm 0: unchanged");
    let mut waiting = effect(State::Unknown, Step::Confirm);
    waiting.lease_owner = 0;
    check(waiting, event(ObjectStatus::RequiresPaymentMethod), "unknown confirm 0: moved");
    check(sending(Step::Create), event(ObjectStatus::Succeeded), "sending create 0: unchanged");
}

#[test]
fn what_is_terminal_stays_and_contradictions_are_told() {
    let event = |status| Stimulus::Observed(seen(status));
    let ended = |state| effect(state, Step::Confirm);
    check(ended(State::Succeeded), event(ObjectStatus::RequiresPaymentMethod), "succeeded confirm 0: unchanged");
    check(ended(State::Succeeded), event(ObjectStatus::Canceled), "succeeded confirm 0: contradicted");
    check(ended(State::Failed), event(ObjectStatus::Succeeded), "failed confirm 0: contradicted");
    check(ended(State::Review), event(ObjectStatus::Succeeded), "review confirm 0: contradicted");
}
