//! How many connections come from each address. Bounded by the connections there are: who has none is not remembered.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Whom a listener's connections come from.
pub(crate) trait Peer {
    /// Its address, where connections of one are limited.
    fn ip(&self) -> Option<IpAddr>;
}

impl Peer for SocketAddr {
    fn ip(&self) -> Option<IpAddr> {
        Some(Self::ip(self))
    }
}

/// Whoever may open the local socket is the owner of the data.
impl Peer for tokio::net::unix::SocketAddr {
    fn ip(&self) -> Option<IpAddr> {
        None
    }
}

/// The seats that are taken.
pub(super) struct Addresses {
    max: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A seat for one connection; given back when it is dropped.
pub(super) struct Seat {
    addresses: Arc<Addresses>,
    of: IpAddr,
}

impl Seat {
    /// Whose seat it is.
    pub(super) const fn of(&self) -> IpAddr {
        self.of
    }
}

impl Addresses {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, taken: Mutex::default() })
    }

    /// A seat for one more connection from there; none where it has as many as it may.
    pub(super) fn seat(self: &Arc<Self>, ip: IpAddr) -> Option<Seat> {
        let of = network(ip);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(of).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Seat { addresses: Arc::clone(self), of })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.addresses.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.of);
            }
        }
    }
}

/// What counts as one address: a customer of a provider has 64 bits of IPv6 to choose from.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_its_seats_and_gives_them_back() {
        let addresses = Addresses::new(2);
        let first = addresses.seat(ip("192.0.2.1"));
        let second = addresses.seat(ip("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(addresses.seat(ip("192.0.2.1")).is_none());
        assert!(addresses.seat(ip("192.0.2.2")).is_some(), "another address has its own");
        drop(first);
        assert!(addresses.seat(ip("192.0.2.1")).is_some());
        drop(second);
        assert!(addresses.taken.lock().expect("a lock").is_empty(), "nobody is remembered");
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let addresses = Addresses::new(1);
        let _first = addresses.seat(ip("2001:db8:0:1::1")).expect("a seat");
        assert!(addresses.seat(ip("2001:db8:0:1:ffff::2")).is_none());
        assert!(addresses.seat(ip("2001:db8:0:2::1")).is_some());
    }
}
