//! Finders over small lists: what is found, what is not, and that the order of arrival changes nothing.

use super::charges::{Cause, Charge, WINDOW_MS, taken_twice};
use super::customers::{Customer, normal_email, normal_tax_id, recorded_twice};
use super::invoices::{self, never_invoiced};
use super::usage::{Standing, Subscription, Usage, used_after_end};
use super::{FINDINGS_MAX, Report, SUBJECTS_MAX};
use crate::record::number::Number;
use crate::time::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;

const HOUR_MS: u64 = 60 * 60 * 1_000;

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_seconds(hour * 3_600)
}

fn subjects(report: &Report) -> Vec<String> {
    report.findings.iter().map(|finding| finding.subjects.join(" ")).collect()
}

fn evidence(report: &Report) -> Vec<String> {
    let shown = |finding: &super::Finding| {
        let pairs = finding.evidence.iter().map(|(label, value)| format!("{label}={value}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    report.findings.iter().map(shown).collect()
}

/// `id hour customer amount currency reference description`; `-` is nothing.
fn charge(text: &str) -> Option<Charge> {
    let words: Vec<&str> = text.split(' ').collect();
    let said = |at: usize| Some(words[at]).filter(|word| *word != "-");
    let amount = Number::parse(words[3]).expect("a number");
    let cause = Cause::new(said(2), &amount, words[4], said(5), said(6))?;
    Some(Charge { cause, at: hour(words[1].parse().expect("an hour")), id: words[0].to_owned() })
}

#[test]
fn one_thing_that_was_charged_twice_is_found() {
    for (lines, expected) in [
        (&["a 0 c 10 usd r -", "b 1 c 10.00 USD r -"][..], &["a b"][..]),
        (&["a 0 c 10 usd r one", "b 1 c 10 usd r two"], &["a b"]),
        (&["a 0 c 10 usd - d", "b 23 c 10 usd - d"], &["a b"]),
        (&["a 0 c 10 usd - -", "b 1 c 10 usd - -"], &["a b"]),
        (&["a 0 - 10 usd r -", "b 1 - 10 usd r -"], &["a b"]),
        // Each is close to the one before it.
        (&["c 40 c 10 usd r -", "a 0 c 10 usd r -", "b 20 c 10 usd r -"], &["a b c"]),
        (&["a 0 c 10 usd r -", "b 1 c 10 usd r -", "c 90 c 10 usd r -", "d 91 c 10 usd r -"], &["a b", "c d"]),
        // The same reading twice.
        (&["a 0 c 10 usd r -", "a 0 c 10 usd r -"], &[]),
        (&["a 0 c 10 usd r -", "b 24 c 10 usd r -"], &[]),
        (&["a 0 c 10 usd r -", "b 1 c 11 usd r -"], &[]),
        (&["a 0 c 10 usd r -", "b 1 c 10 eur r -"], &[]),
        (&["a 0 c 10 usd r -", "b 1 d 10 usd r -"], &[]),
        (&["a 0 c 10 usd r -", "b 1 c 10 usd s -"], &[]),
        (&["a 0 c 10 usd r d", "b 1 c 10 usd - d"], &[]),
        // Two strangers who pay the same.
        (&["a 0 - 10 usd - d", "b 1 - 10 usd - d"], &[]),
    ] {
        let report = taken_twice(lines.iter().filter_map(|line| charge(line)), WINDOW_MS);
        assert_eq!(subjects(&report), expected, "{lines:?}");
    }
    let report = taken_twice(["a 0 c 10.50 USD r d", "b 1 c 10.5 usd r -"].into_iter().filter_map(charge), WINDOW_MS);
    let expected = "customer=c amount=10.5 currency=usd reference=r first_at=1970-01-01T00:00:00Z \
        last_at=1970-01-01T01:00:00Z";
    assert_eq!(evidence(&report), [expected]);
}

#[test]
fn reports_are_bounded_and_count_the_rest() {
    let many = (0..60).map(|id| Charge { id: format!("{id:02}"), ..charge("x 0 c 1 usd r -").expect("telling") });
    let report = taken_twice(many, WINDOW_MS);
    assert_eq!((report.found, report.findings[0].count, report.findings[0].subjects.len()), (1, 60, SUBJECTS_MAX));
    let pairs = (0..FINDINGS_MAX as i64 + 5).flat_map(|at| {
        [0, 1].map(|id| Charge {
            id: format!("{at}-{id}"),
            at: hour(at * 100),
            ..charge("x 0 c 1 usd r -").expect("telling")
        })
    });
    let report = taken_twice(pairs, WINDOW_MS);
    assert_eq!((report.found, report.findings.len()), (FINDINGS_MAX as u64 + 5, FINDINGS_MAX));
}

#[test]
fn customers_are_recognised_by_address_and_tax_id() {
    for (email, expected) in [
        (" Ann@Example.COM ", Some("ann@example.com")),
        ("a.n.n+x@gmail.com", Some("a.n.n+x@gmail.com")),
        ("ÉLODIE@example.com", Some("élodie@example.com")),
        ("  ", None),
    ] {
        assert_eq!(normal_email(email).as_deref(), expected);
    }
    assert_eq!(normal_tax_id("de 123-456.789").as_deref(), Some("DE123456789"));
    assert_eq!(normal_tax_id(" - "), None);
    let customer = |id: &str, email: &str, tax_ids: &[&str]| Customer {
        id: id.to_owned(),
        email: Some(email.to_owned()),
        tax_ids: tax_ids.iter().map(|&tax_id| tax_id.to_owned()).collect(),
    };
    let report = recorded_twice(
        [
            customer("c", "ann@example.com", &["DE1"]),
            customer("a", "Ann@example.com", &["de 1", "DE1", "FR2"]),
            customer("b", "bob@example.com", &["FR 2"]),
            customer("d", "dan@example.com", &[]),
            customer("d", "dan@example.com", &[]),
            customer("e", "", &[""]),
            customer("f", "", &[""]),
        ]
        .into_iter(),
    );
    assert_eq!(subjects(&report), ["a b", "a c"]);
    assert_eq!(evidence(&report), ["tax_id=FR2", "email=ann@example.com tax_id=DE1"]);
}

#[test]
fn running_subscriptions_without_an_invoice_are_found() {
    let subscription = |id: &str, status: &str, since: i64, has_invoice: bool| invoices::Subscription {
        id: id.to_owned(),
        customer: Some("c".to_owned()),
        status: status.to_owned(),
        since: hour(since),
        has_invoice,
    };
    let list = [
        subscription("late", "past_due", 0, false),
        subscription("old", "Active", 0, false),
        subscription("edge", "active", 28, false),
        subscription("young", "active", 50, false),
        subscription("trial", "trialing", 0, false),
        subscription("over", "canceled", 0, false),
        subscription("named", "active", 0, true),
        subscription("listed", "active", 0, false),
    ];
    let invoiced = BTreeSet::from(["listed".to_owned()]);
    let report = never_invoiced(list.into_iter(), &invoiced, hour(100), invoices::WINDOW_MS);
    assert_eq!(subjects(&report), ["late", "old"]);
    assert_eq!(evidence(&report)[0], "customer=c status=past_due since=1970-01-01T00:00:00Z days=4");
}

#[test]
fn use_after_the_end_is_found_unless_something_else_runs() {
    let subscription = |id: &str, customer: &str, ended: Option<i64>| Subscription {
        id: id.to_owned(),
        customer: Some(customer.to_owned()).filter(|customer| customer != "-"),
        ended_at: ended.map(hour),
    };
    let standing = Standing::new(
        [
            subscription("gone", "a", Some(10)),
            subscription("runs", "b", None),
            subscription("was", "b", Some(10)),
            subscription("first", "c", Some(10)),
            subscription("then", "c", Some(30)),
            subscription("alone", "-", Some(10)),
        ]
        .into_iter(),
    );
    for (named, customer, used, expected) in [
        ("gone", "-", 12, Some("row gone")),
        ("-", "a", 12, Some("row gone")),
        ("gone", "-", 11, None),
        ("gone", "-", 9, None),
        ("was", "-", 99, None),
        ("runs", "-", 99, None),
        ("-", "b", 99, None),
        ("first", "-", 20, None),
        ("first", "-", 40, Some("row then")),
        ("alone", "-", 40, Some("row alone")),
        ("unknown", "-", 40, None),
        ("unknown", "a", 40, Some("row gone")),
        ("-", "-", 40, None),
    ] {
        let said = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
        let usage =
            Usage { id: "row".to_owned(), subscription: said(named), customer: said(customer), used_at: hour(used) };
        let report = used_after_end(std::iter::once(usage), &standing, HOUR_MS);
        assert_eq!(subjects(&report).first().map(String::as_str), expected, "{named} {customer} {used}");
    }
}

fn any_charges() -> impl Strategy<Value = Vec<Charge>> {
    let one = (0_i64..200, 0..3_u8, 0..3_u8).prop_map(|(at, customer, reference)| (at, customer, reference));
    proptest::collection::vec(one, 0..40).prop_map(|list| {
        let charge = |(id, (at, customer, reference)): (usize, (i64, u8, u8))| {
            charge(&format!("{id:02} {at} {customer} 1 usd {reference} -")).expect("telling")
        };
        list.into_iter().enumerate().map(charge).collect()
    })
}

proptest! {
    /// Two charges of one cause closer than the window are in one finding, and nothing else is in any.
    #[test]
    fn groups_hold_what_is_close_and_nothing_else(charges in any_charges(), hours in 1_u64..48) {
        let window_ms = hours * HOUR_MS;
        let report = taken_twice(charges.iter().cloned(), window_ms);
        let is_close = |one: &Charge, two: &Charge| {
            let apart = one.at.ms_since(two.at).max(two.at.ms_since(one.at));
            one.id != two.id && one.cause == two.cause && apart < window_ms
        };
        let group = |charge: &Charge| report.findings.iter().position(|it| it.subjects.contains(&charge.id));
        for one in &charges {
            let near: Vec<_> = charges.iter().filter(|two| is_close(one, two)).collect();
            prop_assert_eq!(group(one).is_some(), !near.is_empty());
            prop_assert!(near.iter().all(|two| group(two) == group(one)));
        }
        prop_assert_eq!(report.findings.iter().map(|it| it.count).sum::<u64>() as usize,
            charges.iter().filter(|one| group(one).is_some()).count());
    }

    /// The order in which records come changes nothing.
    #[test]
    fn the_order_of_arrival_changes_nothing(charges in any_charges(), turn in 0_usize..40) {
        let mut turned = charges.clone();
        turned.rotate_left(turn % charges.len().max(1));
        turned.reverse();
        prop_assert_eq!(taken_twice(charges.into_iter(), WINDOW_MS), taken_twice(turned.into_iter(), WINDOW_MS));
    }

    /// A normal form is its own normal form.
    #[test]
    fn normal_forms_are_stable(text in "\\PC{0,20}") {
        for normal in [normal_email, normal_tax_id] {
            if let Some(once) = normal(&text) {
                prop_assert_eq!(normal(&once), Some(once.clone()));
            }
        }
    }
}
