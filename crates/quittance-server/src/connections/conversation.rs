//! One connection: silence, in which it takes next to no memory, and exchanges, in which hyper speaks HTTP on it.
//!
//! What hyper keeps for a connection is some 20 KB, most of it buffers. It is therefore put together when something has
//! been heard, and taken apart when a request has been answered and nothing more is there; the stream stays.

use super::CameFrom;
use super::overheard::Overheard;
use super::patient::Patient;
use super::progress::{Progress, Step};
use crate::config::Front;
use axum::Router;
use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Sleep, sleep};
use tower::{Layer, ServiceExt};
use tower_http::timeout::RequestBodyTimeoutLayer;

/// Longest head of a request, in bytes; hyper takes no fewer than 8 KiB. It takes 100 headers.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How much is read at once of what ends a silence, in bytes: most requests are shorter.
const HEARD_BYTES: usize = 4 * 1024;

/// What serves a connection, and how.
pub(super) struct Host {
    pub(super) router: Router,
    pub(super) front: Front,
    /// Turns true when nothing new is to be read.
    pub(super) closing: watch::Receiver<bool>,
    /// Who is at the other end.
    pub(super) from: Option<CameFrom>,
}

/// What a silence ended with.
enum Heard {
    /// The beginning of a request.
    Bytes(Bytes),
    /// The other end hung up, or this one is about to.
    End,
    /// The stream failed, or it was too long.
    Failure,
}

/// One connection, until either side ends it.
pub(super) async fn converse<S>(stream: S, mut host: Host)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = Patient::new(stream, Duration::from_millis(host.front.write_timeout_ms));
    let mut before = Bytes::new();
    loop {
        let mut patience = pin!(sleep(Duration::from_millis(host.front.head_timeout_ms)));
        if before.is_empty() {
            before = match listen(&mut stream, patience.as_mut(), &mut host.closing).await {
                Heard::Bytes(bytes) => bytes,
                Heard::End => return drop(stream.shutdown().await),
                Heard::Failure => return,
            };
        }
        // Boxed, so that a silent connection does not keep the room for it.
        let Some(after) = Box::pin(exchange(stream, before, patience, &mut host)).await else { return };
        (stream, before) = after;
    }
}

/// Waits until the other end says something.
async fn listen<S>(stream: &mut S, patience: Pin<&mut Sleep>, closing: &mut watch::Receiver<bool>) -> Heard
where
    S: AsyncRead + Unpin,
{
    let heard = poll_fn(|context| {
        let mut bytes = [MaybeUninit::uninit(); HEARD_BYTES];
        let mut buffer = ReadBuf::uninit(&mut bytes);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
        Poll::Ready(io::Result::Ok(Bytes::copy_from_slice(buffer.filled())))
    });
    let heard = tokio::select! {
        _ = closing.wait_for(|is_closing| *is_closing) => return Heard::End,
        () = patience => return Heard::Failure,
        heard = heard => heard,
    };
    match heard {
        Ok(bytes) if bytes.is_empty() => Heard::End,
        Ok(bytes) => Heard::Bytes(bytes),
        Err(_) => Heard::Failure,
    }
}

/// Requests and their answers, until it is silent again: the stream, and what was read of a next request. None when the
/// connection has ended. The head of the first request has to be whole before `patience` ends.
async fn exchange<S>(stream: S, before: Bytes, mut patience: Pin<&mut Sleep>, host: &mut Host) -> Option<(S, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Host { router, front, closing, from } = host;
    let from = *from;
    let progress = Progress::default();
    let guarded = RequestBodyTimeoutLayer::new(Duration::from_millis(front.body_timeout_ms)).layer(router.clone());
    let service = service_fn(|mut request: http::Request<hyper::body::Incoming>| {
        if let Some(from) = from {
            request.extensions_mut().insert(from);
        }
        let exchange = progress.begin();
        let answer = guarded.clone().oneshot(request.map(|body| exchange.request(body)));
        async move { answer.await.map(|answer| answer.map(|body| exchange.answer(body))) }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(front.head_timeout_ms))
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Overheard::new(stream, before, progress.clone())), service);
    let is_idle = poll_fn(|context| {
        if Pin::new(&mut connection).poll(context).is_ready() {
            return Poll::Ready(false);
        }
        // An answer that had to wait until it was taken: more is asked for only now.
        if progress.step() == Step::Answered && Pin::new(&mut connection).poll(context).is_ready() {
            return Poll::Ready(false);
        }
        match progress.step() {
            Step::Idle => Poll::Ready(true),
            Step::Listening => patience.as_mut().poll(context).map(|()| false),
            Step::Busy | Step::Answered => Poll::Pending,
        }
    });
    let is_idle = tokio::select! {
        is_idle = is_idle => Some(is_idle),
        _ = closing.wait_for(|is_closing| *is_closing) => None,
    };
    match is_idle {
        Some(true) => {}
        // How a connection of a client's ends is the client's affair.
        Some(false) => return None,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            let _ = connection.await;
            return None;
        }
    }
    let parts = connection.into_parts();
    let (stream, unread) = parts.io.into_inner().into_parts();
    debug_assert!(unread.is_empty(), "what comes before has been read by then");
    // Even empty it can be a part of a buffer, and keep that.
    Some((stream, if parts.read_buf.is_empty() { Bytes::new() } else { parts.read_buf }))
}
