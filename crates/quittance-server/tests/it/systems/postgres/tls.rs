//! Encrypted connections: to whom, and what is believed. The certificate of `tls/server.pem` is for `localhost`, signed
//! by `tls/ca.pem`, and valid until 2124; its key protects nothing.

use super::{refused, side, system, try_read};
use quittance_core::record::value::Value;
use quittance_server::systems::{Blame, System, SystemError, Wanted};
use quittance_surroundings::Postgres as Server;

const CERTIFICATE: &str = include_str!("tls/server.pem");
const KEY: &str = include_str!("tls/server.key");

/// Where a server has to find its certificate and key, it puts them itself: it may be another user.
fn server() -> Option<Server> {
    let mut server = Server::start("encryption of PostgreSQL")?;
    for (file, text) in [("server.crt", CERTIFICATE), ("server.key", KEY)] {
        let lines: Vec<String> = text.lines().map(|line| format!("('{line}')")).collect();
        server.sql(
            "postgres",
            &format!(
                "COPY (SELECT * FROM (VALUES {}) AS lines) TO PROGRAM 'umask 077 && cat > {file}'",
                lines.join(", ")
            ),
        );
    }
    server.sql("postgres", "ALTER SYSTEM SET ssl = on");
    server.restart();
    Some(server)
}

fn file(name: &str) -> String {
    format!("{}/tests/it/systems/postgres/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Whether the session that reads is encrypted.
fn is_encrypted(url: &str) -> Result<bool, SystemError> {
    let rows = try_read(&mut system(url), "encrypted", &side(1, &["ssl"]), &Wanted::All)?.0;
    Ok(rows == [[Value::Boolean(true)]])
}

#[test]
fn a_connection_is_encrypted_and_believes_whom_it_should() {
    let Some(server) = server() else { return };
    server.sql("postgres", "CREATE VIEW encrypted AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    let url =
        |host: &str, parameters: &str| format!("{}?{parameters}", server.url("postgres").replace("127.0.0.1", host));
    let ca = format!("sslrootcert={}", file("ca.pem"));
    let other = format!("sslrootcert={}", file("other.pem"));
    for (host, parameters, expected) in [
        ("127.0.0.1", "sslmode=disable".to_owned(), false),
        ("127.0.0.1", String::new(), true),
        ("127.0.0.1", "sslmode=prefer".to_owned(), true),
        ("127.0.0.1", "sslmode=require".to_owned(), true),
        ("127.0.0.1", format!("sslmode=verify-ca&{ca}"), true),
        ("localhost", format!("sslmode=verify-full&{ca}"), true),
    ] {
        assert_eq!(is_encrypted(&url(host, &parameters)).unwrap(), expected, "{host} {parameters}");
    }
    for (host, parameters, what) in [
        ("127.0.0.1", format!("sslmode=verify-full&{ca}"), "not valid for name"),
        ("localhost", format!("sslmode=verify-full&{other}"), "UnknownIssuer"),
        ("localhost", format!("sslmode=verify-ca&{other}"), "UnknownIssuer"),
        ("localhost", format!("sslmode=require&{other}"), "UnknownIssuer"),
    ] {
        let error = is_encrypted(&url(host, &parameters)).unwrap_err();
        refused(&error, Blame::Outside, what, "sslrootcert");
    }
    let missing = format!("sslmode=verify-full&sslrootcert={}", file("missing.pem"));
    let error = system(&url("localhost", &missing)).describe("encrypted").unwrap_err();
    refused(&error, Blame::Configuration, "missing.pem cannot be read", "sslrootcert");
}

#[test]
fn who_asks_for_encryption_is_not_served_without() {
    let Some(server) = Server::start("PostgreSQL without encryption") else { return };
    let url = format!("{}?sslmode=require", server.url("postgres"));
    refused(&system(&url).describe("a").unwrap_err(), Blame::Outside, "TLS", "sslmode=disable");
    let url = format!("{}?sslmode=prefer", server.url("postgres"));
    assert_eq!(
        system(&url).describe("a").unwrap_err().blame,
        Blame::Configuration,
        "it is reached, and has no such table"
    );
}
