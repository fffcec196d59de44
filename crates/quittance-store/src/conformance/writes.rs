//! Inserting, replacing, updating; what constraints refuse; all or nothing.

use super::sample::{assert_absent, assert_stored, insert, row, update, upsert, write};
use super::{Case, Harness};
use crate::store::{Change, StoreError};
use crate::tables::{API_KEYS, CUSTOMERS, INTENTS, JOURNAL, TENANTS};
use crate::value::Value;

pub(super) const CASES: &[Case] = &[
    ("values come back as they went in", values_come_back),
    ("missing keys are none, in the order asked", get_many_keeps_order),
    ("an existing key is a conflict", existing_key_conflicts),
    ("a unique index is a conflict", unique_index_conflicts),
    ("rows with a null are not in a unique index", null_is_outside_a_unique_index),
    ("a unique value can move in one transaction", unique_value_moves),
    ("upsert writes whatever was there", upsert_replaces),
    ("fixed rows are never written over", fixed_rows_stay),
    ("update compares the version", update_compares_version),
    ("one failing change undoes the others", all_or_nothing),
    ("a large transaction is one transaction", large_transaction),
    ("an empty transaction is nothing", empty_transaction),
];

fn values_come_back(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let bodies: Vec<Vec<u8>> = vec![vec![], vec![0], (0..=255).collect(), vec![7; 100_000]];
    let texts = ["", "plain", "a\0b", "\u{10ffff}é", "it's \"quoted\"; --"];
    for (seq, body) in bodies.into_iter().enumerate() {
        let row = row(&JOURNAL, &[("seq", i64::try_from(seq).unwrap().into()), ("body", body.into())]);
        write(&mut *lanes[0], vec![Change::Insert { table: &JOURNAL, row: row.clone() }]).unwrap();
        assert_stored(&mut *lanes[0], &JOURNAL, &row);
        assert_stored(&mut *reader, &JOURNAL, &row);
    }
    for (text, integer) in texts.into_iter().zip([i64::MIN, -1, 0, 1, i64::MAX]) {
        let values = [("id", text.as_bytes().into()), ("name", text.into()), ("created_at", integer.into())];
        let row = row(&TENANTS, &values);
        write(&mut *lanes[0], vec![Change::Insert { table: &TENANTS, row: row.clone() }]).unwrap();
        assert_stored(&mut *reader, &TENANTS, &row);
    }
}

fn get_many_keeps_order(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    write(&mut *lanes[0], vec![insert(&TENANTS, &tenant(1)), insert(&TENANTS, &tenant(2))]).unwrap();
    let keys: Vec<Vec<Value>> = [2, 9, 1, 2].into_iter().map(|id| vec![Value::from([id])]).collect();
    let (one, two) = (row(&TENANTS, &tenant(1)), row(&TENANTS, &tenant(2)));
    let expected = [Some(two.clone()), None, Some(one), Some(two)];
    assert_eq!(reader.get_many(&TENANTS, &keys).unwrap(), expected);
    assert_eq!(lanes[0].get_many(&TENANTS, &keys).unwrap(), expected);
    assert!(reader.get_many(&TENANTS, &[]).unwrap().is_empty());
}

fn existing_key_conflicts(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    write(&mut *lanes[0], vec![insert(&TENANTS, &tenant(1))]).unwrap();
    let again = [("id", Value::from([1])), ("name", "another".into())];
    assert_conflict(write(&mut *lanes[0], vec![insert(&TENANTS, &again)]), "tenants");
    assert_stored(&mut *reader, &TENANTS, &row(&TENANTS, &tenant(1)));
}

fn unique_index_conflicts(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let store = &mut *lanes[0];
    write(store, vec![insert(&API_KEYS, &api_key(1, "a")), insert(&API_KEYS, &api_key(2, "b"))]).unwrap();
    assert_conflict(write(store, vec![insert(&API_KEYS, &api_key(3, "a"))]), "api_keys");
    assert_conflict(write(store, vec![upsert(&API_KEYS, &api_key(3, "a"))]), "api_keys");
    assert_conflict(write(store, vec![upsert(&API_KEYS, &api_key(2, "a"))]), "api_keys");
    assert_conflict(write(store, vec![update(&API_KEYS, 1, &api_key(2, "a"))]), "api_keys");
    assert_absent(&mut *reader, &API_KEYS, &row(&API_KEYS, &api_key(3, "a")));
    assert_stored(&mut *reader, &API_KEYS, &row(&API_KEYS, &api_key(2, "b")));
    // The holder itself may be written again.
    write(store, vec![upsert(&API_KEYS, &api_key(1, "a")), update(&API_KEYS, 1, &api_key(1, "a"))]).unwrap();
}

fn null_is_outside_a_unique_index(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    let store = &mut *lanes[0];
    let customer = |id: u8, external_id: Option<&str>| {
        insert(&CUSTOMERS, &[("id", [id].into()), ("tenant", [1].into()), ("external_id", external_id.into())])
    };
    write(store, vec![customer(1, None), customer(2, None), customer(3, Some(""))]).unwrap();
    assert_conflict(write(store, vec![customer(4, Some(""))]), "customers");
}

fn unique_value_moves(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    let store = &mut *lanes[0];
    write(store, vec![insert(&API_KEYS, &api_key(1, "a"))]).unwrap();
    write(store, vec![upsert(&API_KEYS, &api_key(1, "b")), insert(&API_KEYS, &api_key(2, "a"))]).unwrap();
    // Constraints hold after each change, not only after all of them.
    let early = vec![insert(&API_KEYS, &api_key(3, "b")), upsert(&API_KEYS, &api_key(1, "c"))];
    assert_conflict(write(store, early), "api_keys");
}

fn upsert_replaces(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    for (digest, revoked_at) in [("a", Some(5)), ("a", None), ("b", Some(-1))] {
        let mut values = api_key(1, digest).to_vec();
        values.push(("revoked_at", revoked_at.into()));
        write(&mut *lanes[0], vec![upsert(&API_KEYS, &values)]).unwrap();
        assert_stored(&mut *reader, &API_KEYS, &row(&API_KEYS, &values));
    }
}

fn fixed_rows_stay(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let (customer, renamed) = ([("id", [1].into())], [("id", [1].into()), ("name", "renamed".into())]);
    write(&mut *lanes[0], vec![insert(&CUSTOMERS, &customer)]).unwrap();
    let renamed = upsert(&CUSTOMERS, &renamed);
    let store = &mut *lanes[0];
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| write(store, vec![renamed])));
    let message = refused.expect_err("it is declared fixed");
    let message = message.downcast_ref::<String>().expect("with a message");
    assert_eq!(message, "rows of customers are declared Fixed, and one is to be written over");
    assert_stored(&mut *reader, &CUSTOMERS, &row(&CUSTOMERS, &customer));
}

fn update_compares_version(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let store = &mut *lanes[0];
    assert_stale(write(store, vec![update(&API_KEYS, 1, &api_key(1, "a"))]));
    write(store, vec![insert(&API_KEYS, &api_key(1, "a"))]).unwrap();
    write(store, vec![update(&API_KEYS, 1, &api_key(1, "b"))]).unwrap();
    assert_stale(write(store, vec![update(&API_KEYS, 1, &api_key(1, "c"))]));
    assert_stale(write(store, vec![update(&API_KEYS, 3, &api_key(1, "c"))]));
    let mut updated = api_key(1, "b").to_vec();
    updated.push(("version", 2.into()));
    assert_stored(&mut *reader, &API_KEYS, &row(&API_KEYS, &updated));
    // Later changes of a transaction see earlier ones.
    write(store, vec![update(&API_KEYS, 2, &api_key(1, "c")), update(&API_KEYS, 3, &api_key(1, "d"))]).unwrap();
}

fn all_or_nothing(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let store = &mut *lanes[0];
    write(store, vec![insert(&API_KEYS, &api_key(1, "a")), insert(&INTENTS, &intent(1))]).unwrap();
    let good = || {
        vec![
            insert(&INTENTS, &intent(2)),
            upsert(&INTENTS, &[("book", [1].into()), ("holder", "another".into())]),
            update(&API_KEYS, 1, &api_key(1, "b")),
            insert(&API_KEYS, &api_key(2, "a")),
        ]
    };
    for bad in [insert(&INTENTS, &intent(2)), update(&API_KEYS, 1, &api_key(1, "c"))] {
        for place in [0, 2, 4] {
            let mut changes = good();
            changes.insert(place, bad.clone());
            write(store, changes).expect_err("one change fails");
            assert_stored(&mut *reader, &INTENTS, &row(&INTENTS, &intent(1)));
            assert_stored(store, &API_KEYS, &row(&API_KEYS, &api_key(1, "a")));
            assert_absent(&mut *reader, &INTENTS, &row(&INTENTS, &intent(2)));
            assert_absent(store, &API_KEYS, &row(&API_KEYS, &api_key(2, "a")));
        }
    }
    write(store, good()).unwrap();
}

fn large_transaction(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let record = |seq: i64| insert(&JOURNAL, &[("seq", seq.into()), ("body", vec![1; 300].into())]);
    let mut changes: Vec<Change> = (0..2_000).map(record).collect();
    write(&mut *lanes[0], changes.clone()).unwrap();
    assert_stored(&mut *reader, &JOURNAL, changes[1_999].row());
    changes = (2_000..4_000).chain([0]).map(record).collect();
    assert_conflict(write(&mut *lanes[0], changes.clone()), "journal");
    assert_absent(&mut *reader, &JOURNAL, changes[0].row());
}

fn empty_transaction(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    write(&mut *lanes[0], Vec::new()).unwrap();
}

fn tenant(id: u8) -> [(&'static str, Value); 2] {
    [("id", [id].into()), ("name", id.to_string().into())]
}

fn intent(book: u8) -> [(&'static str, Value); 2] {
    [("book", [book].into()), ("holder", book.to_string().into())]
}

fn api_key(id: u8, digest: &str) -> [(&'static str, Value); 2] {
    [("id", [id].into()), ("digest", digest.as_bytes().into())]
}

fn assert_conflict(outcome: Result<(), StoreError>, expected: &str) {
    assert!(matches!(outcome, Err(StoreError::Conflict { table }) if table == expected), "{outcome:?}");
}

fn assert_stale(outcome: Result<(), StoreError>) {
    assert!(matches!(outcome, Err(StoreError::Stale { table: "api_keys" })), "{outcome:?}");
}
