//! What columns hold, of every type.

use super::{Database, Row, integer, read, side, text, try_read};
use crate::systems::postgres::refused;
use quittance_core::record::number::Number;
use quittance_core::record::value::{Type, Value};
use quittance_core::time::Timestamp;
use quittance_server::systems::{Blame, Checksums, System, Wanted};

fn number(text: &str) -> Value<'static> {
    Value::Number(Number::parse(text).unwrap().into_owned())
}

fn json(text: &str) -> Value<'static> {
    Value::Json(text.to_owned().into())
}

fn date(text: &str) -> Value<'static> {
    Value::Date(text.to_owned().into())
}

fn at(micros: i64) -> Value<'static> {
    Value::Timestamp(Timestamp(micros))
}

/// Declaration, type, and a value as SQL writes it with what it is.
fn cases() -> Vec<(&'static str, Type, &'static str, Value<'static>)> {
    vec![
        ("int2", Type::Number, "-32768", integer(-32_768)),
        ("int4", Type::Number, "7", integer(7)),
        ("int8", Type::Number, "9223372036854775807", integer(i64::MAX)),
        ("numeric(12,4)", Type::Number, "12.5", number("12.5")),
        ("numeric", Type::Number, "-0.00", number("0")),
        ("numeric", Type::Number, "1e-30", number("0.000000000000000000000000000001")),
        ("numeric", Type::Number, "1e30", number("1000000000000000000000000000000")),
        ("numeric", Type::Number, "'NaN'", Value::Untyped("NaN".into())),
        ("numeric", Type::Number, "'-Infinity'", Value::Untyped("-Infinity".into())),
        ("float4", Type::Number, "0.1", number("0.1")),
        ("float8", Type::Number, "0.1", number("0.1")),
        ("float8", Type::Number, "'-0'", number("0")),
        ("float8", Type::Number, "1e300", number("1e300")),
        ("float8", Type::Number, "5e-324", number("5e-324")),
        ("float8", Type::Number, "'Infinity'", Value::Untyped("Infinity".into())),
        ("float4", Type::Number, "'NaN'", Value::Untyped("NaN".into())),
        ("money", Type::Number, "'12.50'", number("12.5")),
        ("bool", Type::Boolean, "true", Value::Boolean(true)),
        ("bool", Type::Boolean, "false", Value::Boolean(false)),
        ("text", Type::Text, "''", text("")),
        ("text", Type::Text, r"'\N'", text("\\N")),
        (
            "text",
            Type::Text,
            r#"E'a\tb\nc\rd\\e\x01\x0b\x08\x0cf''g"h'"#,
            text("a\tb\nc\rd\\e\u{1}\u{b}\u{8}\u{c}f'g\"h"),
        ),
        ("text", Type::Text, "'żółć 😀 \u{feff}'", text("żółć 😀 \u{feff}")),
        ("varchar(9)", Type::Text, "'a  '", text("a  ")),
        ("char(9)", Type::Text, "'a  '", text("a")),
        ("name", Type::Text, "'a'", text("a")),
        ("mood", Type::Text, "'Happy'", text("Happy")),
        ("moods", Type::Text, "'Happy'", text("Happy")),
        ("price", Type::Number, "1.50", number("1.5")),
        ("uuid", Type::Text, "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("timestamptz", Type::Timestamp, "'2026-01-31 12:00:00.000001+02'", at(1_769_853_600_000_001)),
        ("timestamptz(0)", Type::Timestamp, "'1969-12-31 23:59:59Z'", at(-1_000_000)),
        ("timestamptz", Type::Timestamp, "'infinity'", at(i64::MAX)),
        ("timestamptz", Type::Timestamp, "'-infinity'", at(i64::MIN)),
        ("timestamptz", Type::Timestamp, "'4714-11-24 00:00:00Z BC'", at(-210_866_803_200_000_000)),
        ("timestamptz", Type::Timestamp, "'200000-02-29 23:59:59.9Z'", at(6_249_228_364_799_900_000)),
        ("timestamp", Type::Timestamp, "'2026-01-31 10:00:00.5'", at(1_769_853_600_500_000)),
        ("timestamp", Type::Timestamp, "'infinity'", at(i64::MAX)),
        ("date", Type::Date, "'2026-01-31'", date("2026-01-31")),
        ("date", Type::Date, "'infinity'", date("infinity")),
        ("bytea", Type::Bytes, r"'\x00ff5c0a'", Value::Bytes(vec![0, 255, 92, 10].into())),
        ("bytea", Type::Bytes, "''", Value::Bytes(Vec::new().into())),
        ("jsonb", Type::Json, r#"'{"b":[1.50,"x"],"a":null}'"#, json(r#"{"a":null,"b":[1.5,"x"]}"#)),
        ("json", Type::Json, r#"' { "b" : "\u00e9\n" , "a":1e2 } '"#, json(r#"{"a":100,"b":"é\n"}"#)),
        ("jsonb", Type::Json, "'12.50'", number("12.5")),
        ("jsonb", Type::Json, r#"'"x"'"#, text("x")),
        ("jsonb", Type::Json, "'null'", Value::Null),
        ("int4[]", Type::Text, "'{1,NULL,3}'", text("{1,NULL,3}")),
        ("text[]", Type::Text, r#"'{"a,b","c\"d"}'"#, text(r#"{"a,b","c\"d"}"#)),
        ("interval", Type::Text, "'1 day 02:03:04.5'", text("P1DT2H3M4.5S")),
        ("inet", Type::Text, "'10.0.0.1/8'", text("10.0.0.1/8")),
        ("int4range", Type::Text, "'[1,5]'", text("[1,6)")),
        ("time", Type::Text, "'01:02:03.5'", text("01:02:03.5")),
    ]
}

#[test]
fn every_type_has_a_canonical_value_and_null_is_null() {
    let cases = cases();
    let columns: Vec<String> = cases.iter().enumerate().map(|(at, case)| format!("c{at} {}", case.0)).collect();
    let values: Vec<&str> = cases.iter().map(|case| case.2).collect();
    let nulls = vec!["NULL"; cases.len()];
    let statements = format!(
        "CREATE TYPE mood AS ENUM ('Happy', 'sad'); CREATE DOMAIN moods AS mood; CREATE DOMAIN paid AS numeric(9,2); \
         CREATE DOMAIN price AS paid CHECK (VALUE > 0); CREATE TABLE everything ({}); \
         INSERT INTO everything VALUES ({}), ({})",
        columns.join(", "),
        values.join(", "),
        nulls.join(", ")
    );
    let Some(database) = Database::with("types of PostgreSQL", &statements) else { return };
    let mut system = database.system();
    let described = system.describe("everything").unwrap();
    let types: Vec<(String, Option<Type>)> =
        cases.iter().enumerate().map(|(at, case)| (format!("c{at}"), Some(case.1))).collect();
    assert_eq!(described.columns, types);
    assert!(described.identity.is_empty());
    let names: Vec<String> = (0..cases.len()).map(|at| format!("c{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (rows, _) = try_read(&mut system, "everything", &side(1, &names), &Wanted::All).unwrap();
    let [values, nulls] = rows.as_slice() else { panic!("{rows:?}") };
    for (case, value) in cases.iter().zip(values) {
        assert_eq!(*value, case.3, "{} {}", case.0, case.2);
    }
    assert!(nulls.iter().all(|value| *value == Value::Null), "{nulls:?}");
    for (at, case) in cases.iter().enumerate() {
        let side = side(1, &[names[at]]);
        let wanted = Wanted::Where { columns: vec![0], values: vec![vec![case.3.clone()]] };
        let found = read(&mut system, "everything", &side, &wanted);
        let expected: Vec<Row> = if case.3 == Value::Null { Vec::new() } else { vec![vec![case.3.clone()]] };
        assert_eq!(found, expected, "{} {}", case.0, case.2);
    }
}

#[test]
fn pointers_look_into_json() {
    let Some(database) = Database::with(
        "pointers into JSON of PostgreSQL",
        r#"CREATE TABLE a (id int PRIMARY KEY, data jsonb, raw json, plain text);
        INSERT INTO a VALUES (1, '{"items":[{"price":{"id":"p_1"}},{"price":{"id":"p_2"}}],"n":1.50,"none":null}', '[3]', '{}'),
            (2, NULL, NULL, NULL), (3, '{}', '{}', '');"#,
    ) else {
        return;
    };
    let mut system = database.system();
    let side_of_json =
        side(1, &["id", "data->/items/*/price/id", "data->/n", "data->/none", "raw->/0", "data->/items/1"]);
    let rows = read(&mut system, "a", &side_of_json, &Wanted::All);
    let absent = || vec![Value::Absent; 5];
    assert_eq!(
        rows,
        [
            vec![
                integer(1),
                json(r#"["p_1","p_2"]"#),
                number("1.5"),
                Value::Null,
                integer(3),
                json(r#"{"price":{"id":"p_2"}}"#)
            ],
            [vec![integer(2)], absent()].concat(),
            [vec![integer(3)], absent()].concat(),
        ]
    );
    let wanted = |value| Wanted::Where { columns: vec![2], values: vec![vec![value]] };
    for value in [number("1.5"), Value::Untyped("1.50".into())] {
        assert_eq!(read(&mut system, "a", &side_of_json, &wanted(value)), rows[..1]);
    }
    assert!(!system.can_find("a", &side_of_json, &[2]) && system.can_find("a", &side_of_json, &[0]));
    let error = try_read(&mut system, "a", &side(1, &["id", "plain->/n"]), &Wanted::All).unwrap_err();
    refused(&error, Blame::Configuration, "`plain` holds no JSON", "jsonb");
}

#[test]
fn what_cannot_be_compared_is_named() {
    let Some(database) = Database::with(
        "values of PostgreSQL that cannot be compared",
        "CREATE TABLE a AS SELECT 1 AS id, repeat('9', 401)::numeric AS long, timestamptz '294270-01-01Z' AS late, \
         ('{\"n\":1e' || '999}')::json AS huge",
    ) else {
        return;
    };
    let mut system = database.system();
    for (column, what) in [("long", "400 digits"), ("late", "294246"), ("huge", "JSON")] {
        let error = try_read(&mut system, "a", &side(1, &["id", column]), &Wanted::All).unwrap_err();
        refused(&error, Blame::Configuration, &format!("`{column}`"), "leave the column out");
        assert!(error.what.contains(what), "{}", error.what);
    }
}

#[test]
fn b62_precision_and_formatting_are_no_difference() {
    let Some(database) = Database::with(
        "precision in PostgreSQL",
        "CREATE TYPE state AS ENUM ('active');
        CREATE TABLE ours (id int PRIMARY KEY, amount numeric(12,4), at timestamptz, ratio float8, state state,
            code char(8), key uuid);
        INSERT INTO ours VALUES (1, -0.1900, '2026-01-01 12:00:00.120000+00', '-0', 'active', 'EUR',
            'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11');
        CREATE TABLE theirs (id bigint PRIMARY KEY, amount float4, at timestamp(3), ratio numeric(9,3), state text,
            code varchar, key text);
        INSERT INTO theirs VALUES (1, -0.19, '2026-01-01 12:00:00.12', 0.000, 'active', 'EUR',
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');",
    ) else {
        return;
    };
    let mut system = database.system();
    let side = side(1, &["id", "amount", "at", "ratio", "state", "code", "key"]);
    let ours = read(&mut system, "ours", &side, &Wanted::All);
    assert_eq!(ours, read(&mut system, "theirs", &side, &Wanted::All));
    let method = system.method("ours", &side).unwrap();
    assert!(method.is_some() && method == system.method("theirs", &side).unwrap());
    let all = [quittance_server::systems::Range { from: None, to: None }];
    let sums = system.sums("ours", &side, 0, &all, &[7; 32]).unwrap();
    assert_eq!(sums, system.sums("theirs", &side, 0, &all, &[7; 32]).unwrap());
    assert_eq!(sums[0].count, 1);
    database.sql("UPDATE theirs SET at = '2026-01-01 12:00:00.121'");
    system.refresh().unwrap();
    assert_ne!(ours, read(&mut system, "theirs", &side, &Wanted::All), "a millisecond is a difference");
    assert_ne!(sums, system.sums("theirs", &side, 0, &all, &[7; 32]).unwrap());
}
