//! Laws of versions, mirrors and comparing.

use crate::record::mirror::{Known, Mirror, Observation, State};
use crate::record::number::Number;
use crate::record::value::{Comparison, Value};
use crate::record::version::{Evidence, Order, Version};
use crate::time::Timestamp;
use proptest::prelude::*;

fn version() -> impl Strategy<Value = Version> {
    (0_i64..3, prop::option::of(0_u64..6), 0_u64..6).prop_map(|(second, begun, known)| Version {
        provider_time: Timestamp::from_seconds(second),
        evidence: begun.map_or(Evidence::Told, |begun| Evidence::Read { begun: begun.min(known) }),
        known,
    })
}

fn observation() -> impl Strategy<Value = Observation<u8>> {
    let state = prop_oneof![3 => (0_u8..3).prop_map(State::Present), 1 => Just(State::Deleted)];
    (version(), state).prop_map(|(version, state)| Observation { version, state })
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        Just(Value::Absent),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?"
            .prop_map(|text| Value::Number(Number::parse(&text).expect("a decimal").into_owned())),
        "[a-c0-9.]{0,3}".prop_map(|text| Value::Text(text.into())),
        "[a-c0-9.]{0,3}".prop_map(|text| Value::Untyped(text.into())),
        (0_i64..3).prop_map(|second| Value::Timestamp(Timestamp::from_seconds(second))),
    ]
}

fn mirror(observations: &[Observation<u8>]) -> Mirror<u8> {
    let mut mirror = Mirror::default();
    observations.iter().for_each(|seen| mirror.observe(seen.clone()));
    mirror
}

proptest! {
    #[test]
    fn any_order_and_repetition_gives_the_same_mirror(
        (seen, shuffled) in prop::collection::vec(observation(), 0..8).prop_flat_map(|seen| {
            let twice: Vec<_> = seen.iter().chain(&seen).cloned().collect();
            (Just(seen), Just(twice).prop_shuffle())
        })
    ) {
        prop_assert_eq!(mirror(&seen), mirror(&shuffled));
    }

    #[test]
    fn older_is_a_strict_partial_order(a in version(), b in version(), c in version()) {
        let turned = match a.compare(&b) {
            Order::Older => Order::Newer,
            Order::Newer => Order::Older,
            other => other,
        };
        prop_assert_eq!(b.compare(&a), turned);
        if a.compare(&b) == Order::Older && b.compare(&c) == Order::Older {
            prop_assert_eq!(a.compare(&c), Order::Older);
        }
    }

    #[test]
    fn a_fetch_after_all_that_is_known_settles_it(seen in prop::collection::vec(observation(), 0..8), state in 0_u8..3) {
        let mut mirror = mirror(&seen);
        let version = Version {
            provider_time: Timestamp::from_seconds(2), evidence: Evidence::Read { begun: 7 }, known: 8
        };
        mirror.observe(Observation { version, state: State::Present(state) });
        prop_assert_eq!(mirror.known(), Known::Settled(&State::Present(state)));
    }

    #[test]
    fn comparing_is_symmetric_and_reflexive(left in value(), right in value()) {
        let turned = match left.compare(&right) {
            Comparison::Incomparable(one, two) => Comparison::Incomparable(two, one),
            other => other,
        };
        prop_assert_eq!(right.compare(&left), turned);
        prop_assert_eq!(left.compare(&left), Comparison::Equal);
    }
}

#[test]
fn b35_a_late_update_does_not_bring_back_what_was_deleted() {
    let told =
        |second, known| Version { provider_time: Timestamp::from_seconds(second), evidence: Evidence::Told, known };
    let deleted = Observation { version: told(200, 1), state: State::Deleted };
    let late = Observation { version: told(100, 2), state: State::Present(1) };
    assert_eq!(mirror(&[deleted, late]).known(), Known::Settled(&State::Deleted));
}
