//! Brakes: exactly the limit passes, however it is asked for, and what is refused leaves no trace.

use crate::world::{Pay, World, command, pay};
use quittance_core::brake::{Limit, Limits, Over};
use quittance_core::currency::Currency;
use quittance_core::decide::{AskRefund, RETRIES_FREE};
use quittance_core::payment::Status;
use quittance_engine::brakes::Brakes;
use quittance_engine::submission::{Action, EffectRef, Outcome, Submission};
use quittance_engine::verify::verify;
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;

pub fn limited(limits: Limits) -> World {
    World::with_brakes(Brakes { general: limits, ..Brakes::default() })
}

pub fn usd(amount: i64) -> BTreeMap<Currency, i64> {
    BTreeMap::from([(Currency::from_code("USD").expect("known"), amount)])
}

fn an_hour(count: i64) -> Limits {
    Limits { payments_per_hour_max: Some(count), ..Limits::default() }
}

fn orders(numbers: std::ops::Range<u32>) -> Vec<Submission> {
    numbers.map(|number| pay(&format!("k{number}"), &format!("o{number}")).into()).collect()
}

fn refusal(outcome: &Outcome) -> Option<&Over> {
    match outcome {
        Outcome::OverLimit { over, parked: None, tenant } => {
            assert_eq!(tenant, "acme");
            Some(over)
        }
        _ => None,
    }
}

fn accepted(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted { .. })).count()
}

pub fn check_sound(world: &World) {
    let report = verify(&mut world.database.reader(), &mut |_| {}).expect("readable");
    assert!(report.findings.is_empty(), "{report:?}");
}

#[test]
fn of_one_batch_exactly_the_limit_passes_and_the_rest_is_not_stored() {
    let mut world = limited(an_hour(10));
    let outcomes = world.submit_all(orders(0..100));
    assert_eq!(accepted(&outcomes), 10);
    assert!(outcomes[10..].iter().all(|outcome| refusal(outcome).is_some()), "the first ten are first");
    let over = refusal(&outcomes[99]).expect("refused");
    assert_eq!((over.limit, over.max, over.used, over.asked), (Limit::PaymentsPerHour, 10, 10, 1));
    assert_eq!(world.payments().len(), 10);
    world.settle();
    assert_eq!(world.gateway.charged().len(), 10);
    check_sound(&world);
}

#[test]
fn batch_after_batch_the_limit_is_the_same_and_a_crash_forgets_nothing() {
    let mut world = limited(an_hour(10));
    let mut passed = 0;
    for batch in 0..20 {
        passed += accepted(&world.submit_all(orders(batch * 3..batch * 3 + 3)));
        world.crash();
    }
    assert_eq!((passed, world.payments().len()), (10, 10));
    world.settle();
    check_sound(&world);
}

#[test]
fn a_key_that_is_sent_again_counts_once() {
    let mut world = limited(an_hour(3));
    for _ in 0..5 {
        world.submit(pay("k0", "o0").into());
    }
    world.settle();
    assert!(matches!(world.submit(pay("k0", "o0").into()), Outcome::Replayed(_)));
    let twice = vec![pay("k1", "o1").into(), pay("k1", "o1").into(), pay("k2", "o2").into(), pay("k3", "o3").into()];
    let outcomes = world.submit_all(twice);
    assert_eq!(accepted(&outcomes), 2);
    assert!(matches!(outcomes[1], Outcome::Joined { .. }), "{outcomes:?}");
    assert!(refusal(&outcomes[3]).is_some());
}

#[test]
fn a_refused_key_passes_when_the_limit_has_lifted_and_refusals_do_not_count() {
    let mut world = limited(an_hour(1));
    world.submit(pay("k0", "o0").into());
    let outcome = world.submit(pay("k1", "o1").into());
    let wait_s = refusal(&outcome).expect("refused").retry_after_s.expect("the hour passes");
    assert!((3_600..=3_900).contains(&wait_s), "{wait_s}");
    for _ in 0..50 {
        assert!(refusal(&world.submit(pay("k1", "o1").into())).is_some());
    }
    world.now = world.now.plus_ms(wait_s * 1_000 - 1_000);
    assert!(refusal(&world.submit(pay("k1", "o1").into())).is_some());
    world.now = world.now.plus_ms(1_000);
    assert!(matches!(world.submit(pay("k1", "o1").into()), Outcome::Accepted { .. }));
}

#[test]
fn what_is_not_accepted_for_another_reason_does_not_count() {
    let mut world = limited(an_hour(2));
    world.submit(pay("k0", "o0").into());
    for number in 0..5 {
        let stranger = Pay { customer: "nobody".into(), ..pay(&format!("s{number}"), "o") };
        assert!(matches!(world.submit(stranger.into()), Outcome::Answered { .. }));
        assert!(matches!(world.submit(pay(&format!("d{number}"), "o0").into()), Outcome::Answered { .. }));
    }
    assert!(matches!(world.submit(pay("k1", "o1").into()), Outcome::Accepted { .. }));
    assert!(refusal(&world.submit(pay("k2", "o2").into())).is_some());
}

#[test]
fn an_amount_over_the_limit_is_refused_for_good_and_so_is_a_currency_that_was_forgotten() {
    let mut world = limited(Limits { payment_amount_max: usd(1_999), ..Limits::default() });
    assert!(matches!(world.submit(pay("k0", "o0").into()), Outcome::Accepted { .. }));
    let outcome = world.submit(Pay { amount: 2_000, ..pay("k1", "o1") }.into());
    let over = refusal(&outcome).expect("refused");
    assert_eq!((over.max, over.asked, over.retry_after_s), (1_999, 2_000, None));
    assert_eq!(over.to_string(), "payment_amount_max is 1999 minor units of USD, and 2000 are asked for");
    let euros = BTreeMap::from([(Currency::from_code("EUR").expect("known"), 1_000_000)]);
    let mut world = limited(Limits { payment_amount_max: euros, ..Limits::default() });
    let outcome = world.submit(pay("k", "o").into());
    assert_eq!(refusal(&outcome).map(|over| over.max), Some(0));
}

#[test]
fn a_tenant_has_its_own_limits_and_others_have_the_general_ones() {
    let tenants = BTreeMap::from([("acme".to_owned(), an_hour(2))]);
    let mut world = World::with_brakes(Brakes { general: an_hour(0), tenants });
    assert_eq!(accepted(&world.submit_all(orders(0..5))), 2);
    let others = BTreeMap::from([("other".to_owned(), Limits::default())]);
    let mut world = World::with_brakes(Brakes { general: an_hour(0), tenants: others });
    assert_eq!(accepted(&world.submit_all(orders(0..5))), 0);
}

fn declined(number: i64, attempt: u32) -> Submission {
    let method = "pm_card_chargeDeclined".to_owned();
    Pay { method, ..pay(&format!("d{number}-{attempt}"), &format!("d{number}")) }.into()
}

#[test]
fn attempts_after_a_failure_are_limited_by_their_share_and_first_ones_are_not() {
    let mut world = limited(Limits { retry_share_max: Some(100), ..Limits::default() });
    for number in 0..100 {
        assert!(matches!(world.submit(declined(number, 0)), Outcome::Accepted { .. }));
    }
    world.settle();
    let mut passed = 0;
    for number in 0..100 {
        passed += i64::from(matches!(world.submit(declined(number, 1)), Outcome::Accepted { .. }));
        world.settle();
    }
    // 11 of 111 are less than a tenth, 12 of 112 are more.
    assert_eq!(passed, 11);
    let outcome = world.submit(declined(50, 2));
    let over = refusal(&outcome).expect("refused");
    assert_eq!((over.limit, over.used, over.payments), (Limit::RetryShare, 11, Some(111)));
    assert!(over.retry_after_s.is_some_and(|wait| wait <= 25 * 3_600), "{over:?}");
    assert!(matches!(world.submit(pay("fresh", "fresh").into()), Outcome::Accepted { .. }));
    check_sound(&world);
}

#[test]
fn a_few_retries_pass_whatever_their_share() {
    let mut world = limited(Limits { retry_share_max: Some(0), ..Limits::default() });
    for attempt in 0..=RETRIES_FREE {
        let outcome = world.submit(declined(0, u32::try_from(attempt).expect("few")));
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
        world.settle();
    }
    assert!(refusal(&world.submit(declined(0, 99))).is_some());
}

pub fn refund(world: &World, key: &str, amount: i64) -> Submission {
    let paid = world.payments().into_iter().find(|payment| payment.status == Status::Succeeded).expect("one is paid");
    let payment = EffectRef { book: paid.book, effect: paid.effect, payment: paid.id, epoch: 0 };
    let (reference, amount) = (Some(key.to_owned()), Some(amount));
    let asked = AskRefund { amount, currency: None, reference, expected_refunded_amount: None, reason: None };
    command(key, 0, "POST /v1/refunds", Action::Refund { payment, asked })
}

#[test]
fn refunds_of_a_day_are_limited_by_their_sum() {
    let mut world = limited(Limits { refunded_amount_per_day_max: usd(1_000), ..Limits::default() });
    world.submit(pay("k", "o").into());
    world.settle();
    let asked = [400, 700, 600, 1].map(|amount| refund(&world, &format!("r{amount}"), amount));
    let outcomes = world.submit_all(asked.to_vec());
    assert_eq!(accepted(&outcomes), 2, "{outcomes:?}");
    let over = refusal(&outcomes[1]).expect("400 and 700 are too much");
    assert_eq!((over.used, over.asked, over.max), (400, 700, 1_000));
    assert!(refusal(&outcomes[3]).is_some(), "400 and 600 are the limit");
    let refunding = world.payments()[0].refunding_amount;
    assert_eq!(refunding, 1_000, "what is refused reserves nothing");
    world.now = world.now.plus_ms(25 * HOUR_MS);
    let late = refund(&world, "r700", 700);
    assert!(matches!(world.submit(late), Outcome::Accepted { .. }));
}
