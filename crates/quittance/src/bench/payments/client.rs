//! Clients of a contestant: so many connections, each with one request under way.

use super::asked::Series;
use crate::bench::wire::{ANSWER_BYTES_MAX, connect};
use anyhow::{Result, ensure};
use axum::body::Body;
use http::{Request, header};
use hyper::client::conn::http1::SendRequest;
use quittance_server::clock;
use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

/// Clients of one contestant, on one thread.
pub(super) struct Clients {
    runtime: tokio::runtime::Runtime,
    connections: Vec<SendRequest<Body>>,
    address: String,
    authorization: String,
}

/// What a turn of the clients came to.
pub(super) struct Heard {
    /// How long all of it took.
    pub(super) wall: Duration,
    /// How long each request took.
    pub(super) calls: Vec<Duration>,
    /// How long the last answer was, in bytes.
    pub(super) answer_bytes: usize,
}

impl Clients {
    /// Connects so many of them.
    pub(super) fn connect(count: u64, address: &str, secret: &str) -> Result<Self> {
        let (runtime, connections) = connect(count, address)?;
        Ok(Self { runtime, connections, address: address.to_owned(), authorization: format!("Bearer {secret}") })
    }

    /// Asks for these payments, each client for the next one as soon as it has its answer. Each has to be accepted.
    pub(super) fn ask(&mut self, series: &Series, payments: Range<u64>) -> Result<Heard> {
        let requests: RefCell<Vec<Request<Body>>> = RefCell::new(
            payments.map(|payment| self.request(series.request(payment))).collect::<Result<_, http::Error>>()?,
        );
        let calls = RefCell::new(Vec::with_capacity(requests.borrow().len()));
        let answer_bytes = RefCell::new(0);
        let started = clock::monotonic();
        let (requests_left, taken, bytes) = (&requests, &calls, &answer_bytes);
        let all = self.connections.iter_mut().map(|connection| async move {
            loop {
                let Some(request) = requests_left.borrow_mut().pop() else { return Ok(()) };
                let asked_at = clock::monotonic();
                let length = answer_length(connection, request).await?;
                taken.borrow_mut().push(clock::monotonic().saturating_duration_since(asked_at));
                bytes.replace(length);
            }
        });
        let ended: Result<Vec<()>> = self.runtime.block_on(futures_util::future::try_join_all(all));
        ended?;
        let wall = clock::monotonic().saturating_duration_since(started);
        Ok(Heard { wall, calls: calls.into_inner(), answer_bytes: answer_bytes.into_inner() })
    }

    fn request(&self, (key, body): (String, String)) -> Result<Request<Body>, http::Error> {
        Request::post("/v1/payments")
            .header(header::HOST, &self.address)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .header("prefer", "respond-async")
            .body(Body::from(body))
    }
}

async fn answer_length(connection: &mut SendRequest<Body>, request: Request<Body>) -> Result<usize> {
    connection.ready().await?;
    let (parts, body) = connection.send_request(request).await?.into_parts();
    let body = axum::body::to_bytes(Body::new(body), ANSWER_BYTES_MAX).await?;
    ensure!(parts.status == 202, "a payment was answered {}: {}", parts.status, String::from_utf8_lossy(&body));
    Ok(body.len())
}
