//! Keys, fingerprints and what a key that was seen before means.

use proptest::prelude::*;
use quittance_core::id::{CommandId, TenantId};
use quittance_core::idempotency::{Command, Key, KeyError, Progress, Shape, Verdict, fingerprint, verdict};
use quittance_core::time::Timestamp;
use uuid::Uuid;

#[test]
fn both_spellings_of_a_header_are_one_key() {
    assert_eq!(Key::parse("\"abc\""), Key::parse("abc"));
    assert_eq!(Key::parse(" abc\t").expect("a key").as_str(), "abc");
    assert_eq!(Key::parse(&"k".repeat(255)).expect("a key").as_str().len(), 255);
}

#[test]
fn what_is_no_key_is_refused_by_name() {
    let check = |header: &str, expected| assert_eq!(Key::parse(header), Err(expected), "{header:?}");
    check("", KeyError::Empty);
    check("\"\"", KeyError::Empty);
    check(&"k".repeat(256), KeyError::TooLong);
    check("a b", KeyError::BadCharacter);
    check("\"a\\b\"", KeyError::BadCharacter);
    check("\"a\"b\"", KeyError::BadCharacter);
    check("grün", KeyError::BadCharacter);
    check("\"abc", KeyError::UnpairedQuote);
    check("\"", KeyError::UnpairedQuote);
}

fn shape<'a>(route: &'a str, path: &'a [(&'a str, &'a str)], body: &'a [u8]) -> Shape<'a> {
    Shape { method: "POST", route, path, query: &[], media_type: "application/json", canonical_body: body }
}

#[test]
fn a_fingerprint_covers_every_part_and_the_tenant() {
    let base = fingerprint(&[1; 32], &shape("/v1/payments", &[], b"{}"));
    assert_eq!(base, fingerprint(&[1; 32], &shape("/v1/payments", &[], b"{}")));
    for other in [
        fingerprint(&[2; 32], &shape("/v1/payments", &[], b"{}")),
        fingerprint(&[1; 32], &shape("/v1/refunds", &[], b"{}")),
        fingerprint(&[1; 32], &shape("/v1/payments", &[("id", "1")], b"{}")),
        fingerprint(&[1; 32], &shape("/v1/payments", &[], b"{\"a\":1}")),
    ] {
        assert_ne!(base, other);
    }
}

proptest! {
    #[test]
    fn parameters_cannot_be_shifted_into_one_another(a in "[a-c=:;]{0,4}", b in "[a-c=:;]{0,4}", c in "[a-c=:;]{0,4}") {
        let one = [(a.as_str(), b.as_str()), (c.as_str(), "")];
        let two = [(a.as_str(), ""), (b.as_str(), c.as_str())];
        let same = one == two;
        let left = fingerprint(&[1; 32], &shape("/r", &one, b""));
        let right = fingerprint(&[1; 32], &shape("/r", &two, b""));
        prop_assert_eq!(left == right, same);
    }
}

fn stored(progress: Progress) -> Command {
    Command {
        id: CommandId::from_uuid(Uuid::from_u128(1)),
        tenant: TenantId::from_uuid(Uuid::from_u128(2)),
        key: "k".into(),
        operation: "POST /v1/payments".into(),
        fingerprint: [1; 32],
        fingerprint_version: 1,
        progress,
        subject: None,
        credential: None,
        api_version: "1".into(),
        received_at: Timestamp(0),
    }
}

#[test]
fn a_key_means_what_was_stored_under_it() {
    let key = Key::parse("k").expect("a key");
    let operation = "POST /v1/payments";
    assert_eq!(verdict(None, &key, operation, &[1; 32]), Verdict::Fresh);
    let running = stored(Progress::InProgress);
    assert_eq!(verdict(Some(&running), &key, operation, &[1; 32]), Verdict::InProgress(&running));
    let done = stored(Progress::Completed { status: 201, body: Vec::new(), at: Timestamp(1) });
    assert_eq!(verdict(Some(&done), &key, operation, &[1; 32]), Verdict::Replay(&done));
    let expired = stored(Progress::Tombstone { at: Timestamp(1) });
    assert_eq!(verdict(Some(&expired), &key, operation, &[1; 32]), Verdict::Expired(&expired));
    for command in [&running, &done, &expired] {
        assert_eq!(verdict(Some(command), &key, operation, &[2; 32]), Verdict::Reused);
        assert_eq!(verdict(Some(command), &key, "POST /v1/customers", &[1; 32]), Verdict::Reused);
    }
}
