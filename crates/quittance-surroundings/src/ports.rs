//! Ports for servers that may be killed and started again. Does not own who listens there.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports are taken from here: below those that Linux, macOS and the BSDs give to whoever asks for any, so that a server
/// that was killed finds its own again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// How many ports are tried when each is taken between the look and the start.
pub(crate) const STARTS_MAX: u32 = 20;

/// A port that nobody listens on right now, and that this process has not tried before.
pub(crate) fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    // Test programs that run at once have neighbouring ids, and few of them start as many servers as lie between.
    let first = u16::try_from(u64::from(std::process::id()) * 61 % u64::from(span)).expect("less than its divisor");
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let next = || PORTS.start + (first + TRIED.fetch_add(1, Ordering::Relaxed) % span) % span;
    (0..span).map(|_| next()).find(is_free).expect("there is a free port between 20000 and 32000")
}
