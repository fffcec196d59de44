//! Laws of proposals: what columns are called, in which order they stand, and some drift do not change what clearly
//! belongs together.

use super::world::{LEFT, proposed, world};
use crate::propose::Proposal;
use proptest::prelude::*;

/// Which column of the left is compared with which of the right, by their places in the world.
fn mapping(proposal: &Proposal, back: &dyn Fn(&str) -> usize) -> Vec<(usize, String)> {
    let rule = |rule: &crate::propose::keys::Rule| (back(&rule.left.name), format!("match {}", rule.right.name));
    let field = |field: &crate::propose::fields::Field| (back(&field.left.name), field.right.name.clone());
    let mut all: Vec<_> = proposal.rules.iter().map(rule).chain(proposal.fields.iter().map(field)).collect();
    all.sort();
    all
}

/// What belongs together whatever it is called: all of it but what only a name could tell.
const CLEAR: [(usize, &str); 9] = [
    (2, "match id"),
    (3, "match customer"),
    (3, "customer"),
    (4, "status"),
    (6, "/items/data/0/price/id"),
    (7, "/items/data/0/quantity"),
    (8, "/items/data/0/price/unit_amount"),
    (9, "canceled_at"),
    (11, "created"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn names_and_drift_do_not_change_what_belongs_together(
        drift_percent in 0_i64..=20,
        salt in 0_i64..1_000,
        names in prop::collection::hash_set("[a-z]{4,9}", LEFT.len()..=LEFT.len()),
        rotation in 0..LEFT.len(),
    ) {
        let (mut left, right) = world(400, drift_percent, salt);
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort();
        for (column, name) in left.columns.iter_mut().zip(&names) {
            column.name.clone_from(name);
        }
        left.identity = vec![names[0].clone()];
        left.columns.rotate_left(rotation);
        left.rows.iter_mut().for_each(|row| row.rotate_left(rotation));
        let back = |name: &str| names.iter().position(|known| known == name).expect("a column of the left");
        let proposal = proposed(&left, &right);
        let found = mapping(&proposal, &back);
        for (column, right) in CLEAR {
            prop_assert!(found.contains(&(column, right.to_owned())), "{column} {right} is not in {found:?}");
        }
        prop_assert_eq!(proposal, proposed(&left, &right), "the same samples, the same proposal");
    }
}
