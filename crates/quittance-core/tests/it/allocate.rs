//! Splitting: the vectors, the refusals, and that nothing is ever lost or made.

use crate::data;
use proptest::prelude::*;
use quittance_core::allocate::{AllocateError, allocate};

#[test]
fn vectors_agree() {
    let Some(vectors) = data::money_vectors("allocate::vectors_agree") else {
        return;
    };
    let cases = vectors["largest_remainder"].as_array().expect("a list");
    assert_eq!(cases.len(), 10);
    for case in cases {
        let list = |name: &str| case[name].as_array().expect("a list").clone();
        let weights: Vec<u64> = list("weights").iter().map(|weight| weight.as_u64().expect("a weight")).collect();
        let parts: Vec<i64> = list("parts").iter().map(|part| part.as_i64().expect("a part")).collect();
        assert_eq!(allocate(case["total"].as_i64().expect("a total"), &weights), Ok(parts), "{case}");
    }
}

#[test]
fn remainders_go_to_the_largest_then_to_the_first() {
    assert_eq!(allocate(100, &[1, 1, 1]), Ok(vec![34, 33, 33]));
    assert_eq!(allocate(-100, &[1, 1, 1]), Ok(vec![-34, -33, -33]));
    assert_eq!(allocate(10_007, &[19, 7, 5, 0]), Ok(vec![6133, 2260, 1614, 0]));
}

#[test]
fn what_cannot_be_split_is_refused() {
    assert_eq!(allocate(1, &[]), Err(AllocateError::NoWeights));
    assert_eq!(allocate(0, &[0, 0]), Err(AllocateError::AllZero));
    assert_eq!(allocate(1, &[u64::MAX, 1]), Err(AllocateError::Overflow));
}

#[test]
fn the_largest_values_are_split_exactly() {
    assert_eq!(allocate(i64::MIN, &[u64::MAX]), Ok(vec![i64::MIN]));
    assert_eq!(allocate(i64::MAX, &[0, u64::MAX, 0]), Ok(vec![0, i64::MAX, 0]));
    let half = u64::MAX / 2;
    assert_eq!(allocate(i64::MAX, &[half, half]), Ok(vec![i64::MAX / 2 + 1, i64::MAX / 2]));
}

fn weights() -> impl Strategy<Value = Vec<u64>> {
    let weight = prop_oneof![Just(0), 0_u64..10, 0_u64..1_000_000, 0..u64::MAX / 64];
    prop::collection::vec(weight, 1..40).prop_filter("some weight", |weights| weights.iter().any(|&weight| weight > 0))
}

proptest! {
    #[test]
    fn parts_sum_to_the_total_and_are_within_one_of_their_share(
        total in prop_oneof![any::<i64>(), -1000_i64..1000],
        weights in weights(),
    ) {
        let parts = allocate(total, &weights).expect("splittable");
        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(parts.iter().map(|&part| i128::from(part)).sum::<i128>(), i128::from(total));
        let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
        for (&part, &weight) in parts.iter().zip(&weights) {
            let share = i128::from(total) * i128::from(weight) / sum;
            let beyond = (i128::from(part) - share) * i128::from(total.signum());
            prop_assert!(beyond == 0 || beyond == 1 && weight > 0, "part {} of share {}", part, share);
        }
    }

    #[test]
    fn the_sign_does_not_matter(total in 0_i64..=i64::MAX, weights in weights()) {
        let negated = allocate(total, &weights).map(|parts| parts.iter().map(|part| -part).collect::<Vec<_>>());
        prop_assert_eq!(allocate(-total, &weights), negated);
    }

    #[test]
    fn more_weight_never_gets_less_and_equal_weights_favour_the_first(total in 0_i64..100_000, weights in weights()) {
        let parts = allocate(total, &weights).expect("splittable");
        for left in 0..parts.len() {
            for right in left + 1..parts.len() {
                let is_ordered = match weights[left].cmp(&weights[right]) {
                    std::cmp::Ordering::Less => parts[left] <= parts[right],
                    _ => parts[left] >= parts[right],
                };
                prop_assert!(is_ordered, "{} and {}", left, right);
            }
        }
    }
}
