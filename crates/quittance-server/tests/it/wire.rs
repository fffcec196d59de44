//! The server on a real socket, against clients that send what no client library would.

mod framing;
mod patience;
mod silence;
mod tls;

use quittance_server::config::Config;
use quittance_server::operate::{self, Operation};
use quittance_server::roles::Roles;
use quittance_server::serve::{ServeError, ServeOptions, serve};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than any of this takes, and shorter than the server's own patience where a test does not shorten that.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server, with a credential that may write.
struct Running {
    address: SocketAddr,
    secret: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
    _data: TempDir,
}

/// One answer: its head and its body.
#[derive(Debug)]
struct Answer {
    head: String,
    body: String,
}

impl Running {
    async fn start(configuration: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let data = directory.path().join("data");
        let operation = Operation::CreateKey { tenant: None, name: "w".to_owned(), scope: "write".to_owned() };
        let key = operate::run(&data.as_path().into(), &operation, &BTreeSet::new()).await.unwrap();
        let config = Config::from_text(configuration, &|_| None).unwrap();
        let (ready, address) = oneshot::channel();
        let on_ready = Box::new(move |address| {
            let _ = ready.send(address);
        });
        let listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        let data = data.as_path().into();
        let options = ServeOptions { config, data, roles: Roles::ALL, listen, on_ready: Some(on_ready) };
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(options, async { drop(stopped.await) }));
        let secret = key["secret"].as_str().unwrap().to_owned();
        Self { address: address.await.expect("the server starts"), secret, stop, server, _data: directory }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own.
    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        // Who is refused early may be hung up on before all was sent.
        let _ = stream.write_all(bytes).await;
        stream
    }

    /// A creation of a customer, without what says how long its body is.
    fn creation(&self, key: &str) -> String {
        format!(
            "POST /v1/customers HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\n",
            self.secret
        )
    }

    /// The customers there are.
    async fn customers(&self) -> usize {
        let head = format!("GET /v1/customers HTTP/1.1\r\nHost: q\r\nAuthorization: Bearer {}\r\n\r\n", self.secret);
        let answer = one(&mut self.send(head.as_bytes()).await).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{answer:?}");
        answer.body.matches("\"object\":\"customer\"").count()
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

impl Answer {
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The code of a problem document; empty where there is none.
    fn code(&self) -> &str {
        let after = self.body.split("\"code\":\"").nth(1);
        after.and_then(|rest| rest.split('"').next()).unwrap_or_default()
    }
}

/// The next answer; none where the connection ends instead.
async fn one<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Answer> {
    timeout(PATIENCE, async {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.ok()?);
        }
        let mut answer = Answer { head: String::from_utf8(bytes).unwrap(), body: String::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        answer.body = String::from_utf8(body).unwrap();
        Some(answer)
    })
    .await
    .expect("the server answers or hangs up")
}

/// Waits until the server hangs up; what it says before.
async fn rest<S: AsyncRead + Unpin>(stream: &mut S) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end, too: the server has not read what is left.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server hangs up");
    bytes
}
