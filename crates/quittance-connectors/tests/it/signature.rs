//! Webhook signatures: the published vectors, and our own.

use quittance_connectors::stripe::webhook::{SIGNATURES_MAX, SignatureError, verify};
use serde_json::Value;

use crate::data::test_data;

const BODY: &[u8] = br#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded","created":1700000000}"#;
const T: &str = "t=1700000000";

// Made with Python: hmac.new(secret, b"1700000000." + BODY, "sha256").hexdigest().
const BY_NEW: &str = "v1=60010a96586e8b8d84d2d1bebb573d0484239ae4e8793c317af0e5775b2aa919";
const BY_OLD: &str = "v1=18e07f934745f5c9c7ebf739c32a7d7766169621bfd6d0c22711616a454adb5c";
const BY_EMPTY: &str = "v1=ef6d649d718200d4c8b0ac7a280c2abff8d20f1244f18c1def25ddeb97dd4952";

const NEW: &str = "whsec_new";
const OLD: &str = "whsec_old";

/// Verifies one second after the signature was made, with the usual tolerance.
fn check(header: &str, secrets: &[&str]) -> Result<usize, SignatureError> {
    verify(header, BODY, secrets, 1_700_000_001, 300)
}

/// The word by which the published vectors call a result.
fn word(result: Result<usize, SignatureError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(SignatureError::Misconfigured) => "config_error",
        Err(SignatureError::MalformedHeader | SignatureError::TooManySignatures) => "malformed_header",
        Err(SignatureError::NoSupportedSignature) => "no_supported_signature",
        Err(SignatureError::BadSignature) => "bad_signature",
        Err(SignatureError::TimestampTooOld { .. }) => "timestamp_too_old",
        Err(SignatureError::TimestampInFuture { .. }) => "timestamp_in_future",
    }
}

#[test]
fn the_published_vectors_hold() {
    let Some(vectors) = test_data("vectors/stripe-signature.json") else {
        return;
    };
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let cases = vectors["cases"].as_array().expect("cases are a list");
    assert!(!cases.is_empty());
    for case in cases {
        let secrets: Vec<String> = case["secrets"].as_array().expect("secrets").iter().map(text).collect();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let tolerance = case["tolerance_s"].as_u64().and_then(|seconds| u32::try_from(seconds).ok()).expect("seconds");
        let now = case["now"].as_i64().expect("seconds");
        let result = verify(&text(&case["header"]), text(&case["body"]).as_bytes(), &secrets, now, tolerance);
        assert_eq!(word(result), text(&case["expect"]), "{}", case["name"]);
    }
}

#[test]
fn any_signature_may_match_any_secret_and_the_secret_is_named() {
    assert_eq!(check(&format!("{T},{BY_NEW}"), &[NEW]), Ok(0));
    assert_eq!(check(&format!("{T},{BY_OLD}"), &[NEW, OLD]), Ok(1));
    assert_eq!(check(&format!("{T},{BY_NEW},{BY_OLD}"), &[OLD]), Ok(0));
    assert_eq!(check(&format!("{BY_NEW},v0=00,scheme=new,{T}"), &[OLD, NEW]), Ok(1));
    assert_eq!(check(&format!("{T},v1=,v1=zz,{BY_NEW}"), &[NEW]), Ok(0));
    assert_eq!(check(&format!("{T},{BY_OLD}"), &[NEW]), Err(SignatureError::BadSignature));
}

#[test]
fn the_tolerance_goes_both_ways_and_includes_its_edge() {
    let at = |now| verify(&format!("{T},{BY_NEW}"), BODY, &[NEW], now, 300);
    assert_eq!(at(1_700_000_300), Ok(0));
    assert_eq!(at(1_700_000_301), Err(SignatureError::TimestampTooOld { age_seconds: 301 }));
    assert_eq!(at(1_699_999_700), Ok(0));
    assert_eq!(at(1_699_999_699), Err(SignatureError::TimestampInFuture { ahead_seconds: 301 }));
    assert_eq!(word(at(i64::MAX)), "timestamp_too_old");
    assert_eq!(word(at(i64::MIN)), "timestamp_in_future");
}

#[test]
fn our_own_mistakes_are_not_the_senders() {
    let header = format!("{T},{BY_NEW}");
    assert_eq!(verify(&header, BODY, &[NEW], 1_700_000_001, 0), Err(SignatureError::Misconfigured));
    assert_eq!(check(&header, &[]), Err(SignatureError::Misconfigured));
    // Anybody can sign with an empty secret.
    assert_eq!(check(&format!("{T},{BY_EMPTY}"), &[NEW, ""]), Err(SignatureError::Misconfigured));
}

#[test]
fn malformed_headers_are_refused() {
    let cases = [
        String::new(),
        ",".to_owned(),
        "t".to_owned(),
        BY_NEW.to_owned(),
        format!("{T},{T},{BY_NEW}"),
        format!("t=,{BY_NEW}"),
        format!("t=+1700000000,{BY_NEW}"),
        format!("t=-1700000000,{BY_NEW}"),
        format!("t=99999999999999999999,{BY_NEW}"),
        format!("{T}, {BY_NEW},"),
        format!("{T},{BY_NEW},x={}", "y".repeat(5000)),
    ];
    for header in cases {
        assert_eq!(check(&header, &[NEW]), Err(SignatureError::MalformedHeader), "{header}");
    }
}

#[test]
fn what_a_good_header_may_not_be() {
    assert_eq!(check(T, &[NEW]), Err(SignatureError::NoSupportedSignature));
    assert_eq!(
        check(&format!("{T},{}", BY_NEW.replace("v1", "v0")), &[NEW]),
        Err(SignatureError::NoSupportedSignature)
    );
    assert_eq!(check(&format!("t=01700000000,{BY_NEW}"), &[NEW]), Err(SignatureError::BadSignature));
    assert_eq!(check(&format!("{T},v1={}", BY_NEW[3..].to_uppercase()), &[NEW]), Err(SignatureError::BadSignature));
    assert_eq!(check(&format!("{T},{}", &BY_NEW[..BY_NEW.len() - 1]), &[NEW]), Err(SignatureError::BadSignature));
}

#[test]
fn signatures_are_counted() {
    let header = |others: usize| format!("{T}{},{BY_NEW}", ",v1=00".repeat(others));
    assert_eq!(check(&header(SIGNATURES_MAX - 1), &[NEW]), Ok(0));
    assert_eq!(check(&header(SIGNATURES_MAX), &[NEW]), Err(SignatureError::TooManySignatures));
}

#[test]
fn no_flipped_bit_is_accepted() {
    let header = format!("{T},{BY_NEW}");
    for bit in 0..header.len() * 8 {
        let mut flipped = header.clone().into_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(flipped) = String::from_utf8(flipped) {
            assert!(check(&flipped, &[NEW]).is_err(), "{flipped}");
        }
    }
    for bit in 0..BODY.len() * 8 {
        let mut flipped = BODY.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let result = verify(&header, &flipped, &[NEW], 1_700_000_001, 300);
        assert_eq!(result, Err(SignatureError::BadSignature), "bit {bit}");
    }
    for length in 0..BODY.len() {
        let result = verify(&header, &BODY[..length], &[NEW], 1_700_000_001, 300);
        assert_eq!(result, Err(SignatureError::BadSignature), "cut to {length}");
    }
}
