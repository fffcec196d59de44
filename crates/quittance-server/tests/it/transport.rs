//! What becomes of a request against peers that behave badly: "not sent" only where nothing can have left.

use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, Headers, MAX_ANSWER_BYTES, Method, Request};
use quittance_connectors::stripe::Stripe;
use quittance_core::fact::Loss;
use quittance_server::config::Secret;
use quittance_server::transport::Transport;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PATIENCE: Duration = Duration::from_secs(20);

fn write() -> Request {
    Request {
        method: Method::Post,
        target: "/v1/payment_intents".to_owned(),
        body: b"amount=1999".to_vec(),
        idempotency_key: Some("b1key".to_owned()),
        api_version: "2025-03-31.basil".to_owned(),
    }
}

fn transport(base: &str) -> Transport {
    transport_of(Stripe::default().headers(), base)
}

fn transport_of(dialect: Headers, base: &str) -> Transport {
    Transport::new(base, &Secret::new("sk_test_1".to_owned()), dialect, 4).unwrap()
}

/// Reads one request; what it says.
async fn receive(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await.unwrap() {
            0 => return text,
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// A peer that reads each request and writes these bytes, then closes or stays silent.
struct Peer {
    base: String,
    requests: Arc<AtomicUsize>,
    first: tokio::sync::oneshot::Receiver<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Close,
    Reset,
    Silence,
}

async fn peer(answer: Vec<u8>, then: Then) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    let (sender, first) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut sender = Some(sender);
        let mut silent = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let request = receive(&mut stream).await;
            counter.fetch_add(1, Ordering::SeqCst);
            if let Some(sender) = sender.take() {
                let _ = sender.send(request);
            }
            // A client that has heard enough closes first.
            let _ = stream.write_all(&answer).await;
            match then {
                Then::Close => drop(stream),
                Then::Reset => stream.set_zero_linger().unwrap(),
                Then::Silence => silent.push(stream),
            }
        }
    });
    Peer { base, requests, first }
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn a_request_carries_what_the_gateway_needs() {
    let peer = peer(answer("200 OK\r\nrequest-id: req_1", "{}"), Then::Close).await;
    let Delivery::Answered(response) = transport(&peer.base).deliver(&write(), PATIENCE).await else {
        panic!("no answer")
    };
    assert_eq!((response.status, response.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(response.header("Request-Id"), Some("req_1"));
    let request = peer.first.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "amount=1999");
    assert!(head.starts_with("POST /v1/payment_intents HTTP/1.1\r\n"), "{head}");
    for line in [
        "authorization: Bearer sk_test_1",
        "idempotency-key: b1key",
        "stripe-version: 2025-03-31.basil",
        "content-type: application/x-www-form-urlencoded",
        "content-length: 11",
        concat!("user-agent: Quittance/", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
}

/// A dialect that knows neither keys nor versions.
const BARE: Headers = Headers { key: None, version: None, content_type: "application/json" };

#[tokio::test]
async fn a_dialect_without_keys_and_versions_has_no_headers_for_them() {
    let peer = peer(answer("201 Created", "{}"), Then::Close).await;
    let bare = Request { idempotency_key: None, api_version: String::new(), ..write() };
    let delivery = transport_of(BARE, &peer.base).deliver(&bare, PATIENCE).await;
    assert!(matches!(delivery, Delivery::Answered(_)), "{delivery:?}");
    let request = peer.first.await.unwrap();
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    let names: Vec<_> = head.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(!names.iter().any(|name| name.contains("key") || name.contains("version")), "{names:?}");
}

#[tokio::test]
async fn a_request_of_another_dialect_is_not_sent() {
    let peer = peer(answer("200 OK", "{}"), Then::Close).await;
    let transport = transport_of(BARE, &peer.base);
    for stray in [Request { api_version: String::new(), ..write() }, Request { idempotency_key: None, ..write() }] {
        let delivery = transport.deliver(&stray, PATIENCE).await;
        assert!(matches!(delivery, Delivery::NotSent { .. }), "{delivery:?}");
    }
    assert_eq!(peer.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_empty_write_has_length_0_and_a_read_has_no_body() {
    let silent = peer(answer("200 OK", "{}"), Then::Close).await;
    transport(&silent.base).deliver(&Request { body: Vec::new(), ..write() }, PATIENCE).await;
    assert!(silent.first.await.unwrap().contains("content-length: 0\r\n"));
    let peer = peer(answer("200 OK", "{}"), Then::Close).await;
    let read = Request {
        method: Method::Get,
        target: "/v1/payment_intents?limit=1&created%5Bgte%5D=5".to_owned(),
        body: Vec::new(),
        idempotency_key: None,
        ..write()
    };
    transport(&peer.base).deliver(&read, PATIENCE).await;
    let request = peer.first.await.unwrap();
    assert!(request.starts_with("GET /v1/payment_intents?limit=1&created%5Bgte%5D=5 HTTP/1.1\r\n"), "{request}");
    assert!(!request.contains("content-") && !request.contains("idempotency"), "{request}");
}

#[tokio::test]
async fn nothing_left_where_no_connection_was_made() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    // A peer that speaks no TLS fails the handshake before any byte of the request.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    for base in [refused, plain] {
        let delivery = transport(&base).deliver(&write(), PATIENCE).await;
        assert!(matches!(delivery, Delivery::NotSent { .. }), "{base}: {delivery:?}");
    }
}

#[tokio::test]
async fn what_would_arrive_as_something_else_is_not_sent() {
    let peer = peer(answer("200 OK", "{}"), Then::Close).await;
    for target in ["/v1/../v2", "/v1/a b", "/v1/x#y", "@elsewhere/", "/v1/\u{e9}"] {
        let delivery = transport(&peer.base).deliver(&Request { target: target.to_owned(), ..write() }, PATIENCE).await;
        assert!(matches!(delivery, Delivery::NotSent { .. }), "{target}: {delivery:?}");
    }
    assert_eq!(peer.requests.load(Ordering::SeqCst), 0);
}

async fn check_lost(answer: Vec<u8>, then: Then, patience: Duration, expected: Loss) {
    let peer = peer(answer, then).await;
    let delivery = transport(&peer.base).deliver(&write(), patience).await;
    assert!(matches!(&delivery, Delivery::Lost { loss, .. } if *loss == expected), "{expected:?}: {delivery:?}");
    assert_eq!(peer.requests.load(Ordering::SeqCst), 1, "sent once");
}

#[tokio::test]
async fn a_connection_that_ends_without_a_whole_answer_is_a_loss() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":".to_vec();
    check_lost(Vec::new(), Then::Close, PATIENCE, Loss::Reset).await;
    check_lost(Vec::new(), Then::Reset, PATIENCE, Loss::Reset).await;
    check_lost(half.clone(), Then::Close, PATIENCE, Loss::Reset).await;
    check_lost(half, Then::Reset, PATIENCE, Loss::Reset).await;
    check_lost(b"HTTP/1.1 200".to_vec(), Then::Close, PATIENCE, Loss::Reset).await;
    check_lost(b"hello\r\n\r\n".to_vec(), Then::Close, PATIENCE, Loss::Reset).await;
    let torn_chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{".to_vec();
    check_lost(torn_chunk, Then::Close, PATIENCE, Loss::Reset).await;
}

#[tokio::test]
async fn silence_is_a_timeout_before_and_inside_an_answer() {
    let little = Duration::from_millis(150);
    check_lost(Vec::new(), Then::Silence, little, Loss::Timeout).await;
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{".to_vec();
    check_lost(half, Then::Silence, little, Loss::Timeout).await;
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_the_end() {
    let long = answer("200 OK", &"x".repeat(MAX_ANSWER_BYTES + 1));
    check_lost(long, Then::Silence, PATIENCE, Loss::Unreadable).await;
}

#[tokio::test]
async fn pages_and_redirects_are_answers_and_are_not_followed() {
    let elsewhere = peer(answer("200 OK", "{}"), Then::Close).await;
    let moved = format!("307 Temporary Redirect\r\nlocation: {}/v1", elsewhere.base);
    for (head, body, status) in [("200 OK", "<html>hello</html>", 200), (moved.as_str(), "", 307)] {
        let peer = peer(answer(head, body), Then::Close).await;
        match transport(&peer.base).deliver(&write(), PATIENCE).await {
            Delivery::Answered(response) => assert_eq!((response.status, response.body), (status, body.into())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(elsewhere.requests.load(Ordering::SeqCst), 0);
}

/// A connection from the pool that breaks after the request was written to it: not sent again.
#[tokio::test]
async fn a_reused_connection_that_breaks_is_a_loss() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            receive(&mut stream).await;
            counter.fetch_add(1, Ordering::SeqCst);
            stream.write_all(&answer("200 OK", "{}")).await.unwrap();
            receive(&mut stream).await;
            counter.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    let transport = transport(&base);
    assert!(matches!(transport.deliver(&write(), PATIENCE).await, Delivery::Answered(_)));
    let second = transport.deliver(&write(), PATIENCE).await;
    assert!(matches!(second, Delivery::Lost { loss: Loss::Reset, .. }), "{second:?}");
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}
