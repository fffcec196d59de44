//! Claiming: lanes, order, leases, fencing, and that two claimers never hold one row; taking over what others left.

use super::sample::{insert, update, write};
use super::{Case, Harness};
use crate::store::{Claim, Owners, Reader, Share, Store, TakeOver};
use crate::tables::EFFECTS;
use crate::value::{Row, Value};
use std::collections::BTreeSet;
use std::thread;

pub(super) const CASES: &[Case] = &[
    ("the oldest due rows are claimed first", oldest_first),
    ("lanes do not see each other's rows", lanes_are_apart),
    ("a claim takes its share of each lane", shares_are_apart),
    ("a claim is a lease", claim_is_a_lease),
    ("a lease that ended is due again", ended_lease_is_due),
    ("a claim makes other versions stale", claim_raises_version),
    ("two claimers never share a row", claimers_never_share),
    ("leases of the dead are taken over", foreign_leases_are_taken_over),
    ("a clock that ran ahead strands nothing", far_rows_are_taken_over),
];

/// The gateway of the cases that need only one; those beside it sort right before and right after it.
const LANE: &str = "card";

/// What is asked of it, in the cases that ask for one thing only.
const ASKED: &str = "create";

fn put(store: &mut dyn Store, id: u8, due_at: Option<i64>) {
    put_in(store, LANE, id, due_at);
}

fn put_in(store: &mut dyn Store, lane: &str, id: u8, due_at: Option<i64>) {
    put_due(store, [lane, ASKED], id, due_at);
}

fn put_due(store: &mut dyn Store, [gateway, lane]: [&str; 2], id: u8, due_at: Option<i64>) {
    let key = [("book", Value::from([id / 10])), ("id", [id].into())];
    let place = [("gateway", gateway.into()), ("lane", lane.into())];
    let values = [&key[..], &place, &[("due_at", due_at.into())]].concat();
    write(store, vec![insert(&EFFECTS, &values)]).unwrap();
}

fn claim(store: &mut dyn Store, now: i64, owner: i64, limit: usize) -> Vec<Row> {
    claim_in(store, LANE, now, owner, limit)
}

fn claim_in(store: &mut dyn Store, lane: &str, now: i64, owner: i64, limit: usize) -> Vec<Row> {
    claim_shares(store, vec![share(lane, ASKED, limit)], now, owner)
}

fn share(gateway: &str, lane: &str, limit: usize) -> Share {
    Share { lane: vec![gateway.into(), lane.into()], limit }
}

fn claim_shares(store: &mut dyn Store, shares: Vec<Share>, now: i64, owner: i64) -> Vec<Row> {
    store.claim(&EFFECTS, &Claim { shares, now, owner, leased_until: now + 30 }).unwrap()
}

fn ids(rows: &[Row]) -> Vec<u8> {
    let id = |row: &Row| match &row[EFFECTS.position("id")] {
        Value::Bytes(bytes) => bytes[0],
        other => panic!("an id is bytes, not {other:?}"),
    };
    rows.iter().map(id).collect()
}

fn integer(row: &Row, column: &str) -> i64 {
    match row[EFFECTS.position(column)] {
        Value::Integer(integer) => integer,
        ref other => panic!("{column} is an integer, not {other:?}"),
    }
}

fn stored(reader: &mut dyn Reader, id: u8) -> Row {
    let key = vec![[id / 10].into(), [id].into()];
    reader.get_many(&EFFECTS, &[key]).unwrap().remove(0).expect("it was put")
}

fn oldest_first(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    let store = &mut *lanes[0];
    for (id, due_at) in [(31, 7), (12, 9), (23, -5), (11, 7), (44, 10), (45, 11)] {
        put(store, id, Some(due_at));
    }
    put(store, 1, None);
    assert!(claim(store, 10, 1, 0).is_empty());
    assert!(claim(store, -6, 1, 10).is_empty());
    assert_eq!(ids(&claim(store, 10, 1, 2)), [23, 11]);
    assert_eq!(ids(&claim(store, 10, 1, 10)), [31, 12, 44]);
    assert!(claim(store, 10, 1, 10).is_empty());
}

fn lanes_are_apart(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let store = &mut *lanes[0];
    for (lane, id, due_at) in [("car", 11, 1), ("card", 12, 8), ("card", 21, 4), ("card\0", 13, 2), ("card", 22, 4)] {
        put_in(store, lane, id, Some(due_at));
    }
    let others = [11, 13].map(|id| stored(&mut *reader, id));
    assert!(claim_in(store, "", 10, 1, 9).is_empty());
    assert!(claim_in(store, "c", 10, 1, 9).is_empty());
    // Older rows of other lanes count towards no limit.
    assert_eq!(ids(&claim_in(store, "card", 5, 1, 1)), [21]);
    assert_eq!(ids(&claim_in(store, "card", 9, 1, 9)), [22, 12]);
    assert!(claim_in(store, "card", 9, 1, 9).is_empty());
    assert_eq!([11, 13].map(|id| stored(&mut *reader, id)), others, "other lanes are left alone");
    assert_eq!(ids(&claim_in(store, "card\0", 36, 1, 9)), [13]);
    assert_eq!(ids(&claim_in(store, "card", 36, 2, 9)), [21], "leases end lane by lane");
    assert_eq!(ids(&claim_in(store, "car", 99, 2, 9)), [11]);
}

fn shares_are_apart(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    let store = &mut *lanes[0];
    for (place, id, due_at) in [
        (["card", "create"], 11, 1),
        (["card", "create"], 12, 3),
        (["card", "create"], 13, 2),
        (["card", "read"], 14, 5),
        (["card", "read"], 15, 9),
        (["card", "crea"], 16, 1),
        (["cash", "create"], 17, 1),
    ] {
        put_due(store, place, id, Some(due_at));
    }
    let shares = vec![share("card", "read", 9), share("card", "create", 2), share("card", "none", 9)];
    assert_eq!(ids(&claim_shares(store, shares.clone(), 6, 1)), [14, 11, 13]);
    assert_eq!(ids(&claim_shares(store, shares, 6, 1)), [12], "what is leased is not due");
    assert!(claim_shares(store, Vec::new(), 99, 1).is_empty());
    let rest = vec![share("cash", "create", 9), share("card", "crea", 9)];
    assert_eq!(ids(&claim_shares(store, rest, 6, 1)), [17, 16]);
}

fn claim_is_a_lease(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    put(&mut *lanes[0], 11, Some(3));
    put(&mut *lanes[0], 12, Some(3));
    let claimed = claim(&mut *lanes[0], 5, 7, 1);
    let [row] = claimed.as_slice() else { panic!("one row was asked for: {claimed:?}") };
    let columns = ["due_at", "lease_owner", "lease_epoch", "version"];
    assert_eq!(columns.map(|column| integer(row, column)), [35, 7, 1, 2]);
    assert_eq!(&stored(&mut *reader, 11), row);
    assert_eq!(columns.map(|column| integer(&stored(&mut *reader, 12), column)), [3, 0, 0, 1]);
}

fn ended_lease_is_due(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    put(&mut *lanes[0], 11, Some(3));
    assert_eq!(ids(&claim(&mut *lanes[0], 5, 7, 1)), [11]);
    assert!(claim(&mut *lanes[0], 34, 8, 1).is_empty());
    let again = claim(&mut *lanes[0], 35, 8, 1);
    assert_eq!(["lease_owner", "lease_epoch", "due_at"].map(|column| integer(&again[0], column)), [8, 2, 65]);
}

fn claim_raises_version(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, .. } = fresh();
    put(&mut *lanes[0], 11, Some(3));
    claim(&mut *lanes[0], 5, 7, 1);
    let done = [("book", Value::from([1])), ("id", [11].into()), ("lease_epoch", 1.into())];
    write(&mut *lanes[0], vec![update(&EFFECTS, 1, &done)]).expect_err("the version is 2 now");
    write(&mut *lanes[0], vec![update(&EFFECTS, 2, &done)]).unwrap();
    assert!(claim(&mut *lanes[0], i64::MAX - 30, 7, 10).is_empty(), "a row that is not due is not claimed");
}

fn claimers_never_share(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, keep, .. } = fresh();
    const ROWS: u8 = 120;
    (0..ROWS).for_each(|id| put(&mut *lanes[0], id, Some(i64::from(id % 5))));
    let claimed: Vec<Vec<u8>> = thread::scope(|scope| {
        let drain = |(mut store, owner): (Box<dyn Store>, i64)| {
            move || {
                let mut taken = Vec::new();
                loop {
                    // Two owners take turns on each lane, so that there are two even where only one may write.
                    let (first, second) = (claim(&mut *store, 9, owner, 3), claim(&mut *store, 9, owner + 1, 2));
                    if first.is_empty() && second.is_empty() {
                        return taken;
                    }
                    taken.extend(ids(&first).into_iter().chain(ids(&second)));
                }
            }
        };
        let workers: Vec<_> = lanes.drain(..).zip((1..).step_by(2)).map(|lane| scope.spawn(drain(lane))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let all: Vec<u8> = claimed.concat();
    let distinct: BTreeSet<u8> = all.iter().copied().collect();
    assert_eq!((all.len(), distinct.len()), (usize::from(ROWS), usize::from(ROWS)));
    drop(keep);
}

fn take_over(store: &mut dyn Store, owner: i64, now: i64, due_at_max: i64) -> usize {
    store.take_over(&EFFECTS, &TakeOver { owner, now, due_at_max }).unwrap()
}

fn foreign_leases_are_taken_over(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let store = &mut *lanes[0];
    (11..=14).for_each(|id| put(store, id, Some(i64::from(id))));
    put(store, 15, None);
    put_in(store, "cash", 16, Some(12));
    assert_eq!(ids(&claim(store, 12, 1, 9)), [11, 12]);
    assert_eq!(ids(&claim_in(store, "cash", 12, 1, 9)), [16]);
    assert_eq!(ids(&claim(store, 13, 2, 9)), [13]);
    let before = stored(&mut *reader, 13);
    let taken = take_over(store, 2, 20, 43);
    if store.owners() == Owners::Shared {
        assert_eq!(taken, 0, "other owners may live");
        return;
    }
    assert_eq!(taken, 3);
    for id in [11, 12, 16] {
        let columns = ["due_at", "lease_owner", "lease_epoch", "version"];
        assert_eq!(columns.map(|column| integer(&stored(&mut *reader, id), column)), [20, 0, 1, 3]);
    }
    assert_eq!(stored(&mut *reader, 13), before, "the owner keeps its own");
    assert_eq!(integer(&stored(&mut *reader, 14), "version"), 1, "a row that nobody holds stays");
    assert_eq!(stored(&mut *reader, 15)[EFFECTS.position("due_at")], Value::Null, "what is done stays done");
    assert_eq!(take_over(store, 2, 21, 43), 0);
    assert_eq!(ids(&claim(store, 20, 2, 9)), [14, 11, 12]);
    assert_eq!(ids(&claim_in(store, "cash", 20, 2, 9)), [16]);
}

fn far_rows_are_taken_over(fresh: &mut dyn FnMut() -> Harness) {
    let Harness { mut lanes, mut reader, .. } = fresh();
    let store = &mut *lanes[0];
    for (id, due_at) in [(11, Some(50)), (12, Some(51)), (13, Some(i64::MAX)), (14, Some(900)), (15, None)] {
        put(store, id, due_at);
    }
    put_in(store, "cash", 16, Some(1_000));
    // A clock that is ahead, first the owner's own, then another's.
    assert_eq!(ids(&claim(store, 900, 2, 9)), [11, 12, 14]);
    put(store, 17, Some(50));
    assert_eq!(ids(&claim_in(store, "cash", 1_000, 1, 9)), [16]);
    let before = [15, 17].map(|id| stored(&mut *reader, id));
    assert_eq!(take_over(store, 2, 20, 50), 5);
    let columns = ["due_at", "lease_owner", "lease_epoch", "version"];
    let now = |reader: &mut dyn Reader, id| columns.map(|column| integer(&stored(reader, id), column));
    for id in [11, 12, 14, 16] {
        assert_eq!(now(&mut *reader, id), [20, 0, 1, 3], "held until long after");
    }
    assert_eq!(now(&mut *reader, 13), [20, 0, 0, 2], "held by nobody");
    assert_eq!([15, 17].map(|id| stored(&mut *reader, id)), before, "the bound itself is not beyond it");
    assert_eq!(take_over(store, 2, 21, 50), 0);
    assert_eq!(ids(&claim(store, 20, 2, 9)), [11, 12, 13, 14]);
}
