//! Runs that are kept: what is new, gone and still there, and proofs that are checked again.

use super::{File, compare, pair};
use quittance_core::id::RunId;
use quittance_core::time::Timestamp;
use quittance_server::diff::{EventLog, History, Told, When, tell, verify};
use quittance_sqlite::SqliteDatabase;
use quittance_store::records::{Disposition, Entity, EventSource, InboxEntry};
use quittance_store::store::{Change, Loaded, Read, Store, Work};
use quittance_store::tables::INBOX;
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;

const PAIR: &str = "[pairs.p]\nleft = { system = \"a\", table = \"t\" }\nright = { system = \"b\", table = \"t\" }\n\
    match = [ { left = \"id\", right = \"id\" } ]\nfields = [ { left = \"status\", right = \"status\" } ]\n";

/// A run at a second, kept.
fn run(left: &File, right: &File, data: &Path, second: u8) -> Told {
    let outcome = compare(&pair(PAIR), &mut left.open(), &mut right.open(), || {}).expect("compared");
    let at = Timestamp::from_seconds(i64::from(second));
    let when = When { id: RunId::from_bytes([second; 16]), started_at: at, ended_at: at };
    let mut history = History::open(&data.into()).expect("opened");
    let previous = history.newest("p").expect("readable");
    let told =
        tell(&outcome, when, previous.as_ref(), &mut EventLog::open(&data.into()).expect("no ledger")).expect("told");
    history.keep(&told.run, &told.drifts).expect("kept");
    told
}

#[test]
fn the_next_run_knows_what_is_new_gone_and_still_there() {
    let schema = "CREATE TABLE t (id TEXT PRIMARY KEY, status TEXT);";
    let left = File::new(&format!("{schema} INSERT INTO t VALUES ('a', 'x'), ('b', 'x'), ('c', 'x')"));
    let right = File::new(&format!("{schema} INSERT INTO t VALUES ('a', 'y'), ('b', 'y'), ('c', 'x')"));
    let data = TempDir::new().expect("a folder");
    let first = run(&left, &right, data.path(), 1);
    assert_eq!(first.json["previous_run_id"], json!(null));
    right
        .writer
        .execute_batch("UPDATE t SET status = 'x' WHERE id = 'a'; UPDATE t SET status = 'y' WHERE id = 'c'")
        .expect("rows");
    let second = run(&left, &right, data.path(), 2);
    let lines: Vec<_> = second.json["differences"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| (line["key"].clone(), line["is_new"].clone(), line["first_seen_at"].clone()))
        .collect();
    assert_eq!(
        lines,
        [
            (json!("b"), json!(false), json!("1970-01-01T00:00:01Z")),
            (json!("c"), json!(true), json!("1970-01-01T00:00:02Z")),
        ]
    );
    assert_eq!(
        second.json["gone"],
        json!([{"key": "a", "kind": "different", "first_seen_at": "1970-01-01T00:00:01Z"}])
    );
    assert_eq!(second.json["previous_run_id"], json!(first.run.id.to_string()));
    assert_eq!(verify(&data.path().into()).expect("readable"), (2, Vec::new()));
}

#[test]
fn a_proof_whose_findings_were_changed_does_not_hold() {
    let schema = "CREATE TABLE t (id TEXT PRIMARY KEY, status TEXT);";
    let left = File::new(&format!("{schema} INSERT INTO t VALUES ('a', 'x'), ('b', 'x')"));
    let right = File::new(&format!("{schema} INSERT INTO t VALUES ('a', 'y'), ('b', 'x')"));
    let data = TempDir::new().expect("a folder");
    run(&left, &right, data.path(), 1);
    let stored = rusqlite::Connection::open(data.path().join("drift").join("quittance.db")).expect("the runs");
    stored.execute_batch("UPDATE drifts SET standing = 'settled'").expect("a row");
    let (checked, broken) = verify(&data.path().into()).expect("readable");
    assert_eq!((checked, broken.len()), (1, 1), "{broken:?}");
    stored.execute_batch("DELETE FROM drifts").expect("a row");
    let (checked, broken) = verify(&data.path().into()).expect("readable");
    assert_eq!((checked, broken.len()), (1, 1));
    assert!(broken[0].what.contains("0 of 1"), "{broken:?}");
}

struct Write(Vec<Change>);

impl Work for Write {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
        Ok(self.0.clone())
    }
}

#[test]
fn where_events_are_received_each_difference_tells_which_was_seen() {
    let schema = "CREATE TABLE t (id TEXT PRIMARY KEY, status TEXT);";
    let left = File::new(&format!("{schema} INSERT INTO t VALUES ('sub_1', 'x'), ('sub_2', 'x')"));
    let right = File::new(&format!("{schema} INSERT INTO t VALUES ('sub_1', 'y'), ('sub_2', 'y')"));
    let data = TempDir::new().expect("a folder");
    let seen = |told: &Told| -> Vec<_> {
        told.json["differences"].as_array().expect("lines").iter().map(|line| line["event_seen"].clone()).collect()
    };
    assert_eq!(seen(&run(&left, &right, data.path(), 1)), [json!(null), json!(null)], "no events are received here");
    let entry = |event: &str, second: i64| InboxEntry {
        gateway: "stripe".into(),
        event: event.into(),
        kind: "customer.subscription.updated".into(),
        object: Some("sub_1".into()),
        book: None,
        disposition: Disposition::Ignored,
        source: EventSource::Webhook,
        endpoint: None,
        secret: None,
        verified_at: None,
        received_at: Timestamp::from_seconds(second),
        body: Vec::new(),
    };
    let rows =
        [entry("evt_2", 20), entry("evt_1", 10)].map(|entry| Change::Insert { table: &INBOX, row: entry.to_row() });
    let mut store = SqliteDatabase::open_for_writing(data.path()).expect("a ledger");
    store.transact("test", &mut Write(rows.to_vec())).expect("stored");
    let expected = json!({
        "id": "evt_2", "type": "customer.subscription.updated", "received_at": "1970-01-01T00:00:20Z", "source": "webhook",
    });
    assert_eq!(
        seen(&run(&left, &right, data.path(), 2)),
        [expected, json!(false)],
        "beside a server that holds the ledger"
    );
}
