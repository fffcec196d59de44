//! Who may open what: one writer, readers beside it, and only our own data.

use crate::support::{READY, RunningChild, Writes, append, appended, child_directory, say};
use quittance_sqlite::SqliteDatabase;
use quittance_store::store::{Change, Claim, Loaded, Read, Reader, Share, Store, StoreError, TakeOver, Work};
use quittance_store::tables::EFFECTS;
use rusqlite::Connection;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

#[test]
fn reopening_keeps_data_and_raises_the_epoch() {
    let directory = tempfile::tempdir().unwrap();
    for epoch in 1..=3 {
        let mut store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
        assert_eq!(store.writer_epoch(), epoch);
        assert_eq!(appended(&mut store), epoch - 1);
        append(&mut store, epoch, 10).unwrap();
    }
}

#[test]
fn directory_is_for_the_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("new/data");
    let mut store = SqliteDatabase::open_for_writing(&directory).unwrap();
    append(&mut store, 1, 10).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for file in ["quittance.db", "quittance.db-wal", "quittance.db-shm", "lock"] {
        assert_eq!(mode(&directory.join(file)), 0o600, "{file}");
    }
}

#[test]
fn second_writer_in_this_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    let second = SqliteDatabase::open_for_writing(directory.path()).map(|_| ());
    let Err(StoreError::Locked { path }) = second else { panic!("{second:?}") };
    assert_eq!(Path::new(&path), directory.path());
    drop(store);
    SqliteDatabase::open_for_writing(directory.path()).unwrap();
}

/// The child: holds the lock until it is killed or its parent hangs up.
#[test]
fn child_holds_the_lock() {
    let Some(directory) = child_directory() else { return };
    let _store = SqliteDatabase::open_for_writing(directory).unwrap();
    say(READY);
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn second_writer_in_another_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = RunningChild::start("opening::child_holds_the_lock", directory.path());
    child.next(READY);
    let second = SqliteDatabase::open_for_writing(directory.path()).map(|_| ());
    assert!(matches!(second, Err(StoreError::Locked { .. })), "{second:?}");
    SqliteDatabase::open_reader(directory.path()).unwrap();
    child.kill();
    SqliteDatabase::open_for_writing(directory.path()).unwrap();
}

#[test]
fn leases_of_a_dead_writer_are_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let share = Share { lane: vec!["".into(), "".into()], limit: 9 };
    let claim = |now, owner| Claim { shares: vec![share.clone()], now, owner, leased_until: now + 30 };
    let mut first = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    let mut row = vec![quittance_store::value::Value::from(""); EFFECTS.columns.len()];
    for (value, column) in row.iter_mut().zip(EFFECTS.columns) {
        match column.kind {
            quittance_store::schema::Kind::Integer => *value = 1.into(),
            quittance_store::schema::Kind::Bytes => *value = [1].into(),
            quittance_store::schema::Kind::Text => {}
        }
    }
    row[EFFECTS.position("lease_owner")] = 0.into();
    crate::support::write(&mut first, vec![Change::Insert { table: &EFFECTS, row }]).unwrap();
    let owner = first.writer_epoch();
    assert_eq!(first.claim(&EFFECTS, &claim(1, owner)).unwrap().len(), 1);
    drop(first);
    let mut second = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    let owner = second.writer_epoch();
    assert!(second.claim(&EFFECTS, &claim(2, owner)).unwrap().is_empty(), "leased to the first");
    assert_eq!(second.take_over(&EFFECTS, &TakeOver { owner, now: 2, due_at_max: 99 }).unwrap(), 1);
    assert_eq!(second.claim(&EFFECTS, &claim(2, owner)).unwrap().len(), 1);
}

#[test]
fn reader_sees_committed_state_only() {
    struct Peek<'a>(&'a mut dyn Reader);
    impl Work for Peek<'_> {
        fn reads(&mut self, _: &Loaded) -> Vec<Read> {
            Vec::new()
        }
        fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
            assert_eq!(appended(self.0), 1, "a reader is not kept waiting by a transaction");
            Ok(Vec::new())
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let mut store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    let mut reader = SqliteDatabase::open_reader(directory.path()).unwrap();
    assert_eq!(appended(&mut reader), 0);
    append(&mut store, 1, 10).unwrap();
    store.transact("peeking", &mut Peek(&mut reader)).unwrap();
    // The last record of this transaction exists already, so the ones before it were written and taken back.
    append(&mut store, 1, 10).unwrap_err();
    assert_eq!(appended(&mut reader), 1);
    drop(store);
    assert_eq!(appended(&mut reader), 1, "after the writer has closed");
    assert_eq!(appended(&mut SqliteDatabase::open_reader(directory.path()).unwrap()), 1, "without any writer");
}

#[test]
fn reader_needs_data() {
    let directory = tempfile::tempdir().unwrap();
    let check = |path: &Path| {
        let missing = SqliteDatabase::open_reader(path).map(|_| ());
        assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
    };
    check(directory.path());
    check(&directory.path().join("nowhere"));
    fs::write(directory.path().join("quittance.db"), "").unwrap();
    check(directory.path());
}

#[test]
fn newer_schema_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(SqliteDatabase::open_for_writing(directory.path()).unwrap());
    let database = Connection::open(directory.path().join("quittance.db")).unwrap();
    database.execute("INSERT INTO schema_version (version) VALUES (999)", []).unwrap();
    drop(database);
    let writer = SqliteDatabase::open_for_writing(directory.path()).map(|_| ());
    let reader = SqliteDatabase::open_reader(directory.path()).map(|_| ());
    for refused in [writer, reader] {
        assert!(matches!(refused, Err(StoreError::NewerSchema { found: 999, .. })), "{refused:?}");
    }
}

#[test]
fn data_of_others_is_refused_and_left_alone() {
    let check = |prepare: &dyn Fn(&Path)| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("quittance.db");
        prepare(&path);
        let before = fs::read(&path).unwrap();
        let writer = SqliteDatabase::open_for_writing(directory.path()).map(|_| ());
        let reader = SqliteDatabase::open_reader(directory.path()).map(|_| ());
        for refused in [writer, reader] {
            assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    };
    check(&|path| Connection::open(path).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap());
    check(&|path| Connection::open(path).unwrap().execute_batch("PRAGMA application_id = 42").unwrap());
    check(&|path| fs::write(path, "no database at all ".repeat(100)).unwrap());
}

#[test]
fn a_database_that_is_gone_is_not_begun_anew() {
    let check = |lose: &dyn Fn(&Path)| {
        for keeps_log in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let (database, log) = (directory.path().join("quittance.db"), directory.path().join("quittance.db-wal"));
            let mut store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
            assert!(
                fs::metadata(&database).unwrap().len() > 0,
                "a live database is never empty, whatever its log holds"
            );
            append(&mut store, 1, 10).unwrap();
            let kept = fs::read(&log).unwrap();
            drop(store);
            lose(&database);
            if keeps_log {
                fs::write(&log, kept).unwrap();
            }
            let refused = SqliteDatabase::open_for_writing(directory.path()).map(|_| ());
            assert!(matches!(refused, Err(StoreError::Corrupt { .. })), "{refused:?}");
        }
    };
    check(&|database| fs::remove_file(database).unwrap());
    check(&|database| fs::write(database, "").unwrap());
}

#[test]
fn a_writer_whose_lock_was_taken_from_it_writes_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    append(&mut first, 1, 10).unwrap();
    fs::remove_file(directory.path().join("lock")).unwrap();
    let mut second = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    let refused = append(&mut first, 2, 10);
    assert!(matches!(refused, Err(StoreError::Locked { .. })), "{refused:?}");
    append(&mut second, 2, 10).unwrap();
    assert_eq!(appended(&mut second), 2);
}

#[test]
fn place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = SqliteDatabase::open_for_writing(file.join("data")).map(|_| ());
    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
}

#[test]
fn read_only_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    drop(SqliteDatabase::open_for_writing(directory.path()).unwrap());
    let set_mode = |mode| fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
    set_mode(0o500);
    if fs::write(directory.path().join("probe"), "").is_ok() {
        set_mode(0o700);
        return run_as_nobody("opening::read_only_directory_is_named");
    }
    let reader = SqliteDatabase::open_reader(directory.path()).map(|_| ());
    let writer = SqliteDatabase::open_for_writing(directory.path()).map(|_| ());
    set_mode(0o700);
    assert!(matches!(reader, Err(StoreError::ReadOnly { .. })), "{reader:?}");
    assert!(matches!(writer, Err(StoreError::ReadOnly { .. })), "{writer:?}");
}

/// Permissions do not bind the superuser, so its tests of them run again as nobody.
fn run_as_nobody(test: &str) {
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("it");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(program);
    command.args([test, "--exact"]).uid(NOBODY).gid(NOBODY).current_dir("/").env("TMPDIR", "/tmp");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn work_without_changes_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    let log = directory.path().join("quittance.db-wal");
    let before = fs::metadata(&log).unwrap().len();
    store.transact("nothing", &mut Writes(Vec::new())).unwrap();
    assert_eq!(fs::metadata(&log).unwrap().len(), before);
}
