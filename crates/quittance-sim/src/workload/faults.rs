//! Which faults a seed has, and when. What they do is the world's.

use super::{HOUR_MS, MINUTE_MS};
use crate::dice::Dice;
use crate::plan::{Blow, Fault, On, Point, StoreFailure, Trouble, WebhookBlow};

/// The faults of a plan with so many gateways.
pub(super) fn faults(dice: &mut Dice, gateways: u64, span_ms: u64) -> Vec<Fault> {
    let count = dice.pick(&[0, 2, 4, 6, 10, 16]);
    let mut faults: Vec<Fault> = (0..count)
        .map(|_| {
            let at_ms = dice.below(span_ms);
            Fault { at_ms, what: trouble(dice, gateways) }
        })
        .collect();
    faults.sort_by_key(|fault| fault.at_ms);
    faults
}

fn trouble(dice: &mut Dice, gateways: u64) -> Trouble {
    let gateway = dice.below(gateways) as u32;
    match dice.below(100) {
        0..48 => {
            let (on, blow) = (on(dice), blow(dice));
            Trouble::Strike { gateway, on, blow, count: dice.pick(&[1, 1, 1, 2, 5]) }
        }
        48..53 => {
            let for_ms = dice.between(500, 20 * MINUTE_MS);
            Trouble::Cut { gateway, for_ms, is_refused: dice.chance(50) }
        }
        53..57 => Trouble::LoseAnswers { count: dice.between(1, 4) as u32 },
        57..75 => {
            let point = dice.pick(&Point::ALL);
            // Some points are passed rarely.
            let is_rare = matches!(point, Point::BetweenPages | Point::Starting | Point::BeforeClaim);
            let pass = if is_rare { 1 } else { dice.between(1, 6) as u32 };
            let away_ms = dice.pick(&[300, 5_000, 5_000, 90_000, 2 * HOUR_MS, 26 * HOUR_MS]);
            Trouble::Crash { point, pass, away_ms, does_boot: dice.chance(15) }
        }
        75..81 => {
            let kinds =
                [StoreFailure::Full, StoreFailure::Failed, StoreFailure::CommitLostIn, StoreFailure::CommitLostOut];
            Trouble::Store { failure: dice.pick(&kinds), count: dice.between(1, 3) as u32 }
        }
        81..86 => {
            let by_ms = dice.pick(&[-26, -5, -1, 1, 5, 26]) * HOUR_MS as i64;
            Trouble::SetClock { by_ms: by_ms + dice.below(MINUTE_MS) as i64 }
        }
        86..90 => Trouble::Stall { for_ms: dice.between(1_000, 90_000) },
        _ => Trouble::Webhooks { gateway, blow: webhook(dice), count: dice.between(1, 8) as u32 },
    }
}

fn on(dice: &mut Dice) -> On {
    dice.pick(&[
        On::Any,
        On::Write,
        On::Write,
        On::Charge,
        On::Charge,
        On::Refund,
        On::Refund,
        On::Act,
        On::Read,
        On::List,
    ])
}

fn blow(dice: &mut Dice) -> Blow {
    // What is lost to time may still take effect for ten minutes, what is lost to an error of the gateway for a day.
    // Half of what is late arrives while it is being found out about.
    let late_ms = if dice.chance(50) { dice.between(5_050, 9_000) } else { dice.between(6_000, 9 * MINUTE_MS) };
    let rolled_ms = dice.between(1_000, 23 * HOUR_MS);
    match dice.below(18) {
        0 => Blow::LoseRequest,
        1 | 2 => Blow::LoseAnswer,
        3 => Blow::Reset,
        4 => Blow::Late(late_ms),
        5 => Blow::Twice(late_ms),
        6 => Blow::Refuse,
        7 => Blow::Error,
        8 => Blow::ErrorAfter,
        9 | 10 => Blow::ErrorBefore(rolled_ms),
        11 => Blow::Unavailable,
        12 => Blow::UnavailableAfter,
        13 => Blow::Throttle,
        14 => Blow::Unauthorised,
        15 => Blow::InUse,
        16 => Blow::Html,
        _ => Blow::Truncated,
    }
}

fn webhook(dice: &mut Dice) -> WebhookBlow {
    match dice.below(5) {
        0 => WebhookBlow::Lose,
        1 => WebhookBlow::Repeat(dice.between(2, 4) as u32),
        2 => WebhookBlow::Late(dice.between(MINUTE_MS, 30 * HOUR_MS)),
        3 => WebhookBlow::Forge,
        _ => WebhookBlow::LoseAnswer,
    }
}
