//! Connections of clients to a contestant, on one thread; what is asked over them is each benchmark's own.

use anyhow::{Context, Result};
use axum::body::Body;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// Longest answer that is read, in bytes.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Opens so many connections, and gives them with the runtime that they live on.
pub(super) fn connect(count: u64, address: &str) -> Result<(Runtime, Vec<SendRequest<Body>>)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let connections = runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..count {
            let stream = TcpStream::connect(address).await.context("a contestant takes no connection")?;
            stream.set_nodelay(true)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            connections.push(sender);
        }
        Ok::<_, anyhow::Error>(connections)
    })?;
    Ok((runtime, connections))
}
