//! A gateway's condition: what its answers do to what may begin.

use super::*;

const CREATE: Lane = Lane::Send { operation: Operation::Payments, step: Step::Create, is_again: false };
const CREATE_AGAIN: Lane = Lane::Send { operation: Operation::Payments, step: Step::Create, is_again: true };
const CONFIRM: Lane = Lane::Send { operation: Operation::Payments, step: Step::Confirm, is_again: false };
const REFUND: Lane = Lane::Send { operation: Operation::Refunds, step: Step::Create, is_again: false };
const LANES: [Lane; 5] = [CREATE, CREATE_AGAIN, CONFIRM, REFUND, Lane::Read];

const LOST: Fact = Fact::Lost(Loss::Timeout);
const REFUSED: Fact = Fact::Unauthorised;
const FULL: Fact = Fact::Throttled { retry_after_ms: None };
/// Answers, and says nothing of money.
const ANSWERED: Fact = Fact::InUse;

fn at(ms: u64) -> Timestamp {
    Timestamp::default().plus_ms(ms)
}

fn condition(rates: Rates) -> Condition {
    let breaker = breaker::Limits { window: 4, failures_max: 3, cool_down_ms: 100 };
    let retries = budget::Limits { percent: 10, per_second_min: 1 };
    Condition::new(Limits { breaker, rates, retries }, at(0))
}

fn left(condition: &mut Condition, ms: u64) -> [usize; 5] {
    let room = condition.room(1_000, 1_000, at(ms));
    LANES.map(|lane| room.left(lane))
}

/// How many of each lane leave in the first second, where each is all there is.
fn in_a_second(rates: Rates) -> [usize; 5] {
    LANES.map(|lane| {
        let (mut condition, mut count) = (condition(rates), 0);
        for ms in 0..1_000 {
            while condition.room(1_000, 1_000, at(ms)).left(lane) > 0 && count < 1_000 {
                condition.begin(lane, at(ms));
                count += 1;
            }
        }
        count
    })
}

#[test]
fn rates_are_shared_out() {
    let rates = |per_second, per_second_per_endpoint| Rates { per_second, per_second_per_endpoint };
    assert_eq!(in_a_second(rates(None, None)), [1_000, 10, 1_000, 1_000, 1_000]);
    assert_eq!(in_a_second(rates(Some(100), Some(25))), [25, 10, 25, 25, 25], "each endpoint");
    assert_eq!(in_a_second(rates(Some(100), None)), [75, 10, 75, 75, 25], "a quarter is for reads");
    assert_eq!(in_a_second(rates(Some(25), Some(25))), [19, 10, 19, 19, 6]);
    assert_eq!(in_a_second(rates(None, Some(5))), [5, 5, 5, 5, 5]);
    assert_eq!(in_a_second(rates(Some(1), None)), [1, 1, 1, 1, 1], "and nobody is shut out");
}

#[test]
fn an_account_has_one_rate_for_all_its_sends() {
    let mut condition = condition(Rates { per_second: Some(100), per_second_per_endpoint: Some(25) });
    let mut counts = [0; 2];
    for ms in 0..1_000 {
        for (count, lane) in counts.iter_mut().zip([CREATE, CONFIRM]) {
            while condition.room(1_000, 1_000, at(ms)).left(lane) > 0 {
                condition.begin(lane, at(ms));
                *count += 1;
            }
        }
    }
    assert_eq!(counts, [25, 25]);
    (0..25).for_each(|_| condition.begin(REFUND, at(999)));
    assert_eq!(left(&mut condition, 999)[0], 0);
    assert!(left(&mut condition, 999)[4] > 0, "reads have their own");
}

#[test]
fn a_flood_of_sends_leaves_the_reads_alone_and_the_other_way_round() {
    let rates = Rates { per_second: Some(40), per_second_per_endpoint: None };
    let mut condition = condition(rates);
    (0..100).for_each(|_| condition.begin(CREATE, at(0)));
    assert_eq!(left(&mut condition, 0), [0, 0, 0, 0, 2]);
    (0..100).for_each(|_| condition.begin(Lane::Read, at(0)));
    assert_eq!(left(&mut condition, 10_000), [3, 3, 3, 3, 0], "pages of a long search are waited for");
}

#[test]
fn a_gateway_that_has_enough_gets_nothing_for_a_while() {
    let mut condition = condition(Rates { per_second: Some(40), per_second_per_endpoint: Some(20) });
    condition.report(CREATE, &FULL, at(0));
    assert_eq!(left(&mut condition, 0), [0, 0, 0, 0, 2]);
    condition.report(Lane::Read, &FULL, at(0));
    assert_eq!(left(&mut condition, 0)[4], 0);
    assert_eq!(left(&mut condition, 1_000), [2, 2, 2, 2, 2]);
}

#[test]
fn each_operation_fails_alone() {
    for (failing, expected) in [
        (CREATE, [0, 0, 0, 1_000, 1_000]),
        (REFUND, [1_000, 10, 1_000, 0, 1_000]),
        (Lane::Pending, [1_000, 10, 1_000, 1_000, 0]),
    ] {
        let mut condition = condition(Rates::default());
        (0..3).for_each(|_| condition.report(failing, &LOST, at(0)));
        assert_eq!(left(&mut condition, 0), expected, "{failing}");
        assert_eq!(condition.trouble(Class::of(failing)), Some(Trouble::Silent));
        assert!(condition.takes_work() && !condition.is_unauthorised());
        assert!(!condition.take_probe(at(99)) && condition.take_probe(at(100)));
        condition.probed(&Fact::Absent, at(110));
        let tried = if failing == Lane::Pending { 1_000 } else { 5 };
        assert_eq!(condition.room(1_000, 1_000, at(110)).left(failing), tried, "a few writes are tried");
        (0..2).for_each(|_| condition.report(failing, &ANSWERED, at(120)));
        assert_eq!(left(&mut condition, 120), [1_000, 10, 1_000, 1_000, 1_000]);
    }
}

#[test]
fn refusals_and_limits_open_nothing() {
    let decline = quittance_core::fact::Decline { code: "card_declined".into(), is_retryable: false };
    let refused = Fact::Refused { code: "parameter_missing".into(), is_replayed: false, sighting: None };
    for fact in [Fact::Declined { decline, sighting: None }, refused, FULL, ANSWERED, Fact::KeyMismatch] {
        let mut condition = condition(Rates::default());
        (0..100).for_each(|_| condition.report(CREATE, &fact, at(0)));
        assert_eq!(left(&mut condition, 0)[0], 1_000, "{fact:?}");
    }
}

#[test]
fn retries_are_paid_for_by_successes() {
    let mut condition = condition(Rates::default());
    for _ in 0..10 {
        condition.begin(CREATE_AGAIN, at(0));
    }
    assert_eq!(left(&mut condition, 0), [1_000, 0, 1_000, 1_000, 1_000], "first sends and reads go on");
    for fact in [FULL, LOST, ANSWERED, Fact::Absent] {
        (0..50).for_each(|_| condition.report(Lane::Read, &fact, at(0)));
        condition.report(CREATE, &fact, at(0));
    }
    assert_eq!(condition.retries_left(at(0)), 0, "no success of a send among them");
    let refused = Fact::Refused { code: "c".into(), is_replayed: false, sighting: None };
    (0..30).for_each(|_| condition.report(CREATE, &refused, at(0)));
    assert_eq!(condition.retries_left(at(0)), 3);
}

#[test]
fn refused_credentials_hold_everything_and_burn_nothing() {
    let mut condition = condition(Rates::default());
    for _ in 0..10 {
        condition.begin(CREATE_AGAIN, at(0));
    }
    assert_eq!(condition.retries_left(at(0)), 0);
    for _ in 0..10 {
        condition.report(CREATE_AGAIN, &REFUSED, at(0));
    }
    assert_eq!(left(&mut condition, 0), [0; 5]);
    assert!(condition.is_unauthorised() && !condition.takes_work());
    assert_eq!(condition.retries_left(at(0)), 10, "each will be sent once more");
    assert!(condition.take_probe(at(0)), "at once");
    condition.probed(&REFUSED, at(10));
    assert_eq!(left(&mut condition, 10), [0; 5]);
    assert!(!condition.take_probe(at(109)) && condition.take_probe(at(110)));
    condition.probed(&Fact::Absent, at(120));
    assert_eq!(left(&mut condition, 120), [1, 1, 1, 1_000, 1_000], "one payment proves it");
    assert!(condition.is_unauthorised());
    condition.begin(CREATE_AGAIN, at(120));
    condition.report(CREATE_AGAIN, &ANSWERED, at(130));
    assert_eq!(left(&mut condition, 130), [1_000, 9, 1_000, 1_000, 1_000]);
    assert!(!condition.is_unauthorised());
}

/// A key that may pay and may not give back.
#[test]
fn a_key_that_may_not_do_one_thing_does_the_others() {
    let mut condition = condition(Rates::default());
    let mut now = 0;
    for round in 0..5 {
        condition.report(REFUND, &REFUSED, at(now));
        assert_eq!(left(&mut condition, now), [0; 5], "round {round}");
        // Again only the gateway itself can say whether the key is good.
        now += 60_000;
        assert!(condition.take_probe(at(now)), "round {round}");
        condition.probed(&Fact::Absent, at(now));
        let [create, _, confirm, refund, reads] = left(&mut condition, now);
        assert_eq!([create, confirm, refund, reads], [1_000, 1_000, 1, 1_000], "round {round}");
        assert!(condition.is_unauthorised(), "one alarm, not one each time");
    }
}

#[test]
fn what_did_not_leave_costs_nothing() {
    let mut condition = condition(Rates::default());
    let full = condition.retries_left(at(0));
    condition.begin(CREATE_AGAIN, at(0));
    condition.withdraw(CREATE_AGAIN, at(0));
    assert_eq!(condition.retries_left(at(0)), full);
    condition.begin(Lane::Read, at(0));
    condition.withdraw(Lane::Read, at(0));
    assert_eq!(condition.retries_left(at(0)), full);
}
