//! `quittance export --to audit` and `verify --audit`: real payments and real repairs, taken away, checked where nothing else
//! is, and changed byte by byte.

use crate::reconcile;
use crate::support::{Client, Ended, Home, Shop, bare, end};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::Command;

const KEY: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

/// The public key of it: both are those of RFC 8032, 7.1, test 1.
fn public() -> String {
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".to_owned()
}

/// A shop with a payment and a refund.
fn shop() -> Shop {
    let shop = Shop::open();
    let client = Client::new(&shop.server.base, Some(&shop.home.credential()));
    let asked = json!({"payment": shop.member("id"), "amount": 5, "reference": "refund-1"});
    assert_eq!(client.post("/v1/refunds", "refund-1", &asked).0, 201);
    shop
}

fn exported(home: &Home, name: &str, words: &[&str]) -> Ended {
    let out = home.path(name).display().to_string();
    let ended = home.run(&[&["export", "--to", "audit", "--out", &out], words].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    ended
}

/// Checks a file in a folder where nothing else is.
fn checked(home: &Home, name: &str, words: &[&str]) -> Ended {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = home.path(name).display().to_string();
    end(&mut bare(&[&["verify", "--json", "--audit", &file], words].concat(), elsewhere.path()))
}

fn lines(home: &Home, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(home.path(name)).expect("readable");
    text.lines().map(str::to_owned).collect()
}

/// What is found, as `line journal record`.
fn found(ended: &Ended) -> Vec<String> {
    let json = ended.json();
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let finding = |one: &Value| format!("{} {} {}", one["line"], shown(&one["journal"]), one["record"]);
    json["findings"].as_array().expect("findings").iter().map(finding).collect()
}

#[test]
fn an_export_is_checked_elsewhere_and_says_who_did_what() {
    let shop = shop();
    let told = exported(&shop.home, "books.jsonl", &[]);
    assert!(told.stderr.contains("not signed"), "{told:?}");
    let ended = checked(&shop.home, "books.jsonl", &[]);
    let json = ended.json();
    let lines = lines(&shop.home, "books.jsonl");
    assert_eq!((ended.code, &json["records"]), (0, &json!(lines.len() - 2)), "{ended:?}");
    assert_eq!((&json["findings"], &json["signed_by"]), (&json!([]), &Value::Null));
    let events: Vec<String> = lines[1..lines.len() - 1]
        .iter()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["says"]["event"].as_str().unwrap_or("-").to_owned()
        })
        .collect();
    for event in ["book_opened", "payment_accepted", "ticket_issued", "effect_advanced", "refund_accepted"] {
        assert!(events.iter().any(|other| other == event), "{event} is not among {events:?}");
    }
}

#[test]
fn a_byte_that_was_changed_is_named_by_its_line_wherever_it_is() {
    let shop = shop();
    exported(&shop.home, "books.jsonl", &[]);
    let text = std::fs::read_to_string(shop.home.path("books.jsonl")).expect("readable");
    // Every hundredth and something: each line is met at many places.
    for at in (0..text.len()).step_by(131) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if at % 2 == 0 { bytes[at] ^ 1 } else { 0xff };
        std::fs::write(shop.home.path("changed.jsonl"), &bytes).expect("written");
        let ended = checked(&shop.home, "changed.jsonl", &[]);
        assert_eq!(ended.code, 1, "byte {at}: {ended:?}");
        let line = text[..at].matches('\n').count() + 1;
        let first = found(&ended).into_iter().next().unwrap_or_default();
        assert!(first.starts_with(&format!("{line} ")), "byte {at} of line {line}: {ended:?}");
    }
}

#[test]
fn records_that_are_left_out_swapped_or_cut_off_are_missed() {
    let shop = shop();
    exported(&shop.home, "books.jsonl", &[]);
    let whole = lines(&shop.home, "books.jsonl");
    let last = whole.len();
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        shop.home.write("changed.jsonl", &format!("{}\n", lines.join("\n")));
        let ended = checked(&shop.home, "changed.jsonl", &[]);
        assert_eq!(ended.code, 1, "{ended:?}");
        ended.json()["findings"][0].clone()
    };
    let left_out = changed(&|lines| drop(lines.remove(2)));
    assert_eq!((&left_out["line"], &left_out["record"]), (&json!(3), &json!(3)), "{left_out}");
    let swapped = changed(&|lines| lines.swap(2, 3));
    assert_eq!((&swapped["line"], &swapped["record"]), (&json!(3), &json!(3)), "{swapped}");
    let twice = changed(&|lines| lines.insert(2, lines[2].clone()));
    assert_eq!(twice["line"], 4, "{twice}");
    assert!(changed(&|lines| drop(lines.pop()))["what"].as_str().expect("a text").contains("no seal"));
    assert!(changed(&|lines| drop(lines.remove(last - 2)))["what"].as_str().expect("a text").contains("sealed"));
    assert!(changed(&|lines| lines.push("{}".into()))["what"].as_str().expect("a text").contains("after its seal"));
}

/// Words of another version cannot be made again: that nobody has checked them is said.
#[test]
fn words_of_another_version_are_told_to_be_unchecked() {
    let shop = shop();
    exported(&shop.home, "books.jsonl", &[]);
    let mut lines = lines(&shop.home, "books.jsonl");
    lines[0] = lines[0].replace(&format!("\"by\":\"{}\"", env!("CARGO_PKG_VERSION")), "\"by\":\"9.9.9\"");
    lines[2] = lines[2].replace("payment_accepted", "payment_rejected");
    let seal: Value = serde_json::from_str(&lines.pop().expect("a seal")).expect("JSON");
    let digest = Sha256::digest(format!("{}\n", lines.join("\n")));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let sealed = |lines_digest: &str| {
        let seal = &seal["seal"];
        format!(
            "{{\"seal\":{{\"chains\":{},\"records\":{},\"heads\":{},\"lines\":\"{lines_digest}\",\"made_at\":{}}},\"key\":null,\"signature\":null}}",
            seal["chains"], seal["records"], seal["heads"], seal["made_at"]
        )
    };
    shop.home.write("other.jsonl", &format!("{}\n{}\n", lines.join("\n"), sealed(&digest)));
    let ended = checked(&shop.home, "other.jsonl", &[]);
    let json = ended.json();
    assert_eq!(
        (ended.code, &json["unchecked_words"], &json["worded_by"]),
        (0, &json!(1), &json!("9.9.9")),
        "{ended:?}"
    );
    // Not as it was sealed: then the line is named.
    shop.home.write("other.jsonl", &format!("{}\n{}\n", lines.join("\n"), sealed(&"0".repeat(64))));
    assert_eq!(found(&checked(&shop.home, "other.jsonl", &[]))[0].split(' ').next(), Some("3"));
}

/// The signature is judged by OpenSSL, too, which knows nothing of us.
#[test]
fn a_signature_is_that_of_its_key_and_of_no_other() {
    let shop = shop();
    shop.home.write("key", &format!("{KEY}\n"));
    let key = shop.home.path("key").display().to_string();
    let told = exported(&shop.home, "books.jsonl", &["--signing-key", &key]);
    let public = &public();
    assert!(told.stderr.contains(public.as_str()), "{told:?}");
    let ended = checked(&shop.home, "books.jsonl", &["--public-key", public]);
    assert_eq!((ended.code, &ended.json()["signed_by"]), (0, &json!(public)), "{ended:?}");
    let other = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    let ended = checked(&shop.home, "books.jsonl", &["--public-key", other]);
    assert!(ended.code == 1 && ended.stdout.contains("signed by another key"), "{ended:?}");
    let whole = lines(&shop.home, "books.jsonl");
    let seal: Value = serde_json::from_str(&whole[whole.len() - 1]).expect("JSON");
    let text = &whole[whole.len() - 1];
    let sealed = &text["{\"seal\":".len()..text.find(",\"key\"").expect("a key")];
    shop.home.write("signed", &format!("quittance audit seal 1\n{sealed}"));
    let signature = STANDARD.decode(seal["signature"].as_str().expect("a text")).expect("Base64");
    std::fs::write(shop.home.path("signature"), signature).expect("written");
    // A public key as RFC 8410 writes it.
    let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let bytes: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&public[2 * at..2 * at + 2], 16).expect("digits")).collect();
    std::fs::write(shop.home.path("public.der"), [&prefix[..], &bytes].concat()).expect("written");
    let judged = Command::new("openssl")
        .current_dir(shop.home.path(""))
        .args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "public.der", "-rawin", "-in", "signed"])
        .args(["-sigfile", "signature"])
        .output();
    // Where there is no OpenSSL, ours has judged.
    if let Ok(judged) = judged {
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    }
}

#[test]
fn what_was_exported_once_has_to_be_there_for_ever() {
    let shop = shop();
    exported(&shop.home, "old.jsonl", &[]);
    let client = Client::new(&shop.server.base, Some(&shop.home.credential()));
    let asked = json!({"payment": shop.member("id"), "amount": 1, "reference": "refund-2"});
    assert_eq!(client.post("/v1/refunds", "refund-2", &asked).0, 201);
    exported(&shop.home, "new.jsonl", &[]);
    let path = |name: &str| shop.home.path(name).display().to_string();
    assert_eq!(checked(&shop.home, "new.jsonl", &["--after", &path("old.jsonl")]).code, 0);
    // The other way round the newer one has more.
    let ended = checked(&shop.home, "old.jsonl", &["--after", &path("new.jsonl")]);
    assert!(ended.code == 1 && ended.stdout.contains("the older export goes up to record"), "{ended:?}");
    // Other books altogether.
    let other = self::shop();
    exported(&other.home, "other.jsonl", &[]);
    let ended = checked(&shop.home, "new.jsonl", &["--after", &other.home.path("other.jsonl").display().to_string()]);
    assert_eq!(ended.code, 1, "{ended:?}");
    // Half of an older one asks for half.
    let old = lines(&shop.home, "old.jsonl");
    shop.home.write("half.jsonl", &format!("{}\n", old[..3].join("\n")));
    let ended = checked(&shop.home, "new.jsonl", &["--after", &path("half.jsonl")]);
    assert!(ended.code == 2 && ended.stderr.contains("has no seal"), "{ended:?}");
    let ended = checked(&shop.home, "new.jsonl", &["--after", &path("old.jsonl"), "--public-key", &public()]);
    assert!(ended.code == 2 && ended.stderr.contains("not signed by this key"), "{ended:?}");
    shop.home.write("none", "nothing\n");
    let ended = checked(&shop.home, "new.jsonl", &["--after", &path("none")]);
    assert!(ended.code == 2 && ended.stderr.contains("--after: line 1"), "{ended:?}");
}

#[test]
fn repairs_of_pairs_are_exported_with_who_made_them() {
    let home = reconcile::home("");
    reconcile::repaired(&home);
    exported(&home, "repairs.jsonl", &[]);
    let ended = checked(&home, "repairs.jsonl", &[]);
    assert_eq!((ended.code, &ended.json()["journals"]), (0, &json!(1)), "{ended:?}");
    let text = lines(&home, "repairs.jsonl").join("\n");
    for words in
        ["pair:subscriptions", "run_began", "\"set\":{\"plan\":\"scale\",\"status\":\"active\"}", "settled", "repaired"]
    {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

#[test]
fn what_cannot_be_exported_or_checked_is_said() {
    let home = Home::new();
    let check = |ended: &Ended, code: i32, words: &str| {
        assert!(ended.code == code && ended.stderr.contains(words), "{words}: {ended:?}");
    };
    check(&home.run(&["export", "--to", "audit"]), 2, "no quittance data in");
    check(&home.run(&["export", "--to", "audit", "--tenant", "x"]), 2, "takes no part of the books");
    check(&home.run(&["export", "--to", "csv", "--signing-key", "x"]), 2, "only an export for auditors is signed");
    check(&home.run(&["export", "--to", "audit", "--signing-key", "none"]), 2, "cannot read none");
    home.write("key", "abc");
    let key = home.path("key").display().to_string();
    check(&home.run(&["export", "--to", "audit", "--signing-key", &key]), 2, "64 hexadecimal digits");
    check(&home.run(&["verify", "--audit", "none"]), 2, "--audit: cannot read none");
    check(&home.run(&["verify", "--public-key", "x"]), 2, "--audit");
    home.write("books.jsonl", "{\"a\": 1}\n");
    let file = home.path("books.jsonl").display().to_string();
    check(&home.run(&["verify", "--audit", &file, "--public-key", "zz"]), 2, "this is no public key");
    let ended = home.run(&["verify", "--audit", &file]);
    assert!(ended.code == 1 && ended.stdout.contains("line 1: this is not how an export"), "{ended:?}");
}
