//! Where a database is, as `postgres://user:password@host:port/database?sslmode=…` says it. Does not connect.
//!
//! Neither the address nor what a parser says of it is ever shown: a password may stand anywhere in it.

use percent_encoding::percent_decode_str;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A database, and how it is reached.
#[derive(Clone)]
pub struct Address {
    /// For the driver.
    pub config: Config,
    /// Whose certificate is believed.
    pub trust: Trust,
    /// Host, port and database, for people.
    pub shown: String,
}

/// Whose certificate is believed, in libpq's words: what `sslmode` and `sslrootcert` come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Anybody's: who listens in learns nothing, who stands between learns all.
    Anybody,
    /// What these authorities signed.
    Authorities {
        /// The file that holds their certificates.
        file: PathBuf,
        /// Whether the certificate has to be for the host's name.
        for_host: bool,
    },
    /// What the authorities of this machine signed, for the host's name.
    System,
}

/// Why an address cannot be used; nothing of what it found is repeated.
#[derive(Debug, thiserror::Error)]
#[error("{what} (it is not shown, for it may hold a password)")]
pub struct AddressError {
    what: String,
}

impl AddressError {
    /// What would be right.
    pub const REMEDY: &'static str = "write postgres://user:password@host:5432/database?sslmode=verify-full, with %40 for \
        @, %2F for / and %3F for ? in user and password";
}

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// When a connection that is silent is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long what was sent may go without an answer by the other machine.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(60);

const MODES: &str = "disable, prefer, require, verify-ca and verify-full";

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`AddressError`], as the rest of a sentence that begins with the address.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let wrong = |what: &str| AddressError { what: what.to_owned() };
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(wrong("is none of PostgreSQL"));
        }
        let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
        // All behind the first `@` would be a host, and shown.
        if base.matches('@').count() > 1 {
            return Err(wrong("has more than one @"));
        }
        let own = |parameter: &&str| parameter.starts_with("sslmode=") || parameter.starts_with("sslrootcert=");
        let (own, others): (Vec<&str>, Vec<&str>) = parameters.split('&').filter(|it| !it.is_empty()).partition(own);
        let rest = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
        let mut config: Config =
            rest.parse().map_err(|_| wrong("cannot be read, or has a parameter that is not known"))?;
        if config.get_hosts().is_empty() {
            return Err(wrong("names no host"));
        }
        let value = |name: &str| {
            let found = own.iter().filter_map(|parameter| parameter.split_once('=')).find(|(key, _)| *key == name);
            found.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned())
        };
        let (mode, trust) = trust(value("sslmode").as_deref(), value("sslrootcert")).map_err(|what| wrong(&what))?;
        config.ssl_mode(mode).application_name("quittance");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if !others.iter().any(|parameter| parameter.starts_with("keepalives")) {
            config.keepalives_idle(KEEPALIVE).tcp_user_timeout(UNACKNOWLEDGED_MAX);
        }
        let shown = shown(&config);
        Ok(Self { config, trust, shown })
    }
}

fn trust(mode: Option<&str>, authorities: Option<String>) -> Result<(SslMode, Trust), String> {
    let authorities = authorities.filter(|file| !file.is_empty());
    let is_system = authorities.as_deref() == Some("system");
    let file = authorities.filter(|_| !is_system).map(PathBuf::from);
    let believing = |for_host| file.clone().map(|file| Trust::Authorities { file, for_host });
    Ok(match mode.unwrap_or(if is_system { "verify-full" } else { "prefer" }) {
        "disable" => (SslMode::Disable, Trust::Anybody),
        "prefer" | "allow" => (SslMode::Prefer, Trust::Anybody),
        // As libpq has it: whoever names an authority wants it asked.
        "require" if !is_system => (SslMode::Require, believing(false).unwrap_or(Trust::Anybody)),
        "verify-ca" if !is_system => {
            let what = "has sslmode=verify-ca and no sslrootcert=FILE: authorities that sign for everybody prove nothing without the host's name, so use verify-full";
            (SslMode::Require, believing(false).ok_or(what)?)
        }
        "verify-full" => (SslMode::Require, believing(true).unwrap_or(Trust::System)),
        "require" | "verify-ca" => {
            return Err("has sslrootcert=system, which goes with sslmode=verify-full only".to_owned());
        }
        _ => return Err(format!("has an sslmode that is not known; known are {MODES}")),
    })
}

fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            #[cfg(unix)]
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    match config.get_dbname() {
        Some(database) => format!("{hosts}/{database}"),
        None => hosts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, AddressError> {
        Address::parse(url)
    }

    #[test]
    fn encryption_is_read_as_libpq_reads_it() {
        let file = |for_host| Trust::Authorities { file: "/etc/ca 1.pem".into(), for_host };
        for (parameters, mode, trust) in [
            ("", SslMode::Prefer, Trust::Anybody),
            ("?sslmode=disable", SslMode::Disable, Trust::Anybody),
            ("?sslmode=prefer&connect_timeout=3", SslMode::Prefer, Trust::Anybody),
            ("?sslmode=require", SslMode::Require, Trust::Anybody),
            ("?sslmode=require&sslrootcert=/etc/ca%201.pem", SslMode::Require, file(false)),
            ("?sslrootcert=/etc/ca%201.pem&sslmode=verify-ca", SslMode::Require, file(false)),
            ("?sslmode=verify-full&sslrootcert=/etc/ca%201.pem", SslMode::Require, file(true)),
            ("?sslmode=verify-full", SslMode::Require, Trust::System),
            ("?sslrootcert=system", SslMode::Require, Trust::System),
        ] {
            let address = parse(&format!("postgres://u@h/d{parameters}")).unwrap();
            assert_eq!((address.config.get_ssl_mode(), &address.trust), (mode, &trust), "{parameters}");
            assert_eq!(address.config.get_application_name(), Some("quittance"));
        }
    }

    #[test]
    fn a_password_is_in_no_complaint() {
        for url in [
            "mysql://u:hunter2@h/d",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "postgres://u:p@hunter2@h:5432/d",
            "postgres://u:p/@hunter2@h:5432/d",
            "postgres://u:hunter2@h:hunter2/d",
            "postgres://u:hunter2@h/d?hunter2=1",
            "postgres://u:hunter2@h/d?sslmode=verify-ca",
            "postgres://u:hunter2@h/d?sslmode=require&sslrootcert=system",
            "hunter2",
            "postgres:///hunter2",
        ] {
            let Err(error) = parse(url) else { panic!("{url} is accepted") };
            let said = format!("{error} {error:?}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn people_see_where_it_is_and_not_how_to_enter() {
        let shown = |url: &str| parse(url).unwrap().shown;
        assert_eq!(shown("postgresql://u:p%40ss@h/d"), "h:5432/d");
        assert_eq!(shown("postgres://u:p@h1:1,h2:2/d?target_session_attrs=read-write"), "h1:1,h2:2/d");
        assert_eq!(shown("postgres://u:p@%2Frun%2Fpostgresql/d"), "/run/postgresql:5432/d");
    }
}
