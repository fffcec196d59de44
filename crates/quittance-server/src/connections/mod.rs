//! HTTP connections: accepted up to a limit, for each address too, guarded against who sends or takes slowly, ended in
//! good order.
//!
//! In every state a connection can be in there is an end to it: a handshake, the head of a request, a body, the work
//! itself ([`crate::api`]), and the taking of the answer. What a request may look like is judged in [`wire`].

mod addresses;
mod conversation;
mod overheard;
mod patient;
mod progress;
pub(crate) mod wire;

pub(crate) use addresses::Peer;

use crate::config::Front;
use crate::metrics;
use crate::tls::Tls;
use addresses::{Addresses, Seat};
use axum::Router;
use axum::serve::Listener;
use conversation::{Host, converse};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What serves, how, and when it ends.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) connections_max: usize,
    pub(crate) front: Front,
    /// The certificate; none where HTTP is spoken as it is.
    pub(crate) tls: Option<Arc<Tls>>,
    /// Turns true when nothing new is to be accepted.
    pub(crate) closing: watch::Receiver<bool>,
}

/// The address that a request comes from, among its extensions; of IPv6 the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CameFrom(pub(crate) IpAddr);

/// A place among the connections, and one among those of its address.
type Place = (OwnedSemaphorePermit, Option<Seat>);

/// Serves until `closing`, then lets the requests under way end, at most so long.
pub(crate) async fn serve<L>(mut listener: L, service: Service, grace: Duration)
where
    L: Listener,
    L::Addr: Peer,
    L::Io: Unpin,
{
    let places = Arc::new(Semaphore::new(service.connections_max));
    let addresses = Addresses::new(service.front.connections_per_address_max);
    let mut closing = service.closing.clone();
    let mut conversations = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = closing.wait_for(|is_closing| *is_closing) => break,
            accepted = accept(&mut listener, &places, &addresses) => accepted,
        };
        while conversations.try_join_next().is_some() {}
        let Some((place, stream)) = accepted else { continue };
        let service = service.clone();
        conversations.spawn(async move {
            let from = place.1.as_ref().map(|seat| CameFrom(seat.of()));
            welcome(stream, service, from).await;
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

/// The next connection, once there is a place; none where its address has enough of them, for then it is closed.
async fn accept<L>(listener: &mut L, places: &Arc<Semaphore>, addresses: &Arc<Addresses>) -> Option<(Place, L::Io)>
where
    L: Listener,
    L::Addr: Peer,
{
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let (stream, from) = listener.accept().await;
    let Some(ip) = from.ip() else { return Some(((place, None), stream)) };
    let Some(seat) = addresses.seat(ip) else {
        metrics::connection_refused("address");
        return None;
    };
    Some(((place, Some(seat)), stream))
}

/// A new connection: encrypted first, where that is asked for.
async fn welcome<S>(stream: S, service: Service, from: Option<CameFrom>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Service { router, front, tls, closing, .. } = service;
    let host = Host { router, front, closing, from };
    match tls {
        // Boxed, so that a connection that is not encrypted does not keep the room for it.
        Some(tls) => Box::pin(encrypt(stream, &tls, host)).await,
        None => converse(stream, host).await,
    }
}

async fn encrypt<S>(stream: S, tls: &Tls, mut host: Host)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = TlsAcceptor::from(tls.current()).accept(stream);
    let patience = Duration::from_millis(host.front.head_timeout_ms);
    let shaken = tokio::select! {
        _ = host.closing.wait_for(|is_closing| *is_closing) => return,
        shaken = tokio::time::timeout(patience, handshake) => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => converse(stream, host).await,
        // Anybody can send anything: at most a number is kept of it.
        Ok(Err(error)) => {
            tracing::debug!(%error, "no handshake");
            metrics::connection_refused("handshake");
        }
        Err(_) => metrics::connection_refused("handshake"),
    }
}
