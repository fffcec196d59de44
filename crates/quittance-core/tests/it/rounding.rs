//! Rounding: the vectors, the edges, and the laws every rule obeys.

use crate::data;
use proptest::prelude::*;
use quittance_core::rounding::{DivideError, Rounding, divide};

const RULES: [(&str, Rounding); 4] = [
    ("half_up", Rounding::HalfAwayFromZero),
    ("half_even", Rounding::HalfEven),
    ("half_down", Rounding::HalfDown),
    ("down", Rounding::Down),
];

/// Reads a decimal as its digits and the number of them after the point.
fn decimal(text: &str) -> (i128, u32) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}").parse().expect("digits");
    (digits, u32::try_from(fraction.len()).expect("few digits"))
}

#[test]
fn vectors_agree() {
    let Some(vectors) = data::money_vectors("rounding::vectors_agree") else {
        return;
    };
    let cases = vectors["rounding"].as_array().expect("a list");
    assert_eq!(cases.len(), 14);
    for case in cases {
        let exponent = u32::try_from(case["exponent"].as_u64().expect("a number")).expect("small");
        let value = case["value"].as_str().expect("a decimal");
        let (digits, scale) = decimal(value);
        for (name, rounding) in RULES {
            let (expected, expected_scale) = decimal(case[name].as_str().expect("a decimal"));
            assert_eq!(expected_scale, exponent);
            let rounded = divide(digits, 10_i128.pow(scale - exponent), rounding).expect("in range");
            assert_eq!(i128::from(rounded), expected, "{value} {name}");
        }
    }
}

#[test]
fn edges_are_refused_or_exact() {
    for (_, rounding) in RULES {
        assert_eq!(divide(1, 0, rounding), Err(DivideError::ZeroDenominator));
        assert_eq!(divide(i64::MIN.into(), 1, rounding), Ok(i64::MIN));
        assert_eq!(divide(i64::MIN.into(), -1, rounding), Err(DivideError::Overflow));
        assert_eq!(divide(i128::MIN, i128::MIN, rounding), Ok(1));
        assert_eq!(divide(i128::MIN, -1, rounding), Err(DivideError::Overflow));
        assert_eq!(divide(i128::MAX, 1, rounding), Err(DivideError::Overflow));
        assert_eq!(divide(i128::MAX, i128::MIN, rounding), Ok(if rounding == Rounding::Down { 0 } else { -1 }));
        assert_eq!(divide(-7, -7, rounding), Ok(1));
    }
    let half_over = i128::from(i64::MAX) * 2 + 1;
    assert_eq!(divide(half_over, 2, Rounding::HalfDown), Ok(i64::MAX));
    assert_eq!(divide(half_over, 2, Rounding::HalfAwayFromZero), Err(DivideError::Overflow));
}

proptest! {
    #[test]
    fn every_rule_stays_within_its_bounds(numerator: i64, denominator in -1000_i128..1000) {
        prop_assume!(denominator != 0);
        let numerator = i128::from(numerator) / 4;
        for (name, rounding) in RULES {
            let quotient = i128::from(divide(numerator, denominator, rounding).expect("in range"));
            let error = numerator - quotient * denominator;
            let is_half = 2 * error.abs() == denominator.abs();
            let is_away = (quotient * denominator).abs() > numerator.abs();
            match rounding {
                Rounding::Down => prop_assert!(error.abs() < denominator.abs() && !is_away, "{}", name),
                _ => prop_assert!(2 * error.abs() <= denominator.abs(), "{}", name),
            }
            match rounding {
                Rounding::HalfAwayFromZero => prop_assert!(!is_half || is_away),
                Rounding::HalfEven => prop_assert!(!is_half || quotient % 2 == 0),
                Rounding::HalfDown => prop_assert!(!is_half || !is_away),
                Rounding::Down => {}
            }
        }
    }

    #[test]
    fn the_sign_does_not_matter(numerator: i64, denominator in 1_i128..100) {
        for (_, rounding) in RULES {
            let numerator = i128::from(numerator) / 2;
            let plain = divide(numerator, denominator, rounding).expect("in range");
            prop_assert_eq!(divide(-numerator, denominator, rounding), Ok(-plain));
            prop_assert_eq!(divide(numerator, -denominator, rounding), Ok(-plain));
            prop_assert_eq!(divide(-numerator, -denominator, rounding), Ok(plain));
        }
    }
}
