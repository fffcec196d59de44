//! Requests to the API: a line `METHOD target`, and the body. Bodies, parts of paths, filters and cursors.

use super::target;
use crate::api::app::{ADMIN, App, bearer};
use axum::body::{Body, to_bytes};
use http::Request;
use quittance_server::problem::catalogue;
use serde_json::Value;
use tower::ServiceExt;

const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "0",
    "-1",
    "9007199254740992",
    "1e400",
    "0.1",
    "\\ud800",
    "\\u0000",
    "\"amount\"",
    "\"currency\"",
    "\"customer\"",
    "\"reference\"",
    "\"metadata\"",
    "\"payment_method\"",
    "\"USD\"",
    "\"XXX\"",
    "alice",
    "order-1",
    "?limit=1",
    "&cursor=",
    "%00",
    "%ff",
    "%2F",
    "..",
    "/",
    "4242424242424242",
    "\u{feff}",
    "\u{202e}",
    "[[[[[[[[[[[[[[[[",
    "pay_",
    "2026-01-01T00:00:00Z",
    "+00:00",
];

#[test]
fn fuzz_requests() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(async { App::start().await.with_alice().await });
    let mut number = 0_u64;
    target("requests", WORDS).run(|bytes| {
        number += 1;
        let Some(request) = request(bytes, number) else { return };
        let (status, body) = runtime.block_on(async {
            let response = app.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            (parts.status.as_u16(), to_bytes(body, 10_000_000).await.unwrap())
        });
        check(status, &body);
    });
}

/// What the bytes ask for; none where no client could ask for it.
fn request(bytes: &[u8], number: u64) -> Option<Request<Body>> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    let (method, target) = line.split_once(' ')?;
    Request::builder()
        .method(method)
        .uri(target)
        .header("authorization", bearer(ADMIN))
        .header("idempotency-key", format!("k{number}"))
        .header("content-type", "application/json")
        .header("prefer", "wait=0")
        .body(Body::from(bytes[end + 1..].to_vec()))
        .ok()
}

/// What is refused has a code of the catalogue; nothing fails inside.
fn check(status: u16, body: &[u8]) {
    let told = String::from_utf8_lossy(body);
    assert!(status < 500 || status == 503, "{status} {told}");
    if status < 400 {
        return;
    }
    let problem: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{status} {error}: {told}"));
    let known = catalogue::ALL.iter().find(|kind| problem["code"] == kind.code);
    assert_eq!(known.map(|kind| kind.status), Some(status), "{told}");
}
