//! Encrypted connections, and a certificate that is renewed while the server runs. The certificates of `tls` are for
//! `localhost`, sign themselves, and are valid until 2124; their keys protect nothing.

use super::{Answer, PATIENCE, Running, one, rest};
use quittance_server::config::Config;
use quittance_server::roles::Roles;
use quittance_server::serve::{ServeError, ServeOptions, serve};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const FIRST: (&str, &str) = (include_str!("tls/first.pem"), include_str!("tls/first.key"));
const SECOND: (&str, &str) = (include_str!("tls/second.pem"), include_str!("tls/second.key"));

const READY: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: q\r\n\r\n";

/// A folder with a certificate and its key.
struct Files(TempDir);

impl Files {
    fn of((certificate, key): (&str, &str)) -> Self {
        let files = Self(TempDir::new().unwrap());
        files.put(certificate, key);
        files
    }

    /// Replaces them, as programs that renew certificates do: whole files take the place of the old ones.
    fn put(&self, certificate: &str, key: &str) {
        for (name, text) in [("key.pem", key), ("certificate.pem", certificate)] {
            let new = self.0.path().join("new");
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, self.0.path().join(name)).unwrap();
        }
    }

    fn configuration(&self, more: &str) -> String {
        let folder = self.0.path().display();
        format!(
            "[server]\n{more}\n[server.tls]\ncertificate = \"{folder}/certificate.pem\"\nkey = \"file:{folder}/key.pem\"\n"
        )
    }
}

/// Connects as a client that trusts both certificates, and speaks these versions.
async fn connect(server: &Running, versions: &[&'static SupportedProtocolVersion]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    for (certificate, _) in [FIRST, SECOND] {
        roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, server.connect().await).await.unwrap()
}

/// Whether a new connection is encrypted by this certificate.
async fn shows(server: &Running, (certificate, _): (&str, &str)) -> bool {
    let stream = connect(server, &[&version::TLS13]).await;
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    shown == CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> Answer {
    stream.write_all(READY).await.unwrap();
    one(stream).await.expect("an answer")
}

async fn ready(server: &Running) -> Answer {
    ask(&mut connect(server, &[&version::TLS13]).await).await
}

/// What an operator does after the files were replaced. Only servers with a certificate listen for it.
fn hang_up() {
    let pid = std::process::id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_encrypted_and_nothing_else_is_answered() {
    let files = Files::of(FIRST);
    let server = Running::start(&files.configuration("head_timeout_ms = 5000")).await;
    for (version, expected) in
        [(&version::TLS12, rustls::ProtocolVersion::TLSv1_2), (&version::TLS13, rustls::ProtocolVersion::TLSv1_3)]
    {
        let mut stream = connect(&server, &[version]).await;
        let answer = ask(&mut stream).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
        let session = stream.get_ref().1;
        assert_eq!(session.protocol_version(), Some(expected));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    let plain = rest(&mut server.send(READY).await).await;
    assert!(!plain.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&plain));
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, b"", "a handshake has its time");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
    let files = Files::of(FIRST);
    let server = Running::start(&files.configuration("")).await;
    let mut before = connect(&server, &[&version::TLS13]).await;
    assert!(shows(&server, FIRST).await);
    files.put(SECOND.0, SECOND.1);
    hang_up();
    let renewed = async { while !shows(&server, SECOND).await {} };
    timeout(PATIENCE, renewed).await.expect("it is renewed");
    assert_eq!(ask(&mut before).await.status(), 200, "a connection goes on under its own");
    for (certificate, key, what) in [
        ("-----BEGIN CERTIFICATE-----\n", SECOND.1, "holds no usable certificate in PEM"),
        (FIRST.0, SECOND.1, "the certificate cannot be used with the key"),
        (FIRST.0, "no key", "holds no usable key in PEM"),
    ] {
        files.put(certificate, key);
        hang_up();
        let said = async { while !ready(&server).await.body.contains(what) {} };
        timeout(PATIENCE, said).await.expect(what);
        let answer = ready(&server).await;
        assert!(answer.status() == 200 && answer.body.contains("\"code\":\"certificate_unusable\""), "{answer:?}");
        assert!(shows(&server, SECOND).await, "the one that was read before stays");
    }
    files.put(FIRST.0, FIRST.1);
    hang_up();
    let mended = async { while ready(&server).await.body.contains("certificate_unusable") {} };
    timeout(PATIENCE, mended).await.expect("it is taken back");
    assert!(shows(&server, FIRST).await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_cannot_be_used_does_not_start() {
    for (certificate, key, what) in [
        (FIRST.0, SECOND.1, "cannot be used with the key"),
        ("", FIRST.1, "certificate.pem holds no usable certificate in PEM"),
        (FIRST.0, "", "key.pem holds no usable key in PEM"),
    ] {
        let files = Files::of((certificate, key));
        let error = refused(&files.configuration(""), files.0.path()).await;
        assert_eq!(error.exit_code(), 2);
        let ServeError::Tls(cause) = error else { panic!("{error:?}") };
        assert!(cause.to_string().contains(what), "{cause}");
    }
    let files = Files::of(FIRST);
    std::fs::remove_file(files.0.path().join("key.pem")).unwrap();
    let error = refused(&files.configuration(""), files.0.path()).await;
    assert!(matches!(error, ServeError::Tls(_)), "{error:?}");
}

async fn refused(configuration: &str, folder: &Path) -> ServeError {
    let config = Config::from_text(configuration, &|_| None).unwrap();
    let data = folder.join("data");
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let options = ServeOptions { config, data: data.as_path().into(), roles: Roles::ALL, listen, on_ready: None };
    let error = serve(options, std::future::pending()).await.unwrap_err();
    assert!(!data.exists(), "nothing was begun");
    error
}
