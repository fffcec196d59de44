//! How much a gateway is sent: rates, retries, and how far behind it may be.

use super::Gateway;
use super::errors::Mistakes;
use super::section::Section;
use quittance_core::tenant::Mode;
use quittance_engine::budget;
use quittance_engine::condition::Rates;

pub(super) const KEYS: [&str; 5] = [
    "requests_per_second_max",
    "requests_per_second_per_endpoint_max",
    "retry_budget_percent",
    "retries_per_second_min",
    "backlog_age_max_ms",
];

/// Where Stripe's own limits hold.
pub(super) const STRIPE: &str = "https://api.stripe.com";

/// What Stripe allows an account in live mode, and each endpoint of it; see the design's section on limits.
const LIVE: Rates = Rates { per_second: Some(100), per_second_per_endpoint: Some(25) };

/// What it allows in test mode.
const TEST: Rates = Rates { per_second: Some(25), per_second_per_endpoint: Some(25) };

/// Ten minutes: a payment that waits longer is one that its customer has given up.
const BACKLOG_AGE_MAX_MS: u64 = 600_000;

/// The settings of one gateway.
pub(super) struct Budgets {
    pub(super) requests_per_second_max: Option<u32>,
    pub(super) requests_per_second_per_endpoint_max: Option<u32>,
    pub(super) retry_budget: budget::Limits,
    pub(super) backlog_age_max_ms: Option<u64>,
}

pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Budgets {
    let default = budget::Limits::default();
    let mut rate = |key| section.number_if_given(key, 0..=1_000_000, "what the gateway allows", mistakes);
    let requests_per_second_max = rate("requests_per_second_max").map(|rate| rate as u32);
    let requests_per_second_per_endpoint_max = rate("requests_per_second_per_endpoint_max").map(|rate| rate as u32);
    let mut number = |key, default, range| section.number(key, default, range, mistakes).value;
    let retry_budget = budget::Limits {
        percent: number("retry_budget_percent", default.percent.into(), 0..=1_000) as u32,
        per_second_min: number("retries_per_second_min", default.per_second_min.into(), 1..=10_000) as u32,
    };
    let age_max_ms = number("backlog_age_max_ms", BACKLOG_AGE_MAX_MS, 0..=30 * 86_400_000);
    Budgets {
        requests_per_second_max,
        requests_per_second_per_endpoint_max,
        retry_budget,
        backlog_age_max_ms: Some(age_max_ms).filter(|age_max_ms| *age_max_ms > 0),
    }
}

impl Gateway {
    /// How many requests it is sent in a second: as configured, else what Stripe allows a key of this mode where the
    /// gateway is Stripe itself, else as many as there are.
    #[must_use]
    pub fn rates(&self, mode: Option<Mode>) -> Rates {
        let default = match (self.api_base == STRIPE, mode) {
            (false, _) => Rates::default(),
            (true, Some(Mode::Live)) => LIVE,
            // Of a key that does not say what it is, the lesser is believed.
            (true, Some(Mode::Test) | None) => TEST,
        };
        let choose = |configured: Option<u32>, default| match configured {
            Some(0) => None,
            Some(rate) => Some(rate),
            None => default,
        };
        Rates {
            per_second: choose(self.requests_per_second_max, default.per_second),
            per_second_per_endpoint: choose(self.requests_per_second_per_endpoint_max, default.per_second_per_endpoint),
        }
    }
}
