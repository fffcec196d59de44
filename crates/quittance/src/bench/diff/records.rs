//! Records to compare: subscriptions as an application's table and a provider have them, generated and always the same.

/// One row as its system gives it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) status: &'static str,
    pub(super) amount: String,
    pub(super) updated_us: i64,
}

const STATUSES: [&str; 4] = ["active", "past_due", "canceled", "trialing"];

/// Of so many records one is different on the right.
pub(super) const ONE_DIFFERENT_IN: u64 = 1_000;

/// Rows of the left, in an order that is nobody's key.
pub(super) fn left(records: u64) -> Vec<Row> {
    (0..records).map(|number| row(mixed(number, records))).collect()
}

/// Rows of the right, in another order; amounts are written with zeros that say nothing.
pub(super) fn right(records: u64) -> Vec<Row> {
    let other = |number: u64| {
        let number = (number + records / 3) % records.max(1);
        let mut row = row(mixed(number, records));
        row.amount.push('0');
        row
    };
    (0..records)
        .map(other)
        .map(|mut row| {
            if differs(&row) {
                row.status = if row.status == "active" { "past_due" } else { "active" };
            }
            row
        })
        .collect()
}

fn differs(row: &Row) -> bool {
    row.updated_us as u64 / 1_000_000 % ONE_DIFFERENT_IN == 7
}

/// How many of the rows differ.
pub(super) fn differences(records: u64) -> u64 {
    (0..records).filter(|number| number % ONE_DIFFERENT_IN == 7).count() as u64
}

fn row(number: u64) -> Row {
    Row {
        id: format!("sub_{number:014}"),
        email: format!("customer{number}@example.org"),
        status: STATUSES[(number % 4) as usize],
        amount: format!("{}.{:02}", number % 900 + 9, number % 100),
        updated_us: number as i64 * 1_000_000 + 123_456,
    }
}

/// The numbers below `records` in another order: by steps that share no factor with them.
fn mixed(number: u64, records: u64) -> u64 {
    const PRIME: u64 = 2_654_435_761;
    (u128::from(number) * u128::from(PRIME) % u128::from(records.max(1))) as u64
}
