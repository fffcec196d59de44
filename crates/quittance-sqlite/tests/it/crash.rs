//! A writer killed at any moment: what it acknowledged is there, and nothing is torn.

use crate::support::{RunningChild, append, appended, child_directory, say};
use quittance_sqlite::SqliteDatabase;
use quittance_store::store::Store;

/// Rounds of writing and killing, and acknowledgements awaited in each.
const ROUNDS: i64 = 10;

/// The child: appends for ever and acknowledges each transaction.
#[test]
fn child_appends() {
    let Some(directory) = child_directory() else { return };
    let mut store = SqliteDatabase::open_for_writing(directory).unwrap();
    let first = appended(&mut store) + 1;
    for number in first.. {
        append(&mut store, number, 700).unwrap();
        say(&format!("acknowledged {number}"));
    }
}

#[test]
fn acknowledged_transactions_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    for round in 1..=ROUNDS {
        let mut child = RunningChild::start("crash::child_appends", directory.path());
        // A different number each time, so that the kill meets commits, checkpoints and the first moments alike.
        let mut acknowledged = 0;
        for _ in 0..round * round {
            acknowledged = child.next("acknowledged ").parse().unwrap();
        }
        child.kill();
        // First without a writer: a reader alone recovers the log that was left.
        let seen = appended(&mut SqliteDatabase::open_reader(directory.path()).unwrap());
        assert!(seen >= acknowledged, "{acknowledged} acknowledged, a reader sees {seen}");
        let mut store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
        assert_eq!(appended(&mut store), seen);
        assert_eq!(store.writer_epoch(), round * 2);
        drop(store);
        SqliteDatabase::check_integrity(directory.path()).unwrap();
    }
}

#[test]
fn log_of_a_killed_writer_is_read_beside_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = RunningChild::start("crash::child_appends", directory.path());
    let acknowledged: i64 = child.next("acknowledged ").parse().unwrap();
    let mut reader = SqliteDatabase::open_reader(directory.path()).unwrap();
    assert!(appended(&mut reader) >= acknowledged, "a reader beside a writer in another process");
    child.kill();
    let after_kill = appended(&mut reader);
    let mut store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    assert_eq!(appended(&mut store), after_kill);
    append(&mut store, after_kill + 1, 10).unwrap();
    assert_eq!(appended(&mut reader), after_kill + 1);
}
