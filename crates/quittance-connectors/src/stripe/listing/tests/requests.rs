//! The bytes of the requests.

use crate::message::Method;
use crate::stripe::API_VERSION;
use crate::stripe::listing::plan::Span;
use crate::stripe::listing::{KINDS, Kind, nested_request, one_request, page_request};

fn kind(name: &str) -> &'static Kind {
    Kind::named(name).expect("a kind")
}

#[test]
fn b15_a_list_that_hides_is_asked_for_all() {
    let target = |name: &str| {
        let kind = kind(name);
        kind.passes.iter().map(|pass| page_request(kind, API_VERSION, pass, Span::default(), None).target)
    };
    let all: Vec<String> = target("subscription").collect();
    assert_eq!(all, ["/v1/subscriptions?limit=100&status=all"]);
    let both: Vec<String> = target("price").collect();
    assert_eq!(both, ["/v1/prices?limit=100&active=true", "/v1/prices?limit=100&active=false"]);
}

#[test]
fn a_page_is_of_a_span_and_after_an_object() {
    let span = Span { from: Some(5), to: Some(9) };
    let request = page_request(kind("customer"), API_VERSION, &[("email", "a+b@c.d")], span, Some("cus_1"));
    let target = "/v1/customers?limit=100&email=a%2Bb%40c.d&created%5Bgte%5D=5&created%5Blte%5D=9&starting_after=cus_1";
    assert_eq!((request.method, request.target.as_str()), (Method::Get, target));
    assert_eq!((request.api_version.as_str(), request.body.as_slice()), (API_VERSION, b"".as_slice()));
}

#[test]
fn an_id_is_never_another_path() {
    let target = |id: &str| one_request(kind("product"), API_VERSION, id).map(|request| request.target);
    assert_eq!(target("prod_1").as_deref(), Some("/v1/products/prod_1"));
    assert_eq!(target("a/../b?c").as_deref(), Some("/v1/products/a%2F..%2Fb%3Fc"));
    for id in ["", ".", "..", "x".repeat(1_025).as_str()] {
        assert_eq!(target(id), None, "{id}");
    }
}

#[test]
fn a_list_inside_an_object_goes_on_where_it_says() {
    let target = |url: &str, after| nested_request(url, API_VERSION, after).map(|request| request.target);
    assert_eq!(
        target("/v1/invoices/in_1/lines", Some("il_1")).as_deref(),
        Some("/v1/invoices/in_1/lines?limit=100&starting_after=il_1")
    );
    assert_eq!(
        target("/v1/subscription_items?subscription=sub_1", None).as_deref(),
        Some("/v1/subscription_items?subscription=sub_1&limit=100")
    );
    for url in ["", "https://example.org/v1/x", "//example.org", "/v2/x", "/v1/a b", "/v1/a#b"] {
        assert_eq!(target(url, None), None, "{url}");
    }
}

#[test]
fn fields_that_find_are_filters_of_the_list() {
    assert_eq!(kind("invoice").filter("/subscription"), Some("subscription"));
    assert_eq!(kind("invoice").filter("status"), None);
    let Some(file) = quittance_surroundings::data_file("quittance-connectors", "stripe/stripe-surface.json") else {
        return;
    };
    let surface: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for kind in &KINDS {
        let known = surface["list_filters"][kind.name].as_array().unwrap();
        let asked = kind.passes.iter().flat_map(|pass| pass.iter().map(|(name, _)| *name));
        for name in asked.chain(kind.filters.iter().copied()).chain(["limit", "starting_after"]) {
            assert!(known.iter().any(|filter| filter == name), "{} has no filter {name}", kind.name);
        }
        assert_eq!(known.iter().any(|filter| filter == "created"), kind.is_dated, "{}", kind.name);
    }
}
