//! Somebody between client and server, who cuts connections off at a chosen moment, or mixes up how they begin.

use quittance_surroundings::Postgres;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// What the client says next is lost, and both ends learn that the other is gone.
    Request,
    /// What the client says next arrives and is done; all answers are lost, up to that of a commit.
    Answer,
    /// As `Request`, but the server does not learn of it.
    Silently,
}

/// What is done with the first message of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It is passed on as it is.
    Plain,
    /// The options are left out, as by a pooler that is told to ignore them.
    IgnoresOptions,
    /// It is refused, as by a pooler that is told nothing.
    RefusesOptions,
}

#[derive(Default)]
struct State {
    armed: Mutex<Option<Cut>>,
    refuses: AtomicBool,
    cuts: AtomicUsize,
}

/// A proxy on loopback; its threads end with the test program.
pub struct Proxy {
    /// Where the database is, through it.
    pub url: String,
    state: Arc<State>,
}

impl Proxy {
    pub fn before(server: &Postgres, database: &str) -> Self {
        Self::with_manner(server, database, Manner::Plain)
    }

    pub fn with_manner(server: &Postgres, database: &str, manner: Manner) -> Self {
        let url = server.url(database);
        let place = url.split(['@', '/']).nth(3).expect("postgresql://user@place/database").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = url.replace(&place, &listener.local_addr().unwrap().to_string());
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.refuses.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(&place).unwrap();
                let state = Arc::clone(&shared);
                thread::spawn(move || carry(&client, &server, manner, &state));
            }
        });
        Self { url, state }
    }

    /// Has the connection that speaks next be cut off.
    pub fn arm(&self, cut: Cut) {
        *self.state.armed.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    /// Whether new connections are closed at once.
    pub fn refuse(&self, refuses: bool) {
        self.state.refuses.store(refuses, Ordering::SeqCst);
    }

    /// How many connections were cut off.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

/// Carries one connection to its end.
fn carry(client: &TcpStream, server: &TcpStream, manner: Manner, state: &Arc<State>) {
    if !begin(client, server, manner) {
        return;
    }
    let is_deaf = AtomicBool::new(false);
    thread::scope(|scope| {
        let answers = scope.spawn(|| answers(server, client, &is_deaf));
        let mut buffer = [0; 65_536];
        while let Ok(count @ 1..) = (&*client).read(&mut buffer) {
            let cut = state.armed.lock().unwrap_or_else(PoisonError::into_inner).take();
            match cut {
                Some(Cut::Request | Cut::Silently) => {
                    state.cuts.fetch_add(1, Ordering::SeqCst);
                    let _ = client.shutdown(Shutdown::Both);
                    if cut == Some(Cut::Request) {
                        let _ = server.shutdown(Shutdown::Both);
                    }
                    break;
                }
                Some(Cut::Answer) => {
                    state.cuts.fetch_add(1, Ordering::SeqCst);
                    is_deaf.store(true, Ordering::SeqCst);
                }
                None => {}
            }
            if (&*server).write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // Silently: the server's end stays open until the server closes it.
        let _ = answers.join();
    });
}

/// Carries answers, or drops them until one says that a commit is done.
fn answers(mut server: &TcpStream, mut client: &TcpStream, is_deaf: &AtomicBool) {
    let mut buffer = [0; 65_536];
    let mut dropped = Vec::new();
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        if is_deaf.load(Ordering::SeqCst) {
            dropped.extend_from_slice(&buffer[..count]);
            if dropped.windows(7).any(|window| window == b"COMMIT\0") {
                break;
            }
        } else if client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

/// Carries the request for encryption, which is declined, and the first message. False when the client is turned away.
fn begin(mut client: &TcpStream, mut server: &TcpStream, manner: Manner) -> bool {
    if manner == Manner::Plain {
        return true;
    }
    loop {
        let Some((code, rest)) = first_message(client) else { return false };
        if code == 80_877_103 {
            client.write_all(b"N").unwrap();
            continue;
        }
        let fields: Vec<&[u8]> = rest.split(|byte| *byte == 0).collect();
        let pairs = fields.chunks(2).filter(|pair| pair.len() == 2 && !pair[0].is_empty());
        if manner == Manner::RefusesOptions {
            let fields = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
            let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
            client.write_all(&[b"E".as_slice(), &length, fields].concat()).unwrap();
            return false;
        }
        let kept: Vec<u8> = pairs
            .filter(|pair| pair[0] != b"options")
            .flat_map(|pair| [pair[0], b"\0", pair[1], b"\0"].concat())
            .chain([0])
            .collect();
        let length = u32::try_from(kept.len() + 8).unwrap().to_be_bytes();
        server.write_all(&[&length, code.to_be_bytes().as_slice(), &kept].concat()).unwrap();
        return true;
    }
}

fn first_message(mut client: &TcpStream) -> Option<(u32, Vec<u8>)> {
    let mut head = [0; 8];
    client.read_exact(&mut head).ok()?;
    let [a, b, c, d, code @ ..] = head;
    let mut rest = vec![0; usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()? - 8];
    client.read_exact(&mut rest).ok()?;
    Some((u32::from_be_bytes(code), rest))
}
