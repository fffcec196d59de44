//! Running out of space: refused, nothing lost, and working again once there is space.

use crate::support::{append, appended, child_command, child_directory, say, skip};
use quittance_sqlite::{SqliteDatabase, SqliteStore};
use quittance_store::store::StoreError;
use std::fs;

/// Appends until the store refuses, and returns how many were acknowledged in all.
fn fill(store: &mut SqliteStore, from: i64) -> i64 {
    for number in from.. {
        match append(store, number, 9_000) {
            Ok(()) => assert!(number < 10_000, "space never ran out"),
            Err(StoreError::Full { operation: "test" }) => return number - 1,
            Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
        }
    }
    unreachable!("numbers do not end")
}

#[test]
fn bounded_file_refuses_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = SqliteDatabase::open_for_writing(directory.path()).unwrap();
    let mut acknowledged = 0;
    for pages in [200, 300, 310] {
        store.set_pages_max(pages).unwrap();
        acknowledged = fill(&mut store, acknowledged + 1);
        assert_eq!(appended(&mut store), acknowledged);
    }
    store.set_pages_max(10_000).unwrap();
    append(&mut store, acknowledged + 1, 9_000).unwrap();
    assert_eq!(appended(&mut SqliteDatabase::open_reader(directory.path()).unwrap()), acknowledged + 1);
    drop(store);
    SqliteDatabase::check_integrity(directory.path()).unwrap();
}

/// The child: fills a file system that holds nothing else.
#[test]
fn child_fills_the_disk() {
    let Some(directory) = child_directory() else { return };
    let ballast = directory.join("ballast");
    fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let data = directory.join("data");
    let mut store = SqliteDatabase::open_for_writing(&data).unwrap();
    let acknowledged = fill(&mut store, 1);
    assert!(acknowledged > 10, "{acknowledged}");
    assert_eq!(appended(&mut store), acknowledged);
    append(&mut store, acknowledged + 1, 9_000).unwrap_err();
    fs::remove_file(&ballast).unwrap();
    append(&mut store, acknowledged + 1, 9_000).unwrap();
    let acknowledged = fill(&mut store, acknowledged + 2);
    drop(store);
    assert_eq!(appended(&mut SqliteDatabase::open_reader(&data).unwrap()), acknowledged);
    say("filled");
}

#[test]
fn full_disk_refuses_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=4m tmpfs \"$0\" && echo mounted && exec \"$@\"";
    let path = directory.path().to_str().unwrap();
    // In a mount namespace of its own, which ends with the process.
    let through = ["unshare", "--mount", "sh", "-c", mount, path];
    let Ok(outcome) = child_command(&through, "space::child_fills_the_disk", directory.path()).output() else {
        return skip("full disk: there is no `unshare`; install util-linux");
    };
    let said = String::from_utf8_lossy(&outcome.stdout);
    if !said.contains("mounted") {
        return skip("full disk: mounting a small file system is not permitted; run as root, or with CAP_SYS_ADMIN");
    }
    assert!(said.contains("filled"), "{said}\n{}", String::from_utf8_lossy(&outcome.stderr));
}
