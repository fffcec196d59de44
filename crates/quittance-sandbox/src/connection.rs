//! Owns: how a handler ends its own TCP connection. Does not own: accepting connections.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::Extensions;
use hyper::body::Frame;
use tokio::sync::Notify;

/// How a connection ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// FIN, as after an idle time limit.
    Closed,
    /// RST, as from a dying process or a firewall.
    Reset,
}

/// Shared by a connection's task and the requests that come over it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<LineState>);

#[derive(Debug, Default)]
struct LineState {
    ended: Notify,
    reset: AtomicBool,
}

impl Line {
    /// Resolves once a request has asked for the end.
    pub(crate) async fn ended(&self) -> Ending {
        self.0.ended.notified().await;
        if self.0.reset.load(Ordering::Acquire) { Ending::Reset } else { Ending::Closed }
    }

    /// The connection's task drops this future together with the connection.
    async fn end(&self, ending: Ending) -> Infallible {
        self.0.reset.store(ending == Ending::Reset, Ordering::Release);
        self.0.ended.notify_one();
        std::future::pending().await
    }
}

/// Ends the connection that the request came over, without an answer.
///
/// A router that somebody else serves has no `Line`; there the body breaks off, which aborts the
/// connection one step later, after the head of an answer.
pub(crate) async fn hang_up(extensions: &Extensions, ending: Ending) -> Response {
    match extensions.get::<Line>() {
        Some(line) => match line.end(ending).await {},
        None => Response::new(Body::new(BrokenBody)),
    }
}

struct BrokenBody;

impl HttpBody for BrokenBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}
