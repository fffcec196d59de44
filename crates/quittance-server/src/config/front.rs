//! How connections of clients are kept: the limits of their patience and number, and the files by which they are encrypted.
//!
//! Does not read those files; the server does when it starts.

use super::errors::Mistakes;
use super::section::Section;
use std::path::PathBuf;

/// What a connection may take, and how it is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// Connections from one address at once; of IPv6 from one network of 64 bits.
    pub connections_per_address_max: usize,
    /// How long the head of a request may take, from when the connection could take one, which is also how long an idle
    /// one is kept; and how long a TLS handshake may take.
    pub head_timeout_ms: u64,
    /// How long the body of a request may stand still.
    pub body_timeout_ms: u64,
    /// How long a client may take nothing of its answer.
    pub write_timeout_ms: u64,
    /// Where the certificate and its key are; without them HTTP is spoken as it is.
    pub tls: Option<TlsFiles>,
}

/// Where the certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and its authority, in PEM.
    pub certificate: PathBuf,
    /// The key, in PEM (PKCS #8, PKCS #1 or SEC 1).
    pub key: PathBuf,
}

impl Front {
    /// The limits of the architecture; of all connections a quarter may come from one address.
    pub(super) const fn of(connections_max: usize) -> Self {
        Self {
            connections_per_address_max: connections_max.div_ceil(4),
            head_timeout_ms: 30_000,
            body_timeout_ms: 15_000,
            write_timeout_ms: 30_000,
            tls: None,
        }
    }
}

/// What is said of it in `[server]`.
pub(super) const KEYS: [&str; 5] =
    ["connections_per_address_max", "head_timeout_ms", "body_timeout_ms", "write_timeout_ms", "tls"];

/// Reads it.
pub(super) fn parse(section: &Section<'_>, connections_max: usize, mistakes: &mut Mistakes) -> Front {
    let default = Front::of(connections_max);
    let mut number = |key, default, low, high| section.number(key, default, low..=high, mistakes).value;
    let each = number("connections_per_address_max", default.connections_per_address_max as u64, 1, 1_000_000);
    let head_timeout_ms = number("head_timeout_ms", default.head_timeout_ms, 100, 600_000);
    let body_timeout_ms = number("body_timeout_ms", default.body_timeout_ms, 100, 600_000);
    let write_timeout_ms = number("write_timeout_ms", default.write_timeout_ms, 100, 600_000);
    let tls = tls(section, mistakes);
    // The range above fits a usize of 32 bits.
    let connections_per_address_max = each as usize;
    Front { connections_per_address_max, head_timeout_ms, body_timeout_ms, write_timeout_ms, tls }
}

/// `[server.tls]`, also where only the environment says it.
fn tls(server: &Section<'_>, mistakes: &mut Mistakes) -> Option<TlsFiles> {
    let empty = Section { name: server.setting("tls"), table: None, ..*server };
    let section = server.table_of("tls", mistakes).unwrap_or(empty);
    section.refuse_unknown(&["certificate", "key"], mistakes);
    let mut path = |key| {
        let found = section.text(key, mistakes)?;
        let path = found.value.strip_prefix("file:").unwrap_or(&found.value);
        if path.is_empty() || path.starts_with("-----") {
            let what = "not the name of a file (what is there is not shown)";
            mistakes.add(found.origin, &section.setting(key), what, "write the path of a file in PEM");
            return None;
        }
        Some(PathBuf::from(path))
    };
    let (certificate, key) = (path("certificate"), path("key"));
    for (name, other) in [("certificate", "key"), ("key", "certificate")] {
        if !section.has(name) && section.has(other) {
            let remedy = format!("name the file of the {name}, or leave {other} out");
            mistakes.add(section.origin(), &section.setting(name), "missing", remedy);
        }
    }
    Some(TlsFiles { certificate: certificate?, key: key? })
}
