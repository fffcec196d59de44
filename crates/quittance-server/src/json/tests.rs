//! What is refused, where it is pointed at, and what canonical bytes look like.

use super::{Fields, Json, Need, Refused};
use proptest::prelude::*;

/// Reads a body and says what is wrong with it, one `pointer: detail` per line.
fn check(body: &str, expected: &str) {
    let said = match Json::read(body.as_bytes()) {
        Ok(json) => String::from_utf8(json.canonical()).expect("canonical JSON is UTF-8"),
        Err(Refused::CardNumber(places)) => {
            places.iter().map(|wrong| format!("card at {:?}", wrong.pointer)).collect::<Vec<_>>().join("\n")
        }
        Err(Refused::Malformed(wrongs)) => {
            let lines: Vec<_> = wrongs.iter().map(|wrong| format!("{:?} {}", wrong.pointer, wrong.detail)).collect();
            lines.join("\n")
        }
    };
    assert_eq!(said, expected, "{body}");
}

#[test]
fn canonical_bytes_sort_members_and_have_one_spelling() {
    check(r#" {"b" : 1, "a": "\u00e9\u002f", "A": [true, null, -5]} "#, r#"{"A":[true,null,-5],"a":"é/","b":1}"#);
}

#[test]
fn members_that_stand_twice_are_refused_wherever_they_are() {
    check(
        r#"{"a": 1, "a": 1, "m": {"x~/y": "1", "x~/y": "2"}}"#,
        "\"/a\" given twice; every member may stand once\n\"/m/x~0~1y\" given twice; every member may stand once",
    );
    // The same name spelt with an escape is the same name.
    check(r#"{"a": 1, "\u0061": 2}"#, "\"/a\" given twice; every member may stand once");
}

#[test]
fn what_is_no_json_is_refused_with_its_position() {
    check("", "\"\" is not JSON: EOF while parsing a value at line 1 column 0");
    check("{}{}", "\"\" is not JSON: trailing characters at line 1 column 3");
    check(r#""\ud800""#, "\"\" is not JSON: unexpected end of hex escape at line 1 column 8");
    check(&"[".repeat(200), "\"\" is not JSON: recursion limit exceeded at line 1 column 128");
    check(
        &format!("{}1{}", "[".repeat(20), "]".repeat(20)),
        &format!("\"{}\" nested deeper than 16 levels", "/0".repeat(17)),
    );
    check("\"\\u0000\"", "\"\" holds U+0000 or a noncharacter, which cannot be kept");
}

#[test]
fn a_card_number_is_found_anywhere_and_outweighs_everything_else() {
    check(r#"{"a": {"b": ["4242 4242 4242 4242"]}, "a": 1}"#, "card at \"/a/b/0\"");
    check(r#"{"m": {"4242424242424242": "x"}}"#, "card at \"/m\"");
    check(r#"{"n": 4242424242424242}"#, "card at \"/n\"");
    check(r#"{"n": 4.242424242424242e15}"#, "card at \"/n\"");
    check(r#"{"n": 4242424242424242.0}"#, "card at \"/n\"");
}

#[test]
fn an_amount_is_an_integer_and_nothing_else() {
    for (body, expected) in [
        (r#"{"amount": 1}"#, ""),
        (r#"{"amount": 9007199254740991}"#, ""),
        (r#"{"amount": 0}"#, "must be between 1 and 9007199254740991 minor units"),
        (r#"{"amount": -1}"#, "must be between 1 and 9007199254740991 minor units"),
        (r#"{"amount": 9007199254740992}"#, "is a number that is no integer within"),
        (r#"{"amount": 1e400}"#, "number out of range"),
        (r#"{"amount": 19.99}"#, "is a number that is no integer within"),
        (r#"{"amount": 1.0}"#, "is a number that is no integer within"),
        (r#"{"amount": 1e3}"#, "is a number that is no integer within"),
        (r#"{"amount": -0}"#, "is a number that is no integer within"),
        (r#"{"amount": "1999"}"#, "is a string; expected an integer in minor units"),
        (r#"{"amount": null}"#, "is required"),
        (r#"{}"#, "is required"),
        (r#"{"amount": 5, "amout": 5}"#, "is not known here; known are: amount"),
    ] {
        let said = said_of_amount(body);
        assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{body}: {said}");
    }
}

fn said_of_amount(body: &str) -> String {
    let json = match Json::read(body.as_bytes()) {
        Ok(json) => json,
        Err(refused) => return format!("{refused:?}"),
    };
    let mut fields = Fields::of(&json).expect("an object");
    fields.amount("amount", Need::Required, quittance_core::money::AMOUNT_MAX);
    match fields.finish() {
        Ok(()) => String::new(),
        Err(wrongs) => wrongs[0].detail.clone(),
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Json::read(&body);
    }

    #[test]
    fn white_space_and_order_do_not_change_the_canonical_bytes(
        members in proptest::collection::btree_map("[a-z]{1,4}", -1000i64..1000, 0..8),
    ) {
        let there: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let mut back = there.clone();
        back.reverse();
        let canonical = |parts: &[String], comma: &str| {
            Json::read(format!("{{{}}}", parts.join(comma)).as_bytes()).expect("JSON").canonical()
        };
        prop_assert_eq!(canonical(&there, ","), canonical(&back, " ,\n\t"));
    }
}
