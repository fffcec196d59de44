//! Which fields are written under which names, and what is refused by name. Does not own how it is sent.

use super::{UPDATABLE, Unwritable, decides_about_money, parameter, update_request};
use crate::stripe::API_VERSION;
use crate::stripe::listing::{KINDS, Kind};
use quittance_core::record::value::{Type, Value};

fn kind(name: &str) -> &'static Kind {
    Kind::named(name).unwrap()
}

fn body(name: &str, changes: &[(&str, Value<'static>)]) -> String {
    let kind = kind(name);
    let parameters: Vec<_> = changes.iter().map(|(column, _)| parameter(kind, column).unwrap()).collect();
    let changes: Vec<_> = parameters
        .iter()
        .zip(changes)
        .map(|(parameter, (_, value))| (parameter, parameter.value(value).unwrap()))
        .collect();
    let request = update_request(kind, API_VERSION, "x/1", &changes).unwrap();
    assert_eq!((request.method.as_str(), request.idempotency_key), ("POST", None));
    assert!(request.target.ends_with("/x%2F1"), "{}", request.target);
    String::from_utf8(request.body).unwrap()
}

#[test]
fn what_may_be_changed_becomes_a_form() {
    let text = |text: &'static str| Value::text(text);
    for (kind, changes, form) in [
        ("customer", &[("email", text("a+b@x.example")), ("/name", Value::Null)][..], "email=a%2Bb%40x.example&name="),
        (
            "customer",
            &[("/metadata/a&b~1c", text("=?")), ("/metadata/gone", Value::Absent)],
            "metadata[a%26b%2Fc]=%3D%3F&metadata[gone]=",
        ),
        ("subscription", &[("cancel_at_period_end", Value::Boolean(true))], "cancel_at_period_end=true"),
        ("subscription", &[("cancel_at_period_end", text("f"))], "cancel_at_period_end=false"),
        ("price", &[("active", text("0").read_as(Type::Number).unwrap())], "active=false"),
        ("product", &[("/metadata/seats", Value::integer(7))], "metadata[seats]=7"),
        ("customer", &[("tax_exempt", text("reverse"))], "tax_exempt=reverse"),
    ] {
        assert_eq!(body(kind, changes), form);
    }
}

#[test]
fn what_stripe_computes_and_what_moves_money_is_refused_by_name() {
    for (kind, column, words) in [
        ("subscription", "status", "`status` of a `subscription`"),
        ("subscription", "/items/data/0/price/id", "/items/data/0/price/id"),
        ("subscription", "default_payment_method", "moves money"),
        ("customer", "balance", "`balance` of a `customer`"),
        ("customer", "metadata", "`metadata` of a `customer`"),
        ("customer", "/metadata/a/b", "`/metadata/a/b`"),
        ("payment_intent", "amount", "`amount`"),
        ("charge", "refunded", "`refunded`"),
        ("refund", "amount", "`amount`"),
        ("invoice", "status", "`status`"),
    ] {
        let error = parameter(super::super::listing::Kind::named(kind).unwrap(), column).unwrap_err();
        assert!(error.to_string().contains(words) && error.remedy().contains("/metadata/KEY"), "{error}");
    }
    for name in ["dispute", "balance_transaction", "payment_method"] {
        assert_eq!(parameter(kind(name), "/metadata/x"), Err(Unwritable::Kind(kind(name).name)));
    }
    let ours = parameter(kind("payment_intent"), "/metadata/effect_id").unwrap_err();
    assert!(matches!(ours, Unwritable::Ours(_)), "{ours}");
    assert!(parameter(kind("customer"), "/metadata/effect_id").is_ok());
    let long = format!("/metadata/{}", "k".repeat(41));
    for column in ["/metadata/", "/metadata/a[b]", &long] {
        assert!(matches!(parameter(kind("customer"), column), Err(Unwritable::Key(_))), "{column}");
    }
}

#[test]
fn what_stripe_would_not_hold_as_it_is_is_refused() {
    for (name, column, value) in [
        ("customer", "email", Value::text("")),
        ("customer", "tax_exempt", Value::text("perhaps")),
        ("customer", "tax_exempt", Value::Null),
        ("subscription", "cancel_at_period_end", Value::text("maybe")),
        ("subscription", "cancel_at_period_end", Value::Null),
    ] {
        assert!(parameter(kind(name), column).unwrap().value(&value).is_err(), "{column} {value}");
    }
}

#[test]
fn every_kind_on_the_list_is_one_that_is_read() {
    for (name, _) in UPDATABLE {
        assert!(KINDS.iter().any(|kind| kind.name == name), "{name}");
    }
}

#[test]
fn what_decides_about_money_is_known_by_its_column_and_value() {
    let word = Value::text("none");
    for (column, value, decides) in [
        ("cancel_at_period_end", Value::Boolean(true), false),
        ("/cancel_at_period_end", Value::Boolean(false), true),
        ("cancel_at_period_end", Value::text("false"), true),
        ("tax_exempt", word.clone(), true),
        ("description", word, false),
    ] {
        assert_eq!(decides_about_money(column, &value), decides, "{column} {value}");
    }
}
