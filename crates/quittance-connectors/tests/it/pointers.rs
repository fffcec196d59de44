//! Values of JSON, found by pointers.

use quittance_connectors::record::value_at;
use quittance_core::record::number::Number;
use quittance_core::record::value::Value;
use serde_json::json;

fn shown(pointer: &str) -> String {
    let document = json!({
        "a/b": 1, "m~n": 2, "*": 3, "": 4, "none": null, "deep": { "z": 1, "a": [1.50, "x", {}] },
        "list": [{ "v": 1, "w": [7, 8] }, { "v": null }, 5, { "w": [9] }, { "w": "text" }], "empty": [], "is": true,
        "big": 9_007_199_254_740_993_u64, "small": 2.5e-7, "text": "012",
    });
    format!("{:?}", value_at(&document, pointer))
}

#[test]
fn pointers_find_what_they_name() {
    let number = |text: &str| format!("{:?}", Value::Number(Number::parse(text).unwrap()));
    let json = |text: &str| format!("{:?}", Value::Json(text.into()));
    for (pointer, found) in [
        ("/a~1b", number("1")),
        ("/m~0n", number("2")),
        ("/*", number("3")),
        ("/", number("4")),
        ("/none", "Null".to_owned()),
        ("/none/x", "Absent".to_owned()),
        ("/missing", "Absent".to_owned()),
        ("no pointer", "Absent".to_owned()),
        ("/deep", json(r#"{"a":[1.5,"x",{}],"z":1}"#)),
        ("/deep/a/0", number("1.5")),
        ("/deep/a/00", "Absent".to_owned()),
        ("/deep/a/-", "Absent".to_owned()),
        ("/deep/a/3", "Absent".to_owned()),
        ("/deep/a/*", json(r#"[1.5,"x",{}]"#)),
        ("/list/*/v", json("[1,null]")),
        ("/list/*/w/*", json("[7,8,9]")),
        ("/list/*/w/0", json("[7,9]")),
        ("/empty/*/v", json("[]")),
        ("/text/*", "Absent".to_owned()),
        ("/missing/*/v", "Absent".to_owned()),
        ("/is", "Boolean(true)".to_owned()),
        ("/big", number("9007199254740993")),
        ("/small", number("0.00000025")),
        ("/text", format!("{:?}", Value::text("012"))),
    ] {
        assert_eq!(shown(pointer), found, "{pointer}");
    }
    assert_eq!(value_at(&json!([1]), ""), Value::Json("[1]".into()));
}
