//! From a seed to a plan: orders that are paid, retried, captured, given back and disputed, and what goes wrong meanwhile.

mod faults;

use crate::dice::Dice;
use crate::plan::{Operation, Pay, Plan, Profile, What};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Methods of payment, by how they behave; the first ones simply work.
const METHODS: [&str; 19] = [
    "pm_card",
    "pm_card",
    "pm_card",
    "pm_card",
    "pm_card",
    "pm_declined",
    "pm_flaky",
    "pm_flaky",
    "pm_flaky",
    "pm_action",
    "pm_action_fails",
    "pm_action_never",
    "pm_action_bank",
    "pm_bank",
    "pm_bank_fails",
    "pm_returned",
    "pm_disputed",
    "pm_disputed",
    "pm_unknown",
];

/// The plan of a seed.
#[must_use]
pub fn plan(seed: u64) -> Plan {
    let mut dice = Dice::new(seed, 0);
    let gateways = gateways(&mut dice);
    let span_ms = dice.pick(&[3 * MINUTE_MS, 20 * MINUTE_MS, 2 * HOUR_MS, 2 * HOUR_MS, 30 * HOUR_MS]);
    let orders = dice.between(2, 12) as u32;
    let mut making = Making { dice, gateways: &gateways, span_ms, keys: 0, refunds: 0, operations: Vec::new() };
    (0..orders).for_each(|order| making.order(order));
    making.operators();
    let Making { mut dice, mut operations, .. } = making;
    operations.sort_by_key(|operation| operation.at_ms);
    let faults = faults::faults(&mut dice, gateways.len() as u64, span_ms);
    let parked_above = dice.chance(20).then_some(7_000);
    Plan { seed, gateways, parked_above, operations, faults }
}

fn gateways(dice: &mut Dice) -> Vec<Profile> {
    let mut gateways = vec![if dice.chance(45) { Profile::Intents } else { dice.pick(&Profile::ALL) }];
    if dice.chance(50) {
        let other = dice.pick(&Profile::ALL);
        if !gateways.contains(&other) {
            gateways.push(other);
        }
    }
    gateways
}

struct Making<'a> {
    dice: Dice,
    gateways: &'a [Profile],
    span_ms: u64,
    keys: u32,
    refunds: u32,
    operations: Vec<Operation>,
}

impl Making<'_> {
    fn push(&mut self, at_ms: u64, what: What) {
        let is_double = self.dice.chance(8);
        let patience_ms = self.dice.pick(&[3_000, 10_000, 30_000]);
        self.operations.push(Operation { at_ms, what, is_double, patience_ms });
    }

    /// A key of its own, or now and then one that was used before, for something else.
    fn key(&mut self) -> u32 {
        if self.keys > 0 && self.dice.chance(3) {
            return self.dice.below(u64::from(self.keys)) as u32;
        }
        self.keys += 1;
        self.keys - 1
    }

    /// Everything that becomes of one order.
    fn order(&mut self, order: u32) {
        let at_ms = self.dice.below(self.span_ms);
        let pay = Pay {
            key: self.key(),
            customer: self.dice.below(3) as u32,
            order,
            amount: self.dice.between(1, 9_000) as i64,
            currency: self.dice.pick(&["USD", "USD", "EUR", "JPY"]).to_owned(),
            gateway: self.dice.below(self.gateways.len() as u64) as u32,
            method: self.dice.pick(&METHODS).to_owned(),
            is_manual: self.dice.chance(18),
            takes_existing: self.dice.chance(40),
        };
        let (is_manual, amount, is_disputed) = (pay.is_manual, pay.amount, pay.method == "pm_disputed");
        self.again(at_ms, &pay);
        self.push(at_ms, What::Pay(pay));
        if is_manual {
            self.later_steps(at_ms, order, amount);
        } else if self.dice.chance(8) {
            let (at_ms, key) = (at_ms + self.dice.between(10, 20 * MINUTE_MS), self.key());
            self.push(at_ms, What::Cancel { key, order });
        }
        if self.dice.chance(45) {
            self.refunds_of(at_ms, order, amount);
        }
        if is_disputed && self.dice.chance(70) {
            let (at_ms, key) = (at_ms + self.dice.between(2 * HOUR_MS, 60 * HOUR_MS), self.key());
            self.push(at_ms, What::Evidence { key, order });
        }
    }

    /// The client tries the order again: under a new key, with another method, or under the old key for another amount.
    fn again(&mut self, at_ms: u64, pay: &Pay) {
        for _ in 0..self.dice.pick(&[0, 0, 1, 1, 2, 3]) {
            let mut again = Pay { key: self.key(), ..pay.clone() };
            match self.dice.below(5) {
                0 => again.key = pay.key,
                1 => (again.key, again.amount) = (pay.key, pay.amount + 1),
                2 => again.amount = pay.amount + 100,
                3 => again.gateway = self.dice.below(self.gateways.len() as u64) as u32,
                _ => {}
            }
            if self.dice.chance(60) && again.key != pay.key {
                // What is declined at first and works then tells attempts that were mixed up.
                let other = self.dice.pick(&METHODS);
                again.method = if self.dice.chance(30) { "pm_flaky" } else { other }.to_owned();
            }
            let wait_ms = self.dice.pick(&[5, 300, 4_000, 2 * MINUTE_MS, HOUR_MS, 26 * HOUR_MS]);
            let wait_ms = self.dice.between(1, wait_ms);
            self.push(at_ms + wait_ms, What::Pay(again));
        }
    }

    fn later_steps(&mut self, at_ms: u64, order: u32, amount: i64) {
        for _ in 0..self.dice.between(0, 2) {
            let at_ms = at_ms + self.dice.between(200, 3 * HOUR_MS);
            let key = self.key();
            let part = self.dice.chance(40).then(|| self.dice.between(1, amount as u64) as i64);
            let is_cancel = self.dice.chance(30);
            self.push(
                at_ms,
                if is_cancel { What::Cancel { key, order } } else { What::Capture { key, order, amount: part } },
            );
        }
    }

    fn refunds_of(&mut self, at_ms: u64, order: u32, amount: i64) {
        let mut at_ms = at_ms + self.dice.between(500, 2 * HOUR_MS);
        for _ in 0..self.dice.between(1, 3) {
            let key = self.key();
            if self.refunds == 0 || self.dice.chance(85) {
                self.refunds += 1;
            }
            let amount = self.dice.chance(75).then(|| self.dice.between(1, amount as u64) as i64);
            let reference = self.refunds;
            self.push(at_ms, What::Refund { key, order, amount, reference });
            let wait_ms = self.dice.pick(&[2, 2_000, HOUR_MS, 30 * HOUR_MS]);
            at_ms += self.dice.between(1, wait_ms);
        }
    }

    /// What operators do besides what they have to.
    fn operators(&mut self) {
        for _ in 0..self.dice.pick(&[0, 0, 1, 2]) {
            let at_ms = self.dice.below(self.span_ms);
            let gateway = self.dice.below(self.gateways.len() as u64) as u32;
            match self.dice.below(5) {
                0 => {
                    self.push(at_ms, What::Pause { gateway, is_paused: true });
                    let at_ms = at_ms + self.dice.between(1_000, 10 * MINUTE_MS);
                    self.push(at_ms, What::Pause { gateway, is_paused: false });
                }
                1 => self.push(at_ms, What::RotateSecret { gateway }),
                2 => {
                    let order = self.dice.below(4) as u32;
                    self.push(at_ms, What::Requeue { order });
                }
                3 => self.push(at_ms, What::Replay { gateway }),
                _ => self.push(at_ms, What::RefundElsewhere { gateway }),
            }
        }
    }
}
