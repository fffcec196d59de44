//! What is proposed for samples that are known.

use super::world::{LEFT, PREFIXES, VOCABULARY, partly_read, proposed, told, world};
use crate::propose::ids::about;
use crate::propose::sample::{Decided, Sample, SampleColumn};
use crate::propose::{Confidence, Proposal, propose};
use crate::record::value::Value;

/// What belongs together in the world, whatever it is called.
const TRUTH: [&str; 10] = [
    "match stripe_subscription_id = id",
    "match stripe_customer_id = customer",
    "subscription_status ~ status by words",
    "stripe_customer_id ~ customer",
    "price_ref ~ /items/data/0/price/id",
    "mrr ~ /items/data/0/price/unit_amount | MinorToMajor { currency: 6 }",
    "seats ~ /items/data/0/quantity",
    "cancelled_at | ReadAs(Timestamp) ~ canceled_at | EpochToTimestamp",
    "auto_renew_off ~ cancel_at_period_end by words",
    "created_at ~ created | EpochToTimestamp",
];

fn check(proposal: &Proposal, expected: &[&str]) {
    let told = told(proposal);
    for line in expected {
        assert!(told.iter().any(|known| known == line), "{line:?} is not in {told:#?}");
    }
}

fn status(proposal: &Proposal) -> &crate::propose::fields::Field {
    proposal.fields.iter().find(|field| field.left.name == "subscription_status").expect("it is proposed")
}

#[test]
fn what_belongs_together_is_found_with_drift_and_without() {
    for drift_percent in [0, 3, 10, 20] {
        let (left, right) = world(1_000, drift_percent, 1);
        let proposal = proposed(&left, &right);
        check(&proposal, &TRUTH);
        let words = status(&proposal).words.as_ref().expect("by words");
        let by_left: Vec<(&str, Vec<&str>)> = words
            .by_left()
            .into_iter()
            .map(|(left, rights)| (left, rights.into_iter().map(|word| word.right.as_str()).collect()))
            .collect();
        let expected =
            [("active", vec!["active", "trialing"]), ("cancelled", vec!["canceled"]), ("past_due", vec!["past_due"])];
        assert_eq!(by_left, expected, "{drift_percent} %");
        assert_eq!(words.unseen, ["incomplete", "incomplete_expired", "paused", "unpaid"]);
        assert!(words.meanings.iter().all(|word| !word.is_unsure()), "{words:?}");
    }
}

#[test]
fn evidence_is_counted() {
    let (left, right) = world(1_000, 0, 1);
    let proposal = proposed(&left, &right);
    let keyed = left.rows.iter().filter(|row| !row[2].is_nothing()).count();
    let expected = format!(
        "{keyed} of 1,000 rows have a key in `stripe_subscription_id`; of those looked for, {keyed} of {keyed} are found as `id`"
    );
    assert_eq!(proposal.rules[0].evidence, expected);
    assert_eq!(proposal.rules[0].confidence, Confidence::Sure);
    assert_eq!(proposal.matched.part, 1_000, "the others are found by their customer");
    assert_eq!(status(&proposal).evidence, "1,000 of 1,000 matched rows agree by these words");
    assert_eq!(status(&proposal).confidence, Confidence::Sure);
    let modified = proposal.left_modified.expect("by its name");
    assert_eq!((modified.column.name.as_str(), proposal.right_modified), ("updated_at", None));
    assert_eq!(proposal.counts.len(), 1);
}

#[test]
fn a_right_that_was_read_in_part_is_not_missing() {
    let (left, mut right) = world(3_000, 5, 2);
    partly_read(&mut right, &[0, 1, 7, 20, 21]);
    let proposal = proposed(&left, &right);
    check(&proposal, &TRUTH[..8]);
    assert!(proposal.rules[0].found.basis_points() > 9_900, "{:?}", proposal.rules[0]);
}

#[test]
fn customers_with_several_subscriptions_are_no_key() {
    let (left, mut right) = world(600, 0, 3);
    for (at, row) in right.rows.iter_mut().enumerate() {
        row[1] = Value::Text(format!("cus_{}", at / 2).into());
        row[10] = Value::Null;
    }
    let proposal = proposed(&left, &right);
    assert_eq!(proposal.rules.len(), 1, "{:?}", proposal.rules);
    let spare = proposal.spare_rules.iter().find(|rule| rule.right.name == "customer").expect("it is told");
    assert!(spare.evidence.contains("on the right 600 rows share 300 different ones"), "{}", spare.evidence);
}

#[test]
fn a_table_is_about_what_every_row_has_its_own_of() {
    let sample = |columns: &[(&str, &str, i64)]| Sample {
        columns: columns.iter().map(|(name, ..)| SampleColumn { name: (*name).to_owned(), declared: None }).collect(),
        rows: (0..100)
            .map(|row| columns.iter().map(|(_, id, of)| Value::Text(format!("{id}{}", row / of).into())).collect())
            .collect(),
        drawn: 100,
        identity: Vec::new(),
        decided: Decided::All,
    };
    for (table, columns, object, confidence) in [
        ("accounts", &[("a", "cus_", 1)][..], Some("customer"), Confidence::Sure),
        ("accounts", &[("a", "cus_", 1), ("b", "sub_", 1)], Some("subscription"), Confidence::Likely),
        ("customers", &[("a", "cus_", 1), ("b", "sub_", 1)], Some("customer"), Confidence::Sure),
        ("bills", &[("a", "sub_", 5), ("b", "in_", 1), ("c", "cus_", 5)], Some("invoice"), Confidence::Sure),
        ("accounts", &[("a", "sub_", 1), ("latest_invoice", "in_", 1)], Some("subscription"), Confidence::Sure),
        ("cards", &[("a", "pm_", 1)], None, Confidence::Sure),
        ("logins", &[("a", "cus_", 7)], Some("customer"), Confidence::Unsure),
        ("words", &[("a", "subterranean_", 1), ("b", "in-house_", 1)], None, Confidence::Sure),
    ] {
        let about = about(&sample(columns), table, &PREFIXES);
        assert_eq!(about.as_ref().map(|about| about.object.as_str()), object, "{table} {columns:?}");
        if let Some(about) = about {
            assert_eq!(about.confidence, confidence, "{table} {columns:?}: {about:?}");
        }
    }
}

#[test]
fn what_has_nothing_to_do_with_each_other_is_not_matched() {
    let (mut left, right) = world(500, 0, 4);
    let known: Vec<usize> = [1, 5].to_vec();
    left.columns = known.iter().map(|at| left.columns[*at].clone()).collect();
    left.rows = left.rows.iter().map(|row| known.iter().map(|at| row[*at].clone()).collect()).collect();
    let proposal = proposed(&left, &right);
    assert!(proposal.rules.is_empty() && proposal.fields.is_empty(), "{proposal:?}");
    let nothing = propose(&Sample::default(), &Sample::default(), &VOCABULARY);
    assert!(nothing.rules.is_empty());
}

#[test]
fn a_file_without_types_gives_the_same() {
    let (mut left, right) = world(800, 5, 5);
    for row in &mut left.rows {
        for value in row.iter_mut().filter(|value| !value.is_nothing()) {
            *value = Value::Untyped(value.to_string().into());
        }
    }
    let expected: Vec<String> = TRUTH.iter().map(|line| line.replace(" | ReadAs(Timestamp)", "")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).filter(|line| !line.contains("auto_renew")).collect();
    check(&proposed(&left, &right), &expected);
}

#[test]
fn an_address_is_a_key_in_whatever_case() {
    let (left, mut right) = world(300, 0, 6);
    right.columns[10].name = "email".to_owned();
    for (at, row) in right.rows.iter_mut().enumerate() {
        row[10] = Value::Text(format!("User{at}@Example.com").into());
        row[0] = Value::Text(format!("cus_of_another_account_{at}").into());
        row[1] = Value::Null;
    }
    let proposal = proposed(&left, &right);
    check(&proposal, &["match email | Trim | Lower = email | Trim | Lower", "subscription_status ~ status by words"]);
}

#[test]
fn two_columns_that_are_equally_good_are_named() {
    let (left, mut right) = world(400, 0, 7);
    for name in ["/items/data/0/price/copy", "/items/data/0/price/twin"] {
        right.columns.push(SampleColumn { name: name.to_owned(), declared: None });
        right.rows.iter_mut().for_each(|row| row.push(row[7].clone()));
    }
    let proposal = proposed(&left, &right);
    let field = proposal.fields.iter().find(|field| field.left.name == "price_ref").expect("it is proposed");
    assert_eq!(field.confidence, Confidence::Unsure);
    assert!(!field.rivals.is_empty(), "{field:?}");
}

#[test]
fn few_rows_are_never_sure() {
    let (left, right) = world(12, 0, 8);
    let proposal = proposed(&left, &right);
    assert!(proposal.fields.iter().all(|field| field.confidence == Confidence::Unsure), "{proposal:?}");
    assert_eq!(LEFT.len(), left.columns.len());
}
