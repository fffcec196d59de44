//! Bytes as version 1 wrote them.

use super::alerts;
use super::effects::{effect, effects};
use super::events;
use super::history::records;
use super::repairs;
use super::*;
use crate::value::Value;
use quittance_core::effect::Effect;
use quittance_core::journal::Record;
use std::collections::BTreeSet;
use std::path::Path;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex")).collect()
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples: Vec<(&str, Vec<u8>)> =
        records().iter().map(|(name, record)| (*name, journal::encode(record))).collect();
    let column = Effect::table().position("body");
    for (name, effect) in effects() {
        let Value::Bytes(body) = effect.to_row()[column].clone() else {
            panic!("the body of an effect is bytes");
        };
        samples.push((name, body));
    }
    samples.push(("balances", encode_balances(&balances())));
    samples.push(("tally", encode_tally(&tally())));
    samples.extend(events::bodies());
    samples.extend(repairs::bodies());
    samples.extend(alerts::bodies());
    samples
}

/// Run with `QUITTANCE_UPDATE_GOLDEN=1` to write the file anew: only ever before the first release.
#[expect(clippy::disallowed_methods, reason = "only the environment can tell a test to write its samples anew")]
#[test]
fn bytes_of_version_1_are_what_they_were() {
    let printed: String = samples().iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
    if std::env::var_os("QUITTANCE_UPDATE_GOLDEN").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/records/samples/v1.txt");
        return std::fs::write(path, printed).expect("the samples can be written");
    }
    assert_eq!(printed, include_str!("../samples/v1.txt"), "stored formats never change within a version");
}

#[test]
fn bytes_of_version_1_can_be_read() {
    let stored: BTreeMap<&str, Vec<u8>> = include_str!("../samples/v1.txt")
        .lines()
        .map(|line| line.split_once(' ').expect("name and bytes"))
        .map(|(name, text)| (name, unhex(text)))
        .collect();
    for (name, record) in records() {
        assert_eq!(journal::decode(record.kind(), &stored[name]), Ok(record), "{name}");
    }
    assert_eq!(decode_balances(&stored["balances"]), Ok(balances()));
    assert_eq!(decode_tally(&stored["tally"]), Ok(tally()));
    for (name, effect) in effects() {
        let mut row = effect.to_row();
        row[Effect::table().position("body")] = stored[name].clone().into();
        assert_eq!(Effect::from_row(&row), Ok(effect), "{name}");
    }
    events::check_bodies(|name| stored[name].clone());
    repairs::check_bodies(|name| stored[name].clone());
    alerts::check_bodies(|name| stored[name].clone());
}

#[test]
fn damaged_bytes_are_an_error_never_another_value() {
    for (name, bytes) in samples() {
        for cut in 0..bytes.len() {
            let kind = records().iter().find(|(other, _)| *other == name).map(|(_, record)| record.kind());
            match kind {
                Some(kind) => assert!(journal::decode(kind, &bytes[..cut]).is_err(), "{name} cut at {cut}"),
                None if name == "balances" => assert!(decode_balances(&bytes[..cut]).is_err()),
                None if name == "tally" => assert!(decode_tally(&bytes[..cut]).is_err()),
                None if events::is_body(name) => assert!(events::is_damaged(name, &bytes[..cut])),
                None if alerts::is_body(name) => assert!(alerts::is_damaged(name, &bytes[..cut])),
                None if repairs::is_body(name) => assert!(repairs::is_damaged(name, &bytes[..cut])),
                None => {
                    let mut row = effect().to_row();
                    row[Effect::table().position("body")] = bytes[..cut].into();
                    assert!(Effect::from_row(&row).is_err());
                }
            }
        }
        let mut longer = bytes.clone();
        longer.push(0);
        if let Some((_, record)) = records().into_iter().find(|(other, _)| *other == name) {
            assert!(journal::decode(record.kind(), &longer).is_err(), "{name} with a byte more");
        }
    }
}

#[test]
fn every_kind_of_record_has_a_sample() {
    let kinds: BTreeSet<i64> = records().iter().map(|(_, record)| record.kind()).collect();
    let named: BTreeSet<i64> = (0..100).filter(|kind| Record::kind_name(*kind).is_some()).collect();
    assert_eq!(kinds, named);
    assert_eq!(journal::decode(0, &[1]), Err(codec::CodecError::OutOfRange));
}
