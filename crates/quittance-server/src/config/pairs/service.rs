//! When a pair is compared by itself, and how gently.

use crate::config::brakes;
use crate::config::errors::Mistakes;
use crate::config::section::Section;
use quittance_core::pair::schedule::{Schedule, span_ms};

/// How a pair is compared by schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// When; never by itself where there is none.
    pub schedule: Option<Schedule>,
    /// By how many millionths of the interval a run may be later, so that pairs do not all begin at once.
    pub jitter_ppm: u64,
    /// How long is waited before what disagrees is read again, in milliseconds.
    pub settle_ms: u64,
    /// In how many millionths of the time a busy system is read.
    pub load_share_ppm: u64,
    /// Whether differences that no event announced are a silence; where nobody says, they are where a side is Stripe.
    pub silence: Option<bool>,
}

impl Default for Service {
    fn default() -> Self {
        Self { schedule: None, jitter_ppm: 100_000, settle_ms: 5_000, load_share_ppm: 500_000, silence: None }
    }
}

/// Keys of a pair that are read here.
pub(super) const KEYS: [&str; 5] = ["schedule", "jitter", "settle", "load_share", "silence"];

/// Longest settle time, in milliseconds.
const SETTLE_MS_MAX: u64 = 3_600_000;

/// Reads what a pair says of its schedule.
pub(super) fn parse(section: &Section<'_>, mistakes: &mut Mistakes) -> Service {
    let default = Service::default();
    let schedule = section.text("schedule", mistakes).and_then(|found| match found.value.parse::<Schedule>() {
        Ok(schedule) => Some(schedule),
        Err(error) => {
            mistakes.add(found.origin, &section.setting("schedule"), "not a schedule", error.to_string());
            None
        }
    });
    let share = |key: &str, mistakes: &mut Mistakes| {
        let share = brakes::share(section, key, mistakes).and_then(|share| u64::try_from(share).ok());
        share.map(|thousandths| thousandths * 1_000)
    };
    let jitter_ppm = share("jitter", mistakes).unwrap_or(default.jitter_ppm);
    let load_share_ppm = match share("load_share", mistakes) {
        Some(0) => {
            let origin = section.origin_of("load_share").unwrap_or_else(|| section.origin());
            let remedy = "write a share above 0, as 0.5; `quittance pause --pair` stops a pair";
            mistakes.add(origin, &section.setting("load_share"), "nothing would ever be read", remedy);
            default.load_share_ppm
        }
        share => share.unwrap_or(default.load_share_ppm),
    };
    let settle_ms = section.text("settle", mistakes).and_then(|found| {
        let span = span_ms(&found.value).filter(|ms| *ms <= SETTLE_MS_MAX);
        if span.is_none() {
            mistakes.add(found.origin, &section.setting("settle"), "not a span", "write 5s, or an hour at most");
        }
        span
    });
    let silence = section.text("silence", mistakes).and_then(|found| match found.value.as_str() {
        "on" => Some(true),
        "off" => Some(false),
        _ => {
            let remedy = "write \"on\" or \"off\", or leave it out: it is on where a side is Stripe";
            mistakes.add(found.origin, &section.setting("silence"), "neither on nor off", remedy);
            None
        }
    });
    let settle_ms = settle_ms.unwrap_or(default.settle_ms);
    Service { schedule, jitter_ppm, settle_ms, load_share_ppm, silence }
}
