//! The server as a whole: starting in an order that fails early, stopping in one that loses nothing.

use crate::config::{Config, ConfigErrors};
use crate::connections::{self, Service, wire};
use crate::data::Data;
use crate::reconcile::service::Reconciler;
use crate::roles::Roles;
use crate::runtime::Runtime;
use crate::tls::{self, Tls, TlsError};
use crate::transport::TransportError;
use crate::{admin, api, metrics};
use axum::serve::ListenerExt;
use quittance_store::store::StoreError;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long requests to gateways may go on when the server stops. What takes longer is read back at the next start.
const JOBS_GRACE: Duration = Duration::from_secs(5);

/// How long clients' requests may go on after that; by then none of them waits for an outcome any more.
const REQUESTS_GRACE: Duration = Duration::from_secs(3);

/// Connections to the local socket at once.
const ADMIN_CONNECTIONS_MAX: usize = 16;

/// What to serve.
pub struct ServeOptions {
    /// The configuration.
    pub config: Config,
    /// The books.
    pub data: Data,
    /// What this process does.
    pub roles: Roles,
    /// Where to listen, instead of where the configuration says.
    pub listen: Option<SocketAddr>,
    /// Called once the server takes requests, with the address it listens on (port 0 in the configuration picks one).
    pub on_ready: Option<Box<dyn FnOnce(SocketAddr) + Send>>,
}

/// Why the server does not run, or no longer does.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration refers to something that is not there.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The data cannot be opened.
    #[error("cannot open the data in {place}")]
    Open {
        /// Where they are.
        place: String,
        /// Cause.
        #[source]
        source: StoreError,
    },
    /// Roles can be shared out only where several processes share the books.
    #[error("--roles {roles}: only one process writes to a data directory, and it does everything")]
    Alone {
        /// What was asked for.
        roles: Roles,
    },
    /// Only a database takes several writers.
    #[error("lanes = {lanes}: a data directory has one writer; leave it out")]
    OneLane {
        /// What was asked for.
        lanes: usize,
    },
    /// What an earlier process left cannot be taken up.
    #[error("cannot take up what an earlier process left")]
    Recover(#[source] StoreError),
    /// No connections to a gateway can be set up.
    #[error("cannot prepare a gateway")]
    Gateway(#[from] TransportError),
    /// The certificate cannot be used.
    #[error("cannot encrypt connections as [server.tls] says")]
    Tls(#[from] TlsError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// The engine stopped by itself: what follows could not have been written safely.
    #[error("the engine stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
}

impl ServeError {
    /// The exit code that product.md names for this: 2 configuration, 3 something outside, 5 internal failure.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Gateway(_) | Self::Tls(_) | Self::Alone { .. } | Self::OneLane { .. } => 2,
            Self::Listen { .. } => 3,
            Self::Open { source, .. } => match source {
                StoreError::Locked { .. } | StoreError::ReadOnly { .. } | StoreError::Missing { .. } => 3,
                StoreError::KeyMissing { .. } | StoreError::KeyDiffers { .. } => 2,
                _ => 5,
            },
            Self::Recover(_) | Self::Thread(_) | Self::Stopped { .. } => 5,
        }
    }
}

/// Serves until `shutdown` resolves or the engine stops by itself.
///
/// **Effects**: listens, takes the lock on the data, takes up what an earlier process left, sends what is due.
///
/// # Errors
///
/// [`ServeError`]; after a `shutdown` only when the engine failed meanwhile.
pub async fn serve(options: ServeOptions, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
    let ServeOptions { config, data, roles, listen, on_ready } = options;
    metrics::ensure_installed();
    // Before the engine starts: a server that cannot be reached must not begin to send.
    let address = listen.unwrap_or(config.server.listen);
    let listen_error = |source| ServeError::Listen { address, source };
    let front = config.server.front.clone();
    let tls = front.tls.as_ref().map(Tls::load).transpose()?.map(Arc::new);
    let hangup = tls.is_some().then(tls::hangup).transpose()?;
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let bound = listener.local_addr().map_err(listen_error)?;

    let connections_max = config.server.connections_max;
    let mut runtime = Runtime::start(config, &data, roles)?;
    let socket = data.socket().and_then(open_socket);
    let reconciler = match roles.reconciler {
        true => {
            Reconciler::start(runtime.handle().config(), &data.clone().with_keys(runtime.handle().config().keyring()?))
        }
        false => Ok(None),
    };
    let reconciler = reconciler.map_err(ServeError::Thread)?;
    let (closer, closing) = watch::channel(false);
    let api = wire::around(api::router(runtime.handle()), tls.is_some());
    let public = Service { router: api, connections_max, front: front.clone(), tls: tls.clone(), closing };
    let router = admin::router(runtime.handle());
    let closing = public.closing.clone();
    let local = Service { router, connections_max: ADMIN_CONNECTIONS_MAX, front, tls: None, closing };
    if tls.is_none() && !bound.ip().is_loopback() {
        tracing::warn!(address = %bound, "serving without TLS where others may listen: credentials can be read on the way, unless what is in front encrypts");
    }
    let handle = runtime.handle();
    let note = move |trouble| handle.note_certificate(trouble);
    let renewal = tls.zip(hangup).map(|(tls, hangup)| tokio::spawn(tls::watch(tls, hangup, note)));
    // Only a matter of latency, so a refusal does not matter.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let mut fronts = vec![tokio::spawn(connections::serve(listener, public, JOBS_GRACE + REQUESTS_GRACE))];
    fronts.extend(socket.map(|socket| tokio::spawn(connections::serve(socket, local, REQUESTS_GRACE))));
    tracing::info!(address = %bound, data = %data, %roles, "serving");
    if let Some(on_ready) = on_ready {
        on_ready(bound);
    }
    let result = tokio::select! {
        () = shutdown => Ok(()),
        ended = runtime.ended() => ended,
    };
    closer.send_replace(true);
    if let Some(renewal) = renewal {
        renewal.abort();
    }
    let stopped = stop(runtime, reconciler, fronts).await;
    if let Some(socket) = data.socket() {
        let _ = std::fs::remove_file(socket);
    }
    result.and(stopped)
}

/// The local socket. Without it operators' commands have to wait until the server stops; payments go on.
fn open_socket(path: PathBuf) -> Option<UnixListener> {
    let opened = admin::listen(&path);
    opened.inspect_err(|error| tracing::error!(%error, path = %path.display(), "serving without the local socket")).ok()
}

/// Resolves when runs of pairs have ended. They may be in the middle of a statement that takes longer than anybody waits, so the
/// thread that waits for them is nobody's.
fn ended(reconciler: Reconciler) -> tokio::sync::oneshot::Receiver<()> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        reconciler.stop();
        // Nobody may be waiting any more.
        let _ = sender.send(());
    });
    receiver
}

/// Stops in order: nothing new comes in, jobs end, waiting clients are told to ask again, requests end, the engine ends.
async fn stop(runtime: Runtime, reconciler: Option<Reconciler>, fronts: Vec<JoinHandle<()>>) -> Result<(), ServeError> {
    tracing::info!("stopping");
    let runs = reconciler.map(ended);
    runtime.wind_down(JOBS_GRACE).await;
    if let Some(runs) = runs
        && tokio::time::timeout(JOBS_GRACE, runs).await.is_err()
    {
        tracing::warn!("a run of a pair is left under way; what it planned is looked up by the next");
    }
    for front in fronts {
        if let Err(error) = front.await {
            tracing::error!(%error, "a front ended badly");
        }
    }
    runtime.stop().await
}
