//! Where an API is, and which addresses are there too. A page that points elsewhere is not followed: the credential goes
//! to nobody else.

use crate::form::encoded;

/// Longest identity that is asked for, in bytes.
const KEY_BYTES_MAX: usize = 1_024;

/// Where an API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Scheme, host and port: `https://crm.example`.
    pub origin: String,
    /// What every path begins with, without a slash at its end: `/api/v2`, or nothing.
    pub prefix: String,
}

impl Address {
    /// The target of a path of the API, with more parameters.
    #[must_use]
    pub fn target(&self, path: &str, parameters: &[(&str, String)]) -> String {
        let mut target = format!("{}{path}", self.prefix);
        for (name, value) in parameters {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&format!("{}={}", encoded(name), encoded(value)));
        }
        target
    }

    /// The target of one object; none for what cannot be an identity and would be another path.
    #[must_use]
    pub fn target_of(&self, path: &str, key: &str) -> Option<String> {
        let is_key = !matches!(key, "" | "." | "..") && key.len() <= KEY_BYTES_MAX;
        is_key.then(|| self.target(&path.replace("{key}", &encoded(key)), &[]))
    }

    /// The target that a page names as the next one, whose own target is `current`. None where it is elsewhere.
    ///
    /// The scheme does not count: a server behind a proxy seldom knows it, and ours is used.
    #[must_use]
    pub fn follow(&self, link: &str, current: &str) -> Option<String> {
        if let Some((scheme, rest)) = link.split_once("://") {
            let (host, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            let (own_scheme, own_host) = self.origin.split_once("://")?;
            let is_ours = without_default_port(scheme, host) == without_default_port(own_scheme, own_host);
            return if target.starts_with('/') && is_ours { plain(target) } else { None };
        }
        match link.as_bytes() {
            [b'/', b'/', ..] => None,
            [b'/', ..] => plain(link),
            [b'?', ..] => plain(&format!("{}{link}", current.split('?').next()?)),
            _ => None,
        }
    }
}

fn without_default_port(scheme: &str, host: &str) -> String {
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" => ":443",
        _ => ":80",
    };
    host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase()
}

/// A target without a fragment; none with what no target may hold.
fn plain(target: &str) -> Option<String> {
    let target = target.split('#').next()?;
    target.bytes().all(|byte| byte.is_ascii_graphic()).then(|| target.to_owned())
}
