//! Something between a server and what it speaks to: passes bytes on, ends all connections at once, or stops passing anything
//! on without a word. Knows nothing of what it carries.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Bytes passed on at once.
const BUFFER: usize = 16 * 1024;

/// It listens until the test ends.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_held: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Listens on a free port of this address, and passes on to the other.
    pub(crate) fn start(at: IpAddr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind((at, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let proxy = Self { address, shared };
        let this = proxy.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Who cannot be reached now refuses: the client sees its connection end.
                if let Ok(server) = TcpStream::connect(to) {
                    this.carry(client, server);
                }
            }
        });
        proxy
    }

    /// Ends every connection.
    pub(crate) fn cut(&self) {
        for stream in self.state().open.drain(..) {
            // It may have ended already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// From now on nothing is passed on, and nobody is told.
    pub(crate) fn hold(&self) {
        self.state().is_held = true;
    }

    /// Passes on again, first what was held back.
    pub(crate) fn release(&self) {
        self.state().is_held = false;
        self.shared.changed.notify_all();
    }

    fn carry(&self, client: TcpStream, server: TcpStream) {
        let clone = |stream: &TcpStream| stream.try_clone().expect("a socket can be shared");
        let mut state = self.state();
        state.open.retain(|stream| stream.peer_addr().is_ok());
        state.open.extend([clone(&client), clone(&server)]);
        drop(state);
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
        }
        let (this, that) = (self.clone(), self.clone());
        let (from, to) = (clone(&server), clone(&client));
        thread::spawn(move || this.pass(client, server));
        thread::spawn(move || that.pass(from, to));
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; BUFFER];
        while let Ok(count) = from.read(&mut buffer) {
            self.wait();
            if count == 0 || to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        for stream in [from, to] {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn wait(&self) {
        let waited = self.shared.changed.wait_while(self.state(), |state| state.is_held);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Proxy;
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::time::Duration;

    #[test]
    fn what_is_held_back_comes_later_and_what_is_cut_has_ended() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::start(Ipv4Addr::LOCALHOST.into(), server.local_addr().unwrap());
        let mut client = TcpStream::connect(proxy.address).unwrap();
        let (mut served, _) = server.accept().unwrap();
        let mut byte = [0];
        client.write_all(b"a").unwrap();
        served.read_exact(&mut byte).unwrap();
        proxy.hold();
        client.write_all(b"b").unwrap();
        served.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(served.read(&mut byte).is_err(), "it is held back");
        proxy.release();
        served.set_read_timeout(None).unwrap();
        served.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"b");
        proxy.cut();
        assert_eq!((served.read(&mut byte).unwrap_or(0), client.read(&mut byte).unwrap_or(0)), (0, 0));
    }
}
