//! Changing records of PostgreSQL: what came of each, in every type of column.

mod lost;
mod races;
mod refusals;
mod rights;
mod together;

use super::{Database, integer, side, text};
use quittance_core::record::value::{Type, Value};
use quittance_server::config::Secret;
use quittance_server::systems::SystemError;
use quittance_server::systems::postgres::PostgresWriter;
use quittance_server::systems::write::{Write, WriteOptions, Writer, Written};

fn writer_at(url: &str, options: WriteOptions) -> PostgresWriter {
    PostgresWriter::new("app", &Secret::new(url.to_owned()), 60, options).unwrap()
}

impl Database {
    fn writer(&self) -> PostgresWriter {
        self.writer_with(WriteOptions::default())
    }

    fn writer_with(&self, options: WriteOptions) -> PostgresWriter {
        writer_at(&self.server.url(&self.name), options)
    }

    /// As the role `asker`, who may nothing that nobody granted. The role and the writer.
    fn writer_of_asker(&self, options: WriteOptions) -> (String, PostgresWriter) {
        let role = format!("asker_of_{}", self.name);
        self.sql(&format!("CREATE ROLE {role} LOGIN"));
        let url = self.server.url(&self.name).replace("postgres@", &format!("{role}@"));
        (role, writer_at(&url, options))
    }
}

fn touching(column: &str) -> WriteOptions {
    WriteOptions { updated_at: Some(column.to_owned()), ..WriteOptions::default() }
}

/// A record of this number, from one value of the second column of the side to another.
fn change(id: i64, from: Value<'static>, to: Value<'static>) -> Write {
    Write { identity: vec![integer(id)], expected: vec![(1, from)], set: vec![(1, to)], ..Write::default() }
}

/// Changes records of `a`, which has `id` and `v`.
fn write(writer: &mut PostgresWriter, writes: &[Write]) -> Vec<Written> {
    try_write(writer, writes).unwrap()
}

fn try_write(writer: &mut PostgresWriter, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
    writer.write("a", &side(1, &["id", "v"]), writes)
}

/// Which were refused, and the words of it.
fn refusals(written: &[Written]) -> Vec<(usize, &str)> {
    let refused = written.iter().enumerate().filter_map(|(at, written)| match written {
        Written::Refused { why } => Some((at, why.as_str())),
        _ => None,
    });
    refused.collect()
}

fn typed(value: &'static str, of: Type) -> Value<'static> {
    Value::text(value).read_as(of).unwrap()
}

const FOUR: &str = "CREATE TABLE a (id int PRIMARY KEY, v text, note text DEFAULT 'kept');
    INSERT INTO a VALUES (1, 'old'), (2, 'other'), (4, 'new'), (5, NULL)";

#[test]
fn each_record_is_done_moved_or_gone() {
    let Some(database) = Database::with("writing to PostgreSQL", FOUR) else { return };
    let mut writer = database.writer();
    let writes: Vec<Write> = (1..=5).map(|id| change(id, text("old"), text("new"))).collect();
    let wanted = |first| {
        let (other, nothing) = (Written::Moved { now: vec![text("other")] }, Written::Moved { now: vec![Value::Null] });
        // The fourth holds already what it is to hold.
        [first, other, Written::Gone, Written::Already, nothing]
    };
    assert_eq!(write(&mut writer, &writes), wanted(Written::Done));
    assert_eq!(write(&mut writer, &writes), wanted(Written::Already), "the same call again finds out");
    let found = database.sql("SELECT id, v, note FROM a ORDER BY id");
    assert_eq!(found, "1|new|kept\n2|other|kept\n4|new|kept\n5||kept");
    assert!(write(&mut writer, &[]).is_empty());
}

#[test]
fn nothing_and_empty_text_are_written_and_told_apart() {
    let Some(database) = Database::with(
        "writing NULL to PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, NULL), (2, ''), (3, 'NULL'), (4, NULL)",
    ) else {
        return;
    };
    let writes = [
        change(1, Value::Null, text("")),
        change(2, text(""), Value::Null),
        change(3, text("NULL"), Value::Null),
        change(4, text(""), text("x")),
    ];
    let moved = Written::Moved { now: vec![Value::Null] };
    assert_eq!(write(&mut database.writer(), &writes), [Written::Done, Written::Done, Written::Done, moved]);
    let found = database.sql("SELECT id, coalesce(v, 'null') FROM a ORDER BY id");
    assert_eq!(found, "1|\n2|null\n3|null\n4|null");
}

const TYPES: &str = "CREATE TYPE mood AS ENUM ('sad', 'it''s \"fine\"'); CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'bad');
    CREATE TABLE a (id int PRIMARY KEY, n numeric(10, 2), m money, f float8, g real, b boolean, z timestamptz, t timestamp,
        d date, j json, jb jsonb, e mood, u uuid, x bytea, c char(4), s short, big bigint, list text[]);
    INSERT INTO a VALUES (1, 12.50, '1.50', 0.1, 0.1, true, '2026-01-31 10:00:00.5+02', '2026-01-31 10:00:00', '2026-01-31',
        '{\"b\": 1.0, \"a\": \"x\"}', '[1, 2]', 'sad', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff', 'ab', 'ok', 7, '{a,b}')";

/// What is expected of the column, and what it is set to.
fn of_every_type() -> Vec<(&'static str, Value<'static>, Value<'static>)> {
    let (number, moment) = (|it| typed(it, Type::Number), |it| typed(it, Type::Timestamp));
    vec![
        ("n", number("12.5"), number("0.07")),
        ("m", number("1.5"), number("-2.25")),
        ("f", number("0.1"), number("1e300")),
        ("g", number("0.1"), number("0.3")),
        ("b", Value::Boolean(true), Value::Boolean(false)),
        ("z", moment("2026-01-31T08:00:00.5Z"), moment("2026-03-01T00:00:00.000001Z")),
        ("t", moment("2026-01-31T10:00:00Z"), moment("2026-06-30T23:59:59Z")),
        ("d", typed("2026-01-31", Type::Date), typed("1999-12-31", Type::Date)),
        ("j", Value::Json(r#"{"a":"x","b":1}"#.into()), Value::Json(r#"{"it's":["\"\\"]}"#.into())),
        ("jb", Value::Json("[1,2]".into()), text("plain \"text\"")),
        ("e", text("sad"), text("it's \"fine\"")),
        ("u", text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12")),
        ("x", Value::Bytes(vec![0, 255].into()), Value::Bytes(vec![1, 92, 0].into())),
        ("c", text("ab"), text("abcd")),
        ("s", text("ok"), text("fine")),
        ("big", integer(7), integer(i64::MIN)),
        ("list", text("{a,b}"), text("{\"c d\",e}")),
    ]
}

#[test]
fn values_of_every_type_are_compared_and_written_as_what_they_are() {
    let Some(database) = Database::with("writing every type to PostgreSQL", TYPES) else { return };
    let mut writer = database.writer();
    for (column, from, to) in of_every_type() {
        let side = side(1, &["id", column]);
        let mut change = |from: &Value<'static>, to: &Value<'static>| {
            writer.write("a", &side, &[change(1, from.clone(), to.clone())]).unwrap().remove(0)
        };
        assert_eq!(change(&from, &to), Written::Done, "{column}");
        assert_eq!(change(&Value::Null, &from), Written::Moved { now: vec![to.clone()] }, "{column}");
        assert_eq!(change(&to, &Value::Null), Written::Done, "{column} to NULL");
        assert_eq!(change(&Value::Null, &from), Written::Done, "{column} from NULL");
        assert_eq!(change(&from, &from), Written::Done, "{column} as it is");
    }
}

#[test]
fn all_columns_of_a_record_are_written_at_once() {
    let Some(database) = Database::with("writing all columns of PostgreSQL", TYPES) else { return };
    let types = of_every_type();
    let columns: Vec<&str> = std::iter::once("id").chain(types.iter().map(|(column, ..)| *column)).collect();
    let (expected, set) = (types.iter().map(|it| it.1.clone()), types.iter().map(|it| it.2.clone()));
    let change = Write {
        identity: vec![integer(1)],
        expected: (1..).zip(expected).collect(),
        set: (1..).zip(set).collect(),
        ..Write::default()
    };
    let mut writer = database.writer();
    assert_eq!(writer.write("a", &side(1, &columns), &[change]).unwrap(), [Written::Done]);
    let found = database.sql("SELECT n, b, t, d, e, c, s, big FROM a");
    assert_eq!(found, "0.07|f|2026-06-30 23:59:59|1999-12-31|it's \"fine\"|abcd|fine|-9223372036854775808");
}

#[test]
fn what_a_column_cannot_hold_whole_is_altered_or_refused_and_never_cut() {
    let Some(database) = Database::with(
        "limits of columns of PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, v varchar(3), n numeric(6, 2), z timestamptz(0));
        INSERT INTO a VALUES (1, 'old', 1, NULL)",
    ) else {
        return;
    };
    let mut writer = database.writer();
    let written = write(&mut writer, &[change(1, text("old"), text("longer"))]);
    assert!(refusals(&written)[0].1.starts_with("22001: value too long"), "{written:?}");
    let written = writer.write("a", &side(1, &["id", "n"]), &[change(1, integer(1), typed("2.345", Type::Number))]);
    assert_eq!(written.unwrap(), [Written::Altered { now: vec![typed("2.35", Type::Number)] }]);
    let at = typed("2026-01-31T10:00:00.4Z", Type::Timestamp);
    let written = writer.write("a", &side(1, &["id", "z"]), &[change(1, Value::Null, at)]);
    assert_eq!(written.unwrap(), [Written::Altered { now: vec![typed("2026-01-31T10:00:00Z", Type::Timestamp)] }]);
}

#[test]
fn text_is_compared_byte_by_byte_whatever_its_collation() {
    let Some(database) = Database::with(
        "collations of PostgreSQL that ignore case",
        "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE a (id text COLLATE folded PRIMARY KEY, v text COLLATE folded); INSERT INTO a VALUES ('K', 'Old'), ('l', 'old')",
    ) else {
        return;
    };
    let of = |id: &'static str| Write { identity: vec![text(id)], ..change(0, text("old"), text("new")) };
    let written = write(&mut database.writer(), &[of("K"), of("L"), of("l")]);
    assert_eq!(written, [Written::Moved { now: vec![text("Old")] }, Written::Gone, Written::Done]);
}

#[test]
fn names_and_identities_may_be_anything() {
    let Some(database) = Database::with(
        "quoted names in writes to PostgreSQL",
        "CREATE SCHEMA \"my \"\"shop\"; CREATE TABLE \"my \"\"shop\".\"a.b\" (\"the id\" text, \"SELECT\" int, \"v\"\"'\" text,
            PRIMARY KEY (\"the id\", \"SELECT\"));
        INSERT INTO \"my \"\"shop\".\"a.b\" VALUES ('x''\"', 1, 'old'), ('x''\"', 2, 'old'), ('y\\', 1, 'old')",
    ) else {
        return;
    };
    let side = side(2, &["the id", "SELECT", "v\"'"]);
    let change = |id: &'static str, number: i64| Write {
        identity: vec![text(id), integer(number)],
        expected: vec![(2, text("old"))],
        set: vec![(2, text("it's\n\"new\"\\"))],
        ..Write::default()
    };
    let writes = [change("x'\"", 2), change("y\\", 1), change("y\\", 2)];
    let written = database.writer().write("\"my \"\"shop\".\"a.b\"", &side, &writes).unwrap();
    assert_eq!(written, [Written::Done, Written::Done, Written::Gone]);
    let found = database.sql("SELECT \"the id\" || \"SELECT\" FROM \"my \"\"shop\".\"a.b\" WHERE \"v\"\"'\" = E'it''s\\n\"new\"\\\\' ORDER BY 1");
    assert_eq!(found, "x'\"2\ny\\1");
}

#[test]
fn as_many_as_a_call_may_have_and_of_several_kinds() {
    let Some(database) = Database::with(
        "many writes to PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, v text, w int); INSERT INTO a SELECT n, 'old', n FROM generate_series(1, 500) AS n",
    ) else {
        return;
    };
    let side = side(1, &["id", "v", "w"]);
    let of = |id: i64| match id % 2 {
        0 => change(id, text("old"), text("new")),
        _ => Write {
            identity: vec![integer(id)],
            expected: vec![(2, integer(id))],
            set: vec![(2, integer(-id)), (1, Value::Null)],
            ..Write::default()
        },
    };
    let writes: Vec<Write> = (1..=500).rev().map(of).collect();
    let written = database.writer().write("a", &side, &writes).unwrap();
    assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");
    let found = database.sql(
        "SELECT count(*) FILTER (WHERE v = 'new' AND w > 0), count(*) FILTER (WHERE v IS NULL AND w = -id) FROM a",
    );
    assert_eq!(found, "250|250");
}

#[test]
fn the_time_of_the_change_is_set_where_it_is_wanted() {
    for kind in ["timestamptz", "timestamp", "date"] {
        let statements = format!(
            "CREATE TABLE a (id int PRIMARY KEY, v text, changed {kind});
            INSERT INTO a VALUES (1, 'old', '2001-01-01'), (2, 'x', '2001-01-01')"
        );
        let Some(database) = Database::with("times of changes in PostgreSQL", &statements) else { return };
        database.sql(&format!("ALTER DATABASE {} SET TimeZone = 'Pacific/Kiritimati'", database.name));
        let writes = [change(1, text("old"), text("new")), change(2, text("old"), text("new"))];
        assert_eq!(write(&mut database.writer_with(touching("changed")), &writes)[0], Written::Done);
        let is_now = "SELECT changed >= (now() AT TIME ZONE 'UTC')::date AND changed <= (now() AT TIME ZONE 'UTC') FROM a WHERE id = 1";
        let is_now = if kind == "timestamptz" {
            "SELECT now() - changed < interval '1 hour' FROM a WHERE id = 1"
        } else {
            is_now
        };
        assert_eq!(database.sql(is_now), "t", "{kind}");
        assert_eq!(database.sql("SELECT changed < '2002-01-01' FROM a WHERE id = 2"), "t", "what moved is not touched");
        database.sql("UPDATE a SET v = 'old', changed = '2001-01-01'");
        assert_eq!(write(&mut database.writer(), &writes[..1]), [Written::Done]);
        assert_eq!(database.sql("SELECT changed < '2002-01-01' FROM a WHERE id = 1"), "t", "kept");
    }
}

#[test]
fn json_is_compared_by_what_it_says() {
    let Some(database) = Database::with(
        "JSON in writes to PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, v json); INSERT INTO a VALUES (1, '{\"n\": 12345678901234567890123, \"m\":1}'), (2, 'null'), (3, '{\"a\":\"\\u0000\"}')",
    ) else {
        return;
    };
    let rows = super::read(&mut database.system(), "a", &side(1, &["id", "v"]), &super::Wanted::All);
    let writes: Vec<Write> = [1, 2, 3]
        .into_iter()
        .zip(&rows)
        .map(|(id, row)| change(id, row[1].clone(), Value::Json("[]".into())))
        .collect();
    // As read, though the database's own equality would not say so: more digits than a double, a JSON null, no text.
    assert_eq!(write(&mut database.writer(), &writes), [Written::Done, Written::Done, Written::Done]);
}
