//! TruthNumbers of one pair that is asked what is true, looked up once: an answer from what is known takes microseconds.

use crate::truth::{Found, Source};
use metrics::{Counter, Histogram, counter, gauge, histogram};
use std::time::Duration;

/// TruthNumbers of a pair.
pub(crate) struct TruthNumbers {
    pair: String,
    cache: Counter,
    provider: Counter,
    stale: Counter,
    none: Counter,
    age: Histogram,
}

impl TruthNumbers {
    pub(crate) fn new(pair: &str) -> Self {
        let answers = |source| counter!("quittance_truth_answers_total", "pair" => pair.to_owned(), "source" => source);
        Self {
            pair: pair.to_owned(),
            cache: answers(Source::Cache.name()),
            provider: answers(Source::Provider.name()),
            stale: answers(Source::Stale.name()),
            none: answers("none"),
            age: histogram!("quittance_truth_age_seconds", "pair" => pair.to_owned()),
        }
    }

    /// A question was answered.
    pub(crate) fn answered(&self, source: Source, age: Duration) {
        match source {
            Source::Cache => &self.cache,
            Source::Provider => &self.provider,
            Source::Stale => &self.stale,
        }
        .increment(1);
        self.age.record(age.as_secs_f64());
    }

    /// A question was not.
    pub(crate) fn unanswered(&self) {
        self.none.increment(1);
    }

    /// The believed system was asked, and what it had; none where it could not say.
    pub(crate) fn called(&self, found: Option<Found>) {
        self.call(match found {
            Some(Found::One) => "found",
            Some(Found::None) => "missing",
            Some(Found::Several(_)) => "several",
            None => "failed",
        });
    }

    /// It was not asked, to leave it alone.
    pub(crate) fn call_held_back(&self) {
        self.call("held_back");
    }

    fn call(&self, result: &'static str) {
        counter!("quittance_truth_calls_total", "pair" => self.pair.clone(), "result" => result).increment(1);
    }

    /// It was looked up in Redis, by what came of that.
    pub(crate) fn looked(&self, result: &'static str) {
        counter!("quittance_truth_redis_total", "pair" => self.pair.clone(), "result" => result).increment(1);
    }

    /// Something was heard about a record, and what was known of it forgotten.
    pub(crate) fn forgotten(&self, why: &'static str) {
        counter!("quittance_truth_invalidations_total", "pair" => self.pair.clone(), "why" => why).increment(1);
    }
}

/// How many answers are remembered, all pairs together.
pub(crate) fn truths_remembered(count: u64) {
    gauge!("quittance_truth_entries").set(count as f64);
}

/// Whether the Redis is there in which answers are shared.
pub(crate) fn truth_redis_is_up(is_up: bool) {
    let value: f64 = if is_up { 1.0 } else { 0.0 };
    gauge!("quittance_truth_redis_up").set(value);
}

/// How much was heard that Redis does not know yet.
pub(crate) fn truth_redis_untold(count: usize) {
    gauge!("quittance_truth_redis_untold").set(count as f64);
}
