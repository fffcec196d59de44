//! What lies in files: configuration, records of the journal, CSV, backups.

use super::{Fuzz, target};
use quittance_core::pair::{Column, Side};
use quittance_server::backup::{self, Compression};
use quittance_server::config::Config;
use quittance_server::operate::{self, Operation};
use quittance_server::systems::csv::Csv;
use quittance_server::systems::{System, Wanted};
use quittance_store::records::{decode_balances, decode_proof, decode_tally, encode_balances, encode_tally, journal};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use tempfile::TempDir;

const TOML: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "=",
    ".",
    "\"",
    "'''",
    "#",
    "\n",
    "{",
    "}",
    "1e400",
    "-1",
    "99999999999999999999",
    "0x",
    "inf",
    "[server]",
    "[server.tls]",
    "[gateways.g]",
    "[systems.s]",
    "[pairs.p]",
    "[brakes.tenants.t]",
    "kind = ",
    "api_key = ",
    "env:",
    "file:",
    "match = ",
    "\u{0}",
    "\u{feff}",
];

#[test]
fn fuzz_configuration() {
    target("configuration", TOML).run(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Err(errors) = Config::from_text(&text, &|_| None) {
            assert!(!errors.mistakes.is_empty());
            assert!(errors.mistakes.iter().all(|mistake| !mistake.what.is_empty() && !mistake.remedy.is_empty()));
            drop(errors.to_string());
        }
    });
}

/// Bytes of every stored format, as its own test keeps them.
const SAMPLES: &str = include_str!("../../../../quittance-store/src/records/samples/v1.txt");

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A byte for the kind of the record, and its body. What can be read is written as the same again.
#[test]
fn fuzz_records() {
    let mut fuzz = Fuzz::new("records", &["\u{0}", "\u{1}", "USD", "\u{7f}\u{7f}\u{7f}\u{7f}", "stripe"]);
    let mut readable = 0;
    for line in SAMPLES.lines() {
        let body = unhex(line.split_once(' ').unwrap().1);
        for kind in 0..32 {
            if journal::decode(kind.into(), &body).is_ok() {
                readable += 1;
                fuzz = fuzz.seed([&[kind][..], &body].concat());
            }
        }
        fuzz = fuzz.seed([&[0], &body[..]].concat());
    }
    assert!(readable >= 20, "{readable}");
    fuzz.run(|bytes| {
        let Some((kind, body)) = bytes.split_first() else { return };
        if let Ok(record) = journal::decode(i64::from(*kind), body) {
            assert_eq!(journal::decode(record.kind(), &journal::encode(&record)), Ok(record));
        }
        if let Ok(balances) = decode_balances(body) {
            assert_eq!(decode_balances(&encode_balances(&balances)), Ok(balances));
        }
        if let Ok(tally) = decode_tally(body) {
            assert_eq!(decode_tally(&encode_tally(&tally)), Ok(tally));
        }
        drop(decode_proof(body));
    });
}

#[test]
fn fuzz_csv() {
    let folder = TempDir::new().unwrap();
    let column = |name| Column { pointer: Some("/a/0".to_owned()), ..Column::plain(name) };
    let side = Side { columns: vec![Column::plain("id"), column("note")], ..Side::default() };
    target(
        "csv",
        &["\"", "\"\"", ",", ";", "\r\n", "\n", "\r", "NULL", "{\"a\": [1]}", "~1", "\u{feff}", "\u{0}", "é"],
    )
    .run(|bytes| {
        std::fs::write(folder.path().join("a.csv"), bytes).unwrap();
        let mut rows = 0_u64;
        let mut system = Csv::open("files", folder.path(), b',', "NULL").unwrap();
        let read = system.read("a", &side, &Wanted::All, &mut |row| {
            assert_eq!(row.len(), 2);
            rows += 1;
            ControlFlow::Continue(())
        });
        match read {
            Ok(reading) => assert_eq!(reading.rows, rows),
            Err(error) => assert!(!error.remedy.is_empty()),
        }
    });
}

/// A backup that was changed and is believed all the same holds what it held.
#[tokio::test(flavor = "multi_thread")]
async fn fuzz_backups() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data").as_path().into();
    let operation = Operation::CreateKey { tenant: None, name: "fuzz".to_owned(), scope: "write".to_owned() };
    operate::run(&data, &operation, &BTreeSet::new()).await.unwrap();
    let (whole, changed) = (folder.path().join("whole"), folder.path().join("changed"));
    backup::take(&data, &whole, Compression::None, &mut |_, _| {}).unwrap();
    let mut held = vec![backup::check(&whole).unwrap().1];
    let mut fuzz = Fuzz::new("backups", &["\u{0}", "\u{7f}", "quittance"]).seed(std::fs::read(&whole).unwrap());
    std::fs::remove_file(&whole).unwrap();
    backup::take(&data, &whole, Compression::Zstd, &mut |_, _| {}).unwrap();
    held.push(backup::check(&whole).unwrap().1);
    fuzz = fuzz.seed(std::fs::read(&whole).unwrap());
    fuzz.run(|input| {
        std::fs::write(&changed, input).unwrap();
        if let Ok((_, summary)) = backup::check(&changed) {
            assert!(held.contains(&summary), "{summary:?}");
        }
    });
}
