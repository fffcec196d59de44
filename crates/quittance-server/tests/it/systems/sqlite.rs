//! SQLite files as an application has them: every form of table and key, beside its writer.

mod writing;

use super::{check_error, find, read, read_all, side};
use quittance_core::record::value::{Type, Value};
use quittance_server::systems::sqlite::{PATIENCE, Sqlite};
use quittance_server::systems::{Blame, System, Wanted};
use rusqlite::Connection;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

struct File {
    folder: TempDir,
    writer: Connection,
}

impl File {
    fn new(mode: &str, schema: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let writer = Connection::open(folder.path().join("app.db")).unwrap();
        writer.pragma_update(None, "journal_mode", mode).unwrap();
        writer.execute_batch(schema).unwrap();
        Self { folder, writer }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    fn open(&self) -> Sqlite {
        Sqlite::open("app", &self.path(), PATIENCE).unwrap()
    }
}

const ACCOUNTS: &str = "
    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY, stripe_id TEXT, status VARCHAR(20), active BOOLEAN, balance DECIMAL(10,2),
        updated_at DATETIME, born DATE, settings JSON, anything, picture BLOB,
        \"order of \"\"things\"\"\" INTEGER, twice INTEGER GENERATED ALWAYS AS (id * 2)
    );
    CREATE INDEX accounts_by_stripe_id ON accounts (stripe_id);
    INSERT INTO accounts (id, stripe_id, status, active, balance, updated_at, born, settings, anything, picture) VALUES
        (1, 'sub_1', 'active', 1, 12.50, '2026-01-31 10:00:00', '1990-05-01', '{\"b\": 1, \"a\": {\"c\": \"x\"}}', 'text',
         x'00ff'),
        (2, 'SUB_1', NULL, 0, '7', 1769853600, NULL, jsonb('{\"a\": {\"c\": 7}}'), 5, NULL),
        (3, NULL, 'past_due', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    CREATE VIEW paying AS SELECT id, status, balance * 2 AS doubled FROM accounts WHERE status IS NOT NULL;
";

#[test]
fn rows_of_a_table_are_what_it_declares() {
    let file = File::new("wal", ACCOUNTS);
    let mut system = file.open();
    let description = system.describe("accounts").unwrap();
    assert_eq!(description.identity, ["id"]);
    let names: Vec<&str> = description.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(&names[9..], ["picture", "order of \"things\"", "twice"]);
    let types: Vec<Option<Type>> = description.columns.iter().map(|(_, declared)| *declared).collect();
    assert_eq!(
        types[3..8],
        [Some(Type::Boolean), Some(Type::Number), Some(Type::Timestamp), Some(Type::Date), Some(Type::Json)]
    );
    assert_eq!(types[8], None);
    let columns = ["id", "status", "active", "balance", "updated_at", "born", "anything", "picture", "twice"];
    assert_eq!(
        read_all(&mut system, "accounts", &columns),
        [
            "Number 1 | Text active | Boolean true | Number 12.5 | Timestamp 2026-01-31T10:00:00Z | Date 1990-05-01 | \
         Untyped text | Bytes 00ff | Number 2",
            "Number 2 | NULL | Boolean false | Number 7 | Timestamp 2026-01-31T10:00:00Z | NULL | Number 5 | NULL | Number 4",
            "Number 3 | Text past_due | NULL | NULL | NULL | NULL | NULL | NULL | Number 6",
        ]
    );
    assert_eq!(system.estimate("accounts").unwrap(), Some(3));
}

#[test]
fn json_is_read_from_text_and_from_the_binary_form() {
    let mut system = File::new("wal", ACCOUNTS).open();
    let rows = read_all(&mut system, "accounts", &["settings", "settings|/a/c"]);
    assert_eq!(rows[0], "Json {\"a\":{\"c\":\"x\"},\"b\":1} | Text x");
    assert_eq!(rows[1], "Json {\"a\":{\"c\":7}} | Number 7");
    assert_eq!(rows[2], "NULL | NULL");
}

#[test]
fn views_are_read_and_tell_no_rows_apart() {
    let mut system = File::new("delete", ACCOUNTS).open();
    let description = system.describe("paying").unwrap();
    assert!(description.identity.is_empty());
    assert_eq!(description.columns[2], ("doubled".to_owned(), None));
    assert_eq!(read_all(&mut system, "paying", &["id", "doubled"]), ["Number 1 | Number 25", "Number 3 | NULL"]);
    assert_eq!(system.estimate("paying").unwrap(), None);
    assert!(!system.can_find("paying", &side(&["id"]), &[0]));
    assert_eq!(find(&mut system, "paying", &["id", "status"], &[1], &[&[Value::text("past_due")]]).len(), 1);
}

#[test]
fn names_are_found_as_sqlite_finds_them() {
    let mut system = File::new("wal", ACCOUNTS).open();
    let rows = read_all(&mut system, "Accounts", &["ID", "order of \"things\"", "rowid"]);
    assert_eq!(rows[0], "Number 1 | NULL | Number 1");
}

#[test]
fn keys_of_every_kind_tell_rows_apart() {
    let file = File::new(
        "wal",
        "
        CREATE TABLE composite (b TEXT NOT NULL, a INTEGER NOT NULL, v, PRIMARY KEY (a, b)) WITHOUT ROWID;
        INSERT INTO composite VALUES ('x', 1, 'one'), ('y', 1, 'two');
        CREATE TABLE keyless (v); INSERT INTO keyless VALUES ('one'), ('two');
        CREATE TABLE taken (rowid TEXT, v); INSERT INTO taken VALUES ('mine', 1);
        CREATE TABLE nullable (k TEXT PRIMARY KEY, v); INSERT INTO nullable VALUES ('a', 1);
        CREATE TABLE nulled (k TEXT PRIMARY KEY, v); INSERT INTO nulled VALUES (NULL, 1), (NULL, 2);
    ",
    );
    let mut system = file.open();
    for (table, identity) in [
        ("composite", &["a", "b"][..]),
        ("keyless", &["rowid"]),
        ("taken", &["_rowid_"]),
        ("nullable", &["k"]),
        ("nulled", &["rowid"]),
    ] {
        assert_eq!(system.describe(table).unwrap().identity, identity, "{table}");
    }
    assert_eq!(read_all(&mut system, "taken", &["_rowid_", "rowid"]), ["Number 1 | Text mine"]);
    assert_eq!(system.describe("keyless").unwrap().columns.len(), 2, "what tells rows apart is a column");
    let wanted: &[&[Value<'static>]] =
        &[&[Value::integer(1), Value::text("y")], &[Value::integer(2), Value::text("x")]];
    assert!(system.can_find("composite", &side(&["a", "b"]), &[0, 1]));
    assert_eq!(find(&mut system, "composite", &["a", "b", "v"], &[0, 1], wanted), ["Number 1 | Text y | Untyped two"]);
    assert_eq!(system.estimate("composite").unwrap(), Some(2));
}

#[test]
fn lookups_find_what_is_equal_in_canonical_form_and_nothing_else() {
    let file = File::new("wal", ACCOUNTS);
    file.writer
        .execute_batch(
            "
        CREATE TABLE folded (k TEXT COLLATE NOCASE PRIMARY KEY); INSERT INTO folded VALUES ('Abc');
    ",
        )
        .unwrap();
    let mut system = file.open();
    let columns = ["stripe_id", "id", "balance", "updated_at", "active", "settings|/a/c"];
    assert!(system.can_find("accounts", &side(&columns), &[0]));
    assert!(system.can_find("accounts", &side(&columns), &[1]));
    assert!(!system.can_find("accounts", &side(&columns), &[2]), "there is no index");
    assert!(!system.can_find("accounts", &side(&columns), &[3]), "a moment is stored in many ways");
    let ids = |system: &mut Sqlite, at: usize, value: Value<'static>| {
        find(system, "accounts", &columns, &[at], &[&[value]])
            .iter()
            .map(|row| row.split(" | ").nth(1).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let number = |text: &'static str| Value::Untyped(text.into()).read_as(Type::Number).unwrap();
    assert_eq!(ids(&mut system, 0, Value::text("sub_1")), ["Number 1"]);
    assert_eq!(ids(&mut system, 0, Value::Untyped("SUB_1".into())), ["Number 2"]);
    assert_eq!(ids(&mut system, 2, number("12.5")), ["Number 1"]);
    assert_eq!(ids(&mut system, 2, number("7")), ["Number 2"]);
    let at = Value::text("2026-01-31T10:00:00Z").read_as(Type::Timestamp).unwrap();
    assert_eq!(ids(&mut system, 3, at), ["Number 1", "Number 2"]);
    assert_eq!(ids(&mut system, 4, Value::Boolean(false)), ["Number 2"]);
    assert_eq!(ids(&mut system, 5, Value::text("x")), ["Number 1"]);
    assert!(find(&mut system, "folded", &["k"], &[0], &[&[Value::text("ABC")]]).is_empty());
    assert_eq!(find(&mut system, "folded", &["k"], &[0], &[&[Value::text("Abc")]]), ["Text Abc"]);
    assert!(find(&mut system, "accounts", &["id"], &[0], &[]).is_empty());
}

#[test]
fn a_log_gives_one_moment_and_leaves_the_writer_alone() {
    let file = File::new("wal", ACCOUNTS);
    let mut system = file.open();
    assert_eq!(read_all(&mut system, "accounts", &["id"]).len(), 3);
    file.writer.execute_batch("DELETE FROM accounts WHERE id = 1; CREATE TABLE later (x)").unwrap();
    assert_eq!(read_all(&mut system, "accounts", &["id"]).len(), 3);
    assert!(system.describe("later").is_err());
    system.refresh().unwrap();
    assert_eq!(read_all(&mut system, "accounts", &["id"]).len(), 2);
    assert!(system.describe("later").is_ok());
}

#[test]
fn without_a_log_a_writer_waits_for_no_more_than_one_reading() {
    let file = File::new("delete", ACCOUNTS);
    file.writer.busy_timeout(Duration::ZERO).unwrap();
    let mut system = file.open();
    assert_eq!(read_all(&mut system, "accounts", &["id"]).len(), 3);
    file.writer.execute_batch("DELETE FROM accounts WHERE id = 1").unwrap();
    assert_eq!(read_all(&mut system, "accounts", &["id"]).len(), 2);
}

#[test]
fn a_reader_may_stop_and_nothing_is_ever_written() {
    let file = File::new("delete", ACCOUNTS);
    let before = std::fs::read(file.path()).unwrap();
    let mut system = file.open();
    let reading = system.read("accounts", &side(&["id"]), &Wanted::All, &mut |_| ControlFlow::Break(())).unwrap();
    assert_eq!(reading.rows, 1);
    drop(system);
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
    assert_eq!(file.folder.path().read_dir().unwrap().count(), 1);
}

#[test]
fn what_is_not_there_is_a_mistake_of_the_configuration() {
    let file = File::new("wal", ACCOUNTS);
    let open = |name: &str| Sqlite::open("app", &file.folder.path().join(name), PATIENCE);
    check_error(open("ap.db"), Blame::Configuration, &["there is no file", "ap.db", "did you mean `app.db`?"]);
    check_error(open("no/app.db"), Blame::Configuration, &["there is no folder"]);
    check_error(open(""), Blame::Configuration, &["is a folder"]);
    assert!(!file.folder.path().join("ap.db").exists(), "nothing is created");
    let mut system = file.open();
    check_error(
        system.describe("acounts"),
        Blame::Configuration,
        &["no table or view `acounts`", "system `app`", "did you mean `accounts`?"],
    );
    check_error(system.describe("nothing_like_it"), Blame::Configuration, &["known are accounts, paying"]);
    check_error(
        read(&mut system, "accounts", &["stauts"], &Wanted::All),
        Blame::Configuration,
        &["no column `stauts` in `accounts`", "did you mean `status`?"],
    );
}

#[test]
fn what_cannot_be_read_is_the_files_fault() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("text.db");
    std::fs::write(&path, "no database, and longer than the header of one would be: ".repeat(20)).unwrap();
    check_error(Sqlite::open("app", &path, PATIENCE), Blame::Outside, &["not an SQLite database", "text.db"]);

    let file = File::new("delete", ACCOUNTS);
    file.writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let locked = Sqlite::open("app", &file.path(), Duration::ZERO).and_then(|mut system| system.describe("accounts"));
    check_error(locked, Blame::Outside, &["locked by another process"]);
    file.writer.execute_batch("ROLLBACK").unwrap();

    file.writer.execute("INSERT INTO accounts (id, status) VALUES (9, CAST(x'ff41' AS TEXT))", []).unwrap();
    let mut system = file.open();
    check_error(
        read(&mut system, "accounts", &["id", "status"], &Wanted::All),
        Blame::Outside,
        &["column `status` of `accounts`", "not UTF-8"],
    );
}

#[test]
fn a_damaged_file_is_said_to_be_damaged() {
    let file = File::new("delete", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
    file.writer
        .execute_batch(
            "
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
        INSERT INTO t SELECT i, hex(randomblob(50)) FROM n
    ",
        )
        .unwrap();
    let mut bytes = std::fs::read(file.path()).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    let path = file.folder.path().join("damaged.db");
    std::fs::write(&path, bytes).unwrap();
    let mut system = Sqlite::open("app", &path, PATIENCE).unwrap();
    check_error(
        read(&mut system, "t", &["id", "v"], &Wanted::All),
        Blame::Outside,
        &["damaged.db", "is damaged", "integrity_check"],
    );
}
