//! Brakes: how much a tenant may do before a person looks, and how much of it was done lately.
//!
//! Values only: limits, and tallies over windows of time. What follows from them is decided in [`crate::decide`].

use crate::currency::Currency;
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// What can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// The amount of one payment.
    PaymentAmount,
    /// How many payments are accepted within an hour.
    PaymentsPerHour,
    /// The sum of the refunds that are accepted within a day.
    RefundedAmountPerDay,
    /// How many of the payments of a day are another attempt after a failure.
    RetryShare,
}

impl Limit {
    /// Every limit, in order.
    pub const ALL: [Self; 4] =
        [Self::PaymentAmount, Self::PaymentsPerHour, Self::RefundedAmountPerDay, Self::RetryShare];

    /// Stable name, as the configuration, the API and the journal spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentAmount => "payment_amount_max",
            Self::PaymentsPerHour => "payments_per_hour_max",
            Self::RefundedAmountPerDay => "refunded_amount_per_day_max",
            Self::RetryShare => "retry_share_max",
        }
    }

    /// The limit of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }

    /// The window it is counted over; none for one that time does not lift.
    #[must_use]
    pub const fn window(self) -> Option<Window> {
        match self {
            Self::PaymentAmount => None,
            Self::PaymentsPerHour => Some(Window::HOUR),
            Self::RefundedAmountPerDay | Self::RetryShare => Some(Window::DAY),
        }
    }
}

/// What is done with what is over a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverLimit {
    /// It is refused, and nothing is stored.
    #[default]
    Refuse,
    /// It is accepted and held back until a person approves.
    Park,
}

/// The limits of one tenant; what is not set is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Amount of one payment, by currency, minor units. Where any currency has an entry, one without has none left: what
    /// was forgotten is not without a limit.
    pub payment_amount_max: BTreeMap<Currency, i64>,
    /// Payments within an hour.
    pub payments_per_hour_max: Option<i64>,
    /// Sum of the refunds within a day, by currency as above, minor units.
    pub refunded_amount_per_day_max: BTreeMap<Currency, i64>,
    /// Attempts after a failure among all payments of a day, in thousandths.
    pub retry_share_max: Option<i64>,
    /// What is done with what is over any of these.
    pub over_limit: OverLimit,
}

/// A span that is looked back on, counted in slots that are aligned to the epoch.
///
/// Every slot counts as long as any of it lies within the span, so that never more than the limit passes within the span,
/// wherever it begins; room comes back up to one slot late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Length of a slot in milliseconds.
    pub slot_ms: i64,
    /// Slots that make the span.
    pub slots: i64,
}

impl Window {
    /// An hour, in slots of five minutes.
    pub const HOUR: Self = Self { slot_ms: 300_000, slots: 12 };
    /// A day, in slots of an hour.
    pub const DAY: Self = Self { slot_ms: 3_600_000, slots: 24 };

    /// Number of the slot of a time.
    #[must_use]
    pub const fn slot_of(self, at: Timestamp) -> i64 {
        at.0.div_euclid(self.slot_ms * 1_000)
    }

    /// When a slot begins.
    #[must_use]
    pub const fn start_of(self, slot: i64) -> Timestamp {
        Timestamp(slot.saturating_mul(self.slot_ms * 1_000))
    }
}

/// What is counted for a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meter {
    /// Payments of an hour.
    PaymentsOfHour,
    /// Payments of a day.
    PaymentsOfDay,
    /// Those of them that are another attempt after a failure.
    RetriesOfDay,
    /// Sum of the refunds of a day in a currency, minor units.
    RefundedOfDay(Currency),
}

impl Meter {
    /// Over what it is counted.
    #[must_use]
    pub const fn window(self) -> Window {
        match self {
            Self::PaymentsOfHour => Window::HOUR,
            Self::PaymentsOfDay | Self::RetriesOfDay | Self::RefundedOfDay(_) => Window::DAY,
        }
    }
}

impl fmt::Display for Meter {
    /// Its stable name, under which it is stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PaymentsOfHour => f.write_str("payments_of_hour"),
            Self::PaymentsOfDay => f.write_str("payments_of_day"),
            Self::RetriesOfDay => f.write_str("retries_of_day"),
            Self::RefundedOfDay(currency) => write!(f, "refunded_of_day:{currency}"),
        }
    }
}

/// What was counted lately, by slot: a count, or an amount in minor units. Old slots are dropped with the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The slots in which anything was counted.
    pub slots: BTreeMap<i64, i64>,
}

impl Tally {
    /// What counts at a time. A slot that lies ahead, by a clock that was set back since, counts as if it were now; one
    /// that lies more than the whole span ahead was written by a clock that was wrong, and does not stop a tenant for
    /// years.
    #[must_use]
    pub fn within(&self, window: Window, now: Timestamp) -> i64 {
        let counted = self.slots.iter().filter(|(slot, _)| counts(window, **slot, now));
        counted.fold(0, |sum, (_, amount)| sum.saturating_add(*amount))
    }

    /// Counts so much more at a time.
    pub fn add(&mut self, window: Window, amount: i64, now: Timestamp) {
        self.slots.retain(|slot, _| counts(window, *slot, now));
        let slot = self.slots.entry(window.slot_of(now)).or_default();
        *slot = slot.saturating_add(amount);
    }
}

fn counts(window: Window, slot: i64, now: Timestamp) -> bool {
    window.slot_of(now).abs_diff(slot) <= window.slots.unsigned_abs()
}

/// The tallies of one tenant; what is not there was not counted.
pub type Tallies = BTreeMap<Meter, Tally>;

/// Which limit is passed, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// The limit.
    pub limit: Limit,
    /// What it is: a count, minor units, or thousandths of a share.
    pub max: i64,
    /// What was counted before: payments, minor units, or retries.
    pub used: i64,
    /// What was asked for on top: one payment, or minor units.
    pub asked: i64,
    /// Payments that the retries are among.
    pub payments: Option<i64>,
    /// The currency of amounts.
    pub currency: Option<Currency>,
    /// In how many seconds the limit would let it through, if nothing else is accepted until then; none where waiting does
    /// not help.
    pub retry_after_s: Option<u64>,
}

impl Over {
    /// Over a limit by one.
    #[must_use]
    pub const fn of(limit: Limit, max: i64, used: i64) -> Self {
        Self { limit, max, used, asked: 1, payments: None, currency: None, retry_after_s: None }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, max, used, asked, .. } = self;
        let name = limit.name();
        let code = self.currency.map_or("", Currency::code);
        match limit {
            Limit::PaymentAmount => write!(f, "{name} is {max} minor units of {code}, and {asked} are asked for"),
            Limit::PaymentsPerHour => write!(f, "{name} is {max}, and {used} were accepted within the last hour"),
            Limit::RefundedAmountPerDay => write!(
                f,
                "{name} is {max} minor units of {code}; {used} were accepted within the last day, and {asked} more are \
                 asked for"
            ),
            Limit::RetryShare => {
                let payments = self.payments.unwrap_or_default();
                write!(
                    f,
                    "{name} is {max} in a thousand, and {used} retries are among {payments} payments of the last day"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(minutes * 60)
    }

    #[test]
    fn no_hour_holds_more_than_is_counted_and_room_comes_back_a_slot_late_at_most() {
        for begin in [0, 1, 4, 7_003] {
            let mut tally = Tally::default();
            tally.add(Window::HOUR, 3, minutes(begin));
            assert_eq!(tally.within(Window::HOUR, minutes(begin + 60)), 3, "within the hour");
            assert_eq!(tally.within(Window::HOUR, minutes(begin + 65)), 0, "an hour and a slot later");
        }
    }

    #[test]
    fn old_slots_are_dropped_and_there_are_never_more_than_fit() {
        let mut tally = Tally::default();
        for minute in 0..10_000 {
            tally.add(Window::HOUR, 1, minutes(minute));
            assert!(tally.slots.len() <= 13);
        }
        assert!((61..=65).contains(&tally.within(Window::HOUR, minutes(9_999))));
    }

    #[test]
    fn a_clock_that_is_set_back_frees_nothing_unless_it_was_wrong_by_more_than_the_span() {
        let mut tally = Tally::default();
        tally.add(Window::HOUR, 5, minutes(600));
        assert_eq!(tally.within(Window::HOUR, minutes(545)), 5);
        assert_eq!(tally.within(Window::HOUR, minutes(100)), 0);
    }

    #[test]
    fn sums_do_not_wrap() {
        let mut tally = Tally::default();
        tally.add(Window::DAY, i64::MAX, minutes(0));
        tally.add(Window::DAY, i64::MAX, minutes(0));
        tally.add(Window::DAY, i64::MAX, minutes(61));
        assert_eq!(tally.within(Window::DAY, minutes(61)), i64::MAX);
    }

    #[test]
    fn names_are_found_again() {
        for limit in Limit::ALL {
            assert_eq!(Limit::from_name(limit.name()), Some(limit));
        }
    }
}
