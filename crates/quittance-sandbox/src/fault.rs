//! Owns: the kinds of fault and the choice among them. Does not own: how often one key may meet them (`faults`), nor
//! what they do (`verdict`, `writing`).

use std::time::Duration;

use crate::config::FaultRates;
use crate::dice::Dice;

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    TimeoutBeforeEffect,
    TimeoutAfterEffect,
    LostAnswer,
    ConnectionReset,
    Error500Charged,
    Error500NotCharged,
    /// With `Retry-After` in seconds, sometimes.
    RateLimited {
        retry_after: Option<u64>,
    },
    SlowAnswer,
    Unavailable,
    /// 200, and half of a JSON body.
    TruncatedJson,
    /// 200, and a page for people: somebody stood between.
    Html200,
    /// 502, and a page for people, after the effect: somebody stood between and gave up waiting.
    BadGateway,
    /// This and the next requests, this many in all, whatever they are.
    Unauthorised {
        requests: u64,
    },
    /// The page of a list ends with the row that it should begin after.
    CursorRepeats,
    /// Carried out after this time, when nobody waits for the answer any more.
    LateEffect {
        delay: Duration,
    },
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TimeoutBeforeEffect => "timeout_before_effect",
            Self::TimeoutAfterEffect => "timeout_after_effect",
            Self::LostAnswer => "lost_answer",
            Self::ConnectionReset => "connection_reset",
            Self::Error500Charged => "error_500_charged",
            Self::Error500NotCharged => "error_500_not_charged",
            Self::RateLimited { .. } => "rate_limited_429",
            Self::SlowAnswer => "slow_answer",
            Self::Unavailable => "unavailable_503",
            Self::LateEffect { .. } => "late_effect",
            Self::TruncatedJson => "truncated_json",
            Self::Html200 => "html_200",
            Self::BadGateway => "bad_gateway_502",
            Self::Unauthorised { .. } => "unauthorised_401",
            Self::CursorRepeats => "cursor_repeats",
        }
    }
}

/// Whether a request can have an effect, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    /// A write that can also be late: one that moves money, and with a key that it can hold until then where keys are
    /// the gateway's way.
    PostponableWrite,
}

/// How many requests a drawn burst of 401s takes at most.
const BURST_MAX: u64 = 5;

/// At most one fault, by the rates.
pub(crate) fn choose(access: Access, rates: &FaultRates, dice: Dice, late_effect_ms: (u64, u64)) -> Option<Fault> {
    let retry_after = (dice.text("retry").roll(2) == 0).then_some(1);
    let (earliest, latest) = late_effect_ms;
    let delay = Duration::from_millis(earliest + dice.text("late").roll(latest - earliest + 1));
    let payment = u32::from(access == Access::PostponableWrite) * 1000;
    let write = u32::from(access != Access::Read) * 1000;
    let both = if access == Access::Read { u32::from(rates.reads) } else { 1000 };
    let read = if access == Access::Read { u32::from(rates.reads) } else { 0 };
    let requests = 1 + dice.text("burst").roll(BURST_MAX);
    // A read has no effect that could be there or not.
    let chances = [
        (rates.timeout_before_effect, both, Fault::TimeoutBeforeEffect),
        (rates.timeout_after_effect, write, Fault::TimeoutAfterEffect),
        (rates.lost_answer, write, Fault::LostAnswer),
        (rates.connection_reset, both, Fault::ConnectionReset),
        (rates.error_500_charged, write, Fault::Error500Charged),
        (rates.error_500_not_charged, both, Fault::Error500NotCharged),
        (rates.rate_limited_429, both, Fault::RateLimited { retry_after }),
        (rates.slow_answer, both, Fault::SlowAnswer),
        (rates.truncated_json, both, Fault::TruncatedJson),
        (rates.html_200, both, Fault::Html200),
        (rates.unavailable_503, both, Fault::Unavailable),
        (rates.late_effect, payment, Fault::LateEffect { delay }),
        (rates.cursor_repeats, read, Fault::CursorRepeats),
        (rates.unauthorised_401, both, Fault::Unauthorised { requests }),
        (rates.bad_gateway_502, both, Fault::BadGateway),
    ];
    // In millionths, because a share of a per mille is less than one.
    let mut roll = dice.roll(1_000_000);
    for (per_mille, share, fault) in chances {
        let width = u64::from(u32::from(per_mille) * share);
        if roll < width {
            return Some(fault);
        }
        roll -= width;
    }
    None
}
