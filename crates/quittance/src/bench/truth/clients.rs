//! Clients that ask for one path, each with one request under way.

use crate::bench::wire::{ANSWER_BYTES_MAX, connect};
use anyhow::{Result, ensure};
use axum::body::{Body, Bytes};
use http::{Request, header};
use hyper::client::conn::http1::SendRequest;
use quittance_server::clock;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Clients, on one thread.
pub(super) struct Clients {
    runtime: tokio::runtime::Runtime,
    connections: Vec<SendRequest<Body>>,
    address: String,
    authorization: String,
}

/// What a turn came to.
pub(super) struct Heard {
    /// How long all of it took.
    pub(super) wall: Duration,
    /// How long each request took.
    pub(super) calls: Vec<Duration>,
    /// The last answer.
    pub(super) body: Bytes,
}

impl Clients {
    /// Connects so many.
    pub(super) fn connect(count: u64, address: &str, secret: &str) -> Result<Self> {
        let (runtime, connections) = connect(count, address)?;
        Ok(Self { runtime, connections, address: address.to_owned(), authorization: format!("Bearer {secret}") })
    }

    /// Asks so often, each client as soon as it has its answer. Each has to be answered.
    pub(super) fn ask(&mut self, path: &str, count: u64) -> Result<Heard> {
        let (left, calls, last) = (Cell::new(count), RefCell::new(Vec::new()), RefCell::new(Bytes::new()));
        let (left_over, taken, body) = (&left, &calls, &last);
        let (address, authorization) = (&self.address, &self.authorization);
        let started = clock::monotonic();
        let all = self.connections.iter_mut().map(|connection| async move {
            while let Some(next) = left_over.get().checked_sub(1) {
                left_over.set(next);
                let request = Request::get(path)
                    .header(header::HOST, address)
                    .header(header::AUTHORIZATION, authorization)
                    .body(Body::empty())?;
                let asked_at = clock::monotonic();
                body.replace(answer(connection, request).await?);
                taken.borrow_mut().push(clock::monotonic().saturating_duration_since(asked_at));
            }
            Ok(())
        });
        let ended: Result<Vec<()>> = self.runtime.block_on(futures_util::future::try_join_all(all));
        ended?;
        let wall = clock::monotonic().saturating_duration_since(started);
        Ok(Heard { wall, calls: calls.into_inner(), body: last.into_inner() })
    }
}

async fn answer(connection: &mut SendRequest<Body>, request: Request<Body>) -> Result<Bytes> {
    connection.ready().await?;
    let (parts, body) = connection.send_request(request).await?.into_parts();
    let body = axum::body::to_bytes(Body::new(body), ANSWER_BYTES_MAX).await?;
    ensure!(parts.status == 200, "a question was answered {}: {}", parts.status, String::from_utf8_lossy(&body));
    Ok(body)
}
