//! HTTP connections: accepted up to a limit, guarded against slow senders, ended in good order.

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::Layer;
use tower_http::timeout::RequestBodyTimeoutLayer;

/// How long the head of a request may take; also how long an idle connection is kept.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a body may stand still.
const BODY_STALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Longest head of a request, in bytes; hyper takes no fewer than 8 KiB.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What serves, and when it ends.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) connections_max: usize,
    /// Turns true when nothing new is to be accepted.
    pub(crate) closing: watch::Receiver<bool>,
}

/// Serves until `closing`, then lets the requests under way end, at most so long.
pub(crate) async fn serve<L>(mut listener: L, service: Service, grace: Duration)
where
    L: Listener,
    L::Io: Unpin,
{
    let places = Arc::new(Semaphore::new(service.connections_max));
    let mut closing = service.closing.clone();
    let mut conversations = JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await.0)
        };
        let (place, stream) = tokio::select! {
            biased;
            _ = closing.wait_for(|is_closing| *is_closing) => break,
            accepted = accepted => accepted,
        };
        while conversations.try_join_next().is_some() {}
        let service = service.clone();
        conversations.spawn(async move {
            converse(stream, service).await;
            drop(place);
        });
    }
    drop(listener);
    let all_end = async { while conversations.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all_end).await.is_err() {
        tracing::warn!(connections = conversations.len(), "connections are cut off");
    }
    conversations.shutdown().await;
}

/// One connection, until either side ends it.
async fn converse<S>(stream: S, service: Service)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let Service { router, mut closing, .. } = service;
    let guarded = RequestBodyTimeoutLayer::new(BODY_STALL_TIMEOUT).layer(router);
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ_TIMEOUT)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(guarded))
    );
    tokio::select! {
        // How a connection of a client's ends is the client's affair.
        _ = &mut connection => return,
        _ = closing.wait_for(|is_closing| *is_closing) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
