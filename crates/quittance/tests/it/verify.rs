//! `quittance verify` over real payments: sound while the server runs and after it was killed; one changed byte is named.

use crate::support::{Ended, Home, Shop};
use rusqlite::Connection;
use serde_json::{Value, json};

fn verified(home: &Home) -> Ended {
    home.run(&["verify", "--json"])
}

fn check_sound(ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = ended.json();
    assert_eq!(report["books"], json!(1));
    assert!(report["records"].as_u64().is_some_and(|records| records >= 6), "{report}");
    assert_eq!((&report["balanced"], &report["chain_ok"]), (&json!(true), &json!(true)));
    assert_eq!((&report["first_broken"], &report["findings"]), (&Value::Null, &json!([])));
}

#[test]
fn real_books_are_proven_and_one_changed_byte_is_named() {
    let mut shop = Shop::open();
    check_sound(&verified(&shop.home));
    let table = shop.home.run(&["verify"]);
    assert!(table.stdout.contains("yes") && table.code == 0, "{table:?}");
    // kill -9: what lies there is proven as it is, the log included.
    shop.server.child.kill().expect("killed");
    shop.server.child.wait().expect("dead");
    check_sound(&verified(&shop.home));

    let database = Connection::open(shop.home.data().join("quittance.db")).expect("opened");
    let records: i64 = database.query_row("SELECT max(seq) FROM journal", [], |row| row.get(0)).expect("records");
    for seq in 1..=records {
        let body: Vec<u8> = read(&database, "body", seq);
        let mut changed = body.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 0x01;
        write(&database, seq, &changed);
        check_broken(&shop, seq, "its content does not match its hash");
        write(&database, seq, &body);
    }
    check_sound(&verified(&shop.home));
}

fn read(database: &Connection, column: &str, seq: i64) -> Vec<u8> {
    let sql = format!("SELECT {column} FROM journal WHERE seq = ?1");
    database.query_row(&sql, [seq], |row| row.get(0)).expect("a record")
}

fn write(database: &Connection, seq: i64, body: &[u8]) {
    let changed = database.execute("UPDATE journal SET body = ?1 WHERE seq = ?2", (body, seq)).expect("written");
    assert_eq!(changed, 1);
}

fn check_broken(shop: &Shop, seq: i64, what: &str) {
    let ended = verified(&shop.home);
    assert_eq!(ended.code, 1, "{ended:?}");
    let report = ended.json();
    assert_eq!(report["chain_ok"], json!(false));
    assert_eq!(report["first_broken"]["book"], shop.payment["customer"]);
    assert_eq!(report["first_broken"]["record"], json!(seq));
    assert_eq!(report["first_broken"]["what"], json!(what));
    let table = shop.home.run(&["verify"]).stdout;
    assert!(table.contains(&format!("record {seq}: {what}")), "{table}");
}

#[test]
fn a_byte_flipped_in_the_file_is_found() {
    let mut shop = Shop::open();
    assert_eq!(shop.server.terminate(), 0);
    let path = shop.home.data().join("quittance.db");
    let database = Connection::open(&path).expect("opened");
    // Everything into the one file, so that the byte can be found there.
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("folded");
    let body = read(&database, "body", 2);
    drop(database);
    let mut bytes = std::fs::read(&path).expect("read");
    let places: Vec<usize> =
        bytes.windows(body.len()).enumerate().filter(|(_, window)| *window == body).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the record is in the file");
    for place in places {
        bytes[place + body.len() / 2] ^= 0x80;
    }
    std::fs::write(&path, bytes).expect("written");
    check_broken(&shop, 2, "its content does not match its hash");
}

#[test]
fn a_payment_that_was_changed_behind_the_journal_is_named() {
    let mut shop = Shop::open();
    assert_eq!(shop.server.terminate(), 0);
    let database = Connection::open(shop.home.data().join("quittance.db")).expect("opened");
    database.execute("UPDATE payments SET captured_amount = 1", []).expect("written");
    drop(database);
    let ended = shop.home.run(&["verify", "--format", "csv"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains("captured amount is 1 in its row and 1999 by the journal"), "{ended:?}");
    let report = verified(&shop.home).json();
    assert_eq!((&report["chain_ok"], &report["balanced"]), (&json!(true), &json!(true)));
    assert_eq!(report["first_broken"]["record"], Value::Null);
}
