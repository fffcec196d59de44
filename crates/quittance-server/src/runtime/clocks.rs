//! Alarms about the clock: what ended its era, and what that means for what is under way.

use crate::metrics;
use quittance_engine::clocks::Change;

/// Counts it and says it: an alarm where the clock was set, which no clock that is looked after is.
pub(super) fn tell(change: Change) {
    match change {
        Change::Back(by_ms) => {
            metrics::clock_doubted("back");
            tracing::error!(by_ms, "the clock was set back; what is unknown is searched for and sent under no old key");
        }
        Change::Ahead(by_ms) => {
            metrics::clock_doubted("ahead");
            tracing::error!(by_ms, "the clock was set ahead; what was sent counts as sent just now");
        }
        Change::Machine => {
            metrics::clock_doubted("machine");
            tracing::warn!("the machine was started anew; what is unknown is searched for and sent under no old key");
        }
        Change::Away(for_ms) => {
            metrics::clock_doubted("away");
            tracing::info!(for_ms, "nobody was here for a while; what was sent counts as sent just now");
        }
    }
}
