//! Whether a tenant's brakes let through what is asked: passed and counted, refused, or parked until a person approves.

use super::create_payment::NewPayment;
use super::create_refund::NewRefund;
use super::{learn, learn_refund};
use crate::brake::{Limit, Limits, Meter, Over, OverLimit, Tallies};
use crate::currency::Currency;
use crate::effect::{Effect, Source, State};
use crate::journal::Record;
use crate::money::Money;
use crate::payment::Status;
use crate::refund::RefundStatus;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Retries of a day that pass whatever their share is: of three payments, one is a third.
pub const RETRIES_FREE: i64 = 10;

/// What is asked for, as far as brakes care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A payment.
    Payment {
        /// How much of what.
        money: Money,
        /// Whether the newest payment of its reference failed.
        is_retry: bool,
    },
    /// A refund.
    Refund {
        /// How much of what.
        money: Money,
    },
}

/// What the brakes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Braking {
    /// Go ahead.
    Pass,
    /// Do nothing of it.
    Refuse(Over),
    /// Accept it, and send nothing until a person approves.
    Park(Over),
}

/// What has to be known to decide, and is counted when it passes.
#[must_use]
pub fn meters(limits: &Limits, ask: &Ask) -> Vec<Meter> {
    match ask {
        Ask::Payment { .. } => {
            let hour = limits.payments_per_hour_max.map(|_| Meter::PaymentsOfHour);
            let day = limits.retry_share_max.map(|_| [Meter::PaymentsOfDay, Meter::RetriesOfDay]);
            hour.into_iter().chain(day.into_iter().flatten()).collect()
        }
        Ask::Refund { .. } if limits.refunded_amount_per_day_max.is_empty() => Vec::new(),
        Ask::Refund { money } => vec![Meter::RefundedOfDay(money.currency)],
    }
}

/// Decides over what is asked. Counts nothing: see [`count`].
#[must_use]
pub fn brake(limits: &Limits, tallies: &Tallies, ask: &Ask, now: Timestamp) -> Braking {
    let Some(over) = over(limits, tallies, ask, now) else { return Braking::Pass };
    match limits.over_limit {
        OverLimit::Park => Braking::Park(over),
        OverLimit::Refuse => {
            let retry_after_s = lifts_after_s(over.limit, limits, tallies, ask, now);
            Braking::Refuse(Over { retry_after_s, ..over })
        }
    }
}

/// Counts what passed.
pub fn count(limits: &Limits, tallies: &mut Tallies, ask: &Ask, now: Timestamp) {
    for meter in meters(limits, ask) {
        let amount = match (meter, ask) {
            (Meter::RetriesOfDay, Ask::Payment { is_retry, .. }) => i64::from(*is_retry),
            (Meter::RefundedOfDay(_), Ask::Refund { money }) => money.amount,
            (Meter::PaymentsOfHour | Meter::PaymentsOfDay | Meter::RetriesOfDay | Meter::RefundedOfDay(_), _) => 1,
        };
        tallies.entry(meter).or_default().add(meter.window(), amount, now);
    }
}

/// The first limit that is passed.
fn over(limits: &Limits, tallies: &Tallies, ask: &Ask, now: Timestamp) -> Option<Over> {
    let used = |meter: Meter| tallies.get(&meter).map_or(0, |tally| tally.within(meter.window(), now));
    match ask {
        Ask::Payment { money, is_retry } => over_amount(limits, *money)
            .or_else(|| over_rate(limits, used(Meter::PaymentsOfHour)))
            .or_else(|| is_retry.then(|| over_share(limits, &used)).flatten()),
        Ask::Refund { money } => over_refunds(limits, *money, used(Meter::RefundedOfDay(money.currency))),
    }
}

fn over_amount(limits: &Limits, money: Money) -> Option<Over> {
    let max = max_of(&limits.payment_amount_max, money.currency)?;
    (money.amount > max).then_some(Over {
        asked: money.amount,
        currency: Some(money.currency),
        ..Over::of(Limit::PaymentAmount, max, 0)
    })
}

fn over_rate(limits: &Limits, used: i64) -> Option<Over> {
    let max = limits.payments_per_hour_max?;
    (used >= max).then_some(Over::of(Limit::PaymentsPerHour, max, used))
}

fn over_refunds(limits: &Limits, money: Money, used: i64) -> Option<Over> {
    let max = max_of(&limits.refunded_amount_per_day_max, money.currency)?;
    (used.saturating_add(money.amount) > max).then_some(Over {
        asked: money.amount,
        currency: Some(money.currency),
        ..Over::of(Limit::RefundedAmountPerDay, max, used)
    })
}

fn over_share(limits: &Limits, used: &impl Fn(Meter) -> i64) -> Option<Over> {
    let max = limits.retry_share_max?;
    let (retries, payments) = (used(Meter::RetriesOfDay), used(Meter::PaymentsOfDay));
    let [after, among] = [retries, payments].map(|count| i128::from(count) + 1);
    let is_over = after > i128::from(RETRIES_FREE) && after * 1_000 > i128::from(max) * among;
    is_over.then_some(Over { payments: Some(payments), ..Over::of(Limit::RetryShare, max, retries) })
}

/// A currency that was forgotten where others are limited is not one without a limit.
fn max_of(limits: &BTreeMap<Currency, i64>, currency: Currency) -> Option<i64> {
    if limits.is_empty() { None } else { Some(limits.get(&currency).copied().unwrap_or(0)) }
}

/// Seconds until this limit would let it through, as things stand.
fn lifts_after_s(limit: Limit, limits: &Limits, tallies: &Tallies, ask: &Ask, now: Timestamp) -> Option<u64> {
    let window = limit.window()?;
    let first = window.slot_of(now);
    let starts = (1..=2 * window.slots + 1).map(|ahead| window.start_of(first + ahead));
    let mut lifts = starts.filter(|at| over(limits, tallies, ask, *at).is_none_or(|over| over.limit != limit));
    lifts.next().map(|at| at.ms_since(now).div_ceil(1_000))
}

/// Holds a new payment back until a person approves. Gives what the journal says of it after its acceptance.
pub fn park_payment(new: &mut NewPayment, limit: Limit) -> Record {
    let NewPayment { payment, effect, .. } = new;
    park(effect, limit);
    payment.status = Status::Review;
    payment.parked_by = Some(limit);
    payment.gateway_object.clone_from(&effect.object_id);
    Record::EffectAdvanced(learn::advanced(effect, payment, Source::Brake(limit), SAW.into()))
}

/// The same for a refund.
pub fn park_refund(new: &mut NewRefund, limit: Limit) -> Record {
    let NewRefund { refund, effect, .. } = new;
    park(effect, limit);
    refund.status = RefundStatus::Review;
    refund.parked_by = Some(limit);
    Record::RefundAdvanced(learn_refund::advanced(effect, refund, Source::Brake(limit), SAW.into()))
}

const SAW: &str = "over_limit";

fn park(effect: &mut Effect, limit: Limit) {
    assert!(effect.last_sent_at.is_none(), "{} was sent and cannot be held back any more", effect.id);
    effect.state = State::Review;
    effect.parked_by = Some(limit);
    effect.due_at = None;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brake::Window;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).expect("known currency")
    }

    fn money(amount: i64, code: &str) -> Money {
        Money::new(amount, currency(code))
    }

    fn payment(is_retry: bool) -> Ask {
        Ask::Payment { money: money(100, "USD"), is_retry }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(minutes * 60)
    }

    fn tallies<const N: usize>(counted: [(Meter, i64); N]) -> Tallies {
        let mut tallies = Tallies::new();
        for (meter, amount) in counted {
            tallies.entry(meter).or_default().add(meter.window(), amount, at(0));
        }
        tallies
    }

    fn check(limits: &Limits, tallies: &Tallies, ask: Ask, expected: Option<Limit>) {
        let stopped = |over_limit| match brake(&Limits { over_limit, ..limits.clone() }, tallies, &ask, at(0)) {
            Braking::Pass => None,
            Braking::Refuse(over) => Some((OverLimit::Refuse, over.limit)),
            Braking::Park(over) => Some((OverLimit::Park, over.limit)),
        };
        for over_limit in [OverLimit::Refuse, OverLimit::Park] {
            assert_eq!(stopped(over_limit), expected.map(|limit| (over_limit, limit)), "{ask:?}");
        }
    }

    #[test]
    fn what_is_not_set_is_not_limited() {
        let busy = tallies([(Meter::PaymentsOfHour, 9_999), (Meter::RetriesOfDay, 9_999)]);
        check(&Limits::default(), &busy, payment(true), None);
        check(&Limits::default(), &busy, Ask::Refund { money: money(i64::MAX, "USD") }, None);
        assert!(meters(&Limits::default(), &payment(true)).is_empty());
    }

    #[test]
    fn an_amount_may_reach_its_limit_and_not_pass_it() {
        let limits = Limits { payment_amount_max: BTreeMap::from([(currency("USD"), 100)]), ..Limits::default() };
        let none = Tallies::new();
        for (amount, code, expected) in
            [(100, "USD", None), (101, "USD", Some(Limit::PaymentAmount)), (1, "EUR", Some(Limit::PaymentAmount))]
        {
            check(&limits, &none, Ask::Payment { money: money(amount, code), is_retry: false }, expected);
            check(&limits, &none, Ask::Refund { money: money(amount, code) }, None);
        }
    }

    #[test]
    fn the_last_of_an_hour_passes_and_the_next_one_does_not() {
        let limits = Limits { payments_per_hour_max: Some(10), ..Limits::default() };
        check(&limits, &tallies([(Meter::PaymentsOfHour, 9)]), payment(false), None);
        check(&limits, &tallies([(Meter::PaymentsOfHour, 10)]), payment(false), Some(Limit::PaymentsPerHour));
        let closed = Limits { payments_per_hour_max: Some(0), ..Limits::default() };
        check(&closed, &Tallies::new(), payment(false), Some(Limit::PaymentsPerHour));
    }

    #[test]
    fn refunds_are_summed_by_currency() {
        let max = BTreeMap::from([(currency("USD"), 500), (currency("JPY"), 500)]);
        let limits = Limits { refunded_amount_per_day_max: max, ..Limits::default() };
        let used = tallies([(Meter::RefundedOfDay(currency("USD")), 400)]);
        let over = Some(Limit::RefundedAmountPerDay);
        for (amount, code, expected) in [(100, "USD", None), (101, "USD", over), (500, "JPY", None), (1, "EUR", over)] {
            check(&limits, &used, Ask::Refund { money: money(amount, code) }, expected);
        }
    }

    #[test]
    fn retries_are_a_share_of_all_payments_from_the_eleventh_on() {
        let limits = Limits { retry_share_max: Some(100), ..Limits::default() };
        for (retries, payments, expected) in [
            (RETRIES_FREE - 1, RETRIES_FREE - 1, None),
            (RETRIES_FREE, 99, Some(Limit::RetryShare)),
            (RETRIES_FREE, 109, None),
            (RETRIES_FREE, 108, Some(Limit::RetryShare)),
        ] {
            let used = tallies([(Meter::RetriesOfDay, retries), (Meter::PaymentsOfDay, payments)]);
            check(&limits, &used, payment(true), expected);
            check(&limits, &used, payment(false), None);
        }
    }

    #[test]
    fn what_passes_is_counted_where_it_is_limited() {
        let limits = Limits { payments_per_hour_max: Some(9), retry_share_max: Some(1), ..Limits::default() };
        let mut counted = Tallies::new();
        for is_retry in [false, true, true] {
            count(&limits, &mut counted, &payment(is_retry), at(0));
        }
        let used = |meter: Meter| counted[&meter].within(meter.window(), at(0));
        let all = [Meter::PaymentsOfHour, Meter::PaymentsOfDay, Meter::RetriesOfDay];
        assert_eq!(all.map(used), [3, 3, 2]);
        assert_eq!(counted.len(), 3, "refunds are not limited and not counted");
    }

    #[test]
    fn a_refusal_says_when_to_come_back_and_is_right() {
        let limits = Limits { payments_per_hour_max: Some(2), ..Limits::default() };
        let mut counted = Tallies::new();
        count(&limits, &mut counted, &payment(false), at(0));
        count(&limits, &mut counted, &payment(false), at(17));
        let Braking::Refuse(over) = brake(&limits, &counted, &payment(false), at(30)) else { panic!("two passed") };
        let wait_s = over.retry_after_s.expect("an hour passes");
        let again = Timestamp::from_seconds(30 * 60 + i64::try_from(wait_s).expect("an hour"));
        assert_eq!(brake(&limits, &counted, &payment(false), again), Braking::Pass);
        assert_eq!(again, at(65), "the first one's slot has left the hour");
        let closed = Limits { payments_per_hour_max: Some(0), ..Limits::default() };
        let Braking::Refuse(over) = brake(&closed, &counted, &payment(false), at(30)) else { panic!("closed") };
        assert_eq!(over.retry_after_s, None, "waiting does not help");
    }

    #[test]
    fn never_more_than_the_limit_passes_within_any_hour() {
        let limits = Limits { payments_per_hour_max: Some(7), ..Limits::default() };
        let (mut counted, mut passed) = (Tallies::new(), Vec::new());
        // Every 37 seconds of a day, in step with neither slots nor hours.
        for second in (0..86_400).step_by(37) {
            let now = Timestamp::from_seconds(second);
            if brake(&limits, &counted, &payment(false), now) == Braking::Pass {
                count(&limits, &mut counted, &payment(false), now);
                passed.push(second);
            }
        }
        let most = passed.iter().map(|begin| passed.iter().filter(|at| (*begin..=begin + 3_600).contains(*at)).count());
        assert_eq!(most.max(), Some(7));
        assert!(passed.len() >= 7 * 22, "{}: a slot is lost each hour, and no more", passed.len());
        assert_eq!(Window::HOUR.slots * Window::HOUR.slot_ms, 3_600_000);
    }
}
