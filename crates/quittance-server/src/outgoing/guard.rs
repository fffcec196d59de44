//! Which addresses events are sent to: a tenant must not reach, through this server, what only this server can reach.
//!
//! Names are resolved here, and what they lead to is checked before it is connected to: the connection is made to exactly
//! these addresses, so that a name cannot lead elsewhere a moment later. Addresses that are written out never come to a
//! resolver, and are checked before each attempt.

use super::address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};

/// Addresses of one name that are tried, at most.
const ADDRESSES_MAX: usize = 8;

/// Resolves names to addresses that may be sent to.
pub(super) struct Guard {
    pub(super) allow_private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
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
        assert!(Guard { allow_private: false }.resolve(name()).await.is_err());
        let found = Guard { allow_private: true }.resolve(name()).await.expect("localhost is known");
        assert!(found.count() > 0);
    }
}
