//! A stream that remembers what was read of it before, and tells the progress of its connection what happens to it.

use super::progress::Progress;
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream, and what comes before the rest of it.
pub(super) struct Overheard<S> {
    stream: S,
    before: Bytes,
    progress: Progress,
}

impl<S> Overheard<S> {
    pub(super) const fn new(stream: S, before: Bytes, progress: Progress) -> Self {
        Self { stream, before, progress }
    }

    /// The stream, and what comes before the rest of it and has not been read.
    pub(super) fn into_parts(self) -> (S, Bytes) {
        (self.stream, self.before)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Overheard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.before.is_empty() {
            let count = buffer.remaining().min(self.before.len());
            buffer.put_slice(&self.before.split_to(count));
            self.progress.moved();
            return Poll::Ready(Ok(()));
        }
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        match outcome {
            Poll::Ready(_) => self.progress.moved(),
            Poll::Pending => self.progress.nothing_heard(),
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Overheard<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Flushed is only what was written: whoever flushes has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(outcome, Poll::Ready(Ok(()))) {
            self.progress.taken();
        }
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.progress.moved();
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
