//! Which addresses events are sent to: a tenant must not reach, through this server, what only this server can reach.
//!
//! Names are resolved here, and what they lead to is checked before it is connected to: the connection is made to exactly
//! these addresses, so that a name cannot lead elsewhere a moment later. Addresses that are written out never come to a
//! resolver, and are checked before each attempt.
//!
//! A look-up takes a thread, from where gateways' names are looked up as well, until the name's own servers have answered or
//! the system gives up, which is long after whoever asked has. So there are only so many at once: names that nobody answers
//! for hold up other events, and no payment.

use super::address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Addresses of one name that are tried, at most.
const ADDRESSES_MAX: usize = 8;

/// Names that are looked up at once: a quarter of the threads that tokio has for what blocks.
const LOOKUPS_MAX: usize = 128;

/// Resolves names to addresses that may be sent to. Clones look up no more names at once than one does.
#[derive(Clone)]
pub(super) struct Guard {
    allow_private: bool,
    lookups: Arc<Semaphore>,
}

impl Guard {
    pub(super) fn new(allow_private: bool) -> Self {
        Self { allow_private, lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { allow_private, lookups } = self.clone();
        Box::pin(async move {
            let of_system = move || (name.as_str(), 0).to_socket_addrs().map(Iterator::collect);
            let found: Vec<SocketAddr> = look_up(lookups, of_system).await?;
            let count = found.len();
            let open: Vec<SocketAddr> =
                found.into_iter().filter(|at| allow_private || is_public(at.ip())).take(ADDRESSES_MAX).collect();
            match open.is_empty() {
                true if count > 0 => Err("its name leads to no public address".into()),
                _ => Ok(Box::new(open.into_iter()) as Addrs),
            }
        })
    }
}

/// Looks up on a thread of its own, and keeps the permit for as long as that takes, whoever still waits for it.
async fn look_up<T: Send + 'static>(
    lookups: Arc<Semaphore>,
    look: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
    let looked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        look()
    });
    looked.await.map_err(io::Error::other)?
}

/// Why nothing is sent to an address that is written out; none where its host is a name.
pub(crate) fn refusal_of(url: &reqwest::Url, allow_private: bool) -> Option<String> {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    literal.filter(|at| !allow_private && !is_public(*at)).map(|_| "it is no public address".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> Option<String> {
        refusal_of(&reqwest::Url::parse(url).expect("an address"), false)
    }

    #[test]
    fn addresses_are_refused_however_they_are_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0/",
        ] {
            assert!(refusal(url).is_some(), "{url}");
            assert_eq!(refusal_of(&reqwest::Url::parse(url).expect("an address"), true), None, "{url}");
        }
        for url in ["https://example.com/", "https://93.184.215.14/", "https://[2606:2800:21f:cb07::1]/"] {
            assert_eq!(refusal(url), None, "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused() {
        let name = || "localhost".parse::<Name>().expect("a name");
        assert!(Guard::new(false).resolve(name()).await.is_err());
        let found = Guard::new(true).resolve(name()).await.expect("localhost is known");
        assert!(found.count() > 0);
    }

    #[tokio::test]
    async fn a_look_up_that_nobody_waits_for_any_more_counts_until_it_ends() {
        let lookups = Arc::new(Semaphore::new(1));
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, may_end) = std::sync::mpsc::sync_channel::<()>(1);
        let slow = look_up(Arc::clone(&lookups), move || {
            begun.send(()).expect("the test waits");
            may_end.recv().map_err(io::Error::other)
        });
        let slow = tokio::spawn(slow);
        has_begun.await.expect("it begins");
        slow.abort();
        assert!(slow.await.is_err(), "given up");
        assert_eq!(lookups.available_permits(), 0, "its thread is busy still");
        end.send(()).expect("it waits");
        assert_eq!(look_up(lookups, || Ok(7)).await.expect("there is room again"), 7);
    }
}
