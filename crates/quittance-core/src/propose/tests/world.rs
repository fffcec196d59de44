//! An application's table and the subscriptions it should agree with. Every value follows from a row's number.

use crate::propose::ids::Prefix;
use crate::propose::sample::{Decided, Sample, SampleColumn};
use crate::propose::{Proposal, Vocabulary, propose};
use crate::record::value::{Type, Value};
use crate::time::Timestamp;
use std::collections::BTreeSet;

const BEGIN: i64 = 1_700_000_000;

pub(super) const PREFIXES: [Prefix<'static>; 5] = [
    Prefix { text: "in_", object: "invoice", is_listed: true },
    Prefix { text: "sub_", object: "subscription", is_listed: true },
    Prefix { text: "price_", object: "price", is_listed: true },
    Prefix { text: "cus_", object: "customer", is_listed: true },
    Prefix { text: "pm_", object: "payment_method", is_listed: false },
];

pub(super) const VOCABULARY: Vocabulary<'static> = Vocabulary {
    prefixes: &PREFIXES,
    words: &[(
        "status",
        &["active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"],
    )],
    object: "subscription",
};

/// Names and declared types of the application's columns.
pub(super) const LEFT: [(&str, Type); 13] = [
    ("id", Type::Number),
    ("email", Type::Text),
    ("stripe_subscription_id", Type::Text),
    ("stripe_customer_id", Type::Text),
    ("subscription_status", Type::Text),
    ("plan", Type::Text),
    ("price_ref", Type::Text),
    ("seats", Type::Number),
    ("mrr", Type::Number),
    ("cancelled_at", Type::Text),
    ("auto_renew_off", Type::Number),
    ("created_at", Type::Timestamp),
    ("updated_at", Type::Timestamp),
];

/// The same of the subscriptions.
pub(super) const RIGHT: [&str; 11] = [
    "id",
    "customer",
    "status",
    "cancel_at_period_end",
    "canceled_at",
    "created",
    "currency",
    "/items/data/0/price/id",
    "/items/data/0/price/unit_amount",
    "/items/data/0/quantity",
    "/metadata/account_id",
];

/// A number between 0 and `below` that looks drawn, and is the same every time.
fn drawn(row: i64, salt: i64, below: i64) -> i64 {
    let mixed = (row.wrapping_mul(2_654_435_761) ^ salt.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
    (mixed.cast_unsigned() >> 33).cast_signed() % below
}

fn status(row: i64) -> (&'static str, &'static str) {
    [
        ("active", "active"),
        ("active", "active"),
        ("active", "active"),
        ("active", "trialing"),
        ("past_due", "past_due"),
        ("cancelled", "canceled"),
        ("cancelled", "canceled"),
    ][drawn(row, 1, 7) as usize]
}

fn price(row: i64) -> (&'static str, &'static str, i64) {
    [("basic", "price_b", 900), ("pro", "price_p", 2_900), ("pro", "price_p_year", 29_000), ("team", "price_t", 9_900)]
        [drawn(row, 2, 4) as usize]
}

fn canceled_at(row: i64) -> Option<i64> {
    (status(row).1 == "canceled").then(|| BEGIN + row * 7_000 + 5_000)
}

fn left_row(row: i64) -> Vec<Value<'static>> {
    let text = |text: String| Value::Text(text.into());
    let (plan, price, amount) = price(row);
    let has_subscription = drawn(row, 3, 20) > 0;
    let cancelled_at = canceled_at(row).map_or(Value::Null, |at| {
        let at = jiff::Timestamp::from_second(at).expect("in range");
        text(at.strftime("%Y-%m-%d %H:%M:%S").to_string())
    });
    vec![
        Value::integer(row + 1),
        text(format!("user{row}@example.com")),
        if has_subscription { text(format!("sub_{row}")) } else { Value::Null },
        text(format!("cus_{row}")),
        text(status(row).0.to_owned()),
        text(plan.to_owned()),
        text(price.to_owned()),
        Value::integer(1 + drawn(row, 4, 9)),
        Value::integer(amount).read_as(Type::Number).map_or(Value::Null, |_| major(amount)),
        cancelled_at,
        Value::integer(drawn(row, 5, 3) / 2),
        Value::Timestamp(Timestamp::from_seconds(BEGIN + row * 7_000)),
        Value::Timestamp(Timestamp::from_seconds(BEGIN + row * 9_000)),
    ]
}

fn major(amount: i64) -> Value<'static> {
    Value::Text(format!("{}.{:02}", amount / 100, amount % 100).into()).read_as(Type::Number).expect("a decimal")
}

fn right_row(row: i64) -> Vec<Value<'static>> {
    let text = |text: String| Value::Text(text.into());
    let (_, price, amount) = price(row);
    vec![
        text(format!("sub_{row}")),
        text(format!("cus_{row}")),
        text(status(row).1.to_owned()),
        Value::Boolean(drawn(row, 5, 3) / 2 == 1),
        canceled_at(row).map_or(Value::Null, Value::integer),
        Value::integer(BEGIN + row * 7_000),
        text("usd".to_owned()),
        text(price.to_owned()),
        Value::integer(amount),
        Value::integer(1 + drawn(row, 4, 9)),
        text((row + 1).to_string()),
    ]
}

/// A world of so many rows, in which so many percent of the left's values are another row's.
pub(super) fn world(rows: i64, drift_percent: i64, salt: i64) -> (Sample, Sample) {
    let mut left: Vec<Vec<Value<'static>>> = (0..rows).map(left_row).collect();
    for (row, values) in (0..rows).zip(&mut left) {
        // Neither who it is nor whose: those are what rows are matched by.
        for (column, value) in values.iter_mut().enumerate().skip(4) {
            if drawn(row, 100 + salt + column as i64, 100) < drift_percent {
                value.clone_from(&left_row(drawn(row, 200 + salt + column as i64, rows))[column]);
            }
        }
    }
    let column = |(name, declared): &(&str, Type)| SampleColumn { name: (*name).to_owned(), declared: Some(*declared) };
    let left = Sample {
        columns: LEFT.iter().map(column).collect(),
        drawn: left.len(),
        rows: left,
        identity: vec!["id".to_owned()],
        decided: Decided::All,
    };
    let right = Sample {
        columns: RIGHT.iter().map(|name| SampleColumn { name: (*name).to_owned(), declared: None }).collect(),
        rows: (0..rows).map(right_row).collect(),
        drawn: rows as usize,
        identity: vec!["id".to_owned()],
        decided: Decided::All,
    };
    (left, right)
}

/// As if the right had been too long to be read: every third record of it, and these looked up.
pub(super) fn partly_read(right: &mut Sample, looked_up: &[i64]) {
    let mut row = 0;
    right.rows.retain(|_| {
        row += 1;
        row % 3 == 0 || looked_up.contains(&(row - 1))
    });
    right.decided = Decided::Only(looked_up.iter().map(|row| format!("sub_{row}")).collect::<BTreeSet<_>>());
}

pub(super) fn proposed(left: &Sample, right: &Sample) -> Proposal {
    propose(left, right, &VOCABULARY)
}

/// What was proposed, in few words: `plan ~ /items/data/0/price/id by words`.
pub(super) fn told(proposal: &Proposal) -> Vec<String> {
    let steps =
        |column: &crate::pair::Column| column.transforms.iter().map(|step| format!(" | {step:?}")).collect::<String>();
    let rule = |rule: &crate::propose::keys::Rule| {
        format!("match {}{} = {}{}", rule.left.name, steps(&rule.left), rule.right.name, steps(&rule.right))
    };
    let field = |field: &crate::propose::fields::Field| {
        let words = if field.words.is_some() { " by words" } else { "" };
        let (left, right) = (&field.left, &field.right);
        format!("{}{} ~ {}{}{words}", left.name, steps(left), right.name, steps(right))
    };
    proposal.rules.iter().map(rule).chain(proposal.fields.iter().map(field)).collect()
}
