//! Receivers on loopback that answer as they are told: of requests, and of mail.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver as Queue, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

/// Longest wait for a message.
const PATIENCE: Duration = Duration::from_secs(120);

/// More messages than any test looks at.
const MESSAGES_MAX: usize = 1_000;

/// How often, and how far apart, it is looked whether something is so.
const LOOKS_MAX: u32 = 2_400;
const BREATH: Duration = Duration::from_millis(50);

/// Waits until something is so.
pub(super) fn until(what: &str, is_so: impl Fn() -> bool) {
    assert!((0..LOOKS_MAX).any(|_| is_so() || breathe()), "it does not become so that {what}");
}

/// Lets a moment pass, in which whoever is waited for goes on. Never says that it is so.
fn breathe() -> bool {
    let (_sender, nothing) = sync_channel::<()>(1);
    nothing.recv_timeout(BREATH).is_ok()
}

/// A request that came.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Posted {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("it is JSON")
    }
}

/// Takes requests, and answers each with the next status; with the last one for ever. 0 is no answer at all.
pub(super) struct Receiver {
    pub(super) url: String,
    pub(super) port: u16,
    came: Queue<Posted>,
}

impl Receiver {
    pub(super) fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, came) = sync_channel(MESSAGES_MAX);
        let statuses = statuses.to_vec();
        thread::spawn(move || {
            let mut kept = Vec::new();
            for (turn, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let status = statuses[turn.min(statuses.len() - 1)];
                // Nobody waits any more when the test is over.
                let _ = take(stream, status, &sender).map(|stream| kept.extend(stream));
            }
        });
        Self { url: format!("http://127.0.0.1:{port}/hook"), port, came }
    }

    /// The next request.
    pub(super) fn next(&self) -> Posted {
        self.came.recv_timeout(PATIENCE).expect("a message comes")
    }

    /// Whether nothing else has come.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.came.try_recv(), Err(TryRecvError::Empty))
    }
}

/// Reads a request and answers it; gives the connection back where it is to stay open without an answer.
fn take(stream: TcpStream, status: u16, came: &SyncSender<Posted>) -> std::io::Result<Option<TcpStream>> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut headers, mut line) = (Vec::new(), String::new());
    reader.read_line(&mut line)?;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let _ = came.send(Posted { headers, body: String::from_utf8_lossy(&body).into_owned() });
    if status == 0 {
        return Ok(Some(stream));
    }
    write!(&stream, "HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    Ok(None)
}

/// A letter that was handed in.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) data: String,
}

/// Takes mail by SMTP (RFC 5321), as much of it as a client needs.
pub(super) struct MailServer {
    pub(super) port: u16,
    came: Queue<Letter>,
}

impl MailServer {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, came) = sync_channel(MESSAGES_MAX);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A client that goes away in the middle has handed nothing in.
                let _ = converse(&stream, &sender);
            }
        });
        Self { port, came }
    }

    /// The next letter.
    pub(super) fn next(&self) -> Letter {
        self.came.recv_timeout(PATIENCE).expect("a letter comes")
    }
}

fn converse(mut stream: &TcpStream, came: &SyncSender<Letter>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut letter = Letter { from: String::new(), to: Vec::new(), data: String::new() };
    let address = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    stream.write_all(b"220 localhost ESMTP\r\n")?;
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        let answer = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => "250-localhost\r\n250 8BITMIME\r\n",
            "MAIL" => {
                letter.from = address(&line);
                "250 ok\r\n"
            }
            "RCPT" => {
                letter.to.push(address(&line));
                "250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                line.clear();
                while lines.read_line(&mut line)? > 0 && line != ".\r\n" {
                    letter.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    line.clear();
                }
                "250 taken\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "500 what\r\n",
        };
        stream.write_all(answer.as_bytes())?;
        line.clear();
        if answer.starts_with("250 taken") {
            let taken = Letter { from: String::new(), to: Vec::new(), data: String::new() };
            let _ = came.send(std::mem::replace(&mut letter, taken));
        }
    }
    Ok(())
}
