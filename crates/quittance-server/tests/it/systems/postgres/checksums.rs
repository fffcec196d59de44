//! Checksums of ranges, judged by all rows read one by one.

use super::{Database, Row, integer, read, side, text};
use quittance_core::pair::digest::Digest;
use quittance_core::pair::{Column, Side, transform::Transform};
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;
use quittance_server::systems::postgres::Postgres;
use quittance_server::systems::{Checksums, Parts, Range, System, Wanted};

const KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

/// Rows with a key of every kind, in no order, some without.
const ROWS: &str = "CREATE TYPE mood AS ENUM ('z', 'a', 'm');
    CREATE TABLE a (number bigint, small int, name text, byte_name text COLLATE \"C\", padded char(12), uuid uuid, mood mood,
        tenant text, at timestamptz, civil timestamp, long text, status text);
    INSERT INTO a SELECT k.n, k.n, chr(65 + k.n % 50) || k.n || 'ż', 'b' || k.n, 'p' || k.n, md5(k.n::text)::uuid,
        (array['z', 'a', 'm'])[1 + k.n % 3]::mood, (array['t1', 't2', 'T3', 'ü'])[1 + k.n % 4], to_timestamp(k.n * 1000), to_timestamp(k.n * 77)::timestamp,
        repeat('ż', 40) || k.n, 'active'
        FROM (SELECT CASE WHEN n % 97 > 0 THEN (n * 7919) % 2003 - 1000 END AS n FROM generate_series(1, 2002) AS n) AS k;
    CREATE UNIQUE INDEX ON a (number); CREATE INDEX ON a (name); CREATE INDEX ON a (byte_name); CREATE INDEX ON a (uuid);
    CREATE INDEX ON a (at); CREATE VIEW v AS SELECT * FROM a; CREATE TABLE b AS SELECT * FROM a;";

/// Keys, and whether there are so many different ones that they can be cut into many ranges.
const KEYS: [(&[&str], usize); 12] = [
    (&["number"], 25),
    (&["small"], 25),
    (&["name"], 25),
    (&["byte_name"], 25),
    (&["padded"], 25),
    (&["uuid"], 25),
    (&["mood"], 3),
    (&["tenant", "number"], 25),
    (&["mood", "tenant", "name"], 25),
    (&["at"], 25),
    (&["civil"], 25),
    (&["long"], 25),
];

fn encoded(key: &[Value<'_>]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    encode_key(key.iter(), &mut bytes).then_some(bytes)
}

fn ranges(cuts: &[Vec<Value<'static>>]) -> Vec<Range> {
    let ends = || cuts.iter().cloned().map(Some);
    let from = std::iter::once(None).chain(ends());
    from.zip(ends().chain(std::iter::once(None))).map(|(from, to)| Range { from, to }).collect()
}

fn is_in(range: &Range, key: &[u8]) -> bool {
    let end = |end: &Option<Vec<Value<'static>>>| end.as_ref().map(|end| encoded(end).unwrap());
    end(&range.from).is_none_or(|from| from.as_slice() <= key) && end(&range.to).is_none_or(|to| key < to.as_slice())
}

fn rows_in<'r>(rows: &'r [Row], keys: usize, range: &'r Range) -> Vec<Row> {
    let of_range = |row: &&Row| encoded(&row[..keys]).is_some_and(|key| is_in(range, &key));
    rows.iter().filter(of_range).cloned().collect()
}

fn read_ranges(
    system: &mut Postgres,
    object: &str,
    side: &Side,
    ranges: &[Range],
    parts: Option<Parts<'_>>,
) -> Vec<Row> {
    let mut rows = Vec::new();
    let reading = system.read_ranges(object, side, 0, ranges, parts, &mut |row| {
        rows.push(row.iter().cloned().map(Value::into_owned).collect());
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!(reading.unwrap().rows, rows.len() as u64);
    super::sorted(rows)
}

/// The parts of a range are its sum taken apart, and what is read of them is what they count.
fn check_parts(
    system: &mut Postgres,
    object: &str,
    side: &Side,
    (ranges, sums): (&[Range], &[Digest]),
    expected: &[Row],
) {
    let parts = system.sums_of_parts(object, side, 0, ranges, &KEY).unwrap();
    for (parts, sum) in parts.iter().zip(sums) {
        let mut together = Digest::default();
        parts.iter().for_each(|part| together.add_all(*part));
        assert_eq!(together, *sum, "{object}");
    }
    let (mut rows, mut count) = (Vec::new(), 0);
    for mask in [0x00ff, 0x0f00, 0xf000] {
        let masks = vec![mask; ranges.len()];
        let of_mask = read_ranges(system, object, side, ranges, Some(Parts { key: &KEY, masks: &masks }));
        count += of_mask.len() as u64;
        let wanted = |part: &usize| mask >> part & 1 == 1;
        let counted: u64 = parts.iter().flat_map(|of| (0..16).filter(wanted).map(|part| of[part].count)).sum();
        assert_eq!(of_mask.len() as u64, counted, "{object}");
        rows.extend(of_mask);
    }
    assert_eq!((super::sorted(rows).as_slice(), count), (expected, expected.len() as u64), "{object}");
}

#[test]
fn every_record_with_a_key_is_in_the_range_that_its_key_says() {
    let Some(database) = Database::with("ranges of keys in PostgreSQL", ROWS) else { return };
    database.sql("ANALYZE a");
    let mut system = database.system();
    for (object, (keys, ranges_min)) in KEYS.iter().flat_map(|key| [("a", *key), ("v", *key), ("b", *key)]) {
        let side = side(keys.len(), &[keys, &["status"][..]].concat());
        let context = format!("{object} by {keys:?}");
        let rows = read(&mut system, object, &side, &Wanted::All);
        let keyed = rows.iter().filter(|row| encoded(&row[..keys.len()]).is_some()).count();
        assert_eq!(system.keyless(object, &side, 0).unwrap(), (rows.len() - keyed) as u64, "{context}");
        let cuts = system.quantiles(object, &side, 0, 40).unwrap();
        let all = ranges(&cuts);
        assert!((ranges_min..=41).contains(&all.len()), "{context}: {} ranges", all.len());
        let sums = system.sums(object, &side, 0, &all, &KEY).unwrap();
        let counts: Vec<u64> = sums.iter().map(|sum| sum.count).collect();
        let expected: Vec<u64> = all.iter().map(|range| rows_in(&rows, keys.len(), range).len() as u64).collect();
        assert_eq!(counts, expected, "{context}");
        assert_eq!(counts.iter().sum::<u64>(), keyed as u64);
        assert!(ranges_min < 25 || *counts.iter().max().unwrap() < 250, "{context}: {counts:?}");
        // Some of them, with gaps, with and without the open ends.
        for some in [1..=1, 0..=1, 5..=7].map(|some| some.filter(|at| *at < all.len()).collect::<Vec<_>>()) {
            let mut wanted: Vec<Range> = some.iter().map(|at| all[*at].clone()).collect();
            let mut known: Vec<_> = some.iter().map(|at| sums[*at]).collect();
            for (with_last, last) in [(false, all.len() - 1), (true, all.len() - 1)] {
                if with_last && !some.contains(&last) {
                    wanted.push(all[last].clone());
                    known.push(sums[last]);
                }
                assert_eq!(system.sums(object, &side, 0, &wanted, &KEY).unwrap(), known, "{context}: {some:?}");
                let mut expected: Vec<Row> =
                    wanted.iter().flat_map(|range| rows_in(&rows, keys.len(), range)).collect();
                expected = super::sorted(expected);
                assert_eq!(read_ranges(&mut system, object, &side, &wanted, None), expected, "{context}: {some:?}");
                check_parts(&mut system, object, &side, (&wanted, &known), &expected);
            }
        }
        assert!(system.sums(object, &side, 0, &[], &KEY).unwrap().is_empty());
        assert!(read_ranges(&mut system, object, &side, &[], None).is_empty());
    }
}

#[test]
fn sums_tell_every_change_and_can_be_taken_apart() {
    let Some(database) = Database::with(
        "sums in PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, x text, y text, n numeric, b bytea, t bool);
        INSERT INTO a SELECT n, 'x' || n, NULL, n, '\\x00', true FROM generate_series(1, 100) AS n",
    ) else {
        return;
    };
    let side = side(1, &["id", "x", "y", "n", "b", "t"]);
    let mut system = database.system();
    let mut sum = |key: &[u8; 32]| {
        system.refresh().unwrap();
        let all = system.sums("a", &side, 0, &ranges(&[]), key).unwrap();
        let parts = system.sums("a", &side, 0, &ranges(&[vec![integer(20)], vec![integer(77)]]), key).unwrap();
        let mut together = Digest::default();
        parts.iter().for_each(|part| together.add_all(*part));
        assert_eq!([together], all.as_slice());
        together
    };
    let original = sum(&KEY);
    assert_eq!(original.count, 100);
    assert_ne!(original, sum(&[0; 32]), "another run has another key");
    let mut seen = vec![original.sum];
    for change in [
        "x = NULL WHERE id = 1",
        "x = '' WHERE id = 1",
        "x = ':' WHERE id = 1",
        "y = '' WHERE id = 2",
        "x = 'x3y', y = '' WHERE id = 3",
        "x = 'x3', y = 'y' WHERE id = 3",
        "n = -n WHERE id = 4",
        "b = '' WHERE id = 5",
        "b = NULL WHERE id = 5",
        "t = false WHERE id = 6",
        "t = NULL WHERE id = 6",
        // Two records exchange a value.
        "x = CASE id WHEN 7 THEN 'x8' ELSE 'x7' END WHERE id IN (7, 8)",
    ] {
        database.sql(&format!("UPDATE a SET {change}"));
        let now = sum(&KEY).sum;
        assert!(!seen.contains(&now), "{change}");
        seen.push(now);
    }
    database.sql("DELETE FROM a; INSERT INTO a SELECT n, 'x' || n, NULL, (n || '.00')::numeric, '\\x00', true FROM generate_series(100, 1, -1) AS n");
    let again = sum(&KEY);
    assert_eq!(again, original, "neither order nor formatting matters");
}

#[test]
fn only_what_is_compared_as_it_is_has_a_method() {
    let Some(database) = Database::with(
        "methods of checksums in PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, big bigint NOT NULL UNIQUE, name text NOT NULL UNIQUE, folded varchar,
        amount numeric UNIQUE, data jsonb, day date UNIQUE, at timestamptz, paid bool)",
    ) else {
        return;
    };
    let mut system = database.system();
    let mut method = |keys: usize, columns: &[&str]| system.method("a", &side(keys, columns)).unwrap();
    assert!(method(1, &["id", "name", "amount", "day", "at", "paid"]).is_some());
    assert_eq!(method(1, &["id", "name"]), method(1, &["big", "folded"]));
    assert_ne!(method(1, &["id", "name"]), method(1, &["name", "id"]));
    assert_ne!(method(1, &["id", "name"]), method(2, &["id", "name"]));
    for (keys, columns) in [
        (1, &["id", "data"][..]),
        (1, &["id", "data->/x"]),
        (1, &["data->/id", "id"]),
        (1, &["amount", "id"]),
        (1, &["day", "id"]),
        (1, &["paid", "id"]),
    ] {
        assert_eq!(method(keys, columns), None, "{columns:?}");
    }
    let mut changed = side(1, &["id", "name"]);
    changed.columns[1] = Column { transforms: vec![Transform::Lower], ..Column::plain("name") };
    assert_eq!(system.method("a", &changed).unwrap(), None);

    // The same text has other bytes there, and another order.
    let latin = format!("{}_latin", database.name);
    database.sql(&format!("CREATE DATABASE {latin} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"));
    database.server.sql(&latin, "CREATE TABLE a (id int PRIMARY KEY, name text); INSERT INTO a VALUES (1, chr(252))");
    let mut system = super::system(&database.server.url(&latin));
    let side = side(1, &["id", "name"]);
    assert_eq!(system.method("a", &side).unwrap(), None);
    assert_eq!(read(&mut system, "a", &side, &Wanted::All), [[integer(1), text("ü")]]);
}

#[test]
fn where_two_records_may_have_one_key_there_is_no_method() {
    let Some(database) = Database::with(
        "keys that are not unique in PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, plain int NOT NULL, nullable int UNIQUE, part int NOT NULL, word text NOT NULL,
            one int NOT NULL, two int NOT NULL, three int, UNIQUE (one, two));
        CREATE INDEX ON a (plain); CREATE UNIQUE INDEX ON a (part) WHERE part > 0; CREATE UNIQUE INDEX ON a (lower(word));
        CREATE VIEW v AS SELECT * FROM a; CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
        CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE piece PARTITION OF whole FOR VALUES FROM (0) TO (9)",
    ) else {
        return;
    };
    let mut system = database.system();
    for (object, key, is_unique) in [
        ("a", &["id"][..], true),
        ("a", &["plain", "id"], true),
        ("a", &["one", "two"], true),
        ("a", &["three", "two", "one"], true),
        ("whole", &["id"], true),
        ("a", &["plain"], false),
        ("a", &["nullable"], false),
        ("a", &["part"], false),
        ("a", &["word"], false),
        ("a", &["one"], false),
        ("a", &["two", "three"], false),
        ("v", &["id"], false),
        ("parent", &["id"], false),
    ] {
        let method = system.method(object, &side(key.len(), key)).unwrap();
        assert_eq!(method.is_some(), is_unique, "{object} by {key:?}: {method:?}");
    }
}

#[test]
fn ranges_out_of_order_are_refused() {
    let Some(database) = Database::with("ranges out of order in PostgreSQL", "CREATE TABLE a (id int, name text)")
    else {
        return;
    };
    let mut system = database.system();
    let side = side(1, &["id", "name"]);
    let range = |from: Option<i64>, to: Option<i64>| {
        let key = |end: Option<i64>| end.map(|end| vec![integer(end)]);
        Range { from: key(from), to: key(to) }
    };
    for wrong in [
        vec![range(Some(5), Some(4))],
        vec![range(Some(5), Some(5))],
        vec![range(Some(5), Some(6)), range(Some(1), Some(2))],
        vec![range(None, None), range(Some(1), Some(2))],
        vec![range(None, Some(1)), range(None, Some(2))],
        vec![Range { from: Some(vec![text("x")]), to: None }],
        vec![Range { from: Some(vec![Value::Null]), to: None }],
        vec![Range { from: Some(vec![integer(1), integer(2)]), to: None }],
    ] {
        let error = system.sums("a", &side, 0, &wrong, &KEY).unwrap_err();
        super::refused(&error, quittance_server::systems::Blame::Configuration, "ranges", "strategy");
    }
}
