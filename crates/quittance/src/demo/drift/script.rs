//! Owns: what happens to which subscription, decided by the seed, and what a comparison has to find after it. Does not
//! own: making it happen.

use crate::demo::dice::Dice;
use std::collections::{BTreeMap, BTreeSet};

/// A subscription as both sides begin with it.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) number: u64,
    pub(super) status: &'static str,
    pub(super) price: &'static str,
}

/// What the gateway does to a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It has another status from now on.
    Status {
        /// The subscription.
        id: String,
        /// The gateway's word.
        status: &'static str,
    },
    /// It has another price.
    Price {
        /// The subscription.
        id: String,
        /// The price.
        price: &'static str,
    },
    /// A customer makes a new one.
    New {
        /// Its number.
        number: u64,
    },
}

/// What a comparison has to find: kinds and keys, with the field that differs.
pub(super) type Expected = BTreeSet<(String, String, String)>;

/// What happens, and what has to be found.
pub(super) struct Script {
    seed: u64,
    subscriptions: Vec<Subscription>,
    heard: Vec<Change>,
    lost: Vec<Change>,
}

/// Prices that are sold.
pub(super) const PRICES: [(&str, u64); 3] = [("price_basic", 900), ("price_team", 4_900), ("price_scale", 19_900)];

/// Of so many subscriptions one changes while webhooks come.
const HEARD_ONE_IN: u64 = 20;
/// New subscriptions of which nobody hears.
const NEW: u64 = 9;
/// Rows that the application wrote though the gateway never made a subscription.
pub(super) const ORPHANS: u64 = 6;

impl Script {
    /// A script.
    pub(super) fn new(seed: u64, count: u64) -> Self {
        let subscriptions: Vec<_> = (0..count).map(|number| subscription(seed, number)).collect();
        let heard = subscriptions.iter().filter(|one| one.number % HEARD_ONE_IN == 3).filter_map(heard).collect();
        let mut lost: Vec<Change> = subscriptions
            .iter()
            .filter(|one| one.number % HEARD_ONE_IN != 3)
            .filter_map(|one| lost(seed, one))
            .collect();
        lost.extend((0..NEW).map(|number| Change::New { number: count + number }));
        Self { seed, subscriptions, heard, lost }
    }

    /// What both sides begin with.
    pub(super) fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// What is told by webhooks.
    pub(super) fn heard(&self) -> &[Change] {
        &self.heard
    }

    /// What happens in one of the hours in which no webhook comes.
    pub(super) fn lost_in(&self, hour: u64, hours: u64) -> &[Change] {
        let cut = |hour: u64| self.lost.len() * hour as usize / hours as usize;
        &self.lost[cut(hour)..cut(hour + 1)]
    }

    /// What a comparison has to find, and nothing else.
    pub(super) fn expected(&self) -> Expected {
        let begun: BTreeMap<String, &Subscription> =
            self.subscriptions.iter().map(|one| (id(one.number), one)).collect();
        let line = |kind: &str, key: &str, field: &str| (kind.to_owned(), key.to_owned(), field.to_owned());
        let mut expected: Expected = self
            .lost
            .iter()
            .filter_map(|change| match change {
                Change::Status { id, status } if here(status) == here(begun[id].status) => None,
                Change::Status { id, .. } => Some(line("different", id, "subscription_status")),
                Change::Price { id, .. } => Some(line("different", id, "price")),
                Change::New { number } => Some(line("right_only", &id(*number), "")),
            })
            .collect();
        expected.extend((0..ORPHANS).map(|number| line("left_only", &orphan(number), "")));
        expected
    }

    /// The seed it was made from.
    pub(super) const fn seed(&self) -> u64 {
        self.seed
    }
}

/// The gateway's id of a subscription.
pub(super) fn id(number: u64) -> String {
    format!("sub_{number:06}")
}

/// The gateway's id of a customer.
pub(super) fn customer(number: u64) -> String {
    format!("cus_{number:06}")
}

/// An id that no gateway ever gave out.
pub(super) fn orphan(number: u64) -> String {
    format!("sub_test_{number}")
}

/// The application's word for the gateway's.
pub(super) fn here(status: &str) -> &'static str {
    match status {
        "past_due" | "unpaid" => "past_due",
        "canceled" | "incomplete_expired" => "cancelled",
        _ => "active",
    }
}

fn roll(seed: u64, number: u64, stream: u64) -> u64 {
    Dice::new(seed, number * 3 + stream).next()
}

fn subscription(seed: u64, number: u64) -> Subscription {
    let status = match roll(seed, number, 0) % 100 {
        0..=4 => "past_due",
        5..=9 => "trialing",
        10..=17 => "canceled",
        _ => "active",
    };
    let (price, _) = PRICES[(roll(seed, number, 1) % PRICES.len() as u64) as usize];
    Subscription { number, status, price }
}

fn heard(one: &Subscription) -> Option<Change> {
    let status = match one.status {
        "active" | "trialing" => "past_due",
        "past_due" => "active",
        _ => return None,
    };
    Some(Change::Status { id: id(one.number), status })
}

/// Most subscriptions stay as they are; cards fail, cards recover, customers leave, plans change.
fn lost(seed: u64, one: &Subscription) -> Option<Change> {
    let id = id(one.number);
    let status = |status| Some(Change::Status { id: id.clone(), status });
    match (one.status, roll(seed, one.number, 2) % 1_000) {
        ("active", 0..=39) => status("past_due"),
        ("active", 40..=54) => status("canceled"),
        ("active", 55..=64) => {
            let price = PRICES.map(|(price, _)| price).into_iter().find(|price| *price != one.price)?;
            Some(Change::Price { id, price })
        }
        ("trialing", 0..=299) => status("active"),
        ("past_due", 0..=199) => status("active"),
        ("past_due", 200..=399) => status("unpaid"),
        ("past_due", 400..=499) => status("canceled"),
        _ => None,
    }
}
