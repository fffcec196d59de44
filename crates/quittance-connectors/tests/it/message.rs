//! Persisted requests: sample bytes of every version, damage, digests; and header lookup.

use quittance_connectors::message::{DecodeError, MAX_REQUEST_BYTES, Method, Request, Response};

/// What version 1 wrote for [`sample`]. Never edited: what an old release persisted has to be replayable.
const SAMPLE_1: &[u8] = b"\x01\x01\x20/v1/payment_intents/pi_1/confirm\x102025-03-31.basil\x1db1abcdefghijklmnopqrstuvwxyz\x13payment_method=pm_2";

/// What version 1 wrote for a read, which has no key and no body.
const SAMPLE_1_READ: &[u8] = b"\x01\x00\x18/v1/payment_intents/pi_1\x102025-03-31.basil\x00\x00";

fn sample() -> Request {
    Request {
        method: Method::Post,
        target: "/v1/payment_intents/pi_1/confirm".to_owned(),
        body: b"payment_method=pm_2".to_vec(),
        idempotency_key: Some("b1abcdefghijklmnopqrstuvwxyz".to_owned()),
        api_version: "2025-03-31.basil".to_owned(),
    }
}

fn sample_read() -> Request {
    Request {
        method: Method::Get,
        target: "/v1/payment_intents/pi_1".to_owned(),
        body: Vec::new(),
        idempotency_key: None,
        api_version: "2025-03-31.basil".to_owned(),
    }
}

#[test]
fn version_1_is_written_and_read_as_ever() {
    for (request, bytes) in [(sample(), SAMPLE_1), (sample_read(), SAMPLE_1_READ)] {
        assert_eq!(String::from_utf8_lossy(&request.encode()), String::from_utf8_lossy(bytes));
        assert_eq!(Request::decode(bytes), Ok(request));
    }
}

#[test]
fn an_empty_key_is_not_a_missing_key() {
    let request = sample().with_key("");
    assert_eq!(Request::decode(&request.encode()), Ok(request));
}

#[test]
fn long_parts_survive() {
    let request = Request { body: vec![b'x'; 300_000], ..sample() };
    assert_eq!(Request::decode(&request.encode()), Ok(request));
}

#[test]
fn every_truncation_is_refused() {
    for length in 0..SAMPLE_1.len() {
        let result = Request::decode(&SAMPLE_1[..length]);
        assert!(matches!(result, Err(DecodeError::Damaged { .. })), "{length}: {result:?}");
    }
}

#[test]
fn damage_is_refused_by_name() {
    let changed = |index: usize, byte: u8| {
        let mut bytes = SAMPLE_1.to_vec();
        bytes[index] = byte;
        Request::decode(&bytes)
    };
    assert_eq!(changed(0, 2), Err(DecodeError::UnknownVersion { version: 2 }));
    assert_eq!(changed(1, 2), Err(DecodeError::Damaged { part: "method" }));
    assert_eq!(changed(3, 0xff), Err(DecodeError::Damaged { part: "target" }));
    let endless = [&SAMPLE_1[..2], &[0x80; 12]].concat();
    assert_eq!(Request::decode(&endless), Err(DecodeError::Damaged { part: "target" }));
    let followed = [SAMPLE_1, b"xy"].concat();
    assert_eq!(Request::decode(&followed), Err(DecodeError::Trailing { bytes: 2 }));
    let long = vec![1; MAX_REQUEST_BYTES + 1];
    assert_eq!(Request::decode(&long), Err(DecodeError::TooLong { bytes: MAX_REQUEST_BYTES + 1 }));
}

#[test]
fn the_canonical_bytes_are_fixed() {
    let expected =
        b"quittance-request-1\n\x04POST\x20/v1/payment_intents/pi_1/confirm\x102025-03-31.basil\x13payment_method=pm_2";
    assert_eq!(String::from_utf8_lossy(&sample().canonical_bytes()), String::from_utf8_lossy(expected));
}

#[test]
fn the_digest_covers_what_is_asked_and_not_under_which_key() {
    // sha256sum of the canonical bytes above.
    let hex: String = sample().digest().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "250199c8483f486953333886a89222b4c332d4218c123500e71cd07eae4b6797");
    assert_eq!(sample().digest(), sample().with_key("another").digest());
    for other in [
        Request { method: Method::Get, ..sample() },
        Request { target: "/v1/payment_intents/pi_2/confirm".to_owned(), ..sample() },
        Request { body: Vec::new(), ..sample() },
        Request { api_version: "2025-03-31.basi".to_owned(), ..sample() },
    ] {
        assert_ne!(sample().digest(), other.digest(), "{other:?}");
    }
}

#[test]
fn headers_are_found_in_any_case() {
    let headers = vec![("rEtRy-AfTeR".to_owned(), " 7 ".to_owned()), ("Retry-After".to_owned(), "8".to_owned())];
    let response = Response { status: 429, headers, body: Vec::new() };
    assert_eq!(response.header("Retry-After"), Some("7"));
    assert_eq!(response.header("Retry"), None);
}
