//! What answers say: never a part of a list as if it were all of it.

use serde_json::{Value as Json, json};

use crate::message::Response;
use crate::stripe::listing::{Failure, Kind, One, decode_one, decode_page};

fn answer(status: u16, media_type: &str, body: &str) -> Response {
    let headers = vec![("content-type".to_owned(), media_type.to_owned())];
    Response { status, headers, body: body.as_bytes().to_vec() }
}

fn json_answer(status: u16, body: &Json) -> Response {
    answer(status, "application/json", &body.to_string())
}

fn kind() -> &'static Kind {
    Kind::named("customer").expect("a kind")
}

fn unreadable(response: &Response) -> String {
    match decode_page(Some(kind()), response) {
        Err(Failure::Unreadable(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_is_its_objects_in_order() {
    let list = json!({"object": "list", "has_more": true, "url": "/v1/customers",
                      "data": [{"id": "cus_2", "object": "customer"}, {"id": "cus_1", "object": "customer"}]});
    let page = decode_page(Some(kind()), &json_answer(200, &list)).unwrap();
    let ids: Vec<_> = page.objects.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids, page.has_more), (vec!["cus_2", "cus_1"], true));
}

#[test]
fn b17_an_answer_that_is_no_list_is_not_an_empty_one() {
    let object = |body: Json| unreadable(&json_answer(200, &body));
    for (what, says) in [
        (unreadable(&answer(200, "text/html", "<html>")), "6 bytes of text/html that are not JSON"),
        (unreadable(&answer(200, "application/json", r#"{"object":"list","data":[{"id":"#)), "EOF while parsing"),
        (unreadable(&answer(200, "application/json", "")), "0 bytes of application/json"),
        (unreadable(&answer(502, "text/html", "<html>")), "status 502 and nothing that Stripe would say"),
        (unreadable(&answer(204, "application/json", "")), "status 204"),
        (object(json!({})), "an object with 0 members and no word for what it is where a list was asked for"),
        (object(json!([])), "an array where a list"),
        (object(json!({"object": "list", "data": []})), "an object `list` where a list was asked for"),
        (object(json!({"object": "customer", "data": [], "has_more": false})), "an object `customer` where"),
        (object(json!({"object": "list", "data": {}, "has_more": false})), "an object `list` where"),
        (
            object(json!({"object": "list", "data": [{"id": "a"}, {"object": "customer"}], "has_more": false})),
            "an object `customer` without an id, at 1 of a list",
        ),
        (
            object(json!({"object": "list", "data": [{"id": "a", "object": "charge"}], "has_more": false})),
            "a list with an object `charge` where each was to be a `customer`",
        ),
    ] {
        assert!(what.contains(says), "{what:?} should say {says:?}");
    }
}

#[test]
fn a_refusal_names_the_permission_that_is_missing() {
    let message = "The provided key 'rk_test_***' does not have the required permissions for this endpoint on account \
                   'acct_1'. Having the 'rak_customer_read' permission would allow this request to continue.";
    let error = json!({"error": {"message": message, "type": "invalid_request_error", "code": "x"}});
    let Err(Failure::Refused(refusal)) = decode_page(Some(kind()), &json_answer(403, &error)) else { panic!() };
    assert_eq!((refusal.status, refusal.permission()), (403, Some("rak_customer_read")));
    assert_eq!(refusal.message, message);
}

#[test]
fn an_object_is_there_or_deleted_or_absent() {
    let read = |status, body: Json| decode_one(kind(), &json_answer(status, &body));
    let there = json!({"id": "cus_1", "object": "customer"});
    assert_eq!(read(200, there.clone()), Ok(One::There(there)));
    assert_eq!(read(200, json!({"id": "cus_1", "object": "customer", "deleted": true})), Ok(One::Deleted));
    let missing = json!({"error": {"code": "resource_missing", "param": "id", "message": "No such customer"}});
    assert_eq!(read(404, missing), Ok(One::Absent));
    for (status, body) in [
        (200, json!({"id": "ch_1", "object": "charge"})),
        (200, json!({"object": "customer"})),
        (404, json!("not found by a proxy")),
        (404, json!({})),
    ] {
        assert!(matches!(read(status, body.clone()), Err(Failure::Unreadable(_))), "{status} {body}");
    }
}
