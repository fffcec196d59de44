//! Requests that two programs in a row might read differently, and bodies that are no JSON. Whatever is refused stores
//! nothing, and what follows a refused request on its connection is never taken for another one.

use super::{Answer, Running, one, rest};
use tokio::io::AsyncWriteExt;

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    Closed,
    Open,
}
use Then::{Closed, Open};

/// What follows the head of a creation: what it is, the bytes, the status, the code, and whether the connection stays.
/// Where it is closed, a creation that is whole follows the bytes, and must not be read.
#[rustfmt::skip]
const FRAMINGS: &[(&str, &str, u16, &str, Then)] = &[
    ("length, then chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "invalid-body", Closed),
    ("chunks, then length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400, "invalid-body", Closed),
    ("two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400, "", Closed),
    ("the same length twice", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n[]", 400, "invalid-body", Open),
    ("a list of lengths", "Content-Length: 2, 2\r\n\r\n[]", 400, "", Closed),
    ("a signed length", "Content-Length: +2\r\n\r\n{}", 400, "", Closed),
    ("a negative length", "Content-Length: -2\r\n\r\n{}", 400, "", Closed),
    ("a hexadecimal length", "Content-Length: 0x2\r\n\r\n{}", 400, "", Closed),
    ("an endless length", "Content-Length: 99999999999999999999\r\n\r\n{}", 400, "", Closed),
    ("no number", "Content-Length: \r\n\r\n{}", 400, "", Closed),
    ("an unknown coding", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "", Closed),
    ("identity", "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400, "", Closed),
    ("chunks first", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, "", Closed),
    ("a second coding", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, "malformed-request", Closed),
    ("chunks of chunks", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "malformed-request", Closed),
    ("a coding after white space", "Transfer-Encoding: \tchunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n", 400, "invalid-body", Open),
    ("a coding after a control character", "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n", 400, "", Closed),
    ("a space before the colon", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "", Closed),
    ("a folded line", "X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", 400, "", Closed),
    ("a line that begins with a space", " Content-Length: 2\r\n\r\n{}", 400, "", Closed),
    ("a carriage return alone", "X-Bare: a\rContent-Length: 2\r\n\r\n{}", 400, "", Closed),
    ("a null byte", "X-Null: a\0b\r\nContent-Length: 2\r\n\r\n{}", 400, "", Closed),
    ("line feeds alone", "Content-Length: 2\n\n[]", 400, "invalid-body", Open),
    ("a second host", "Host: r\r\nContent-Length: 2\r\n\r\n{}", 400, "malformed-request", Closed),
    ("a compressed body", "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\u{1f}\u{1f}", 415, "content-encoding", Closed),
    ("a body compressed twice", "Content-Encoding: br, gzip\r\nContent-Length: 2\r\n\r\n{}", 415, "content-encoding", Closed),
    ("chunks", "Transfer-Encoding: Chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n", 400, "invalid-body", Open),
    ("an extension of a chunk", "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n[]\r\n0\r\n\r\n", 400, "invalid-body", Open),
    ("a trailer", "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\nContent-Length: 9\r\n\r\n", 400, "invalid-body", Open),
    ("a chunk longer than there is", "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}", 400, "malformed-request", Closed),
    ("no size of a chunk", "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", 400, "malformed-request", Closed),
    ("a chunk longer than its size", "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", 400, "malformed-request", Closed),
    ("announced as too large", "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n", 413, "body-too-large", Closed),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_in_two_ways_is_refused_and_nothing_follows_it() {
    let server = Running::start("").await;
    let smuggled = format!("{}Content-Length: 2\r\n\r\n{{}}", server.creation("smuggled"));
    let mut wrong = Vec::new();
    for (what, bytes, status, code, then) in FRAMINGS {
        let mut text = server.creation("k") + bytes;
        if *then == Closed {
            text += &smuggled;
        }
        wrong.extend(look(&server, what, text.as_bytes(), (*status, code, *then)).await.err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(server.customers().await, 0, "nothing was stored, and nothing was smuggled");
    let good = format!("{}Content-Length: 2\r\n\r\n{{}}", server.creation("k"));
    check(&server, "the key was never claimed", good.as_bytes(), (201, "", Open)).await;
    server.stop().await;
}

async fn check(server: &Running, what: &str, bytes: &[u8], expected: (u16, &str, Then)) {
    look(server, what, bytes, expected).await.unwrap();
}

/// Sends it, and looks at the answer and at the connection; what is wrong with them.
async fn look(server: &Running, what: &str, bytes: &[u8], expected: (u16, &str, Then)) -> Result<(), String> {
    let (status, code, then) = expected;
    let mut stream = server.send(bytes).await;
    let Some(answer) = one(&mut stream).await else { return Err(format!("{what}: no answer")) };
    is_dressed(&answer);
    let close = (then == Closed).then_some("close");
    if (answer.status(), answer.code(), answer.header("connection")) != (status, code, close) {
        return Err(format!("{what}: not {status} {code}, {then:?}, but {answer:?}"));
    }
    if then == Closed {
        let more = rest(&mut stream).await;
        let told = String::from_utf8_lossy(&more);
        return if more.is_empty() { Ok(()) } else { Err(format!("{what}: more was answered: {told}")) };
    }
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: q\r\n\r\n").await.map_err(|error| format!("{what}: {error}"))?;
    match one(&mut stream).await {
        Some(next) if (next.status(), next.body.as_str()) == (200, "{\"status\":\"ok\"}") => Ok(()),
        next => Err(format!("{what}: then {next:?}")),
    }
}

/// Every answer with a body says how to treat it, and none says who made it.
fn is_dressed(answer: &Answer) {
    assert_eq!(answer.header("server"), None, "{answer:?}");
    if answer.body.is_empty() {
        return;
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{answer:?}");
    }
    assert_eq!(answer.header("strict-transport-security"), None, "it is not encrypted: {answer:?}");
    assert!(answer.header("request-id").is_some_and(|id| id.starts_with("req_")), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_line_and_the_number_of_headers_are_checked() {
    let server = Running::start("").await;
    let get = |target: &str, rest: &str| format!("GET {target} HTTP/1.1\r\nHost: q\r\n{rest}\r\n");
    let many = |count: usize| (0..count).map(|number| format!("X-{number}: x\r\n")).collect::<String>();
    let long = format!("/v1/customers?cursor={}", "c".repeat(8 * 1024));
    for (what, bytes, status, code, then) in [
        ("a whole address", get("http://elsewhere/healthz", ""), 200, "", Open),
        ("no host", "GET /healthz HTTP/1.1\r\n\r\n".to_owned(), 400, "malformed-request", Closed),
        ("an authority", "CONNECT q:80 HTTP/1.1\r\nHost: q\r\n\r\n".to_owned(), 400, "malformed-request", Closed),
        ("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: q\r\n\r\n".to_owned(), 400, "malformed-request", Closed),
        ("no version", "GET /healthz\r\n\r\n".to_owned(), 400, "", Closed),
        ("a made-up version", "GET /healthz HTTP/1.9\r\nHost: q\r\n\r\n".to_owned(), 400, "", Closed),
        ("two spaces", get(" /healthz", ""), 400, "", Closed),
        (
            "chunks in HTTP/1.0",
            "POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            400,
            "",
            Closed,
        ),
        ("a long target", get(&long, ""), 414, "uri-too-long", Closed),
        ("99 headers beside the host", get("/healthz", &many(99)), 200, "", Open),
        ("100 headers beside the host", get("/healthz", &many(100)), 431, "", Closed),
        ("a path that climbs", get("/v1/../healthz", ""), 404, "not-found", Open),
        ("an upgrade", get("/healthz", "Connection: upgrade\r\nUpgrade: h2c\r\n"), 200, "", Open),
    ] {
        check(&server, what, bytes.as_bytes(), (status, code, then)).await;
    }
    let mut preface = server.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(rest(&mut preface).await, b"", "HTTP/2 is not spoken");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_headers_is_not_read_to_its_end() {
    let server = Running::start("").await;
    let flood = format!("GET /healthz HTTP/1.1\r\nHost: q\r\nX-Flood: {}\r\n\r\n", "x".repeat(8 * 1024 * 1024));
    let mut stream = server.send(flood.as_bytes()).await;
    // The answer may be lost with the connection: the server does not wait for what it will not read.
    let told = String::from_utf8_lossy(&rest(&mut stream).await).into_owned();
    assert!(told.is_empty() || told.starts_with("HTTP/1.1 431 "), "{told}");
    server.stop().await;
}

/// Bodies that are no I-JSON, with what they are.
const BODIES: &[(&str, &[u8])] = &[
    ("a byte order mark", b"\xef\xbb\xbf{}"),
    ("UTF-16", b"\xff\xfe{\0}\0"),
    ("invalid UTF-8", b"{\"name\": \"\xff\"}"),
    ("an overlong encoding", b"{\"name\": \"\xc0\xaf\"}"),
    ("a surrogate in UTF-8", b"{\"name\": \"\xed\xa0\x80\"}"),
    ("a lone surrogate", b"{\"name\": \"\\ud800\"}"),
    ("a member twice", b"{\"name\": \"a\", \"name\": \"b\"}"),
    ("a member twice, spelled otherwise", b"{\"name\": \"a\", \"n\\u0061me\": \"b\"}"),
    ("an endless number", b"{\"name\": 1e999999999}"),
    ("a number with a point", b"{\"name\": 1.0}"),
    ("NaN", b"{\"name\": NaN}"),
    ("a comment", b"{/**/}"),
    ("a comma too much", b"{\"name\": \"a\",}"),
    ("two values", b"{}{}"),
    ("a null byte", b"{\"name\": \"\\u0000\"}"),
    ("nothing", b""),
];

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_readers_disagree_about_are_refused() {
    let server = Running::start("").await;
    let deep = "[".repeat(500_000);
    let digits = format!("{{\"name\": {}}}", "9".repeat(500_000));
    let members = format!("{{{}\"z\": 0}}", "\"a\": 0,".repeat(100_000));
    let made =
        [("deep nesting", deep.as_bytes()), ("a long number", digits.as_bytes()), ("many members", members.as_bytes())];
    for (what, body) in BODIES.iter().copied().chain(made) {
        let mut bytes = format!("{}Content-Length: {}\r\n\r\n", server.creation("k"), body.len()).into_bytes();
        bytes.extend_from_slice(body);
        check(&server, what, &bytes, (400, "invalid-body", Open)).await;
    }
    assert_eq!(server.customers().await, 0);
    server.stop().await;
}
