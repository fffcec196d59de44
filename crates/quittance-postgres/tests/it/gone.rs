//! Writers that are gone: their leases end and no others', and their rows stay no longer than anybody may ask.

use crate::proxy::{Cut, Proxy};
use crate::support::{Place, found, open, options, transfer, transfer_while};
use quittance_postgres::{Options, PostgresDatabase, PostgresStore};
use quittance_store::store::{Claim, Share, Store, StoreError};
use quittance_store::tables::GATEWAY_OBJECTS;
use quittance_store::value::Value;
use std::thread;
use std::time::Duration;

/// A writer that believes at once that others are gone.
fn hasty(place: &Place) -> PostgresStore {
    let options = Options { gone_after: Duration::ZERO, ..options() };
    PostgresDatabase::open_for_writing(&place.url(), &options).unwrap()
}

/// Makes objects that are due.
fn put(place: &Place, objects: &[&str]) {
    for object in objects {
        place.sql(&format!(
            "INSERT INTO quittance.gateway_objects (gateway, object, kind, state, read_sequence, is_stale, tries, \
             first_seen_at, due_at, lease_owner, lease_epoch, version) \
             VALUES ('card', '{object}', 'payment', 'unread', 0, 0, 0, 0, 1, 0, 0, 1)"
        ));
    }
}

/// Claims one object under the writer's own name; its name and epoch.
fn claim(store: &mut PostgresStore) -> Option<(Value, Value)> {
    let (owner, shares) = (store.writer_epoch(), vec![Share { lane: vec!["card".into()], limit: 1 }]);
    let rows = store.claim(&GATEWAY_OBJECTS, &Claim { shares, now: 10, owner, leased_until: 40 }).unwrap();
    let position = |column| GATEWAY_OBJECTS.position(column);
    rows.first().map(|row| (row[position("object")].clone(), row[position("lease_epoch")].clone()))
}

fn held(place: &Place) -> String {
    place.sql("SELECT object, due_at, lease_owner, lease_epoch, version FROM quittance.gateway_objects ORDER BY object")
}

/// Looks until the server has noticed that a session is over.
fn release(store: &mut PostgresStore, now: i64) -> usize {
    loop {
        match store.release_gone(now).unwrap() {
            0 => thread::yield_now(),
            released => return released,
        }
    }
}

#[test]
fn leases_of_a_writer_that_is_gone_end_and_no_others() {
    let Some(place) = Place::new("leases of writers that are gone") else { return };
    let (mut living, mut dying, mut other) = (place.writer(), place.writer(), hasty(&place));
    put(&place, &["a", "b", "c"]);
    assert_eq!(claim(&mut living), Some(("a".into(), 1.into())));
    assert_eq!(claim(&mut dying), Some(("b".into(), 1.into())));
    assert_eq!(other.release_gone(7).unwrap(), 0, "all are there");
    let mut patient = open(&place.url());
    drop(dying);
    assert_eq!(release(&mut other, 7), 1);
    assert_eq!(held(&place), "a|40|1|1|2\nb|7|0|1|3\nc|1|0|0|1");
    assert_eq!(other.release_gone(8).unwrap(), 0, "they end once");
    assert_eq!(patient.release_gone(8).unwrap(), 0, "nobody is gone that somebody else has noted");
}

#[test]
fn a_writer_that_comes_back_goes_on_and_is_fenced() {
    let Some(place) = Place::new("writers that come back") else { return };
    let (mut store, mut other) = (place.writer(), hasty(&place));
    put(&place, &["a"]);
    assert_eq!(claim(&mut store), Some(("a".into(), 1.into())));
    let epoch = store.writer_epoch();
    let gone = "SELECT count(*) FROM quittance.writers WHERE gone_at IS NOT NULL";
    place.sql(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = {epoch} \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ));
    assert_eq!((release(&mut other, 7), place.sql(gone)), (1, "1".to_owned()));
    assert_eq!(claim(&mut store), Some(("a".into(), 2.into())), "under another epoch than what it held before");
    assert_eq!((other.release_gone(8).unwrap(), place.sql(gone)), (0, "0".to_owned()), "it is there again");
    assert_eq!(held(&place), format!("a|40|{epoch}|2|4"));
    drop(store);
    assert_eq!(release(&mut other, 9), 1, "and its end is seen again");
}

#[test]
fn rows_of_writers_are_bounded() {
    let Some(place) = Place::new("rows of writers") else { return };
    let rows = || place.sql("SELECT coalesce(string_agg(epoch::text, ' ' ORDER BY epoch), '') FROM quittance.writers");
    drop(place.writer());
    found(&mut place.writer(), 0..1, 0);
    transfer(&mut place.writer(), vec![(0, 1)]).unwrap();
    assert_eq!(rows(), "", "one that holds nothing leaves none");
    put(&place, &["a"]);
    let mut holder = place.writer();
    claim(&mut holder);
    drop(holder);
    assert_eq!(rows(), "4", "its leases are found by it");
    drop(place.writer());
    assert_eq!(rows(), "4");
    place.sql("UPDATE quittance.writers SET gone_at = clock_timestamp() - interval '6 days'");
    drop(place.writer());
    assert_eq!(rows(), "4", "it may still be asked about");
    place.sql("UPDATE quittance.writers SET gone_at = clock_timestamp() - interval '8 days'");
    drop(place.writer());
    assert_eq!(rows(), "");
}

#[test]
fn a_writer_in_doubt_keeps_its_row() {
    let Some(place) = Place::new("rows of writers in doubt") else { return };
    found(&mut place.writer(), 0..1, 0);
    let proxy = Proxy::before(place.server, &place.database);
    let impatient = Options { doubt_for: Duration::from_millis(200), ..options() };
    let mut store = PostgresDatabase::open_for_writing(&proxy.url, &impatient).unwrap();
    transfer(&mut store, vec![(0, 0)]).unwrap();
    let outcome = transfer_while(&mut store, vec![(0, 1)], &mut |_| {
        proxy.refuse(true);
        proxy.arm(Cut::Answer);
    });
    assert!(matches!(outcome, Err(StoreError::CommitUnknown { .. })), "{outcome:?}");
    proxy.refuse(false);
    drop(store);
    assert_eq!(place.sql("SELECT epoch, commits FROM quittance.writers"), "2|2");
}
