//! Owns: what the demo's clients will do and when the server will be killed, as values that follow from the seed. Does
//! not own: doing it.

use super::dice::Dice;
use super::script::Script;

/// Everything that is decided before the first request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The clients' own names for their customers.
    pub(crate) customers: Vec<String>,
    /// In the order in which clients take them up.
    pub(crate) orders: Vec<Order>,
    /// The server is killed when this many orders were begun; rising.
    pub(crate) kills: Vec<usize>,
}

/// One thing that somebody wants to pay for, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// Position in the plan; also the stream of its dice.
    pub(crate) number: usize,
    /// Position of the customer.
    pub(crate) customer: usize,
    /// The client's name for it; also its name in the gateway's metadata.
    pub(crate) reference: String,
    /// In minor units of ISO 4217.
    pub(crate) amount: u64,
    /// ISO 4217.
    pub(crate) currency: &'static str,
    /// How its client behaves.
    pub(crate) script: Script,
}

/// A currency of the demo.
#[derive(Clone, Copy)]
struct Tender {
    code: &'static str,
    low: u64,
    high: u64,
    /// The gateway takes only multiples of this.
    step: u64,
}

/// With two, no and three decimals, and one that the gateway counts in other units than ISO 4217.
const TENDERS: [Tender; 6] = [
    Tender { code: "USD", low: 50, high: 50_000, step: 1 },
    Tender { code: "EUR", low: 50, high: 50_000, step: 1 },
    Tender { code: "GBP", low: 30, high: 40_000, step: 1 },
    Tender { code: "JPY", low: 50, high: 900_000, step: 1 },
    Tender { code: "KWD", low: 100, high: 90_000, step: 10 },
    Tender { code: "ISK", low: 100, high: 90_000, step: 1 },
];

const CUSTOMERS_MAX: usize = 200;
const KILLS_MIN: usize = 3;
const KILLS_MAX: usize = 10;

impl Plan {
    /// Plans exactly this many commands.
    pub(crate) fn new(commands: usize, seed: u64) -> Self {
        let customers = commands.div_ceil(10).clamp(1, CUSTOMERS_MAX);
        let mut orders = Vec::with_capacity(commands);
        let mut planned = 0;
        while planned < commands {
            let order = order(orders.len(), customers, commands - planned, seed);
            planned += order.script.commands();
            orders.push(order);
        }
        let kills = kills(orders.len(), commands, seed);
        Self { customers: (1..=customers).map(|number| format!("customer-{number:03}")).collect(), orders, kills }
    }
}

fn order(number: usize, customers: usize, commands_left: usize, seed: u64) -> Order {
    let mut dice = Dice::new(seed, stream(number));
    let customer = usize::try_from(dice.roll(stream(customers))).unwrap_or(0);
    let tender = dice.pick(&TENDERS);
    let amount = dice.between(tender.low / tender.step, tender.high / tender.step) * tender.step;
    let script = Script::draw(&mut dice);
    // The last command of a plan cannot be half an order.
    let script = if script.commands() > commands_left { Script::Pay } else { script };
    Order { number, customer, reference: format!("order-{:05}", number + 1), amount, currency: tender.code, script }
}

/// Somewhere in each of several equal stretches of the first nine tenths, so that work follows each kill.
fn kills(orders: usize, commands: usize, seed: u64) -> Vec<usize> {
    let mut dice = Dice::new(seed, u64::MAX);
    let count = (commands / 500).clamp(KILLS_MIN, KILLS_MAX);
    let stretch = orders * 9 / 10 / count;
    let somewhere = |number| stretch * number + usize::try_from(dice.between(1, stream(stretch).max(1))).unwrap_or(1);
    (0..count).map(somewhere).collect()
}

fn stream(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Plan;
    use crate::demo::script::Script;

    #[test]
    fn a_plan_has_as_many_commands_as_asked_for() {
        for commands in [1, 2, 10, 300, 2_001] {
            let plan = Plan::new(commands, 7);
            let planned: usize = plan.orders.iter().map(|order| order.script.commands()).sum();
            assert_eq!(planned, commands);
            assert!(plan.orders.iter().all(|order| order.customer < plan.customers.len()));
            assert!(plan.kills.len() >= 3 && plan.kills.is_sorted(), "{:?}", plan.kills);
        }
    }

    #[test]
    fn kills_leave_work_to_do() {
        let plan = Plan::new(2_000, 1);
        assert!(plan.kills.last().is_some_and(|last| *last < plan.orders.len() * 19 / 20), "{:?}", plan.kills);
    }

    #[test]
    fn a_seed_is_a_plan() {
        assert_eq!(Plan::new(500, 7), Plan::new(500, 7));
        assert_ne!(Plan::new(500, 7).orders, Plan::new(500, 8).orders);
    }

    #[test]
    fn every_script_and_currency_occurs() {
        let plan = Plan::new(500, 7);
        let occurs = |wanted: fn(&Script) -> bool| plan.orders.iter().any(|order| wanted(&order.script));
        assert!(occurs(|script| matches!(script, Script::RaceKey { .. })));
        assert!(occurs(|script| matches!(script, Script::ReuseKey)));
        assert!(occurs(|script| matches!(script, Script::Authenticate)));
        assert!(occurs(|script| matches!(script, Script::RaceReference { .. })));
        assert!(occurs(|script| matches!(script, Script::DeclineThenPay { .. })));
        assert!(occurs(|script| matches!(script, Script::Decline { .. })));
        assert!(occurs(|script| matches!(script, Script::Capture { .. })));
        assert!(occurs(|script| matches!(script, Script::Release)));
        assert!(occurs(|script| matches!(script, Script::Refund { .. })));
        assert!(occurs(|script| matches!(script, Script::RaceRefunds)));
        assert!(occurs(|script| matches!(script, Script::Dispute { .. })));
        assert!(super::TENDERS.iter().all(|tender| plan.orders.iter().any(|order| order.currency == tender.code)));
    }
}
