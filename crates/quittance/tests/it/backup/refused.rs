//! What is no backup, or no place for one: a clear word, and nothing half done.

use super::{check_good, rows, text};
use crate::support::{Ended, Home, Shop};
use rusqlite::Connection;
use serde_json::json;
use std::fs;

fn check_refused(ended: &Ended, code: i32, what: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert!(ended.stderr.contains(what), "{what:?} is not in {ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
}

/// A home whose data were backed up, once in each form.
fn backed_up() -> Shop {
    let mut shop = Shop::open();
    assert_eq!(shop.server.terminate(), 0);
    check_good(&shop.home.back_up("packed", &[]));
    check_good(&shop.home.back_up("plain", &["--compression", "none"]));
    shop
}

/// A file that is refused everywhere, with the same word, and touches nothing.
fn check_file(home: &Home, bytes: &[u8], code: i32, what: &str) {
    fs::write(home.path("bad"), bytes).expect("written");
    check_refused(&home.check("bad"), code, what);
    check_refused(&home.restore("bad", "elsewhere", &[]), code, what);
    check_refused(&home.restore("bad", "elsewhere", &["--dry-run"]), code, what);
    assert!(!home.path("elsewhere").exists(), "nothing was touched");
}

#[test]
fn a_file_that_is_not_whole_or_none_is_told_apart_and_touches_nothing() {
    let shop = backed_up();
    let home = &shop.home;
    check_file(home, b"", 2, "this is no backup");
    check_file(home, b"[gateways.stripe]\nkind = \"stripe\"\n", 2, "this is no backup");
    for name in ["packed", "plain"] {
        let bytes = fs::read(home.path(name)).expect("read");
        for length in [10, 17, 18, 60, bytes.len() / 2, bytes.len() - 1] {
            check_file(home, &bytes[..length], 1, "the backup is cut");
        }
        let changed = |place: usize, mask: u8| {
            let mut changed = bytes.clone();
            changed[place] ^= mask;
            changed
        };
        check_file(home, &changed(bytes.len() / 2, 0x10), 1, "the backup is ");
        check_file(home, &changed(bytes.len() - 1, 0x10), 1, "the backup is damaged");
        let mut newer = bytes.clone();
        newer[16] = 9;
        check_file(home, &newer, 2, "the backup has format 9, and this quittance reads formats up to 1");
        check_file(home, &[&bytes[..], b"and something behind it"].concat(), 1, "the backup is damaged");
    }
    check_refused(&home.restore("nowhere", "elsewhere", &[]), 2, "No such file");
    check_refused(&home.check("."), 2, "this is no backup");
    check_good(&home.restore("packed", "elsewhere", &[]));
}

#[test]
fn only_an_empty_place_is_restored_into_and_what_is_there_stays() {
    let shop = backed_up();
    let home = &shop.home;
    check_refused(&home.restore("packed", "data", &[]), 2, "is not empty: there are rows in tenants");
    let packed = text(&home.path("packed")).to_owned();
    check_refused(&home.at("data", &["restore", "--from", &packed, "--dry-run"]), 2, "--data does not say where");
    check_refused(&home.without_data(&["restore", "--from", &packed]), 2, "--to-data");
    let server = home.serve();
    check_refused(&home.restore("packed", "data", &[]), 3, "in use by another process");
    drop(server);
    check_good(&home.run(&["verify", "--json"]));
    // A directory that something was made in, and nothing written to.
    fs::create_dir(home.path("elsewhere")).expect("made");
    check_good(&home.restore("packed", "elsewhere", &[]));
    check_refused(&home.restore("packed", "elsewhere", &[]), 2, "is not empty");
    check_good(&home.at("elsewhere", &["verify", "--json"]));
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_nothing_unfinished() {
    let shop = backed_up();
    let home = &shop.home;
    let before = fs::read(home.path("packed")).expect("read");
    check_refused(&home.back_up("packed", &[]), 2, "is there already");
    assert_eq!(fs::read(home.path("packed")).expect("read"), before);
    check_refused(&home.back_up("no/such/folder", &[]), 2, "No such file");
    let nowhere = text(&home.path("new")).to_owned();
    check_refused(&home.at("no-data", &["backup", "--to", &nowhere]), 2, "no quittance data in");
    assert!(!home.path("new").exists() && !home.path("new.part").exists() && !home.path("no-data").exists());
    // One that died on its way: begun anew, also where others could have read it.
    fs::write(home.path("new.part"), vec![7; 1 << 20]).expect("written");
    check_good(&home.back_up("new", &[]));
    check_good(&home.check("new"));
    assert!(!home.path("new.part").exists());
    // One that is on its way.
    let running = fs::File::create(home.path("other.part")).expect("made");
    running.lock().expect("locked");
    check_refused(&home.back_up("other", &[]), 3, "is being written by another process");
    assert!(!home.path("other").exists() && home.path("other.part").exists());
    check_refused(&home.run(&["backup"]), 2, "--to <FILE>");
}

#[test]
fn books_that_are_not_sound_are_restored_only_when_that_is_asked_for() {
    let shop = backed_up();
    let home = &shop.home;
    let database = Connection::open(home.data().join("quittance.db")).expect("opened");
    database.execute("UPDATE payments SET captured_amount = 1", []).expect("written");
    drop(database);
    let backup = check_good(&home.back_up("unsound", &[]));
    let found = "captured amount is 1 in its row and 1999 by the journal";
    check_refused(&home.restore("unsound", "elsewhere", &[]), 1, found);
    let nothing = text(&home.path("nothing")).to_owned();
    let emptied = check_good(&home.at("elsewhere", &["backup", "--json", "--to", &nothing]));
    assert_eq!(emptied["rows"], json!(0), "nothing is half done");
    let ended = home.restore("unsound", "elsewhere", &["--keep-findings"]);
    assert_eq!((ended.code, &ended.json()["verified"]["findings_count"]), (1, &json!(1)), "{ended:?}");
    assert_eq!(rows(&backup, "payments"), 1);
    assert_eq!(home.at("elsewhere", &["verify"]).code, 1);
}
