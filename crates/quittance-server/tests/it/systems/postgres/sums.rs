//! Which values have one checksum and which have not. Does not own ranges.

use super::{Database, side};
use quittance_core::pair::Side;
use quittance_core::pair::digest::Digest;
use quittance_core::record::value::Value;
use quittance_server::systems::postgres::Postgres;
use quittance_server::systems::{Checksums, Range, System};
use std::collections::{BTreeMap, BTreeSet};

const KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

/// The sum of all there is.
fn sum(system: &mut Postgres, object: &str, side: &Side) -> Digest {
    let sums = system.sums(object, side, 0, &[Range { from: None, to: None }], &KEY).unwrap();
    assert_eq!(sums.len(), 1);
    sums[0]
}

/// Literals of each type, of which no two are equal.
const DIFFERENT: [(&str, &[&str]); 8] = [
    (
        "bigint",
        &[
            "NULL",
            "0",
            "1",
            "-1",
            "-2",
            "5",
            "-5",
            "-6",
            "4294967296",
            "4294967297",
            "-4294967297",
            "9223372036854775807",
        ],
    ),
    ("numeric", &["NULL", "0", "1", "-1", "10000", "0.0001", "12.5", "-12.5", "'NaN'", "'Infinity'", "'-Infinity'"]),
    ("float8", &["NULL", "0", "0.1", "-0.1", "1e300", "'NaN'", "'Infinity'", "'-Infinity'"]),
    ("text", &["NULL", "''", "'0'", "' '", "'a'", "'A'", "'a '", "'ż'", "'NULL'"]),
    ("boolean", &["NULL", "true", "false"]),
    (
        "timestamptz",
        &[
            "NULL",
            "'2000-01-01Z'",
            "'2000-01-01 01:11:34.967297Z'",
            "'1999-12-31 23:59:59.999999Z'",
            "'1700-01-01 00:00:00Z'",
            "'1699-12-31 23:59:59.999999Z'",
            "'2239-12-31 23:59:59.999998Z'",
            "'2239-12-31 23:59:59.999999Z'",
            "'2240-01-01 00:00:00Z'",
            "'2240-01-01 00:00:00.000001Z'",
            "'294000-01-01 00:00:00.000001Z'",
            "'294000-01-01 00:00:00.000002Z'",
            "'infinity'",
            "'-infinity'",
        ],
    ),
    ("date", &["NULL", "'2000-01-01'", "'1999-12-31'", "'2000-01-02'", "'infinity'"]),
    ("bytea", &["NULL", "''", "'\\x00'", "'\\x0000'", "'0'"]),
];

#[test]
fn no_two_values_and_no_exchange_of_values_have_one_sum() {
    let Some(database) = Database::with("different values in PostgreSQL", "") else { return };
    let side = side(1, &["id", "x", "y"]);
    for (kind, literals) in DIFFERENT {
        let mut views = String::new();
        let mut names = Vec::new();
        for (a, x) in literals.iter().enumerate() {
            for (b, y) in literals.iter().enumerate() {
                let (x, y) = (format!("{x}::{kind}"), format!("{y}::{kind}"));
                // In two columns of one record, and in one column of two records.
                views += &format!(
                    "CREATE VIEW {kind}_{a}_{b}_c AS SELECT 1 AS id, {x} AS x, {y} AS y;
                     CREATE VIEW {kind}_{a}_{b}_r AS SELECT * FROM (VALUES (1, {x}, NULL::{kind}), (2, {y}, NULL)) AS v(id, x, y);"
                );
                names.extend(["c", "r"].map(|way| format!("{kind}_{a}_{b}_{way}")));
            }
        }
        database.sql(&views);
        let mut system = database.system();
        let mut seen = BTreeMap::new();
        for name in names {
            let sum = sum(&mut system, &name, &side).sum;
            let before = seen.insert(sum, name.clone());
            assert_eq!(before, None, "{name} has its sum");
        }
    }
}

#[test]
fn integers_are_keys_with_all_their_bits() {
    let keys =
        ["0", "1", "-1", "4294967296", "4294967297", "-4294967297", "9223372036854775807", "-9223372036854775808"];
    let views = keys.iter().enumerate().map(|(at, key)| format!("CREATE VIEW k{at} AS SELECT '{key}'::bigint AS id;"));
    let Some(database) = Database::with("integers as keys in PostgreSQL", &views.collect::<String>()) else { return };
    let (mut system, side) = (database.system(), side(1, &["id"]));
    let sums: BTreeSet<u128> = (0..keys.len()).map(|at| sum(&mut system, &format!("k{at}"), &side).sum).collect();
    assert_eq!(sums.len(), keys.len());
    // Beside bounds that are doubles.
    let ends = [-(1i64 << 53), 1 - (1 << 53), 7, (1 << 53) - 1, 1 << 53, (1 << 53) + 1];
    let rows = "CREATE TABLE wide (id bigint PRIMARY KEY); INSERT INTO wide SELECT e + n FROM
        unnest('{-9007199254740992, 0, 9007199254740992}'::bigint[]) AS e, generate_series(-3, 3) AS n;
        INSERT INTO wide VALUES (9223372036854775807), (-9223372036854775808)";
    database.sql(rows);
    let mut system = database.system();
    for of in [&ends[1..4], &ends[..]] {
        let cuts = || of.iter().map(|end| Some(vec![Value::integer(*end)]));
        let from = std::iter::once(None).chain(cuts());
        let ranges: Vec<Range> =
            from.zip(cuts().chain(std::iter::once(None))).map(|(from, to)| Range { from, to }).collect();
        let sums = system.sums("wide", &side, 0, &ranges, &KEY).unwrap();
        let counts: Vec<u64> = sums.iter().map(|sum| sum.count).collect();
        let expected = if of.len() == 3 { vec![5, 10, 2, 6] } else { vec![4, 1, 10, 2, 1, 1, 4] };
        assert_eq!(counts.iter().sum::<u64>(), 23);
        assert_eq!(counts, expected);
    }
}

#[test]
fn equal_values_of_other_types_have_one_sum() {
    let forms = [
        "1::int2, 12.5::numeric, 'a'::text, '2026-01-31 12:00Z'::timestamptz, 0::float8, 7::bigint",
        "1::int8, 12.5000::numeric(20,4), 'a  '::char(5), '2026-01-31 12:00'::timestamp, '-0'::float8, 7.00::numeric",
        "1::int4, 12.5::float4, 'a'::varchar, '2026-01-31 14:00+02'::timestamptz, 0.00::numeric, 7::float8",
        "1::int8, 12.5::float8, 'a'::name, '2026-01-31 12:00'::timestamp, 0::int4, 7::int2",
    ];
    let views = forms.iter().enumerate().map(|(at, form)| {
        format!("CREATE VIEW v{at} AS SELECT * FROM (VALUES ({form})) AS v(id, amount, name, at, zero, seven);")
    });
    let Some(database) = Database::with("equal values in PostgreSQL", &views.collect::<String>()) else { return };
    let mut system = database.system();
    let side = side(1, &["id", "amount", "name", "at", "zero", "seven"]);
    let first = sum(&mut system, "v0", &side);
    assert_eq!(first.count, 1);
    for view in ["v1", "v2", "v3"] {
        assert_eq!(sum(&mut system, view, &side), first, "{view}");
    }
}

#[test]
fn a_table_that_was_never_analysed_is_counted() {
    let statements = "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 1234);
        CREATE TABLE b (id int PRIMARY KEY); ANALYZE b; INSERT INTO b VALUES (1), (2); CREATE VIEW v AS SELECT * FROM a";
    let Some(database) = Database::with("a table never analysed in PostgreSQL", statements) else { return };
    let mut system = database.system();
    let estimates = ["a", "b", "v"].map(|object| system.estimate(object).unwrap());
    assert_eq!(estimates, [Some(1_234), Some(2), None]);
}
