//! The certificate under which the server is spoken to, and its renewal while the server runs.
//!
//! TLS 1.3 and 1.2, HTTP/1.1 only, no early data (which may be played back), no client certificates. Files are read
//! again on SIGHUP and every minute; what cannot be used leaves the old certificate in place and is said.

use crate::config::TlsFiles;
use rustls::ServerConfig;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often the files are read again without being told to.
const LOOK: Duration = Duration::from_secs(60);

/// Longest file that is read, in bytes; a chain of certificates has some thousand.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why a certificate cannot be used. Never says what is in the file of the key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} holds no usable {what} in PEM")]
    NotPem {
        /// Which.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The certificate or the key cannot be used, or they do not belong together.
    #[error("the certificate cannot be used with the key: {0}")]
    Unusable(#[source] rustls::Error),
    /// SIGHUP cannot be listened for.
    #[error("cannot listen for SIGHUP")]
    Signal(#[source] io::Error),
}

/// What is in the two files.
#[derive(PartialEq, Eq)]
struct Texts {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate that counts now.
pub(crate) struct Tls {
    files: TlsFiles,
    held: Mutex<Held>,
}

struct Held {
    /// What was read last, usable or not.
    texts: Texts,
    current: Arc<ServerConfig>,
}

/// What became of reading the files again.
#[derive(Debug)]
pub(crate) enum Reread {
    /// Nothing changed since they were read last.
    Same,
    /// New connections get the new certificate.
    Renewed,
    /// The old certificate stays.
    Kept(TlsError),
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let texts = Texts::read(files)?;
        let current = texts.configuration(files)?;
        Ok(Self { files: files.clone(), held: Mutex::new(Held { texts, current }) })
    }

    /// What a connection that begins now is encrypted by.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.held.lock().unwrap_or_else(PoisonError::into_inner).current)
    }

    /// Reads the files again.
    pub(crate) fn reread(&self) -> Reread {
        let texts = match Texts::read(&self.files) {
            Ok(texts) => texts,
            Err(error) => return Reread::Kept(error),
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = held.texts == texts;
        match texts.configuration(&self.files) {
            // What was unusable a minute ago is so still, and is still said.
            Err(error) => {
                held.texts = texts;
                Reread::Kept(error)
            }
            Ok(_) if is_same => Reread::Same,
            Ok(current) => {
                *held = Held { texts, current };
                Reread::Renewed
            }
        }
    }
}

impl Texts {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { certificate: contents(&files.certificate)?, key: contents(&files.key)? })
    }

    fn configuration(&self, files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let not_pem = |path: &Path, what| TlsError::NotPem { path: path.to_owned(), what };
        let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| not_pem(&files.certificate, "certificate"))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| not_pem(&files.key, "key"))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?;
        let mut configuration =
            builder.with_no_client_auth().with_single_cert(chain, key).map_err(TlsError::Unusable)?;
        configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(configuration))
    }
}

fn contents(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Takes SIGHUP over from the operating system's default, which is to die.
pub(crate) fn hangup() -> Result<Signal, TlsError> {
    signal(SignalKind::hangup()).map_err(TlsError::Signal)
}

/// Reads the files again on each signal and every minute, for ever, and tells what came of it.
pub(crate) async fn watch(tls: Arc<Tls>, mut hangup: Signal, note: impl Fn(Option<String>)) {
    let mut said = None;
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        let trouble = match tls.reread() {
            Reread::Same => None,
            Reread::Renewed => {
                tracing::info!("new connections are encrypted by the new certificate");
                None
            }
            Reread::Kept(error) => Some(told(&error)),
        };
        if trouble == said {
            continue;
        }
        match &trouble {
            Some(why) => {
                tracing::error!(why, "the certificate on the disk cannot be used; the one that was read before stays")
            }
            None => tracing::info!("the certificate on the disk can be used"),
        }
        note(trouble.clone());
        said = trouble;
    }
}

fn told(error: &TlsError) -> String {
    match error {
        TlsError::Unreadable { source, .. } | TlsError::Signal(source) => format!("{error} ({source})"),
        TlsError::NotPem { .. } | TlsError::Unusable(_) => error.to_string(),
    }
}
