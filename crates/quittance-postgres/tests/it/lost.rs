//! Connections and servers that are lost at any moment: what was acknowledged is there, and nothing is there twice.

use crate::proxy::{Cut, Proxy};
use crate::support::{Place, found, money, open, options, transfer, transfer_while, write};
use quittance_postgres::{Options, PostgresDatabase};
use quittance_store::store::{Reader, Snapshot, Store, StoreError};
use quittance_surroundings::Postgres;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

#[test]
fn killed_connections_lose_and_double_nothing() {
    const LANES: u8 = 4;
    const MOVES: usize = 60;
    let Some(place) = Place::new("killed connections") else { return };
    found(&mut place.writer(), 0..2, 0);
    let url = place.url();
    let stores: Vec<_> = (0..LANES).map(|_| open(&url)).collect();
    let done = AtomicUsize::new(0);
    let moves = |mut store| {
        for _ in 0..MOVES {
            transfer(&mut store, vec![(0, 1), (1, 1)]).unwrap();
            done.fetch_add(1, Ordering::SeqCst);
        }
    };
    thread::scope(|scope| {
        let moves = &moves;
        let lanes: Vec<_> = stores.into_iter().map(|store| scope.spawn(move || moves(store))).collect();
        let mut killed_at = 0;
        while !lanes.iter().all(thread::ScopedJoinHandle::is_finished) {
            // Each time somebody got through: faster than that, nobody ever would.
            if done.load(Ordering::SeqCst) > killed_at {
                killed_at = done.load(Ordering::SeqCst);
                place.end_writers();
            }
            thread::yield_now();
        }
    });
    let moved = i64::from(LANES) * i64::try_from(MOVES).unwrap();
    assert_eq!(money(&mut place.writer()), [moved, moved]);
}

#[test]
fn a_server_that_crashes_under_load_loses_and_doubles_nothing() {
    const MOVES: usize = 120;
    let Some(mut server) = Postgres::start("quittance-postgres: crashes of the server") else { return };
    let url = server.url(&server.fresh_database());
    found(&mut open(&url), 0..2, 0);
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for book in 0..2 {
            let (url, done) = (&url, &done);
            scope.spawn(move || {
                let mut store = open(url);
                for _ in 0..MOVES {
                    transfer(&mut store, vec![(book, 1)]).unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for crash in 1..=3 {
            while done.load(Ordering::SeqCst) < crash * MOVES / 3 {
                thread::yield_now();
            }
            server.restart();
        }
    });
    let moved = i64::try_from(MOVES).unwrap();
    assert_eq!(money(&mut open(&url)), [moved, moved]);
}

/// A store whose connection leads through a proxy, one book, and what a transfer that is cut off comes to: how often it
/// was decided.
fn cut_off(subject: &str, cut: Cut) -> Option<()> {
    let place = Place::new(subject)?;
    found(&mut place.writer(), 0..1, 0);
    let proxy = Proxy::before(place.server, &place.database);
    let mut store = open(&proxy.url);
    for turn in 1..=3 {
        // A new connection prepares its statements first; what is cut off here is the writing itself.
        transfer(&mut store, vec![(0, 0)]).unwrap();
        let decided = transfer_while(&mut store, vec![(0, 1)], &mut |decided| {
            if decided == 1 {
                proxy.arm(cut);
            }
        });
        let expected = if cut == Cut::Answer { 1 } else { 2 };
        assert_eq!((decided.unwrap(), proxy.cuts()), (expected, turn), "{cut:?}");
        assert_eq!(money(&mut store), [i64::try_from(turn).unwrap()]);
    }
    Some(())
}

#[test]
fn a_commit_whose_answer_is_lost_is_known_to_have_happened() {
    let _ = cut_off("lost answers to a commit", Cut::Answer);
}

#[test]
fn a_commit_that_never_arrived_is_done_again() {
    let _ = cut_off("commits that do not arrive", Cut::Request);
}

#[test]
fn a_connection_that_only_we_have_lost_holds_nobody_up() {
    // The server goes on with the old one, and would keep its locks.
    let _ = cut_off("connections that one side has lost", Cut::Silently);
}

#[test]
fn a_commit_that_nobody_can_tell_of_is_unknown_and_settled_later() {
    let Some(place) = Place::new("commits in doubt") else { return };
    found(&mut place.writer(), 0..1, 0);
    let proxy = Proxy::before(place.server, &place.database);
    let hasty = Options { doubt_for: Duration::from_millis(200), ..options() };
    let mut store = PostgresDatabase::open_for_writing(&proxy.url, &hasty).unwrap();
    transfer(&mut store, vec![(0, 0)]).unwrap();
    let outcome = transfer_while(&mut store, vec![(0, 1)], &mut |_| {
        proxy.refuse(true);
        proxy.arm(Cut::Answer);
    });
    assert!(matches!(outcome, Err(StoreError::CommitUnknown { name: "moving money" })), "{outcome:?}");
    let outcome = write(&mut store, Vec::new());
    assert!(matches!(outcome, Err(StoreError::CommitUnknown { .. })), "still: {outcome:?}");
    proxy.refuse(false);
    assert_eq!(money(&mut store), [1]);
    transfer(&mut store, vec![(0, 1)]).unwrap();
    assert_eq!(money(&mut store), [2]);
}

#[test]
fn a_database_that_lacks_what_it_had_acknowledged_is_refused() {
    for forget in ["UPDATE quittance.writers SET commits = commits - 1", "DELETE FROM quittance.writers"] {
        let Some(place) = Place::new("databases that went back") else { return };
        let mut store = place.writer();
        found(&mut store, 0..1, 0);
        // As a replica that was behind has it, when it becomes the primary.
        place.sql(forget);
        place.end_writers();
        let error = transfer(&mut store, vec![(0, 1)]).unwrap_err();
        assert!(matches!(error, StoreError::WentBack { .. }), "{error}");
        assert!(error.to_string().contains("committed 1"), "{error}");
        let error = transfer(&mut store, vec![(0, 1)]).unwrap_err();
        assert!(matches!(error, StoreError::WentBack { .. }), "still: {error}");
        let epoch = store.writer_epoch();
        store.begin_anew().unwrap();
        assert!(store.writer_epoch() > epoch);
        transfer(&mut store, vec![(0, 1)]).unwrap();
        assert_eq!(money(&mut store), [1]);
    }
}

/// The database's clock, in microseconds.
fn clock(server: &Postgres, name: &str) -> i64 {
    let told = server.sql(name, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
    told.trim().parse().unwrap()
}

#[test]
fn a_promoted_replica_that_was_behind_is_told_from_one_that_was_not() {
    let Some(mut primary) = Postgres::start("quittance-postgres: replicas that are promoted") else { return };
    let name = primary.fresh_database();
    let replica = primary.replica(&["hot_standby=on"]);
    let url = |servers: [&Postgres; 2]| {
        let hosts = servers.map(|server| server.url("").trim_start_matches("postgresql://postgres@").replace('/', ""));
        format!("postgresql://postgres@{}/{name}?target_session_attrs=read-write", hosts.join(","))
    };
    let url = url([&primary, &replica]);
    let hasty = Options { regroup_for: Duration::from_millis(1), ..options() };
    let mut idle = PostgresDatabase::open_for_writing(&url, &hasty).unwrap();
    let mut busy = PostgresDatabase::open_for_writing(&url, &hasty).unwrap();
    found(&mut busy, 0..1, 0);
    transfer(&mut busy, vec![(0, 1)]).unwrap();
    let arrived = primary.sql(&name, "SELECT pg_current_wal_lsn()");
    until(&replica, &format!("SELECT pg_last_wal_replay_lsn() >= '{}'", arrived.trim()));
    let there = clock(&primary, &name);
    // From here on the replica hears nothing more.
    replica.sql("postgres", "ALTER SYSTEM SET primary_conninfo = ''");
    replica.sql("postgres", "SELECT pg_reload_conf()");
    until(&replica, "SELECT count(*) = 0 FROM pg_stat_wal_receiver");
    transfer(&mut busy, vec![(0, 1)]).unwrap();
    primary.kill();
    replica.sql("postgres", "SELECT pg_promote()");
    let error = transfer(&mut busy, vec![(0, 1)]).unwrap_err();
    let StoreError::WentBack { since, .. } = error else { panic!("{error}") };
    assert!(since <= there, "the newest commit that is there is the one that arrived");
    transfer(&mut idle, vec![(0, 1)]).unwrap();
    busy.begin_anew().unwrap();
    assert_eq!(money(&mut busy), [2], "what was acknowledged and lost is gone, and the rest goes on");
}

/// Waits until a server says yes.
fn until(server: &Postgres, question: &str) {
    while server.sql("postgres", question).trim() != "t" {
        thread::yield_now();
    }
}

#[test]
fn of_several_hosts_the_one_that_is_written_is_read() {
    let Some(primary) = Postgres::start("quittance-postgres: an address with a replica") else { return };
    let database = primary.fresh_database();
    let replica = primary.replica(&[]);
    found(&mut open(&primary.url(&database)), 0..1, 5);
    replica.sql("postgres", "SELECT pg_wal_replay_pause()");
    let hosts = format!("{},{}", replica.socket(), primary.socket());
    let url = primary.url(&database).replace(&primary.socket().to_string(), &hosts);
    transfer(&mut open(&url), vec![(0, 1)]).unwrap();
    assert_eq!(money(&mut PostgresDatabase::open_reader(&url, &options()).unwrap()), [6]);
}

#[test]
fn a_snapshot_of_a_replica_is_no_newer_than_what_the_replica_has() {
    let Some(primary) = Postgres::start("quittance-postgres: snapshots of a replica that is behind") else { return };
    let name = primary.fresh_database();
    let replica = primary.replica(&["hot_standby=on"]);
    let mut writer = open(&primary.url(&name));
    found(&mut writer, 0..1, 5);
    let arrived = primary.sql(&name, "SELECT pg_current_wal_lsn()");
    until(&replica, &format!("SELECT pg_last_wal_replay_lsn() >= '{}'", arrived.trim()));
    replica.sql("postgres", "SELECT pg_wal_replay_pause()");
    until(&replica, "SELECT pg_get_wal_replay_pause_state() = 'paused'");
    let there = clock(&primary, &name);
    transfer(&mut writer, vec![(0, 1)]).unwrap();
    let mut snapshot = PostgresDatabase::open_snapshot(&replica.url(&name), &options()).unwrap();
    assert_eq!(money(&mut snapshot), [5], "the replica is behind");
    // Whoever restores it has everything since then found out: what the replica lacks among it.
    assert!(snapshot.time().is_some_and(|time| time <= there), "{:?}, and {there}", snapshot.time());
}

#[test]
fn a_reader_finds_its_way_back() {
    let Some(place) = Place::new("readers that are cut off") else { return };
    found(&mut place.writer(), 0..1, 5);
    let mut reader = PostgresDatabase::open_reader(&place.url(), &options()).unwrap();
    for _ in 0..3 {
        place.end_writers();
        assert_eq!(money(&mut reader), [5]);
    }
    let missing = Place::new("readers of nothing").map(|place| PostgresDatabase::open_reader(&place.url(), &options()));
    assert!(matches!(missing, Some(Err(StoreError::Missing { .. }))));
    assert!(reader.get_many(&quittance_store::tables::BOOKS, &[]).unwrap().is_empty());
}
