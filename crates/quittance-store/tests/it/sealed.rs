//! A store that seals what it writes and opens what it reads, over one that knows nothing of it.

use quittance_core::tenant::Tenant;
use quittance_core::time::Timestamp;
use quittance_store::master;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::Entity;
use quittance_store::schema::{Kind, Queue, Table};
use quittance_store::seal::{self, KEY_BYTES, Keyring};
use quittance_store::sealed::{SealedReader, SealedStore};
use quittance_store::store::{Change, Loaded, Read, Reader, Scan, Store, StoreError, Work};
use quittance_store::tables::{ALL, INBOX, TENANTS};
use quittance_store::value::{Row, Value};
use std::sync::Arc;

fn ring(ids: &[(&str, u8)]) -> Arc<Keyring> {
    let keys = ids.iter().map(|(id, byte)| ((*id).to_owned(), [*byte; KEY_BYTES])).collect();
    Arc::new(Keyring::new(keys).expect("keys"))
}

fn store(database: &MemoryDatabase, keys: &Arc<Keyring>) -> SealedStore {
    let mut drawn = 0_u8;
    let nonces = move || {
        drawn += 1;
        [drawn; seal::NONCE_BYTES]
    };
    SealedStore::new(Box::new(database.writer()), Arc::clone(keys), Box::new(nonces))
}

/// Reads a row, notes what it sees, and writes.
struct Note<'a> {
    seen: Vec<Row>,
    change: &'a dyn Fn(Option<&Row>) -> Vec<Change>,
}

impl Work for Note<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        vec![Read::Row { table: &TENANTS, key: vec![[1].into()] }]
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let row = loaded.row(&TENANTS, &vec![[1].into()]).flatten();
        self.seen.extend(row.cloned());
        Ok((self.change)(row))
    }
}

fn transact(store: &mut dyn Store, change: &dyn Fn(Option<&Row>) -> Vec<Change>) -> Result<Vec<Row>, StoreError> {
    let mut note = Note { seen: Vec::new(), change };
    store.transact("test", &mut note)?;
    Ok(note.seen)
}

fn tenant(id: u8) -> Row {
    vec![
        [id].into(),
        "acme".into(),
        "test".into(),
        b"secret one".to_vec().into(),
        b"secret two".to_vec().into(),
        1.into(),
    ]
}

fn stored(database: &MemoryDatabase, table: &'static Table) -> Vec<Row> {
    database.reader().scan(&Scan::forward(table, Vec::new(), 10)).expect("readable")
}

#[test]
fn only_bytes_that_lead_nowhere_are_declared_sealed() {
    let mut sealed = 0;
    for table in ALL {
        for at in table.sealed() {
            let column = table.columns[at];
            assert_eq!(column.kind, Kind::Bytes, "{}", column.name);
            assert!(at >= table.key_columns, "{} of {table:?} is in the key", column.name);
            let is_indexed = table.indexes.iter().any(|index| index.columns.contains(&column.name));
            assert!(!is_indexed, "{} of {table:?} is in an index", column.name);
            if let Queue::Claimed { lane } = table.queue {
                assert!(!lane.contains(&column.name), "{} of {table:?} is in a lane", column.name);
            }
            sealed += 1;
        }
    }
    assert!(sealed >= 6, "{sealed}");
}

#[test]
fn what_is_written_is_sealed_and_whoever_reads_sees_it_plain() {
    let (database, keys) = (MemoryDatabase::new(), ring(&[("a", 1)]));
    let mut store = store(&database, &keys);
    let insert = |_: Option<&Row>| vec![Change::Insert { table: &TENANTS, row: tenant(1) }];
    assert_eq!(transact(&mut store, &insert).expect("written"), Vec::<Row>::new());
    let raw = stored(&database, &TENANTS).remove(0);
    assert_eq!((&raw[..3], &raw[5..]), (&tenant(1)[..3], &tenant(1)[5..]), "the rest is as it was");
    assert_eq!(seal::is_row_sealed(&TENANTS, &raw, "a"), Ok(true));
    assert!(!format!("{raw:?}").contains(&format!("{:?}", b"secret")[1..20]), "{raw:?}");
    // By every way of reading.
    let key = vec![vec![Value::from([1])]];
    assert_eq!(store.get_many(&TENANTS, &key).expect("readable"), [Some(tenant(1))]);
    assert_eq!(store.scan(&Scan::forward(&TENANTS, Vec::new(), 10)).expect("readable"), [tenant(1)]);
    assert_eq!(transact(&mut store, &|_| Vec::new()).expect("read"), [tenant(1)]);
    let mut reader = SealedReader::new(Box::new(database.reader()), Arc::clone(&keys));
    assert_eq!(reader.get_many(&TENANTS, &key).expect("readable"), [Some(tenant(1))]);
    let mut snapshot = SealedReader::new(Box::new(database.snapshot()), keys);
    assert_eq!(snapshot.scan(&Scan::forward(&TENANTS, Vec::new(), 10)).expect("readable"), [tenant(1)]);
}

#[test]
fn what_is_written_again_is_sealed_under_the_newest_key() {
    let database = MemoryDatabase::new();
    let insert = |_: Option<&Row>| vec![Change::Insert { table: &TENANTS, row: tenant(1) }];
    // Stored plain, before there was any key.
    transact(&mut database.writer(), &insert).expect("written");
    let again = |row: Option<&Row>| vec![Change::Upsert { table: &TENANTS, row: row.expect("there").clone() }];
    for (keys, id) in [(ring(&[("a", 1)]), "a"), (ring(&[("b", 2), ("a", 1)]), "b")] {
        let mut store = store(&database, &keys);
        assert_eq!(transact(&mut store, &again).expect("written"), [tenant(1)]);
        assert_eq!(seal::is_row_sealed(&TENANTS, &stored(&database, &TENANTS)[0], id), Ok(true));
    }
    let mut store = store(&database, &ring(&[("a", 1)]));
    let missing = transact(&mut store, &again).expect_err("its key is gone");
    assert!(matches!(missing, StoreError::KeyMissing { ref key } if key == "b"), "{missing}");
    let missing = store.get_many(&TENANTS, &[vec![[1].into()]]).expect_err("its key is gone");
    assert!(matches!(missing, StoreError::KeyMissing { .. }), "{missing}");
}

#[test]
fn a_value_that_was_moved_to_another_row_is_damage() {
    let (database, keys) = (MemoryDatabase::new(), ring(&[("a", 1)]));
    let mut store = store(&database, &keys);
    let insert = |_: Option<&Row>| vec![Change::Insert { table: &TENANTS, row: tenant(1) }];
    transact(&mut store, &insert).expect("written");
    let theirs = stored(&database, &TENANTS).remove(0);
    let mut row = tenant(2);
    (row[1], row[3], row[4]) = ("other".into(), theirs[3].clone(), theirs[4].clone());
    let moved = move |_: Option<&Row>| vec![Change::Insert { table: &TENANTS, row: row.clone() }];
    transact(&mut database.writer(), &moved).expect("whoever writes to the database can");
    let damaged = store.get_many(&TENANTS, &[vec![[2].into()]]).expect_err("it was moved");
    assert!(
        matches!(damaged, StoreError::Corrupt { ref place, .. } if place.contains("fingerprint_secret")),
        "{damaged}"
    );
}

#[test]
fn nobody_goes_on_without_a_key_that_is_in_use() {
    let database = MemoryDatabase::new();
    let (mut raw, mut reader) = (database.writer(), database.reader());
    master::check(&mut reader, None).expect("nothing is in use");
    let (first, second) = (ring(&[("a", 1)]), ring(&[("b", 2), ("a", 1)]));
    for _ in 0..2 {
        master::begin(&mut raw, &first, Timestamp(5), [7; seal::NONCE_BYTES]).expect("written down");
    }
    let ids = |reader: &mut dyn Reader| -> Vec<String> {
        master::in_use(reader).expect("readable").into_iter().map(|key| key.id).collect()
    };
    assert_eq!(ids(&mut reader), ["a"]);
    master::check(&mut reader, Some(&first)).expect("it is there");
    master::check(&mut reader, Some(&second)).expect("it is there, behind another");
    for keys in [None, Some(ring(&[("b", 1)]))] {
        let refused = master::check(&mut reader, keys.as_deref()).expect_err("it is not there");
        assert!(matches!(refused, StoreError::KeyMissing { ref key } if key == "a"), "{refused}");
    }
    let refused = master::check(&mut reader, Some(&ring(&[("a", 9)]))).expect_err("it is another one");
    assert!(matches!(refused, StoreError::KeyDiffers { ref key } if key == "a"), "{refused}");
    master::begin(&mut raw, &second, Timestamp(6), [8; seal::NONCE_BYTES]).expect("written down");
    assert_eq!(ids(&mut reader), ["a", "b"]);
}

/// As when encryption is switched on while a server from before still runs.
#[test]
fn whoever_has_no_keys_takes_nothing_sealed_for_a_value() {
    let database = MemoryDatabase::new();
    let row = tenant(1);
    transact(&mut store(&database, &ring(&[("m1", 1)])), &|_| {
        vec![Change::Insert { table: &TENANTS, row: row.clone() }]
    })
    .expect("written");
    let found = stored(&database, &TENANTS).remove(0);
    let error = Tenant::from_row(&found).expect_err("it is sealed");
    assert_eq!((error.table, error.column), ("tenants", "fingerprint_secret"));
    assert!(error.what.contains("\"m1\""), "{error}");
}

#[test]
fn what_gateways_said_is_sealed_too() {
    let at = INBOX.position("body");
    assert!(INBOX.columns[at].is_sealed);
}
