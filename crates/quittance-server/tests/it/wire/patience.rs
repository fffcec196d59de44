//! Clients that are slow, many, or gone: each has an end, and what they asked for happened wholly or not at all.

use super::{PATIENCE, Running, one, rest};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: q\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_is_given_up() {
    let server = Running::start("[server]\nhead_timeout_ms = 100\n").await;
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, b"");
    // Each byte comes in good time, and the head does not.
    let mut slow = server.connect().await;
    let dripping = async {
        loop {
            for byte in b"GET /healthz HTTP/1.1\r\nHost: q\r\nX-Slow: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                if slow.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        }
    };
    timeout(PATIENCE, dripping).await.expect("the server hangs up");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_nothing_more_is_given_up() {
    let server = Running::start("[server]\nhead_timeout_ms = 5000\n").await;
    let mut stream = server.send(HEALTH).await;
    assert_eq!(one(&mut stream).await.expect("an answer").status(), 200);
    assert_eq!(rest(&mut stream).await, b"");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_is_refused_and_claims_nothing() {
    let server = Running::start("[server]\nbody_timeout_ms = 100\n").await;
    for framing in ["Content-Length: 2\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n{"] {
        let mut stream = server.send((server.creation("k") + framing).as_bytes()).await;
        let answer = one(&mut stream).await.expect("an answer");
        assert_eq!((answer.status(), answer.code()), (408, "request-timeout"), "{answer:?}");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(rest(&mut stream).await, b"");
    }
    assert_eq!(server.customers().await, 0);
    let whole = format!("{}Content-Length: 2\r\n\r\n{{}}", server.creation("k"));
    let answer = one(&mut server.send(whole.as_bytes()).await).await.expect("an answer");
    assert_eq!(answer.status(), 201, "the key is free: {answer:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_no_answers_is_given_up() {
    let server = Running::start("[server]\nwrite_timeout_ms = 100\n").await;
    let mut stream = server.connect().await;
    let asking = async { while stream.write_all(b"GET /openapi.json HTTP/1.1\r\nHost: q\r\n\r\n").await.is_ok() {} };
    timeout(PATIENCE, asking).await.expect("the server hangs up");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_its_share_of_the_connections() {
    let server = Running::start("[server]\nconnections_max = 8\n").await;
    let first = [server.send(HEALTH).await, server.send(HEALTH).await];
    let [mut one_of_them, mut another] = first;
    for stream in [&mut one_of_them, &mut another] {
        assert_eq!(one(stream).await.expect("an answer").status(), 200);
    }
    assert_eq!(rest(&mut server.send(HEALTH).await).await, b"", "a quarter of the connections is for one address");
    drop(one_of_them);
    let again = async { while one(&mut server.send(HEALTH).await).await.is_none() {} };
    timeout(PATIENCE, again).await.expect("its place is given back");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_when_all_places_are_taken_waits() {
    let server = Running::start("[server]\nconnections_max = 1\n").await;
    let mut first = server.send(HEALTH).await;
    assert_eq!(one(&mut first).await.expect("an answer").status(), 200);
    let mut second = server.send(HEALTH).await;
    drop(first);
    assert_eq!(one(&mut second).await.expect("an answer").status(), 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_vanishes_in_a_request_leaves_nothing_and_after_it_all_of_it() {
    let server = Running::start("").await;
    let whole = format!("{}Content-Length: 15\r\n\r\n{{\"name\": \"Ada\"}}", server.creation("k"));
    for cut in [1, whole.len() / 2, whole.len() - 14, whole.len() - 1] {
        drop(server.send(&whole.as_bytes()[..cut]).await);
    }
    assert_eq!(server.customers().await, 0, "a part of a request is none");
    // Whether the server had read it or not when its client left, the key leads to one customer.
    drop(server.send(whole.as_bytes()).await);
    let again = one(&mut server.send(whole.as_bytes()).await).await.expect("an answer");
    assert_eq!(again.status(), 201, "{again:?}");
    assert_eq!(server.customers().await, 1);
    server.stop().await;
}
