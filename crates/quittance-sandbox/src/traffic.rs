//! Owns: how many requests came, for what, how fast, and when that is too fast. Does not own: what they are answered.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde::Serialize;

/// What is counted of all requests, and of those to one endpoint.
#[derive(Debug, Default, Serialize)]
struct Count {
    requests: u64,
    /// The most within any second that began with one of them.
    in_one_second_max: usize,
    #[serde(skip)]
    window: Window,
}

/// The moments of the last second.
#[derive(Debug, Default)]
struct Window(VecDeque<Instant>);

/// How much is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct RateLimit {
    /// `None`: as much as comes.
    pub(crate) requests_per_second: Option<u32>,
    /// What `Retry-After` says.
    pub(crate) retry_after_s: u64,
}

#[derive(Debug)]
pub(crate) struct Traffic {
    all: Count,
    /// By method and URL without ids: `GET /v1/subscriptions/{id}`.
    endpoints: BTreeMap<String, Count>,
    limit: RateLimit,
    let_through: Window,
    rate_limited: u64,
}

/// What `GET /_sandbox/requests` answers.
#[derive(Debug, Serialize)]
pub(crate) struct TrafficReport<'a> {
    #[serde(flatten)]
    all: &'a Count,
    rate_limited: u64,
    rate_limit: RateLimit,
    endpoints: &'a BTreeMap<String, Count>,
}

impl Window {
    /// How many there are, this one included, once those are gone that are a second old.
    fn enter(&mut self, now: Instant) -> usize {
        self.pass(now);
        self.0.push_back(now);
        self.0.len()
    }

    fn pass(&mut self, now: Instant) {
        let is_over = |then: &Instant| now.saturating_duration_since(*then) >= Duration::from_secs(1);
        while self.0.front().is_some_and(is_over) {
            self.0.pop_front();
        }
    }
}

impl Count {
    fn add(&mut self, now: Instant) {
        self.requests += 1;
        self.in_one_second_max = self.in_one_second_max.max(self.window.enter(now));
    }
}

impl Traffic {
    pub(crate) fn new(requests_per_second: Option<u32>) -> Self {
        Self {
            all: Count::default(),
            endpoints: BTreeMap::new(),
            limit: RateLimit { requests_per_second, retry_after_s: 1 },
            let_through: Window::default(),
            rate_limited: 0,
        }
    }

    /// Counts a request. There are only as many endpoints as there are names for them.
    pub(crate) fn count(&mut self, method: &str, endpoint: Option<String>, now: Instant) {
        self.all.add(now);
        let name = endpoint.map_or_else(|| "unrecognised".to_owned(), |url| format!("{method} {url}"));
        self.endpoints.entry(name).or_default().add(now);
    }

    /// Lets a request through, or says after how many seconds to come again. What is turned away does not count.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), u64> {
        let Some(max) = self.limit.requests_per_second else {
            return Ok(());
        };
        self.let_through.pass(now);
        if self.let_through.0.len() >= usize::try_from(max).unwrap_or(usize::MAX) {
            self.rate_limited += 1;
            return Err(self.limit.retry_after_s);
        }
        self.let_through.enter(now);
        Ok(())
    }

    pub(crate) fn set_limit(&mut self, limit: RateLimit) {
        self.limit = limit;
        self.let_through = Window::default();
    }

    /// Counts from nothing; the limit stays.
    pub(crate) fn reset(&mut self) {
        *self = Self { limit: self.limit, let_through: std::mem::take(&mut self.let_through), ..Self::new(None) };
    }

    pub(crate) fn report(&self) -> TrafficReport<'_> {
        TrafficReport {
            all: &self.all,
            rate_limited: self.rate_limited,
            rate_limit: self.limit,
            endpoints: &self.endpoints,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{RateLimit, Traffic};

    #[test]
    fn the_busiest_second_is_remembered() {
        let start = crate::clock::monotonic();
        let mut traffic = Traffic::new(None);
        for ms in [0, 400, 800, 1_300, 1_399, 1_400, 5_000] {
            traffic.count("GET", Some("/v1/charges".to_owned()), start + Duration::from_millis(ms));
        }
        traffic.count("PUT", None, start + Duration::from_secs(5));
        let report = serde_json::to_value(traffic.report()).expect("a report is JSON");
        // 800, 1,300, 1,399 and 1,400; 400 is a second before the last.
        assert_eq!((&report["requests"], &report["in_one_second_max"]), (&8.into(), &4.into()), "{report:#}");
        assert_eq!(report["endpoints"]["GET /v1/charges"]["requests"], 7);
        assert_eq!(report["endpoints"]["unrecognised"]["requests"], 1);
    }

    #[test]
    fn no_second_lets_more_through_than_the_limit() {
        let start = crate::clock::monotonic();
        let mut traffic = Traffic::new(None);
        assert_eq!(traffic.admit(start), Ok(()));
        traffic.set_limit(RateLimit { requests_per_second: Some(2), retry_after_s: 7 });
        let admits = [0, 1, 2, 999, 1_000, 1_000, 1_001].map(|ms| traffic.admit(start + Duration::from_millis(ms)));
        assert_eq!(admits, [Ok(()), Ok(()), Err(7), Err(7), Ok(()), Err(7), Ok(())]);
        assert_eq!(traffic.report().rate_limited, 3);
        traffic.reset();
        assert_eq!((traffic.report().rate_limited, traffic.admit(start + Duration::from_millis(1_002))), (0, Err(7)));
    }
}
