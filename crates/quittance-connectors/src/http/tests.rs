//! Addresses that are followed, pages of every kind, and lists that do not end.

use serde_json::{Value as Json, json};

use super::{Address, Failure, Listed, Next, Pages, Paging, Shape, Stuck, decode_page, decode_record};
use crate::message::Response;

fn address() -> Address {
    Address { origin: "https://crm.example".to_owned(), prefix: "/api".to_owned() }
}

fn shape(paging: Paging) -> Shape {
    Shape {
        list: "/accounts".to_owned(),
        get: Some("/accounts/{key}".to_owned()),
        records: "/data".to_owned(),
        record: String::new(),
        identity: vec!["id".to_owned()],
        paging,
        page_size: Some(("limit".to_owned(), 2)),
    }
}

fn cursor() -> Paging {
    Paging::Cursor { next: "/next".to_owned(), parameter: "after".to_owned() }
}

fn page(more: Option<&str>) -> Paging {
    Paging::Page { parameter: "page".to_owned(), first: 1, more: more.map(str::to_owned) }
}

fn offset() -> Paging {
    Paging::Offset { parameter: "offset".to_owned(), more: None }
}

fn answer(body: &Json) -> Response {
    Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
}

/// The targets that are asked for when pages have so many records and go on so.
fn targets(paging: Paging, pages: &[(usize, Next)]) -> Result<Vec<String>, Stuck> {
    let (shape, address) = (shape(paging), address());
    let mut reading = Pages::new(&shape, &address);
    let mut targets = Vec::new();
    for (records, next) in pages {
        targets.push(reading.wanted().expect("a page is wanted").to_owned());
        reading.take(*records, *records, next)?;
    }
    assert_eq!(reading.wanted(), None, "all is read");
    Ok(targets)
}

#[test]
fn pages_lead_to_the_next_until_the_last() {
    let at = |word: &str| Next::At(word.to_owned());
    let one = |paging, pages: &[(usize, Next)], expected: &[&str]| {
        let expected: Vec<String> = expected.iter().map(|target| format!("/api/accounts?limit=2{target}")).collect();
        assert_eq!(targets(paging, pages).unwrap(), expected);
    };
    one(Paging::None, &[(9, Next::End)], &[""]);
    one(cursor(), &[(2, at("a b")), (0, at("c")), (1, Next::End)], &["", "&after=a%20b", "&after=c"]);
    one(cursor(), &[(2, at("a")), (2, Next::Unsaid)], &["", "&after=a"]);
    one(cursor(), &[(1, Next::Unsaid)], &[""]);
    one(page(None), &[(2, Next::Unsaid), (1, Next::Unsaid), (0, Next::Unsaid)], &["&page=1", "&page=2", "&page=3"]);
    one(page(Some("/more")), &[(2, Next::More), (2, Next::End)], &["&page=1", "&page=2"]);
    one(offset(), &[(2, Next::Unsaid), (1, Next::Unsaid), (0, Next::Unsaid)], &["&offset=0", "&offset=2", "&offset=3"]);
    let link = Paging::Link { next: None };
    let found = targets(link, &[(2, at("https://crm.example/api/x?y=1#z")), (1, Next::Unsaid)]).unwrap();
    assert_eq!(found, ["/api/accounts?limit=2", "/api/x?y=1"]);
}

#[test]
fn b30_lists_that_do_not_end_are_errors() {
    let at = |word: &str| Next::At(word.to_owned());
    let twice = [(2, at("a")), (2, at("a"))];
    assert_eq!(targets(cursor(), &twice), Err(Stuck::Repeated));
    let circle = [(2, at("a")), (2, at("b")), (2, at("a"))];
    assert_eq!(targets(cursor(), &circle), Err(Stuck::Repeated));
    let empty: Vec<(usize, Next)> = (0..200).map(|word| (0, at(&word.to_string()))).collect();
    assert_eq!(targets(cursor(), &empty), Err(Stuck::Empty(100)));
    assert_eq!(targets(page(Some("/more")), &[(2, Next::More), (0, Next::More)]), Err(Stuck::Empty(1)));
    let (shape, address) = (shape(page(None)), address());
    let mut reading = Pages::new(&shape, &address);
    reading.take(2, 2, &Next::Unsaid).unwrap();
    assert_eq!(reading.take(2, 0, &Next::Unsaid), Err(Stuck::Repeated), "the last page again and again");
}

#[test]
fn a_full_page_that_never_says_how_to_go_on_is_not_all() {
    assert_eq!(
        targets(cursor(), &[(2, Next::Unsaid)]),
        Err(Stuck::Unnamed { page: 1, records: 2, place: "/next".to_owned() })
    );
    let link = Paging::Link { next: None };
    assert_eq!(
        targets(link, &[(2, Next::Unsaid)]),
        Err(Stuck::Unnamed { page: 1, records: 2, place: "the header Link".to_owned() })
    );
}

#[test]
fn only_addresses_of_the_same_host_are_followed() {
    let address = Address { origin: "https://crm.example:443".to_owned(), ..address() };
    let current = "/api/accounts?limit=2";
    for (link, target) in [
        ("https://crm.example/api/accounts?page=2", Some("/api/accounts?page=2")),
        ("http://CRM.example:80/api/accounts?page=2", Some("/api/accounts?page=2")),
        ("/other?x=1", Some("/other?x=1")),
        ("?page=2", Some("/api/accounts?page=2")),
        ("https://crm.example.evil/api", None),
        ("https://crm.example@evil.example/api", None),
        ("https://crm.example:8443/api", None),
        ("https://crm.example", None),
        ("//evil.example/api", None),
        ("accounts?page=2", None),
        ("/a b", None),
        ("", None),
    ] {
        assert_eq!(address.follow(link, current).as_deref(), target, "{link}");
    }
}

#[test]
fn an_identity_is_never_another_path() {
    let target = |key: &str| address().target_of("/accounts/{key}?full=1", key);
    assert_eq!(target("a/b?c").as_deref(), Some("/api/accounts/a%2Fb%3Fc?full=1"));
    assert_eq!(["", ".", ".."].map(target), [None, None, None]);
}

#[test]
fn a_page_is_its_records_and_how_it_goes_on() {
    let read = |paging, body: Json| decode_page(&shape(paging), &answer(&body));
    let records = vec![json!({"id": 1})];
    for (paging, body, next) in [
        (cursor(), json!({"data": [{"id": 1}], "next": "c"}), Next::At("c".to_owned())),
        (cursor(), json!({"data": [{"id": 1}], "next": 7}), Next::At("7".to_owned())),
        (cursor(), json!({"data": [{"id": 1}], "next": null}), Next::End),
        (cursor(), json!({"data": [{"id": 1}], "next": ""}), Next::End),
        (cursor(), json!({"data": [{"id": 1}]}), Next::Unsaid),
        (page(Some("/more")), json!({"data": [{"id": 1}], "more": true}), Next::More),
        (page(Some("/more")), json!({"data": [{"id": 1}], "more": false}), Next::End),
        (page(None), json!({"data": [{"id": 1}]}), Next::Unsaid),
    ] {
        assert_eq!(read(paging, body.clone()), Ok(Listed { records: records.clone(), next }), "{body}");
    }
    for (body, says) in [
        (json!({"rows": []}), "`/data` is no array of records"),
        (json!({"data": {}}), "`/data` is no array of records"),
        (json!({"data": [{"id": 1}, 5]}), "record 1 of a page is no object"),
        (json!({"data": [], "next": {}}), "`/next` is nothing that leads to a next page"),
    ] {
        assert_eq!(read(cursor(), body), Err(Failure::Shape(says.to_owned())));
    }
    let silent = read(page(Some("/more")), json!({"data": []}));
    assert_eq!(silent, Err(Failure::Shape("`/more` does not say whether there is more".to_owned())));
}

#[test]
fn b17_what_is_no_json_is_no_page() {
    let read = |status, media_type: &str, body: &str| {
        let headers =
            vec![("content-type".to_owned(), media_type.to_owned()), ("location".to_owned(), "/login".to_owned())];
        decode_page(&shape(cursor()), &Response { status, headers, body: body.as_bytes().to_vec() })
    };
    let Err(Failure::Unreadable(what)) = read(200, "text/html", "<html>") else { panic!() };
    assert!(what.starts_with("6 bytes of text/html that are not JSON"), "{what}");
    assert!(matches!(read(200, "application/json", r#"{"data":[{"#), Err(Failure::Unreadable(_))));
    let redirect = Failure::Status { status: 302, location: Some("/login".to_owned()) };
    assert_eq!(read(302, "text/html", ""), Err(redirect));
}

#[test]
fn the_header_link_names_the_next_page() {
    let next = |header: Option<&str>| {
        let headers = header.map(|header| ("Link".to_owned(), header.to_owned())).into_iter().collect();
        let response = Response { status: 200, headers, body: br#"{"data":[]}"#.to_vec() };
        decode_page(&shape(Paging::Link { next: None }), &response).unwrap().next
    };
    let two = Next::At("/a?page=2,3".to_owned());
    for (header, expected) in [
        (Some(r#"</a?page=2,3>; rel="next", </a?page=9>; rel="last""#), two.clone()),
        (Some(r#"</a?page=1>; rel="first prev",</a?page=2,3>;title="x";rel=Next"#), two),
        (Some(r#"</a?page=1>; rel="first""#), Next::End),
        (Some("nonsense"), Next::End),
        (None, Next::Unsaid),
    ] {
        assert_eq!(next(header), expected, "{header:?}");
    }
}

#[test]
fn a_record_is_there_or_not() {
    let inside = Shape { record: "/account".to_owned(), ..shape(Paging::None) };
    let read = |status, body: Json| {
        decode_record(&inside, &Response { status, headers: Vec::new(), body: body.to_string().into_bytes() })
    };
    assert_eq!(read(200, json!({"account": {"id": 1}})), Ok(Some(json!({"id": 1}))));
    assert_eq!([404, 410].map(|status| read(status, json!({}))), [Ok(None), Ok(None)]);
    assert_eq!(
        read(200, json!({"account": 1})),
        Err(Failure::Shape("`/account` of the answer is no record".to_owned()))
    );
    assert_eq!(read(500, json!({})), Err(Failure::Status { status: 500, location: None }));
}
