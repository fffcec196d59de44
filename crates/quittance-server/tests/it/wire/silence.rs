//! Connections that are silent between requests: wherever one request ends, the next is read from its first byte on.

use super::{PATIENCE, Running, one, rest};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: q\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_come_in_the_middle_of_what_another_came_with() {
    let server = Running::start("").await;
    let creation = |key: &str| format!("{}Content-Length: 15\r\n\r\n{{\"name\": \"Ada\"}}", server.creation(key));
    let text = [creation("a"), HEALTH.to_owned(), creation("b"), creation("c")].concat();
    // Each connection is cut somewhere else, and silent there until all that is whole has been answered.
    let lengths = [creation("a").len(), HEALTH.len(), creation("b").len(), creation("c").len()];
    for cut in (0..text.len()).step_by(13) {
        let mut stream = server.send(&text.as_bytes()[..cut]).await;
        let mut ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        let whole = ends.by_ref().take_while(|end| *end <= cut).count();
        let mut seen = Vec::new();
        for _ in 0..whole {
            seen.push(one(&mut stream).await.expect("an answer").status());
        }
        stream.write_all(&text.as_bytes()[cut..]).await.unwrap();
        for _ in whole..lengths.len() {
            seen.push(one(&mut stream).await.expect("an answer").status());
        }
        assert_eq!(seen, [201, 200, 201, 201], "cut after {cut} bytes");
    }
    assert_eq!(server.customers().await, 3, "each key leads to one customer");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_reads_is_not_taken_for_a_request() {
    let server = Running::start("").await;
    let framings = [
        format!("Content-Length: {}\r\n\r\n{HEALTH}", HEALTH.len()),
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{HEALTH}\r\n0\r\n\r\n", HEALTH.len()),
    ];
    for framing in framings {
        let text = format!("POST /nothing HTTP/1.1\r\nHost: q\r\n{framing}");
        for cut in [text.len(), text.len() - HEALTH.len() / 2, text.len() - 3] {
            let mut stream = server.send(&text.as_bytes()[..cut]).await;
            assert_eq!(one(&mut stream).await.expect("an answer").status(), 404);
            // Who did not send it all may be hung up on.
            let _ = stream.write_all(&text.as_bytes()[cut..]).await;
            let _ = stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: q\r\nConnection: close\r\n\r\n").await;
            let more = rest(&mut stream).await;
            let more = String::from_utf8_lossy(&more);
            assert!(!more.contains("200 OK"), "{cut} bytes of {text}: {more}");
            assert!(more.matches("HTTP/1.1 404").count() <= 1, "{text}: {more}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_later_request_has_no_more_time_than_the_first() {
    let server = Running::start("[server]\nhead_timeout_ms = 100\n").await;
    // What the second begins with comes with the first, or after it.
    for with_it in ["", "GET /hea"] {
        let mut stream = server.send(format!("{HEALTH}{with_it}").as_bytes()).await;
        assert_eq!(one(&mut stream).await.expect("an answer").status(), 200);
        let dripping = async {
            let _ = stream.write_all(&b"GET /healthz HTTP/1.1\r\nX-Slow: "[with_it.len()..]).await;
            while stream.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, dripping).await.expect("the server hangs up");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_end_with_the_server() {
    let server = Running::start("").await;
    let mut asked = server.send(HEALTH.as_bytes()).await;
    assert_eq!(one(&mut asked).await.expect("an answer").status(), 200);
    let mut never = server.connect().await;
    server.stop().await;
    assert_eq!((rest(&mut asked).await, rest(&mut never).await), (Vec::new(), Vec::new()));
}
