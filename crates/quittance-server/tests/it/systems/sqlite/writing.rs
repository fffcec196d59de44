//! Changing rows of SQLite files: what came of each, in every form that values are stored in.

mod refusals;
mod together;

use super::{File, side};
use quittance_core::pair::Side;
use quittance_core::record::value::{Type, Value};
use quittance_server::systems::SystemError;
use quittance_server::systems::sqlite::{PATIENCE, SqliteWriter};
use quittance_server::systems::write::{Stand, Write, WriteOptions, Writer, Written};

impl File {
    fn writer(&self) -> SqliteWriter {
        self.writer_with(WriteOptions::default())
    }

    fn writer_with(&self, options: WriteOptions) -> SqliteWriter {
        SqliteWriter::open("app", &self.path(), PATIENCE, options).unwrap()
    }

    /// The rows of a query as text, `|` between fields and a line each; the class of what is stored with each value.
    fn stored(&self, query: &str) -> String {
        let mut statement = self.writer.prepare(query).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let fields: Vec<String> = (0..columns).map(|at| shown(&row.get(at).unwrap())).collect();
            lines.push(fields.join("|"));
        }
        lines.join("\n")
    }
}

fn shown(value: &rusqlite::types::Value) -> String {
    use rusqlite::types::Value::{Blob, Integer, Null, Real, Text};
    match value {
        Null => "null".to_owned(),
        Integer(it) => format!("{it}"),
        Real(it) => format!("{it:?}"),
        Text(it) => format!("'{it}'"),
        Blob(it) => format!("{} bytes", it.len()),
    }
}

/// A side of these columns, of which the first `keys` tell rows apart.
fn keyed(keys: usize, columns: &[&str]) -> Side {
    Side { identity: (0..keys).collect(), ..side(columns) }
}

/// A row of this number, from one value of the second column to another.
fn change(id: i64, from: Value<'static>, to: Value<'static>) -> Write {
    Write { identity: vec![Value::integer(id)], expected: vec![(1, from)], set: vec![(1, to)], ..Write::default() }
}

fn try_write(writer: &mut SqliteWriter, column: &str, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
    writer.write("a", &keyed(1, &["id", column]), writes)
}

fn write(writer: &mut SqliteWriter, column: &str, writes: &[Write]) -> Vec<Written> {
    try_write(writer, column, writes).unwrap()
}

fn touching(column: &str) -> WriteOptions {
    WriteOptions { updated_at: Some(column.to_owned()), ..WriteOptions::default() }
}

fn text(text: &'static str) -> Value<'static> {
    Value::text(text)
}

fn typed(value: &'static str, of: Type) -> Value<'static> {
    Value::text(value).read_as(of).unwrap()
}

const FOUR: &str = "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT, note TEXT DEFAULT 'kept');
    INSERT INTO a (id, v) VALUES (1, 'old'), (2, 'other'), (4, 'new'), (5, NULL)";

#[test]
fn each_row_is_done_moved_or_gone() {
    for mode in ["wal", "delete"] {
        let file = File::new(mode, FOUR);
        let writes: Vec<Write> = (1..=5).map(|id| change(id, text("old"), text("new"))).collect();
        let wanted = |first| {
            let (other, nothing) =
                (Written::Moved { now: vec![text("other")] }, Written::Moved { now: vec![Value::Null] });
            // The fourth holds already what it is to hold.
            [first, other, Written::Gone, Written::Already, nothing]
        };
        let mut writer = file.writer();
        let stands = writer.stand("a", &keyed(1, &["id", "v"]), &writes).expect("it can be looked at");
        assert!(matches!(stands[..], [Stand::AsExpected, Stand::Moved { .. }, Stand::Gone, Stand::Already, _]));
        assert_eq!(write(&mut writer, "v", &writes), wanted(Written::Done));
        assert_eq!(write(&mut writer, "v", &writes), wanted(Written::Already), "the same call again finds out");
        let found = file.stored("SELECT id, v, note FROM a ORDER BY id");
        assert_eq!(found, "1|'new'|'kept'\n2|'other'|'kept'\n4|'new'|'kept'\n5|null|'kept'");
        assert!(write(&mut writer, "v", &[]).is_empty());
    }
}

#[test]
fn what_is_not_to_be_committed_is_taken_back() {
    let file = File::new("wal", FOUR);
    let (side, writes) = (keyed(1, &["id", "v"]), [change(1, text("old"), text("new"))]);
    let mut writer = file.writer();
    writer.ask_before_commit(Box::new(|| Some("somebody else has the lease".to_owned())));
    for error in [
        writer.write("a", &side, &writes).map(drop).unwrap_err(),
        writer.write_all("a", &side, &writes).map(drop).unwrap_err(),
    ] {
        assert!(error.what.contains("taken back before its commit: somebody else has the lease"), "{error:?}");
    }
    assert_eq!(file.stored("SELECT v FROM a WHERE id = 1"), "'old'");
    writer.ask_before_commit(Box::new(|| None));
    assert_eq!(write(&mut writer, "v", &writes), [Written::Done]);
}

#[test]
fn values_are_stored_in_the_form_of_their_column_and_read_back_as_they_are() {
    let file = File::new(
        "wal",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, i INTEGER, d DECIMAL(10,2), t TEXT, vc VARCHAR(3), b BOOLEAN, w BOOLEAN,
            at DATETIME, epoch TIMESTAMP, day DATE, j JSON, jb JSON, x BLOB, free);
        INSERT INTO a VALUES (1, 7, 12.50, '007', 'old', 1, 't', '2026-01-31T10:00:00.000Z', 1769853600, '2026-01-31',
            '{\"b\": 1.0, \"a\": \"x\"}', jsonb('[1]'), x'00ff', 'text')",
    );
    let (number, moment) = (|it| typed(it, Type::Number), |it| typed(it, Type::Timestamp));
    let mut writer = file.writer();
    for (column, from, to, stored) in [
        ("i", number("7"), number("-9"), "-9"),
        ("d", number("12.5"), number("0.07"), "0.07"),
        ("t", text("007"), text("7"), "'7'"),
        ("vc", text("old"), text("it's \"new\""), "'it's \"new\"'"),
        ("b", Value::Boolean(true), Value::Boolean(false), "0"),
        ("w", Value::Boolean(true), Value::Boolean(false), "'f'"),
        ("at", moment("2026-01-31T10:00:00Z"), moment("2026-02-01T00:00:00.5Z"), "'2026-02-01T00:00:00.500Z'"),
        ("epoch", moment("2026-01-31T10:00:00Z"), moment("2026-02-01T00:00:00Z"), "1769904000"),
        ("day", typed("2026-01-31", Type::Date), typed("1999-12-31", Type::Date), "'1999-12-31'"),
        ("j", Value::Json(r#"{"a":"x","b":1}"#.into()), Value::Json("[2]".into()), "'[2]'"),
        ("jb", Value::Json("[1]".into()), Value::Json(r#"{"a":1}"#.into()), "5 bytes"),
        ("x", Value::Bytes(vec![0, 255].into()), Value::Bytes(vec![1].into()), "1 bytes"),
        ("free", Value::Untyped("text".into()), Value::integer(5), "5"),
    ] {
        let mut once = |from: &Value<'static>, to: &Value<'static>| {
            write(&mut writer, column, &[change(1, from.clone(), to.clone())]).remove(0)
        };
        assert_eq!(once(&from, &to), Written::Done, "{column}");
        assert_eq!(file.stored(&format!("SELECT {column} FROM a")), stored, "{column}");
        assert_eq!(once(&Value::Null, &from), Written::Moved { now: vec![to.clone()] }, "{column}");
        assert_eq!(once(&to, &Value::Null), Written::Done, "{column} to NULL");
        assert_eq!(once(&Value::Null, &from), Written::Done, "{column} from NULL");
    }
}

#[test]
fn what_a_column_would_not_hold_as_it_is_is_refused() {
    let file = File::new(
        "wal",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, d REAL, epoch TIMESTAMP); INSERT INTO a VALUES (1, 1, 1769853600)",
    );
    let half = typed("2026-01-31T10:00:00.5Z", Type::Timestamp);
    for (column, from, to) in [
        ("d", Value::integer(1), typed("0.12345678901234567890123", Type::Number)),
        ("epoch", typed("2026-01-31T10:00:00Z", Type::Timestamp), half),
        ("d", Value::integer(1), Value::Absent),
    ] {
        let written = write(&mut file.writer(), column, &[change(1, from, to)]);
        assert!(matches!(&written[0], Written::Refused { why } if why.contains("cannot hold")), "{written:?}");
    }
    assert_eq!(file.stored("SELECT d, epoch FROM a"), "1.0|1769853600");
}

#[test]
fn identities_and_names_may_be_anything() {
    let file = File::new(
        "wal",
        "CREATE TABLE \"my \"\"a\" (b TEXT NOT NULL, \"SELECT\" INTEGER NOT NULL, \"v\"\"'\" TEXT, PRIMARY KEY (\"SELECT\", b)) WITHOUT ROWID;
        INSERT INTO \"my \"\"a\" VALUES ('x', 1, 'old'), ('y''', 1, 'old');
        CREATE TABLE folded (k TEXT COLLATE NOCASE PRIMARY KEY, v TEXT); INSERT INTO folded VALUES ('K', 'Old'), ('l', 'old');
        CREATE TABLE keyless (v TEXT); INSERT INTO keyless VALUES ('old'), ('old');
        CREATE TABLE timed (at DATETIME PRIMARY KEY, v TEXT); INSERT INTO timed VALUES (1769853600, 'old')",
    );
    let mut writer = file.writer();
    let of = |identity: Vec<Value<'static>>, column: usize| Write {
        identity,
        expected: vec![(column, text("old"))],
        set: vec![(column, text("new"))],
        ..Write::default()
    };
    let composite = keyed(2, &["SELECT", "b", "v\"'"]);
    let writes = [of(vec![Value::integer(1), text("y'")], 2), of(vec![Value::integer(2), text("x")], 2)];
    assert_eq!(writer.write("my \"a", &composite, &writes).unwrap(), [Written::Done, Written::Gone]);
    let folded = [of(vec![text("K")], 1), of(vec![text("L")], 1), of(vec![text("l")], 1)];
    let written = writer.write("folded", &keyed(1, &["k", "v"]), &folded).unwrap();
    assert_eq!(written, [Written::Moved { now: vec![text("Old")] }, Written::Gone, Written::Done]);
    let numbered = [of(vec![Value::integer(2)], 1)];
    assert_eq!(writer.write("keyless", &keyed(1, &["rowid", "v"]), &numbered).unwrap(), [Written::Done]);
    let timed = [of(vec![typed("2026-01-31T10:00:00Z", Type::Timestamp)], 1)];
    assert_eq!(writer.write("timed", &keyed(1, &["at", "v"]), &timed).unwrap(), [Written::Done]);
    assert_eq!(file.stored("SELECT v FROM keyless"), "'old'\n'new'");
    assert_eq!(file.stored("SELECT b FROM \"my \"\"a\" WHERE \"v\"\"'\" = 'new'"), "'y''");
}

#[test]
fn the_time_of_the_change_takes_the_form_that_is_there() {
    for (form, looks) in [
        ("'2001-01-01 00:00:00'", "____-__-__ __:__:__"),
        ("'2001-01-01T00:00:00.000Z'", "____-__-__T__:__:__.___Z"),
        ("978307200", "__________"),
        ("978307200000000", "________________"),
    ] {
        let file = File::new(
            "wal",
            &format!(
                "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT, at DATETIME);
            INSERT INTO a VALUES (1, 'old', {form}), (2, 'old', NULL), (3, 'x', {form})"
            ),
        );
        let writes: Vec<Write> = (1..=3).map(|id| change(id, text("old"), text("new"))).collect();
        assert_eq!(write(&mut file.writer_with(touching("at")), "v", &writes)[..2], [Written::Done, Written::Done]);
        let looks = format!("SELECT id FROM a WHERE at LIKE '{looks}' AND at > {form}");
        assert_eq!(file.stored(&looks), "1\n2", "{form}");
        assert_eq!(file.stored(&format!("SELECT id FROM a WHERE at = {form}")), "3", "what moved is not touched");
    }
}

#[test]
fn as_many_as_a_call_may_have_and_of_several_kinds() {
    let file = File::new(
        "wal",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT, w INTEGER);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO a SELECT i, 'old', i FROM n",
    );
    let number = Value::integer;
    let of = |id: i64| match id % 2 {
        0 => change(id, text("old"), text("new")),
        _ => Write {
            identity: vec![number(id)],
            expected: vec![(2, number(id))],
            set: vec![(2, number(-id)), (1, Value::Null)],
            ..Write::default()
        },
    };
    let writes: Vec<Write> = (1..=500).rev().map(of).collect();
    let written = file.writer().write("a", &keyed(1, &["id", "v", "w"]), &writes).unwrap();
    assert!(written.iter().all(|written| *written == Written::Done), "{written:?}");
    let found =
        "SELECT count(*) FILTER (WHERE v = 'new' AND w > 0), count(*) FILTER (WHERE v IS NULL AND w = -id) FROM a";
    assert_eq!(file.stored(found), "250|250");
}
