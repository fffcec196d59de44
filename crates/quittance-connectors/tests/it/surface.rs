//! What is written down of Stripe's surface, against its published examples and words.

use crate::data::test_data;
use quittance_connectors::record::value_in;
use quittance_connectors::stripe::listing::Kind;
use quittance_connectors::stripe::surface::{ID_PREFIXES, SURFACES, Surface};
use quittance_core::record::value::Value;

/// Where no value is in the published examples, because they have nothing there or are of another version.
const NOT_IN_EXAMPLES: [&str; 3] =
    ["current_period_start", "current_period_end", "/parent/subscription_details/subscription"];

#[test]
fn every_object_that_is_listed_has_a_surface_and_the_other_way_round() {
    for surface in SURFACES {
        assert!(Kind::named(surface.object).is_some(), "{} is not listed", surface.object);
        assert_eq!(surface.places[0], "id");
        assert!(surface.words.iter().all(|(place, _)| surface.places.contains(place)), "{}", surface.object);
    }
    for prefix in ID_PREFIXES {
        assert_eq!(Surface::of(prefix.object).is_some(), prefix.is_listed, "{}", prefix.text);
    }
}

#[test]
fn places_are_those_of_published_examples() {
    let Some(examples) = test_data("stripe/fixtures3.json") else { return };
    for surface in SURFACES {
        let example = &examples["resources"][surface.object];
        for place in surface.places.iter().filter(|place| !NOT_IN_EXAMPLES.contains(place)) {
            let value = value_in(example, place, None);
            assert!(value != Value::Absent, "{} has no {place}: {example}", surface.object);
            assert!(!matches!(value, Value::Json(_)), "{place} of {} is no scalar", surface.object);
        }
    }
}

#[test]
fn words_are_those_that_are_published() {
    let Some(published) = test_data("stripe/stripe-surface.json") else { return };
    let mut checked = 0;
    for surface in SURFACES {
        for (place, words) in surface.words {
            let known = &published["enums"][format!("{}.{place}", surface.object)];
            // Some are published as prose only.
            let Some(known) = known.as_array() else { continue };
            let known: Vec<&str> = known.iter().filter_map(serde_json::Value::as_str).collect();
            assert_eq!(*words, known, "{}.{place}", surface.object);
            checked += 1;
        }
    }
    assert!(checked >= 12, "only {checked} were checked");
}
