//! Reading in rounds, deciding, aborting; what others see meanwhile.

use super::sample::{assert_absent, assert_stored, index, insert, row, transact, update, write};
use super::{Case, Harness};
use crate::store::{Change, READ_ROUNDS_MAX, Read, StoreError};
use crate::tables::{API_KEYS, CUSTOMERS, TENANTS};
use crate::value::{Key, Value};
use std::thread;

pub(super) const CASES: &[Case] = &[
    ("reads answer before the decision", reads_are_loaded),
    ("reads continue in rounds", reads_continue),
    ("reads that never end abort", endless_reads_abort),
    ("unique reads lead to rows", unique_reads),
    ("work may abort", work_aborts),
    ("work that panics leaves the store usable", work_panics),
    ("readers see whole transactions", readers_see_whole_transactions),
    ("lanes share one clock, if any", clock_is_shared),
    ("epochs differ between writers", epochs_differ),
];

fn read_tenant(id: u8) -> Read {
    Read::Row { table: &TENANTS, key: vec![[id].into()] }
}

fn tenant(id: u8, name: &str) -> Change {
    insert(&TENANTS, &[("id", [id].into()), ("name", name.into())])
}

fn reads_are_loaded(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    write(&mut *lanes[0], vec![tenant(1, "one")]).unwrap();
    let key = |id: u8| -> Key { vec![[id].into()] };
    transact(
        &mut *lanes[0],
        |_| vec![read_tenant(1), read_tenant(2), read_tenant(1)],
        |loaded| {
            assert_eq!(loaded.row(&TENANTS, &key(1)), Some(Some(tenant(1, "one").row())));
            assert_eq!(loaded.row(&TENANTS, &key(2)), Some(None));
            assert_eq!(loaded.row(&TENANTS, &key(3)), None);
            Ok(vec![tenant(2, "two")])
        },
    )
    .unwrap();
    assert_stored(&mut *reader, &TENANTS, tenant(2, "two").row());
}

fn reads_continue(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    let rounds = u8::try_from(READ_ROUNDS_MAX).unwrap();
    let link = |id: u8| insert(&CUSTOMERS, &[("id", [id].into()), ("metadata", [id + 1].into())]);
    write(&mut *lanes[0], (1..=rounds).map(link).collect()).unwrap();
    let mut decided = false;
    transact(
        &mut *lanes[0],
        |loaded| {
            let mut reads = vec![Read::Row { table: &CUSTOMERS, key: vec![[1].into()] }];
            while let Some(Some(row)) = reads.last().and_then(|read| match read {
                Read::Row { table, key } => loaded.row(table, key),
                Read::Unique { .. } => None,
            }) {
                let key = vec![row[CUSTOMERS.position("metadata")].clone()];
                if reads.len() == READ_ROUNDS_MAX {
                    break;
                }
                reads.push(Read::Row { table: &CUSTOMERS, key });
            }
            reads
        },
        |loaded| {
            decided = true;
            assert!((1..=rounds).all(|id| matches!(loaded.row(&CUSTOMERS, &vec![[id].into()]), Some(Some(_)))));
            Ok(Vec::new())
        },
    )
    .unwrap();
    assert!(decided);
}

fn endless_reads_abort(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    let mut next = 0;
    let outcome = transact(
        &mut *lanes[0],
        |_| {
            next += 1;
            vec![read_tenant(next)]
        },
        |_| Ok(vec![tenant(1, "one")]),
    );
    assert!(matches!(outcome, Err(StoreError::Aborted { .. })), "{outcome:?}");
    write(&mut *lanes[0], vec![tenant(1, "one")]).unwrap();
}

fn unique_reads(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    let by_external_id = index(&CUSTOMERS, "customers_by_external_id");
    let values = |external_id: &str| -> Vec<Value> { vec![[1].into(), external_id.into()] };
    let find = |external_id| Read::Unique { table: &CUSTOMERS, index: by_external_id, values: values(external_id) };
    let row = row(&CUSTOMERS, &[("id", [5].into()), ("tenant", [1].into()), ("external_id", "five".into())]);
    write(&mut *lanes[0], vec![Change::Insert { table: &CUSTOMERS, row: row.clone() }]).unwrap();
    let mut decided = false;
    transact(
        &mut *lanes[0],
        |_| vec![find("five"), find("six"), find("five")],
        |loaded| {
            decided = true;
            let key = CUSTOMERS.key_of(&row);
            assert_eq!(loaded.unique(by_external_id, &values("five")), Some(Some(&key)));
            assert_eq!(loaded.row(&CUSTOMERS, &key), Some(Some(&row)));
            assert_eq!(loaded.unique(by_external_id, &values("six")), Some(None));
            assert_eq!(loaded.unique(by_external_id, &values("seven")), None);
            Ok(Vec::new())
        },
    )
    .unwrap();
    assert!(decided);
}

fn work_aborts(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let outcome = transact(&mut *lanes[0], |_| vec![read_tenant(1)], |_| Err("no".to_owned()));
    let Err(StoreError::Aborted { name: "conformance", reason }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason, "no");
    assert_absent(&mut *reader, &TENANTS, tenant(1, "one").row());
    write(&mut *lanes[0], vec![tenant(1, "one")]).unwrap();
}

fn work_panics(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let misshapen = Change::Insert { table: &TENANTS, row: vec![Value::Null] };
    let store = &mut *lanes[0];
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        write(store, vec![tenant(1, "one"), misshapen]).expect("a row of the wrong shape panics");
    }));
    let message = outcome.expect_err("a row of the wrong shape panics");
    let message = message.downcast_ref::<String>().expect("with a message");
    assert_eq!(message, &format!("table tenants has {} columns, the row 1 values", TENANTS.columns.len()));
    assert_absent(&mut *reader, &TENANTS, tenant(1, "one").row());
    write(&mut *lanes[0], vec![tenant(1, "one")]).unwrap();
    assert_stored(&mut *reader, &TENANTS, tenant(1, "one").row());
}

fn readers_see_whole_transactions(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, keep, .. } = fresh();
    const LAST: i64 = 60;
    let key = |id: u8| [("id", Value::from([id])), ("digest", [id].into())];
    let mut store = lanes.remove(0);
    write(&mut *store, vec![insert(&API_KEYS, &key(1)), insert(&API_KEYS, &key(2))]).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for version in 1..LAST {
                write(&mut *store, vec![update(&API_KEYS, version, &key(1)), update(&API_KEYS, version, &key(2))])
                    .unwrap();
            }
        });
        loop {
            let is_last = writer.is_finished();
            let pair = reader.get_many(&API_KEYS, &[vec![[1].into()], vec![[2].into()]]).unwrap();
            let versions = pair.into_iter().map(|row| row.expect("it is there")[API_KEYS.position("version")].clone());
            let versions: Vec<Value> = versions.collect();
            assert_eq!(versions[0], versions[1]);
            if is_last {
                assert_eq!(versions[0], Value::Integer(LAST));
                break;
            }
        }
    });
    drop((lanes, reader, keep));
}

fn clock_is_shared(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    let times: Vec<Option<i64>> = lanes.iter_mut().map(|store| store.time().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0].is_some() == pair[1].is_some()), "{times:?}");
    // Asked one after another, they go on; any clock of now is past 2020.
    assert!(times.is_sorted() && times.iter().flatten().all(|time| *time > 1_577_836_800_000_000), "{times:?}");
}

fn epochs_differ(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { lanes, .. } = fresh();
    let mut epochs: Vec<i64> = lanes.iter().map(|store| store.writer_epoch()).collect();
    epochs.sort_unstable();
    epochs.dedup();
    assert!(epochs.len() == lanes.len() && epochs[0] > 0, "{epochs:?}");
}
