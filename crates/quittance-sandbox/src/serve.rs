//! Owns: the sandbox as a server: accepting connections and ending them. Does not own: what is
//! said over them.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::connection::{Ending, Line};
use crate::shared::Shared;
use crate::{agenda, control, gateway, late, rail, webhooks};

const CONNECTIONS_MAX: usize = 4_096;
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A gateway in memory. Cheap to clone; clones are the same gateway.
#[derive(Debug, Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

impl Sandbox {
    /// A gateway without customers or payments.
    pub fn new(config: Config) -> Self {
        Self { shared: Arc::new(Shared::new(config)) }
    }

    /// The gateway as a router, for servers of one's own.
    ///
    /// Some things then work less well than under [`Sandbox::serve`]: a connection that should be
    /// reset ends in a broken-off answer instead, no webhooks are sent, late effects happen only
    /// at `POST /_sandbox/faults/flush`, and what the gateway does by itself only at
    /// `POST /_sandbox/agenda/flush`.
    pub fn router(&self) -> Router {
        control::routes()
            .route("/v1", any(gateway::handle))
            .route("/v1/{*path}", any(gateway::handle))
            .route("/rail/v1", any(rail::handle))
            .route("/rail/v1/{*path}", any(rail::handle))
            .with_state(Arc::clone(&self.shared))
    }

    /// Serves until `shutdown` resolves, then drops every connection. Late effects that are still
    /// pending then happen when the same gateway is served again, or never.
    ///
    /// # Errors
    ///
    /// Returns the error of a listener that no longer works.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let router = self.router();
        tokio::select! {
            result = accept(listener, router) => result,
            never = webhooks::deliver(&self.shared.webhooks) => match never {},
            never = late::carry_out_when_due(&self.shared) => match never {},
            never = agenda::carry_out_when_due(&self.shared) => match never {},
            () = shutdown => Ok(()),
        }
    }
}

async fn accept(listener: TcpListener, router: Router) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut conversations = JoinSet::new();
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        while conversations.try_join_next().is_some() {}
        let router = router.clone();
        conversations.spawn(async move {
            converse(stream, router).await;
            drop(place);
        });
    }
}

/// Errors of one connection, or of a moment without free file descriptors.
fn is_passing(error: &io::Error) -> bool {
    const TOO_MANY_FILES: [i32; 2] = [23, 24];
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) || error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code))
}

/// One connection, until the client leaves or a fault ends it.
async fn converse(stream: TcpStream, router: Router) {
    // Only a matter of latency, so a refusal does not matter.
    let _ = stream.set_nodelay(true);
    let line = Line::default();
    let service = TowerToHyperService::new(router);
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(line.clone());
        service.call(request)
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let ending = tokio::select! {
        biased;
        ending = line.ended() => ending,
        _ = &mut connection => return,
    };
    let stream = connection.into_parts().io.into_inner();
    if ending == Ending::Reset
        && let Err(error) = stream.set_zero_linger()
    {
        tracing::warn!(%error, "a connection is closed that should be reset");
    }
}
